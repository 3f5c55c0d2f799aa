//! Checks, before a build writes anything, that its definitions will compile and start in the root.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::JobError;
use super::file_system::overlay_version;
use super::judge::{judge_image, judge_with_external};
use super::project::Project;
use super::templates::{Overrides, render_tree};
use crate::diagnostic::{Code, Diagnostic, Files, Origin, Severity};
use crate::disk;
use crate::image::Setup;
use crate::install::{InstallError, Present};
use crate::model::{Layer, Name, ServiceSet, System, Target, Version};
use crate::tree::SourceTree;

/// The facts about a build that is about to write.
pub(super) struct RootCheck<'a> {
    pub project: &'a Project,
    pub overrides: &'a Overrides,
    pub names: BuiltNames,
    /// The tree that was rendered from the services.
    pub tree: &'a SourceTree,
    pub root: &'a Path,
}

/// The names of the services from which a tree was rendered, and their target. The services themselves may take much memory.
pub(super) struct BuiltNames {
    target: Target,
    ours: BTreeSet<String>,
    external: Vec<(Name, Option<Origin>)>,
}

impl BuiltNames {
    pub(super) fn of(services: &ServiceSet) -> BuiltNames {
        let external = services.services.iter().filter(|service| service.layer == Layer::External);
        BuiltNames {
            target: services.target.clone(),
            ours: services.ours().map(|service| service.name.to_string()).collect(),
            external: external.map(|service| (service.name.clone(), service.origin)).collect(),
        }
    }
}

/// The start bundles and the directory of their markers, relative to the root.
const START_BUNDLES: &[&str] = &["etc/s6-overlay/s6-rc.d/user", "etc/s6-overlay/s6-rc.d/user2"];
const BUNDLES: &str = "etc/s6-overlay/user-bundles.d";

