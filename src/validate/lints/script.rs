use std::ops::Range;

use crate::diagnostic::Origin;
use crate::model::{Definition, Found, Kind, Script, Service};

/// Who reads a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// A shell, by the first line.
    Shell,
    /// execline, by the first line.
    Execline,
    /// Another interpreter.
    Other,
    /// Nobody: a program, or a text without an interpreter.
    Nobody,
}

/// A file that is started as a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Started<'a> {
    /// Its path in the definition.
    pub(super) file: &'a str,
    /// The file as a whole.
    pub(super) origin: Origin,
    /// The content.
    pub(super) bytes: &'a [u8],
    /// The content, if it is text; else nothing.
    pub(super) text: &'a str,
    /// Who reads it.
    pub(super) language: Language,
}

/// The process of a service from a tree.
pub(super) fn run<'a>(service: &'a Service, definition: &'a Definition) -> Option<Started<'a>> {
    let longrun = service.longrun()?;
    Started::of("run", definition, &longrun.run)
}

/// What follows each death of a service from a tree.
pub(super) fn finish<'a>(service: &'a Service, definition: &'a Definition) -> Option<Started<'a>> {
    let longrun = service.longrun()?;
    Started::of("finish", definition, longrun.finish.as_ref()?)
}

/// Everything of a definition that is started as a program.
pub(super) fn started<'a>(service: &'a Service, definition: &'a Definition) -> Vec<Started<'a>> {
    let mut all: Vec<Started<'_>> = Vec::new();
    if matches!(service.kind, Kind::Longrun(_)) {
        all.extend(run(service, definition));
        all.extend(finish(service, definition));
    }
    for called in &definition.called {
        if let Found::File { bytes, .. } = &called.found
            && all.iter().all(|known| known.file != called.path)
        {
            all.push(Started::new(&called.path, called.origin, bytes));
        }
    }
    all
}

impl<'a> Started<'a> {
    fn of(file: &'static str, definition: &'a Definition, script: &'a Script) -> Option<Self> {
        let (Script::Verbatim(bytes), Some(origin)) = (script, definition.place(file)) else { return None };
        Some(Started::new(file, origin, bytes))
    }

    fn new(file: &'a str, origin: Origin, bytes: &'a [u8]) -> Self {
        let text = str::from_utf8(bytes).unwrap_or_default();
        Started { file, origin, bytes, text, language: language(text) }
    }

    /// A part of the file.
    pub(super) fn at(&self, span: Range<usize>) -> Origin {
        Origin::new(self.origin.file, span)
    }

    /// The lines that do something.
    pub(super) fn code(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        code(self.text)
    }

    /// Whether a line that does something contains the word.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.text.contains(word) && self.code().any(|line| line.words().any(|known| known == word))
    }
}

fn language(text: &str) -> Language {
    let Some(first) = text.strip_prefix("#!").and_then(|rest| rest.lines().next()) else {
        return Language::Nobody;
    };
    let words = first.split_ascii_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    for word in words {
        match word {
            // Each of them starts the next word.
            "env" | "with-contenv" | "-S" => {}
            "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh" | "bashio" => return Language::Shell,
            "execlineb" => return Language::Execline,
            _ => return Language::Other,
        }
    }
    Language::Other
}

/// A line, those that it continues on included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Offset in the text.
    pub(super) start: usize,
    /// Without blanks at the ends.
    pub(super) text: &'a str,
}

impl<'a> Line<'a> {
    /// The bytes of the line.
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Its words, without quotes and what separates commands.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let between = |c: char| c.is_whitespace() || ";|&(){}\"'`<>\\".contains(c);
        self.text.split(between).filter(|word| !word.is_empty())
    }

    /// The bytes of a word that is a part of the line.
    pub(super) fn span_of(&self, word: &str) -> Range<usize> {
        match self.text.find(word) {
            Some(at) => self.start + at..self.start + at + word.len(),
            None => self.span(),
        }
    }
}

