//! Translates values of Docker Compose, systemd and supervisord, where their meaning is certain.

use toml::de::DeValue;

use super::forms::SIGNAL_NUMBERS;
use super::keys::expected_of;
use super::suggest;
use super::values::{Flag, Value, value_for};

/// The translation of a value of another system.
pub(super) enum Translation {
    /// This value of the key.
    Value(String),
    /// This value of the key, with a remark of its own.
    Noted(String, &'static str),
    /// This line, with a remark on what it does.
    Line(&'static str, &'static str),
    /// Nothing has to be written, for this reason.
    Nothing(&'static str),
}

pub(super) const ON_DEMAND: &str = "it starts only when another service needs it or a command starts it";

/// The value in the form that the key takes.
pub(super) fn typed(key: &str, value: &DeValue<'_>) -> Option<Translation> {
    let leaf = key.rsplit('.').next().unwrap_or(key);
    value_for(leaf, expected_of(key)?, value).map(Translation::Value)
}

pub(super) fn command(key: &str, value: &DeValue<'_>) -> Option<Translation> {
    // The other systems expand or remove these characters. Here the program would get them unchanged.
    let is_special = |text: &str| text.contains('%') || text.starts_with(['-', '@', '+', '!', ':', '|']);
    match value.as_str() {
        Some(text) if is_special(text) => None,
        _ => typed(key, value),
    }
}

pub(super) fn seconds(key: &str, value: &DeValue<'_>) -> Option<Translation> {
    let number = match value {
        DeValue::Integer(number) => suggest::integer(number),
        DeValue::String(text) => text.parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => suggest::seconds(number).map(Translation::Value),
        None => typed(key, value),
    }
}

/// Names of services. A target, a socket or a mount of systemd is not a service.
pub(super) fn services(_: &str, value: &DeValue<'_>) -> Option<Translation> {
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
        true => Some(Translation::Nothing(
            "there are no targets, sockets and mounts; a service waits for services only",
        )),
        false => Some(Translation::Value(format!("[{}]", written.join(", ")))),
    }
}

pub(super) fn wanted_by(_: &str, _: &DeValue<'_>) -> Option<Translation> {
    Some(Translation::Nothing("a service starts with the container, unless it has `start = \"on-demand\"`"))
}

pub(super) fn starts(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match (value.as_bool(), word.as_deref()) {
        (Some(false), _) | (_, Some("false" | "no" | "off" | "manual")) => {
            Some(Translation::Line("start = \"on-demand\"", ON_DEMAND))
        }
        (Some(true), _) | (_, Some("true" | "yes" | "on" | "auto")) => Some(Translation::Nothing(
            "a service starts with the container, unless it has `start = \"on-demand\"`",
        )),
        _ => None,
    }
}

pub(super) fn restart(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match (value.as_bool(), word.as_deref()) {
        (Some(true), _) | (_, Some("always" | "unless-stopped" | "true" | "yes")) => {
            Some(Translation::Nothing("a longrun is always started again"))
        }
        (Some(false), _) | (_, Some("no" | "never" | "none" | "false")) => {
            Some(Translation::Line("on-exit.then = \"give-up\"", "after it has ended, it stays down"))
        }
        (_, Some("on-failure" | "unexpected")) => Some(Translation::Line(
            "on-exit.codes = [0]",
            "after an exit with one of these codes it stays down, after any other it starts again",
        )),
        _ => None,
    }
}

pub(super) fn kill_mode(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match (value.as_bool(), word.as_deref()) {
        (Some(true), _) | (_, Some("control-group" | "true" | "yes")) => {
            Some(Translation::Line("stop-group = true", "the rest of its process group is stopped with it"))
        }
        (Some(false), _) | (_, Some("process" | "none" | "false" | "no")) => Some(Translation::Nothing(
            "only the process itself gets the signal, unless the service has `stop-group = true`",
        )),
        _ => None,
    }
}

pub(super) fn true_only(key: &str, value: &DeValue<'_>) -> Option<Translation> {
    match value_for(key, Flag::EXPECTED, value)?.as_str() {
        "true" => Some(Translation::Value("true".into())),
        _ => Some(Translation::Nothing(
            "only the process itself is killed, unless the service has `flag-timeout-killpg = true`",
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
        SIGNAL_NUMBERS.iter().find(|(number, _)| *number == wanted).map(|(_, name)| *name)
    });
    let known = SIGNAL_NUMBERS.iter().map(|(_, name)| *name).find(|name| *name == signal);
    named.or(known).map(|name| format!("\"{name}\""))
}

pub(super) fn stop_command(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    sent_signal(value).map(Translation::Value)
}

pub(super) fn reload_command(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    sent_signal(value).map(Translation::Value)
}

/// A health check of Docker: `["CMD", "curl", "…"]`, `["CMD-SHELL", "…"]`, a string, or a table with `test`.
pub(super) fn health(key: &str, value: &DeValue<'_>) -> Option<Translation> {
    if let DeValue::Table(table) = value {
        let (_, test) = table.iter().find(|(key, _)| key.get_ref().as_ref() == "test")?;
        return health(key, test.get_ref());
    }
    let DeValue::Array(words) = value else { return typed(key, value) };
    let words: Option<Vec<&str>> = words.iter().map(|word| word.get_ref().as_str()).collect();
    match words?.as_slice() {
        ["NONE"] => Some(Translation::Nothing("without `ready` a service counts as up at once")),
        ["CMD-SHELL", script] => suggest::string(script).map(Translation::Value),
        ["CMD", words @ ..] if !words.is_empty() => {
            let words: Option<Vec<String>> = words.iter().map(|word| suggest::string(word)).collect();
            Some(Translation::Value(format!("[{}]", words?.join(", "))))
        }
        _ => typed(key, value),
    }
}

pub(super) fn path_exists(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let text = value.as_str()?;
    let (not, path) = match text.strip_prefix('!') {
        Some(path) => ("\"!\", ", path),
        None => ("", text),
    };
    let path = suggest::string(path.starts_with('/').then_some(path)?)?;
    Some(Translation::Value(format!("[\"test\", {not}\"-e\", {path}]")))
}

pub(super) fn path(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let text = value.as_str().filter(|text| is_path(text))?;
    suggest::string(text).map(Translation::Value)
}

/// Whether the text is an absolute path that the manifest accepts.
fn is_path(text: &str) -> bool {
    text.len() > 1
        && text.starts_with('/')
        && !text.contains("//")
        && !text.contains('%')
        && !text.split('/').any(|part| part == "." || part == "..")
}

pub(super) fn env_file(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let is_file =
        |text: &str| is_path(text.strip_prefix('-').unwrap_or(text)) && !text.contains([' ', ',', '$']);
    let are_files = match value {
        DeValue::Array(items) => items.iter().all(|item| item.get_ref().as_str().is_some_and(is_file)),
        value => value.as_str().is_some_and(is_file),
    };
    suggest::names(value).filter(|_| are_files).map(Translation::Value)
}

pub(super) fn log_to(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let text = value.as_str()?;
    let text = text.strip_prefix("file:").or(text.strip_prefix("append:")).unwrap_or(text);
    let has_none = "the output goes to the container's log by default";
    match text {
        "AUTO" | "journal" | "syslog" | "kmsg" | "inherit" | "tty" | "console" | "stdout" | "stderr"
        | "journal+console" | "/dev/stdout" | "/dev/stderr" | "/dev/fd/1" | "/dev/fd/2"
        | "/proc/self/fd/1" | "/proc/self/fd/2" | "/proc/1/fd/1" | "/proc/1/fd/2" => {
            Some(Translation::Nothing(has_none))
        }
        "NONE" | "null" | "none" | "/dev/null" => {
            Some(Translation::Noted("\"discard\"".into(), "the output is discarded"))
        }
        path if is_path(path) && !path.starts_with("/dev/") => {
            suggest::string(path.strip_suffix(".log").unwrap_or(path)).map(Translation::Value)
        }
        _ => None,
    }
}

pub(super) fn redirect_stderr(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    match value.as_bool() {
        Some(true) => Some(Translation::Nothing(
            "standard error goes where standard output goes, unless `log.stderr` says otherwise",
        )),
        _ => None,
    }
}

pub(super) fn log_size(key: &str, value: &DeValue<'_>) -> Option<Translation> {
    match value {
        // For supervisord, 0 means that nothing is rotated.
        DeValue::Integer(number) if number.as_str() == "0" => None,
        _ => typed(key, value),
    }
}

pub(super) fn limit(key: &str, value: &DeValue<'_>) -> Option<Translation> {
    match value.as_str() {
        // `soft:hard` of systemd: only the soft limit is translated.
        Some(text) if text.contains(':') => {
            let soft = text.split(':').next()?.parse::<i64>().ok()?;
            Some(Translation::Value(soft.to_string()))
        }
        Some("infinity") => Some(Translation::Nothing("without it the container's own limit applies")),
        _ => typed(key, value),
    }
}

pub(super) fn replicas(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let number = match value {
        DeValue::Integer(number) => suggest::integer(number)?,
        _ => return None,
    };
    match number {
        1 => Some(Translation::Nothing("a service is one process")),
        2..=10_000 => Some(Translation::Value(number.to_string())),
        _ => None,
    }
}

pub(super) fn port(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    let number = match value {
        DeValue::Integer(number) => suggest::integer(number)?,
        DeValue::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (1..=65535).contains(&number).then(|| Translation::Value(format!("\"127.0.0.1:{number}\"")))
}

pub(super) fn service_type(_: &str, value: &DeValue<'_>) -> Option<Translation> {
    match value.as_str()? {
        "simple" | "exec" | "idle" | "longrun" => Some(Translation::Nothing(
            "a `[longrun.NAME]` is a process that keeps running, and counts as up as soon as it was started",
        )),
        "forking" => Some(Translation::Nothing(
            "a program must not go into the background here, so give it the option that keeps it in the foreground",
        )),
        "oneshot" => Some(Translation::Nothing("a step that is done once is a `[oneshot.NAME]` with `up`")),
        "notify" | "notify-reload" | "dbus" => Some(Translation::Nothing(
            "there is no socket of systemd; `ready.fd`, `ready.check`, `ready.tcp` or `ready.unix` decides when the service is up",
        )),
        _ => None,
    }
}
