//! Facts about a definition directory that s6-rc-compile does not check. The lints use them.

use super::{Name, Service, ServiceRef};
use crate::diagnostic::Origin;

/// A definition directory as it was read from a tree, as far as `s6-rc-compile` does not look at it: what it copies
/// blindly, and what it leaves out without a word.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// Entries that mean nothing to s6-rc in a service of this type.
    pub ignored: Vec<Ignored>,
    /// The names of a list file that the directory of the same list hides, and the place of the file.
    pub hidden: Option<(Vec<ServiceRef>, Origin)>,
    /// What stands in `type` behind the type.
    pub behind_type: Option<Origin>,
    /// Files of the definition that are run by others of its files: by the path in `up`, or by a readiness check.
    pub called: Vec<Called>,
    /// Absolute paths that a command line names, where the tree has nothing.
    pub missing: Vec<Missing>,
    /// Files of a list that is a directory, by the names that stand in them. s6-rc does not read these.
    pub written_lists: Vec<(Name, Origin, Vec<Name>)>,
    /// What s6gen meant with this definition, if it made it.
    pub made: Option<Made>,
    /// Why `finish` cannot be read; the service is then compiled without it.
    pub finish_left_out: Option<(Origin, String)>,
    /// Where single files are, for those whose value has no place of its own.
    places: Vec<(&'static str, Origin)>,
}

impl Definition {
    /// Remembers where a file is.
    pub fn add_place(&mut self, file: &'static str, origin: Origin) {
        self.places.push((file, origin));
    }

    /// Where a file is.
    pub fn place(&self, file: &str) -> Option<Origin> {
        self.places.iter().find(|(known, _)| *known == file).map(|(_, origin)| *origin)
    }
}

/// An entry of a definition directory that s6-rc does not read.
#[derive(Debug, Clone)]
pub struct Ignored {
    /// Its name.
    pub name: Vec<u8>,
    /// Its place.
    pub origin: Origin,
    /// Whether it would mean something in a service of another type, or did so in other versions.
    pub is_known: bool,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Whether it is a file without content.
    pub is_empty: bool,
}

/// When a definition that s6gen made starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It stands in a start bundle.
    Started,
    /// Something that starts needs it, or it starts on demand.
    Needed,
}

/// A path that leads nowhere.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The file that names it.
    pub by: &'static str,
    /// Position of the word among the words of that file.
    pub word: usize,
    /// The path as it is written.
    pub path: String,
    /// The nearest path that leads somewhere, and what is there.
    pub nearest: Option<(String, Origin)>,
}

/// A file of a definition that another of its files runs.
#[derive(Debug, Clone)]
pub struct Called {
    /// The file that runs it.
    pub by: &'static str,
    /// Position of the word that names it among the words of that file, for command lines.
    pub word: Option<usize>,
    /// Its path in the definition.
    pub path: String,
    /// Where it is, or should be.
    pub origin: Origin,
    /// What is there.
    pub found: Found,
}

/// What is at a path.
#[derive(Debug, Clone)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Something of which no more is known: a directory, or what cannot be read.
    Something,
    /// A file.
    File {
        /// Whether it has an x bit.
        executable: bool,
    },
}

impl Service {
    /// What was read of its definition directory, if it comes from a tree.
    pub fn definition(&self) -> Option<&Definition> {
        self.definition.as_deref()
    }
}
