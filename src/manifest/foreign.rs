//! Translates values of Docker Compose, systemd and supervisord, where their meaning is certain.

use toml::de::DeValue;

use super::keys::expected_of;
use super::suggest;
use super::values::{Flag, Value, value_for};

/// What a value of another system means.
pub(super) enum Meant {
    /// This value of the key.
    Value(String),
    /// This value of the key, with a remark of its own.
    Noted(String, &'static str),
    /// This line, with a remark on what it does.
    Line(&'static str, &'static str),
    /// Nothing has to be written, for this reason.
    Nothing(&'static str),
}

pub(super) const ON_DEMAND: &str = "it starts only when something needs it or asks for it";

/// The value in the form that the key takes.
pub(super) fn typed(key: &str, value: &DeValue<'_>) -> Option<Meant> {
    let leaf = key.rsplit('.').next().unwrap_or(key);
    value_for(leaf, expected_of(key)?, value).map(Meant::Value)
}

pub(super) fn command(key: &str, value: &DeValue<'_>) -> Option<Meant> {
    // What only their program expands or takes away would arrive as it is.
    let is_special = |text: &str| text.contains('%') || text.starts_with(['-', '@', '+', '!', ':', '|']);
    match value.as_str() {
        Some(text) if is_special(text) => None,
        _ => typed(key, value),
    }
}

pub(super) fn seconds(key: &str, value: &DeValue<'_>) -> Option<Meant> {
    let number = match value {
        DeValue::Integer(number) => suggest::integer(number),
        DeValue::String(text) => text.parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => suggest::seconds(number).map(Meant::Value),
        None => typed(key, value),
    }
}

/// Names of services. A target, a socket or a mount of systemd is not a service.
pub(super) fn services(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let names: Vec<String> = match value {
        DeValue::String(text) => {
            text.split([' ', ',', '\t']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        DeValue::Array(items) => {
            items.iter().map(|item| Some(item.get_ref().as_str()?.to_owned())).collect::<Option<_>>()?
        }
        DeValue::Table(table) => table.keys().map(|key| key.get_ref().to_string()).collect(),
        _ => return None,
    };
    let written: Vec<String> = names
        .iter()
        .map(|name| name.strip_suffix(".service").unwrap_or(name))
        .filter(|name| {
            ![".target", ".socket", ".mount", ".device", ".timer", ".slice", ".path"]
                .iter()
                .any(|end| name.ends_with(end))
        })
        .map(suggest::string)
        .collect::<Option<_>>()?;
    match written.is_empty() {
        true if names.is_empty() => None,
        true => Some(Meant::Nothing(
            "there are no targets, sockets and mounts; a service waits for services only",
        )),
        false => Some(Meant::Value(format!("[{}]", written.join(", ")))),
    }
}

pub(super) fn wanted_by(_: &str, _: &DeValue<'_>) -> Option<Meant> {
    Some(Meant::Nothing("a service starts with the container, unless it says `start = \"on-demand\"`"))
}

pub(super) fn starts(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match (value.as_bool(), word.as_deref()) {
        (Some(false), _) | (_, Some("false" | "no" | "off" | "manual")) => {
            Some(Meant::Line("start = \"on-demand\"", ON_DEMAND))
        }
        (Some(true), _) | (_, Some("true" | "yes" | "on" | "auto")) => Some(Meant::Nothing(
            "a service starts with the container, unless it says `start = \"on-demand\"`",
        )),
        _ => None,
    }
}

pub(super) fn restart(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match (value.as_bool(), word.as_deref()) {
        (Some(true), _) | (_, Some("always" | "unless-stopped" | "true" | "yes")) => {
            Some(Meant::Nothing("a longrun is always started again"))
        }
        (Some(false), _) | (_, Some("no" | "never" | "none" | "false")) => {
            Some(Meant::Line("on-exit.then = \"give-up\"", "when it has ended it stays down"))
        }
        (_, Some("on-failure" | "unexpected")) => Some(Meant::Line(
            "on-exit.codes = [0]",
            "after an exit with one of these codes it stays down, after any other it starts again",
        )),
        _ => None,
    }
}

pub(super) fn kill_mode(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match (value.as_bool(), word.as_deref()) {
        (Some(true), _) | (_, Some("control-group" | "true" | "yes")) => {
            Some(Meant::Line("stop-group = true", "what is left of its process group is stopped with it"))
        }
        (Some(false), _) | (_, Some("process" | "none" | "false" | "no")) => Some(Meant::Nothing(
            "only the process itself gets the signal, unless it says `stop-group = true`",
        )),
        _ => None,
    }
}

pub(super) fn true_only(key: &str, value: &DeValue<'_>) -> Option<Meant> {
    match value_for(key, Flag::EXPECTED, value)?.as_str() {
        "true" => Some(Meant::Value("true".into())),
        _ => Some(Meant::Nothing(
            "only the process itself is killed, unless it says `flag-timeout-killpg = true`",
        )),
    }
}

/// A command that only sends a signal.
fn sent_signal(value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str()?;
    let mut words = text.split_whitespace();
    words.next().filter(|program| program.ends_with("kill"))?;
    let signal = words.find_map(|word| word.strip_prefix('-'))?;
    let signal = signal.strip_prefix("SIG").unwrap_or(signal);
    let named = signal.parse::<i64>().ok().and_then(|wanted| {
        suggest::SIGNAL_NUMBERS.iter().find(|(number, _)| *number == wanted).map(|(_, name)| *name)
    });
    let known = suggest::SIGNAL_NUMBERS.iter().map(|(_, name)| *name).find(|name| *name == signal);
    named.or(known).map(|name| format!("\"{name}\""))
}

pub(super) fn stop_command(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    sent_signal(value).map(Meant::Value)
}

pub(super) fn reload_command(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    sent_signal(value).map(Meant::Value)
}

/// A health check of Docker: `["CMD", "curl", "…"]`, `["CMD-SHELL", "…"]`, a string, or a table with `test`.
pub(super) fn health(key: &str, value: &DeValue<'_>) -> Option<Meant> {
    if let DeValue::Table(table) = value {
        let (_, test) = table.iter().find(|(key, _)| key.get_ref().as_ref() == "test")?;
        return health(key, test.get_ref());
    }
    let DeValue::Array(words) = value else { return typed(key, value) };
    let words: Option<Vec<&str>> = words.iter().map(|word| word.get_ref().as_str()).collect();
    match words?.as_slice() {
        ["NONE"] => Some(Meant::Nothing("without `ready` a service counts as up at once")),
        ["CMD-SHELL", script] => suggest::string(script).map(Meant::Value),
        ["CMD", words @ ..] if !words.is_empty() => {
            let words: Option<Vec<String>> = words.iter().map(|word| suggest::string(word)).collect();
            Some(Meant::Value(format!("[{}]", words?.join(", "))))
        }
        _ => typed(key, value),
    }
}

pub(super) fn path_exists(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let text = value.as_str()?;
    let (not, path) = match text.strip_prefix('!') {
        Some(path) => ("\"!\", ", path),
        None => ("", text),
    };
    let path = suggest::string(path.starts_with('/').then_some(path)?)?;
    Some(Meant::Value(format!("[\"test\", {not}\"-e\", {path}]")))
}

pub(super) fn path(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let text = value.as_str().filter(|text| is_path(text))?;
    suggest::string(text).map(Meant::Value)
}

/// An absolute path that `values` will take.
fn is_path(text: &str) -> bool {
    text.len() > 1
        && text.starts_with('/')
        && !text.contains("//")
        && !text.contains('%')
        && !text.split('/').any(|part| part == "." || part == "..")
}

pub(super) fn env_file(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let path = value.as_str().filter(|text| is_path(text) && !text.contains([' ', '\'', '"', '$']))?;
    suggest::string(&format!("set -a; . {path}; exec PROGRAM")).map(Meant::Value)
}

pub(super) fn log_to(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let text = value.as_str()?;
    let text = text.strip_prefix("file:").or(text.strip_prefix("append:")).unwrap_or(text);
    let has_none = "the output goes to the container's log anyway";
    match text {
        "AUTO" | "journal" | "syslog" | "kmsg" | "inherit" | "tty" | "console" | "stdout" | "stderr"
        | "journal+console" | "/dev/stdout" | "/dev/stderr" | "/dev/fd/1" | "/dev/fd/2"
        | "/proc/self/fd/1" | "/proc/self/fd/2" | "/proc/1/fd/1" | "/proc/1/fd/2" => {
            Some(Meant::Nothing(has_none))
        }
        "NONE" | "null" | "none" | "/dev/null" => {
            Some(Meant::Noted("\"discard\"".into(), "the output is thrown away"))
        }
        path if is_path(path) && !path.starts_with("/dev/") => {
            suggest::string(path.strip_suffix(".log").unwrap_or(path)).map(Meant::Value)
        }
        _ => None,
    }
}

pub(super) fn redirect_stderr(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    match value.as_bool() {
        Some(true) => Some(Meant::Nothing(
            "standard error goes where standard output goes, unless `log.stderr` says otherwise",
        )),
        _ => None,
    }
}

pub(super) fn log_size(key: &str, value: &DeValue<'_>) -> Option<Meant> {
    match value {
        // For supervisord, 0 means that nothing is rotated.
        DeValue::Integer(number) if number.as_str() == "0" => None,
        _ => typed(key, value),
    }
}

pub(super) fn limit(key: &str, value: &DeValue<'_>) -> Option<Meant> {
    match value.as_str() {
        // `soft:hard` of systemd: the soft limit is the one in force.
        Some(text) if text.contains(':') => {
            let soft = text.split(':').next()?.parse::<i64>().ok()?;
            Some(Meant::Value(soft.to_string()))
        }
        Some("infinity") => Some(Meant::Nothing("without it the container's own limit holds")),
        _ => typed(key, value),
    }
}

pub(super) fn replicas(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let number = match value {
        DeValue::Integer(number) => suggest::integer(number)?,
        _ => return None,
    };
    match number {
        1 => Some(Meant::Nothing("a service is one process")),
        2..=10_000 => Some(Meant::Value(number.to_string())),
        _ => None,
    }
}

pub(super) fn port(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    let number = match value {
        DeValue::Integer(number) => suggest::integer(number)?,
        DeValue::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (1..=65535).contains(&number).then(|| Meant::Value(format!("\"127.0.0.1:{number}\"")))
}

pub(super) fn service_type(_: &str, value: &DeValue<'_>) -> Option<Meant> {
    match value.as_str()? {
        "simple" | "exec" | "idle" | "longrun" => Some(Meant::Nothing(
            "a `[longrun.NAME]` is a process that stays, and counts as up when it was started",
        )),
        "forking" => Some(Meant::Nothing(
            "a program must not go into the background here, so give it the option that keeps it in the foreground",
        )),
        "oneshot" => Some(Meant::Nothing("a step that is done once is a `[oneshot.NAME]` with `up`")),
        "notify" | "notify-reload" | "dbus" => Some(Meant::Nothing(
            "systemd's socket does not exist here; `ready.fd`, `ready.check`, `ready.tcp` or `ready.unix` says when the service is up",
        )),
        _ => None,
    }
}
