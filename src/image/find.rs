//! Finds the version of the s6-overlay in an image, from its `/init`.

use super::open;
use crate::diagnostic::{Code, Diagnostic, Files, Origin};
use crate::model::System;
use crate::source::{Directory, Source};

/// The s6-overlay in the file system `root`.
///
/// # Errors
/// There is no s6-overlay, or s6gen does not know its version.
pub fn system<D: Directory>(root: &D, files: &mut Files) -> Result<System, Box<Diagnostic>> {
    let shown = root.place(b".").unwrap_or_else(|| "/".into());
    let Some(version) = version(root) else {
        let origin = Origin::whole(files.add(shown.clone(), ""));
        return Err(Box::new(
            Diagnostic::new(
                Code::OverlayNotFound,
                format!("there is no s6-overlay in `{}`", shown.display()),
            )
            .at(origin, "neither `init` nor `package/admin` in here names a version")
            .help(
                "name the root of an unpacked image; if it has an s6-overlay, name the version with `--overlay VERSION`",
            ),
        ));
    };
    System::overlay(&version).ok_or_else(|| {
        let place = shown.join(format!("package/admin/s6-overlay-{version}"));
        let origin = Origin::whole(files.add(place, ""));
        let newest = System::NEWEST_OVERLAY.version();
        Box::new(
            Diagnostic::new(Code::UnknownVersion, format!("s6gen knows no s6-overlay `{version}`"))
                .at(origin, "unknown version")
                .help(format!("to judge it as the newest known version, use `--overlay {newest}`")),
        )
    })
}

/// How many bytes of `/init` are read. It is a short script.
const LONGEST_INIT: usize = 64 << 10;

fn version<D: Directory>(root: &D) -> Option<String> {
    // An upgrade may leave several versions in one image. This line names the one that boots.
    if let Ok(init) = root.read(b"init", LONGEST_INIT)
        && let Some(version) = System::mentioned_version(&String::from_utf8_lossy(&init))
    {
        return Some(version.to_owned());
    }
    let Source { directory: Ok(mut packages), .. } = open(root, "/package/admin") else { return None };
    let entries = packages.list().ok()?;
    let mut versions = entries.iter().filter_map(|entry| {
        let version = str::from_utf8(entry.name.strip_prefix(b"s6-overlay-")?).ok()?;
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
    });
    let first = versions.next()?;
    if versions.next().is_none() {
        return Some(first);
    }
    let target = packages.link(b"s6-overlay").ok()?;
    Some(str::from_utf8(&target).ok()?.rsplit('/').next()?.strip_prefix("s6-overlay-")?.to_owned())
}
