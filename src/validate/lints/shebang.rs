//! Finds scripts whose first line keeps the system from starting them.

use std::ops::Range;

use super::calls::is_run;
use crate::diagnostic::{Confidence, Diagnostic, Fix, FixKind, Group, Lint, Severity};
use crate::model::{Program, ProgramForm, Service};
use crate::shell::{SeveralWords, several_words};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::shebang",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Scripts,
        fix: FixKind::Safe,
        page: include_str!("shebang.md"),
    },
    check: Check::Services(check),
};

/// The byte order mark, which some editors put before a text.
const MARK: &str = "\u{feff}";

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs().filter(|(service, _)| service.definition().is_none()) {
        if let Some(problem) = in_a_manifest(found, service, program) {
            found.push(problem);
        }
    }
    for (service, _) in subject.definitions() {
        for program in &service.programs {
            match &program.form {
                ProgramForm::Script(..) if is_run(service, program) => {
                    if let Some(problem) = report(found, service, program) {
                        found.push(problem);
                    }
                }
                ProgramForm::CommandLine(text) if text.text.starts_with(MARK) => found.push(
                    found
                        .report(format!(
                            "`{}` of `{}` begins with a byte order mark",
                            program.file, service.name
                        ))
                        .at(program.origin(), "it becomes a part of the first word: the start fails with 127")
                        .help("save it as UTF-8 without byte order mark")
                        .fix(program.at_exactly(0..MARK.len()).map(|place| Fix::replace(place, ""))),
                ),
                _ => {}
            }
        }
    }
}

/// The report on a script of a manifest whose `#!` line is only a comment for the shell that reads it.
fn in_a_manifest(found: &Findings<'_>, service: &Service, program: &Program) -> Option<Diagnostic> {
    let (text, _) = program.as_script()?;
    let start = text.text.find("#!").filter(|at| *at > 0)?;
    let above = text.text[..start].trim_start_matches(MARK);
    if !above.lines().all(|line| line.trim().is_empty()) {
        return None;
    }
    let end = text.text[start..].find('\n').map_or(text.text.len(), |newline| start + newline);
    let problem = found
        .report(format!("`{}` of `{}` does not begin with its `#!` line", program.file, service.name))
        .at(program.at(start..end), "this is only a comment: `/bin/sh -e` runs this script");
    // The script then runs in its interpreter, and no longer in `/bin/sh -e`.
    let fix = program.at_exactly(0..start).map(|place| Fix::replace(place, "").likely());
    Some(problem.help("remove everything before `#!`, blanks and empty lines too").fix(fix))
}

/// The report on a file that the system cannot start.
fn report(found: &Findings<'_>, service: &Service, script: &Program) -> Option<Diagnostic> {
    let (text, _) = script.as_script()?;
    let (file, bytes) = (&script.file, text.bytes());
    let fault = fault(bytes)?;
    let name = &service.name;
    let (message, label, help) = match fault {
        Fault::Empty => (
            format!("`{file}` of `{name}` is empty"),
            "the system cannot start an empty file: `Exec format error`",
            "write its commands below a first line such as `#!/bin/sh`".to_owned(),
        ),
        Fault::NoInterpreter => (
            format!("the first line of `{file}` of `{name}` does not name an interpreter"),
            "the system cannot start this: `Exec format error`",
            "put a first line `#!/bin/sh` above it, or `#!/command/with-contenv sh` for the container's environment"
                .to_owned(),
        ),
        Fault::Late(_) => (
            format!("`{file}` of `{name}` does not begin with its `#!` line"),
            "only the very first line of the file counts",
            "remove everything above this line".to_owned(),
        ),
        Fault::Mark => (
            format!("`{file}` of `{name}` begins with a byte order mark"),
            "the system does not see the `#!` after it: `Exec format error`",
            "save it as UTF-8 without byte order mark".to_owned(),
        ),
        Fault::CarriageReturn(_) => (
            format!("the first line of `{file}` of `{name}` ends with CR LF"),
            "the CR counts as a part of the name: `No such file or directory`",
            "save it with LF line ends; in git, a line `* text eol=lf` in .gitattributes keeps them".to_owned(),
        ),
        Fault::Relative(_) => (
            format!("`{file}` of `{name}` names an interpreter without its path"),
            "the system looks for it only in the service directory",
            "write its absolute path, or `#!/usr/bin/env` in front of it".to_owned(),
        ),
        Fault::SeveralWords(ref several, _) => (
            format!("the first line of `{file}` of `{name}` has several words after `{}`", several.program),
            several.label.as_str(),
            several.help.clone(),
        ),
    };
    let origin = match fault.clone() {
        Fault::Late(span)
        | Fault::CarriageReturn(span)
        | Fault::Relative(span)
        | Fault::SeveralWords(_, span) => script.at(span),
        Fault::NoInterpreter => {
            let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
            script.at(0..end.max(1))
        }
        Fault::Empty | Fault::Mark => script.origin(),
    };
    Some(found.report(message).at(origin, label).help(help).fix(fix(&fault, script)))
}

