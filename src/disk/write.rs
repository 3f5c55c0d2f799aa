use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use super::error::OutputError;
use super::ground::{DIRECTORY_MODE, Ground, STAGING, file_mode};
use super::place::Prune;
use super::plan::{InTheWay, Plan};
use super::receipt::{RECEIPT, Receipt};
use crate::tree::{SourceTree, TreeEntry};

/// What an installation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// How many files, links and directories were written.
    pub written: usize,
    /// How many were removed.
    pub removed: usize,
    /// How many were there already, just so.
    pub unchanged: usize,
    /// The services whose definitions were removed.
    pub removed_services: Vec<String>,
    /// The services whose definitions the tree does not have and that lie there still, as [`Prune::Later`] asks.
    pub postponed: Vec<String>,
    /// Other people's files in directories that would have been removed; both are still there. Paths are relative to
    /// the root.
    pub kept: Vec<String>,
}

/// Makes the files on `ground` equal to `tree`; the caller holds the lock.
pub(super) fn install_locked(
    ground: &Ground,
    tree: &SourceTree,
    prune: Prune,
) -> Result<Installed, OutputError> {
    let plan = Plan::new(ground, tree, prune)?;
    refuse_foreign(&plan)?;
    let staging = ground.beside(STAGING);
    let discard = || remove(&staging).map_err(|error| OutputError::system("remove", &staging, &error));
    if plan.stale_staging {
        discard()?;
    }
    if !plan.is_done() {
        if let Err(error) = stage(ground, &plan, &staging).and_then(|()| publish(ground, &plan, &staging)) {
            // What made the build fail may make this fail as well; the next build does it then.
            let _ = remove(&staging);
            return Err(error);
        }
        discard().map_err(OutputError::partly)?;
    }
    let prefix = format!("{}/", ground.definitions);
    let service = |path: &str| path.strip_prefix(&prefix)?.strip_suffix("/type").map(str::to_owned);
    Ok(Installed {
        written: plan.writes.len() + plan.modes.len(),
        removed: plan.left_over.len(),
        unchanged: plan.unchanged,
        removed_services: plan.left_over.iter().rev().filter_map(|(path, _)| service(path)).collect(),
        postponed: plan.postponed,
        kept: plan.kept,
    })
}

pub(super) fn refuse_foreign(plan: &Plan) -> Result<(), OutputError> {
    if plan.foreign.is_empty() { Ok(()) } else { Err(OutputError::Foreign(plan.foreign.clone())) }
}

/// Completes everything that is new, where nobody looks, so that a refusal shows before anything has changed.
///
/// Nothing is synced: an image layer is read back from the page cache, and after a power cut it is built again.
fn stage(ground: &Ground, plan: &Plan, staging: &Path) -> Result<(), OutputError> {
    for path in plan.parents_of_changes() {
        let path = ground.path(path);
        match rustix::fs::access(&path, Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => return Err(OutputError::system("change", &path, &errno.into())),
        }
    }
    make_directory(staging).map_err(|error| OutputError::system("make", staging, &error))?;
    let receipts = [("old", &plan.old), ("union", &plan.old.union(&plan.new)), (RECEIPT, &plan.new)];
    for (name, receipt) in receipts {
        let entry = TreeEntry::File { content: receipt.text().into_bytes(), executable: false };
        create(&staging.join(name), &entry)
            .map_err(|error| OutputError::system("write", &ground.beside(RECEIPT), &error))?;
    }
    for (number, (path, entry, _)) in plan.writes.iter().enumerate() {
        create(&staging.join(number.to_string()), entry)
            .map_err(|error| OutputError::system("write", &ground.path(path), &error))?;
    }
    Ok(())
}

