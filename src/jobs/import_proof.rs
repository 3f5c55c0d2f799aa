//! Proves an import: builds the new manifest, reads the tree that comes out as any other tree, and compares both systems.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use super::compile::Compilation;
use super::error::JobError;
use super::import_files::{MANIFEST, compile_text};
use super::import_tree::{ReadTree, read_built};
use super::real_compiler::{NoDatabase, compiled_facts};
use crate::compare::SystemFacts;
use crate::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use crate::live::Programs;
use crate::migrate::{Fate, ImportLine, Migration};
use crate::model::{Kind, Layer, Name, Service};
use crate::render;

/// What an import keeps, and each difference.
#[derive(Debug)]
pub struct ImportProof {
    /// The new manifest, compiled.
    pub files: Files,
    /// The problems of the new manifest.
    pub compilation: Compilation,
    /// Whether nothing of the old system can be in a manifest.
    pub is_empty: bool,
    /// The facts of the old system.
    pub old: SystemFacts,
    /// The facts of the new one.
    pub new: SystemFacts,
    /// The differences.
    pub differences: Vec<ProofDifference>,
    /// The definitions that stay in the image, with the reason.
    pub left: BTreeMap<Name, String>,
    /// What the real s6-rc-compile makes of both systems.
    pub real: RealProof,
}

/// What the real s6-rc-compile makes of the old system and of the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RealProof {
    /// It is not on PATH, or there is no new system.
    NotAsked,
    /// It compiles both, and these are the differences between the databases that s6gen itself does not see.
    Compared(Vec<ProofDifference>),
    /// It refuses one of them, with this message.
    Refused(String),
}

/// A difference between the old system and the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofDifference {
    /// The service or bundle.
    pub name: Name,
    /// The fact: `type`, `waits for`, or the name of a file.
    pub fact: String,
    /// Its value before.
    pub before: String,
    /// Its value after.
    pub after: String,
    /// Why, if the report of the import says so.
    pub reason: Option<String>,
}

impl ImportProof {
    /// Whether the new manifest has no errors, and every difference has a reason.
    pub fn holds(&self) -> bool {
        (self.is_empty || !self.compilation.problems.has_errors())
            && self.differences.iter().chain(self.differences_of_databases()).all(|one| one.reason.is_some())
            && !matches!(self.real, RealProof::Refused(_))
    }

    /// The differences that only the databases of the real s6-rc-compile have.
    fn differences_of_databases(&self) -> &[ProofDifference] {
        match &self.real {
            RealProof::Compared(differences) => differences,
            RealProof::NotAsked | RealProof::Refused(_) => &[],
        }
    }

    /// The errors of the new manifest.
    pub fn errors(&self) -> Problems {
        let mut errors = Problems::default();
        let all = self.compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
        errors.extend(all.filter(|_| !self.is_empty).cloned());
        errors
    }

    /// The proof for people: how much there is of each kind before and after, and each difference.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (what, before, after) in self.counts() {
            let _ = writeln!(out, "{what:<28} {before:>4} before {after:>4} after");
        }
        for (name, reason) in &self.left {
            let _ = writeln!(out, "{name}: stays in the image\n  {reason}");
        }
        for one in self.differences.iter().chain(self.differences_of_databases()) {
            let value = |value: &str| match value {
                "" => "nothing".to_owned(),
                _ if value.contains('`') => value.to_owned(),
                _ => format!("`{value}`"),
            };
            let reason = one.reason.as_deref().unwrap_or("NO REASON IS KNOWN");
            let (before, after) = (value(&one.before), value(&one.after));
            let _ = writeln!(out, "{} {}: {before} becomes {after}\n  {reason}", one.name, one.fact);
        }
        let all = || self.differences.iter().chain(self.differences_of_databases());
        let unexplained = all().filter(|one| one.reason.is_none()).count();
        let compiler = match &self.real {
            RealProof::NotAsked if self.is_empty || !self.errors().is_empty() => String::new(),
            RealProof::NotAsked => "s6-rc-compile is not on PATH: only s6gen itself has compiled both\n".to_owned(),
            RealProof::Compared(differences) if differences.is_empty() => {
                "s6-rc-compile has compiled both, too: its databases have no other difference\n".to_owned()
            }
            RealProof::Compared(_) => {
                "s6-rc-compile has compiled both, too: its databases have differences that s6gen itself does not see\n".to_owned()
            }
            RealProof::Refused(message) => format!("s6-rc-compile refuses one of the two: {message}\n"),
        };
        let verdict = match () {
            () if !self.errors().is_empty() => "not proved: the manifest has errors".to_owned(),
            () if self.is_empty => {
                "nothing of the old system can be in a manifest: it stays as it is".to_owned()
            }
            () if matches!(self.real, RealProof::Refused(_)) => {
                "not proved: s6-rc-compile refuses it".to_owned()
            }
            () if unexplained > 0 => format!("not proved: differences without a reason: {unexplained}"),
            () if all().count() == 0 => "proved: the new system is the same".to_owned(),
            () => format!("proved: each difference has its reason: {}", all().count()),
        };
        let scripts = match self.is_empty || !self.errors().is_empty() {
            true => "",
            false => "what scripts do is not compared: the report says what became of each\n",
        };
        out + &compiler + scripts + &verdict + "\n"
    }

    /// The proof for programs.
    pub fn json(&self) -> serde_json::Value {
        let counts = self.counts().into_iter().map(
            |(what, before, after)| serde_json::json!({ "what": what, "before": before, "after": after }),
        );
        let differences = self.differences.iter().chain(self.differences_of_databases()).map(|one| {
            serde_json::json!({
                "name": one.name.to_string(), "fact": one.fact, "before": one.before, "after": one.after,
                "reason": one.reason,
            })
        });
        let compiler = match &self.real {
            RealProof::NotAsked => "not asked",
            RealProof::Compared(_) => "compared",
            RealProof::Refused(_) => "refused",
        };
        let left = self
            .left
            .iter()
            .map(|(name, reason)| serde_json::json!({ "name": name.to_string(), "reason": reason }));
        serde_json::json!({
            "proved": self.holds(), "counts": counts.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>(),
            "s6_rc_compile": compiler,
        })
    }

    /// How many services, bundles, services of the boot and pairs of services that wait there are, before and after.
    fn counts(&self) -> Vec<(&'static str, usize, usize)> {
        let of_type = |facts: &SystemFacts, word: &str| {
            facts
                .services
                .values()
                .filter(|service| service.get("type").is_some_and(|kind| kind == word))
                .count()
        };
        let pairs = |facts: &SystemFacts| {
            let waits = facts.services.values().filter_map(|service| service.get("waits for"));
            waits.map(|names| names.split(' ').count()).sum()
        };
        vec![
            ("longruns", of_type(&self.old, "longrun"), of_type(&self.new, "longrun")),
            ("oneshots", of_type(&self.old, "oneshot"), of_type(&self.new, "oneshot")),
            ("bundles", of_type(&self.old, "bundle"), of_type(&self.new, "bundle")),
            ("services that start at boot", self.old.started.len(), self.new.started.len()),
            ("pairs of which one waits", pairs(&self.old), pairs(&self.new)),
        ]
    }
}

