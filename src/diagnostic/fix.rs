//! Changes of files that solve a problem.

use std::borrow::Cow;
use std::ops::Range;

use super::{FileId, Origin};

/// Whether the problems of a code have a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FixKind {
    /// There is one right answer. Where a single problem has only a likely one, its [`Fix`] says that.
    Safe,
    /// The answer is only likely, or may change what the services do.
    Unsafe,
    /// There is no fix, for this reason.
    Without(&'static str),
}

impl FixKind {
    /// Whether there is a fix.
    pub fn is_some(self) -> bool {
        !matches!(self, FixKind::Without(_))
    }

    /// Its name in lists.
    pub fn name(self) -> &'static str {
        match self {
            FixKind::Safe => "safe",
            FixKind::Unsafe => "unsafe",
            FixKind::Without(_) => "none",
        }
    }

    /// Why there is no fix.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            FixKind::Without(reason) => Some(reason),
            _ => None,
        }
    }
}

/// A change that solves a problem and does nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Whether it is certainly what the author wants. If not, it is only likely, as with a similar name.
    pub is_safe: bool,
    /// The changes of files. Each one is right by itself.
    pub edits: Vec<Edit>,
}

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Replaces bytes. An empty range inserts text.
    Replace {
        /// The bytes to replace.
        place: Origin,
        /// The new text.
        text: String,
    },
    /// Replaces a word, if it is written there, and keeps quotes around it.
    Word {
        /// The place of the word, with or without quotes.
        place: Origin,
        /// The word.
        old: String,
        /// The new word.
        new: String,
    },
    /// Replaces the whole content.
    Rewrite {
        /// The file.
        file: FileId,
        /// The new content.
        text: String,
    },
    /// Adds words behind a word of a command.
    Append {
        /// The place of the word, with its quotes if it is in an array.
        place: Origin,
        /// The new words, which must need no quotes.
        words: Vec<&'static str>,
        /// Whether the command is an array.
        is_array: bool,
    },
    /// Gives everybody who may read the file the right to run it.
    MakeExecutable(FileId),
    /// Makes a new file.
    Create {
        /// A file in the directory to which `name` is relative.
        beside: FileId,
        /// The path of the new file.
        name: String,
        /// The content.
        text: String,
    },
    /// Moves a file or directory to a path where nothing is.
    Move {
        /// A file in the directory to which both paths are relative.
        beside: FileId,
        /// The old path.
        from: String,
        /// The new path.
        to: String,
    },
}

impl Edit {
    /// The file that it changes.
    pub fn file(&self) -> FileId {
        match self {
            Edit::Replace { place, .. } | Edit::Word { place, .. } | Edit::Append { place, .. } => place.file,
            Edit::Rewrite { file, .. } | Edit::MakeExecutable(file) => *file,
            Edit::Create { beside, .. } | Edit::Move { beside, .. } => *beside,
        }
    }

    /// The bytes to replace in a file with this content, and their new text. `None` if it does not change the content.
    pub fn change(&self, content: &[u8]) -> Option<(Range<usize>, Cow<'_, str>)> {
        match self {
            Edit::Replace { place, text } => Some((place.span(), text.into())),
            Edit::Rewrite { text, .. } => Some((0..content.len(), text.into())),
            Edit::Word { place, old, new } => {
                let (span, written) = (place.span(), content.get(place.span())?);
                let inside =
                    written.len().checked_sub(1).and_then(|end| written.get(1..end)).unwrap_or_default();
                let is_quoted = quote(written).is_some();
                match () {
                    () if written == old.as_bytes() => Some((span, new.into())),
                    () if is_quoted && inside == old.as_bytes() => {
                        Some((span.start + 1..span.end - 1, new.into()))
                    }
                    () => None,
                }
            }
            Edit::Append { place, words, is_array } => {
                let quote = quote(content.get(place.span())?);
                let new = |word: &&str| match quote.filter(|_| *is_array) {
                    Some(quote) => format!(", {quote}{word}{quote}"),
                    None => format!(" {word}"),
                };
                let end = place.span().end;
                let fits = !*is_array || quote.is_some();
                fits.then(|| (end..end, words.iter().map(new).collect::<String>().into()))
            }
            Edit::MakeExecutable(_) | Edit::Create { .. } | Edit::Move { .. } => None,
        }
    }
}

/// The quote around a word, if there is one.
fn quote(written: &[u8]) -> Option<char> {
    let first = written.first().filter(|first| written.len() > 1 && written.last() == Some(first))?;
    matches!(first, b'"' | b'\'').then_some(char::from(*first))
}

/// Whether a text needs no quotes, as a word or as the name of a file.
pub fn is_plain_word(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@=".contains(c))
}

impl Fix {
    /// Replaces the bytes at `place`.
    pub fn replace(place: Origin, text: impl Into<String>) -> Fix {
        Edit::Replace { place, text: text.into() }.into()
    }

    /// Replaces the word `old` by `new`, which must need no quotes.
    pub fn word(place: Origin, old: &str, new: &str) -> Option<Fix> {
        is_plain_word(new).then(|| Edit::Word { place, old: old.to_owned(), new: new.to_owned() }.into())
    }

    /// Replaces the whole content of a file.
    pub fn rewrite(file: FileId, text: impl Into<String>) -> Fix {
        Edit::Rewrite { file, text: text.into() }.into()
    }

    /// Makes a new file at a path relative to the directory of `beside`.
    pub fn create(beside: FileId, name: impl Into<String>, text: &str) -> Fix {
        Edit::Create { beside, name: name.into(), text: text.to_owned() }.into()
    }

    /// Says that it is only likely to be what the author wants.
    #[must_use]
    pub fn likely(self) -> Fix {
        Fix { is_safe: false, ..self }
    }
}

impl From<Edit> for Fix {
    fn from(edit: Edit) -> Fix {
        vec![edit].into()
    }
}

impl From<Vec<Edit>> for Fix {
    fn from(edits: Vec<Edit>) -> Fix {
        Fix { is_safe: true, edits }
    }
}
