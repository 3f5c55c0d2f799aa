use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Problems, did_you_mean};
use crate::model::{Definition, Ignored, Index, Kind, Name, Service, System};

use super::definitions;
use super::script::started;
use crate::validate::names::listed;

/// The files of a definition by type of service, for guesses.
const LONGRUN: &[&str] = &[
    "run",
    "finish",
    "dependencies.d",
    "timeout-up",
    "timeout-down",
    "timeout-kill",
    "timeout-finish",
    "notification-fd",
    "lock-fd",
    "max-death-tally",
    "down-signal",
    "reload-signal",
    "producer-for",
    "consumer-for",
    "pipeline-name",
    "flag-essential",
    "flag-timeout-killpg",
    "flag-newpidns",
    "type",
    "data",
    "env",
];
const ONESHOT: &[&str] =
    &["up", "down", "reload", "dependencies.d", "timeout-up", "timeout-down", "flag-essential", "type"];
const BUNDLE: &[&str] = &["contents.d", "flag-essential", "type"];

/// How many entries of one definition are looked for in scripts. Who keeps more there keeps data.
const MOST: usize = 100;

/// Every entry of a definition means something to s6-rc, or somebody refers to it.
pub(in crate::validate) fn have_a_meaning(index: &Index<'_>, problems: &mut Problems) {
    let elsewhere = OnceCell::new();
    for (service, definition) in definitions(index) {
        if definition.ignored.is_empty() {
            continue;
        }
        let mut known: Vec<&Ignored> = Vec::new();
        // What stands beside a script that is missing is reported with it.
        let misses = !definition.missing.is_empty();
        let mut strange: Vec<&Ignored> = Vec::new();
        let is_meant = |entry: &Ignored| {
            let inside = format!("/{}/{}/", service.name, Name::new(&entry.name));
            definition
                .missing
                .iter()
                .filter_map(|missing| missing.nearest.as_ref())
                .any(|(near, _)| near.contains(&inside))
        };
        let entries =
            definition.ignored.iter().filter(|entry| !misses || (entry.is_directory && !is_meant(entry)));
        for entry in entries.take(MOST) {
            if let Some(problem) = outside_its_list(service, definition, entry, index, &elsewhere) {
                problems.push(problem);
                continue;
            }
            if !is_harmless(entry) && !is_referred_to(service, definition, entry, &elsewhere, index) {
                match entry.is_known {
                    true => known.push(entry),
                    false => match near(service, entry) {
                        Some(meant) => problems.push(misspelt(service, entry, meant)),
                        None => strange.push(entry),
                    },
                }
            }
        }
        if !strange.is_empty() {
            problems.push(unknown(service, &strange));
        }
        if matches!(service.kind, Kind::Bundle(_)) {
            let lists: Vec<&Ignored> =
                known.extract_if(.., |entry| entry.name.starts_with(b"dependencies")).collect();
            if let Some(list) = lists.first() {
                problems.push(bundle_dependencies(service, list));
            }
        }
        if !known.is_empty() {
            problems.push(without_effect(service, &known));
        }
    }
}

/// The report on an empty file that is called like a service, beside the list of such files.
fn outside_its_list<'a>(
    service: &'a Service,
    definition: &'a Definition,
    entry: &'a Ignored,
    index: &Index<'a>,
    elsewhere: &OnceCell<Paths<'a>>,
) -> Option<Diagnostic> {
    let name = Name::new(&entry.name);
    if entry.is_known || !entry.is_empty || name == service.name || !is_service(index, &name) {
        return None;
    }
    let own = str::from_utf8(service.name.as_bytes()).ok()?;
    let file = str::from_utf8(&entry.name).ok()?;
    // A script may keep an empty file of such a name for itself.
    if elsewhere.get_or_init(|| paths(index)).contains(&(own, file)) {
        return None;
    }
    let own_texts = texts(service, definition);
    if own_texts.iter().any(|text| mentions(text, &format!("./{file}"))) {
        return None;
    }
    let (list, effect) = match &service.kind {
        Kind::Bundle(_) => ("contents.d", format!("`{}` does not contain `{name}`", service.name)),
        _ => ("dependencies.d", format!("`{}` does not wait for `{name}`", service.name)),
    };
    Some(
        Diagnostic::new(
            Code::UnknownEntry,
            format!("`{name}` lies beside `{list}` of `{}`, not in it", service.name),
        )
        .at(entry.origin, effect)
        .help(format!("move it to `{list}/{name}`, or remove it")),
    )
}

