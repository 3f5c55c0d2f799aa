//! The file `.s6gen-lints.toml`, which has the levels for a tree. It stands in the directory of the tree, beside it, or in a
//! directory above it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Files, Problems};
use crate::disk;
use crate::manifest::{self, ManifestText, TextTable};

/// Its name.
const NAME: &str = ".s6gen-lints.toml";
/// How many directories above a tree are searched.
const MOST_LEVELS: usize = 8;

/// The levels for trees that are checked together. The levels of each count for all of them, and those of a later one win over the
/// same rules of an earlier one. The search ends at the current directory or the root of a git repository.
pub(in crate::jobs) fn for_trees<'t>(
    trees: impl IntoIterator<Item = &'t Path>,
    files: &mut Files,
    problems: &mut Problems,
) -> TextTable<ManifestText> {
    let mut known = BTreeSet::new();
    let mut table = TextTable::default();
    for path in trees.into_iter().filter_map(file_of) {
        if known.insert(path.clone()) {
            table.entries.extend(levels_in(&path, files, problems).entries);
        }
    }
    table
}

/// The path of the file for a tree.
fn file_of(tree: &Path) -> Option<PathBuf> {
    let real = disk::real_path(tree).ok()?;
    let (current, _) = disk::repository();
    for folder in real.ancestors().take(MOST_LEVELS) {
        let path = folder.join(NAME);
        if disk::is_there(&path) {
            return Some(path);
        }
        if folder == current || disk::is_there(&folder.join(".git")) {
            break;
        }
    }
    None
}

fn levels_in(path: &Path, files: &mut Files, problems: &mut Problems) -> TextTable<ManifestText> {
    match disk::read_included(path) {
        Ok(content) => {
            let file = files.add(disk::shown(path), content.text);
            manifest::parse_lints(files, file, problems)
        }
        Err(problem) => {
            problems.push(*problem);
            TextTable::default()
        }
    }
}
