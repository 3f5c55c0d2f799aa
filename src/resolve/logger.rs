//! Makes the service of a logger, which reads a pipeline or, for standard error, a fifo.

use std::collections::BTreeMap;

use super::Resolver;
use super::command::add_script;
use super::log_file::{add_json_script, add_log_file_script};
use super::longrun::{KILL_AFTER, READY_WITHIN};
use super::scope::Scope;
use super::values::{LONGEST_NAME, Values};
use crate::diagnostic::Origin;
use crate::model::{
    Account, Finish, Inputs, Kind, Logger, Longrun, Program, Script, Service, ServiceRef, Sink, Stderr,
    Written,
};

/// The directory of the fifos for loggers of standard error.
const FIFOS: &str = "/run/s6gen";
/// What the name of the service that shows files has after that of its service.
pub(super) const SHOWN: &str = "-show";
/// What the name of a logger of standard error has after that of its service.
const ERRORS: &str = "-err-log";

/// A logger that is to be made.
pub(super) struct NewLogger {
    pub(super) sink: Sink,
    pub(super) origin: Origin,
    /// What the name of the logger has after that of the service.
    pub(super) suffix: &'static str,
    pub(super) what: &'static str,
    /// The command of the user, as a program of the logger.
    pub(super) program: Option<Program>,
}

impl NewLogger {
    /// A logger of s6-log.
    pub(super) fn of(sink: Sink, origin: Origin, is_stderr: bool) -> Self {
        let (suffix, what) =
            if is_stderr { (ERRORS, "keeps its errors") } else { ("-log", "keeps its output") };
        NewLogger { sink, origin, suffix, what, program: None }
    }
}

impl Resolver<'_> {
    /// Adds the service of a logger to the set. Returns its name and its position in the set.
    pub(super) fn make_logger(&mut self, new: NewLogger, scope: &Scope) -> (String, usize) {
        let NewLogger { sink, origin, suffix, what, program } = new;
        let logger = format!("{}{suffix}", scope.name);
        self.check_length(&logger, scope);
        let is_stderr = suffix == ERRORS;
        let mut files = BTreeMap::new();
        add_script(&mut files, "run", sink.command.as_ref());
        add_log_file_script(&mut files, &sink);
        add_json_script(&mut files, &sink);
        let is_command = sink.command.is_some();
        let is_own = is_command || sink.json.is_some();
        // Before its fifo exists, no service can write to it.
        let tells = !is_own || is_stderr;
        let variables = sink.variables.clone();
        let account_variables = match &sink.user {
            Some(Account { name: Some(_), .. }) if program.is_some() => {
                ["HOME", "USER", "LOGNAME"].map(str::to_owned).into()
            }
            _ => Vec::new(),
        };
        let run = Logger {
            table: scope.table.clone(),
            name: logger.clone(),
            with_contenv: self.system().is_overlay() && (program.is_some() || !variables.is_empty()),
            what,
            account_variables,
            sink,
            fifo_directory: FIFOS,
            fifo: is_stderr.then(|| fifo(&logger)),
        };
        let mut longrun = Longrun {
            finish: finish_without_variable(&run),
            run: Script::Logger(Box::new(run)),
            notification_fd: tells.then_some(Written { value: 3, origin: None }),
            timeout_up: if tells { READY_WITHIN } else { 0 },
            timeout_kill: Some(KILL_AFTER),
            files,
            ..Longrun::default()
        };
        if !is_stderr && suffix != SHOWN {
            let pipeline = format!("{}-pipeline", scope.name);
            self.check_length(&pipeline, scope);
            let name = ServiceRef { name: pipeline.as_str().into(), origin: Some(origin) };
            longrun.pipeline_name = Some(vec![name]);
        }
        let position = self.set.services.len();
        let mut service =
            Service::new(logger.as_str().into(), Some(origin), Kind::Longrun(Box::new(longrun)));
        if program.is_some() {
            service.variables = variables;
        }
        service.programs =
            program.map(|program| Program { file: "run".into(), ..program }).into_iter().collect();
        self.set.services.push(service);
        (logger, position)
    }

    /// Reports a generated name that is too long, unless the name of the service itself is.
    fn check_length(&mut self, generated: &str, scope: &Scope) {
        if scope.name.len() <= LONGEST_NAME {
            Values::new(self.problems).service_name(generated, scope.origin);
        }
    }
}

/// A mention of a service that a log makes.
pub(super) fn reference(name: &str, origin: Origin) -> ServiceRef {
    ServiceRef { name: name.into(), origin: Some(origin) }
}

/// The path of the fifo of a logger of standard error.
pub(super) fn fifo(logger: &str) -> String {
    format!("{FIFOS}/{logger}.fifo")
}

/// What ends a logger for good if the container does not set a variable that it needs.
fn finish_without_variable(logger: &Logger) -> Option<Script> {
    let variables = logger.sink.variables.clone();
    variables.iter().any(|variable| variable.default.is_none()).then(|| {
        Script::Finish(Box::new(Finish {
            table: logger.table.clone(),
            name: logger.name.clone(),
            with_contenv: logger.with_contenv,
            inputs: Inputs { variables, ..Inputs::default() },
            stop_group: None,
            stop_group_origin: None,
            stderr: Stderr::Container,
            command: None,
            is_timed: false,
            is_watched: false,
            may_idle: false,
            on_exit: None,
            in_a_row: None,
            restart_delay: None,
        }))
    })
}