/// Whether something is called so here, or in s6-overlay where the tree is judged without it.
fn is_service(index: &Index<'_>, name: &Name) -> bool {
    let is_overlay = index.set().target.system.is_overlay();
    index.find(name).is_some()
        || (!is_overlay && System::NEWEST_OVERLAY.built_ins().iter().any(|service| service.name == *name))
}

/// The texts of a definition that commands stand in.
pub(super) fn texts<'a>(service: &'a Service, definition: &'a Definition) -> Vec<&'a str> {
    let scripts = started(service, definition).into_iter().map(|script| script.text);
    let lines = definition.command_lines.iter().map(|text| str::from_utf8(&text.bytes).unwrap_or_default());
    scripts.chain(lines).collect()
}

/// What is left behind by editors and people, and harms nobody.
fn is_harmless(entry: &Ignored) -> bool {
    let name = entry.name.to_ascii_lowercase();
    let starts = [&b"readme"[..], b"license", b"copying", b"changelog", b"dockerfile"];
    let ends =
        [&b".md"[..], b".txt", b"~", b".bak", b".orig", b".rej", b".swp", b".old", b".example", b".sample"];
    !entry.is_known
        && (starts.iter().any(|start| name.starts_with(start)) || ends.iter().any(|end| name.ends_with(end)))
}

type Paths<'a> = BTreeSet<(&'a str, &'a str)>;

/// Whether a script of the tree mentions the entry.
fn is_referred_to<'a>(
    service: &'a Service,
    definition: &'a Definition,
    entry: &'a Ignored,
    elsewhere: &OnceCell<Paths<'a>>,
    index: &Index<'a>,
) -> bool {
    let (Ok(name), Ok(own)) = (str::from_utf8(&entry.name), str::from_utf8(service.name.as_bytes())) else {
        return false;
    };
    // A file that s6-rc knows in other services has a name that may mean anything, such as `run` or `log`.
    let by_path = [format!("{own}/{name}"), format!("./{name}")];
    let is_own = texts(service, definition).iter().any(|text| {
        by_path.iter().any(|path| mentions(text, path)) || (!entry.is_known && mentions(text, name))
    });
    is_own || elsewhere.get_or_init(|| paths(index)).contains(&(own, name))
}

/// Whether the text contains the name, not as a part of another one.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

/// Every two components that follow each other in a path that a script of the tree contains.
fn paths<'a>(index: &Index<'a>) -> Paths<'a> {
    let mut found = BTreeSet::new();
    for (service, definition) in definitions(index) {
        for text in texts(service, definition) {
            let end = |c: char| c.is_whitespace() || ";|&(){}\"'`<>=,:".contains(c);
            for word in text.split(end).filter(|word| word.contains('/')) {
                let mut before = "";
                for component in word.split('/') {
                    if !before.is_empty() && !component.is_empty() {
                        found.insert((before, component));
                    }
                    before = component;
                }
            }
        }
    }
    found
}

fn misspelt(service: &Service, entry: &Ignored, meant: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownEntry, ignores(service, &[Name::new(&entry.name)]))
        .at(entry.origin, "it has no effect")
        .help(format!("did you mean `{meant}`?"))
}

fn unknown(service: &Service, entries: &[&Ignored]) -> Diagnostic {
    let names: Vec<Name> = entries.iter().map(|entry| Name::new(&entry.name)).collect();
    let mut problem = Diagnostic::new(Code::UnknownEntry, ignores(service, &names));
    for entry in entries.iter().take(4) {
        problem = problem.at(entry.origin, "it has no effect, and no script of the tree mentions it");
    }
    problem.help("remove it, or move it to where it is used")
}

fn ignores(service: &Service, names: &[Name]) -> String {
    let files = if names.len() == 1 { "no such file" } else { "no such files" };
    format!("s6-rc ignores {} of `{}`: it knows {files}", listed(names), service.name)
}

