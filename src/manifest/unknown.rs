//! Reports keys and tables that the language does not have, with what to write instead.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeValue;

use super::keys::{REFERENCE, Table};
use super::shape::Key;
use super::values::{ManifestCommand, ManifestText, Reader, Value, value_for};
use super::words::{self, ForeignSection, Holds};
use super::{TABLES, suggest};
use crate::diagnostic::{Code, Diagnostic, Fix, Origin, did_you_mean};

/// The report on a key that the table `place` does not have, and the line to write instead, if it is certain.
pub(super) fn unknown_key<T: Table>(
    key: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    reader: &Reader<'_>,
    place: &str,
) -> (Diagnostic, Option<String>) {
    let name = key.get_ref();
    let problem = Diagnostic::new(Code::UnknownKey, format!("`{place}` has no key `{name}`"))
        .at(reader.origin(key.span()), "unknown key");
    // If the key was written as `ready.port`, the line to write instead has the prefix `ready.` too.
    let is_dotted = reader.before(key.span()).is_some_and(|text| text.trim_end().ends_with('.'));
    let prefix = if is_dotted && !place.starts_with('[') { format!("{place}.") } else { String::new() };
    let (help, line) = remedy(name, value.get_ref(), place, &prefix, &T::keys());
    let fix =
        (!reader.is_pinned()).then(|| fix(key, value, reader, line.as_deref(), &help, is_dotted, &T::keys()));
    (problem.help(help).fix(fix.flatten()), line)
}

/// The change that writes the right key: certain if the value stays as it is, likely if it changes or the name is only similar.
fn fix(
    key: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    reader: &Reader<'_>,
    line: Option<&str>,
    help: &str,
    is_dotted: bool,
    keys: &[Key],
) -> Option<Fix> {
    let place = reader.origin(key.span());
    let Some((new, meant)) = line.and_then(|line| line.split_once(" = ")) else {
        // A search for a similar name takes time.
        let near = help.strip_prefix("did you mean `")?.strip_suffix("`?")?;
        return keys.iter().any(|key| key.name == near).then(|| Fix::replace(place, near).likely());
    };
    // The file has the part in front of the dot already.
    let new = if is_dotted { new.rsplit('.').next()? } else { new };
    let parsed = |text: &str| toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    let written = parsed(reader.written(value.span())?)?;
    if parsed(meant)? == written {
        return Some(Fix::replace(place, new));
    }
    let whole = Origin::new(place.file, place.span().start..reader.origin(value.span()).span().end);
    Some(Fix::replace(whole, format!("{new} = {meant}")).likely())
}

/// What to write instead of a key that the table `place` does not have. `prefix` comes before the key if the file has it
/// there.
pub(super) fn remedy(
    name: &str,
    value: &DeValue<'_>,
    place: &str,
    prefix: &str,
    keys: &[Key],
) -> (String, Option<String>) {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    if let Some(key) = keys.iter().find(|key| words::plain(key.name) == words::plain(name)) {
        let line =
            value_for(key.name, key.expected, value).map(|meant| format!("{prefix}{} = {meant}", key.name));
        let help = match &line {
            Some(line) if !value.is_str() || key.expected != ManifestText::EXPECTED => {
                format!("write `{line}`")
            }
            _ => format!("did you mean `{}`?", key.name),
        };
        return (help, line);
    }
    if let Some(line) = script_file(name, value, prefix, keys) {
        return (format!("write `{line}`"), Some(line));
    }
    if let Some(help) = key_of_oneshots(name, place) {
        return (help.to_owned(), None);
    }
    let table = place.strip_prefix('[').map_or(place, |_| "");
    if let Some(remedy) = words::remedy(name, value, table, prefix, &names) {
        return (remedy.help, remedy.line);
    }
    let help = elsewhere(name, place)
        .or_else(|| dotted_name(name, value, place, keys))
        .or_else(|| did_you_mean(name, names.iter().copied()).map(|near| format!("did you mean `{near}`?")))
        .or_else(|| similar(name, &names))
        .unwrap_or_else(|| explained(place, &names));
    (help, None)
}

/// The help for a key of oneshots that says in a longrun what another key or service says there.
fn key_of_oneshots(name: &str, place: &str) -> Option<&'static str> {
    match name {
        "wait-for" if place.starts_with("[longrun.") => Some(
            "a longrun has no `wait-for`: write it into a `[oneshot.NAME]`, and `dependencies = [\"NAME\"]` here",
        ),
        "on-failure" if place.starts_with("[longrun.") => Some(
            "a longrun has no `on-failure`: for what follows a death write `on-exit`, such as `on-exit.then = \"stop-container\"`",
        ),
        _ => None,
    }
}

/// The line to write instead of `run-file = "PATH"`.
fn script_file(name: &str, value: &DeValue<'_>, prefix: &str, keys: &[Key]) -> Option<String> {
    let stem = name.strip_suffix("-file").or_else(|| name.strip_suffix("_file"))?;
    let mut commands = keys.iter().filter(|key| key.expected == ManifestCommand::EXPECTED);
    let key = commands.find(|key| words::plain(key.name) == words::plain(stem))?;
    Some(format!("{prefix}{}.file = {}", key.name, suggest::string(value.as_str()?)?))
}

/// The help for a service name with a dot but without quotes, which TOML reads as two tables: the inner one has keys of a
/// service.
fn dotted_name(name: &str, value: &DeValue<'_>, place: &str, keys: &[Key]) -> Option<String> {
    let (kind, service) = place.strip_prefix('[')?.strip_suffix(']')?.split_once('.')?;
    let mut inside = value.as_table()?.keys();
    let has_keys = inside.any(|inner| keys.iter().any(|key| key.name == inner.get_ref().as_ref()));
    let whole = suggest::string(&format!("{service}.{name}")).filter(|_| has_keys && kind != "defaults")?;
    Some(format!("a name with a dot needs quotes: `[{kind}.{whole}]`"))
}

