//! Finds the Dockerfiles that put a tree into an image, and the files beside them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, SourceDirectory};
use crate::model::BuildContext;
use crate::source::{Directory, EntryKind};

/// How many directories above a tree are searched.
const MOST_LEVELS: usize = 8;
/// How many directories beside a tree are searched.
const MOST_BESIDE: usize = 100;
/// How many bytes of a file are read. Dockerfiles that people write are shorter.
const LONGEST: usize = 256 << 10;
/// The ends of names of files beside a Dockerfile that may contain commands for the container.
const COMMAND_FILES: &[&[u8]] = &[b".yaml", b".yml", b".sh"];

/// The files of the nearest directory above `tree` that has a Dockerfile, or else the Dockerfiles beside it. The search ends at
/// the root of a git repository.
pub(super) fn build_context(tree: &Path) -> BuildContext {
    let Ok(tree) = disk::real_path(tree) else { return BuildContext::default() };
    for folder in tree.ancestors().skip(1).take(MOST_LEVELS) {
        let found = read(folder);
        if !found.dockerfiles.is_empty() {
            return found;
        }
        if disk::is_there(&folder.join(".git")) {
            break;
        }
    }
    build_context_beside(&tree).unwrap_or_default()
}

/// The files of the directories beside the one that becomes the root of the image: `variants/small/Dockerfile` may copy
/// `common/`. Only a Dockerfile that names this directory counts.
fn build_context_beside(tree: &Path) -> Option<BuildContext> {
    let etc = tree.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "etc"))?;
    let root = etc.parent().filter(|root| !disk::is_there(&root.join(".git")))?;
    let name = root.file_name()?.to_str()?;
    let beside = directories(root.parent()?);
    let below = beside.iter().flat_map(|folder| directories(folder));
    let all: Vec<PathBuf> = beside.iter().cloned().chain(below).take(MOST_BESIDE).collect();
    let mut found = BuildContext::default();
    for mut read in all.iter().filter(|folder| *folder != root).map(|folder| read(folder)) {
        read.dockerfiles.retain(|dockerfile| copies(dockerfile, name));
        found.dockerfiles.append(&mut read.dockerfiles);
    }
    Some(found)
}

/// Whether a Dockerfile copies something from a directory of this name.
fn copies(dockerfile: &str, name: &str) -> bool {
    let is_copy = |line: &&str| line.starts_with("COPY ") || line.starts_with("ADD ");
    let mut sources = dockerfile.lines().map(str::trim).filter(is_copy).flat_map(str::split_whitespace);
    sources.any(|word| word.split('/').any(|part| part == name))
}

/// The directories in a directory.
fn directories(folder: &Path) -> Vec<PathBuf> {
    let Ok(mut directory) = SourceDirectory::open(folder) else { return Vec::new() };
    let entries = directory.list().unwrap_or_default().into_iter();
    let folders =
        entries.filter(|entry| directory.kind(&entry.name).is_ok_and(|kind| kind == EntryKind::Directory));
    folders.map(|entry| folder.join(OsStr::from_bytes(&entry.name))).take(MOST_BESIDE).collect()
}

fn read(folder: &Path) -> BuildContext {
    let Ok(mut folder) = SourceDirectory::open(folder) else { return BuildContext::default() };
    let mut found = BuildContext::default();
    for entry in folder.list().unwrap_or_default() {
        let name = entry.name.to_ascii_lowercase();
        let is_dockerfile =
            name.windows(10).any(|part| part == b"dockerfile") || name.starts_with(b"containerfile");
        let list = match is_dockerfile {
            true => &mut found.dockerfiles,
            false if COMMAND_FILES.iter().any(|end| name.ends_with(end)) => &mut found.scripts,
            false => continue,
        };
        let text = folder.read(&entry.name, LONGEST).unwrap_or_default();
        list.push(String::from_utf8_lossy(&text).into_owned());
    }
    found
}