/// The file that was meant, if that is plain to see.
fn near(service: &Service, entry: &Ignored) -> Option<&'static str> {
    let candidates = match &service.kind {
        Kind::Longrun(_) => LONGRUN,
        Kind::Oneshot(_) => ONESHOT,
        _ => BUNDLE,
    };
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
    // Short names are near to anything.
    let long = candidates.iter().copied().filter(|candidate| candidate.len() > 5);
    if name.len() < 5 { None } else { did_you_mean(&plain, long) }
}

fn bundle_dependencies(service: &Service, list: &Ignored) -> Diagnostic {
    let name = &service.name;
    let file = Name::new(&list.name);
    Diagnostic::new(
        Code::BundleDependencies,
        format!("bundle `{name}` has dependencies, which s6-rc ignores"),
    )
    .at(list.origin, format!("nothing waits for what `{file}` names"))
    .help(format!("give every member of `{name}` these dependencies, and remove `{file}`"))
}

fn without_effect(service: &Service, entries: &[&Ignored]) -> Diagnostic {
    let (name, kind) = (&service.name, service.kind.word());
    let names: Vec<Name> = entries.iter().map(|entry| Name::new(&entry.name)).collect();
    let message = match &names[..] {
        [one] => format!("`{one}` has no effect in {kind} `{name}`"),
        several => format!("{} have no effect in {kind} `{name}`", listed(several)),
    };
    let mut problem = Diagnostic::new(Code::IgnoredEntry, message);
    for entry in entries.iter().take(6) {
        problem = problem.at(entry.origin, why(&service.kind, &entry.name));
    }
    let has = |file: &str| entries.iter().any(|entry| entry.name == file.as_bytes());
    let help = match &service.kind {
        Kind::Longrun(_) if has("down") => Some(format!(
            "if `{name}` shall not start at boot, leave it out of the start bundle; if something shall be done when it \
             stops, that is `finish`"
        )),
        Kind::Longrun(_) if has("log") => Some(format!(
            "make the logger a longrun of its own with a file `consumer-for` that holds `{name}`, and write its name into \
             `producer-for` of `{name}`"
        )),
        Kind::Longrun(_) if has("up") => Some("remove it, or write `oneshot` into `type`".into()),
        Kind::Oneshot(_) if has("run") => {
            Some("write the absolute path of `run` into `up`, or `longrun` into `type`".into())
        }
        Kind::Oneshot(_) if has("finish") => Some("what undoes a oneshot is `down`".into()),
        _ => None,
    };
    problem.maybe_help(help)
}

/// Why an entry has no effect.
fn why(kind: &Kind, name: &[u8]) -> &'static str {
    match (kind, name) {
        (_, b"nosetsid") => "no version of s6-rc since 0.5.2.1 reads it",
        (_, b"instance" | b"instances") => {
            "it has a meaning only beside `template`, and s6-rc makes it itself"
        }
        (Kind::Longrun(_), b"log") => "s6-rc leaves it out, so that this logger never runs",
        (Kind::Longrun(_), b"down") => {
            "s6-rc leaves it out; in plain s6 it is the mark of a service that is normally down"
        }
        (Kind::Longrun(_), b"pipeline-name") => "only the last consumer of a pipeline gives it a name",
        (Kind::Longrun(_), b"contents" | b"contents.d") => "only a bundle has contents",
        (Kind::Longrun(_), _) => "only a oneshot has this file",
        (Kind::Oneshot(_), b"producer-for" | b"consumer-for") => "only a longrun can be in a pipeline",
        (Kind::Oneshot(_), b"contents" | b"contents.d") => "only a bundle has contents",
        (Kind::Oneshot(_), b"log") => "s6-rc leaves it out, so that this logger never runs",
        (Kind::Oneshot(_), _) => "only a longrun has this file, and no command of this oneshot names it",
        _ => "a bundle has contents and nothing else",
    }
}

