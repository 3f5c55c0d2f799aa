use std::collections::BTreeSet;

use super::ground::Ground;
use super::plan::{InTheWay, Plan, Write};
use super::switch::{Piece, Switch};
use crate::tree::TreeEntry;

/// One change of one file, link or directory.
pub(super) enum Step<'p> {
    /// Gives a directory our permissions.
    Mode { path: &'p str },
    /// Moves an entry from under its name in the staging directory.
    Put { staged: String, path: &'p str, entry: &'p TreeEntry },
    /// The same as long as it is one rename; where a mount is in the way the file changes a moment later.
    Lead { staged: String, path: &'p str },
    /// Removes what is ours.
    Remove { path: &'p str, directory: bool },
}

/// Everything that `plan` says, in an order in which what `/init` finds at any moment compiles.
///
/// What it does not see yet comes first and what it no longer sees last. Between the two lies one step if there is a
/// switch, or nothing else that it sees changes; else it has nothing yet, or finds the definitions without links, and
/// then there is a time between old and new.
pub(super) fn steps<'p>(ground: &Ground, plan: &'p Plan, switch: Option<&'p Switch>) -> Vec<Step<'p>> {
    let handled = switch.map(Switch::handled).unwrap_or_default();
    let seen = |path: &str| switch.is_some_and(|switch| switch.is_seen(ground, path));
    let mut order = Order { plan, steps: Vec::new(), done: handled };

    for path in &plan.modes {
        order.steps.push(Step::Mode { path });
    }
    let is_directory = |write: &Write| *write.entry == TreeEntry::Directory;
    let stays =
        |path: &str| ground.definition_of(path).is_some_and(|name| plan.wants_definition(ground, name));
    order.write(|write| {
        !seen(&write.path) && (is_directory(write) || ground.definition_of(&write.path).is_some())
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
    order.remove(|path, directory| !directory && ground.definition_of(path).is_none());
    order.remove(|_, _| true);
    order.steps
}

struct Order<'p> {
    plan: &'p Plan<'p>,
    steps: Vec<Step<'p>>,
    /// The paths that need no more steps.
    done: BTreeSet<&'p str>,
}

impl<'p> Order<'p> {
    /// Writes of what is left to write what `which` chooses.
    fn write(&mut self, which: impl Fn(&Write) -> bool) {
        for (number, write) in self.plan.writes.iter().enumerate() {
            if !which(write) || !self.done.insert(&write.path) {
                continue;
            }
            match write.in_the_way {
                InTheWay::Nothing => {}
                InTheWay::Leaf => self.steps.push(Step::Remove { path: &write.path, directory: false }),
                InTheWay::Directory => {
                    let inside = format!("{}/", write.path);
                    self.remove(|path, _| path.starts_with(&inside));
                    self.steps.push(Step::Remove { path: &write.path, directory: true });
                }
            }
            self.steps.push(Step::Put { staged: number.to_string(), path: &write.path, entry: write.entry });
        }
    }

    /// Removes of what is left to remove what `which` chooses.
    fn remove(&mut self, which: impl Fn(&str, bool) -> bool) {
        for (path, directory) in &self.plan.left_over {
            if which(path, *directory) && self.done.insert(path) {
                self.steps.push(Step::Remove { path, directory: *directory });
            }
        }
    }

    fn put(&mut self, pieces: &'p [Piece]) {
        self.steps.extend(pieces.iter().map(|piece| Step::Put {
            staged: piece.staged(),
            path: &piece.path,
            entry: &piece.entry,
        }));
    }

    fn lead(&mut self, pieces: &'p [Piece]) {
        self.steps.extend(pieces.iter().map(|piece| match &piece.entry {
            TreeEntry::Link(_) => Step::Lead { staged: piece.staged(), path: &piece.path },
            entry => Step::Put { staged: piece.staged(), path: &piece.path, entry },
        }));
    }

    fn unlink(&mut self, paths: &'p [String]) {
        self.steps.extend(paths.iter().map(|path| Step::Remove { path, directory: false }));
    }
}