/// The help for a key of another table.
fn elsewhere(name: &str, place: &str) -> Option<String> {
    if TABLES.contains(&name) {
        return Some(match name {
            "include" => {
                "write `include` at the top of the file, before the first table: `include = [\"FILE\"]`".into()
            }
            "target" => "`target` is a table of the whole file: write its keys below a line `[target]`".into(),
            "defaults" => {
                "defaults apply to all services of a kind: write them below a line `[defaults.longrun]` or `[defaults.oneshot]`"
                    .into()
            }
            kind => format!("each service has its own table: write its keys below a line `[{kind}.NAME]`"),
        });
    }
    let (home, ..) = REFERENCE.iter().find(|(_, _, keys)| keys().iter().any(|key| key.name == name))?;
    let has_process = *home == "[longrun.NAME]" || *home == "[oneshot.NAME]";
    let kind = place.trim_matches(['[', ']']).rsplit('.').next_back().unwrap_or_default();
    Some(match (kind, name) {
        ("bundle", _) if has_process => format!(
            "a bundle has no process, so it has no `{name}`: write it for its members, or below `[defaults.longrun]` for every \
             longrun"
        ),
        ("oneshot", "ready") => {
            "a oneshot has no `ready`: it counts as up when `up` has succeeded, so let `up` itself wait"
                .into()
        }
        ("oneshot", "on-exit" | "restart-delay") => format!(
            "a oneshot has no `{name}`: for what follows if `up` fails write `on-failure`, such as `on-failure.tries = 3`"
        ),
        ("oneshot", _) if *home == "[longrun.NAME]" => format!(
            "a oneshot has no `{name}`, because it does not keep running: leave it out, or make it a longrun: \
             `[longrun.NAME]` with `run`"
        ),
        ("longrun", _) if *home == "[oneshot.NAME]" => format!(
            "a longrun has no `{name}`: leave it out, or write a step that is done once as `[oneshot.NAME]` with `up`"
        ),
        (_, "contents") => {
            "one name for several services is a bundle: `[bundle.NAME]` with `contents = [\"one\", \"two\"]`"
                .into()
        }
        ("longrun" | "oneshot" | "defaults", _) if !home.starts_with('[') => {
            format!("`{name}` is a key of `{home}`: write `{home}.{name}`")
        }
        _ if *home == "[target]" => {
            format!("`{name}` is a key of the whole file: write it below a line `[target]`")
        }
        _ => format!("`{name}` is a key of `{home}`, and not of `{place}`"),
    })
}

/// The keys that share a word with it.
fn similar(name: &str, names: &[&str]) -> Option<String> {
    let parts = |name: &str| -> Vec<String> {
        name.split(['-', '_', '.']).filter(|part| part.len() > 2).map(str::to_ascii_lowercase).collect()
    };
    let wanted = parts(name);
    let found: Vec<String> = names
        .iter()
        .filter(|name| parts(name).iter().any(|part| wanted.contains(part)))
        .take(4)
        .map(|name| format!("`{name}`"))
        .collect();
    let (last, first) = found.split_last()?;
    Some(match first.is_empty() {
        true => format!("did you mean {last}?"),
        false => format!("did you mean {} or {last}?", first.join(", ")),
    })
}

/// The help if no key is similar.
fn explained(place: &str, names: &[&str]) -> String {
    if names.len() <= 10 {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return format!("the keys are {}", names.join(", "));
    }
    let table = place.trim_matches(['[', ']']);
    let table = match table.split_once('.') {
        Some(("defaults", kind)) => kind,
        Some((kind, _)) => kind,
        None => table,
    };
    format!("`s6gen explain {table}` lists the keys")
}

/// The report on an unknown name at the top of a manifest. If it is a table of another system, returns that too.
pub(super) fn unknown_table(
    key: &Spanned<Cow<'_, str>>,
    value: &DeValue<'_>,
    reader: &Reader<'_>,
) -> (Diagnostic, Option<&'static ForeignSection>) {
    let name = key.get_ref().as_ref();
    let problem = Diagnostic::new(Code::UnknownKey, format!("a manifest has no `{name}`"))
        .at(reader.origin(key.span()), "unknown");
    if let Some(near) = did_you_mean(name, TABLES.iter().copied()).filter(|_| words::section(name).is_none())
    {
        return (problem.help(format!("did you mean `{near}`?")), None);
    }
    // `["program:web"]` or `["service.web"]`: a word of another system, then the name of the service.
    let (word, inner) = match name.split_once([':', '.']) {
        Some((word, inner)) if words::section(word).is_some() => (word, Some(inner.to_owned())),
        _ => (name, None),
    };
    let section = words::section(word);
    let help = match section {
        Some(section) if section.holds == Holds::Services => {
            let services = value.as_table().into_iter().flat_map(|table| table.iter());
            let first =
                services.filter(|(_, value)| value.get_ref().is_table()).map(|(name, _)| name.get_ref());
            let first = inner.or_else(|| first.map(|name| name.to_string()).next());
            let header = first.map_or_else(|| "NAME".into(), |name| suggest::service_key(&name));
            format!("write `[longrun.{header}]`: {}", section.note)
        }
        Some(section) => section.note.to_owned(),
        None if value.is_table() => {
            let key = suggest::service_key(name);
            format!("a service is written `[longrun.{key}]`, `[oneshot.{key}]` or `[bundle.{key}]`")
        }
        None => "write settings of a service below its `[longrun.NAME]`".into(),
    };
    (problem.help(help), section)
}
