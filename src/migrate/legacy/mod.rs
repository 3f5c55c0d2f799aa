//! Translates the directories of s6-overlay 2, which version 3 still reads, into definitions of s6-rc: `fix-attrs.d`, `cont-init.d`,
//! `services.d` and `cont-finish.d`.
//!
//! Version 2 runs them in this order: the lines of `fix-attrs.d`, the scripts of `cont-init.d` one after the other, then all of
//! `services.d` at once. When the container stops, it stops the services, and meanwhile runs the scripts of `cont-finish.d`.
//!
//! A file that no manifest can have stays where it is, and s6-overlay 3 runs it.

mod attributes;
mod names;
mod scripts;
mod services;

use std::collections::BTreeMap;

use super::{Fate, ImportLine, ImportSection};
use crate::model::File;
use crate::tree::SourceTree;
use attributes::AttributeCommands;
use names::LegacyNames;
use scripts::{fails_on_purpose, has_no_first_line, maker, script_problem, uses_own_path, with_new_names};

/// A file of these directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyFile {
    /// A regular file, or the one to which a link leads.
    Regular(File),
    /// A link to this path, which does not exist in the image as far as it is known.
    Dangling(String),
    /// Something that cannot be read, with the reason.
    Other(String),
}

/// The files of these directories, by path below `/etc`.
pub type LegacyFiles = BTreeMap<String, LegacyFile>;

/// Definitions that do what the directories of version 2 did.
pub struct LegacyTranslation {
    /// An s6-overlay directory with them.
    pub tree: SourceTree,
    /// What became of each file.
    pub sections: Vec<ImportSection>,
    /// The oneshots that ran scripts of which a failure stopped nothing.
    pub forgiving: Vec<String>,
    /// Where each file is that became one of a definition, by its old path.
    pub places: BTreeMap<String, LegacyPlace>,
}

/// The file of a definition that a file became.
pub struct LegacyPlace {
    /// The name of the definition.
    pub definition: String,
    /// The path in it.
    pub file: String,
    /// What has another name in version 3, if the file stays a script.
    pub new_names: Vec<String>,
}

/// Where s6-overlay 3 runs a script that stays in `cont-init.d`.
const INIT_STAYS: &str =
    "leave it in the image: s6-overlay still runs it, now before all services of the manifest";
/// Where s6-overlay 3 runs a script that stays in `cont-finish.d`.
const FINISH_STAYS: &str =
    "leave it in the image: s6-overlay still runs it, now when all services of the manifest have stopped";
/// What is different for a script that ran at the end.
const FINISH_DIFFERS: &str = "it runs when all services have stopped; version 2 ran it while they were stopping, and killed it after five seconds (S6_KILL_FINISH_MAXTIME)";
/// What is different for a script that uses its own path.
const OTHER_PATH: &str = "it uses its own path, which is another one now";
/// What became of the failure of a script.
const MAY_FAIL: &str = "if it fails, the container goes on, as it did by default; if the image sets S6_BEHAVIOUR_IF_STAGE2_FAILS to 2, a failure stopped the container: write `on-failure.then = \"stop-container\"` then";

/// Translates the directories.
pub fn translate(files: &LegacyFiles) -> LegacyTranslation {
    let mut work = Translator {
        files,
        tree: SourceTree::default(),
        lines: BTreeMap::new(),
        before: Vec::new(),
        forgiving: Vec::new(),
        places: BTreeMap::new(),
        names: LegacyNames::new(),
    };
    match maker(files) {
        Some((path, place)) => work.leave_all(path, &place),
        None => {
            // Services keep their names.
            let services = work.find_services();
            work.cont_finish();
            work.fix_attrs();
            work.cont_init();
            work.services(&services);
            work.profiles();
        }
    }
    let mut sections: Vec<ImportSection> = Vec::new();
    for (path, line) in work.lines {
        let heading = format!("/etc/{}", path.split('/').next().unwrap_or_default());
        match sections.last_mut().filter(|section| section.heading == heading) {
            Some(section) => section.lines.push(line),
            None => sections.push(ImportSection { heading, lines: vec![line] }),
        }
    }
    LegacyTranslation { tree: work.tree, sections, forgiving: work.forgiving, places: work.places }
}

struct Translator<'a> {
    files: &'a LegacyFiles,
    tree: SourceTree,
    lines: BTreeMap<String, ImportLine>,
    /// What the next definition waits for.
    before: Vec<String>,
    forgiving: Vec<String>,
    places: BTreeMap<String, LegacyPlace>,
    names: LegacyNames,
}

