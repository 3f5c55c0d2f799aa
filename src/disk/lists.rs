use std::collections::{BTreeMap, BTreeSet};

use super::error::OutputError;
use super::ground::{Found, Ground};
use super::plan::{Plan, file_name};
use crate::tree::TreeEntry;

/// How the names of the bundles begin that stand in other people's lists. s6-rc wants none with a dot in front.
pub(super) const STAND_IN: &str = "s6gen-switch-";

/// How the names that are ours change in a list of somebody else's definition.
#[derive(Default)]
pub(super) struct List {
    /// The bundle that an interrupted build left there.
    pub stand_in: Option<String>,
    pub goes: BTreeSet<String>,
    pub comes: BTreeSet<String>,
}

/// The lists that change, by their directories.
pub(super) fn lists<'p>(ground: &Ground, plan: &'p Plan) -> Result<BTreeMap<&'p str, List>, OutputError> {
    let mut lists: BTreeMap<&str, List> = BTreeMap::new();
    for write in plan.writes.iter().filter(|write| is_listed(ground, &write.path)) {
        if *write.entry != TreeEntry::Directory && matches!(ground.look(&write.path)?, Found::Nothing) {
            let (directory, name) = split(&write.path);
            lists.entry(directory).or_default().comes.insert(name.to_owned());
        }
    }
    for (path, _) in plan.left_over.iter().filter(|(path, dir)| !dir && is_listed(ground, path)) {
        let (directory, name) = split(path);
        let list = lists.entry(directory).or_default();
        if name.starts_with(STAND_IN) {
            list.stand_in = Some(name.to_owned());
        } else {
            list.goes.insert(name.to_owned());
        }
    }
    Ok(lists)
}

/// Whether a path is a name in a list of somebody else's definition.
fn is_listed(ground: &Ground, path: &str) -> bool {
    ground.definition_of(path).is_none()
        && matches!(file_name(split(path).0), "contents.d" | "dependencies.d")
}

/// A path's directory and its name there.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
