use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};

/// Why the output was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputError {
    /// The system did not let us.
    Refused(Refusal),
    /// Somebody else's files are where ours should go; nothing was written.
    Foreign(Vec<Foreign>),
    /// What shall be made new is there already.
    Exists(PathBuf),
}

/// What the system refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was attempted, as it follows "cannot".
    pub doing: &'static str,
    /// What it was attempted on.
    pub path: PathBuf,
    /// The system's reason.
    pub reason: String,
    /// What to do about it, where that is known.
    pub help: Option<&'static str>,
    /// Whether some of the output was already replaced; the next build completes it.
    pub partly: bool,
    /// The system's kind of error, if it was one of its own.
    pub kind: Option<ErrorKind>,
}

/// Something that is not ours in a place where we want to write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign {
    /// The path, with the root.
    pub path: PathBuf,
    /// The service whose definition it is, if it is one.
    pub service: Option<String>,
}

impl OutputError {
    /// The refusal of a system call.
    pub(super) fn system(doing: &'static str, path: &Path, error: &io::Error) -> Self {
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
        OutputError::Refused(Refusal { doing, path, reason: reason(error), help, partly: false, kind })
    }

    /// The refusal of a directory that was to be read.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        OutputError::system("read", path, error)
    }

    /// A refusal of our own.
    pub(super) fn refused(doing: &'static str, path: &Path, reason: impl Into<String>) -> Self {
        let (path, reason) = (path.to_owned(), reason.into());
        OutputError::Refused(Refusal { doing, path, reason, help: None, partly: false, kind: None })
    }

    /// Says what to do about a refusal.
    pub(super) fn help(mut self, text: &'static str) -> Self {
        if let OutputError::Refused(refusal) = &mut self {
            refusal.help = Some(text);
        }
        self
    }

    /// The same error, from a time when some of the output was already replaced.
    pub(super) fn partly(mut self) -> Self {
        if let OutputError::Refused(refusal) = &mut self {
            refusal.partly = true;
        }
        self
    }

    /// What to tell people: one diagnostic per refusal and per path that is in the way.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            OutputError::Refused(refusal) => {
                let after = match refusal.partly {
                    true => "a part of the output is new already; the next build completes it",
                    false => "nothing was changed",
                };
                let message =
                    format!("cannot {} `{}`: {}", refusal.doing, refusal.path.display(), refusal.reason);
                let help = refusal.help.map(str::to_owned);
                vec![Diagnostic::new(Code::OutputRefused, message).note(after).maybe_help(help)]
            }
            OutputError::Foreign(list) => list.iter().map(Foreign::diagnostic).collect(),
            OutputError::Exists(path) => {
                let message = format!("`{}` exists already", path.display());
                let problem = Diagnostic::new(Code::ForeignFile, message).note("it was left as it is");
                vec![problem.help("name another file, or remove this one")]
            }
        }
    }
}

impl OutputError {
    /// The same for people who change a system that runs, where nothing is built.
    pub fn live_diagnostics(&self) -> Vec<Diagnostic> {
        let kind = match self {
            OutputError::Refused(refusal) => refusal.kind,
            _ => None,
        };
        let help = match kind {
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => Some("make room there and try again"),
            Some(ErrorKind::ReadOnlyFilesystem) => {
                Some("mount it writable; a container whose root is read-only cannot keep what is added")
            }
            Some(ErrorKind::PermissionDenied) => Some("call it as root, or as the owner of that place"),
            _ => None,
        };
        let adapt = |mut problem: Diagnostic| {
            if help.is_some() {
                problem.help = help.map(str::to_owned);
            }
            let told = problem.help.iter_mut().chain(&mut problem.notes);
            told.for_each(|text| {
                *text = text.replace("the next build completes", "the next `s6gen apply` completes");
                *text = text.replace("before building", "before `s6gen apply`");
            });
            problem
        };
        self.diagnostics().into_iter().map(adapt).collect()
    }
}

impl Foreign {
    fn diagnostic(&self) -> Diagnostic {
        let path = self.path.display();
        match &self.service {
            Some(service) => Diagnostic::new(
                Code::ForeignDefinition,
                format!("service `{service}` is already defined by `{path}`, which s6gen did not make"),
            )
            .note("nothing was written")
            .help(format!("rename one of the two, or remove `{path}` before building")),
            None => Diagnostic::new(
                Code::ForeignFile,
                format!("`{path}` is in the way, and s6gen did not make it"),
            )
            .note("nothing was written")
            .help(format!("move `{path}` away, or remove it")),
        }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<_> = self.diagnostics().into_iter().map(|d| d.message).collect();
        f.write_str(&messages.join("\n"))
    }
}

impl std::error::Error for OutputError {}

/// The system's words for an error, without the number and fit for the middle of a sentence.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
