//! Where output goes: the places that supervisord knows, as places of the manifest.

use super::text::{Texts, clean_path};
use crate::manifest::draft::DraftValue;
use crate::supervisord::{Expanded, Logfile, OutputOptions, Piece, Setting};

/// Where output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// The container's log. `is_new` if supervisord wrote a file of its own.
    Container { is_new: bool },
    /// Nowhere.
    Discard,
    /// The log of the system.
    Syslog,
    /// This path in the manifest.
    Path(String),
    /// What this variable says: a path, or a word of supervisord.
    Variable(String),
}

/// Paths that lead to the container's log, because supervisord hands on its own output.
const CONTAINER: &[&str] = &[
    "/dev/stdout",
    "/dev/stderr",
    "/dev/fd/1",
    "/dev/fd/2",
    "/proc/1/fd/1",
    "/proc/1/fd/2",
    "/proc/self/fd/1",
    "/proc/self/fd/2",
    "/dev/tty",
    "/dev/console",
];

/// The smallest and the largest file that s6-log makes.
pub(super) const SMALLEST: i64 = 4096;
pub(super) const LARGEST: i64 = 255 << 20;

pub(super) fn destination_is_file(logfile: &Logfile) -> bool {
    matches!(logfile, Logfile::Path(path) if path.text().is_none_or(|path| !CONTAINER.contains(&path.as_str())))
}

pub(super) fn destination(output: &OutputOptions, texts: &mut Texts) -> Destination {
    let is_syslog = output.syslog == Setting::Known(true);
    match &output.logfile {
        Logfile::None | Logfile::Automatic if is_syslog => Destination::Syslog,
        Logfile::Automatic => Destination::Container { is_new: true },
        Logfile::None => Destination::Discard,
        Logfile::Path(Expanded(pieces)) if matches!(pieces[..], [Piece::Variable(_)]) => {
            let name = texts.text(&Expanded(pieces.clone()));
            Destination::Variable(name.trim_start_matches("${").trim_end_matches('}').to_owned())
        }
        Logfile::Path(path) => match path.text().as_deref() {
            Some(path) if CONTAINER.contains(&path) => Destination::Container { is_new: false },
            Some("/dev/null") => Destination::Discard,
            // A terminal or another device, or no file at all.
            Some(path)
                if path.starts_with("/dev/") && !path.starts_with("/dev/shm/") || path.ends_with('/') =>
            {
                Destination::Container { is_new: true }
            }
            _ => Destination::Path(absolute(texts.text(path), texts)),
        },
    }
}

/// A relative path is relative to the directory of supervisord.
fn absolute(path: String, texts: &Texts) -> String {
    let path = clean_path(&path);
    match path.starts_with(['/', '$']) {
        true => path,
        false => format!("{}/{path}", texts.directory.trim_end_matches('/')),
    }
}

/// The directory for a file, and whether a link can have the name of the file.
pub(super) fn directory(path: &str) -> (String, bool) {
    let (above, last) = path.rsplit_once('/').unwrap_or(("", path));
    if last.starts_with('-') {
        return directory(&format!("{above}/log{last}"));
    }
    match path.strip_suffix(".log") {
        // The name of a directory of logs cannot be a value alone.
        Some(directory)
            if directory.ends_with('}')
                && directory.rsplit('/').next().is_some_and(|last| last.starts_with("${")) =>
        {
            let (above, last) = directory.rsplit_once('/').unwrap_or(("", directory));
            (format!("{above}/log-{last}"), true)
        }
        Some(directory) if !directory.ends_with('/') => (directory.to_owned(), true),
        _ => (format!("{path}.d"), false),
    }
}

/// A number of bytes as a size of the manifest.
pub(super) fn bytes(size: i64) -> DraftValue {
    let text = match size {
        size if size > 0 && size % (1 << 20) == 0 => format!("{}MB", size >> 20),
        size if size > 0 && size % (1 << 10) == 0 => format!("{}KB", size >> 10),
        size => size.to_string(),
    };
    DraftValue::Text(text)
}
