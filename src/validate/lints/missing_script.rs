//! Finds command lines that name a script that does not exist.

use super::calls::{failure, is_command, is_read_by_shell, mention};
use super::mentions::mentions;
use crate::diagnostic::{Confidence, Diagnostic, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::model::{Absence, BuildContext, Definition, Ignored, Missing, Name, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::missing-script",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Unsafe,
        page: include_str!("missing_script.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let context = &subject.index.set().context;
    for (service, definition) in subject.definitions() {
        for missing in &definition.missing {
            if missing.may_be_added && is_probably_added(context, service, definition, missing) {
                continue;
            }
            if is_command(service, missing.by, missing.how) || is_read_by_shell(service, missing) {
                found.push(leads_nowhere(found, service, definition, missing));
            }
        }
    }
}

/// Whether a Dockerfile probably adds the file. Without a Dockerfile that could tell, only a similar path, or a script that nothing
/// runs, shows that the path is wrong.
fn is_probably_added(
    context: &BuildContext,
    service: &Service,
    definition: &Definition,
    missing: &Missing,
) -> bool {
    let end = missing.path.rsplit('/').take(2).collect::<Vec<_>>();
    let end = end.into_iter().rev().collect::<Vec<_>>().join("/");
    let name = missing.path.rsplit('/').nth(1).unwrap_or_default();
    let is_own = !missing.path.starts_with('/') && context.lower.contains(&service.name);
    if missing.nearest.is_none() && (is_own || context.lower.contains(&Name::from(name))) {
        return true;
    }
    let has_other = || definition.ignored.iter().any(is_other_script);
    match context.dockerfiles.is_empty() {
        true => missing.nearest.is_none() && !has_other(),
        false => context.texts().any(|text| mentions(text, &end)),
    }
}

fn is_other_script(entry: &Ignored) -> bool {
    !entry.is_directory && entry.name != b"finish"
}

fn leads_nowhere(
    found: &Findings<'_>,
    service: &Service,
    definition: &Definition,
    missing: &Missing,
) -> Diagnostic {
    let (by, path) = (missing.by, &missing.path);
    match missing.why {
        Absence::NoFile => {}
        Absence::NotCopied(file) => return not_copied(found, service, missing, file),
        Absence::Oneshot(file) => return in_a_oneshot(found, service, missing, file),
    }
    let mut problem = found
        .report(format!("`{by}` of `{}` runs `{path}`, which does not exist", service.name))
        .at(mention(service, by, path), failure(by, "127: no such file"));
    if let Some((near, origin)) = &missing.nearest {
        let place = mention(service, by, path);
        let fix = place.and_then(|place| Fix::word(place, path, near)).map(Fix::likely);
        return problem.at(*origin, "this exists").help(format!("did you mean `{near}`?")).fix(fix);
    }
    // A script that nothing runs is probably the one that this line should name.
    if let Some(other) = definition.ignored.iter().find(|entry| is_other_script(entry)) {
        problem = problem.at(other.origin, "nothing runs this script");
        return problem.help(format!("write the path of `{}`, or rename it", Name::new(&other.name)));
    }
    problem.help("create it, or correct the path; if another layer has it, check that layer too (`--layer`)")
}

/// The report on a `run` that looks for a file in its directory, into which s6-rc does not copy it.
fn not_copied(
    found: &Findings<'_>,
    service: &Service,
    missing: &Missing,
    file: Option<Origin>,
) -> Diagnostic {
    let (by, path, name) = (missing.by, &missing.path, &service.name);
    let below = path.trim_start_matches("./");
    found
        .report(format!("`{by}` of `{name}` runs `{path}`, which is not there when it runs"))
        .at(mention(service, by, path), failure(by, "127: no such file"))
        .at(file, "s6-rc does not copy this file")
        .note("`run` starts in a directory of s6-rc that has only `data` and `env` of the definition")
        .help(match file {
            Some(_) => format!("move it to `data/{below}`, and write `./data/{below}`"),
            None => "write the whole path".to_owned(),
        })
}

/// The report on a relative path in a oneshot.
fn in_a_oneshot(
    found: &Findings<'_>,
    service: &Service,
    missing: &Missing,
    file: Option<Origin>,
) -> Diagnostic {
    let (by, path, name) = (missing.by, &missing.path, &service.name);
    let below = path.trim_start_matches("./");
    found
        .report(format!(
            "`{by}` of `{name}` runs `{path}`, but it does not start in the directory of its definition"
        ))
        .at(mention(service, by, path), failure(by, "127: no such file"))
        .at(file, "it does not find this file")
        .note("every oneshot starts in the directory of `s6rc-oneshot-runner`")
        .help(match file {
            Some(_) => format!("write the whole path: `/etc/s6-overlay/s6-rc.d/{name}/{below}`"),
            None => "write the whole path".to_owned(),
        })
}
