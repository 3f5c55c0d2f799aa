//! Finds loggers that write into the same directory.

use std::collections::BTreeMap;

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Origin, Severity};
use crate::model::{CallRole, Invocation, Name, Script, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::two-loggers",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Logs,
        fix: FixKind::Without("which of the two directories is wrong is not known"),
        page: include_str!("two_loggers.md"),
    },
    check: Check::Services(check),
};

/// A service that logs, and where its directory is written.
type LoggingService<'a> = (&'a Service, Origin);

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let mut loggers: BTreeMap<String, Vec<LoggingService<'_>>> = BTreeMap::new();
    for service in subject.services() {
        let (Some(directory), Some(origin)) = (directory_of_manifest(service), service.origin) else {
            continue;
        };
        loggers.entry(normalized(directory)).or_default().push((service, origin));
    }
    for (service, _, calls) in subject.processes() {
        for (directory, origin) in calls.iter().flat_map(directories) {
            let known = loggers.entry(normalized(directory)).or_default();
            if known.iter().all(|(known, _)| known.name != service.name) {
                known.push((service, origin));
            }
        }
    }
    for (directory, loggers) in loggers {
        let [(first, there), rest @ .., (last, here)] = &loggers[..] else { continue };
        let mut report = found
            .report(format!("`{}` and `{}` both log into `{directory}`", first.name, last.name))
            .at(*here, format!("`{}` cannot write here while the other runs", last.name))
            .at(*there, format!("`{}` writes here as well", first.name));
        for (other, origin) in rest {
            report = report.at(*origin, format!("`{}` writes here as well", other.name));
        }
        let names = [&first.name, &last.name];
        if last.definition().is_none() && starts(subject, &names) {
            report.severity = Severity::Error;
        }
        found.push(
            report
                .note("s6-log locks its directory: the second one ends with `unable to lock` and is started again each second")
                .help("give each a directory of its own, or let both services write to one logger"),
        );
    }
}

/// The directory of a logger that the key `log` makes.
fn directory_of_manifest(service: &Service) -> Option<&str> {
    match &service.longrun()?.run {
        Script::Logger(logger) => logger.sink.directory.as_deref(),
        _ => None,
    }
}

/// The directories into which a process logs.
fn directories(call: &Invocation) -> impl Iterator<Item = (&str, Origin)> {
    let count = match call.program().filter(|_| call.role == CallRole::Process) {
        Some("s6-log") => usize::MAX,
        Some("logutil-service") => 1,
        _ => 0,
    };
    let words = call.arguments().iter().take(count);
    words
        .filter_map(|word| Some((word.text.as_deref()?, word.origin)))
        .filter(|(text, _)| text.starts_with('/'))
}

/// The same text for each way to write a path.
fn normalized(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.map(|part| format!("/{part}")).collect()
}

/// Whether the boot starts all these services.
fn starts(subject: &Subject<'_>, names: &[&Name]) -> bool {
    let index = &subject.index;
    let bundles = index.set().target.system.start_bundles();
    let started = index.closure(bundles.iter().filter_map(|bundle| index.find(&Name::from(*bundle))));
    names.iter().all(|name| index.find(name).is_some_and(|node| started.contains(&node)))
}