/// Nothing of what is written is hidden by something else, or cannot be read.
pub(in crate::validate) fn are_read(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let name = &service.name;
        if let Some((lost, file)) = &definition.hidden {
            let (list, what) = match service.kind {
                Kind::Bundle(_) => ("contents", "contain"),
                _ => ("dependencies", "wait for"),
            };
            let mut problem = Diagnostic::new(
                Code::HiddenList,
                format!(
                    "`{name}` does not {what} {}: `{list}.d` wins over `{list}`",
                    listed(lost.iter().map(|r| &r.name))
                ),
            );
            for reference in lost.iter().take(4) {
                problem = problem.at(reference.origin, format!("`{list}.d` does not have it"));
            }
            if lost.is_empty() {
                problem = problem.at(*file, "this file is not read");
            }
            problems.push(problem.help(format!(
                "make an empty file in `{list}.d` for each of these names, and remove the file `{list}`"
            )));
        }
        problems.extend(written_lists(service, definition, index));
        if let Some(origin) = definition.behind_type {
            problems.push(
                Diagnostic::new(Code::TextAfterType, format!("`type` of `{name}` holds more than the type"))
                    .at(origin, "s6-rc-compile does not read this far")
                    .help(format!("write `{}` and a newline, and nothing else", service.kind.word())),
            );
        }
        if let Some((origin, why)) = &definition.finish_left_out {
            problems.push(
                Diagnostic::new(
                    Code::FinishLeftOut,
                    format!("`finish` of `{name}` cannot be read, and is left out: {why}"),
                )
                .at(*origin, "s6-rc-compile says nothing, and the service runs without it"),
            );
        }
    }
}

/// The reports on files of a list that hold names of services, which only their own name can be.
fn written_lists<'a>(
    service: &'a Service,
    definition: &'a Definition,
    index: &'a Index<'a>,
) -> impl Iterator<Item = Diagnostic> + use<'a> {
    let (references, list, what) = match &service.kind {
        Kind::Bundle(bundle) => (&bundle.contents[..], "contents", "contain"),
        _ => (service.dependencies(), "dependencies", "wait for"),
    };
    // A file whose own name is unknown is reported for that.
    let known = definition.written_lists.iter().filter(|(file, ..)| is_service(index, file));
    known.filter_map(move |(file, origin, names)| {
        let is_lost = |name: &&Name| {
            is_service(index, name) && references.iter().all(|reference| reference.name != **name)
        };
        let lost: Vec<&Name> = names.iter().filter(is_lost).collect();
        if lost.is_empty() || lost.len() < names.len() {
            return None;
        }
        let names = listed(lost.iter().copied());
        Some(
            Diagnostic::new(Code::HiddenList, format!("`{}` does not {what} {names}", service.name))
                .at(
                    *origin,
                    format!("`{list}.d` is a list of files by their names: nobody reads what is in `{file}`"),
                )
                .help(format!("make an empty file in `{list}.d` for each of these names")),
        )
    })
}

/// Who waits for a bundle waits for something.
pub(in crate::validate) fn bundles_contain_something(index: &Index<'_>, problems: &mut Problems) {
    let empty: BTreeSet<&Name> = definitions(index)
        .filter(|(service, _)| match &service.kind {
            // The start bundles of s6-overlay are filled by other layers.
            Kind::Bundle(bundle) => {
                bundle.contents.is_empty()
                    && !service.incomplete
                    && service.name != *"user"
                    && service.name != *"user2"
            }
            _ => false,
        })
        .map(|(service, _)| &service.name)
        .collect();
    if empty.is_empty() {
        return;
    }
    let mut reported = BTreeSet::new();
    for (service, _) in definitions(index) {
        let waits = service.dependencies().iter().filter(|reference| empty.contains(&reference.name));
        for reference in waits {
            let name = &reference.name;
            if !reported.insert(name) {
                continue;
            }
            let bundle = index.find(name).and_then(|node| index.origin(node));
            problems.push(
                Diagnostic::new(
                    Code::EmptyBundle,
                    format!("`{}` waits for bundle `{name}`, which contains nothing", service.name),
                )
                .at(reference.origin, "this is to wait for nothing")
                .at(bundle, "nobody is in `contents.d`")
                .help("make an empty file in `contents.d` for each member, or remove this dependency"),
            );
        }
    }
}
