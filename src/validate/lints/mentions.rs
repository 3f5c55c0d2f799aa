//! Finds the names and paths that the scripts of a tree mention.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::model::{Ignored, Index, Name, Program, Service, System};
use crate::validate::rule::Subject;

/// The texts of a service that contain commands.
pub(in crate::validate) fn texts(service: &Service) -> impl Iterator<Item = &str> {
    service.programs.iter().map(Program::text)
}

/// Whether a service has this name, here or in s6-overlay if the tree is checked without it.
pub(super) fn is_service(index: &Index<'_>, name: &Name) -> bool {
    let is_overlay = index.set().target.system.is_overlay();
    index.find(name).is_some()
        || (!is_overlay && System::NEWEST_OVERLAY.built_ins().iter().any(|service| service.name == *name))
}

/// Pairs of neighbouring components in paths: `("web", "data")` for `/etc/web/data`.
pub(super) type Paths<'a> = BTreeSet<(&'a str, &'a str)>;

/// Whether a script of the tree mentions the entry.
pub(super) fn is_referred_to<'a>(
    service: &'a Service,
    entry: &'a Ignored,
    elsewhere: &OnceCell<Paths<'a>>,
    subject: &Subject<'a>,
) -> bool {
    let (Ok(name), Ok(own)) = (str::from_utf8(&entry.name), str::from_utf8(service.name.as_bytes())) else {
        return false;
    };
    // A name that s6-rc knows in other services, such as `run` or `log`, is too common a word: only its path counts.
    let by_path = [format!("{own}/{name}"), format!("./{name}")];
    let is_own = texts(service).any(|text| {
        by_path.iter().any(|path| mentions(text, path)) || (!entry.is_known && mentions(text, name))
    });
    let mut others = subject.index.set().context.scripts.iter();
    is_own
        || (!entry.is_known && others.any(|text| mentions(text, name)))
        || elsewhere.get_or_init(|| paths(subject)).contains(&(own, name))
}

/// Whether the text contains the name as a whole word.
pub(in crate::validate) fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

/// The neighbouring components of every path that a script of the tree contains.
pub(super) fn paths<'a>(subject: &Subject<'a>) -> Paths<'a> {
    let mut found = BTreeSet::new();
    for (service, _) in subject.definitions() {
        for text in texts(service) {
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