impl RootCheck<'_> {
    /// Returns every problem that would keep the build from working in the root.
    ///
    /// # Errors
    /// The root cannot be read.
    pub(super) fn obstacles(&self) -> Result<JobError, InstallError> {
        let target = &self.names.target;
        let present = Present::new(self.root, &target.tree)?;
        let installed = present.services();
        let mut found =
            JobError { files: self.project.files.clone(), problems: self.wrongly_external(&installed) };
        if !found.problems.is_empty() {
            return Ok(found);
        }
        let overlay = if target.system.is_overlay() { overlay_version(self.root) } else { None };
        if let Some(version) = overlay.filter(|version| *version < target.system.version()) {
            found.problems.extend(self.overlay_too_old(version));
        }
        if found.problems.is_empty() {
            self.judge(overlay, &present, &installed, &mut found)?;
        }
        Ok(found)
    }

    /// Reports `external` services that an earlier build made in this root. This build would remove them.
    fn wrongly_external(&self, installed: &BTreeSet<String>) -> Vec<Diagnostic> {
        let ours = self.names.external.iter().filter(|(name, _)| installed.contains(&name.to_string()));
        ours.map(|(name, origin)| {
            Diagnostic::new(
                Code::NotExternal,
                format!("`{name}` does not belong to another layer: an earlier build made it here"),
            )
            .at(*origin, format!("this build would remove the definition of `{name}`"))
            .note("a build replaces everything that an earlier one made in the same root")
            .help(format!(
                "`include` the manifest that defines `{name}`, and build both together; this manifest may then \
                 add to the service"
            ))
        })
        .collect()
    }

    /// Reports that the s6-overlay of the root is too old for the tree.
    fn overlay_too_old(&self, version: Version) -> Option<Diagnostic> {
        let there = self.project.compile_for_overlay(version)?;
        let errors = there.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let errors: Vec<&str> = errors.map(|problem| problem.message.as_str()).collect();
        if errors.is_empty()
            && render_tree(&there.services, self.overrides).is_ok_and(|tree| tree == *self.tree)
        {
            return None;
        }
        let markers = self.names.target.system.start_markers();
        let reason = match there.services.target.system.start_markers() {
            _ if !errors.is_empty() => errors.join("; "),
            read if read != markers => format!(
                "{} does not read `{}`, so no service of the manifest would start",
                there.services.target.system,
                markers.and_then(|path| path.strip_suffix("/user/contents.d")).unwrap_or_default()
            ),
            _ => format!("{} needs different scripts", there.services.target.system),
        };
        Some(self.other_version(version).note(reason))
    }

    fn other_version(&self, version: Version) -> Diagnostic {
        let wanted = self.names.target.system;
        let line = format!("write `s6-overlay = \"{version}\"` under `[target]`");
        let message = format!("the root has s6-overlay {version}, and the manifest is for {wanted}");
        Diagnostic::new(Code::OtherVersion, message).help(match version < wanted.version() {
            true => format!("{line}, or upgrade the image to {wanted} before building"),
            false => line,
        })
    }

    /// Judges the files as they will be after the build, if foreign files are among them.
    fn judge(
        &self,
        overlay: Option<Version>,
        present: &Present<'_>,
        installed: &BTreeSet<String>,
        found: &mut JobError,
    ) -> Result<(), InstallError> {
        let target = &self.names.target;
        let definitions = target.tree.trim_start_matches('/');
        let is_linked = target.system.definitions_dir().is_some_and(|compiled| compiled != target.tree);
        let mut ours = self.names.ours.clone();
        // If `/init` finds definitions through links, it does not see the foreign files that remain of an old
        // definition, because the link is removed.
        ours.extend(installed.iter().filter(|_| !is_linked).cloned());
        let mut places: BTreeSet<String> = ours.iter().map(|name| format!("{definitions}/{name}")).collect();
        if target.system.is_overlay() {
            places.extend(START_BUNDLES.iter().map(|&place| place.to_owned()));
        }
        let is_other = overlay.is_some_and(|version| version != target.system.version());
        if !is_other && present.foreign(self.tree, &places)?.is_empty() {
            return Ok(());
        }
        places.insert(BUNDLES.to_owned());
        let tree = self.tree.with(present.foreign(self.tree, &places)?);
        let (files, mut problems) = self.problems(&tree, &ours, overlay);
        for problem in &mut problems {
            self.note_foreign_files(&tree, &files, problem);
        }
        match (overlay.filter(|_| is_other), problems.iter().find(|problem| is_start(problem))) {
            (Some(version), Some(problem)) => {
                found.problems.push(self.other_version(version).note(problem.message.clone()));
            }
            _ => *found = JobError { files, problems },
        }
        Ok(())
    }

    /// The errors in the files of `tree` that concern this build.
    fn problems(
        &self,
        tree: &SourceTree,
        ours: &BTreeSet<String>,
        overlay: Option<Version>,
    ) -> (Files, Vec<Diagnostic>) {
        let target = &self.names.target;
        let mut files = Files::default();
        let external = self.names.external.iter().map(|(name, _)| name.clone());
        let compiled = target.system.definitions_dir().unwrap_or(&target.tree);
        let known: Vec<Name> = external.chain(self.defined_names(compiled)).collect();
        let judged = match target.system {
            System::S6rc(_) => {
                let source = tree.source(&target.tree);
                judge_with_external(&mut files, vec![source], Target::new(target.system), &known)
            }
            System::Overlay(version) => {
                let system = System::Overlay(overlay.unwrap_or(version));
                let setup = Setup { is_partial: overlay.is_none(), ..Setup::new(system) };
                match tree.source("").directory {
                    Ok(root) => judge_image(&mut files, &root, &setup, &known),
                    Err(_) => return (files, Vec::new()),
                }
            }
        };
        // Other errors in other layers do not concern this build, because a later layer may correct them.
        let is_ours = |problem: &Diagnostic| {
            let definition = definition_of(problem, &files, compiled);
            definition.is_some_and(|name| ours.contains(&name))
        };
        let errors = judged.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let errors: Vec<Diagnostic> =
            errors.filter(|problem| is_start(problem) || is_ours(problem)).cloned().collect();
        (files, errors)
    }

    /// If a problem is about one of our definitions, adds a note with the foreign files in that definition.
    fn note_foreign_files(&self, tree: &SourceTree, files: &Files, problem: &mut Diagnostic) {
        let Target { system, tree: definitions, .. } = &self.names.target;
        let compiled = system.definitions_dir().unwrap_or(definitions);
        let Some(name) = definition_of(problem, files, compiled) else { return };
        let definition = format!("{}/{name}/", definitions.trim_start_matches('/'));
        let foreign = tree.entries().map(|(path, _)| path);
        let foreign = foreign.filter(|path| path.starts_with(&definition) && self.tree.get(path).is_none());
        let mut foreign = foreign.map(|path| format!("`{}`", self.root.join(path).display())).peekable();
        if foreign.peek().is_some() {
            let list = foreign.collect::<Vec<_>>().join(", ");
            problem.notes.push(format!("s6gen did not make {list}, and it removes only what it made"));
            problem.help =
                Some(format!("remove {list}, or move what is needed into the manifest, and build again"));
        }
    }

    /// The names of the definitions in the directory `compiled` of the root.
    fn defined_names(&self, compiled: &str) -> Vec<Name> {
        let directory = self.root.join(compiled.trim_start_matches('/'));
        let names = disk::names(&directory).unwrap_or_default();
        names.iter().map(|name| Name::new(name.as_encoded_bytes())).collect()
    }
}

/// Whether a problem is about the start bundles.
fn is_start(problem: &Diagnostic) -> bool {
    matches!(
        problem.code,
        Code::UserInTwoPlaces | Code::BundlesTooNew | Code::IncompleteStartBundle | Code::DuplicateService
    )
}

/// The name of the definition in the directory `compiled` that a problem is about.
fn definition_of(problem: &Diagnostic, files: &Files, compiled: &str) -> Option<String> {
    let place = files.path(problem.labels.first()?.origin.file);
    let name = place.strip_prefix(compiled).ok()?.components().next()?;
    name.as_os_str().to_str().map(str::to_owned)
}
