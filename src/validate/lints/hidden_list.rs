//! Finds names in a list that s6-rc does not read.

use super::mentions::is_service;
use crate::diagnostic::{
    Confidence, Diagnostic, Edit, Fix, FixKind, Group, Lint, Origin, Severity, is_plain_word,
};
use crate::model::{Definition, Kind, Name, Service};
use crate::validate::names::listed;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::hidden-list",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Unsafe,
        page: include_str!("hidden_list.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, definition) in subject.definitions() {
        let name = &service.name;
        if let Some((lost, file)) = &definition.hidden {
            let (list, what) = match service.kind {
                Kind::Bundle(_) => ("contents", "contain"),
                _ => ("dependencies", "wait for"),
            };
            let mut problem = found.report(format!(
                "`{name}` does not {what} {}: `{list}.d` wins over `{list}`",
                listed(lost.iter().map(|r| &r.name))
            ));
            for reference in lost.iter().take(4) {
                problem = problem.at(reference.origin, format!("this name is not in `{list}.d`"));
            }
            if lost.is_empty() {
                problem = problem.at(*file, "s6-rc does not read this file");
            }
            let markers = lost
                .iter()
                .filter(|lost| subject.index.find(&lost.name).is_some())
                .filter_map(|lost| marker(*file, &format!("{list}.d/"), &lost.name));
            found.push(problem.fix(all_of(markers.collect())).help(format!(
                "make an empty file in `{list}.d` for each of these names, and remove the file `{list}`"
            )));
        }
        for problem in written_lists(found, subject, service, definition) {
            found.push(problem);
        }
    }
}

/// The new empty file that adds a name to a list directory, which is relative to the directory of `beside`.
fn marker(beside: Origin, list: &str, name: &Name) -> Option<Edit> {
    let name = str::from_utf8(name.as_bytes()).ok().filter(|name| is_plain_word(name))?;
    Some(Edit::Create { beside: beside.file, name: format!("{list}{name}"), text: String::new() })
}

fn all_of(edits: Vec<Edit>) -> Option<Fix> {
    (!edits.is_empty()).then(|| Fix::from(edits).likely())
}

/// Reports files in a list directory that contain names of services. Only the name of such a file counts.
fn written_lists(
    found: &Findings<'_>,
    subject: &Subject<'_>,
    service: &Service,
    definition: &Definition,
) -> Vec<Diagnostic> {
    let index = &subject.index;
    let (references, list, what) = match &service.kind {
        Kind::Bundle(bundle) => (&bundle.contents[..], "contents", "contain"),
        _ => (service.dependencies(), "dependencies", "wait for"),
    };
    // If the name of the file is unknown, another check reports that.
    let known = definition.written_lists.iter().filter(|(file, ..)| is_service(index, file));
    let lost = known.filter_map(|(file, origin, names)| {
        let is_lost = |name: &&Name| {
            is_service(index, name) && references.iter().all(|reference| reference.name != **name)
        };
        let lost: Vec<&Name> = names.iter().filter(is_lost).collect();
        if lost.is_empty() || lost.len() < names.len() {
            return None;
        }
        let names = listed(lost.iter().copied());
        let markers = lost
            .iter()
            .filter(|lost| index.find(lost).is_some())
            .filter_map(|lost| marker(*origin, "", lost));
        let fix = all_of(markers.collect());
        Some(
            found
                .report(format!("`{}` does not {what} {names}", service.name))
                .at(
                    *origin,
                    format!("`{list}.d` is a list of file names: s6-rc does not read what is in `{file}`"),
                )
                .help(format!("make an empty file in `{list}.d` for each of these names"))
                .fix(fix),
        )
    });
    lost.collect()
}
