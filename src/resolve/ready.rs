//! Resolves the key `ready`: how s6 learns that a longrun is ready.

use std::collections::BTreeMap;

use super::Resolver;
use super::scope::Scope;
use super::values::Values;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, Number, RawText};
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

    pub(super) fn ready(
        &mut self,
        ready: &manifest::Ready,
        surroundings: &Surroundings,
        scope: &Scope,
    ) -> Readiness {
        let mut result = Readiness {
            fd: ready.fd.and_then(|number| self.descriptor("ready.fd", number)),
            ..Readiness::default()
        };
        let asked = [
            ("check", ready.check.as_ref().map(manifest::ManifestCommand::origin)),
            ("tcp", ready.tcp.as_ref().map(|text| text.origin())),
            ("unix", ready.unix.as_ref().map(|text| text.origin())),
            ("http", ready.http.as_ref().map(|text| text.origin())),
        ];
        let asked: Vec<(&str, Origin)> =
            asked.into_iter().filter_map(|(key, origin)| Some((key, origin?))).collect();
        if let [(first, origin), (second, other), ..] = asked[..] {
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
        if asked.is_empty() {
            let written = [
                ("interval", ready.interval.as_ref().map(|text| text.origin())),
                ("timeout", ready.timeout.as_ref().map(|text| text.origin())),
                ("tries", ready.tries.map(|number| number.origin)),
            ];
            for (key, origin) in written.into_iter().filter_map(|(key, origin)| Some((key, origin?))) {
                // The check may be the key that was reported.
                if ready.gives_way(key) || ready.has_mistakes() {
                    continue;
                }
                self.problems.push(
                    Diagnostic::new(Code::ConflictingKeys, format!("`ready.{key}` has no effect here"))
                        .at(origin, "this key is only for a readiness check")
                        .help("add `ready.check`, `ready.tcp`, `ready.unix` or `ready.http`"),
                );
            }
            return result;
        }
        result.fd =
            result.fd.or(Some(Written { value: 3, origin: asked.first().map(|(_, origin)| *origin) }));
        let limit = |resolver: &mut Self, key: &str, text: Option<&RawText>, default: u32| {
            resolver.value(text, scope, |v, t, o| v.duration(key, t, o)).unwrap_or(default)
        };
        result.poll = Some(Poll {
            tries: ready.tries.and_then(|tries| self.tries(tries)).unwrap_or(0),
            interval: limit(self, "ready.interval", ready.interval.as_ref(), 1_000),
            timeout: limit(self, "ready.timeout", ready.timeout.as_ref(), 5_000),
        });
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
        let tcp = self.value(ready.tcp.as_ref(), scope, |v, t, o| v.address("ready.tcp", t, o));
        let unix = self.path("ready.unix", ready.unix.as_ref(), scope);
        let http = self.value(ready.http.as_ref(), scope, |v, t, o| v.http("ready.http", t, o));
        let network = tcp.map(|(host, port)| Question::Tcp { host, port });
        let socket = unix.map(|path| Question::Unix { path });
        let web = http.map(|(host, port, path, authority)| Question::Http { host, port, path, authority });
        result.question = result.question.or(network).or(socket).or(web);
        result
    }
}
