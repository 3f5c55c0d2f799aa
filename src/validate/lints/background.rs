//! Finds longruns whose process goes into the background.

use crate::diagnostic::{Confidence, Diagnostic, Lint, Origin, Severity};
use crate::model::{ProgramForm, Language, Name};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::background",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        has_fix: false,
        page: include_str!("background.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, script) in subject.programs_in("run") {
        let name = &service.name;
        if let ProgramForm::Arguments(words, _) = &script.form {
            let texts: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
            if let Some((number, what)) = daemonises(&texts) {
                found.push(into_the_background(found, name, words[number].1.whole(), what));
            }
            continue;
        }
        if !matches!(script.language(), Language::Shell | Language::Execline) {
            continue;
        }
        let Some(last) = script.lines().last() else { continue };
        if script.language() == Language::Shell && last.text.ends_with('&') && !last.text.ends_with("&&") {
            let keeps_running = script
                .lines()
                .any(|line| line.words().any(|word| matches!(word, "wait" | "while" | "until" | "for")));
            if !keeps_running && !script.text().contains("<<") {
                found.push(
                    found.report(format!("`run` of `{name}` ends at once"))
                        .at(
                            script.at(last.span()),
                            "the `&` sends this into the background, and then the script ends",
                        )
                        .help("remove the `&`, and write `exec` in front"),
                );
            }
            continue;
        }
        let words: Vec<&str> = last.words().collect();
        if let Some((number, what)) = daemonises(&words) {
            found.push(into_the_background(found, name, script.at(last.span_of(words[number])), what));
        }
    }
}

fn into_the_background(found: &Findings<'_>, name: &Name, origin: Origin, what: &str) -> Diagnostic {
    found
        .report(format!("the process of `{name}` goes into the background"))
        .at(origin, "s6 takes the service for dead, and starts it again and again")
        .help(what)
}

/// The word by which a command goes into the background, and what to write instead.
fn daemonises(words: &[&str]) -> Option<(usize, &'static str)> {
    if words.iter().any(|word| matches!(*word, "--foreground" | "--nodaemon" | "--no-daemon")) {
        return None;
    }
    let has_option = |letters: &[char]| {
        words.iter().any(|word| {
            word.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(letters))
        })
    };
    for (number, word) in words.iter().enumerate() {
        let next = words.get(number + 1).copied().unwrap_or_default();
        let off = matches!(next, "no" | "off" | "false" | "0");
        let is_program = word.rsplit('/').next();
        // The word counts only if it is the program: at the beginning, or after `exec` or a change of user.
        let before = number.checked_sub(1).map(|at| words[at]);
        let runs = before.is_none_or(|before| before == "exec" || before.ends_with("with-contenv"));
        match is_program {
            Some("crond") if runs && !has_option(&['f', 'n', 'd', 'x']) => {
                return Some((number, "keep it in the foreground: `crond -f` (BusyBox), `crond -n` (cronie)"));
            }
            Some("sshd") if runs && !has_option(&['D', 'd', 'i', 't', 'T']) => {
                return Some((number, "keep it in the foreground: `sshd -D -e`"));
            }
            _ => {}
        }
        if matches!(*word, "--daemonize" | "--daemon" | "--background") && !off {
            return Some((number, "remove this option: a supervised program must stay in the foreground"));
        }
    }
    match words {
        ["service", _, "start"] | ["exec", "service", _, "start"] => {
            Some((0, "start the program itself, in the foreground"))
        }
        [script, "start"] | ["exec", script, "start"] if script.starts_with("/etc/init.d/") => {
            Some((words.len() - 2, "start the program itself, in the foreground"))
        }
        _ => None,
    }
}
