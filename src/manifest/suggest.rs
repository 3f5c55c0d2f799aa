//! Suggests what to write for a value of the wrong type.
//!
//! Every function here returns a valid value of the key, and only if there is only one plausible value.

use toml::de::{DeInteger, DeValue};

use super::forms::{SIGNAL_NUMBERS, StringForm, string_form as form};

/// The whole line for a key whose value is a table, if the user wrote another value: `log.to = "/var/log/web"`.
pub(super) fn line_for_table(key: &str, value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str();
    let (leaf, written) = match (key, text) {
        ("log", Some("stdout" | "stderr" | "/dev/stdout" | "/dev/stderr" | "/proc/self/fd/1")) => {
            ("to", "\"container\"".to_owned())
        }
        ("log", Some("none" | "/dev/null")) => ("to", "\"discard\"".to_owned()),
        ("log", Some(text)) if text.starts_with('/') || ["container", "discard"].contains(&text) => {
            ("to", string(text)?)
        }
        ("ready", Some(text)) if text.starts_with("http://") => ("http", string(text)?),
        ("ready", Some(text)) if text.starts_with('/') && !text.contains(' ') && text.contains("sock") => {
            ("unix", string(text)?)
        }
        ("ready", Some(text)) if is_address(text) => ("tcp", string(text)?),
        // A number above the usual limit of descriptors is a port.
        ("ready", None) if value.is_integer() => match number(value)?.parse().ok()? {
            3..=1023 => ("fd", number(value)?),
            1024..=65535 => ("tcp", text_for("tcp", value)?),
            _ => return None,
        },
        ("ready", None) if value.is_array() => ("check", command(value)?),
        ("on-exit", Some(text)) if ["give-up", "stop-container", "restart"].contains(&text) => {
            ("then", string(text)?)
        }
        ("on-failure", Some(text)) if ["fail", "ignore", "stop-container"].contains(&text) => {
            ("then", string(text)?)
        }
        ("on-failure", None) if value.is_integer() => ("tries", number(value).filter(|tries| tries != "0")?),
        ("on-exit", None) if value.is_array() => ("codes", numbers(value)?),
        _ => return None,
    };
    Some(format!("{key}.{leaf} = {written}"))
}

fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

pub(super) fn leaf(key: &str) -> &str {
    // `run.file` is the path of a script, beside the manifest.
    let is_script = key.ends_with(".file") && key != "log.file";
    if is_script { key } else { key.rsplit('.').next().unwrap_or(key) }
}

