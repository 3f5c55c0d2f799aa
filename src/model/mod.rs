//! The model: services and their dependencies, in the terms of s6-rc.
//!
//! A [`ServiceSet`] may have errors. `resolve` makes it from a manifest, `import` makes it from a source directory, `validate`
//! checks it, and `render` turns it into text. Every mention of a service has the place where it is written. A field has the
//! name of the file in an s6-rc definition, with `_` for `-`.

mod build_context;
mod call;
mod components;
mod container_variable;
mod database;
mod definition;
mod file_map;
mod files;
mod index;
mod literal;
mod members;
mod name;
mod printable;
mod program;
mod reading;
mod script;
mod signal;
mod snapshot;
mod target;

pub use build_context::{BuildContext, OldScripts};
pub use call::{CallRole, CallWord, Invocation};
pub use components::components;
pub use container_variable::{ContainerVariable, EnvironmentFile, Inputs, is_variable_name};
pub use database::{Database, Entry, Words, from_json_text, json_text};
pub use definition::{Absence, Called, Confused, Definition, Found, Ignored, Missing, ScriptUse, StartKind};
pub use file_map::FileMap;
pub use files::{CompilerStep, Content, DEFINITION_FILES, DefinitionFile};
pub use index::{Edge, Index, Node, NodeKind, Why};
pub use literal::{Literal, LiteralForm, variable};
pub use members::Members;
pub use name::Name;
pub use printable::{is_printable, printable, printable_lines};
pub use program::{Language, Program, ProgramChange, ProgramForm, ProgramText};
pub use reading::{CallOutput, ProgramReading, ScriptEnding, mark_processes, readings};
pub use script::{
    Account, Alive, Command, Consequence, EarlyDeaths, ExitRule, Finish, InARow, JsonLines, Late, Logger,
    OnExit, OnFailure, OneshotStep, Pause, Poll, Question, ReadinessCheck, RestartDelay, Run, Script, Sink,
    Stderr, Surroundings, WaitFor,
};
pub use signal::SIGNALS;
pub use snapshot::{DefinitionFiles, Settings, Snapshot};
pub use target::{Feature, System, Target, Version};

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::diagnostic::Origin;

/// The services of one system, in definition order, the two internal ones of s6-rc first.
#[derive(Debug, Clone)]
pub struct ServiceSet {
    /// The definitions.
    pub services: Vec<Service>,
    /// The system they are for.
    pub target: Target,
    /// Files beside the definitions that belong into a definition, and their places.
    pub stray: Vec<(Name, Origin)>,
    /// The files around the definitions, as far as they are known.
    pub context: BuildContext,
}

/// The longrun that runs the scripts of oneshots. s6-rc defines it.
pub const ONESHOT_RUNNER: &str = "s6rc-oneshot-runner";
/// The longrun that keeps the pipes between producers and consumers open. s6-rc defines it.
pub const FDHOLDER: &str = "s6rc-fdholder";

impl ServiceSet {
    /// A set with only the two services that s6-rc adds to every database.
    pub fn new(target: Target) -> Self {
        let internal = |name: &str| Service {
            layer: Layer::Internal,
            flag_essential: true,
            ..Service::new(name.into(), None, Kind::Longrun(Box::default()))
        };
        ServiceSet {
            services: vec![internal(ONESHOT_RUNNER), internal(FDHOLDER)],
            target,
            stray: Vec::new(),
            context: BuildContext::default(),
        }
    }

    /// The definitions of this manifest or tree, without those of other layers.
    pub fn ours(&self) -> impl Iterator<Item = &Service> {
        self.services.iter().filter(|s| s.layer == Layer::Ours)
    }
}

/// One definition.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name.
    pub name: Name,
    /// Where it is defined.
    pub origin: Option<Origin>,
    /// Who defines it.
    pub layer: Layer,
    /// Position of its source directory among the sources, and of the definition in it.
    pub place: (u32, u32),
    /// The description that the user wrote.
    pub description: Option<String>,
    /// Stopped only by `s6-rc -D`. On a bundle it stands for every member.
    pub flag_essential: bool,
    /// A hint for s6-rc's repository tools; no effect under s6-overlay.
    pub flag_recommended: bool,
    /// Whether a part of the definition could not be read, which was reported. Its lists may lack names.
    pub incomplete: bool,
    /// Its programs, as the user wrote them.
    pub programs: Vec<Program>,
    /// The variables of the container that it uses.
    pub variables: Vec<ContainerVariable>,
    /// Texts that look as if something expands them.
    pub literals: Vec<Literal>,
    /// Facts that s6-rc does not check, if the definition was read from a tree.
    pub definition: Option<Box<Definition>>,
    /// Dependencies that this manifest adds to a definition of another layer.
    pub extended_by: Vec<ServiceRef>,
    /// Everything that depends on the type.
    pub kind: Kind,
}

impl Service {
    /// A definition of this manifest or tree, with nothing else set.
    pub fn new(name: Name, origin: Option<Origin>, kind: Kind) -> Self {
        Service {
            name,
            origin,
            layer: Layer::Ours,
            place: (0, 0),
            description: None,
            flag_essential: false,
            flag_recommended: false,
            incomplete: false,
            programs: Vec::new(),
            variables: Vec::new(),
            literals: Vec::new(),
            definition: None,
            extended_by: Vec::new(),
            kind,
        }
    }

    /// Its dependencies, as written.
    pub fn dependencies(&self) -> &[ServiceRef] {
        match &self.kind {
            Kind::Longrun(longrun) => &longrun.dependencies,
            Kind::Oneshot(oneshot) => &oneshot.dependencies,
            Kind::Bundle(_) | Kind::Unknown => &[],
        }
    }

