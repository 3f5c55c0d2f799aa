//! The error of an installation: why a tree was not installed, or was installed only in part.

use std::fmt;
use std::io::ErrorKind::{self, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
use std::path::PathBuf;

use crate::diagnostic::{Code, Diagnostic};
use crate::disk::DiskError;

/// Why a tree was not installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallError {
    /// The disk refused an operation, and nothing was changed.
    Disk(DiskError),
    /// The disk refused an operation after some of the output was replaced. The next installation completes the work.
    Partly(DiskError),
    /// Files that s6gen did not make are at paths that it must write. Nothing was written.
    Foreign(Vec<ForeignPath>),
}

/// A file or directory that s6gen did not make, at a path that it must write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignPath {
    /// The path, with the root.
    pub path: PathBuf,
    /// The service that it defines, if it is a definition.
    pub service: Option<String>,
}

impl From<DiskError> for InstallError {
    fn from(error: DiskError) -> Self {
        InstallError::Disk(error)
    }
}

impl InstallError {
    /// The reports for the user: one for a refusal, or one for each path that is in the way.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let help = match self.kind() {
            Some(StorageFull | QuotaExceeded) => Some("make room there and build again"),
            Some(ReadOnlyFilesystem) => Some("mount it writable, or choose another directory with `--root`"),
            Some(PermissionDenied) => {
                Some("build as the owner of that directory; in a Dockerfile, before `USER`")
            }
            _ => None,
        };
        let advised = |error: &DiskError| {
            let problem = error.diagnostic();
            Diagnostic { help: help.map(str::to_owned).or(problem.help), ..problem }
        };
        match self {
            InstallError::Disk(error) => vec![advised(error)],
            InstallError::Partly(error) => {
                let after = "part of the output was already replaced; the next build completes it".to_owned();
                vec![Diagnostic { notes: vec![after], ..advised(error) }]
            }
            InstallError::Foreign(paths) => paths.iter().map(ForeignPath::diagnostic).collect(),
        }
    }

    /// The kind of the system's error, if the system refused.
    fn kind(&self) -> Option<ErrorKind> {
        match self {
            InstallError::Disk(error) | InstallError::Partly(error) => error.kind(),
            InstallError::Foreign(_) => None,
        }
    }

    /// The reports for a change of a running system. Their advice is not about building an image.
    pub fn live_diagnostics(&self) -> Vec<Diagnostic> {
        let help = match self.kind() {
            Some(StorageFull | QuotaExceeded) => Some("make room there and try again"),
            Some(ReadOnlyFilesystem) => {
                Some("mount it writable; a container whose root is read-only cannot keep what is added")
            }
            Some(PermissionDenied) => Some("run it as root, or as the owner of that directory"),
            _ => None,
        };
        let adapt = |mut problem: Diagnostic| {
            if help.is_some() {
                problem.help = help.map(str::to_owned);
            }
            let texts = problem.help.iter_mut().chain(&mut problem.notes);
            texts.for_each(|text| {
                *text = text.replace("the next build completes", "the next `s6gen apply` completes");
                *text = text.replace("before building", "before `s6gen apply`");
            });
            problem
        };
        self.diagnostics().into_iter().map(adapt).collect()
    }
}

impl ForeignPath {
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

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<_> = self.diagnostics().into_iter().map(|d| d.message).collect();
        f.write_str(&messages.join("\n"))
    }
}

impl std::error::Error for InstallError {}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::path::Path;

    use super::InstallError;
    use crate::disk::DiskError;

    #[test]
    fn advice_on_a_running_system_says_nothing_of_a_dockerfile() {
        for kind in [ErrorKind::PermissionDenied, ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem] {
            let refused = || DiskError::system("write", Path::new("/x"), &Error::from(kind));
            for error in [InstallError::Disk(refused()), InstallError::Partly(refused())] {
                for problem in error.live_diagnostics() {
                    let advice = format!("{:?} {:?}", problem.help, problem.notes);
                    assert!(problem.help.is_some(), "{kind}: no advice");
                    assert!(!advice.contains("Dockerfile") && !advice.contains("next build"), "{advice}");
                }
            }
        }
        let denied = DiskError::system("write", Path::new("/x"), &ErrorKind::PermissionDenied.into());
        assert!(format!("{:?}", InstallError::from(denied).diagnostics()).contains("Dockerfile"));
        // Only a build has the option.
        let read_only = DiskError::system("write", Path::new("/x"), &ErrorKind::ReadOnlyFilesystem.into());
        assert!(!format!("{:?}", read_only.diagnostic()).contains("--root"));
        assert!(format!("{:?}", InstallError::from(read_only).diagnostics()).contains("--root"));
    }
}
