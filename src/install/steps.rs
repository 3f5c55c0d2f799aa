//! The order in which an installation changes files.

use std::collections::BTreeSet;

use super::plan::{InTheWay, InstallPlan, Write};
use super::site::Site;
use super::switch::{StagedEntry, Switch};
use crate::tree::TreeEntry;

/// A change of one file, link or directory.
pub(super) enum InstallStep<'p> {
    /// Sets the permissions of a directory to [`DIRECTORY_MODE`](crate::disk::DIRECTORY_MODE).
    Mode { path: &'p str },
    /// Renames the entry `staged` of the staging directory to `path`. `write` is `None` for an entry of the switch.
    Put { staged: String, path: &'p str, entry: &'p TreeEntry, write: Option<&'p Write<'p>> },
    /// Replaces a file in a definition by a link that leads through the switch. If a mount makes the rename impossible, the
    /// step does nothing, and a later step replaces the file.
    PutInnerLink { staged: String, path: &'p str },
    /// Removes something that s6gen made.
    Remove { path: &'p str, directory: bool },
}

/// The steps of a plan, in an order in which `/init` at any moment finds definitions that compile.
///
/// The first steps change what `/init` does not see yet, and the last ones what it no longer sees. If there is a
/// switch, or if only one visible thing changes, exactly one step between them is visible to `/init`. In the other
/// cases `/init` either has no definitions yet, or finds them without links, and then a boot may find some old and some
/// new ones.
pub(super) fn steps<'p>(
    site: &Site,
    plan: &'p InstallPlan,
    switch: Option<&'p Switch>,
) -> Vec<InstallStep<'p>> {
    let handled = switch.map(Switch::handled_paths).unwrap_or_default();
    let seen = |path: &str| switch.is_some_and(|switch| switch.is_seen(site, path));
    let mut order = Order { plan, steps: Vec::new(), done: handled };

    for path in &plan.modes {
        order.steps.push(InstallStep::Mode { path });
    }
    let is_directory = |write: &Write| *write.entry == TreeEntry::Directory;
    let stays = |path: &str| site.definition_of(path).is_some_and(|name| plan.desires_definition(site, name));
    order.write(|write| {
        !seen(&write.path) && (is_directory(write) || site.definition_of(&write.path).is_some())
    });
    order.remove(|path, _| !seen(path) && stays(path));
    if let Some(switch) = switch {
        order.put(&switch.engage);
        order.unlink(&switch.unlist);
        order.put_inner(&switch.inner);
        order.put(&switch.flip);
    }
    order.write(|write| seen(&write.path));
    order.remove(|path, _| stays(path));
    order.write(|_| true);
    if let Some(switch) = switch {
        order.put(&switch.release);
        order.unlink(&switch.remove);
    }
    order.remove(|path, directory| !directory && site.definition_of(path).is_none());
    order.remove(|_, _| true);
    order.steps
}

/// Collects the steps in order.
struct Order<'p> {
    plan: &'p InstallPlan<'p>,
    steps: Vec<InstallStep<'p>>,
    /// The paths that need no more steps.
    done: BTreeSet<&'p str>,
}

impl<'p> Order<'p> {
    /// Adds the writes that `which` selects and that no earlier step does.
    fn write(&mut self, which: impl Fn(&Write) -> bool) {
        for (number, write) in self.plan.writes.iter().enumerate() {
            if !which(write) || !self.done.insert(&write.path) {
                continue;
            }
            match write.in_the_way {
                InTheWay::Nothing => {}
                InTheWay::Leaf => {
                    self.steps.push(InstallStep::Remove { path: &write.path, directory: false })
                }
                InTheWay::Directory => {
                    let inside = format!("{}/", write.path);
                    self.remove(|path, _| path.starts_with(&inside));
                    self.steps.push(InstallStep::Remove { path: &write.path, directory: true });
                }
            }
            self.steps.push(InstallStep::Put {
                staged: number.to_string(),
                path: &write.path,
                entry: write.entry,
                write: Some(write),
            });
        }
    }

    /// Adds the removals that `which` selects and that no earlier step does.
    fn remove(&mut self, which: impl Fn(&str, bool) -> bool) {
        for (path, directory) in &self.plan.left_over {
            if which(path, *directory) && self.done.insert(path) {
                self.steps.push(InstallStep::Remove { path, directory: *directory });
            }
        }
    }

    fn put(&mut self, entries: &'p [StagedEntry]) {
        self.steps.extend(entries.iter().map(|staged| InstallStep::Put {
            staged: staged.name(),
            path: &staged.path,
            entry: &staged.entry,
            write: None,
        }));
    }

    fn put_inner(&mut self, entries: &'p [StagedEntry]) {
        self.steps.extend(entries.iter().map(|staged| match &staged.entry {
            TreeEntry::Link(_) => InstallStep::PutInnerLink { staged: staged.name(), path: &staged.path },
            entry => InstallStep::Put { staged: staged.name(), path: &staged.path, entry, write: None },
        }));
    }

    fn unlink(&mut self, paths: &'p [String]) {
        self.steps.extend(paths.iter().map(|path| InstallStep::Remove { path, directory: false }));
    }
}
