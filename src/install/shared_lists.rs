//! Shared lists: the `contents.d` and `dependencies.d` directories of foreign definitions in which s6gen adds names.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::InstallPlan;
use super::site::Site;
use crate::disk::path::{file_name, split};
use crate::disk::{DiskError, OnDisk};
use crate::tree::TreeEntry;

/// The prefix for the names of stand-ins: bundles that replace our names in a shared list for the time of a switch. It
/// begins with a letter because s6-rc ignores names that begin with a dot.
pub(super) const STAND_IN: &str = "s6gen-switch-";

/// How our names change in one shared list.
#[derive(Default)]
pub(super) struct SharedList {
    /// The stand-in that an interrupted build left in the list.
    pub stand_in: Option<String>,
    /// The names that are removed.
    pub removed: BTreeSet<String>,
    /// The names that are added.
    pub added: BTreeSet<String>,
}

/// The shared lists that change, by their paths.
pub(super) fn shared_lists<'p>(
    site: &Site,
    plan: &'p InstallPlan,
) -> Result<BTreeMap<&'p str, SharedList>, DiskError> {
    let mut lists: BTreeMap<&str, SharedList> = BTreeMap::new();
    for write in plan.writes.iter().filter(|write| is_listed(site, &write.path)) {
        if *write.entry != TreeEntry::Directory && matches!(site.look(&write.path)?, OnDisk::Nothing) {
            let (directory, name) = split(&write.path);
            lists.entry(directory).or_default().added.insert(name.to_owned());
        }
    }
    for (path, _) in plan.left_over.iter().filter(|(path, dir)| !dir && is_listed(site, path)) {
        let (directory, name) = split(path);
        let list = lists.entry(directory).or_default();
        if name.starts_with(STAND_IN) {
            list.stand_in = Some(name.to_owned());
        } else {
            list.removed.insert(name.to_owned());
        }
    }
    Ok(lists)
}

/// Whether a path is an entry of a shared list.
fn is_listed(site: &Site, path: &str) -> bool {
    site.definition_of(path).is_none() && matches!(file_name(split(path).0), "contents.d" | "dependencies.d")
}
