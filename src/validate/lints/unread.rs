//! Finds the entries of definitions that s6-rc does not read, and guesses the intended file.

use std::cell::OnceCell;

use super::mentions::{Paths, is_referred_to, is_service, mentions, paths, texts};
use crate::diagnostic::did_you_mean;
use crate::model::{Content, Definition, DefinitionFile, Ignored, Name, Service};
use crate::validate::rule::Subject;

/// How many entries of one definition are searched for in scripts. A definition with more of them contains data.
const MOST: usize = 100;

/// Why an entry has no effect.
pub(super) enum Reason {
    /// It has the name of a service, and is beside the list that it belongs to.
    BesideItsList,
    /// s6-rc knows it, in services of another type.
    OtherType,
    /// It is a misspelling of this file.
    Misspelt(&'static str),
    /// s6-rc does not know it at all.
    Unknown,
}

/// The entries of a service that have no effect, each with the reason.
pub(super) struct Unread<'a> {
    pub(super) service: &'a Service,
    pub(super) entries: Vec<(&'a Ignored, Reason)>,
}

impl<'a> Unread<'a> {
    /// The entries whose reason `matches`.
    pub(super) fn with(&self, matches: impl Fn(&Reason) -> bool) -> Vec<&'a Ignored> {
        self.entries.iter().filter(|(_, reason)| matches(reason)).map(|(entry, _)| *entry).collect()
    }
}

/// The services with entries that s6-rc does not read and no script of the tree mentions.
pub(super) fn unread<'a>(subject: &Subject<'a>) -> Vec<Unread<'a>> {
    let elsewhere = OnceCell::new();
    let of = |(service, definition): (&'a Service, &'a Definition)| {
        // If a command line names a missing script, the lint `missing-script` suggests one of these entries.
        let has_missing = !definition.missing.is_empty();
        let is_suggested = |entry: &Ignored| {
            let inside = format!("/{}/{}/", service.name, Name::new(&entry.name));
            let nearest = definition.missing.iter().filter_map(|missing| missing.nearest.as_ref());
            nearest.into_iter().any(|(near, _)| near.contains(&inside))
        };
        // The lint `other-script` is about this script.
        let is_confused = |entry: &Ignored| {
            let own = format!("/{}/{}", service.name, Name::new(&entry.name));
            definition.confused.iter().any(|confused| confused.own.ends_with(&own))
        };
        let entries = definition
            .ignored
            .iter()
            .filter(|entry| !is_confused(entry))
            .filter(|entry| !has_missing || (entry.is_directory && !is_suggested(entry)));
        let entries = entries.take(MOST).filter_map(|entry| {
            let reason = reason(subject, service, entry, &elsewhere)?;
            Some((entry, reason))
        });
        Unread { service, entries: entries.collect() }
    };
    let with_some = subject.definitions().filter(|(_, definition)| !definition.ignored.is_empty());
    with_some.map(of).filter(|unread| !unread.entries.is_empty()).collect()
}

fn reason<'a>(
    subject: &Subject<'a>,
    service: &'a Service,
    entry: &'a Ignored,
    elsewhere: &OnceCell<Paths<'a>>,
) -> Option<Reason> {
    if lies_beside_its_list(subject, service, entry, elsewhere) {
        return Some(Reason::BesideItsList);
    }
    if is_harmless(entry) || is_referred_to(service, entry, elsewhere, subject) {
        return None;
    }
    Some(match (entry.is_known, intended_file(service, entry)) {
        (true, _) => Reason::OtherType,
        (false, Some(meant)) => Reason::Misspelt(meant),
        (false, None) => Reason::Unknown,
    })
}

/// Whether the entry is an empty file with the name of a service, beside the list that it belongs to.
fn lies_beside_its_list<'a>(
    subject: &Subject<'a>,
    service: &'a Service,
    entry: &'a Ignored,
    elsewhere: &OnceCell<Paths<'a>>,
) -> bool {
    let name = Name::new(&entry.name);
    if entry.is_known || !entry.is_empty || name == service.name || !is_service(&subject.index, &name) {
        return false;
    }
    let (Ok(own), Ok(file)) = (str::from_utf8(service.name.as_bytes()), str::from_utf8(&entry.name)) else {
        return false;
    };
    // A script may use an empty file of such a name.
    let is_kept = elsewhere.get_or_init(|| paths(subject)).contains(&(own, file));
    !is_kept && !texts(service).any(|text| mentions(text, &format!("./{file}")))
}

/// Whether a file is a harmless leftover of editors or people.
fn is_harmless(entry: &Ignored) -> bool {
    let name = entry.name.to_ascii_lowercase();
    let starts = [&b"readme"[..], b"license", b"copying", b"changelog", b"dockerfile"];
    let ends =
        [&b".md"[..], b".txt", b"~", b".bak", b".orig", b".rej", b".swp", b".old", b".example", b".sample"];
    !entry.is_known
        && (starts.iter().any(|start| name.starts_with(start)) || ends.iter().any(|end| name.ends_with(end)))
}

/// The file that an entry is a misspelling of, if it is clear.
fn intended_file(service: &Service, entry: &Ignored) -> Option<&'static str> {
    // The suggestion for a list is always the directory, because the file is the old form.
    let files = DefinitionFile::of(service.kind.word());
    let candidates: Vec<&'static str> =
        files.filter(|file| !matches!(file.content, Content::OldList)).map(|file| file.name).collect();
    let name = String::from_utf8_lossy(&entry.name);
    let plain: String =
        name.to_lowercase().chars().map(|c| if matches!(c, '_' | ' ' | '.') { '-' } else { c }).collect();
    let same = |candidate: &str| candidate.replace('.', "-") == plain;
    if let Some(candidate) = candidates.iter().find(|candidate| same(candidate)) {
        return Some(candidate);
    }
    let stem = plain.strip_suffix("-sh");
    if let Some(candidate) = candidates.iter().find(|candidate| Some(**candidate) == stem) {
        return Some(candidate);
    }
    // A short name resembles too many others.
    let long = candidates.iter().copied().filter(|candidate| candidate.len() > 5);
    if name.len() < 5 { None } else { did_you_mean(&plain, long) }
}
