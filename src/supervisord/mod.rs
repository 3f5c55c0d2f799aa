//! A supervisord configuration, as supervisord 4.3 reads it: its sections with every option and its place, and what the options of
//! each program mean.

mod details;
mod environment;
mod expand;
mod format;
mod lines;
mod options;
mod process;
mod programs;
mod python;
mod reader;
mod server;
mod shlex;
mod text;
mod values;

pub use reader::{ConfigFile, ConfigReading, LARGEST_OF_ALL, UnmatchedInclude};
pub use server::SupervisordOptions;
pub use shlex::{CommandWord, WordPiece, words};
pub use values::signal_name;

use crate::diagnostic::Origin;

/// The sections of one or several files, in the order of their first mention. Sections with one name are one section, and of an
/// option that is written several times the last one counts.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// Every section but `[DEFAULT]`. Each also has the options of `[DEFAULT]` that it does not set itself, at its end.
    pub sections: Vec<ConfigSection>,
    /// `[DEFAULT]`, if it is written.
    pub defaults: Option<ConfigSection>,
    /// The directory of the first file: `%(here)s`.
    pub directory: String,
}

/// A section: `[program:web]`.
#[derive(Debug, Clone)]
pub struct ConfigSection {
    /// The text in the brackets.
    pub name: String,
    /// Its first heading.
    pub origin: Origin,
    /// The comment lines directly above its headings and the comments beside them, without their marks.
    pub comments: Vec<String>,
    /// Its options, in the order in which they are written, also those that a later one replaces.
    pub options: Vec<ConfigOption>,
}

/// An option as written: `autostart = true`.
#[derive(Debug, Clone)]
pub struct ConfigOption {
    /// Its name in lower case.
    pub name: String,
    /// Its value, as Python's RawConfigParser returns it: without comments, its lines joined with a newline.
    pub value: String,
    /// The whole option in the file, from its name to the end of its value.
    pub origin: Origin,
    /// The comment lines directly above it, without their mark.
    pub comments: Vec<String>,
    /// The comment at the end of its first line, without its mark.
    pub comment: Option<String>,
    /// The option that replaces it, if the same name is written again later.
    pub replaced_by: Option<Origin>,
    /// Whether it comes from `[DEFAULT]`.
    pub is_default: bool,
}

/// A text after its expansion: `%(here)s/bin/%(ENV_NAME)s` becomes plain text, a variable and so on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded(pub Vec<Piece>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These characters.
    Plain(String),
    /// The value that the variable `X` has when supervisord starts, of `%(ENV_X)s`.
    Variable(String),
    /// The number of the process, of `%(process_num)02d`, in this Python format: `02d`.
    Number(String),
}

/// A value of an option, which only a variable of the container may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<T> {
    /// This value.
    Known(T),
    /// The value of this text when supervisord starts.
    AtRunTime(Expanded),
}

/// What is known when the options are expanded.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Values of variables: of `--bake`, or the whole environment.
    pub environment: std::collections::BTreeMap<String, String>,
    /// Whether `environment` is the whole environment, so that every other name is an error, as in supervisord.
    pub is_whole_environment: bool,
    /// The value of `%(host_node_name)s`. Without it the text keeps `Piece::Variable("HOSTNAME")`.
    pub host_name: Option<String>,
}

/// The groups and programs that supervisord makes of a configuration, in the order of their sections.
#[derive(Debug, Clone, Default)]
pub struct ConfiguredPrograms {
    /// Sections `program:`, `fcgi-program:` and `eventlistener:`.
    pub programs: Vec<ConfigProgram>,
    /// Sections `group:`.
    pub groups: Vec<ConfigGroup>,
    /// What supervisord refuses, each with its place. A section with a refusal is not in the lists above.
    pub refusals: Vec<ConfigRefusal>,
    /// `[supervisord]`, if it is written.
    pub supervisord: Option<SupervisordOptions>,
}

/// Why supervisord does not start with this configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigRefusal {
    /// The section or option.
    pub origin: Origin,
    /// The reason in one line.
    pub reason: String,
    /// Whether it depends on the machine: accounts, directories, names of hosts.
    pub is_about_machine: bool,
}

/// `[group:NAME]`.
#[derive(Debug, Clone)]
pub struct ConfigGroup {
    /// The number of its section.
    pub section: usize,
    /// Its name.
    pub name: String,
    /// The names of its programs.
    pub programs: Vec<String>,
    /// Its priority, 999 by default. It replaces that of its programs.
    pub priority: Setting<i64>,
}

/// The kinds of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramKind {
    /// `[program:NAME]`.
    Program,
    /// `[fcgi-program:NAME]`.
    FastCgi,
    /// `[eventlistener:NAME]`.
    EventListener,
}

