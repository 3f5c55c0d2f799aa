use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::model::Index;

use super::definitions;
use super::script::{Language, Line, Started, finish, run, started};
use crate::validate::names::listed;

/// Words of a shell after which its last line need not be the process: it waits, loops, or goes on elsewhere.
const STAYS: &[&str] = &[
    "exec", "wait", "while", "until", "for", "trap", "sleep", "s6-pause", "tail", "source", ".", "read",
    "function", "coproc", "eval",
];

/// The shell of a `run` becomes the process.
pub(in crate::validate) fn replace_the_shell(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let Some(script) = run(service, definition).filter(|script| script.language == Language::Shell)
        else {
            continue;
        };
        // Most end so; it saves the closer look.
        if script.code().any(|line| line.text.starts_with("exec ")) {
            continue;
        }
        let Some(last) = last_command(&script) else { continue };
        if last.text.ends_with('&')
            || script.text.contains("<<")
            || script.code().any(|line| line.words().any(|word| STAYS.contains(&word)))
        {
            continue;
        }
        let program = last.words().next().unwrap_or_default();
        problems.push(
            Diagnostic::new(
                Code::NotExec,
                format!("the shell of `run` of `{}` stays between s6 and `{program}`", service.name),
            )
            .at(script.at(last.span()), "signals reach the shell, not this")
            .help(format!("write `exec {program} …`")),
        );
    }
}

/// The last line of a shell script, if it is a plain command.
fn last_command<'a>(script: &Started<'a>) -> Option<Line<'a>> {
    let last = script.code().last()?;
    let first = last.text.split_whitespace().next()?;
    let is_plain = first.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '.')
        && !first.contains([':', '(', '=', '$', ')', ';'])
        && !last.text.contains(['|', '`'])
        && !last.text.contains("$(")
        && !matches!(
            first,
            "fi" | "done"
                | "esac"
                | "exit"
                | "return"
                | "else"
                | "echo"
                | "true"
                | "false"
                | "printf"
                | "if"
                | "case"
                | "set"
                | "then"
                | "do"
                | "export"
                | "cd"
                | "test"
                | "rm"
                | "kill"
                | "killall"
                | "s6-svc"
                | "halt"
        );
    is_plain.then_some(last)
}

/// The process does not go into the background.
pub(in crate::validate) fn stay_in_the_foreground(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let Some(script) = run(service, definition) else { continue };
        if !matches!(script.language, Language::Shell | Language::Execline) {
            continue;
        }
        let Some(last) = script.code().last() else { continue };
        let name = &service.name;
        if script.language == Language::Shell && last.text.ends_with('&') && !last.text.ends_with("&&") {
            let goes_on = script
                .code()
                .any(|line| line.words().any(|word| matches!(word, "wait" | "while" | "until" | "for")));
            if !goes_on && !script.text.contains("<<") {
                problems.push(
                    Diagnostic::new(Code::Background, format!("`run` of `{name}` ends at once"))
                        .at(
                            script.at(last.span()),
                            "the `&` sends this into the background, and the script is over",
                        )
                        .help("remove the `&`, and write `exec` in front"),
                );
            }
            continue;
        }
        if let Some((word, what)) = daemonises(&last) {
            problems.push(
                Diagnostic::new(
                    Code::Background,
                    format!("the process of `{name}` goes into the background"),
                )
                .at(script.at(last.span_of(word)), "s6 takes it for dead, and starts it again and again")
                .help(what),
            );
        }
    }
}

/// The word by which a command goes into the background, and what to write instead.
fn daemonises<'a>(line: &Line<'a>) -> Option<(&'a str, &'static str)> {
    let words: Vec<&str> = line.words().collect();
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
        // Only where the word stands as a program: behind `exec`, a user, or nothing.
        let before = number.checked_sub(1).map(|at| words[at]);
        let runs = before.is_none_or(|before| before == "exec" || before.ends_with("with-contenv"));
        match is_program {
            Some("crond") if runs && !has_option(&['f', 'n', 'd', 'x']) => {
                return Some((word, "say that it stays: `crond -f` (BusyBox), `crond -n` (cronie)"));
            }
            Some("sshd") if runs && !has_option(&['D', 'd', 'i', 't', 'T']) => {
                return Some((word, "say that it stays: `sshd -D -e`"));
            }
            _ => {}
        }
        if matches!(*word, "--daemonize" | "--daemon" | "--background") && !off {
            return Some((word, "remove this option: what s6 supervises must stay in the foreground"));
        }
    }
    match words.as_slice() {
        ["service", _, "start"] | ["exec", "service", _, "start"] => {
            Some((words[0], "start the program itself, in the foreground"))
        }
        [script, "start"] | ["exec", script, "start"] if script.starts_with("/etc/init.d/") => {
            Some((script, "start the program itself, in the foreground"))
        }
        _ => None,
    }
}

