//! Writes the manifest for a source directory, or for the definitions of an image.
//!
//! A script is only rewritten if the whole script has a shape that a key stands for. Any other script stays as it is, in the
//! manifest or in a file beside it. Every file of every definition has its line in the report.
//!
//! | file | what it does |
//! |---|---|
//! | `facts` | what is known of all definitions together, and which ones no manifest can have |
//! | `starts` | finds out when each one starts |
//! | `longrun`, `oneshot`, `bundle` | write the table of a definition |
//! | `longrun_scripts` | writes the scripts of a longrun |
//! | `script` | decides where a script stays, and which environment it gets |
//! | `shape` | recognises scripts that keys stand for |
//! | `halting` | recognises a `finish` that only stops the container |
//! | `hand_logger` | recognises a consumer that only runs `s6-log` |
//! | `polling` | recognises a program whose readiness `s6-notifyoncheck` finds |
//! | `execline_trace`, `test_result` | follow a script for given arguments, and work out its tests |
//! | `further` | writes the files that s6-rc does not know |
//! | `logger` | reads back the loggers that s6gen itself has generated |
//! | `failures` | reads back the keys about failures, and variables, of scripts that s6gen itself has generated |
//! | `finish` | reads back the `finish` and the checks that s6gen itself has generated |
//! | `generated` | reads back the scripts that s6gen itself has generated |
//! | `tokens` | reads the tokens of generated scripts |
//! | `surroundings` | reads back the files of variables and the secrets of generated scripts |
//! | `order` | orders the services that share a logger |
//! | `instances` | puts the instances of a template into one table |
//! | `fold` | finds the texts of a template |
//! | `values` | writes durations and signals |
//! | `lines` | collects the lines of the report on a definition |
//! | `lift` | moves what most tables have into `[defaults]` |

mod bundle;
mod execline_trace;
mod facts;
mod failures;
mod finish;
mod fold;
mod further;
mod generated;
mod halting;
mod hand_logger;
mod instances;
mod lift;
mod lines;
mod logger;
mod longrun;
mod longrun_scripts;
mod oneshot;
mod order;
mod polling;
mod script;
mod shape;
mod starts;
mod surroundings;
mod test_result;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use super::{Fate, ImportSection, Migration};
use crate::manifest::draft::{DraftTable, DraftValue};
use crate::model::{DefinitionFiles, Kind, Name, Service, ServiceSet, System, Target};
use facts::Facts;
use lines::FileLines;

pub(super) use facts::name_problem;
pub(super) use script::text_problem;

/// Definitions as they were read.
#[derive(Debug, Clone, Copy)]
pub struct OldTree<'a> {
    /// The services, with those of s6-overlay itself.
    pub services: &'a ServiceSet,
    /// The files of their definitions.
    pub files: &'a DefinitionFiles,
    /// What else is in their definitions, in words, by path.
    pub others: &'a BTreeMap<Name, BTreeMap<String, String>>,
    /// The definitions of lower layers, which the manifest leaves to these.
    pub lower: &'a BTreeSet<Name>,
    /// The files that the tree adds to these.
    pub additions: &'a DefinitionFiles,
    /// The definitions whose generated scripts are not read back, because the result would not be the same.
    pub verbatim: &'a BTreeSet<Name>,
    /// Whether only what means exactly the same is written. What a person would have written is offered in the report then.
    pub is_exact: bool,
}

/// Writes the manifest for definitions that s6-rc-compile accepts.
pub fn tree(old: OldTree<'_>) -> Migration {
    let facts = Facts::new(old);
    let mut migration = Migration::default();
    let mut tables = Vec::new();
    for service in facts.ours() {
        let mut lines = FileLines::new(old.files.get(&service.name));
        if let Some(reason) = facts.refusal(&service.name) {
            lines.leave(reason);
        } else if let Some(owner) = facts.logger_owner(&service.name) {
            lines.logger(&owner);
        } else if let Some(logger) = facts.hand_logger(&service.name).filter(|_| !facts.is_exact()) {
            lines.hand_logger(&logger.owner.to_string(), &logger.differences.join("; "));
            migration.renamed.insert(service.name.clone(), logger.name);
        } else {
            match &service.kind {
                Kind::Bundle(_) if facts.is_start_bundle(&service.name) => {
                    note_left_starts(&facts, service, &mut lines);
                    lines.start_bundle();
                }
                Kind::Bundle(contents) => tables.push(bundle::table(service, contents, &mut lines)),
                Kind::Longrun(longrun) => {
                    let mut writer =
                        longrun::LongrunWriter::new(&facts, service, &mut lines, &mut migration.files);
                    writer.write(longrun);
                    tables.push(writer.table);
                }
                Kind::Oneshot(oneshot) => {
                    let mut writer =
                        oneshot::OneshotWriter::new(&facts, service, &mut lines, &mut migration.files);
                    writer.write(oneshot);
                    tables.push(writer.table);
                }
                Kind::Unknown => {}
            }
        }
        further::other_entries(&facts, service, old.others.get(&service.name), &mut lines);
        let name = migration.renamed.get(&service.name).unwrap_or(&service.name).clone();
        let reasons = lines.take_reasons().into_iter();
        migration.reasons.extend(reasons.map(|(fact, reason)| ((name.clone(), fact), reason)));
        migration
            .report
            .sections
            .push(ImportSection { heading: service.name.to_string(), lines: lines.finish() });
    }
    add_to_others(&facts, &mut migration, &mut tables);
    order::sort(&facts, &mut tables);
    instances::fold(&facts, &mut tables);
    let defaults = lift::defaults(&mut tables);
    if !tables.is_empty() {
        migration.draft.tables = target(&facts).into_iter().chain(defaults).chain(tables).collect();
    }
    if !migration.draft.tables.is_empty() {
        migration.report.remarks = remarks(&migration);
    }
    migration
}

