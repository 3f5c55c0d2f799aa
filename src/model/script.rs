//! The scripts of a service, with the data that fills the templates of generated ones.

use serde::Serialize;

use super::{ContainerVariable, Inputs};
use crate::diagnostic::Origin;

/// The content of `run`, `finish`, `up`, `down`, `reload` or `data/check`.
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
    /// Generated: what runs after a death.
    Finish(Box<Finish>),
    /// Generated: the readiness check of a service.
    Check(Box<ReadinessCheck>),
}

impl Default for Script {
    fn default() -> Self {
        Script::Verbatim(Vec::new())
    }
}

/// A command of the user: a program and its arguments, or a script.
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

/// The account that a process runs as.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Account {
    /// The name of the account. Numeric ids have none.
    pub name: Option<String>,
    /// The group, if it is not that of the account.
    pub group: Option<String>,
    /// `uid:gid`, if the account was given by numbers.
    pub ids: Option<String>,
}

/// Where standard error goes.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(tag = "to", rename_all = "lowercase")]
pub enum Stderr {
    /// Unchanged, to the container's log.
    Container,
    /// To the same place as standard output.
    Stdout,
    /// Nowhere.
    Discard,
    /// Into a fifo that a separate logger reads.
    Fifo {
        /// Its path.
        path: String,
    },
}

/// The surroundings of a program: its environment, its rights and its limits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Surroundings {
    /// Whether the container's environment is loaded first.
    pub with_contenv: bool,
    /// The variables of the container that the texts below can refer to, and others that are loaded before `environment`.
    #[serde(flatten)]
    pub inputs: Inputs,
    /// Whether `directory_variable` must be set before these values get into the script, which may contain its name.
    pub needs_directory: bool,
    /// Variables in order, without PATH: the commands before the program still need the old PATH.
    pub environment: Vec<(String, String)>,
    /// PATH for the program itself.
    pub path: Option<String>,
    /// Those of HOME, USER and LOGNAME that the account sets, because `environment` does not.
    pub account_variables: Vec<String>,
    /// The file mode mask, in octal.
    pub umask: Option<String>,
    /// The working directory.
    pub workdir: Option<String>,
    /// The account that it runs as.
    pub user: Option<Account>,
    /// Options of s6-softlimit: a letter and a number.
    pub limits: Vec<(char, String)>,
    /// Limits that are only raised: the name in `/proc/self/limits`, the letter and the number of each.
    pub least_limits: Vec<(&'static str, char, String)>,
    /// Its priority.
    pub nice: Option<i64>,
    /// The command of `only-if`, which runs before each start.
    pub only_if: Option<Command>,
    /// The name of an execline variable for the service directory. No later word contains it.
    pub directory_variable: String,
}

/// The data of `run`: everything between s6-supervise and the program.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The manifest's table, `longrun.web`.
    pub table: String,
    /// The name of the service, which a script gets as `$1`.
    pub name: String,
    /// Environment, rights and limits.
    #[serde(flatten)]
    pub surroundings: Surroundings,
    /// Whether standard output is discarded.
    pub discard_stdout: bool,
    /// Standard error.
    pub stderr: Stderr,
    /// Whether standard output goes to a consumer and standard error, on purpose, does not.
    pub keeps_errors_apart: bool,
    /// The command of `prepare`, which runs to its end before each start.
    pub prepare: Option<Command>,
    /// How its readiness check is repeated, if it has one.
    pub poll: Option<Poll>,
    /// The descriptor on which it reports that it is ready.
    pub notification_fd: Option<u32>,
    /// Whether it writes down when it starts, because `finish` counts deaths in a row.
    pub notes_start: bool,
    /// What happens if it is not ready in time. `None`: s6-rc alone acts.
    pub late: Option<Late>,
    /// How it is asked whether it still works.
    pub alive: Option<Alive>,
    /// The command of the process.
    pub command: Command,
}

/// How the readiness check of a service is repeated.
#[derive(Debug, Clone, Serialize)]
pub struct Poll {
    /// The number of tries; 0 is no limit.
    pub tries: u32,
    /// Milliseconds between two tries.
    pub interval: u32,
    /// Milliseconds that one try may take.
    pub timeout: u32,
}

/// The data of `data/check` or `data/check-alive`.
#[derive(Debug, Clone, Serialize)]
pub struct ReadinessCheck {
    /// The manifest's table, `longrun.web`.
    pub table: String,
    /// What it asks, for a comment.
    pub about: &'static str,
    /// The variables of the container that the texts can refer to.
    pub variables: Vec<ContainerVariable>,
    /// The question.
    pub question: Question,
    /// Milliseconds that one try may take; 0 is no limit.
    pub timeout: u32,
    /// The variable for the addresses of a host that is given by name. `None` for a host that is an address.
    pub addresses: Option<String>,
    /// The working directory for a command of the user.
    pub workdir: Option<String>,
    /// The variable for the service directory, for a script that runs in `workdir`.
    pub directory_variable: String,
}