/// Compares the system that was read with the one that its import describes. If s6-rc-compile is on PATH, it compiles both, too.
///
/// # Errors
/// An error in a template, or in the directory for temporary files.
pub fn prove(
    old: &ReadTree,
    migration: &Migration,
    programs: &mut dyn Programs,
) -> Result<ImportProof, JobError> {
    let (files, compilation) = compile_text(Path::new(MANIFEST), &migration.draft.text(), &migration.files);
    let left = left(old, migration);
    let services = &old.compilation.services;
    let ours: BTreeSet<&Name> = services.ours().map(|service| &service.name).collect();
    let is_ours = |name: &Name| ours.contains(name) && !old.lower.contains(name) && !left.contains_key(name);
    let old_facts = SystemFacts::of(services, is_ours).renamed(&migration.renamed);
    let mut proof = ImportProof {
        files,
        compilation,
        is_empty: is_empty(migration),
        old: old_facts,
        new: SystemFacts::default(),
        differences: Vec::new(),
        left: left.clone(),
        real: RealProof::NotAsked,
    };
    if proof.is_empty {
        proof.differences = differences(&proof.old, &proof.new, migration);
    } else if !proof.compilation.problems.has_errors() {
        let new = built(&proof.compilation).map_err(of_template)?;
        let read = &new.compilation.services;
        let is_known =
            |service: &Service| service.layer == Layer::Ours && !matches!(service.kind, Kind::Unknown);
        let is_new =
            |name: &Name| read.services.iter().any(|service| service.name == *name && is_known(service));
        proof.new = SystemFacts::of(read, is_new);
        proof.differences = differences_of_scripts(migration);
        proof.differences.extend(differences(&proof.old, &proof.new, migration));
        let mut facts =
            |tree: &ReadTree, is_ours: &dyn Fn(&Name) -> bool| compiled_facts(tree, is_ours, programs);
        let both = facts(old, &is_ours).and_then(|before| Ok((before, facts(&new, &is_new)?)));
        proof.real = match both {
            Ok((before, after)) => {
                let mut others = differences(&before.renamed(&migration.renamed), &after, migration);
                others.retain(|one| !proof.differences.contains(one));
                RealProof::Compared(others)
            }
            Err(NoDatabase::NotFound) => RealProof::NotAsked,
            Err(NoDatabase::Refused(message)) => RealProof::Refused(message),
            Err(NoDatabase::Disk(error)) => return Err(error.into()),
        };
    }
    Ok(proof)
}

fn of_template(reason: String) -> JobError {
    let problem = Diagnostic::new(Code::Template, reason);
    JobError { problems: vec![problem], ..JobError::default() }
}

/// Whether a manifest has no service.
fn is_empty(migration: &Migration) -> bool {
    let mut tables = migration.draft.tables.iter();
    !tables.any(|table| {
        table.path.first().is_some_and(|kind| ["longrun", "oneshot", "bundle"].contains(&kind.as_str()))
    })
}