pub(super) fn is_inside(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

pub(super) fn text_for(key: &str, value: &DeValue<'_>) -> Option<String> {
    let digits = match value {
        DeValue::Integer(number) => Some(number.as_str().trim_start_matches('+').to_owned()),
        _ => None,
    };
    let whole = match value {
        DeValue::Integer(number) => integer(number),
        _ => None,
    };
    match (form(key), value) {
        (StringForm::TimeLimit, DeValue::Integer(_)) => duration_of(whole?, true),
        (StringForm::Duration | StringForm::Pause, DeValue::Integer(_)) => duration_of(whole?, false),
        (StringForm::TimeLimit | StringForm::Duration | StringForm::Pause, DeValue::Float(number)) => {
            let seconds: f64 = number.as_str().parse().ok()?;
            let milliseconds = seconds * 1000.0;
            let is_whole = milliseconds.fract() == 0.0 && (1.0..=86_400_000.0).contains(&milliseconds);
            is_whole.then(|| format!("\"{milliseconds:.0}ms\""))
        }
        (StringForm::TimeLimit | StringForm::Duration | StringForm::Pause, DeValue::Boolean(false)) => None,
        (StringForm::Signal, DeValue::Integer(_)) => {
            let wanted = whole?;
            SIGNAL_NUMBERS.iter().find(|(number, _)| *number == wanted).map(|(_, name)| format!("\"{name}\""))
        }
        (StringForm::Account, DeValue::Integer(_)) => {
            let id = u32::try_from(whole?).ok()?;
            Some(format!("\"{id}:{id}\""))
        }
        // The digits are octal, with or without `0o`.
        (StringForm::Mask, DeValue::Integer(number)) => {
            let digits = number.as_str();
            let is_mask = matches!(number.radix(), 8 | 10)
                && digits.len() <= 3
                && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
            is_mask.then(|| format!("\"{digits:0>3}\""))
        }
        (StringForm::Start, DeValue::Boolean(starts)) => {
            Some(format!("\"{}\"", if *starts { "boot" } else { "on-demand" }))
        }
        // s6-log accepts no smaller sizes.
        (StringForm::Size, DeValue::Integer(_)) => {
            (whole? >= 4096).then(|| format!("\"{}\"", digits.unwrap_or_default()))
        }
        (StringForm::Address, DeValue::Integer(_)) => {
            is_port(whole?).then(|| format!("\"127.0.0.1:{}\"", digits.unwrap_or_default()))
        }
        (StringForm::Url, DeValue::Integer(_)) => {
            is_port(whole?).then(|| format!("\"http://127.0.0.1:{}/\"", digits.unwrap_or_default()))
        }
        (StringForm::Free, DeValue::Integer(_)) => string(&digits?),
        (StringForm::Free, DeValue::Float(number)) => string(number.as_str()),
        (StringForm::Free, DeValue::Boolean(flag)) => string(&flag.to_string()),
        (StringForm::Free, DeValue::Datetime(date)) => string(&date.to_string()),
        (_, DeValue::String(text)) => text_of(key, text).or_else(|| string(text)),
        _ => None,
    }
}

fn is_port(number: i64) -> bool {
    (1..=65535).contains(&number)
}

/// The suggestion for a string that the key does not take as it is.
pub fn text_of(key: &str, text: &str) -> Option<String> {
    let digits = || text.parse::<i64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    match form(key) {
        form @ (StringForm::TimeLimit | StringForm::Duration | StringForm::Pause) => {
            let may_be_never = form == StringForm::TimeLimit;
            if ["infinity", "infinite", "forever", "none"].contains(&text) && may_be_never {
                return Some("\"never\"".into());
            }
            digits().map_or_else(|| units(text), |number| duration_of(number, may_be_never))
        }
        StringForm::Size => size(text),
        StringForm::Address => {
            let digits = text.strip_prefix(':').unwrap_or(text);
            let port = digits.parse::<u16>().ok().filter(|port| is_port((*port).into()))?;
            Some(format!("\"127.0.0.1:{port}\""))
        }
        _ => None,
    }
}

/// A number as a duration: seconds below 1000, and milliseconds from there on. Limits of 1000 seconds are rare, so a large
/// number probably comes from a file of s6, which counts in milliseconds.
fn duration_of(number: i64, may_be_never: bool) -> Option<String> {
    match number {
        0 if may_be_never => Some("\"never\"".into()),
        1..=999 => Some(format!("\"{number}s\"")),
        1000..=0xffff_ffff if number % 1000 == 0 => Some(format!("\"{}s\"", number / 1000)),
        1000..=0xffff_ffff => Some(format!("\"{number}ms\"")),
        _ => None,
    }
}

/// A number of seconds as a duration, from a system that counts in seconds.
pub(super) fn seconds(number: i64) -> Option<String> {
    (1..=4_000_000).contains(&number).then(|| format!("\"{number}s\""))
}

/// `5 min 20 sec`, `1m30`, `5M` in the units of the manifest.
fn units(text: &str) -> Option<String> {
    let mut written = String::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        number.parse::<u32>().ok().filter(|number| *number > 0)?;
        let behind = behind.trim_start();
        let letters = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, behind) = behind.split_at(letters);
        let unit = match unit.to_ascii_lowercase().as_str() {
            "ms" | "msec" | "millis" | "milliseconds" => "ms",
            "s" | "sec" | "secs" | "second" | "seconds" => "s",
            "m" | "min" | "mins" | "minute" | "minutes" => "m",
            "h" | "hr" | "hour" | "hours" => "h",
            "d" | "day" | "days" => "d",
            _ => return None,
        };
        written += number;
        written += unit;
        rest = behind.trim_start();
    }
    (!written.is_empty() && written != text).then(|| format!("\"{written}\""))
}

