//! What the generated scripts of a service do: the data with which their templates are filled.

use serde::Serialize;

use crate::diagnostic::Origin;

/// What `run`, `finish`, `up`, `down` or `reload` does.
#[derive(Debug, Clone, Serialize)]
pub enum Script {
    /// The file as it was read from a tree.
    Verbatim(Vec<u8>),
    /// The command line that s6-rc-compile made of an `up`, `down` or `reload` read from a tree.
    Words(Vec<Vec<u8>>),
    /// Generated: the process of a longrun.
    Run(Box<Run>),
    /// Generated: a logger.
    Logger(Box<Logger>),
    /// Generated: a step of a oneshot.
    Step(Box<OneshotStep>),
    /// Generated: what follows a death.
    Finish(Box<Finish>),
    /// Generated: the question whether a service is ready.
    Check(Box<ReadinessCheck>),
}

impl Default for Script {
    fn default() -> Self {
        Script::Verbatim(Vec::new())
    }
}

/// A program and its arguments, or a script of the user's.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(tag = "form", rename_all = "lowercase")]
pub enum Command {
    /// Exactly these words.
    Exec {
        /// Program and arguments.
        words: Vec<String>,
    },
    /// A text that an interpreter reads.
    Script {
        /// The interpreter of its first line, `/bin/sh -e` if it has none.
        interpreter: Vec<String>,
        /// The text, first line included.
        text: String,
    },
}

/// The account whose rights a process gets.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Account {
    /// The account by name; numeric ids have none.
    pub name: Option<String>,
    /// The group, where it is another than the account's own.
    pub group: Option<String>,
    /// `uid:gid`, where the account was given by number.
    pub ids: Option<String>,
}

/// Where standard error goes.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(tag = "to", rename_all = "lowercase")]
pub enum Stderr {
    /// Unchanged: the container's log.
    Container,
    /// To where standard output goes.
    Stdout,
    /// Nowhere.
    Discard,
    /// Into a fifo that a logger of its own reads.
    Fifo {
        /// Its path.
        path: String,
    },
}

/// What surrounds a program: its environment, its rights and its limits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Surroundings {
    /// The container's environment is loaded first.
    pub with_contenv: bool,
    /// Variables in order; PATH is kept apart because everything before the program is found by the old one.
    pub environment: Vec<(String, String)>,
    /// PATH for the program itself.
    pub path: Option<String>,
    /// HOME, USER and LOGNAME that the account brings and `environment` does not set.
    pub account_variables: Vec<String>,
    /// The file mode mask, in octal.
    pub umask: Option<String>,
    /// The working directory.
    pub workdir: Option<String>,
    /// The rights it runs with.
    pub user: Option<Account>,
    /// Options of s6-softlimit: a letter and a number.
    pub limits: Vec<(char, u64)>,
    /// Limits that are raised where they are lower: what `/proc/self/limits` calls each, the letter and the number.
    pub least_limits: Vec<(&'static str, char, u64)>,
    /// Its priority.
    pub nice: Option<i64>,
    /// What is asked before each start.
    pub only_if: Option<Command>,
    /// An execline variable for the service directory, which occurs in no later word.
    pub here: String,
}

/// Everything that happens between s6-supervise and the program, in the one order that works.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The manifest's table, `longrun.web`.
    pub table: String,
    /// The name of the service, which a script gets as `$1`.
    pub name: String,
    /// Environment, rights and limits.
    #[serde(flatten)]
    pub surroundings: Surroundings,
    /// Standard output, if it goes nowhere.
    pub discard_stdout: bool,
    /// Standard error.
    pub stderr: Stderr,
    /// Standard output goes to a consumer, and standard error was meant not to.
    pub keeps_errors_apart: bool,
    /// What runs to its end before each start.
    pub prepare: Option<Command>,
    /// How it is asked whether it is ready.
    pub poll: Option<Poll>,
    /// The descriptor on which it says that it is ready.
    pub notification_fd: Option<u32>,
    /// How it idles when `only-if` says no.
    pub idle: Idle,
    /// The process.
    pub command: Command,
}

/// What an idle service does with its signals: s6 must be able to stop it, and a reload must not end it.
#[derive(Debug, Clone, Serialize)]
pub struct Idle {
    /// The stop signal.
    pub ends_at: String,
    /// The reload signal, unless it is the same.
    pub ignores: Option<String>,
}

/// How a service is asked again and again whether it is ready.
#[derive(Debug, Clone, Serialize)]
pub struct Poll {
    /// How many tries; 0 is for ever.
    pub tries: u32,
    /// Milliseconds between two tries.
    pub interval: u32,
    /// Milliseconds that one try may take.
    pub timeout: u32,
}

