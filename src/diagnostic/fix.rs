//! Changes of files that solve a problem.

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
            Edit::Replace { place, .. } => place.file,
            Edit::Rewrite { file, .. } | Edit::MakeExecutable(file) => *file,
        }
    }
}

impl Fix {
    /// Replaces the bytes at `place`.
    pub fn replace(place: Origin, text: impl Into<String>) -> Fix {
        Edit::Replace { place, text: text.into() }.into()
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
