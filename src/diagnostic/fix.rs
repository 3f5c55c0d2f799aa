//! Changes of files that solve a problem.

use std::ops::Range;

use super::{FileId, Origin};

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
    /// Gives everybody who may read the file the right to run it.
    MakeExecutable(FileId),
}

impl Edit {
    /// The file that it changes.
    pub fn file(&self) -> FileId {
        match self {
            Edit::Replace { place, .. } | Edit::Word { place, .. } => place.file,
            Edit::Rewrite { file, .. } | Edit::MakeExecutable(file) => *file,
        }
    }

    /// The bytes to replace in a file with this content, and their new text. `None` if it does not change the content.
    pub fn change(&self, content: &[u8]) -> Option<(Range<usize>, &str)> {
        match self {
            Edit::Replace { place, text } => Some((place.span(), text)),
            Edit::Rewrite { text, .. } => Some((0..content.len(), text)),
            Edit::Word { place, old, new } => {
                let (span, written) = (place.span(), content.get(place.span())?);
                let inside =
                    written.len().checked_sub(1).and_then(|end| written.get(1..end)).unwrap_or_default();
                let is_quoted =
                    matches!(written.first(), Some(b'"' | b'\'')) && written.first() == written.last();
                match () {
                    () if written == old.as_bytes() => Some((span, new)),
                    () if is_quoted && inside == old.as_bytes() => Some((span.start + 1..span.end - 1, new)),
                    () => None,
                }
            }
            Edit::MakeExecutable(_) => None,
        }
    }
}

impl Fix {
    /// Replaces the bytes at `place`.
    pub fn replace(place: Origin, text: impl Into<String>) -> Fix {
        Edit::Replace { place, text: text.into() }.into()
    }

    /// Replaces the word `old` by `new`, which must need no quotes.
    pub fn word(place: Origin, old: &str, new: &str) -> Option<Fix> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=".contains(c);
        new.chars()
            .all(is_plain)
            .then(|| Edit::Word { place, old: old.to_owned(), new: new.to_owned() }.into())
    }

    /// Replaces the whole content of a file.
    pub fn rewrite(file: FileId, text: impl Into<String>) -> Fix {
        Edit::Rewrite { file, text: text.into() }.into()
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