/// What is asked.
#[derive(Debug, Clone, Serialize)]
pub struct ReadinessCheck {
    /// The manifest's table and key, `longrun.web`.
    pub table: String,
    /// The question.
    pub question: Question,
    /// Milliseconds that one try may take; 0 is for ever.
    pub timeout: u32,
    /// The variable that holds the addresses of a host that is given by its name; none for an address.
    pub addresses: Option<String>,
    /// Where a command of the user's runs.
    pub workdir: Option<String>,
    /// The variable that holds the service directory, for a script that runs in `workdir`.
    pub here: String,
}

/// A question whose answer is whether a service is ready.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub enum Question {
    /// A program of the user's.
    Command {
        /// Program and arguments.
        words: Vec<String>,
    },
    /// A script of the user's, `data/ready`.
    Script,
    /// A TCP port that must accept a connection.
    Tcp {
        /// Name or address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket that must accept a connection.
    Unix {
        /// Its path.
        path: String,
    },
    /// A web server that must answer with 2xx or 3xx.
    Http {
        /// Name or address.
        host: String,
        /// The port.
        port: u16,
        /// The path, from `/` on.
        path: String,
        /// The host as the server wants to hear it.
        authority: String,
    },
}

/// A process that writes the output of others into a directory, or with a prefix to the container's log.
#[derive(Debug, Clone, Serialize)]
pub struct Logger {
    /// The manifest's table that asked for it.
    pub table: String,
    /// Which output it keeps, `output` or `errors`.
    pub what: &'static str,
    /// Where it goes.
    #[serde(flatten)]
    pub sink: Sink,
    /// The directory of such fifos.
    pub fifo_directory: &'static str,
    /// The fifo it reads, where it keeps a standard error.
    pub fifo: Option<String>,
}

/// Where a logger writes.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Sink {
    /// The directory; none writes to the container's log only.
    pub directory: Option<String>,
    /// Also make `DIRECTORY.log`, a link to the file that is being written.
    pub link: bool,
    /// Last component of the directory, which the link names.
    pub basename: String,
    /// Rotate at this many bytes.
    pub size: u64,
    /// Keep this many old files.
    pub keep: u64,
    /// `T` ISO 8601, `t` TAI64N, nothing.
    pub timestamp: Option<&'static str>,
    /// Also write to the container's log.
    pub tee: bool,
    /// In front of each line on the container's log.
    pub prefix: Option<String>,
    /// The account that owns the directory and that it runs as.
    pub user: Option<Account>,
}

/// A step of a oneshot.
#[derive(Debug, Clone, Serialize)]
pub struct OneshotStep {
    /// The manifest's table, `oneshot.web`.
    pub table: String,
    /// The name of the service.
    pub name: String,
    /// Environment, rights and limits.
    #[serde(flatten)]
    pub surroundings: Surroundings,
    /// The directory of the definition in the image.
    pub definition: String,
    /// `up`, `down` or `reload`.
    pub key: &'static str,
    /// Standard output, if it goes nowhere.
    pub discard_stdout: bool,
    /// Standard error.
    pub stderr: Stderr,
    /// Where standard output is kept.
    pub output: Option<Sink>,
    /// Where standard error is kept, if apart.
    pub errors: Option<Sink>,
    /// What is done; nothing is a milestone.
    pub command: Option<Command>,
}

/// What happens after each death.
#[derive(Debug, Clone, Serialize)]
pub struct Finish {
    /// The manifest's table, `longrun.web`.
    pub table: String,
    /// The container's environment is loaded for the user's own command.
    pub with_contenv: bool,
    /// What is left of the process group gets this signal, and a second later SIGKILL.
    pub stop_group: Option<String>,
    /// Where the manifest says so.
    #[serde(skip)]
    pub stop_group_origin: Option<Origin>,
    /// Standard error, as in `run`.
    pub stderr: Stderr,
    /// The user's own command.
    pub command: Option<Command>,
    /// When a death is final, and what then.
    pub on_exit: Option<OnExit>,
    /// Seconds before the next start.
    pub restart_delay: Option<u32>,
}

/// When a death is final, and what then.
#[derive(Debug, Clone, Serialize)]
pub struct OnExit {
    /// Final exit codes.
    pub codes: Vec<u8>,
    /// Exit codes that are not final.
    pub except: Vec<u8>,
    /// So many deaths in so many seconds are final.
    pub deaths: Option<(u32, u32)>,
    /// The container stops with the code of the death.
    pub stop_container: bool,
}

impl Surroundings {
    /// The manifest keys whose settings a `with-contenv` in the program itself would clear.
    pub fn lost_to_contenv(&self) -> Option<String> {
        let sets_variables = !self.environment.is_empty() || self.path.is_some();
        let of_account = &self.account_variables;
        match (self.with_contenv, sets_variables, of_account.is_empty()) {
            (false, ..) | (_, false, true) => None,
            (_, true, true) => Some("`environment`".to_owned()),
            (_, true, false) => Some(format!("`environment`, and {} of `user`", of_account.join(", "))),
            (_, false, false) => Some(format!("{} of `user`", of_account.join(", "))),
        }
    }
}
