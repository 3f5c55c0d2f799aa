//! The longest chain: the steps that together take as long as the whole.

use super::moment::Moment;

/// A step of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    /// The position of the service.
    pub row: usize,
    /// The positions of the links at whose ends it begins. Empty for the first ones.
    pub from: Vec<usize>,
}

/// The steps that end last, and all of those at whose end one of them begins, in the order in which they begin. Steps that take no
/// time at the very beginning are left out.
///
/// `begin` and `end` give the moments of a step, `before` the steps that it waits for.
pub(super) fn chain(
    last: impl IntoIterator<Item = usize>,
    count: usize,
    begin: impl Fn(usize) -> Moment,
    end: impl Fn(usize) -> Moment,
    before: impl Fn(usize) -> Vec<usize>,
) -> Vec<ChainLink> {
    let nothing = Moment::default();
    let mut is_found = vec![false; count];
    let mut todo: Vec<usize> = last.into_iter().filter(|row| end(*row) > nothing).collect();
    let mut links = Vec::new();
    while let Some(row) = todo.pop() {
        if std::mem::replace(&mut is_found[row], true) {
            continue;
        }
        let starts = begin(row);
        let mut from = before(row);
        from.retain(|first| starts > nothing && end(*first) == starts);
        todo.extend(&from);
        links.push(ChainLink { row, from });
    }
    links.sort_by_key(|link| (begin(link.row), end(link.row), link.row));
    links
}
