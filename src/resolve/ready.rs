//! Resolves the key `ready`: how s6 learns that a longrun is ready.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Resolver;
use super::scope::Scope;
use super::values::Values;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::{self, ManifestCommand, Number, RawText};
use crate::model::{Command, File, Poll, Question, ReadinessCheck, Script, Surroundings, Written};

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
        let Some(check) = self.check_origin(&checks(ready)) else {
            self.report_unused(ready);
            return Readiness { fd, ..Readiness::default() };
        };
        let mut result = Readiness {
            fd: fd.or(Some(Written { value: 3, origin: Some(check) })),
            poll: Some(self.poll(ready, scope)),
            ..Readiness::default()
        };
        let (question, file) = self.question(&checks(ready), surroundings, scope);
        if let Some(content) = file {
            let path = if question.is_some() { "data/ready" } else { "data/check" };
            result.files.insert(path.into(), content);
        }
        result.question = question;
        result
    }

    /// The question of a table, and the script that it runs. A script without a working directory is the whole check.
    pub(super) fn question(
        &mut self,
        checks: &Checks<'_>,
        surroundings: &Surroundings,
        scope: &Scope,
    ) -> (Option<Question>, Option<File>) {
        let Some(command) = checks.check else { return (self.network_question(checks, scope), None) };
        let key = format!("{}.check", checks.table);
        match self.command_in(surroundings, Some(command), &key, scope) {
            Some(Command::Exec { words }) => (Some(Question::Command { words }), None),
            Some(Command::Script { text, .. }) => {
                // s6-notifyoncheck starts this file directly, so it needs a `#!` line and the x bit.
                let text = if text.starts_with("#!") { text } else { format!("#!/bin/sh -e\n{text}") };
                let file = File { content: text.into_bytes().into(), executable: true };
                let script = format!("data/{}", checks.table);
                (surroundings.workdir.as_ref().map(|_| Question::Script { script }), Some(file))
            }
            None => (None, None),
        }
    }

    /// The place of the key with the check, if there is one. Reports a second check.
    pub(super) fn check_origin(&mut self, checks: &Checks<'_>) -> Option<Origin> {
        let table = checks.table;
        let checks = [
            ("check", checks.check.map(ManifestCommand::origin)),
            ("tcp", checks.tcp.map(RawText::origin)),
            ("unix", checks.unix.map(RawText::origin)),
            ("http", checks.http.map(RawText::origin)),
            ("path", checks.path.map(RawText::origin)),
        ];
        let mut checks = checks.into_iter().filter_map(|(key, origin)| Some((key, origin?)));
        let (first, origin) = checks.next()?;
        if let Some((second, other)) = checks.next() {
            self.problems.push(
                Diagnostic::new(
                    Code::ConflictingKeys,
                    format!("`{table}.{first}` and `{table}.{second}` exclude each other"),
                )
                .at(origin, "this is one check")
                .at(other, "this is another one")
                .help(match table {
                    "wait-for" => "write a oneshot for each, or one `up` that does both".to_owned(),
                    _ => format!("write one `{table}.check` that does both"),
                }),
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

    fn network_question(&mut self, checks: &Checks<'_>, scope: &Scope) -> Option<Question> {
        let key = |key: &str| format!("{}.{key}", checks.table);
        let tcp = self
            .value(checks.tcp, scope, |values, text, origin| values.address(&key("tcp"), text, origin))
            .map(|(host, port)| Question::Tcp { host, port });
        let unix = self.path(&key("unix"), checks.unix, scope).map(|path| Question::Unix { path });
        let http = self
            .value(checks.http, scope, |values, text, origin| values.http(&key("http"), text, origin))
            .map(|(host, port, path, authority)| Question::Http { host, port, path, authority });
        let path = self.path(&key("path"), checks.path, scope);
        let path = path.map(|path| Question::Command { words: vec!["test".into(), "-e".into(), path] });
        tcp.or(unix).or(http).or(path)
    }
}

/// The keys of a table that ask whether something works.
pub(super) struct Checks<'k> {
    /// The name of the table.
    pub table: &'static str,
    pub check: Option<&'k ManifestCommand>,
    pub tcp: Option<&'k RawText>,
    pub unix: Option<&'k RawText>,
    pub http: Option<&'k RawText>,
    pub path: Option<&'k RawText>,
}

fn checks(ready: &manifest::Ready) -> Checks<'_> {
    Checks {
        table: "ready",
        check: ready.check.as_ref(),
        tcp: ready.tcp.as_ref(),
        unix: ready.unix.as_ref(),
        http: ready.http.as_ref(),
        path: None,
    }
}

/// The data of `data/check`, for a check that may take at most `timeout` milliseconds.
pub(super) fn check(
    about: &'static str,
    scope: &Scope,
    question: Question,
    timeout: u32,
    workdir: Option<String>,
) -> Script {
    let (host, path) = match &question {
        Question::Tcp { host, .. } => (Some(host), None),
        Question::Http { host, path, .. } => (Some(host), Some(path)),
        _ => (None, None),
    };
    let is_name = host.is_some_and(|host| host.parse::<IpAddr>().is_err());
    let declared = scope.references.iter().map(|variable| variable.name.as_str());
    let taken = path.into_iter().map(String::as_str).chain(declared);
    let addresses = is_name.then(|| free_variable("addresses", taken));
    let directory_variable = free_variable("here", workdir.iter().map(String::as_str));
    let texts = match &question {
        Question::Command { words } => words.iter().collect(),
        Question::Script { .. } => Vec::new(),
        Question::Tcp { host, port } => vec![host, port],
        Question::Unix { path } => vec![path],
        Question::Http { port, path, authority, .. } => vec![authority, port, path],
    };
    let is_used = |name: &str| {
        let reference = format!("${{{name}}}");
        texts.iter().copied().chain(&workdir).any(|text| text.contains(&reference))
    };
    let variables = scope.references.iter().filter(|variable| is_used(&variable.name)).cloned().collect();
    Script::Check(Box::new(ReadinessCheck {
        table: scope.table.clone(),
        about,
        variables,
        question,
        timeout,
        addresses,
        workdir,
        directory_variable,
    }))
}

/// A variable name that begins with `name` and that none of the texts contains.
pub(super) fn free_variable<'a>(name: &str, texts: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut name = name.to_owned();
    while texts.clone().any(|text| text.contains(&name)) {
        name.push('_');
    }
    name
}
