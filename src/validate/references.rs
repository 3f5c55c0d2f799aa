//! Checks that every name that is mentioned is defined.

use std::collections::BTreeMap;

use crate::diagnostic::{Class, Code, Diagnostic, Fix, Origin, Problems, Rank};
use crate::model::{Index, Kind, Name, Node, System};

use super::bundles::BundleErrors;
use super::names::listed;
use super::pipelines::wrong_members;
use super::{Guess, for_rank, suggestion};

/// How many places of one unknown name a report shows.
const SHOWN: usize = 8;
/// For how many unknown names s6gen looks for a similar name, because each look reads all names.
const GUESSED: usize = 50;

struct Mention<'a> {
    by: &'a Name,
    verb: &'static str,
    origin: Option<Origin>,
    class: Class,
    rank: Rank,
}

/// Checks that every name that is mentioned is defined.
pub(super) fn check(index: &Index<'_>, problems: &mut Problems) {
    for (number, (name, mut mentions)) in unknown_names(index).into_iter().enumerate() {
        mentions.sort_by_key(|mention| mention.rank);
        let (help, meant) = help(index, name, &mentions, number < GUESSED);
        let fix = meant.and_then(|meant| fix(name, &mentions, &meant));
        problems.push(report(name, &mentions, help).fix(fix));
    }
}

/// The names that are defined nowhere, each with its mentions.
fn unknown_names<'a>(index: &Index<'a>) -> BTreeMap<&'a Name, Vec<Mention<'a>>> {
    let mut unknown: BTreeMap<&Name, Vec<Mention<'_>>> = BTreeMap::new();
    let errors = BundleErrors::new(index);
    for (number, service) in index.set().services.iter().enumerate() {
        let (list, verb) = match &service.kind {
            Kind::Bundle(bundle) => (&bundle.contents[..], "contains"),
            _ => (service.dependencies(), "depends on"),
        };
        for (position, reference) in list.iter().enumerate() {
            if reference.name.is_reserved() || index.find(&reference.name).is_some() {
                continue;
            }
            let oneshot = matches!(service.kind, Kind::Oneshot(_));
            let (class, rank) = match &service.kind {
                Kind::Bundle(_) => (
                    Class::BundleUndefined,
                    errors.undefined.get(&(Node(number), position)).copied().unwrap_or(Rank::Unranked),
                ),
                _ => (
                    Class::DepUndefined,
                    Rank::Links { oneshot, service: for_rank(number), step: 2, item: for_rank(position) },
                ),
            };
            let mention = Mention { by: &service.name, verb, origin: reference.origin, class, rank };
            unknown.entry(&reference.name).or_default().push(mention);
        }
    }
    for wrong in wrong_members(index).into_iter().filter(|wrong| wrong.to.is_none()) {
        let verb = if wrong.is_producer { "is a producer for" } else { "is the consumer for" };
        unknown.entry(&wrong.reference.name).or_default().push(Mention {
            by: index.name(wrong.by),
            verb,
            origin: wrong.reference.origin,
            class: wrong.class,
            rank: wrong.rank,
        });
    }
    unknown
}

/// The change that writes a similar name everywhere.
fn fix(name: &Name, mentions: &[Mention<'_>], meant: &str) -> Option<Fix> {
    let old = str::from_utf8(name.as_bytes()).ok()?;
    let words = mentions.iter().filter_map(|mention| Fix::word(mention.origin?, old, meant));
    let edits: Vec<_> = words.flat_map(|fix| fix.edits).collect();
    (!edits.is_empty()).then(|| Fix::from(edits).likely())
}

/// What to do about a name that is defined nowhere, and the similar name that is probably meant. `guesses` says whether to search
/// for one.
fn help(index: &Index<'_>, name: &Name, mentions: &[Mention<'_>], guesses: bool) -> (String, Option<String>) {
    // A tree is often checked without its lower layers. A manifest names their services in `external`.
    let is_tree = index.set().services.iter().any(|service| service.definition().is_some());
    let mentioned_by: Vec<&Name> = mentions.iter().map(|mention| mention.by).collect();
    let guess = if guesses { suggestion(index, name, &mentioned_by) } else { None };
    let meant = guess.as_ref().and_then(|guess| guess.name.clone());
    let guess = guess.map(|Guess { text, is_sure, .. }| match is_sure || !is_tree {
        true => text,
        false => format!(
            "{text} If another layer of the image has `{name}`, check that layer too (`--layer`), or declare the \
             name (`--external`)"
        ),
    });
    let list = written_list(index, name, &mentioned_by);
    let meant = meant.filter(|_| list.is_none());
    let guess = list.or(guess);
    // Definitions that s6gen writes depend on these, so they are the most common unknown names.
    let is_of_overlay = is_tree
        && !index.set().target.system.is_overlay()
        && System::NEWEST_OVERLAY.built_ins().iter().any(|service| service.name == *name);
    let meant = meant.filter(|_| !is_of_overlay);
    let guess = guess.filter(|_| !is_of_overlay).or_else(|| {
        is_of_overlay.then(|| {
            format!(
                "`{name}` belongs to s6-overlay: check the tree as its /init compiles it, with `--overlay VERSION` such as \
                 `--overlay {}`",
                System::NEWEST_OVERLAY.version()
            )
        })
    });
    let help = guess.unwrap_or_else(|| {
        let known = match is_tree {
            true => "check that layer too (`--layer`), or declare the name (`--external`)",
            false => "declare it in `[target] external`",
        };
        format!("define it or remove this; if another layer of the image has it, {known}")
    });
    (help, meant)
}

/// The help if the name is that of a file with a list of names, inside a list that is a directory.
fn written_list(index: &Index<'_>, name: &Name, mentioned_by: &[&Name]) -> Option<String> {
    let service = mentioned_by.iter().find_map(|by| index.service(index.find(by)?))?;
    let (.., names) = service.definition()?.written_lists.iter().find(|(file, ..)| file == name)?;
    let list = if matches!(service.kind, Kind::Bundle(_)) { "contents" } else { "dependencies" };
    Some(format!(
        "only the names of the files in `{list}.d` count, not their contents: make an empty file for each of {}",
        listed(names)
    ))
}

fn report(name: &Name, mentions: &[Mention<'_>], help: String) -> Diagnostic {
    let first = &mentions[0];
    let mut problem = Diagnostic {
        code: Code::UnknownService,
        ..Diagnostic::s6rc(
            first.class,
            first.rank,
            format!("`{}` {} `{name}`, which is defined nowhere", first.by, first.verb),
        )
    };
    problem = problem.at(first.origin, "there is no such service, bundle or pipeline");
    for mention in mentions.iter().take(SHOWN).skip(1) {
        problem = problem.at(mention.origin, format!("`{}` {} it as well", mention.by, mention.verb));
    }
    if mentions.len() > SHOWN {
        let rest = listed(mentions[SHOWN..].iter().map(|mention| mention.by));
        problem = problem.note(format!("it is mentioned by {rest} as well"));
    }
    problem.help(help)
}
