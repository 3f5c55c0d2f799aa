//! The names that a manifest gives to services, for the completion in a shell.

use std::path::Path;

use crate::diagnostic::{Files, Problems};
use crate::disk;
use crate::manifest::{Instances, parse};

/// A name that a user can write in a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenName {
    /// The name.
    pub name: String,
    /// What it is: `longrun`, `oneshot`, `bundle`, `template` or `instance`.
    pub kind: &'static str,
}

/// The names of the services, bundles, templates and instances in the manifest at `path`, in order. Reads no other file: what the
/// manifest includes is left out. A manifest that cannot be read has no names, and a part that
/// cannot be read adds none.
pub fn written_names(path: &Path) -> Vec<WrittenName> {
    let Ok(content) = disk::read_manifest(path) else { return Vec::new() };
    let mut files = Files::default();
    let file = files.add(path, content.text);
    let manifest = parse(&files, file, &mut Problems::default());
    let mut names = Vec::new();
    for entry in &manifest.services {
        let (kind, instances) = entry.facts();
        let kind = if instances.is_some() { "template" } else { kind };
        names.push(WrittenName { name: entry.name.value.clone(), kind });
        let of_instance = |instance: String| WrittenName {
            name: format!("{}-{instance}", entry.name.value),
            kind: "instance",
        };
        names.extend(instances.into_iter().flat_map(instance_names).map(of_instance));
    }
    // Nothing else is the name of a service, and these mean nothing to a shell.
    names.retain(|name| is_plain(&name.name));
    names.sort();
    names.dedup();
    names
}

/// The most numbered instances that are listed. Nobody looks through more.
const MOST_NUMBERED: i64 = 1000;

fn instance_names(instances: &Instances) -> Vec<String> {
    let numbered = (1..=instances.count.map_or(0, |count| count.value).min(MOST_NUMBERED))
        .map(|number| number.to_string());
    numbered.chain(instances.named.iter().map(|(name, _)| name.value.clone())).collect()
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.@-".contains(c))
}
