//! Makes the services between a longrun and its log: the filter, the command that reads the log, and the service that writes
//! JSON. The service that shows files on the container's log is here too, because it is made of the same settings.

use super::Resolver;
use super::log_place::LogCommand;
use super::logger::{NewLogger, SHOWN, reference};
use super::scope::Scope;
use crate::diagnostic::Origin;
use crate::manifest;
use crate::model::{Account, Command, JsonLines, Kind, Longrun, Sink};

impl Resolver<'_> {
    /// Makes the logger that gives its lines to a command.
    pub(super) fn command_logger(
        &mut self,
        command: LogCommand,
        sink: &Sink,
        scope: &Scope,
        is_stderr: bool,
    ) -> ((String, usize), Origin) {
        let origin = command.origin;
        let sink = Sink { command: Some(command.command), prefix: None, ..sink.clone() };
        let new = NewLogger::of(sink, origin, is_stderr);
        let what = if is_stderr { "passes its errors on" } else { "passes its output on" };
        (self.make_logger(NewLogger { what, program: command.program, ..new }, scope), origin)
    }

    /// Makes the logger that writes JSON to the container's log.
    pub(super) fn json_logger(
        &mut self,
        sink: &Sink,
        origin: Origin,
        scope: &Scope,
        is_stderr: bool,
    ) -> (String, usize) {
        let new = NewLogger::of(json_sink(sink, scope, is_stderr), origin, is_stderr);
        let what = if is_stderr { "writes its errors as JSON" } else { "writes its output as JSON" };
        self.make_logger(NewLogger { what, ..new }, scope)
    }

    /// Makes the service that filters standard output, before the logger `next` or the container's log.
    pub(super) fn filter(
        &mut self,
        filter: LogCommand,
        sink: &Sink,
        scope: &Scope,
        next: Option<((String, usize), Origin)>,
    ) -> ((String, usize), Origin) {
        let origin = filter.origin;
        let new = NewLogger {
            sink: Sink { command: Some(filter.command), prefix: None, ..sink.clone() },
            origin,
            suffix: "-filter",
            what: "filters its output",
            program: filter.program,
        };
        let made = self.make_logger(new, scope);
        if let Some(((logger, position), origin)) = next {
            if let Kind::Longrun(filter) = &mut self.set.services[made.1].kind {
                filter.producer_for = Some(vec![reference(&logger, origin)]);
                // The name of the pipeline is on its last consumer.
                filter.pipeline_name = None;
            }
            self.connect(&made.0, position, origin);
            // The logger is for the lines of the service, so it waits for the same services as the filter.
            self.logs.add_producer(position, &scope.name);
        }
        (made, origin)
    }

    /// Makes the service at this position a consumer of `producer`.
    pub(super) fn connect(&mut self, producer: &str, position: usize, origin: Origin) {
        if let Kind::Longrun(consumer) = &mut self.set.services[position].kind {
            consumer.consumer_for.push(reference(producer, origin));
        }
    }

    /// Makes the service that shows files on the container's log.
    pub(super) fn show(
        &mut self,
        log: Option<&manifest::Log>,
        user: Option<&Account>,
        scope: &Scope,
        longrun: &mut Longrun,
    ) {
        let Some((log, names)) = log.and_then(|log| Some((log, log.show.as_ref()?))) else { return };
        let mut paths = Vec::new();
        for text in &names.list {
            paths.extend(self.path("log.show", Some(text), scope));
        }
        if paths.is_empty() {
            return;
        }
        let user = if log.user.is_some() { self.log_user(log, scope) } else { user.cloned() };
        // Until a file exists, tail complains about it.
        let words = "redirfd -w 2 /dev/null tail -q -n 0 -F".split(' ').map(str::to_owned);
        let is_json = self.json_format(log, scope).is_some();
        let json = is_json.then(|| JsonLines { service: scope.name.clone(), stream: "file" });
        let prefix = self.log_prefix(log, scope).filter(|_| !is_json);
        let sink = Sink {
            command: Some(Command::Exec { words: words.chain(paths).collect() }),
            json,
            prefix,
            user,
            variables: self.log_variables(log, scope),
            ..Sink::default()
        };
        let origin = names.origin;
        let what = "shows files on the container's log";
        let new = NewLogger { sink, origin, suffix: SHOWN, what, program: None };
        let (name, position) = self.make_logger(new, scope);
        self.logs.add_producer(position, &scope.name);
        longrun.dependencies.push(reference(&name, origin));
    }
}

/// The sink of JSON on the container's log.
pub(super) fn json_sink(sink: &Sink, scope: &Scope, is_stderr: bool) -> Sink {
    let stream = if is_stderr { "stderr" } else { "stdout" };
    let json = Some(JsonLines { service: scope.name.clone(), stream });
    Sink { json, prefix: None, ..sink.clone() }
}
