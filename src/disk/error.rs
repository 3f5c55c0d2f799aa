//! Why the disk refused something, with the path it refused.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};

/// Why a file or directory could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskError {
    /// The system, or one of our own rules, does not allow it.
    Refused(DiskRefusal),
    /// A file that is to be new exists already.
    Exists(PathBuf),
}

/// What was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskRefusal {
    /// What was attempted, as it follows "cannot".
    pub doing: &'static str,
    /// What it was attempted on.
    pub path: PathBuf,
    /// The reason, fit for the middle of a sentence.
    pub reason: String,
    /// What to do about it, where that is known.
    pub help: Option<&'static str>,
    /// The system's kind of error, if the system refused.
    pub kind: Option<ErrorKind>,
}

impl DiskError {
    /// The refusal of a system call.
    pub fn system(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        let help = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some("make room there and build again"),
            ErrorKind::ReadOnlyFilesystem => Some("mount it writable, or choose another place with `--root`"),
            ErrorKind::PermissionDenied => {
                Some("build as the owner of that place; in a Dockerfile, before `USER`")
            }
            ErrorKind::NotADirectory => Some("a file stands where a directory is needed; remove it"),
            _ => None,
        };
        let (path, kind) = (path.to_owned(), Some(error.kind()));
        DiskError::Refused(DiskRefusal { doing, path, reason: reason(error), help, kind })
    }

    /// Turns the error of a system call into a refusal, for `map_err`.
    pub fn of<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |error| DiskError::system(doing, path, &error)
    }

    /// A refusal of our own.
    pub fn refused(doing: &'static str, path: &Path, reason: impl Into<String>) -> Self {
        let (path, reason) = (path.to_owned(), reason.into());
        DiskError::Refused(DiskRefusal { doing, path, reason, help: None, kind: None })
    }

    /// Adds what to do about a refusal.
    pub fn help(mut self, text: &'static str) -> Self {
        if let DiskError::Refused(refusal) = &mut self {
            refusal.help = Some(text);
        }
        self
    }

    /// The system's kind of error, if the system refused.
    pub fn kind(&self) -> Option<ErrorKind> {
        match self {
            DiskError::Refused(refusal) => refusal.kind,
            DiskError::Exists(_) => None,
        }
    }

    /// The report for people, if nothing was changed before.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            DiskError::Refused(refusal) => {
                let help = refusal.help.map(str::to_owned);
                Diagnostic::new(Code::OutputRefused, self.to_string())
                    .note("nothing was changed")
                    .maybe_help(help)
            }
            DiskError::Exists(_) => Diagnostic::new(Code::ForeignFile, self.to_string())
                .note("it was left as it is")
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
            DiskError::Exists(path) => write!(f, "`{}` exists already", path.display()),
        }
    }
}

impl std::error::Error for DiskError {}

/// The system's words for an error, without the number and fit for the middle of a sentence.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
