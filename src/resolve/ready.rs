//! Resolves the key `ready`: how s6 learns that a longrun is ready.

use std::collections::BTreeMap;

use super::Resolver;
use super::scope::Scope;
use super::values::Values;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, Number};
use crate::model::{Command, File, Poll, Question, Surroundings, Written};

/// The resolved values of `ready`.
#[derive(Default)]
pub(super) struct Readiness {
    pub fd: Option<Written<u32>>,
    pub poll: Option<Poll>,
    pub question: Option<Question>,
    pub files: BTreeMap<String, File>,
}

impl Resolver<'_> {
    /// The value of `ready.tries`.
    fn tries(&mut self, tries: Number) -> Option<u32> {
        if tries.value != 0 {
            return self.number("ready.tries", tries, 1..=1_000_000);
        }
        Values::new(self.problems).refuse(
            "`ready.tries` cannot be 0".into(),
            tries.origin,
            "this allows no try",
            "leave it out: without `ready.tries` the check is repeated until `timeout-up` is over",
        )
    }

    /// Resolves the key `ready`.
    pub(super) fn ready(
        &mut self,
        ready: &manifest::Ready,
        surroundings: &Surroundings,
        scope: &Scope,
    ) -> Readiness {
        let fd = ready.fd.and_then(|number| self.descriptor("ready.fd", number));
        let Some(check) = self.check_origin(ready) else {
            self.report_unused(ready);
            return Readiness { fd, ..Readiness::default() };
        };
        let mut result = Readiness {
            fd: fd.or(Some(Written { value: 3, origin: Some(check) })),
            poll: Some(self.poll(ready, scope)),
            ..Readiness::default()
        };
        if let Some(command) = &ready.check {
            match self.command_in(surroundings, Some(command), "ready.check", scope) {
                Some(Command::Exec { words }) => result.question = Some(Question::Command { words }),
                Some(Command::Script { text, .. }) => {
                    // s6-notifyoncheck starts this file directly, so it needs a `#!` line and the x bit.
                    let text = if text.starts_with("#!") { text } else { format!("#!/bin/sh -e\n{text}") };
                    let file = File { content: text.into_bytes(), executable: true };
                    let path = match &surroundings.workdir {
                        Some(_) => {
                            result.question = Some(Question::Script);
                            "data/ready"
                        }
                        None => "data/check",
                    };
                    result.files.insert(path.into(), file);
                }
                None => {}
            }
        }
        result.question = result.question.or(self.network_question(ready, scope));
        result
    }

    /// The place of the key with the check, if there is one. Reports a second check.
    fn check_origin(&mut self, ready: &manifest::Ready) -> Option<Origin> {
        let checks = [
            ("check", ready.check.as_ref().map(manifest::ManifestCommand::origin)),
            ("tcp", ready.tcp.as_ref().map(|text| text.origin())),
            ("unix", ready.unix.as_ref().map(|text| text.origin())),
            ("http", ready.http.as_ref().map(|text| text.origin())),
        ];
        let mut checks = checks.into_iter().filter_map(|(key, origin)| Some((key, origin?)));
        let (first, origin) = checks.next()?;
        if let Some((second, other)) = checks.next() {
            self.problems.push(
                Diagnostic::new(
                    Code::ConflictingKeys,
                    format!("`ready.{first}` and `ready.{second}` exclude each other"),
                )
                .at(origin, "this is one check")
                .at(other, "this is another one")
                .help("write one `ready.check` that does both"),
            );
        }
        Some(origin)
    }

    /// Reports keys that have no effect without a check.
    fn report_unused(&mut self, ready: &manifest::Ready) {
        let written = [
            ("interval", ready.interval.as_ref().map(|text| text.origin())),
            ("timeout", ready.timeout.as_ref().map(|text| text.origin())),
            ("tries", ready.tries.map(|number| number.origin)),
        ];
        for (key, origin) in written.into_iter().filter_map(|(key, origin)| Some((key, origin?))) {
            // If another key was reported, the user may have meant it as the check.
            if ready.gives_way(key) || ready.has_mistakes() {
                continue;
            }
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, format!("`ready.{key}` has no effect here"))
                    .at(origin, "this key is only for a readiness check")
                    .help("add `ready.check`, `ready.tcp`, `ready.unix` or `ready.http`"),
            );
        }
    }

    fn poll(&mut self, ready: &manifest::Ready, scope: &Scope) -> Poll {
        let interval = self.duration("ready.interval", ready.interval.as_ref(), scope);
        let timeout = self.duration("ready.timeout", ready.timeout.as_ref(), scope);
        Poll {
            tries: ready.tries.and_then(|tries| self.tries(tries)).unwrap_or(0),
            interval: interval.unwrap_or(1_000),
            timeout: timeout.unwrap_or(5_000),
        }
    }

    /// The question of `ready.tcp`, `ready.unix` or `ready.http`.
    fn network_question(&mut self, ready: &manifest::Ready, scope: &Scope) -> Option<Question> {
        let tcp = self.value(ready.tcp.as_ref(), scope, |values, text, origin| {
            values.address("ready.tcp", text, origin)
        });
        let unix = self.path("ready.unix", ready.unix.as_ref(), scope);
        let http = self.value(ready.http.as_ref(), scope, |values, text, origin| {
            values.http("ready.http", text, origin)
        });
        let tcp = tcp.map(|(host, port)| Question::Tcp { host, port });
        let unix = unix.map(|path| Question::Unix { path });
        let http = http.map(|(host, port, path, authority)| Question::Http { host, port, path, authority });
        tcp.or(unix).or(http)
    }
}
