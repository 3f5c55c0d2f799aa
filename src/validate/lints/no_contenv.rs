//! Finds scripts of a tree that use variables of the container without loading them.

use super::calls::is_run;
use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Severity};
use crate::execline::base_name;
use crate::model::{Program, Service};
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
        let Some((variable, origin)) = reading.foreign_variables.first() else { continue };
        if service.definition().is_none()
            || has_contenv(program)
            || !starts_without(subject, service, program)
        {
            continue;
        }
        let others = match reading.foreign_variables.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        found.push(
            found
                .report(format!("`{}` of `{}` uses `{variable}`{others}, but loads no environment", program.file, service.name))
                .at(*origin, "empty, if this is a variable of the container")
                .help("let `with-contenv` load them: `#!/command/with-contenv sh` in the first line; or give a default, as in `${NAME:-VALUE}`")
                    .fix(loading(program)),
        );
    }
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
    program.text().contains("with-contenv") || program.text().contains("/container_environment")
}

/// Whether the script is started with the environment of s6 alone. A script that another one starts gets the environment of that.
fn starts_without(subject: &Subject<'_>, service: &Service, program: &Program) -> bool {
    if !is_run(service, program) {
        return false;
    }
    let callers = ["run", "finish", "up", "down", "reload"];
    let called_by = callers.iter().filter(|by| subject.is_called_by(service, program, by));
    called_by
        .copied()
        .all(|by| matches!(by, "up" | "down" | "reload") && !service.program(by).is_some_and(has_contenv))
}