/// A program with what its options mean, defaults included.
#[derive(Debug, Clone)]
pub struct ConfigProgram {
    /// The number of its section.
    pub section: usize,
    /// Its kind.
    pub kind: ProgramKind,
    /// The name of its section.
    pub name: String,
    /// The group in which it is, if another one than its own. A program that several groups name is in the list once for each.
    pub group: Option<String>,
    /// The priority of its group. Of a group of its own it is the priority of the program, or -1 by default for a listener.
    pub group_priority: Setting<i64>,
    /// Its processes, one for each number. If the number is only known at run time, there is one.
    pub processes: Vec<ConfigProcess>,
    /// The text of `numprocs` or `numprocs_start`, if a variable decides it.
    pub numprocs_at_run_time: Option<Expanded>,
    /// Its options, in which the number of the process is kept as `Piece::Number`.
    pub options: ProgramOptions,
    /// For `[fcgi-program:…]`: the option `socket`. In a group with other programs supervisord ignores it, and it is `None`.
    pub socket: Option<Expanded>,
    /// For `[eventlistener:…]`: the names of its events, in upper case.
    pub events: Vec<String>,
}

/// One process of a program.
#[derive(Debug, Clone)]
pub struct ConfigProcess {
    /// Its name, from `process_name`.
    pub name: String,
    /// Its number.
    pub number: i64,
    /// Its options. If an expansion of this number fails, supervisord refuses the program.
    pub options: ProgramOptions,
}

/// What supervisord does when a process ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autorestart {
    /// It starts it again.
    Always,
    /// It starts it again if the code is not one of `exitcodes`.
    Unexpected,
    /// It does not.
    Never,
}

/// A destination of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logfile {
    /// A file with a name of supervisord's choice, below `childlogdir`.
    Automatic,
    /// Nowhere: `NONE` or `OFF`, an empty text, or the old form `syslog`, for which [`OutputOptions::syslog`] is true.
    None,
    /// This path, as written. A relative one is relative to the directory of supervisord. If a variable decides the whole text, it may
    /// also become one of the words above.
    Path(Expanded),
}

/// The options of standard output, or of standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputOptions {
    /// Where it goes.
    pub logfile: Logfile,
    /// The size in bytes at which a new file begins; 0 is never.
    pub maxbytes: Setting<i64>,
    /// How many old files are kept.
    pub backups: Setting<i64>,
    /// The size of the buffer for `PROCESS_COMMUNICATION` events; 0 is none.
    pub capture_maxbytes: Setting<i64>,
    /// Whether each line is an event.
    pub events_enabled: Setting<bool>,
    /// Whether it also goes to the log of the system.
    pub syslog: Setting<bool>,
}

/// What the options of a program mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramOptions {
    /// The command, before it is split into words.
    pub command: Expanded,
    /// `directory`.
    pub directory: Option<Expanded>,
    /// `user`: a name or a number.
    pub user: Option<Expanded>,
    /// `umask`, as a number.
    pub umask: Option<Setting<u32>>,
    /// `priority`, 999 by default.
    pub priority: Setting<i64>,
    /// `autostart`.
    pub autostart: Setting<bool>,
    /// `autorestart`.
    pub autorestart: Setting<Autorestart>,
    /// `startsecs`, in seconds.
    pub startsecs: Setting<i64>,
    /// `startretries`.
    pub startretries: Setting<i64>,
    /// `stopsignal`: the number of the signal.
    pub stopsignal: Setting<i32>,
    /// `stopwaitsecs`, in seconds.
    pub stopwaitsecs: Setting<i64>,
    /// `stopasgroup`.
    pub stopasgroup: Setting<bool>,
    /// `killasgroup`. Its default is `stopasgroup`.
    pub killasgroup: Setting<bool>,
    /// `exitcodes`.
    pub exitcodes: Setting<Vec<i64>>,
    /// `redirect_stderr`.
    pub redirect_stderr: Setting<bool>,
    /// `environment`, in the order of the option.
    pub environment: Vec<EnvironmentValue>,
    /// `stdout_…`.
    pub stdout: OutputOptions,
    /// `stderr_…`.
    pub stderr: OutputOptions,
    /// `serverurl`. `None` is the address of supervisord itself.
    pub serverurl: Option<Expanded>,
}

/// One variable of `environment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentValue {
    /// Its name.
    pub name: String,
    /// The value that supervisord sets.
    pub value: Expanded,
    /// What was probably meant, if supervisord silently keeps only a part of the text.
    pub meant: Option<String>,
}