/// The kinds of readiness checks.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub enum Question {
    /// A program of the user.
    Command {
        /// Program and arguments.
        words: Vec<String>,
    },
    /// A script of the user.
    Script {
        /// Its path in the definition directory.
        script: String,
    },
    /// A TCP port that must accept a connection.
    Tcp {
        /// Name or address.
        host: String,
        /// The port.
        port: String,
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
        port: String,
        /// The path, from `/` on.
        path: String,
        /// The value of the header `Host`.
        authority: String,
    },
}

/// The data of a logger: it writes the output of other services into a directory, or with a prefix to the container's log.
#[derive(Debug, Clone, Serialize)]
pub struct Logger {
    /// The manifest's table that needs it.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Whether the container's environment is loaded first.
    pub with_contenv: bool,
    /// What it does with which output, for a comment in the script.
    pub what: &'static str,
    /// Those of HOME, USER and LOGNAME that its account sets, for a command of the user.
    pub account_variables: Vec<String>,
    /// Where it writes.
    #[serde(flatten)]
    pub sink: Sink,
    /// The directory of all fifos for standard error.
    pub fifo_directory: &'static str,
    /// The fifo that it reads, if it writes a standard error.
    pub fifo: Option<String>,
}

/// Where a logger writes.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct Sink {
    /// The directory. `None` writes only to the container's log.
    pub directory: Option<String>,
    /// What each line on the container's log says about itself, if it is JSON.
    pub json: Option<JsonLines>,
    /// The file to which the lines are appended.
    pub file: Option<String>,
    /// The directory of that file.
    pub folder: String,
    /// The account in the form of `chown`.
    pub owner: String,
    /// The command that gets the lines instead of s6-log.
    pub command: Option<Command>,
    /// The name of the file in `data` for that command, if it is a script.
    pub script: &'static str,
    /// Whether to make `DIRECTORY.log`, a link to the file that is being written.
    pub link: bool,
    /// The last component of the directory, for the target of the link.
    pub basename: String,
    /// The size in bytes at which a new file begins.
    pub size: u64,
    /// The number of old files to keep.
    pub keep: u64,
    /// The form of times: `T` is ISO 8601, `t` is TAI64N. `None` writes no times.
    pub timestamp: Option<&'static str>,
    /// Whether to write to the container's log as well.
    pub tee: bool,
    /// A prefix for each line on the container's log.
    pub prefix: Option<String>,
    /// The account that owns the directory and that s6-log runs as.
    pub user: Option<Account>,
    /// The variables of the container that these texts refer to.
    pub variables: Vec<ContainerVariable>,
}

/// What JSON lines say about where they come from.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct JsonLines {
    /// The service.
    pub service: String,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
}

/// The data of `up`, `down` or `reload` of a oneshot.
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
    /// Whether standard output is discarded.
    pub discard_stdout: bool,
    /// Standard error.
    pub stderr: Stderr,
    /// Where standard output is logged.
    pub output: Option<Sink>,
    /// Where standard error is logged, if not with standard output.
    pub errors: Option<Sink>,
    /// The command between standard output and its log.
    pub filter: Option<Sink>,
    /// The command. A oneshot without a command is a milestone.
    pub command: Option<Command>,
    /// The variable of the container that gets the output.
    pub sets: Option<String>,
    /// What follows if it fails.
    pub on_failure: Option<OnFailure>,
    /// What it waits for.
    pub wait_for: Option<WaitFor>,
}

/// The data of `finish`.
#[derive(Debug, Clone, Serialize)]
pub struct Finish {
    /// The manifest's table, `longrun.web`.
    pub table: String,
    /// Whether the container's environment is loaded for the user's own command.
    pub with_contenv: bool,
    /// The name of the service.
    pub name: String,
    /// What no start can do without. The user's own command gets it too.
    #[serde(flatten)]
    pub inputs: Inputs,
    /// The signal for the rest of the process group. SIGKILL follows a second later.
    pub stop_group: Option<String>,
    /// The place of `stop-group` in the manifest.
    #[serde(skip)]
    pub stop_group_origin: Option<Origin>,
    /// Standard error, as in `run`.
    pub stderr: Stderr,
    /// The user's own command.
    pub command: Option<Command>,
    /// Whether it has a limited time to become ready, for which s6gen's own script acts.
    pub is_timed: bool,
    /// Whether a script asks if it still works, and may start it again.
    pub is_watched: bool,
    /// Whether `run` may end because `only-if` fails. Then the service stays down.
    pub may_idle: bool,
    /// Which deaths are final, and what happens then.
    pub on_exit: Option<OnExit>,
    /// Which deaths count as deaths in a row, if that matters.
    pub in_a_row: Option<InARow>,
    /// The time before the next start.
    pub restart_delay: Option<RestartDelay>,
}

