//! Opens directories under the paths that they have in an image, as `/init` finds them.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk::{self, SourceDirectory};
use crate::image;
use crate::model::{System, Version};
use crate::source::{Mount, Union};

/// The directory from which s6-overlay reads the services of an image.
const OVERLAY: &str = "/etc/s6-overlay";
/// The directories in it that hold definitions.
const PARTS: [&str; 2] = ["s6-rc.d", "user-bundles.d"];

/// Opens the root of a container's file system.
pub(super) fn open_root(root: &Path) -> io::Result<Union<SourceDirectory>> {
    Union::new(vec![Mount::new("/", root, SourceDirectory::open(root)?)])
}

/// Whether the file system `root` has an s6-overlay of any version.
pub(super) fn has_overlay(root: &Path) -> bool {
    match find_overlay(root) {
        Some(Ok(_)) => true,
        Some(Err(problem)) => problem.code != Code::OverlayNotFound,
        None => false,
    }
}

/// The version of the s6-overlay in the file system `root`. `None` if it has none, or one that s6gen does not know.
pub(super) fn overlay_version(root: &Path) -> Option<Version> {
    find_overlay(root)?.ok().map(System::version)
}

fn find_overlay(root: &Path) -> Option<Result<System, Box<Diagnostic>>> {
    Some(image::system(&open_root(root).ok()?, &mut Files::default()))
}

/// The directories with definitions in `path`, if it is an s6-overlay directory.
pub(super) fn overlay_parts(path: &Path) -> Vec<PathBuf> {
    PARTS.iter().map(|name| path.join(name)).filter(|part| disk::is_directory(part)).collect()
}

/// The s6-overlay directory of a tree: the tree itself or the directory above it. `None` for other definitions.
pub(super) fn overlay_directory(path: &Path) -> Option<PathBuf> {
    if PARTS.iter().any(|name| disk::is_there(&path.join(name))) {
        return Some(path.to_owned());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    path.file_name().is_some_and(|name| name == PARTS[0]).then(|| parent.to_owned())
}

/// The directory that is the root of the image, if `path` ends with the path of the s6-overlay directory.
fn root_above(path: &Path) -> Option<&Path> {
    let is_overlay = path.ends_with(OVERLAY.trim_start_matches('/'));
    let root = path.parent().filter(|_| is_overlay)?.parent()?;
    // The root of this system has more than the image, such as /proc.
    (root != Path::new("/")).then_some(root)
}

/// Mounts a tree at its path in the image. A tree that contains `s6-rc.d` or `user-bundles.d` is the s6-overlay directory. A
/// tree with the name `s6-rc.d` is in the s6-overlay directory. Any other tree takes the place of `s6-rc.d`.
pub(super) fn mount(path: &Path) -> io::Result<Mount<SourceDirectory>> {
    let directory = SourceDirectory::open(path)?;
    Ok(match overlay_directory(path) {
        Some(whole) => {
            let here = Path::new(".");
            // The tree may have other files of the image as well, such as the scripts that its definitions run.
            let (at, path) = match root_above(&whole) {
                Some(root) => ("/", root),
                None => (OVERLAY, whole.as_path()),
            };
            let opened = SourceDirectory::open(if path.as_os_str().is_empty() { here } else { path })?;
            Mount::new(at, path, opened)
        }
        None => Mount::new(&format!("{OVERLAY}/{}", PARTS[0]), path, directory),
    })
}
