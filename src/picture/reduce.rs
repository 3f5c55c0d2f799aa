//! Leaves out the waits that follow from others.

/// Removes what each entry waits for if another thing that it waits for waits for that, too. Waits inside a dependency cycle
/// stay. The lists have the positions of what each entry waits for.
pub(super) fn reduce(waits: &mut [Vec<usize>]) {
    let reached: Vec<Vec<bool>> = (0..waits.len()).map(|start| reached(waits, start)).collect();
    let reduced: Vec<Vec<usize>> = waits
        .iter()
        .enumerate()
        .map(|(then, firsts)| {
            let follows = |first: usize| {
                // `other` may lead to `first` only because both are in a cycle with each other or with `then`.
                firsts.iter().any(|other| {
                    *other != first
                        && reached[*other][first]
                        && !reached[first][*other]
                        && !reached[*other][then]
                })
            };
            firsts.iter().copied().filter(|first| reached[*first][then] || !follows(*first)).collect()
        })
        .collect();
    waits.clone_from_slice(&reduced);
}

/// Whether each entry comes before `start`, directly or through others. In a cycle, `start` comes before itself.
fn reached(waits: &[Vec<usize>], start: usize) -> Vec<bool> {
    let mut reached = vec![false; waits.len()];
    let mut todo = waits[start].clone();
    while let Some(entry) = todo.pop() {
        if !std::mem::replace(&mut reached[entry], true) {
            todo.extend(&waits[entry]);
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::reduce;

    #[test]
    fn a_wait_that_follows_from_others_is_left_out() {
        let mut waits = vec![vec![], vec![0], vec![0, 1], vec![0, 2]];
        reduce(&mut waits);
        assert_eq!(waits, [vec![], vec![0], vec![1], vec![2]]);
    }

    #[test]
    fn waits_in_a_cycle_stay() {
        let mut waits = vec![vec![2, 1], vec![0], vec![0, 1], vec![1, 2]];
        reduce(&mut waits);
        assert_eq!(waits, [vec![2, 1], vec![0], vec![0, 1], vec![1, 2]]);
    }
}
