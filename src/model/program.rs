//! The programs of a service, as the user wrote them: in the files of a definition, or in the keys of a manifest. A rule
//! checks a [`Program`] in the same way, wherever it comes from.

use std::borrow::Cow;
use std::ops::Range;

use super::Service;
use crate::diagnostic::{Origin, Positions};
use crate::execline::{self, ExeclineWord};
use crate::shell::{self, Line};

/// A command or script of a service.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file or key that contains it: `run`, `finish`, `up`, `down`, `reload`, `prepare`, `only-if`, `ready.check`, or the
    /// path of a script in the definition that one of these runs.
    pub file: Cow<'static, str>,
    /// The command or script.
    pub form: ProgramForm,
    /// The change that s6gen makes when it writes the program.
    pub change: Option<ProgramChange>,
}

/// A change that s6gen makes in a program of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramChange {
    /// It leaves out `with-contenv` at the beginning of the program.
    WithoutContenv,
    /// It writes `exec` in front of the only command of a script.
    WithExec,
}

/// The forms of a program.
#[derive(Debug, Clone)]
pub enum ProgramForm {
    /// A program and its arguments, run exactly as written, each with its place.
    Arguments(Vec<(String, Positions)>, Origin),
    /// The command line of an `up`, `down` or `reload`, which execline splits into words.
    CommandLine(ProgramText),
    /// A script and its language.
    Script(ProgramText, Language),
}

/// A text with the place of each of its characters.
#[derive(Debug, Clone)]
pub struct ProgramText {
    /// The content as text; empty if it is not UTF-8.
    pub text: String,
    /// The first bytes of a content that is not UTF-8: a compiled program, or a text in another encoding.
    pub binary: Vec<u8>,
    /// The places of its characters.
    pub positions: Positions,
}

/// The language of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A shell.
    Shell,
    /// execline.
    Execline,
    /// Another interpreter.
    Other,
    /// No language: a compiled program, or a text without an interpreter.
    None,
}

/// The number of bytes that are kept of a file that is not text.
const BEGINNING: usize = 512;

impl ProgramText {
    /// The content of a file.
    pub fn of_file(bytes: &[u8], origin: Origin) -> Self {
        let (text, binary) = match str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), Vec::new()),
            Err(_) => (String::new(), bytes[..bytes.len().min(BEGINNING)].to_vec()),
        };
        ProgramText { text, binary, positions: Positions::of_file(origin.file) }
    }

    /// The bytes of the content. If it is not UTF-8, only the first ones.
    pub fn bytes(&self) -> &[u8] {
        if self.binary.is_empty() { self.text.as_bytes() } else { &self.binary }
    }
}

impl Program {
    /// A file that the system starts as a program.
    pub fn script(file: impl Into<Cow<'static, str>>, bytes: &[u8], origin: Origin) -> Self {
        let text = ProgramText::of_file(bytes, origin);
        let language = Language::of(&text.text);
        Program { file: file.into(), form: ProgramForm::Script(text, language), change: None }
    }

    /// The text. A list of arguments has none.
    pub fn text(&self) -> &str {
        match &self.form {
            ProgramForm::Arguments(..) => "",
            ProgramForm::CommandLine(text) | ProgramForm::Script(text, _) => &text.text,
        }
    }

    /// The script, if it is one.
    pub fn as_script(&self) -> Option<(&ProgramText, Language)> {
        match &self.form {
            ProgramForm::Script(text, language) => Some((text, *language)),
            _ => None,
        }
    }

    /// The language of the script. Arguments and command lines have none.
    pub fn language(&self) -> Language {
        self.as_script().map_or(Language::None, |(_, language)| language)
    }

    /// The place of the whole program.
    pub fn origin(&self) -> Origin {
        match &self.form {
            ProgramForm::Arguments(_, origin) => *origin,
            ProgramForm::CommandLine(text) | ProgramForm::Script(text, _) => text.positions.whole(),
        }
    }

    /// The place of a part of its text.
    pub fn at(&self, span: Range<usize>) -> Origin {
        match &self.form {
            ProgramForm::Arguments(_, origin) => *origin,
            ProgramForm::CommandLine(text) | ProgramForm::Script(text, _) => text.positions.at(span),
        }
    }

    /// The place of a part of its text, if it is known to the byte.
    pub fn at_exactly(&self, span: Range<usize>) -> Option<Origin> {
        match &self.form {
            ProgramForm::Arguments(..) => None,
            ProgramForm::CommandLine(text) | ProgramForm::Script(text, _) => text.positions.exactly(span),
        }
    }

    /// The lines of its text that are neither blank nor a comment.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        shell::lines(self.text())
    }

    /// The words of its text, as execline reads them.
    pub fn words(&self) -> Vec<ExeclineWord<'_>> {
        execline::written(self.text())
    }

    /// Whether one of these lines contains the word.
    pub fn has_word(&self, word: &str) -> bool {
        self.text().contains(word) && self.lines().any(|line| line.words().any(|known| known == word))
    }
}

impl Language {
    /// The language that the first line of a text names.
    pub fn of(text: &str) -> Self {
        match text.strip_prefix("#!").and_then(|rest| rest.lines().next()) {
            Some(first) => Language::of_interpreter(first.split_ascii_whitespace()),
            None => Language::None,
        }
    }

    /// The language of an interpreter that is called with these words.
    pub fn of_interpreter<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        for word in words.into_iter().map(|word| word.rsplit('/').next().unwrap_or(word)) {
            match word {
                // These programs run the program that follows.
                "env" | "with-contenv" | "-S" => {}
                "bashio" => return Language::Shell,
                "execlineb" => return Language::Execline,
                word if execline::SHELLS.contains(&word) => return Language::Shell,
                _ => return Language::Other,
            }
        }
        Language::Other
    }
}

impl Service {
    /// The program in the file or key `file`.
    pub fn program(&self, file: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.file == file)
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn env_and_with_contenv_are_not_the_interpreter() {
        let of = |line: &str| Language::of(&format!("{line}\nx\n"));
        assert_eq!(of("#!/command/with-contenv bash"), Language::Shell);
        assert_eq!(of("#!/usr/bin/env bashio"), Language::Shell);
        assert_eq!(of("#!/command/execlineb -P"), Language::Execline);
        assert_eq!(of("#!/usr/bin/python3"), Language::Other);
        assert_eq!(of("web"), Language::None);
    }
}