/// Which deaths are final, and what happens then.
#[derive(Debug, Clone, Serialize)]
pub struct OnExit {
    /// The rules for deaths that are not early, in order. The first that applies counts.
    pub rules: Vec<ExitRule>,
    /// The rule for early deaths.
    pub early: Option<EarlyDeaths>,
    /// What follows a death that is final for another reason than a rule.
    pub otherwise: Consequence,
    /// Whether any rule stops the container.
    pub stops_container: bool,
    /// Whether any rule only gives up.
    pub gives_up: bool,
    /// Whether any rule starts the service again.
    pub restarts: bool,
}

/// A rule for deaths: it applies if one of its conditions does, or if it has none.
#[derive(Debug, Clone, Serialize)]
pub struct ExitRule {
    /// Exit codes for which it applies.
    pub codes: Vec<u8>,
    /// The only exit codes for which it does not apply.
    pub except: Vec<u8>,
    /// The number of deaths, and the seconds within which that many deaths must happen.
    pub deaths: Option<(u32, u32)>,
    /// Whether it applies to every death.
    pub is_for_all: bool,
    /// What follows.
    pub then: Consequence,
}

/// When an early death is final, and what happens then.
#[derive(Debug, Clone, Serialize)]
pub struct EarlyDeaths {
    /// The number of early deaths in a row.
    pub deaths: u32,
    /// The time before which a death is early, in hundredths of a second.
    pub limit: u32,
    /// What follows.
    pub then: Consequence,
}

/// What follows a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// The service starts again.
    Restart,
    /// It stays down.
    GiveUp,
    /// The container stops.
    StopContainer,
}

/// Which deaths count as deaths in a row.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct InARow {
    /// Those before the service has run for this time, in hundredths of a second.
    pub limit: u32,
}

/// A time between two tries, in seconds. It doubles each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// The first one.
    pub first: u32,
    /// The longest one.
    pub most: u32,
}

/// The time between a death and the next start.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RestartDelay {
    /// The time.
    #[serde(flatten)]
    pub pause: Pause,
    /// Those of its seconds that s6 itself waits: 0 or 1.
    pub s6_waits: u32,
}

/// What happens if a service is not ready in time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Late {
    /// The time, in milliseconds.
    pub limit: u32,
    /// Whether it then counts as ready. Otherwise the container stops.
    pub goes_on: bool,
    /// The place in the manifest.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

/// How a longrun is asked whether it still works.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Alive {
    /// The seconds between two checks.
    pub interval: u32,
    /// The seconds that a check may take.
    pub timeout: u32,
    /// The number of checks in a row that must fail.
    pub failures: u32,
    /// Whether the container stops then. Otherwise the service is started again.
    pub stops_container: bool,
    /// The seconds between the stop signal and SIGKILL; 0 is never.
    pub kill: u32,
}

/// What a oneshot waits for before it runs.
#[derive(Debug, Clone, Serialize)]
pub struct WaitFor {
    /// What it is, for a report.
    pub what: String,
    /// The seconds that it waits in all.
    pub limit: u32,
    /// The seconds between two tries.
    pub interval: String,
}

/// What follows if a oneshot fails.
#[derive(Debug, Clone, Serialize)]
pub struct OnFailure {
    /// How often it is tried in all.
    pub tries: u32,
    /// The time between two tries.
    pub pause: Pause,
    /// What happens after the last try: `fail`, `ignore` or `stop-container`.
    pub then: &'static str,
    /// The place in the manifest.
    #[serde(skip)]
    pub origin: Option<Origin>,
    /// The seconds for all tries, if s6-rc does not keep the limit itself; 0 otherwise.
    pub limit: u32,
}

impl OnExit {
    /// The number of deaths that s6 must remember.
    pub fn counted_deaths(&self) -> Option<u32> {
        self.rules.iter().filter_map(|rule| rule.deaths).map(|(deaths, _)| deaths).max()
    }
}

impl Surroundings {
    /// The manifest keys whose settings a `with-contenv` in the program itself would clear.
    pub fn lost_to_contenv(&self) -> Option<String> {
        let keys = [
            ("`environment`", !self.environment.is_empty() || self.path.is_some()),
            ("`secrets`", !self.inputs.secrets.is_empty()),
            ("`environment-files`", !self.inputs.environment_files.is_empty()),
        ];
        let keys: Vec<&str> = keys.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect();
        let of_account = &self.account_variables;
        match (self.with_contenv, keys.is_empty(), of_account.is_empty()) {
            (false, ..) | (_, true, true) => None,
            (_, false, true) => Some(keys.join(", ")),
            (_, false, false) => {
                Some(format!("{}, and {} of `user`", keys.join(", "), of_account.join(", ")))
            }
            (_, true, false) => Some(format!("{} of `user`", of_account.join(", "))),
        }
    }
}
