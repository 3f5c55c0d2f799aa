//! Finds programs that never tell when they are ready, although a service that depends on them fails until they are.

use std::ptr;

use crate::diagnostic::{Confidence, Diagnostic, FixKind, Group, Lint, Origin, Severity};
use crate::model::{CallRole, Invocation, Node, Program, ProgramForm, Service, Why};
use crate::programs::{Behaviour, KnownProgram, KnownReadiness};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::readiness-needed",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Readiness,
        fix: FixKind::Without("which check fits is a choice"),
        page: include_str!("readiness_needed.md"),
    },
    check: Check::Services(check),
};

/// Words in scripts that wait for something, or try again.
const WAITS: &[&str] =
    &["until ", "while ", "sleep", "wait", "isready", "ping", "retry", "retries", "dockerize", "timeout"];

/// A longrun that never tells when it is ready, and the call of a known program that it becomes.
struct Server<'s> {
    service: &'s Service,
    node: Node,
    call: &'s Invocation,
    known: &'static KnownProgram,
}

/// The call of a service that needs a server, and why it waits for it.
struct Client<'s> {
    service: &'s Service,
    call: &'s Invocation,
    dependency: Option<Origin>,
}

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let mut servers = Vec::new();
    for (service, _, calls) in subject.processes() {
        let tells = service.longrun().is_none_or(|longrun| longrun.notification_fd.is_some());
        let known = calls.iter().find_map(|call| Some((call, known_server(call)?)));
        let (Some((call, known)), false) = (known, tells) else { continue };
        servers.extend(subject.index.find(&service.name).map(|node| Server { service, node, call, known }));
    }
    for server in &servers {
        let mut clients = subject
            .calls()
            .filter_map(|(service, program, calls)| client(subject, server, service, program, calls));
        if let Some(client) = clients.next() {
            found.push(report(found, server, &client));
        }
    }
}

/// The known program that a process becomes, if others need it.
fn known_server(call: &Invocation) -> Option<&'static KnownProgram> {
    let known = KnownProgram::find(call.path()?).filter(|known| !known.clients.is_empty())?;
    let stays = matches!(known.behaviour(&call.texts()), Behaviour::Stays | Behaviour::Unknown);
    (stays && call.role == CallRole::Process).then_some(known)
}

/// The first call of a program of a service that fails if the server does not answer yet.
fn client<'s>(
    subject: &Subject<'_>,
    server: &Server<'_>,
    service: &'s Service,
    program: &Program,
    calls: &'s [Invocation],
) -> Option<Client<'s>> {
    let starts = |file: &str| matches!(file, "run" | "up" | "prepare");
    if !starts(&program.file) && !["run", "up"].iter().any(|by| subject.is_called_by(service, program, by)) {
        return None;
    }
    let call = calls.iter().find(|call| needs(call, server.known))?;
    let index = &subject.index;
    let node = index.find(&service.name)?;
    let edge = index
        .edges(node)
        .iter()
        .find(|edge| edge.why == Why::Dependency && index.atomics(edge.to).contains(&server.node))?;
    // It waits itself, or for a service that depends on the server and waits.
    let behind = index.closure([server.node]);
    let between = index.closure([node]).into_iter().filter(|other| !behind.contains(other));
    let mut between = between
        .filter(|other| index.closure([*other]).contains(&server.node))
        .filter_map(|other| index.service(other));
    let is_silent = between.any(|other| other.programs.iter().any(waits))
        || calls.iter().any(|call| {
            call.path().and_then(KnownProgram::find).is_some_and(|other| ptr::eq(other, server.known))
        });
    (!is_silent).then_some(Client { service, call, dependency: edge.origin })
}

/// Whether a call is that of a client of this program, or a migration of such a database.
fn needs(call: &Invocation, known: &KnownProgram) -> bool {
    let Some(program) = call.program().filter(|_| matches!(call.role, CallRole::Process | CallRole::Waits))
    else {
        return false;
    };
    let is_migration = |text: &str| {
        text.contains("migrat") || text.starts_with("db:") || program == "alembic" && text == "upgrade"
    };
    let mut words = call.texts().into_iter().flatten().take(3);
    known.clients.contains(&program)
        && !words.clone().any(|word| matches!(word, "--version" | "-V" | "--help"))
        || known.clients.contains(&"migrate") && (is_migration(program) || words.any(is_migration))
}

/// Whether a program waits for something, or tries again.
fn waits(program: &Program) -> bool {
    // A service that has nothing to do sleeps for ever.
    let has = |text: &str| !text.contains("sleep inf") && WAITS.iter().any(|word| text.contains(word));
    match &program.form {
        ProgramForm::Arguments(words, _) => words.iter().any(|(word, _)| has(word)),
        _ => program.lines().any(|line| has(line.text)),
    }
}

fn report(found: &Findings<'_>, server: &Server<'_>, client: &Client<'_>) -> Diagnostic {
    let (name, dependent) = (&server.service.name, &client.service.name);
    let command = client.call.program().unwrap_or_default();
    let report = found
        .report(format!("`{name}` does not tell when it is ready, and `{dependent}` needs it"))
        .at(server.call.origin(), "for s6 this is ready as soon as it is started")
        .at(client.call.origin(), format!("`{command}` probably starts before it answers, and fails"))
        .at(client.dependency, format!("`{dependent}` waits for `{name}` to be ready"))
        .help(remedy(server, dependent));
    let asked = match server.known.ready {
        KnownReadiness::Check(text) | KnownReadiness::Descriptor(text) => text,
        KnownReadiness::Nothing | KnownReadiness::Systemd => server.known.names[0],
    };
    match server.known.ready_note {
        "" => report,
        note => report.note(format!("`{asked}`: {note}")),
    }
}

/// What makes the server tell, as the table of programs knows.
fn remedy(server: &Server<'_>, dependent: &impl std::fmt::Display) -> String {
    let name = &server.service.name;
    let is_tree = server.service.definition().is_some();
    match server.known.ready {
        KnownReadiness::Check(command) if is_tree => format!(
            "write `3` into a file `notification-fd` of `{name}`, and put `s6-notifyoncheck -n 0 -c \"{command}\"` before the \
             program; limit the time with `timeout-up`"
        ),
        KnownReadiness::Check(command) => {
            format!("write `ready.check = {command:?}` into the table of `{name}`")
        }
        KnownReadiness::Descriptor(option) if is_tree => {
            format!("add `{option}` to the command, and write `3` into a file `notification-fd` of `{name}`")
        }
        KnownReadiness::Descriptor(option) => {
            format!("add `{option}` to the command, and write `ready.fd = 3`")
        }
        KnownReadiness::Nothing | KnownReadiness::Systemd if is_tree => {
            format!("let `{dependent}` wait until `{name}` answers, with a limit for the time")
        }
        KnownReadiness::Nothing | KnownReadiness::Systemd => {
            format!(
                "write `ready.tcp` or `ready.unix`, with the place where it listens, into the table of `{name}`"
            )
        }
    }
}