impl Translator<'_> {
    /// The files of a directory, by the rest of their paths, in the order in which they are run.
    fn below(&self, directory: &str) -> Vec<(String, LegacyFile)> {
        let prefix = format!("{directory}/");
        let inside = self.files.iter().filter_map(|(path, file)| Some((path.strip_prefix(&prefix)?, file)));
        inside.map(|(name, file)| (name.to_owned(), file.clone())).collect()
    }

    /// Leaves everything to s6-overlay 3, which still runs these directories.
    fn leave_all(&mut self, maker: &str, place: &str) {
        for path in self.files.keys() {
            let remark = format!(
                "{} makes, changes or uses files of services while the container starts, in {place}: leave all of these directories in the image",
                if path == maker { "it".to_owned() } else { format!("`{maker}`") },
            );
            self.note(path, Fate::Lost, "", &remark);
        }
    }

    fn note(&mut self, path: &str, fate: Fate, becomes: &str, remark: &str) {
        let (path, becomes, remark) = (path.to_owned(), becomes.to_owned(), remark.to_owned());
        let line = ImportLine { origin: None, part: path.clone(), fate, becomes, remark };
        self.lines.insert(path, line);
    }

    fn file(&mut self, name: &str, path: &str, content: impl Into<Vec<u8>>, executable: bool) {
        self.tree.file(format!("s6-rc.d/{name}/{path}"), content, executable);
    }

    /// Adds what all definitions have: the type, the dependencies and the start.
    fn definition(&mut self, name: &str, kind: &str, starts: bool) {
        self.file(name, "type", format!("{kind}\n"), false);
        for other in self.before.clone().into_iter().chain(["base".to_owned()]) {
            self.file(name, &format!("dependencies.d/{other}"), "", false);
        }
        if starts {
            self.tree.file(format!("user-bundles.d/user/contents.d/{name}"), "", false);
        }
    }

    /// Notes which file of a definition a file became.
    fn place(&mut self, old: &str, definition: &str, file: &str, new_names: Vec<String>) {
        let (definition, file) = (definition.to_owned(), file.to_owned());
        self.places.insert(old.to_owned(), LegacyPlace { definition, file, new_names });
    }

    /// A script that was run at the boot or at the end becomes a script of a oneshot. Returns a remark if it is elsewhere.
    fn script(&mut self, name: &str, key: &str, place: &str, file: &LegacyFile) -> Option<String> {
        match file {
            LegacyFile::Regular(file) => {
                let (file, new_names) = with_new_names(file);
                self.file(name, key, format!("/etc/s6-overlay/s6-rc.d/{name}/run\n"), false);
                self.file(name, "run", file.content.clone(), file.executable);
                self.place(place, name, "run", new_names);
                None
            }
            LegacyFile::Dangling(target) => {
                self.file(name, key, format!("{target}\n"), false);
                self.place(place, name, key, Vec::new());
                Some(format!("it is a link to `{target}`, which has to be in the image"))
            }
            LegacyFile::Other(_) => None,
        }
    }

    /// The scripts of a directory that become oneshots, in the order in which they are run. The others have their lines then.
    fn scripts(&mut self, directory: &str, stays: &str) -> Vec<(String, LegacyFile)> {
        let mut ours = Vec::new();
        for (script, file) in self.below(directory) {
            let (fate, remark) = match script_problem(&file) {
                _ if script.starts_with('.') => {
                    (Fate::NoEffect, "names that begin with a dot are not run".to_owned())
                }
                _ if script.contains('/') => {
                    (Fate::NoEffect, "only files of this directory are run".to_owned())
                }
                _ if has_no_first_line(&file) => {
                    let remark = "version 2 could not start it, because it does not begin with `#!`: remove it, or s6-overlay 3 runs it with `sh`";
                    (Fate::NoEffect, remark.to_owned())
                }
                Some(problem) if !is_elsewhere(&file) => (Fate::Lost, format!("{problem}; {stays}")),
                _ => {
                    ours.push((script, file));
                    continue;
                }
            };
            self.note(&format!("{directory}/{script}"), fate, "", &remark);
        }
        ours
    }

    /// Everything waits for these oneshots, so that their `down` runs when everything has stopped: the first script first.
    fn cont_finish(&mut self) {
        let scripts = self.scripts("cont-finish.d", FINISH_STAYS);
        let names: Vec<String> = scripts.iter().map(|(script, _)| script.clone()).collect();
        let names = self.names.of_scripts("finish", &names);
        for ((script, file), name) in scripts.into_iter().zip(names).rev() {
            let place = format!("cont-finish.d/{script}");
            self.definition(&name, "oneshot", true);
            self.file(&name, "up", "", false);
            let elsewhere = self.script(&name, "down", &place, &file);
            let remarks: Vec<String> = elsewhere.into_iter().chain([FINISH_DIFFERS.to_owned()]).collect();
            self.note(&place, Fate::Emulated, &format!("`[oneshot.{name}]`"), &remarks.join("; "));
            self.before = vec![name];
        }
    }

    /// The directories that replace all of these in a container with a profile.
    fn profiles(&mut self) {
        for (path, _) in self.below("cont-profile.d") {
            let profile = path.split('/').next().unwrap_or_default();
            let remark = format!(
                "s6-overlay still runs it instead of the old directories if S6_RUNTIME_PROFILE is `{profile}`, but beside the manifest: import it on its own, or remove it"
            );
            self.note(&format!("cont-profile.d/{path}"), Fate::Lost, "", &remark);
        }
    }

    fn fix_attrs(&mut self) {
        let name = self.names.take(&["fix-attributes".to_owned()]);
        let mut commands = String::new();
        for (list, file) in self.below("fix-attrs.d") {
            let place = format!("fix-attrs.d/{list}");
            let text = match &file {
                _ if list.starts_with('.') => {
                    self.note(&place, Fate::NoEffect, "", "names that begin with a dot are not read");
                    continue;
                }
                LegacyFile::Regular(file) => String::from_utf8_lossy(&file.content).into_owned(),
                LegacyFile::Dangling(_) | LegacyFile::Other(_) => {
                    let problem = script_problem(&file).unwrap_or_default();
                    self.note(&place, Fate::Lost, "", &format!("{problem}; leave it in the image"));
                    continue;
                }
            };
            let found = AttributeCommands::new(&text);
            let becomes = format!("`[oneshot.{name}]`");
            let becomes = if found.commands.is_empty() { "" } else { &becomes };
            let lines: Vec<String> =
                found.others.iter().map(|line| format!("`{}`", line.replace('`', "'"))).collect();
            match &lines[..] {
                [] if found.recurses => self.note(
                    &place,
                    Fate::Exact,
                    becomes,
                    "hidden files below a path stay as they are, as they did without S6_FIX_ATTRS_HIDDEN",
                ),
                [] => self.note(&place, Fate::Exact, becomes, ""),
                lines => self.note(
                    &place,
                    Fate::Lost,
                    becomes,
                    &format!(
                        "no command is known for {}: write one, or leave only this in the file",
                        lines.join(" and ")
                    ),
                ),
            }
            commands += &found.commands;
        }
        if !commands.is_empty() {
            self.definition(&name, "oneshot", true);
            self.file(&name, "up", format!("/etc/s6-overlay/s6-rc.d/{name}/run\n"), false);
            self.file(&name, "run", format!("#!/bin/sh\n{commands}"), true);
            self.forgiving.push(name.clone());
            self.before = vec![name];
        }
    }

    fn cont_init(&mut self) {
        let scripts = self.scripts("cont-init.d", INIT_STAYS);
        let names: Vec<String> = scripts.iter().map(|(script, _)| script.clone()).collect();
        let names = self.names.of_scripts("init", &names);
        for ((script, file), name) in scripts.into_iter().zip(names) {
            let place = format!("cont-init.d/{script}");
            self.definition(&name, "oneshot", true);
            let elsewhere = self.script(&name, "up", &place, &file);
            let (may_fail, sees_path) = match &file {
                LegacyFile::Regular(file) => {
                    let text = String::from_utf8_lossy(&file.content);
                    (fails_on_purpose(&text), uses_own_path(&text))
                }
                LegacyFile::Dangling(_) | LegacyFile::Other(_) => (true, false),
            };
            let fate = if may_fail || sees_path { Fate::Emulated } else { Fate::Exact };
            let remarks = elsewhere
                .into_iter()
                .chain(sees_path.then(|| OTHER_PATH.to_owned()))
                .chain(may_fail.then(|| MAY_FAIL.to_owned()));
            let remarks: Vec<String> = remarks.collect();
            self.note(&place, fate, &format!("`[oneshot.{name}]`"), &remarks.join("; "));
            self.forgiving.push(name.clone());
            self.before = vec![name];
        }
    }
}

/// Whether a file is a link to an absolute path that a command can name.
fn is_elsewhere(file: &LegacyFile) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._@+-".contains(c);
    matches!(file, LegacyFile::Dangling(target) if target.starts_with('/') && target.chars().all(is_plain))
}
