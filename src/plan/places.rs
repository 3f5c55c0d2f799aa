//! Which oneshots may have to wait for a place, because s6-rc runs only some of them at the same time.

use super::order::StartOrder;

/// How many oneshots s6-rc runs at the same time.
pub(super) const ONESHOTS_AT_A_TIME: usize = 40;
/// With more oneshots than this, each may have to wait: comparing all pairs would take too long.
const MOST_COMPARED: usize = 1_000;

/// Whether each service may have to wait for a place. `takes_place` is true for the oneshots that need one.
///
/// Of services that wait for each other only one runs at a time. So the others that may run beside a oneshot are divided into chains:
/// with fewer than 40 chains there is always a place. It is not always the smallest number of chains, but never too small.
pub(super) fn crowded(order: &StartOrder<'_>, takes_place: &[bool]) -> Vec<bool> {
    let nobody = vec![false; takes_place.len()];
    let mut by_step: Vec<usize> = (0..takes_place.len()).collect();
    by_step.sort_by_key(|row| order.services[*row].step);
    let oneshots: Vec<usize> = by_step.iter().copied().filter(|row| takes_place[*row]).collect();
    if oneshots.len() <= ONESHOTS_AT_A_TIME {
        return nobody;
    }
    if oneshots.len() > MOST_COMPARED {
        return takes_place.to_vec();
    }
    // The oneshots that come before each service: one bit for each.
    let words = oneshots.len().div_ceil(64);
    let mut before = vec![vec![0u64; words]; takes_place.len()];
    let mut number = vec![None; takes_place.len()];
    oneshots.iter().enumerate().for_each(|(bit, row)| number[*row] = Some(bit));
    for row in &by_step {
        let mut own = vec![0u64; words];
        for first in order.services[*row].after() {
            own.iter_mut().zip(&before[first]).for_each(|(own, first)| *own |= first);
            if let Some(bit) = number[first] {
                own[bit / 64] |= 1 << (bit % 64);
            }
        }
        before[*row] = own;
    }
    let comes_before =
        |first: usize, then: usize| before[oneshots[then]][first / 64] >> (first % 64) & 1 == 1;
    let mut crowded = nobody;
    for (one, row) in oneshots.iter().enumerate() {
        let beside = (0..oneshots.len())
            .filter(|other| *other != one && !comes_before(*other, one) && !comes_before(one, *other));
        // The last oneshot of each chain.
        let mut chains: Vec<usize> = Vec::new();
        for other in beside {
            match chains.iter_mut().find(|last| comes_before(**last, other)) {
                Some(last) => *last = other,
                None => chains.push(other),
            }
            if chains.len() >= ONESHOTS_AT_A_TIME {
                crowded[*row] = true;
                break;
            }
        }
    }
    crowded
}
