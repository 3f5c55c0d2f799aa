//! The order in which an installation changes files.

use std::collections::BTreeSet;

use super::plan::{InTheWay, InstallPlan, Write};
use super::site::Site;
use super::switch::{StagedEntry, Switch};
use crate::tree::TreeEntry;

/// A change of one file, link or directory.
pub(super) enum InstallStep<'p> {
    /// Gives a directory the permissions that s6gen gives.
    Mode { path: &'p str },
    /// Renames the entry `staged` of the staging directory to `path`.
    Put { staged: String, path: &'p str, entry: &'p TreeEntry },
    /// Puts a link that leads through the switch in the place of a file. Where that is not one rename, because a mount is
    /// in the way, it is left out and the file changes a moment later.
    Lead { staged: String, path: &'p str },
    /// Removes a path of ours.
    Remove { path: &'p str, directory: bool },
}

/// The steps of a plan, in an order in which `/init` at any moment finds definitions that compile.
///
/// First comes what `/init` does not see yet, last what it no longer sees. Between the two is one step that it sees, if
/// there is a switch or if only one thing changes that it sees. Otherwise it has nothing yet, or it finds the definitions
/// without links, and then there is a time between old and new.
pub(super) fn steps<'p>(
    site: &Site,
    plan: &'p InstallPlan,
    switch: Option<&'p Switch>,
) -> Vec<InstallStep<'p>> {
    let handled = switch.map(Switch::handled).unwrap_or_default();
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
        order.lead(&switch.leaves);
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

struct Order<'p> {
    plan: &'p InstallPlan<'p>,
    steps: Vec<InstallStep<'p>>,
    /// The paths that need no further steps.
    done: BTreeSet<&'p str>,
}

impl<'p> Order<'p> {
    /// Adds the writes that `which` selects and that are still to be done.
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
            });
        }
    }

    /// Adds the removals that `which` selects and that are still to be done.
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
        }));
    }

    fn lead(&mut self, entries: &'p [StagedEntry]) {
        self.steps.extend(entries.iter().map(|staged| match &staged.entry {
            TreeEntry::Link(_) => InstallStep::Lead { staged: staged.name(), path: &staged.path },
            entry => InstallStep::Put { staged: staged.name(), path: &staged.path, entry },
        }));
    }

    fn unlink(&mut self, paths: &'p [String]) {
        self.steps.extend(paths.iter().map(|path| InstallStep::Remove { path, directory: false }));
    }
}
