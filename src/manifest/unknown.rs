//! Reports keys and tables that the language does not have, with what to write instead.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::DeValue;

use super::keys::{Key, REFERENCE, Table};
use super::values::{Reader, Text, Value, value_for};
use super::words::{self, ForeignSection, Holds};
use super::{TABLES, suggest};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};

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
    let (help, line) = remedy(name, value.get_ref(), place, &T::keys());
    (problem.help(help), line)
}

/// What to write instead of a key that the table `place` does not have.
pub(super) fn remedy(name: &str, value: &DeValue<'_>, place: &str, keys: &[Key]) -> (String, Option<String>) {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    if let Some(key) = keys.iter().find(|key| words::plain(key.name) == words::plain(name)) {
        let line = value_for(key.name, key.expected, value).map(|meant| format!("{} = {meant}", key.name));
        let help = match &line {
            Some(line) if !value.is_str() || key.expected != Text::EXPECTED => format!("write `{line}`"),
            _ => format!("did you mean `{}`?", key.name),
        };
        return (help, line);
    }
    let table = place.strip_prefix('[').map_or(place, |_| "");
    if let Some(remedy) = words::remedy(name, value, table, &names) {
        return (remedy.help, remedy.line);
    }
    let near = did_you_mean(name, names.iter().copied());
    let help = match place.trim_matches(['[', ']']).split_once('.') {
        Some((kind, service))
            if value.is_table() && near.is_none() && place.ends_with(']') && kind != "defaults" =>
        {
            format!("a name with a dot needs quotes: `[{kind}.\"{service}.{name}\"]`")
        }
        _ => match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                elsewhere(name).or_else(|| similar(name, &names)).unwrap_or_else(|| explained(place, &names))
            }
        },
    };
    (help, None)
}

/// The table that has the key.
fn elsewhere(name: &str) -> Option<String> {
    let (home, ..) = REFERENCE.iter().find(|(_, _, keys)| keys().iter().any(|key| key.name == name))?;
    Some(format!("`{name}` is a key of `{home}`"))
}

/// The keys that have a word in common with it.
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

/// Where to look if no key is similar.
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
    format!("`s6gen explain {table}` shows the keys that there are")
}

/// The report on an unknown name at the top of a manifest, and the table of another system that it is, if it is one.
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
    let section = words::section(name);
    let help = match section {
        Some(section) if section.holds == Holds::Services => {
            let services = value.as_table().into_iter().flat_map(|table| table.iter());
            let first = services
                .filter(|(_, value)| value.get_ref().is_table())
                .map(|(name, _)| name.get_ref())
                .next();
            let header = first.and_then(|name| suggest::key(name)).unwrap_or_else(|| "NAME".into());
            format!("write `[longrun.{header}]`: {}", section.note)
        }
        Some(section) => section.note.to_owned(),
        None if value.is_table() => {
            format!("a service is written `[longrun.{name}]`, `[oneshot.{name}]` or `[bundle.{name}]`")
        }
        None => "settings of a service stand below its `[longrun.NAME]`".into(),
    };
    (problem.help(help), section)
}
