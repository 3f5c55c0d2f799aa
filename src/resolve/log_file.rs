//! Resolves the key `log.file`, one plain file that only grows, and says which directories no log can have.

use std::collections::BTreeMap;

use super::Resolver;
use super::command::add_own_script;
use super::scope::Scope;
use super::values::Values;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, LogPlace};
use crate::model::{File, Sink};

/// Directories that the whole image needs. A logger would give such a directory to `nobody` and fill it with its files.
pub(super) const SYSTEM_DIRECTORIES: &[&str] = &[
    "",
    "/bin",
    "/boot",
    "/command",
    "/dev",
    "/dev/shm",
    "/etc",
    "/etc/cont-init.d",
    "/etc/s6-overlay",
    "/etc/services.d",
    "/home",
    "/init",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/media",
    "/mnt",
    "/opt",
    "/package",
    "/proc",
    "/root",
    "/run",
    "/run/lock",
    "/run/log",
    "/run/s6",
    "/run/s6-rc",
    "/run/s6gen",
    "/run/service",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/lock",
    "/var/log",
    "/var/mail",
    "/var/opt",
    "/var/run",
    "/var/spool",
    "/var/tmp",
];
/// The name of the script in `data` that makes the file.
const SCRIPT: &str = "log-file";

impl Resolver<'_> {
    /// The path of the file of a log.
    pub(super) fn log_file(&mut self, log: &manifest::Log, scope: &Scope) -> Option<(String, Origin)> {
        let text = log.file.as_ref()?;
        if let Some(to) = &log.to {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.to` and `log.file` exclude each other")
                    .at(to.origin(), "this is a place for standard output")
                    .at(text.origin(), "and this is another one")
                    .help("leave one of the two out; `log.tee` sends a directory's lines to the container's log too"),
            );
        }
        let mut path = self.path_text("log.file", text, scope)?;
        if scope.references_in(&path).first().is_some_and(|place| place.start == 0) {
            path.insert(0, '/');
        }
        let origin = text.origin();
        let mut values = Values { variables: &scope.references, ..Values::new(self.problems) };
        let problem = match path.as_str() {
            path if SYSTEM_DIRECTORIES.contains(&path.trim_end_matches('/')) => {
                Some(("this is a directory of the system", "add the name of the file".to_owned()))
            }
            path if path.ends_with('/') => Some((
                "this is the path of a directory",
                format!(
                    "for a directory of rotated files write `log.to = \"{}\"`",
                    path.trim_end_matches('/')
                ),
            )),
            path if ["/dev/", "/proc/", "/sys/"].iter().any(|place| path.starts_with(place))
                && !path.starts_with("/dev/shm/") =>
            {
                Some((
                    "this is no plain file",
                    "write `log.to = \"container\"` for the container's log, or `log.to = \"discard\"`"
                        .to_owned(),
                ))
            }
            _ => None,
        };
        if let Some((label, help)) = problem {
            return values.refuse(format!("`log.file` cannot be `{path}`"), origin, label, &help);
        }
        let path = values.path("log.file", &path, origin)?;
        self.literals.append(&mut values.literals);
        Some((path, origin))
    }
}

/// Where a log goes, for a report.
pub(super) fn place_of(log: &manifest::Log) -> Option<Origin> {
    log.to.as_ref().map(LogPlace::origin).or(log.file.as_ref().map(|text| text.origin()))
}

/// Adds the script that makes the file of a log, for an account that does not make it itself.
pub(super) fn add_log_file_script(files: &mut BTreeMap<String, File>, sink: &Sink) {
    add_own_script(files, SCRIPT, crate::templates::LOG_FILE, sink.file.is_some() && sink.user.is_some());
}

/// Adds the script that makes JSON of the lines of a log.
pub(super) fn add_json_script(files: &mut BTreeMap<String, File>, sink: &Sink) {
    add_own_script(files, "json", crate::templates::JSON, sink.json.is_some());
}