/// The change after which the system can start the file, if there is one right answer.
fn fix(fault: &Fault, script: &Program) -> Option<Fix> {
    let text = script.text();
    match fault {
        Fault::Empty | Fault::NoInterpreter | Fault::Relative(_) => None,
        Fault::Mark => script.at_exactly(0..MARK.len()).map(|place| Fix::replace(place, "")),
        Fault::SeveralWords(several, span) => script
            .at_exactly(span.clone())
            .zip(several.lines.as_ref())
            .map(|(place, lines)| Fix::replace(place, lines)),
        Fault::CarriageReturn(span) => {
            if text.matches('\n').count() == text.matches("\r\n").count() {
                return Some(Fix::rewrite(script.origin().file, text.replace("\r\n", "\n")));
            }
            script.at_exactly(span.end..span.end + 1).map(|place| Fix::replace(place, ""))
        }
        Fault::Late(span) => {
            let line = text.get(span.clone())?;
            let above: String = text[..span.start]
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(|line| format!("\n{line}"))
                .collect();
            script.at_exactly(0..span.end).map(|place| Fix::replace(place, format!("{line}{above}")))
        }
    }
}

#[derive(Clone)]
enum Fault {
    Empty,
    NoInterpreter,
    /// The line that should be the first one.
    Late(Range<usize>),
    Mark,
    CarriageReturn(Range<usize>),
    Relative(Range<usize>),
    /// The program gets all words of this line as one argument.
    SeveralWords(SeveralWords, Range<usize>),
}

/// The fault in the first bytes of a file that keeps the system from starting it.
fn fault(bytes: &[u8]) -> Option<Fault> {
    if bytes.trim_ascii().is_empty() {
        return Some(Fault::Empty);
    }
    let line_end = |from: usize| {
        bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |newline| from + newline)
    };
    if bytes.starts_with(b"#!") {
        let end = line_end(0);
        let line = &bytes[2..end];
        let interpreter = line.trim_ascii();
        return match () {
            () if line.ends_with(b"\r") => Some(Fault::CarriageReturn(0..end - 1)),
            () if interpreter.is_empty() => Some(Fault::NoInterpreter),
            // A build script of the image fills in `@…@`.
            () if !interpreter.starts_with(b"/") && !interpreter.starts_with(b"@") => {
                Some(Fault::Relative(0..end))
            }
            () => {
                let several = str::from_utf8(&bytes[..end]).ok().and_then(several_words)?;
                Some(Fault::SeveralWords(several, 0..end))
            }
        };
    }
    if bytes.starts_with("\u{feff}#!".as_bytes()) {
        return Some(Fault::Mark);
    }
    // A compiled program has NUL bytes near its beginning.
    if bytes.iter().take(512).any(|byte| *byte == 0) {
        return None;
    }
    let above = bytes.windows(3).position(|window| window == b"\n#!" || window == b" #!");
    match above {
        Some(at)
            if bytes[..at].split(|byte| *byte == b'\n').all(|line| {
                let line = line.trim_ascii();
                line.is_empty() || line.starts_with(b"#")
            }) =>
        {
            Some(Fault::Late(at + 1..line_end(at + 1)))
        }
        _ => Some(Fault::NoInterpreter),
    }
}
