//! Reads the files of a definition that contain a number or a signal, and those that are flags.

use std::io;

use super::definition::{DefinitionReader, LONGEST_SCRIPT};
use super::encoding::{NO_MARK, encoding};
use super::number;
use crate::diagnostic::{Class, Diagnostic, Fix, Rank};
use crate::model::{CompilerStep, Written};
use crate::source::{Directory, EntryKind};

impl<D: Directory> DefinitionReader<'_, D> {
    /// A limit of time, which the compiler reads itself.
    pub(super) fn timeout(&mut self, file: &'static str, step: CompilerStep) -> u32 {
        let rank = self.reading(step, 0);
        match self.content(file, 63) {
            None => 0,
            Some(Err(error)) => {
                self.unusable(Class::TimeoutRead, rank, file, &error);
                0
            }
            Some(Ok(content)) => match number::timeout(&content) {
                Some(value) => {
                    self.add_place_of_number(file, &content);
                    value
                }
                None => {
                    self.invalid_number(Class::TimeoutInvalid, rank, file, &content);
                    0
                }
            },
        }
    }

    /// A number that the compiler copies, and whose place a rule needs.
    pub(super) fn placed_number(&mut self, file: &'static str, step: CompilerStep) -> Option<u32> {
        let (value, content) = self.number(file, step)?;
        self.add_place_of_number(file, &content);
        Some(value)
    }

    fn add_place_of_number(&mut self, file: &'static str, content: &[u8]) {
        let end = content.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let origin = self.context.origin(file, content, 0..end);
        self.facts.add_place(file, origin);
    }

    pub(super) fn invalid_number(&mut self, class: Class, rank: Rank, file: &str, content: &[u8]) {
        let milliseconds = file.starts_with("timeout");
        let name = &self.context.name;
        let unit = if milliseconds { " of milliseconds" } else { "" };
        let message = format!("`{file}` of `{name}` is not a number{unit} from 0 to 4294967295");
        let origin = self.context.origin(file, content, 0..content.trim_ascii_end().len());
        let label = match encoding(content) {
            Some(label) => label,
            None if content.trim_ascii().is_empty() => "this file contains no number",
            None => "only digits are allowed",
        };
        let help = match encoding(content) {
            Some(_) => Some(NO_MARK.to_owned()),
            None => number::suggestion(content, milliseconds),
        };
        let fix = number::meant(content, milliseconds).map(|(number, is_certain)| {
            let fix = Fix::rewrite(origin.file, format!("{number}\n"));
            if is_certain { fix } else { fix.likely() }
        });
        self.push(Diagnostic::s6rc(class, rank, message).at(origin, label).maybe_help(help).fix(fix));
    }

    /// Whether a file exists, of any kind.
    pub(super) fn present(&mut self, file: &str, class: Class, rank: Rank) -> bool {
        match self.kind(file) {
            None => false,
            Some(Ok(_)) => true,
            Some(Err(error)) => {
                self.unusable(class, rank, file, &error);
                false
            }
        }
    }

    pub(super) fn flag(&mut self, file: &str, step: CompilerStep) -> bool {
        self.present(file, Class::FlagAccess, self.reading(step, 0))
    }

    pub(super) fn presence_flag(&mut self, file: &str, step: CompilerStep) -> bool {
        self.present(file, Class::EmptyflagAccess, self.copying(step))
    }

    /// A signal. The compiler copies the file unchecked, or leaves it out.
    pub(super) fn copied(&mut self, file: &'static str, step: CompilerStep) -> Option<Vec<u8>> {
        match self.content(file, LONGEST_SCRIPT)? {
            Ok(_) if self.is_fifo(file) => {
                self.hang(file, step);
                None
            }
            Err(error) if error.kind() == io::ErrorKind::Other => {
                self.unusable(Class::Hang, self.copying(step), file, &error);
                None
            }
            content => {
                let content = content.ok()?;
                self.keep(file, &content);
                Some(content)
            }
        }
    }

    pub(super) fn number(&mut self, file: &str, step: CompilerStep) -> Option<(u32, Vec<u8>)> {
        let rank = self.copying(step);
        match self.content(file, 11)? {
            Ok(_) if self.is_fifo(file) => {
                self.hang(file, step);
                None
            }
            Ok(content) => {
                let Some(value) = number::plain(&content) else {
                    self.invalid_number(Class::UintInvalid, rank, file, &content);
                    return None;
                };
                Some((value, content))
            }
            Err(error) => {
                self.unusable(Class::UintRead, rank, file, &error);
                None
            }
        }
    }

    pub(super) fn descriptor(&mut self, file: &str, step: CompilerStep) -> Option<Written<u32>> {
        let (value, content) = self.number(file, step)?;
        let end = content.iter().take_while(|byte| byte.is_ascii_digit()).count();
        Some(Written { value, origin: Some(self.context.origin(file, content, 0..end)) })
    }

    /// Checks `data`, `env` or `template`: if it exists, it must be a directory that can be listed.
    pub(super) fn subdirectory(&mut self, file: &str, step: CompilerStep) {
        let rank = self.copying(step);
        match self.kind(file) {
            None => {}
            // A link is copied as a link, so its target need not be readable.
            Some(Ok(EntryKind::Directory)) if self.entry(file) == Some(EntryKind::Link) => {}
            Some(Ok(EntryKind::Directory)) => {
                let listed = self.directory.directory(file.as_bytes()).and_then(|mut inner| inner.list());
                if let Err(error) = listed {
                    self.unusable(Class::SubdirCopy, rank, file, &error);
                }
            }
            Some(Ok(_)) => {
                let error = io::ErrorKind::NotADirectory.into();
                self.unusable(Class::SubdirNotdir, rank, file, &error);
            }
            Some(Err(error)) => self.unusable(Class::SubdirStat, rank, file, &error),
        }
    }
}
