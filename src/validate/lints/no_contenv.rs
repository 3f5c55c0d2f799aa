//! Finds programs that use variables of the container without loading them.

use super::calls::is_run;
use super::with_contenv_twice::surroundings;
use crate::diagnostic::{Confidence, Diagnostic, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::execline::base_name;
use crate::model::{Language, Program, ProgramForm, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::no-contenv",
        level: Severity::Advice,
        confidence: Confidence::Likely,
        group: Group::Scripts,
        fix: FixKind::Unsafe,
        page: include_str!("no_contenv.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    if subject.index.set().context.texts().any(|text| text.contains("S6_KEEP_ENV")) {
        return;
    }
    for (service, program, reading) in subject.readings() {
        if reading.foreign_variables.is_empty() || has_contenv(program) {
            continue;
        }
        let is_set = |name: &str| is_in_environment(service, name);
        let foreign: Vec<_> = reading.foreign_variables.iter().filter(|(name, _)| !is_set(name)).collect();
        if !foreign.is_empty() && starts_without(subject, service, program) {
            found.push(uses(found, service, program, &foreign));
        }
    }
}

fn uses(
    found: &Findings<'_>,
    service: &Service,
    program: &Program,
    foreign: &[&(String, Origin)],
) -> Diagnostic {
    let (variable, origin) = foreign[0];
    let others = match foreign.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let is_manifest = surroundings(service).is_some();
    let help = match program.language() {
        _ if is_manifest => format!("remove `with-contenv = false`, or set it: `environment.{variable} = \"VALUE\"`"),
        Language::Shell => "let `with-contenv` load them: `#!/command/with-contenv sh` in the first line; or give a default, as in `${NAME:-VALUE}`".to_owned(),
        _ => format!("let `with-contenv` load them: write it in front of `importas`; or give a default, as in `importas -D VALUE {variable} {variable}`"),
    };
    found
        .report(format!(
            "`{}` of `{}` uses `{variable}`{others}, but loads no environment",
            program.file, service.name
        ))
        .at(*origin, "empty, if this is a variable of the container")
        .help(help)
        .fix(loading(program).filter(|_| !is_manifest && program.language() == Language::Shell))
}

/// The change that lets `with-contenv` start the shell of a script. More words than the shell cannot follow it.
fn loading(program: &Program) -> Option<Fix> {
    let first = program.text().lines().next()?;
    let words: Vec<&str> = first.strip_prefix("#!")?.split_ascii_whitespace().collect();
    let shell = match words[..] {
        [shell] => base_name(shell),
        [env, shell] if base_name(env) == "env" => shell,
        _ => return None,
    };
    let fix = |place| Fix::replace(place, format!("#!/command/with-contenv {shell}")).likely();
    program.at_exactly(0..first.len()).map(fix)
}

fn has_contenv(program: &Program) -> bool {
    let has_word = |words: &[(String, _)]| words.iter().any(|(word, _)| base_name(word) == "with-contenv");
    match &program.form {
        ProgramForm::Arguments(words, _) => has_word(words),
        _ => program.text().contains("with-contenv") || program.text().contains("/container_environment"),
    }
}

/// Whether the manifest sets the variable.
fn is_in_environment(service: &Service, name: &str) -> bool {
    surroundings(service).is_some_and(|surroundings| {
        let mut names = surroundings.environment.iter().map(|(name, _)| name);
        names.any(|known| known == name) || surroundings.account_variables.iter().any(|known| known == name)
    })
}

/// Whether the program is started with the environment of s6 alone. A script that another one starts gets the environment of that.
fn starts_without(subject: &Subject<'_>, service: &Service, program: &Program) -> bool {
    if let Some(surroundings) = surroundings(service) {
        return subject.index.set().target.system.is_overlay()
            && !surroundings.with_contenv
            && program.file != "finish";
    }
    if matches!(program.form, ProgramForm::CommandLine(_)) {
        return true;
    }
    if !is_run(service, program) {
        return false;
    }
    let callers = ["run", "finish", "up", "down", "reload"];
    let called_by = callers.iter().filter(|by| subject.is_called_by(service, program, by));
    called_by
        .copied()
        .all(|by| matches!(by, "up" | "down" | "reload") && !service.program(by).is_some_and(has_contenv))
}
