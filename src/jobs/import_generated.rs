//! Finds out which definitions of an imported tree s6gen itself has built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::import_files::{MANIFEST, compile_text};
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::disk::path::destination;
use crate::migrate::Migration;
use crate::model::{DefinitionFiles, File, Name, Target};
use crate::source::Directory;
use crate::{import, render};

/// The definitions that s6gen generated once, and that the manifest would generate in another form.
pub(super) fn not_generated_again(
    definitions: &DefinitionFiles,
    migration: &Migration,
    verbatim: &BTreeSet<Name>,
) -> BTreeSet<Name> {
    let generated =
        definitions.iter().filter(|(name, files)| !verbatim.contains(name) && is_generated(files));
    let generated: Vec<_> = generated.collect();
    if generated.is_empty() {
        return BTreeSet::new();
    }
    let text = migration.draft.text();
    let (_, compilation) = compile_text(Path::new(MANIFEST), &text, &migration.files);
    let broken = broken_tables(&text, &compilation.problems);
    let is_broken = |name: &Name| {
        let name = name.to_string();
        // The table may be that of a template.
        let rests = broken.iter().filter_map(|table| name.strip_prefix(table.as_str()));
        rests.into_iter().any(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let target = &compilation.services.target;
    let tree = render::tree(&compilation.services).unwrap_or_default();
    let built = import::files(vec![tree.source(render::definitions_dir(target))]);
    generated
        .into_iter()
        .filter(|(name, files)| built.get(name) != Some(files) || is_broken(name))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The names of the tables of a manifest that have errors. What a rule finds is no error of the language.
fn broken_tables(text: &str, problems: &Problems) -> BTreeSet<String> {
    let is_error =
        |problem: &&Diagnostic| problem.severity == Severity::Error && !matches!(problem.code, Code::Lint(_));
    let name = |problem: &Diagnostic| {
        let place = problem.labels.first().map_or(0, |label| label.origin.span().start);
        let before = text.get(..place)?;
        let heading = before.lines().rev().find(|line| line.starts_with('['))?;
        Some(heading.trim_matches(['[', ']']).split_once('.')?.1.trim_matches('"').to_owned())
    };
    problems.iter().filter(is_error).filter_map(name).collect()
}

/// Whether s6gen generated a definition.
fn is_generated(files: &BTreeMap<String, File>) -> bool {
    ["run", "up"].iter().filter_map(|file| files.get(*file)).any(|file| {
        let text = String::from_utf8_lossy(&file.content);
        text.lines().take(2).any(|line| line.starts_with("# [longrun.") || line.starts_with("# [oneshot."))
    })
}

/// Finds out from an image what a manifest said in `[target]`, if s6gen generated its definitions: where they are, and whether there
/// is a script for health checks.
pub(super) fn find_target<D: Directory>(root: &D, definitions: &DefinitionFiles, target: &mut Target) {
    let is_bundle = |files: &BTreeMap<String, File>| !files.contains_key("run") && !files.contains_key("up");
    let has_only_bundles = definitions.values().all(is_bundle);
    let is_own = |name: &Name, files| is_generated(files) || has_only_bundles && *name == *"default";
    let generated = definitions.iter().find(|(name, files)| is_own(name, files)).map(|(name, _)| name);
    let (Some(name), Some(compiled)) = (generated, target.system.definitions_dir()) else { return };
    let Ok(directory) = root.directory(compiled.trim_start_matches('/').as_bytes()) else { return };
    let link = directory.link(name.as_bytes()).ok().and_then(|link| String::from_utf8(link).ok());
    let path = link.map_or_else(
        || format!("{compiled}/{name}"),
        |link| format!("/{}", destination(&format!("{compiled}/{name}"), &link)),
    );
    if let Some(tree) = path.strip_suffix(&format!("/{name}")) {
        tree.clone_into(&mut target.tree);
    }
    let health = root.read(render::HEALTH.trim_start_matches('/').as_bytes(), 1 << 10).unwrap_or_default();
    target.has_health = String::from_utf8_lossy(&health).contains(render::HEALTH_QUESTION);
}
