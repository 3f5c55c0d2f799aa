//! Checks that every service that is mentioned exists.

use std::collections::BTreeMap;

use crate::diagnostic::{Class, Code, Diagnostic, Origin, Problems, Rank};
use crate::model::{Index, Kind, Name, Node, System};

use super::bundles::Resolution;
use super::names::listed;
use super::pipelines::strays;
use super::{Guess, meant, small};

/// How many mentions of one name a report shows.
const SHOWN: usize = 8;
/// How many unknown names are compared with every other name.
const GUESSED: usize = 50;

struct Mention<'a> {
    by: &'a Name,
    verb: &'static str,
    origin: Option<Origin>,
    class: Class,
    rank: Rank,
}

/// Checks that every name that is mentioned is defined.
pub(super) fn exist(index: &Index<'_>, problems: &mut Problems) {
    let mut unknown: BTreeMap<&Name, Vec<Mention<'_>>> = BTreeMap::new();
    let resolution = Resolution::new(index);
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
                    resolution.undefined.get(&(Node(number), position)).copied().unwrap_or(Rank::Unranked),
                ),
                _ => (
                    Class::DepUndefined,
                    Rank::Links { oneshot, service: small(number), step: 2, item: small(position) },
                ),
            };
            let mention = Mention { by: &service.name, verb, origin: reference.origin, class, rank };
            unknown.entry(&reference.name).or_default().push(mention);
        }
    }
    for stray in strays(index).into_iter().filter(|stray| stray.to.is_none()) {
        let verb = if stray.is_producer { "is a producer for" } else { "is the consumer for" };
        unknown.entry(&stray.reference.name).or_default().push(Mention {
            by: index.name(stray.by),
            verb,
            origin: stray.reference.origin,
            class: stray.class,
            rank: stray.rank,
        });
    }
    // Trees are often judged without the layers below them; a manifest names what they bring.
    let is_tree = index.set().services.iter().any(|service| service.definition().is_some());
    for (number, (name, mut mentions)) in unknown.into_iter().enumerate() {
        mentions.sort_by_key(|mention| mention.rank);
        let mentioned_by: Vec<&Name> = mentions.iter().map(|mention| mention.by).collect();
        let guess = if number < GUESSED { meant(index, name, &mentioned_by) } else { None };
        let guess = guess.map(|guess| match guess {
            Guess::Sure(text) => text,
            Guess::Near(text) if !is_tree => text,
            Guess::Near(text) => format!(
                "{text} If another layer of the image has `{name}`, judge that as well (`--layer`) or name it as known \
                 (`--external`)"
            ),
        });
        let guess = written_list(index, name, &mentioned_by).or(guess);
        // What s6gen itself writes depends on these.
        let is_of_overlay = is_tree
            && !index.set().target.system.is_overlay()
            && System::NEWEST_OVERLAY.built_ins().iter().any(|service| service.name == *name);
        let guess = guess.filter(|_| !is_of_overlay).or_else(|| {
            is_of_overlay.then(|| {
                format!(
                    "`{name}` is s6-overlay's: judge the tree as its /init compiles it, with `--overlay VERSION` such as \
                     `--overlay {}`",
                    System::NEWEST_OVERLAY.version()
                )
            })
        });
        let help = guess.unwrap_or_else(|| {
            let known = match is_tree {
                true => "judge that as well (`--layer`) or name it as known (`--external`)",
                false => "name it in `[target] external`",
            };
            format!("define it or remove this; if another layer of the image has it, {known}")
        });
        problems.push(report(name, &mentions, help));
    }
}

/// What to do where the name is that of a file which lists names, in a list that is a directory.
fn written_list(index: &Index<'_>, name: &Name, mentioned_by: &[&Name]) -> Option<String> {
    let service = mentioned_by.iter().find_map(|by| index.service(index.find(by)?))?;
    let (.., names) = service.definition()?.written_lists.iter().find(|(file, ..)| file == name)?;
    let list = if matches!(service.kind, Kind::Bundle(_)) { "contents" } else { "dependencies" };
    Some(format!(
        "only the names of the files in `{list}.d` count, and not what is in them: make an empty file for each of {}",
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
