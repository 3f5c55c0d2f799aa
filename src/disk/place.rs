use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Foreign, OutputError};
use super::files::{make_directories, undo};
use super::ground::{Found, Ground, State};
use super::lock::{Lock, lock_opened};
use super::plan::{Difference, Plan};
use super::write::{Installed, install_locked, refuse_foreign};
use crate::tree::SourceTree;

/// How long a build waits for another one in the same place.
const PATIENCE: Duration = Duration::from_secs(10);

/// When the definitions go that the tree no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune {
    /// At once.
    Now,
    /// With a later installation. Until then they lie where they were, and only `/init` does not see them any more: a
    /// running system still needs the scripts of what it has yet to stop. Definitions that `/init` finds without a
    /// link cannot be hidden and go at once.
    Later,
}

/// A directory of definitions below a root, to ourselves until this is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    ground: Ground<'a>,
    /// The directories that the lock had to make.
    made: Vec<PathBuf>,
    _lock: Lock,
}

impl<'a> Place<'a> {
    /// Waits until no other build works in `definitions`, the directory of the definitions in the image, for example
    /// `/etc/s6-overlay/sv`; the receipt lies in it.
    ///
    /// # Errors
    /// The directory cannot be made or opened, or another build does not end.
    pub fn lock(root: &'a Path, definitions: &str) -> Result<Self, OutputError> {
        let ground = Ground::new(root, definitions)?;
        let mut made = Vec::new();
        match lock(&ground.path(&ground.definitions), &mut made) {
            Ok(lock) => Ok(Place { ground, made, _lock: lock }),
            Err(error) => {
                undo(&made);
                Err(error)
            }
        }
    }

    /// Says how the files differ from `tree`, by path. Nothing differs exactly when an installation that prunes now
    /// would write nothing.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn compare(&self, tree: &SourceTree) -> Result<Vec<Difference>, OutputError> {
        Ok(Plan::new(&self.ground, tree, Prune::Now)?.differences(&self.ground))
    }

    /// Looks what there is to do so that the files equal `tree`; the place stays locked until it is done, or dropped.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn prepare<'t>(self, tree: &'t SourceTree, prune: Prune) -> Result<Prepared<'a, 't>, OutputError> {
        let plan = Plan::new(&self.ground, tree, prune)?;
        Ok(Prepared { place: self, plan })
    }

    /// Makes the files equal to `tree`.
    ///
    /// # Errors
    /// Either the old files are still there, or the error says that they were partly replaced; whenever it ends, even
    /// killed, the next installation completes the work.
    pub fn install(&self, tree: &SourceTree, prune: Prune) -> Result<Installed, OutputError> {
        install_locked(&self.ground, Plan::new(&self.ground, tree, prune)?)
    }
}

/// An installation that was looked into, and not begun.
pub struct Prepared<'a, 't> {
    place: Place<'a>,
    plan: Plan<'t>,
}

impl<'a> Prepared<'a, '_> {
    /// Looks what there is to do for another tree.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn with<'t>(self, tree: &'t SourceTree, prune: Prune) -> Result<Prepared<'a, 't>, OutputError> {
        self.place.prepare(tree, prune)
    }

    /// How the files differ from the tree, by path, but for definitions that go later.
    pub fn differences(&self) -> Vec<Difference> {
        self.plan.differences(&self.place.ground)
    }

    /// Whether definitions are left that go later.
    pub fn postpones(&self) -> bool {
        !self.plan.postponed.is_empty()
    }

    /// Does it.
    ///
    /// # Errors
    /// As for [`Place::install`].
    pub fn install(self) -> Result<Installed, OutputError> {
        install_locked(&self.place.ground, self.plan)
    }
}

impl Drop for Place<'_> {
    /// Where nothing was written no empty directory stays.
    fn drop(&mut self) {
        undo(&self.made);
    }
}

/// Says how the files below `root` differ from `tree`, as [`Place::compare`], but for permissions that make no difference,
/// and takes no lock: it writes nothing and needs no right to.
///
/// # Errors
/// Something cannot be read.
pub fn compare(tree: &SourceTree, root: &Path, definitions: &str) -> Result<Vec<Difference>, OutputError> {
    let ground = Ground::new(root, definitions)?;
    let mut differences = Plan::new(&ground, tree, Prune::Now)?.differences(&ground);
    differences.retain(|difference| difference.state != State::Mode);
    Ok(differences)
}

/// Refuses the name of a new service if somebody else has a definition of it in `definitions`, or something in `linked`,
/// where the link to ours would be. The next installation would refuse it with everything else.
///
/// # Errors
/// The name is taken, or that cannot be found out.
pub fn refuse_taken(
    root: &Path,
    definitions: &str,
    linked: Option<&str>,
    name: &str,
) -> Result<(), OutputError> {
    let ground = Ground::new(root, definitions)?;
    let receipt = ground.receipt()?.unwrap_or_default();
    let definition = ground.definition(name);
    let linked = linked.map(|place| format!("{}/{name}", place.trim_matches('/')));
    let linked = linked.filter(|path| *path != definition);
    for (path, shows) in [(&definition, format!("{definition}/type"))]
        .into_iter()
        .chain(linked.as_ref().map(|path| (path, path.clone())))
    {
        let is_there = !matches!(ground.look(&shows)?, Found::Nothing);
        if is_there && !receipt.owns(&shows, false) {
            let service = Some(name.to_owned());
            return Err(OutputError::Foreign(vec![Foreign { path: ground.path(path), service }]));
        }
    }
    Ok(())
}

/// Makes the files below `root` equal to `tree`, as [`Place::install`], in one step.
///
/// # Errors
/// As for [`Place::lock`] and [`Place::install`].
pub fn install(tree: &SourceTree, root: &Path, definitions: &str) -> Result<Installed, OutputError> {
    let ground = Ground::new(root, definitions)?;
    let directory = ground.path(&ground.definitions);
    if !directory.is_dir() {
        // Also the directory that the lock needs is not made where nothing may be written.
        let plan = Plan::new(&ground, tree, Prune::Now).and_then(|plan| refuse_foreign(&plan));
        // If it is there now, another build is at work: what that one has made so far is not foreign.
        if !directory.is_dir() {
            plan?;
        }
    }
    Place::lock(root, definitions)?.install(tree, Prune::Now)
}

/// Locks the directory of definitions, which it makes if need be; whoever fails removes what is in `made`.
fn lock(directory: &Path, made: &mut Vec<PathBuf>) -> Result<Lock, OutputError> {
    lock_opened(
        directory,
        PATIENCE,
        || {},
        || {
            loop {
                make_directories(directory, made)?;
                match File::open(directory) {
                    // A build that failed meanwhile has taken it away again.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    opened => return opened.map_err(|error| OutputError::system("lock", directory, &error)),
                }
            }
        },
    )
}
