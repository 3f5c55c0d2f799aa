//! Baselines: files with the findings that a project already has, so that a check reports only new ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::JobError;
use super::levels::can_change;
use crate::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use crate::disk;
use crate::report::{Repository, identity};

/// The findings of an earlier check. A finding is found again after its line has moved, but not after the line has changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Baseline {
    version: u32,
    findings: Vec<Finding>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// The path of the file, from the directory of the baseline.
    pub path: String,
    /// The code of the rule.
    pub code: String,
    /// The message.
    pub message: String,
    /// The number by which it is found again.
    identity: String,
}

/// The version of the file.
const VERSION: u32 = 1;

/// How many findings that are gone are named.
const MOST_GONE: usize = 20;

/// A number of findings, for people.
fn counted(count: usize) -> String {
    format!("{count} finding{}", if count == 1 { "" } else { "s" })
}

/// The place of a baseline: paths in it are relative to its directory, so that it can be used from any other one.
fn place_of(path: &Path) -> Repository {
    let (current, _) = disk::repository();
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = disk::real_path(above).unwrap_or_else(|_| current.clone());
    Repository { current, root }
}

impl Baseline {
    /// Writes the findings of a check into a new baseline and removes them from the problems. Returns a line for people.
    ///
    /// # Errors
    /// Those of [`Baseline::write`].
    pub fn record(path: &Path, problems: &mut Problems, files: &Files) -> Result<String, JobError> {
        let shown = path.display();
        if Baseline::is_incomplete(problems) {
            return Ok(format!("{shown} was not written: with errors some rules do not run"));
        }
        let place = place_of(path);
        let baseline = Baseline::of(problems, files, &place);
        baseline.write(path)?;
        let count = counted(baseline.count());
        baseline.remove_from(problems, files, &place);
        Ok(format!("{shown}: {count}; with `--baseline {shown}` only new ones are reported"))
    }

    /// Removes the problems that a baseline has. Returns what is gone from it, as lines for people.
    ///
    /// # Errors
    /// Those of [`Baseline::read`].
    pub fn subtract(path: &Path, problems: &mut Problems, files: &Files) -> Result<Vec<String>, JobError> {
        let gone = Baseline::read(path)?.remove_from(problems, files, &place_of(path));
        let named = gone.iter().take(MOST_GONE);
        let mut lines: Vec<String> = named
            .map(|finding| format!("gone: {}: {}: {}", finding.path, finding.code, finding.message))
            .collect();
        if !gone.is_empty() {
            let (count, are) = (counted(gone.len()), if gone.len() == 1 { "is" } else { "are" });
            let shown = path.display();
            lines.push(format!("{count} of {shown} {are} gone; write it anew with `--write-baseline`"));
        }
        Ok(lines)
    }

    /// The findings of a check. Errors that no level can change are left out: nothing hides them.
    pub fn of(problems: &Problems, files: &Files, repository: &Repository) -> Baseline {
        let changeable = problems.iter().filter(|problem| can_change(problem) && !problem.labels.is_empty());
        let mut findings: Vec<Finding> =
            changeable.map(|problem| Finding::of(problem, files, repository)).collect();
        findings.sort();
        Baseline { version: VERSION, findings }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// The file cannot be read, or it is not a baseline.
    pub fn read(path: &Path) -> Result<Baseline, JobError> {
        let text = disk::read_regular(path, disk::MANIFEST_LIMIT)?;
        let read = serde_json::from_slice::<Baseline>(&text)
            .map_err(|error| format!("line {} is not what `--write-baseline` writes", error.line()));
        let read = read.and_then(|read| match read.version {
            VERSION => Ok(read),
            version => Err(format!("it has version {version}, and this s6gen reads {VERSION}")),
        });
        read.map_err(|reason| {
            let message = format!("`{}` is not a baseline: {reason}", path.display());
            let help = "name the file that `--write-baseline` wrote, or restore it; if it is lost, remove this one and write it anew";
            Diagnostic::new(Code::InvalidValue, message).help(help).into()
        })
    }

    /// Writes the baseline, a line for each finding, so that a change of it can be reviewed.
    ///
    /// # Errors
    /// Something else than a baseline is at the path, or the system refuses.
    pub fn write(&self, path: &Path) -> Result<(), JobError> {
        if disk::exists(path)? {
            Baseline::read(path)
                .map_err(|error| error.note("only a baseline is replaced; nothing was written"))?;
        }
        let lines = self.findings.iter().map(|finding| serde_json::to_string(finding).unwrap_or_default());
        let lines: Vec<String> = lines.collect();
        let text = format!("{{\"version\":{VERSION},\"findings\":[\n{}\n]}}\n", lines.join(",\n"));
        Ok(disk::replace_file(path, text.as_bytes())?)
    }

    /// Whether some rules may not have run, because of an error that no level can change.
    pub fn is_incomplete(problems: &Problems) -> bool {
        problems.iter().any(|problem| problem.severity == Severity::Error && !can_change(problem))
    }

    /// The number of its findings.
    pub fn count(&self) -> usize {
        self.findings.len()
    }

    /// Removes the problems that are in the baseline, and returns its findings that are gone from the files that were read. After an
    /// error some rules did not run, so that nothing can be called gone.
    pub fn remove_from(
        self,
        problems: &mut Problems,
        files: &Files,
        repository: &Repository,
    ) -> Vec<Finding> {
        let is_incomplete = Baseline::is_incomplete(problems);
        let mut known: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in self.findings {
            known.entry(finding.identity.clone()).or_default().push(finding);
        }
        problems.retain_mut(|problem| {
            let identity = || Finding::of(problem, files, repository).identity;
            !can_change(problem)
                || problem.labels.is_empty()
                || known.get_mut(&identity()).is_none_or(|found| found.pop().is_none())
        });
        let read: BTreeSet<String> = files.iter().map(|file| repository.path(&file.path)).collect();
        let left = known.into_values().flatten();
        let mut gone: Vec<Finding> =
            left.filter(|finding| !is_incomplete && read.contains(&finding.path)).collect();
        gone.sort();
        gone
    }
}

impl Finding {
    fn of(problem: &Diagnostic, files: &Files, repository: &Repository) -> Finding {
        let path = problem.labels.first().map(|label| repository.path(files.path(label.origin.file)));
        Finding {
            path: path.unwrap_or_default(),
            code: problem.code.slug().to_owned(),
            message: problem.message.clone(),
            identity: format!("{:016x}", identity(problem, files, repository)),
        }
    }
}
