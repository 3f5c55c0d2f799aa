//! The error of this room: what failed, on which path, and why.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};

/// Why a file or directory could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskError {
    /// The system does not allow it, or a rule of s6gen forbids it.
    Refused(DiskRefusal),
    /// A file that has to be new already exists.
    Exists(PathBuf),
}

/// An operation that failed, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskRefusal {
    /// The operation, as a verb that can follow "cannot".
    pub doing: &'static str,
    /// The path of the operation.
    pub path: PathBuf,
    /// The reason. It starts with a small letter and has no full stop, so that it can follow a colon.
    pub reason: String,
    /// What the user can do about it, if known.
    pub help: Option<&'static str>,
    /// The kind of the system's error, if the system refused.
    pub kind: Option<ErrorKind>,
}

impl DiskError {
    /// The error for a failed system call.
    pub fn system(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        let help = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some("make room there and try again"),
            ErrorKind::ReadOnlyFilesystem => Some("mount it writable, or choose another directory"),
            ErrorKind::PermissionDenied => Some("run s6gen as the owner of that directory"),
            ErrorKind::NotADirectory => Some("a file stands where a directory is needed; remove it"),
            _ => None,
        };
        let (path, kind) = (path.to_owned(), Some(error.kind()));
        DiskError::Refused(DiskRefusal { doing, path, reason: reason(error), help, kind })
    }

    /// Returns a function for `map_err` that turns the error of a system call into a `DiskError`.
    pub fn of<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |error| DiskError::system(doing, path, &error)
    }

    /// The error for something that a rule of s6gen forbids.
    pub fn refused(doing: &'static str, path: &Path, reason: impl Into<String>) -> Self {
        let (path, reason) = (path.to_owned(), reason.into());
        DiskError::Refused(DiskRefusal { doing, path, reason, help: None, kind: None })
    }

    /// Adds advice on what to do about a refusal.
    pub fn help(mut self, text: &'static str) -> Self {
        if let DiskError::Refused(refusal) = &mut self {
            refusal.help = Some(text);
        }
        self
    }

    /// The kind of the system's error, if the system refused.
    pub fn kind(&self) -> Option<ErrorKind> {
        match self {
            DiskError::Refused(refusal) => refusal.kind,
            DiskError::Exists(_) => None,
        }
    }

    /// The report for the user. It says that nothing was changed, so use it only where that is true.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            DiskError::Refused(refusal) => {
                let help = refusal.help.map(str::to_owned);
                Diagnostic::new(Code::OutputRefused, self.to_string())
                    .note("nothing was changed")
                    .maybe_help(help)
            }
            DiskError::Exists(_) => Diagnostic::new(Code::ForeignFile, self.to_string())
                .note("it was not changed")
                .help("name another file, or remove this one"),
        }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DiskError::Refused(DiskRefusal { doing, path, reason, .. }) => {
                write!(f, "cannot {doing} `{}`: {reason}", path.display())
            }
            DiskError::Exists(path) => write!(f, "`{}` already exists", path.display()),
        }
    }
}

impl std::error::Error for DiskError {}

/// The system's text for an error, without the error number and with a small first letter.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