/// Who runs as somebody else does not use the home directory of root.
pub(in crate::validate) fn have_a_home(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let Some(script) = run(service, definition).filter(|script| script.language == Language::Shell)
        else {
            continue;
        };
        if !script.text.contains("s6-setuidgid") || script.text.contains("HOME=") {
            continue;
        }
        for line in script.code() {
            let mut words = line.words().skip_while(|word| !word.ends_with("s6-setuidgid")).skip(1);
            let Some(user) = words.next().filter(|user| !matches!(*user, "root" | "0" | "0:0")) else {
                continue;
            };
            if user.starts_with('$') || user.starts_with('-') {
                continue;
            }
            let used = ["$HOME", "${HOME}", " ~/"].into_iter().find(|home| line.text.contains(home));
            if let Some(home) = used {
                problems.push(
                    Diagnostic::new(
                        Code::HomeOfRoot,
                        format!("`run` of `{}` uses the home directory of root as `{user}`", service.name),
                    )
                    .at(script.at(line.span_of(home.trim_start())), "this is still `/root`")
                    .note("`s6-setuidgid` changes the user and nothing else")
                    .help(format!("set it before: `export HOME=…`, the home directory of `{user}`")),
                );
                break;
            }
        }
    }
}

/// Nobody changes the definitions when they are compiled already.
pub(in crate::validate) fn leave_definitions_alone(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        for script in started(service, definition) {
            let text = script.text;
            if script.language != Language::Shell
                || !(text.contains("/contents.d/") || text.contains("/dependencies.d/"))
            {
                continue;
            }
            let edit = script.code().find_map(|line| {
                let changes = |word: &str| matches!(word, "rm" | "touch" | "mv" | "ln" | "cp");
                let path = line.words().find(|word| {
                    (word.contains("/s6-rc.d/") || word.contains("/user-bundles.d/"))
                        && (word.contains("/contents.d/") || word.contains("/dependencies.d/"))
                })?;
                (line.words().any(changes) || line.text.contains('>')).then_some((line, path))
            });
            let Some((line, path)) = edit else { continue };
            problems.push(
                Diagnostic::new(
                    Code::EditedTooLate,
                    format!("`{}` of `{}` changes what is started, when that is decided already", script.file, service.name),
                )
                .at(script.at(line.span_of(path)), "/init has compiled this before the first service starts")
                .help("decide in `run` of the service itself, or in a hook before the compilation (`S6_STAGE2_HOOK`)"),
            );
        }
    }
}

/// A `finish` that stops the container stops it for crashes as well. It is one text that is copied around, and so it is
/// one report.
pub(in crate::validate) fn crashes_count(index: &Index<'_>, problems: &mut Problems) {
    let mut found = Vec::new();
    for (service, definition) in definitions(index) {
        let Some(script) = finish(service, definition) else { continue };
        if !script.text.contains("halt") || !script.text.contains("256") {
            continue;
        }
        let line = script.code().find(|line| {
            let condition = ["-eq 15", "= 15", "= \"15\"", "-eq \"15\""];
            let words = ["bin/halt", "s6-svscanctl"];
            condition.iter().any(|text| line.text.contains(text))
                && words.iter().any(|text| line.text.contains(text))
        });
        found.extend(line.map(|line| (service, script, line)));
    }
    let Some((service, script, line)) = found.first() else { return };
    let mut problem = Diagnostic::new(
        Code::FinishMissesCrashes,
        format!("`finish` of `{}` stops the container for SIGTERM, but not for a crash", service.name),
    )
    .at(
        script.at(line.span()),
        "nothing happens for 11 (SIGSEGV) and 9 (out of memory): the service is started again",
    )
    .help("leave the number of the signal out of the condition");
    if found.len() > 1 {
        let others = listed(found[1..].iter().map(|(service, ..)| &service.name));
        problem = problem.note(format!("the same holds for {others}"));
    }
    problems.push(problem);
}