/// `10 MB`, `10mb`, `10MiB` in the units of the manifest.
fn size(text: &str) -> Option<String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    number.parse::<u32>().ok()?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => "",
        "k" | "kb" | "kib" => "KB",
        "m" | "mb" | "mib" => "MB",
        "g" | "gb" | "gib" => "GB",
        _ => return None,
    };
    let written = format!("{number}{unit}");
    (written != text).then(|| format!("\"{written}\""))
}

/// A command: a text of one line, an array of words, or the file of a script.
pub(super) fn command(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) if !text.trim().is_empty() => string(text),
        DeValue::Array(words) => {
            let words: Option<Vec<String>> = words.iter().map(|word| scalar(word.get_ref())).collect();
            let words = words.filter(|words| words.first().is_some_and(|program| program.len() > 2))?;
            Some(format!("[{}]", words.join(", ")))
        }
        DeValue::Table(table) if table.len() == 1 => {
            let is_path =
                |name: &str| ["path", "script", "source", "src", "from", "filename"].contains(&name);
            let (_, path) = table.iter().find(|(name, _)| is_path(name.get_ref()))?;
            Some(format!("{{ file = {} }}", string(path.get_ref().as_str()?)?))
        }
        _ => None,
    }
}

/// A list of names: from words in one string, an array with other types in it, or the keys of a table.
pub(super) fn names(value: &DeValue<'_>) -> Option<String> {
    let names: Vec<String> = match value {
        DeValue::String(text) => text
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|name| !name.is_empty())
            .map(string)
            .collect::<Option<_>>()?,
        DeValue::Array(items) => items.iter().map(|item| scalar(item.get_ref())).collect::<Option<_>>()?,
        DeValue::Table(table) => table.keys().map(|key| string(key.get_ref())).collect::<Option<_>>()?,
        DeValue::Integer(_) => vec![scalar(value)?],
        _ => return None,
    };
    (!names.is_empty()).then(|| format!("[{}]", names.join(", ")))
}

/// An integer, if it fits into 64 bits.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

pub(super) fn number(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(number) => integer(number).map(|number| number.to_string()),
        DeValue::String(text) => text.trim().parse::<i64>().ok().map(|number| number.to_string()),
        DeValue::Float(text) => {
            let whole = text.as_str().strip_suffix(".0")?;
            whole.parse::<i64>().ok().map(|number| number.to_string())
        }
        _ => None,
    }
}

pub(super) fn numbers(value: &DeValue<'_>) -> Option<String> {
    let numbers: Vec<String> = match value {
        DeValue::Array(items) => items.iter().map(|item| number(item.get_ref())).collect::<Option<_>>()?,
        DeValue::String(text) => text
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .map(|word| word.parse::<i64>().ok().map(|number| number.to_string()))
            .collect::<Option<_>>()?,
        other => vec![number(other)?],
    };
    // They are exit codes.
    let are_codes = !numbers.is_empty() && numbers.iter().all(|number| number.parse::<u8>().is_ok());
    are_codes.then(|| format!("[{}]", numbers.join(", ")))
}

pub(super) fn flag(value: &DeValue<'_>) -> Option<String> {
    let word = match value {
        DeValue::String(text) => text.to_ascii_lowercase(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        _ => return None,
    };
    match word.as_str() {
        "true" | "yes" | "on" | "1" => Some("true".into()),
        "false" | "no" | "off" | "0" => Some("false".into()),
        _ => None,
    }
}

/// `["A=1", "B=2"]`, `"A=1"`, `A="1",B="2"`, or a table with other types than strings in it.
pub(super) fn text_table(value: &DeValue<'_>) -> Option<String> {
    let pairs: Vec<(String, String)> = match value {
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| Some((key.get_ref().to_string(), scalar(value.get_ref())?)))
            .collect::<Option<_>>()?,
        DeValue::Array(items) => {
            items.iter().map(|item| pair(item.get_ref().as_str()?)).collect::<Option<_>>()?
        }
        DeValue::String(text) if !text.contains(['"', '\'', '\\']) => {
            text.split(',').filter(|part| !part.is_empty()).map(pair).collect::<Option<_>>()?
        }
        DeValue::String(text) => quoted_pairs(text)?,
        _ => return None,
    };
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| Some(format!("{} = {value}", key(name)?))).collect::<Option<_>>()?;
    (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
}

