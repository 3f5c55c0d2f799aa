//! The lists of other people's definitions, `contents.d` and `dependencies.d`, that hold names of ours.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::InstallPlan;
use super::site::Site;
use crate::disk::path::{file_name, split};
use crate::disk::{DiskError, OnDisk};
use crate::tree::TreeEntry;

/// How the names of the bundles begin that take the place of our names in such lists for the time of a switch. s6-rc ignores
/// names that begin with a dot, so that these begin with a letter.
pub(super) const STAND_IN: &str = "s6gen-switch-";

/// How our names change in a list of somebody else's definition.
#[derive(Default)]
pub(super) struct SharedList {
    /// The bundle that an interrupted build left there.
    pub stand_in: Option<String>,
    /// The names that are removed.
    pub goes: BTreeSet<String>,
    /// The names that are added.
    pub comes: BTreeSet<String>,
}

/// The lists that change, by their directories.
pub(super) fn shared_lists<'p>(
    site: &Site,
    plan: &'p InstallPlan,
) -> Result<BTreeMap<&'p str, SharedList>, DiskError> {
    let mut lists: BTreeMap<&str, SharedList> = BTreeMap::new();
    for write in plan.writes.iter().filter(|write| is_listed(site, &write.path)) {
        if *write.entry != TreeEntry::Directory && matches!(site.look(&write.path)?, OnDisk::Nothing) {
            let (directory, name) = split(&write.path);
            lists.entry(directory).or_default().comes.insert(name.to_owned());
        }
    }
    for (path, _) in plan.left_over.iter().filter(|(path, dir)| !dir && is_listed(site, path)) {
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
fn is_listed(site: &Site, path: &str) -> bool {
    site.definition_of(path).is_none() && matches!(file_name(split(path).0), "contents.d" | "dependencies.d")
}
