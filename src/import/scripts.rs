//! Reads the programs of a definition: `up`, `down` and `reload`, which s6-rc-compile splits into words, and `run` and
//! `finish`, which it copies.

use std::io;

use super::definition::{DefinitionReader, LONGEST_SCRIPT, LONGEST_TEXT};
use super::reason;
use crate::diagnostic::{Class, Diagnostic, Origin};
use crate::execline::{self, Refusal};
use crate::model::{CompilerStep, Program, ProgramForm, ProgramText, Script};
use crate::source::{Directory, EntryKind};

impl<D: Directory> DefinitionReader<'_, D> {
    pub(super) fn up(&mut self) -> Script {
        // A dangling link is listed, but counts as missing.
        if let Some(script) = self.command_line("up", CompilerStep::Up) {
            return script;
        }
        let origin = self.context.origin("", "", 0..0);
        let name = &self.context.name;
        let (message, help) = if self.entry("up").is_some() {
            (format!("`up` of oneshot `{name}` is a symbolic link that leads nowhere"), "repair the link")
        } else if self.entry("run").is_some() {
            (
                format!("oneshot `{name}` has no `up` file"),
                "write the path of `run` into `up`, or `longrun` into `type`",
            )
        } else {
            (
                format!("oneshot `{name}` has no `up` file"),
                "write one; an empty file does nothing, and is fine",
            )
        };
        self.push(
            Diagnostic::s6rc(Class::UpMissing, self.reading(CompilerStep::Up, 0), message)
                .at(origin, "s6-rc needs it to start the service")
                .help(help),
        );
        self.mark_as_reported("run");
        Script::default()
    }

    /// `up`, `down` or `reload`. `None` if it is missing. A faulty one counts as an empty command.
    pub(super) fn command_line(&mut self, file: &'static str, step: CompilerStep) -> Option<Script> {
        let content = match self.content(file, LONGEST_TEXT)? {
            Ok(content) => content,
            Err(error) => {
                let class = match error.kind() {
                    io::ErrorKind::IsADirectory => Class::ScriptRead,
                    _ => Class::ScriptOpen,
                };
                self.unusable(class, self.reading(step, 0), file, &error);
                return Some(Script::default());
            }
        };
        let mut left = self.context.budget.words.get();
        let words = execline::words_within(&content, &mut left);
        self.context.budget.words.set(left);
        match words {
            Ok(words) => {
                let origin = self.keep(file, &content);
                self.calls(file, &words);
                let form = ProgramForm::CommandLine(ProgramText::of_file(&content, origin));
                self.programs.push(Program { file: file.into(), form, change: None });
                Some(Script::Words(words))
            }
            Err(refusal) => {
                self.refused(file, step, &content, refusal);
                Some(Script::default())
            }
        }
    }

    pub(super) fn refused(&mut self, file: &str, step: CompilerStep, content: &[u8], refusal: Refusal) {
        let class = match refusal {
            Refusal::UnmatchedClose(_) => Class::ScriptUnmatchedClose,
            Refusal::UnmatchedOpen(_) => Class::ScriptUnmatchedOpen,
            _ => Class::ScriptSyntax,
        };
        let (what, label) = refusal.explained();
        let rank = self.reading(step, 0);
        let span = refusal.span();
        let span = span.start..span.end.min(content.len());
        let origin = self.context.origin(file, content, span);
        let name = &self.context.name;
        let message = format!("`{file}` of `{name}` {what}");
        let help = if content.starts_with(b"#!") {
            "this file is not a script but one command line, which s6-rc runs: put the script elsewhere and write its \
             absolute path here"
        } else {
            match refusal {
                Refusal::UnmatchedClose(_) | Refusal::UnmatchedOpen(_) => {
                    "a brace counts only as a word of its own, with blanks around it; quote one that is just text"
                }
                Refusal::OpenQuote(_) => "close it, or write `\\\"` for a quote that is just text",
                Refusal::NumericEscape(_) => "write `\\\\` for a backslash that is just text",
                Refusal::CutShort(_) => "remove it, or finish what it begins",
                Refusal::TooMuch(_) => "put the command into a script of its own",
            }
        };
        self.push(Diagnostic::s6rc(class, rank, message).at(origin, label).help(help));
    }

    pub(super) fn run(&mut self) -> Script {
        let rank = self.reading(CompilerStep::Run, 0);
        let name = &self.context.name;
        let (class, message) = match self.content("run", LONGEST_SCRIPT) {
            Some(Ok(content)) => match self.kind("run") {
                Some(Ok(EntryKind::File)) => {
                    let origin = self.keep("run", &content);
                    self.programs.push(Program::script("run", &content, origin));
                    self.check(&content);
                    self.calls_of_run();
                    return Script::Verbatim(content);
                }
                _ => (Class::RunNotreg, format!("`run` of `{name}` is not a regular file")),
            },
            Some(Err(error)) if error.kind() == io::ErrorKind::IsADirectory => {
                (Class::RunNotreg, format!("`run` of `{name}` is a directory, not a file"))
            }
            Some(Err(error)) => {
                let class = match self.kind("run") {
                    Some(Ok(EntryKind::Other)) => Class::RunNotreg,
                    _ => Class::RunOpen,
                };
                (class, format!("cannot read `run` of `{name}`: {}", reason(&error)))
            }
            None if self.entry("run").is_some() => (
                Class::RunMissing,
                format!("`run` of longrun `{name}` is a symbolic link that leads nowhere"),
            ),
            None => (Class::RunMissing, format!("longrun `{name}` has no `run` file")),
        };
        let help = match class {
            Class::RunMissing if self.entry("up").is_some() => {
                Some("write `oneshot` into `type`, or make `run` the program that keeps running")
            }
            Class::RunMissing => Some("make `run` the program that keeps running, as an executable file"),
            Class::RunNotreg => Some("make it a file, or a link to one"),
            _ => None,
        };
        let origin = self.context.origin(if class == Class::RunMissing { "" } else { "run" }, "", 0..0);
        self.push(
            Diagnostic::s6rc(class, rank, message)
                .at(origin, "s6-rc needs it to start the service")
                .maybe_help(help.map(str::to_owned)),
        );
        self.mark_as_reported("up");
        Script::default()
    }

    /// Reports a fifo, which the compiler would open and then wait for ever.
    pub(super) fn hang(&mut self, file: &str, step: CompilerStep) {
        let rank = self.copying(step);
        let origin = self.context.origin(file, "", 0..0);
        let name = &self.context.name;
        let message = format!("`{file}` of `{name}` is a fifo");
        self.push(
            Diagnostic::s6rc(Class::Hang, rank, message)
                .at(origin, "s6-rc-compile waits here for a writer, for ever")
                .help("remove it, or make it a file"),
        );
    }

    pub(super) fn is_fifo(&self, file: &str) -> bool {
        matches!(self.kind(file), Some(Ok(EntryKind::Fifo)))
    }

    /// `finish`. If the compiler cannot open it, it leaves it out without a message.
    pub(super) fn finish(&mut self) -> Option<Script> {
        let Some(content) = self.content("finish", LONGEST_SCRIPT) else {
            if self.entry("finish").is_some() {
                self.left_out("it is a symbolic link that leads nowhere".into());
            }
            return None;
        };
        match content {
            Ok(_) if self.is_fifo("finish") => {
                self.hang("finish", CompilerStep::Finish);
                None
            }
            Ok(content) => {
                let origin = self.keep("finish", &content);
                self.programs.push(Program::script("finish", &content, origin));
                Some(Script::Verbatim(content))
            }
            // The compiler would copy what s6gen does not read.
            Err(error) if matches!(error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::Other) => {
                self.unusable(Class::FinishCopy, self.copying(CompilerStep::Finish), "finish", &error);
                None
            }
            Err(error) => {
                self.left_out(reason(&error));
                None
            }
        }
    }

    pub(super) fn left_out(&mut self, why: String) {
        let origin = self.context.origin("finish", "", 0..0);
        self.facts.finish_left_out = Some((origin, why));
    }

    /// Keeps the content of a file, because reports may show a part of it. They do not show compiled programs.
    pub(super) fn keep(&mut self, file: &'static str, content: &[u8]) -> Origin {
        let shown = if str::from_utf8(content).is_ok() { content } else { b"" };
        let origin = self.context.origin(file, shown, 0..0);
        self.facts.add_place(file, origin);
        origin
    }
}
