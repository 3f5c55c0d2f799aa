//! Finds the Dockerfiles that put a tree into an image, and the files beside them.

use std::path::Path;

use crate::disk::{self, SourceDirectory};
use crate::model::BuildContext;
use crate::source::Directory;

/// How many directories above a tree are searched.
const MOST_LEVELS: usize = 8;
/// How many bytes of a file are read. Dockerfiles that people write are shorter.
const LONGEST: usize = 256 << 10;
/// The ends of names of files beside a Dockerfile that may contain commands for the container.
const COMMAND_FILES: &[&[u8]] = &[b".yaml", b".yml", b".sh"];

/// The files of the nearest directory above `tree` that has a Dockerfile. The search ends at the root of a git repository.
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
    BuildContext::default()
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
