//! Reads what only fcgi-programs and event listeners have: their sockets and their events.

use super::Expanded;
use super::expand::{ExpansionNames, NameValue};
use super::options::SectionOptions;
use super::python::{digit, is_space};
use super::values::{boolean, list, number, octal, port};

/// What the other kinds of programs have.
#[derive(Default)]
pub(super) struct Details {
    pub socket: Option<Expanded>,
    pub events: Vec<String>,
}

/// The names of events.
const EVENTS: &[&str] = &[
    "EVENT",
    "PROCESS_STATE",
    "PROCESS_STATE_STOPPED",
    "PROCESS_STATE_EXITED",
    "PROCESS_STATE_STARTING",
    "PROCESS_STATE_STOPPING",
    "PROCESS_STATE_BACKOFF",
    "PROCESS_STATE_FATAL",
    "PROCESS_STATE_RUNNING",
    "PROCESS_STATE_UNKNOWN",
    "PROCESS_COMMUNICATION",
    "PROCESS_COMMUNICATION_STDOUT",
    "PROCESS_COMMUNICATION_STDERR",
    "PROCESS_LOG",
    "PROCESS_LOG_STDOUT",
    "PROCESS_LOG_STDERR",
    "REMOTE_COMMUNICATION",
    "SUPERVISOR_STATE_CHANGE",
    "SUPERVISOR_STATE_CHANGE_RUNNING",
    "SUPERVISOR_STATE_CHANGE_STOPPING",
    "TICK",
    "TICK_5",
    "TICK_60",
    "TICK_3600",
    "PROCESS_GROUP",
    "PROCESS_GROUP_ADDED",
    "PROCESS_GROUP_REMOVED",
];

/// Reads the options of an event listener.
pub(super) fn events(options: &mut SectionOptions, names: &ExpansionNames) -> Details {
    let buffer_size = options.setting("buffer_size", names, 10, number);
    if buffer_size.known().is_some_and(|size| *size < 1) {
        options.refuse(options.origin("buffer_size"), "`buffer_size` is less than 1");
    }
    options.text("result_handler", names);
    if options.setting("redirect_stderr", names, false, boolean).known() == Some(&true) {
        let reason = "an event listener cannot have `redirect_stderr`, because it answers on standard output";
        options.refuse(options.origin("redirect_stderr"), reason);
    }
    let origin = options.origin("events");
    let text = options.text("events", names).unwrap_or_default();
    let mut events: Vec<String> = list(&text.as_written()).iter().map(|event| event.to_uppercase()).collect();
    if events.is_empty() {
        options.refuse(origin, "the option `events` is missing");
    }
    let unknown = events.iter().find(|event| !EVENTS.contains(&event.as_str()));
    if let Some(unknown) = unknown.filter(|_| !text.has_variable()) {
        options.refuse(origin, format!("there is no event `{unknown}`"));
    }
    events.sort();
    events.dedup();
    Details { socket: None, events }
}

/// Reads the socket of an fcgi-program.
pub(super) fn socket(options: &mut SectionOptions, program: &str, names: &ExpansionNames) -> Details {
    let backlog = options.optional("socket_backlog", names, number);
    if backlog.is_some_and(|backlog| backlog.known().is_some_and(|backlog| !(1..=65535).contains(backlog))) {
        options.refuse(options.origin("socket_backlog"), "`socket_backlog` is not between 1 and 65535");
    }
    options.text("user", names);
    options.text("socket_owner", names);
    options.optional("socket_mode", names, octal);
    let mut names = names.clone();
    names.set("program_name", NameValue::Text(Expanded::plain(program)));
    let Some(socket) = options.text("socket", &names).filter(|socket| !socket.0.is_empty()) else {
        options.refuse(options.origin("socket"), "the option `socket` is missing");
        return Details::default();
    };
    let has_rights = options.option("socket_owner").is_some() || options.option("socket_mode").is_some();
    if let Some(Err(reason)) = socket.text().map(|text| check_socket(&text, has_rights)) {
        options.refuse(options.origin("socket"), reason);
    }
    Details { socket: Some(socket), events: Vec::new() }
}

fn check_socket(text: &str, has_rights: bool) -> Result<(), String> {
    if let Some(path) = text.strip_prefix("unix://") {
        return if path.starts_with('/') { Ok(()) } else { Err(format!("`{path}` is not an absolute path")) };
    }
    if has_rights {
        return Err("`socket_owner` and `socket_mode` are only for a socket `unix://…`".to_owned());
    }
    let address =
        text.strip_prefix("tcp://").and_then(|rest| rest.strip_suffix('\n').unwrap_or(rest).split_once(':'));
    let is_host = |host: &str| !host.is_empty() && !host.contains(is_space);
    let is_number = |digits: &str| !digits.is_empty() && digits.chars().all(|letter| digit(letter).is_some());
    match address {
        Some((host, digits)) if is_host(host) && is_number(digits) => port(digits).map(drop),
        _ => Err(format!("`{text}` is neither `unix:///PATH` nor `tcp://HOST:PORT`")),
    }
}
