//! The file `.s6gen-lints.toml`, which has the levels for a tree. It stands in the directory of the tree, beside it, or in a
//! directory above it.

use std::path::Path;

use crate::diagnostic::{Files, Problems};
use crate::disk;
use crate::manifest::{self, ManifestText, TextTable};

/// Its name.
const NAME: &str = ".s6gen-lints.toml";
/// How many directories above a tree are searched.
const MOST_LEVELS: usize = 8;

/// The levels for a tree. The search ends at the current directory or the root of a git repository.
pub(in crate::jobs) fn for_tree(
    tree: &Path,
    files: &mut Files,
    problems: &mut Problems,
) -> TextTable<ManifestText> {
    let Ok(real) = disk::real_path(tree) else { return TextTable::default() };
    let (current, _) = disk::repository();
    for folder in real.ancestors().take(MOST_LEVELS) {
        let path = folder.join(NAME);
        if disk::is_there(&path) {
            return match disk::read_included(&path) {
                Ok(content) => {
                    let file = files.add(disk::shown(&path), content.text);
                    manifest::parse_lints(files, file, problems)
                }
                Err(problem) => {
                    problems.push(*problem);
                    TextTable::default()
                }
            };
        }
        if folder == current || disk::is_there(&folder.join(".git")) {
            break;
        }
    }
    TextTable::default()
}