/// The definitions that stay in the image.
fn left(old: &ReadTree, migration: &Migration) -> BTreeMap<Name, String> {
    let tables = &migration.draft.tables;
    let is_written =
        |heading: &str| tables.iter().any(|table| table.path.get(1).is_some_and(|name| name == heading));
    let mut left = BTreeMap::new();
    for service in old.compilation.services.ours() {
        let heading = service.name.to_string();
        let section = migration.report.sections.iter().find(|section| section.heading == heading);
        let lines = section.map_or(&[][..], |section| &section.lines);
        if !is_written(&heading) && !lines.is_empty() && lines.iter().all(|line| line.fate == Fate::Lost) {
            left.insert(service.name.clone(), lines[0].remark.clone());
        }
    }
    left
}

/// The system that a manifest without errors describes: its tree is written, and read as any other tree.
fn built(compilation: &Compilation) -> Result<ReadTree, String> {
    let tree = render::tree(&compilation.services)?;
    Ok(read_built(&tree, &compilation.services))
}

/// The scripts that became something else that does nearly the same, and the services with another name.
fn differences_of_scripts(migration: &Migration) -> Vec<ProofDifference> {
    let mut differences = Vec::new();
    for section in &migration.report.sections {
        let name = Name::from(section.heading.as_str());
        let is_script =
            |line: &&ImportLine| SCRIPTS.contains(&line.part.as_str()) && line.fate == Fate::Emulated;
        for line in section.lines.iter().filter(is_script) {
            differences.push(ProofDifference {
                name: name.clone(),
                fact: line.part.clone(),
                before: "the script".to_owned(),
                after: line.becomes.clone(),
                reason: Some(line.remark.clone()).filter(|remark| !remark.is_empty()),
            });
        }
        if let Some(new) = migration.renamed.get(&name).filter(|new| **new != name) {
            differences.push(ProofDifference {
                name: name.clone(),
                fact: "name".to_owned(),
                before: name.to_string(),
                after: new.to_string(),
                reason: Some("s6gen names a logger after its service".to_owned()),
            });
        }
    }
    differences
}

/// The files of a definition that are scripts.
const SCRIPTS: &[&str] = &["down", "finish", "reload", "run", "up"];

/// The differences between two systems, with the reasons that the report has.
fn differences(old: &SystemFacts, new: &SystemFacts, migration: &Migration) -> Vec<ProofDifference> {
    let nothing = BTreeMap::new();
    let names = old.services.keys().chain(new.services.keys());
    let names: BTreeSet<&Name> = names.collect();
    let mut differences = Vec::new();
    for name in names {
        let (before, after) = (old.services.get(name), new.services.get(name));
        let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
        let facts: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for fact in facts {
            let value = |facts: &BTreeMap<String, String>| facts.get(fact).cloned().unwrap_or_default();
            let (before, after) = (value(before), value(after));
            if before != after {
                let reason = reason(name, fact, migration);
                differences.push(ProofDifference {
                    name: name.clone(),
                    fact: fact.clone(),
                    before,
                    after,
                    reason,
                });
            }
        }
    }
    inherit_reasons(&mut differences);
    differences
}

/// A service that waits for another one also waits for what that one newly waits for. Gives such a difference the reason of the
/// other service.
fn inherit_reasons(differences: &mut [ProofDifference]) {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    let is_wait = |one: &&ProofDifference| one.fact == "waits for";
    let explained = differences.iter().filter(is_wait).filter(|one| one.reason.is_some());
    let explained: BTreeMap<String, BTreeSet<String>> =
        explained.map(|one| (one.name.to_string(), words(&one.after))).collect();
    for one in differences.iter_mut().filter(|one| one.fact == "waits for" && one.reason.is_none()) {
        let (before, after) = (words(&one.before), words(&one.after));
        let known: Vec<_> = explained.iter().filter(|(name, _)| before.contains(*name)).collect();
        let is_known = |name: &String| known.iter().any(|(_, waits)| waits.contains(name));
        if before.is_subset(&after) && after.difference(&before).all(is_known) {
            let names: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
            one.reason = Some(format!("it waits for {}, see there", names.join(", ")));
        }
    }
}

/// The remark of the report that explains a difference.
fn reason(name: &Name, fact: &str, migration: &Migration) -> Option<String> {
    if let Some(reason) = migration.reasons.get(&(name.clone(), fact.to_owned())) {
        return Some(reason.clone());
    }
    let heading = name.to_string();
    let section = migration.report.sections.iter().find(|section| section.heading == heading)?;
    let is_about = |part: &str| match fact {
        "type" => part == "type",
        "waits for" => part.starts_with("dependencies") || part == "type",
        "contents" => part.starts_with("contents") || part == "type",
        "starts" => part == "type",
        other => part == other || part == "type",
    };
    let line = section
        .lines
        .iter()
        .find(|line| line.fate != Fate::Exact && !line.remark.is_empty() && is_about(&line.part));
    line.map(|line| line.remark.clone())
}
