//! Finds paths and programs of s6-overlay 2 that version 3 does not have.

use std::ops::Range;

use super::calls::is_command;
use crate::diagnostic::{Confidence, Diagnostic, Edit, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::execline::base_name;
use crate::model::{BuildContext, Called, Language, Program, ProgramForm, ScriptUse, Service};
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::version-two",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Safe,
        page: include_str!("version_two.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let context = &subject.index.set().context;
    let mut interpreters: Vec<(&Service, &str, Origin)> = Vec::new();
    let mut edits = Vec::new();
    let mut knows_new_place = false;
    for (service, program) in subject.programs() {
        let text = program.text();
        if let ProgramForm::CommandLine(_) = program.form {
            if let Some(at) = text.find(SERVICES) {
                let stops = text.contains("s6-svscanctl");
                found.push(old_services(found, service, program, at..at + SERVICES.len(), stops));
            }
            continue;
        }
        let old = old_interpreter(text).filter(|path| !context.has_program(path));
        if let Some(path) = old.filter(|_| is_started(service, program)) {
            let start = text.find(path).unwrap_or(2);
            interpreters.push((service, path, program.at(start..start + path.len())));
            let new = format!("/command/{}", base_name(path));
            let place = program.at_exactly(start..start + path.len());
            edits.extend(place.map(|place| Edit::Replace { place, text: new }));
        }
        knows_new_place |= text.starts_with("#!/command/");
        if let Some(problem) = old_place(found, service, program) {
            found.push(problem);
        }
        if let Some(problem) = old_program(found, service, program) {
            found.push(problem);
        }
    }
    // Many base images install links for the old paths. Only the image or a Dockerfile tells whether they are there; without
    // them it is in doubt if a tree uses both paths, or other things of version 2. All scripts share one report, because one
    // answer holds for all of them.
    let is_in_doubt = match context.has_links() {
        Some(has_links) => !has_links,
        None => context.dockerfiles.is_empty() && (knows_new_place || found.any()),
    };
    if let Some((service, path, origin)) = interpreters.first().filter(|_| is_in_doubt) {
        let name = base_name(path);
        let mut problem = found
            .report(format!("`{}` is started by `{path}`, which not every image has", service.name))
            .at(*origin, format!("since s6-overlay 3 this is `/command/{name}`"))
            .note(
                "the old path exists where the archives s6-overlay-symlinks-noarch and -arch are installed",
            );
        if interpreters.len() > 1 {
            let mut names: Vec<_> = interpreters[1..].iter().map(|(service, ..)| &service.name).collect();
            names.dedup();
            problem = problem.note(format!("the same holds for {}", listed(names)));
        }
        found.push(problem.help(format!("write `#!/command/{name}`")).fix(Fix::from(edits)));
    }
}

/// Whether a program is started by its path, so that its first line counts. A shell that reads a script ignores that line.
fn is_started(service: &Service, program: &Program) -> bool {
    let called = service.definition().into_iter().flat_map(|definition| &definition.called);
    let mut called = called.filter(|called| called.path == program.file).peekable();
    let starts =
        |called: &Called| called.how == ScriptUse::Check || is_command(service, called.by, called.how);
    called.peek().is_none() || called.any(starts)
}

/// The interpreter of a script, if it is in a place that only the optional links of s6-overlay 3 have.
fn old_interpreter(text: &str) -> Option<&'static str> {
    let path = text.strip_prefix("#!")?.trim_start_matches([' ', '\t']).split_ascii_whitespace().next()?;
    BuildContext::OLD_PLACES.iter().find(|old| **old == path).copied()
}

const SERVICES: &str = "/var/run/s6/services";

fn old_place(found: &Findings<'_>, service: &Service, script: &Program) -> Option<Diagnostic> {
    if !script.text().contains(SERVICES) {
        return None;
    }
    // Other commands may only edit the path in a file, or test whether it exists. A command of s6 needs it to exist.
    let line = script.lines().find(|line| {
        line.text.contains(SERVICES)
            && line.words().any(|word| word.starts_with("s6-sv"))
            && !line.text.contains("-d /var")
            && !line.text.contains("-e /var")
    })?;
    let stops = line.text.contains("s6-svscanctl");
    Some(old_services(found, service, script, line.span_of(SERVICES), stops))
}

fn old_services(
    found: &Findings<'_>,
    service: &Service,
    program: &Program,
    span: Range<usize>,
    stops: bool,
) -> Diagnostic {
    let help = match stops {
        true => "write `/run/s6/basedir/bin/halt` to stop the container",
        false => "write `/run/service`",
    };
    let place = program.at_exactly(span.clone()).filter(|_| !stops);
    found
        .report(format!("`{}` of `{}` is written for s6-overlay 2", program.file, service.name))
        .at(program.at(span), "this does not exist in s6-overlay 3")
        .help(help)
        .fix(place.map(|place| Fix::replace(place, "/run/service")))
}

fn old_program(found: &Findings<'_>, service: &Service, script: &Program) -> Option<Diagnostic> {
    let old = [("s6-test", "eltest"), ("import", "importas -S")];
    if !old.iter().any(|(word, _)| script.text().contains(word)) {
        return None;
    }
    let is_execline = script.language() == Language::Execline;
    let (line, word, new) = script.lines().find_map(|line| {
        let first = line.words().next()?;
        match first {
            "import" if is_execline => Some((line, "import", "importas -S")),
            _ if line.words().any(|word| word == "s6-test") => Some((line, "s6-test", "eltest")),
            _ => None,
        }
    })?;
    Some(
        found
            .report(format!("`{}` of `{}` uses `{word}`, which no longer exists", script.file, service.name))
            .at(script.at(line.span_of(word)), "s6-overlay 3 has no such program")
            .help(format!("write `{new}`")),
    )
}
