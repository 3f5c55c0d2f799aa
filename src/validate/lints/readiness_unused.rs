//! Finds services with a descriptor for readiness that their `run` does not mention.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Origin, Severity};
use crate::model::{Language, Program, ProgramForm, Script, Service, Written};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::readiness-unused",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Readiness,
        fix: FixKind::Without("how the program tells that it is ready is not known"),
        page: include_str!("readiness_unused.md"),
    },
    check: Check::Services(check),
};

const LOGUTIL: &str = "logutil-service";

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for service in subject.services() {
        if let Some((fd, script, why)) = never_notifies(service) {
            found.push(match why {
                NeverNotifies::Logutil => found
                    .report(format!("`{}` waits until `logutil-service` reports that it is ready, which it never does", service.name))
                    .at(fd.origin, "remove this file: a logger that is started is ready")
                    .at(place(script, LOGUTIL), "this program never writes to the descriptor"),
                NeverNotifies::NotMentioned => found
                    .report(format!("nothing in `run` of `{}` mentions descriptor {}", service.name, fd.value))
                    .at(fd.origin, "the program is expected to write a line there when it is ready")
                    .at(script.origin(), "it needs to know the number")
                    .help(
                        "pass the number to the program, put `s6-notifyoncheck` before it, or remove `notification-fd`: a \
                         program that never writes never counts as up",
                    ),
            });
        } else if let Some((fd, program)) = not_mentioned(service) {
            found.push(
                found
                    .report(format!("nothing in `run` mentions descriptor {}", fd.value))
                    .at(fd.origin, "the program is expected to write a line there when it is ready")
                    .at(program.origin(), "it needs to know the number")
                    .help(
                        "pass the number to the program, or have it asked with `ready.check`, `ready.tcp`, `ready.unix` or \
                         `ready.http`: a program that never writes fails to start",
                    ),
            );
        }
    }
}

/// For a service of a manifest: the descriptor, if nothing in `run` and `environment` mentions it.
fn not_mentioned(service: &Service) -> Option<(&Written<u32>, &Program)> {
    let longrun = service.longrun()?;
    let Script::Run(run) = &longrun.run else { return None };
    let fd = longrun.notification_fd.as_ref().filter(|_| run.poll.is_none())?;
    let program = service.program("run")?;
    let number = fd.value.to_string();
    // s6-notifyoncheck reads the file `notification-fd` itself.
    let mentions = |text: &str| {
        text.contains("s6-notifyoncheck") || text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits == number)
    };
    let is_mentioned = match &program.form {
        ProgramForm::Arguments(words, _) => words.iter().any(|(word, _)| mentions(word)),
        _ => mentions(program.text()),
    };
    let in_environment = run.surroundings.environment.iter().any(|(_, value)| mentions(value));
    (!is_mentioned && !in_environment).then_some((fd, program))
}

/// Why the readiness notification of a service never comes.
pub(super) enum NeverNotifies {
    /// It runs `logutil-service`, which cannot send it.
    Logutil,
    /// Nothing in `run` mentions the descriptor.
    NotMentioned,
}

/// For a service of a tree: the descriptor, if its notification never comes, and why.
pub(super) fn never_notifies(service: &Service) -> Option<(&Written<u32>, &Program, NeverNotifies)> {
    service.definition()?;
    let fd = service.longrun()?.notification_fd.as_ref().filter(|fd| fd.value >= 3)?;
    let script = service.program("run")?;
    if !matches!(script.language(), Language::Shell | Language::Execline) {
        return None;
    }
    if script.has_word(LOGUTIL) {
        return Some((fd, script, NeverNotifies::Logutil));
    }
    let number = fd.value.to_string();
    let is_mentioned = script.text().split(|c: char| !c.is_ascii_digit()).any(|digits| digits == number);
    let hints = ["notif", "NOTIF", "ready", "READY", "./data/", ".sh", "/etc/s6-overlay", "--fd", "source "];
    let is_known =
        is_mentioned || hints.iter().any(|hint| script.text().contains(hint)) || starts_unknown(script);
    (!is_known).then_some((fd, script, NeverNotifies::NotMentioned))
}

/// Whether the last command may be a script or a wrapper of the image, which may know the descriptor.
fn starts_unknown(script: &Program) -> bool {
    let Some(last) = script.lines().last() else { return true };
    let words: Vec<&str> = last.words().collect();
    words.iter().any(|word| {
        word.starts_with('$')
            || ["/usr/local/", "/app/", "/opt/", "/root/", "/docker"].iter().any(|dir| word.starts_with(dir))
    })
}

fn place(script: &Program, word: &str) -> Origin {
    script.text().find(word).map_or(script.origin(), |at| script.at(at..at + word.len()))
}