/// Puts everything into place. The receipt names old and new while this lasts, so that a build after a kill knows both.
fn publish(ground: &Ground, plan: &Plan, staging: &Path) -> Result<(), OutputError> {
    let receipt = ground.beside(RECEIPT);
    let put_receipt = |name: &str| {
        fs::rename(staging.join(name), &receipt)
            .map_err(|error| OutputError::system("write", &receipt, &error))
    };
    let union: Receipt = plan.old.union(&plan.new);
    let announced = union != plan.old || !plan.has_receipt;
    if announced {
        put_receipt("union")?;
    }
    let mut progress = Progress { made: Vec::new(), irrevocable: false };
    if let Err(error) = replace_and_prune(ground, plan, staging, &mut progress) {
        if progress.irrevocable {
            return Err(error.partly());
        }
        undo(&progress.made);
        let restored = match (announced, plan.has_receipt) {
            (false, _) => true,
            (true, true) => put_receipt("old").is_ok(),
            (true, false) => remove(&receipt).is_ok(),
        };
        return Err(if restored { error } else { error.partly() });
    }
    if union != plan.new {
        put_receipt(RECEIPT).map_err(OutputError::partly)?;
    }
    Ok(())
}

/// How far a build went: new directories can be taken away again, everything else is there to stay.
struct Progress {
    made: Vec<PathBuf>,
    irrevocable: bool,
}

fn replace_and_prune(
    ground: &Ground,
    plan: &Plan,
    staging: &Path,
    progress: &mut Progress,
) -> Result<(), OutputError> {
    let remove_owned = |path: &Path, directory: bool| {
        let removed = if directory { fs::remove_dir(path) } else { fs::remove_file(path) };
        removed.map_err(|error| OutputError::system("remove", path, &error))
    };
    for path in &plan.modes {
        let path = ground.path(path);
        fs::set_permissions(&path, Permissions::from_mode(DIRECTORY_MODE))
            .map_err(|error| OutputError::system("set the permissions of", &path, &error))?;
    }
    let mut left_over: Vec<_> = plan.left_over.iter().map(|(path, dir)| (ground.path(path), *dir)).collect();
    for (number, (path, entry, in_the_way)) in plan.writes.iter().enumerate() {
        let path = ground.path(path);
        let simple = **entry == TreeEntry::Directory && *in_the_way == InTheWay::Nothing;
        progress.irrevocable |= !simple;
        match in_the_way {
            InTheWay::Nothing => {}
            InTheWay::Leaf => remove_owned(&path, false)?,
            InTheWay::Directory => {
                for (inside, directory) in left_over.extract_if(.., |(other, _)| other.starts_with(&path)) {
                    remove_owned(&inside, directory)?;
                }
                remove_owned(&path, true)?;
            }
        }
        put(&staging.join(number.to_string()), &path, entry)
            .map_err(|error| OutputError::system("write", &path, &error))?;
        if simple {
            progress.made.push(path);
        }
    }
    progress.irrevocable |= !left_over.is_empty();
    left_over.iter().try_for_each(|(path, directory)| remove_owned(path, *directory))
}

/// Renames what was staged into place. A directory is only ever renamed while it is new and empty: one of a lower
/// overlay layer cannot be.
fn put(staged: &Path, path: &Path, entry: &TreeEntry) -> io::Result<()> {
    match fs::rename(staged, path) {
        Err(_) if *entry == TreeEntry::Directory => make_directory(path),
        // Another file system is mounted on the way, or on the file itself.
        Err(error) if matches!(error.kind(), ErrorKind::CrossesDevices | ErrorKind::ResourceBusy) => {
            let over = matches!(entry, TreeEntry::File { .. })
                && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
            if over {
                let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
                return fill(&mut file, entry);
            }
            remove(path)?;
            create(path, entry)
        }
        result => result,
    }
}

fn create(path: &Path, entry: &TreeEntry) -> io::Result<()> {
    match entry {
        TreeEntry::Directory => make_directory(path),
        TreeEntry::Link(target) => symlink(target, path),
        TreeEntry::File { .. } => {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            fill(&mut file, entry)
        }
    }
}

fn fill(file: &mut File, entry: &TreeEntry) -> io::Result<()> {
    if let TreeEntry::File { content, executable } = entry {
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(file_mode(*executable)))?;
    }
    Ok(())
}

/// Makes a directory with our permissions, whatever the umask.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    let opened = fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE));
    opened.inspect_err(|_| undo(&[path.to_owned()]))
}

/// Takes away directories that a failed build made, as far as they are still empty.
pub(super) fn undo(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

/// Removes whatever is there, if anything is.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