/// The lines of a script that are neither blank nor a comment.
fn code(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at;
            let end = line_end(text, at);
            at = end + 1;
            let trimmed = text[start..end].trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let mut end = end;
            while text[start..end].trim_end_matches('\r').ends_with('\\') && end < text.len() {
                end = line_end(text, end + 1);
                at = end + 1;
            }
            let line = &text[start..end];
            let start = start + line.len() - line.trim_start().len();
            return Some(Line { start, text: line.trim() });
        }
        None
    })
}

fn line_end(text: &str, from: usize) -> usize {
    text[from.min(text.len())..].find('\n').map_or(text.len(), |newline| from + newline)
}

/// A word of an execline command line as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    /// Offset in the text.
    pub(super) start: usize,
    /// As written, quotes included.
    pub(super) text: &'a str,
    /// How many blocks it is in.
    pub(super) depth: usize,
    /// The line's first word stands here.
    pub(super) first_of_line: bool,
    /// The line begins with blanks, or the one before it ends with a backslash.
    pub(super) continues: bool,
}

impl Written<'_> {
    /// Its bytes.
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Whether something in it is quoted.
    pub(super) fn is_quoted(&self) -> bool {
        self.text.contains(['"', '\\'])
    }

    /// The last component, for words that name a program.
    pub(super) fn program(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or(self.text)
    }
}

/// The words of an execline command line as they are written; braces that make blocks are words too.
pub(super) fn written(text: &str) -> Vec<Written<'_>> {
    let bytes = text.as_bytes();
    let mut words: Vec<Written<'_>> = Vec::new();
    let (mut at, mut depth) = (0, 0usize);
    let (mut first_of_line, mut continues) = (true, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => {
                continues = text[..at].trim_end_matches('\r').ends_with('\\')
                    || matches!(bytes.get(at + 1), Some(b' ' | b'\t'));
                first_of_line = true;
                at += 1;
            }
            byte if byte <= b' ' => at += 1,
            b'\\' if matches!(bytes.get(at + 1), Some(b'\n' | b'\r') | None) => at += 1,
            b'#' => at = line_end(text, at),
            _ => {
                let start = at;
                let mut quoted = false;
                while at < bytes.len() && (quoted || bytes[at] > b' ') {
                    match bytes[at] {
                        b'\\' => at += 1,
                        b'"' => quoted = !quoted,
                        _ => {}
                    }
                    at += 1;
                }
                at = at.min(bytes.len());
                let word = text.get(start..at).unwrap_or_default();
                if word == "}" {
                    depth = depth.saturating_sub(1);
                }
                words.push(Written { start, text: word, depth, first_of_line, continues });
                if word == "{" {
                    depth += 1;
                }
                first_of_line = false;
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_to_the_end_of_what_it_continues_on() {
        let text = "#!/bin/sh\n# no\n\n  exec \\\n    web --x\nlast\n";
        let lines: Vec<&str> = code(text).map(|line| line.text).collect();
        assert_eq!(lines, ["exec \\\n    web --x", "last"]);
        assert!(code(text).all(|line| text[line.span()] == *line.text));
    }

    #[test]
    fn the_interpreter_behind_env_and_with_contenv_counts() {
        let of = |line: &str| language(&format!("{line}\nx\n"));
        assert_eq!(of("#!/command/with-contenv bash"), Language::Shell);
        assert_eq!(of("#!/usr/bin/env bashio"), Language::Shell);
        assert_eq!(of("#!/command/execlineb -P"), Language::Execline);
        assert_eq!(of("#!/usr/bin/python3"), Language::Other);
        assert_eq!(of("web"), Language::Nobody);
    }

    #[test]
    fn words_keep_their_place_and_their_depth() {
        let text = "if { test -e \"/a b\" } # no\nx é\\\n y";
        let words: Vec<_> = written(text).into_iter().map(|word| (word.text, word.depth)).collect();
        assert_eq!(
            words,
            [
                ("if", 0),
                ("{", 0),
                ("test", 1),
                ("-e", 1),
                ("\"/a b\"", 1),
                ("}", 0),
                ("x", 0),
                ("é\\\n", 0),
                ("y", 0)
            ]
        );
        assert!(written("\"").len() == 1 && written("\\").is_empty());
    }
}