    /// The longrun, if it is one.
    pub fn longrun(&self) -> Option<&Longrun> {
        match &self.kind {
            Kind::Longrun(longrun) => Some(longrun),
            _ => None,
        }
    }

    /// Limits for starting and for stopping, in milliseconds; 0 means none.
    pub fn timeouts(&self) -> (u32, u32) {
        match &self.kind {
            Kind::Longrun(longrun) => (longrun.timeout_up, longrun.timeout_down),
            Kind::Oneshot(oneshot) => (oneshot.timeout_up, oneshot.timeout_down),
            Kind::Bundle(_) | Kind::Unknown => (0, 0),
        }
    }
}

/// Who defines a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The manifest, or the tree that is checked.
    Ours,
    /// s6-overlay itself.
    Overlay,
    /// Another layer of the image. Only the name is known.
    External,
    /// s6-rc itself, which adds it to every database.
    Internal,
}

/// The three types of s6-rc, and a kind for names that are known to exist and nothing else.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A process that is kept running.
    Longrun(Box<Longrun>),
    /// A step that is done once, and may be undone.
    Oneshot(Box<Oneshot>),
    /// One name for several services.
    Bundle(Bundle),
    /// Defined in another layer, or a definition whose type cannot be read.
    Unknown,
}

impl Kind {
    /// The word of the `type` file.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Longrun(_) => "longrun",
            Kind::Oneshot(_) => "oneshot",
            Kind::Bundle(_) => "bundle",
            Kind::Unknown => "unknown",
        }
    }
}

/// A mention of a service, with its place.
#[derive(Debug, Clone)]
pub struct ServiceRef {
    /// The name that is mentioned.
    pub name: Name,
    /// The place of the mention.
    pub origin: Option<Origin>,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// The place. `None` for a default of s6gen.
    pub origin: Option<Origin>,
}

/// A supervised process.
#[derive(Debug, Clone, Default)]
pub struct Longrun {
    /// The services that must be up before it starts.
    pub dependencies: Vec<ServiceRef>,
    /// Milliseconds that it may take to become up and ready; 0 is no limit.
    pub timeout_up: u32,
    /// Milliseconds that a stop may take before it counts as failed; 0 is no limit.
    pub timeout_down: u32,
    /// The process.
    pub run: Script,
    /// What runs after each death.
    pub finish: Option<Script>,
    /// The consumer of its standard output: one name. A faulty tree may have none or several.
    pub producer_for: Option<Vec<ServiceRef>>,
    /// The producers that it reads from.
    pub consumer_for: Vec<ServiceRef>,
    /// The name of the bundle of the whole pipeline, on its last consumer: one name. A faulty tree may have none or several.
    pub pipeline_name: Option<Vec<ServiceRef>>,
    /// The descriptor on which it reports that it is ready.
    pub notification_fd: Option<Written<u32>>,
    /// The descriptor of the lock that keeps a second copy from starting.
    pub lock_fd: Option<Written<u32>>,
    /// Milliseconds between the stop signal and SIGKILL; 0 means that SIGKILL never comes.
    pub timeout_kill: Option<u32>,
    /// SIGKILL goes to the whole process group.
    pub flag_timeout_killpg: bool,
    /// Milliseconds that `finish` may take; 0 is no limit. The default of s6 is 5000.
    pub timeout_finish: Option<u32>,
    /// How many deaths s6-supervise remembers; the default of s6 is 100.
    pub max_death_tally: Option<u32>,
    /// The signal that stops it, as written to the file; the default of s6 is SIGTERM.
    pub down_signal: Option<Vec<u8>>,
    /// The signal that makes it reload; the default of s6 is SIGHUP.
    pub reload_signal: Option<Vec<u8>>,
    /// `run` is pid 1 of its own PID name space.
    pub flag_newpidns: bool,
    /// The readiness check, written to `data/check`.
    pub check: Option<Script>,
    /// The check whether it still works, written to `data/check-alive`.
    pub check_alive: Option<Script>,
    /// Further files of the definition directory by path.
    pub files: BTreeMap<String, File>,
}

/// A step that is done once.
#[derive(Debug, Clone, Default)]
pub struct Oneshot {
    /// The services that must be up before `up` runs.
    pub dependencies: Vec<ServiceRef>,
    /// Milliseconds that `up` may take; 0 is no limit.
    pub timeout_up: u32,
    /// Milliseconds that `down` may take; 0 is no limit.
    pub timeout_down: u32,
    /// The command that does it.
    pub up: Script,
    /// The command that undoes it.
    pub down: Option<Script>,
    /// The command that `s6-rc reload` runs.
    pub reload: Option<Script>,
    /// The variable of the container that gets the output of `up`.
    pub sets: Option<Written<String>>,
    /// The check whether what it waits for is there, written to `data/check`.
    pub check: Option<Script>,
    /// Further files of the definition directory by path.
    pub files: BTreeMap<String, File>,
}

/// One name for several services.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Its members. An inner bundle stands for its own members.
    pub contents: Vec<ServiceRef>,
    /// Set if it is the bundle of all instances of a template of a manifest.
    pub template: Option<Box<InstanceBundle>>,
}

/// What the bundle of all instances of a template says about the template.
#[derive(Debug, Clone)]
pub struct InstanceBundle {
    /// The service that an instance would be, if there is none yet.
    pub stand_in: Option<Service>,
    /// Whether that service would start at boot.
    pub starts_at_boot: bool,
}

/// A file of the user, written unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The content. A script of s6gen itself, which thousands of services may have, is borrowed.
    pub content: Cow<'static, [u8]>,
    /// Whether it gets the x bit.
    pub executable: bool,
}