/// Notes the files of a start bundle that are for definitions which stay in the image: the manifest does not start these.
fn note_left_starts(facts: &Facts<'_>, bundle: &Service, lines: &mut FileLines<'_>) {
    let is_left = |path: &&String| {
        let name = path.strip_prefix("contents.d/");
        name.is_some_and(|name| facts.refusal(&name.into()).is_some())
    };
    let left: Vec<&String> = lines.open().map(|(path, _)| path).filter(is_left).collect();
    for path in left.into_iter().filter(|_| facts.system().is_overlay()) {
        let place = format!("user-bundles.d/{}/contents.d", bundle.name);
        let remark = format!("what it starts stays in the image: put this file into `{place}`");
        lines.note(path, Fate::Lost, "", &remark);
    }
}

/// The table `[target]`, if something in it is not the default.
fn target(facts: &Facts<'_>) -> Option<DraftTable> {
    let mut table = DraftTable::new(&["target"]);
    match facts.system() {
        System::NEWEST_OVERLAY => {}
        System::Overlay(version) => drop(table.set("s6-overlay", version.to_string())),
        System::S6rc(version) => drop(table.set("s6-rc", version.to_string())),
    }
    if let Some(directory) = facts.other_command_dir() {
        table.set("command-dir", directory);
    }
    let usual = Target::new(facts.system());
    if facts.target().tree != usual.tree {
        table.set("tree", facts.target().tree.as_str());
    }
    if facts.detects_root() {
        table.set("rootless", "detect");
    } else if facts.is_rootless() {
        table.set("rootless", true);
    }
    if facts.target().has_health {
        table.set("health", true);
    }
    let external: Vec<DraftValue> =
        facts.external().into_iter().map(|name| name.to_string().into()).collect();
    if !external.is_empty() {
        table.set("external", DraftValue::List(external));
    }
    (!table.entries.is_empty()).then_some(table)
}

/// Adds what the definitions add to those of other layers: `required-by` in the services that others wait for.
fn add_to_others(facts: &Facts<'_>, migration: &mut Migration, tables: &mut [DraftTable]) {
    for (other, files) in facts.additions() {
        let mut lines = FileLines::new(Some(files));
        if facts.is_start_bundle(other) {
            lines.start_bundle();
        }
        for path in files.keys() {
            let Some(name) = path.strip_prefix("dependencies.d/") else { continue };
            let has_name = |table: &&mut DraftTable| table.path.last().is_some_and(|last| last == name);
            match tables.iter_mut().find(has_name) {
                Some(table) => {
                    add_to_list(table, "required-by", &other.to_string());
                    lines.note(path, Fate::Exact, &format!("`required-by` of `{name}`"), "");
                }
                None => lines.note(
                    path,
                    Fate::Lost,
                    "",
                    &format!("neither `{other}` nor `{name}` is defined here: leave this file in the image"),
                ),
            }
        }
        lines.leave("this definition belongs to another layer, and a manifest cannot add this file to it");
        migration.report.sections.push(ImportSection { heading: other.to_string(), lines: lines.finish() });
    }
}

/// Adds a name to a list of a table.
fn add_to_list(table: &mut DraftTable, key: &str, name: &str) {
    let known = table.entries.iter_mut().find(|entry| entry.key == [key]);
    match known.map(|entry| &mut entry.value) {
        Some(DraftValue::List(list)) => list.push(name.into()),
        _ => drop(table.set(key, vec![name])),
    }
}

/// What holds for the whole system.
fn remarks(migration: &Migration) -> Vec<String> {
    let mut remarks = vec![
        "Build into an image without the old definitions: remove them, also the directory `user` beside them.".to_owned(),
    ];
    let has = |text: &str| {
        let lines = migration.report.sections.iter().flat_map(|section| &section.lines);
        lines.into_iter().any(|line| line.becomes.contains(text))
    };
    if has("array") {
        remarks.push(
            "An array runs its program without a shell: the variables that a shell sets by itself (`_`, `PWD`, `OLDPWD`, `SHLVL`) are not in its environment.".to_owned(),
        );
    }
    if has("script") {
        remarks.push("A script runs as `data/run` and not as `run`, so `$0` is another path.".to_owned());
    }
    remarks
}

/// The names that `list` mentions.
fn names(list: &[crate::model::ServiceRef]) -> Vec<String> {
    let names: BTreeSet<String> = list.iter().map(|reference| reference.name.to_string()).collect();
    names.into_iter().collect()
}

/// The heading of a table.
fn heading(kind: &str, service: &Service) -> DraftTable {
    DraftTable::new(&[kind, &service.name.to_string()])
}