/// The table for `variables`, also of names without defaults.
pub(super) fn variables(value: &DeValue<'_>) -> Option<String> {
    let DeValue::Array(items) = value else { return text_table(value) };
    let is_name = |text: &&str| names_a_variable(text);
    let names =
        items.iter().map(|item| item.get_ref().as_str().filter(is_name).map(|name| format!("{name} = {{}}")));
    match names.collect::<Option<Vec<_>>>() {
        Some(names) if !names.is_empty() => Some(format!("{{ {} }}", names.join(", "))),
        _ => text_table(value),
    }
}

/// The list for `secrets`.
pub(super) fn secrets(value: &DeValue<'_>) -> Option<String> {
    let list = names(value)?;
    let mut items = list.trim_matches(['[', ']']).split(", ").map(|item| item.trim_matches('"'));
    items.all(names_a_variable).then_some(list)
}

/// Whether a variable can have this name.
fn names_a_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.trim().split_once('=')?;
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    is_plain.then(|| Some((name.to_owned(), string(value)?))).flatten()
}

/// `A="1",B="2"`, as supervisord writes it.
fn quoted_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, behind) = rest.split_once('=')?;
        let quote = behind.chars().next().filter(|c| ['"', '\''].contains(c))?;
        let (value, behind) = behind[1..].split_once(quote)?;
        pairs.push(pair(&format!("{}={value}", name.trim()))?);
        rest = behind.trim_start().trim_start_matches(',').trim_start();
    }
    Some(pairs)
}

/// A value that is not a list or table, as a string of the manifest.
pub(super) fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => string(text),
        DeValue::Integer(number) if number.radix() == 10 => string(number.as_str()),
        DeValue::Float(number) => string(number.as_str()),
        DeValue::Boolean(flag) => string(&flag.to_string()),
        _ => None,
    }
}

/// The longest text that is repeated in a suggestion.
const LONGEST: usize = 160;

/// A string as TOML writes it; `None` if it has control characters or is too long.
pub(super) fn string(text: &str) -> Option<String> {
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return None;
    }
    let has_specials = text.contains(['"', '\\']);
    Some(match has_specials && !text.contains('\'') {
        true => format!("'{text}'"),
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    })
}

/// A valid name of a service that is similar to `name`, as the header of a table writes it.
pub(super) fn service_key(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.@-".contains(c) { c } else { '-' };
    let name: String = name.trim().chars().map(allowed).take(LONGEST).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    match name {
        "" => "NAME".to_owned(),
        _ => key(name).unwrap_or_else(|| "NAME".to_owned()),
    }
}

/// A key as TOML writes it.
pub(super) fn key(name: &str) -> Option<String> {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if is_bare { Some(name.to_owned()) } else { string(name) }
}

/// A remark on `meant`, which is suggested instead of `value`.
pub(super) fn remark(key: &str, meant: &str, value: &DeValue<'_>) -> &'static str {
    match (form(leaf(key)), value) {
        (StringForm::Address | StringForm::Url, DeValue::Integer(_)) if meant.contains("127.0.0.1") => {
            ", or name another host than the container itself"
        }
        (StringForm::Account, DeValue::Integer(_)) => {
            ": the number after the colon is the group, which s6 does not look up; a name in quotes brings the groups of its account"
        }
        (StringForm::TimeLimit | StringForm::Duration | StringForm::Pause, DeValue::Integer(number))
            if number.as_str().len() > 3 =>
        {
            ", if the number is in milliseconds, as in the files of s6"
        }
        _ => "",
    }
}
