//! Facts about a definition directory that s6-rc-compile does not check. The lints use them.

use super::{Name, Service, ServiceRef};
use crate::diagnostic::Origin;

/// The parts of a definition directory that `s6-rc-compile` does not check: the files that it copies blindly, and those
/// that it leaves out without a message.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// Entries that mean nothing to s6-rc in a service of this type.
    pub ignored: Vec<Ignored>,
    /// The names in the file of a list that the directory of the same list overrides, and the place of the file.
    pub hidden: Option<(Vec<ServiceRef>, Origin)>,
    /// The place of text after the type in the `type` file.
    pub text_after_type: Option<Origin>,
    /// Files of the definition that another of its files runs: by the path in `up`, or by a readiness check.
    pub called: Vec<Called>,
    /// Absolute paths in a command line that do not exist in the tree.
    pub missing: Vec<Missing>,
    /// Scripts of other services that a command line names, although there is a script of this service at the same place.
    pub confused: Vec<Confused>,
    /// Files in a list directory that contain names. s6-rc does not read their contents.
    pub written_lists: Vec<(Name, Origin, Vec<Name>)>,
    /// How the service starts, if s6gen made this definition and its receipt records that.
    pub recorded_start: Option<StartKind>,
    /// Why `finish` cannot be read; the service is then compiled without it.
    pub finish_left_out: Option<(Origin, String)>,
    /// The places of the files whose values in the model have no place.
    places: Vec<(&'static str, Origin)>,
}

impl Definition {
    /// Stores the place of a file.
    pub fn add_place(&mut self, file: &'static str, origin: Origin) {
        self.places.push((file, origin));
    }

    /// The place of a file.
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
    /// Whether s6-rc knows the name: in a service of another type, or in another version.
    pub is_known: bool,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Whether it is a file without content, if it is a script or s6-rc does not know its name.
    pub is_empty: bool,
}

/// How a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartKind {
    /// It is in a start bundle.
    AtBoot,
    /// Something that starts needs it, or it starts on demand.
    WhenNeeded,
}

/// A path that leads nowhere.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The file that names it.
    pub by: &'static str,
    /// How the file names it.
    pub how: ScriptUse,
    /// The path as it is written.
    pub path: String,
    /// The most similar path that exists, and the file there.
    pub nearest: Option<(String, Origin)>,
    /// Whether only a Dockerfile that mentions the path could add the file.
    pub may_be_added: bool,
    /// Why nothing is there.
    pub why: Absence,
}

/// Why there is nothing at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The tree has no such file.
    NoFile,
    /// It is a path in the directory of the service, into which s6-rc copies only `data` and `env`. The place is that of the
    /// file in the definition, if there is one.
    NotCopied(Option<Origin>),
    /// It is a relative path in a oneshot, which does not start in its own directory. The place is as above.
    Oneshot(Option<Origin>),
}

/// A script of another service in place of a script of this one.
#[derive(Debug, Clone)]
pub struct Confused {
    /// The file that names it.
    pub by: &'static str,
    /// The path as it is written.
    pub path: String,
    /// The other service.
    pub other: String,
    /// The same path with the name of this service, at which there is a file.
    pub own: String,
    /// That file.
    pub origin: Origin,
}

/// A file of a definition that another of its files runs.
#[derive(Debug, Clone)]
pub struct Called {
    /// The file that runs it.
    pub by: &'static str,
    /// How the file names it.
    pub how: ScriptUse,
    /// Its path in the definition.
    pub path: String,
    /// Where it is, or should be.
    pub origin: Origin,
    /// What is at the path.
    pub found: Found,
}

/// How a file names a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptUse {
    /// The word of a command line with this position.
    Word(usize),
    /// `run` calls a program that runs the script.
    Check,
    /// `run` starts it as a program.
    Runs,
    /// `run` starts a shell that reads it.
    Reads,
}

/// What is at a path.
#[derive(Debug, Clone)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Something that is not a readable file: a directory, or an entry that cannot be read.
    Something,
    /// A file.
    File {
        /// Whether it has an x bit.
        executable: bool,
    },
}

impl Service {
    /// The facts about its definition directory, if it was read from a tree.
    pub fn definition(&self) -> Option<&Definition> {
        self.definition.as_deref()
    }
}
