//! Translates the directories of s6-overlay 2, which version 3 still reads, into definitions of s6-rc: `fix-attrs.d`, `cont-init.d`,
//! `services.d` and `cont-finish.d`.
//!
//! Version 2 runs them in this order: the lines of `fix-attrs.d`, the scripts of `cont-init.d` one after the other, then all of
//! `services.d` at once; and when these have ended, the scripts of `cont-finish.d`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fate, ImportLine, ImportSection};
use crate::model::File;
use crate::tree::SourceTree;

/// The files of these directories, by path below `/etc`.
pub type LegacyFiles = BTreeMap<String, File>;

/// Definitions that do what the directories of version 2 did.
pub struct LegacyTranslation {
    /// An s6-overlay directory with them.
    pub tree: SourceTree,
    /// What became of each file.
    pub sections: Vec<ImportSection>,
    /// The oneshots that ran scripts of which a failure stopped nothing.
    pub forgiving: Vec<String>,
    /// Of each file that became one of a service: the service, and the path in its definition.
    pub files: BTreeMap<String, (String, String)>,
}

/// Texts in scripts that make services or change them while the container starts.
const MAKES_SERVICES: &[&str] = &[
    "services.d",
    "s6-rc.d",
    "/run/service",
    "/var/run/s6/services",
    "prepare_service",
    "/assets/functions",
    "s6-rc-compile",
];

/// The scripts of the boot that make services. Nothing can be imported beside these.
fn scripts_that_make_services(files: &LegacyFiles) -> Vec<String> {
    let of_boot = files.iter().filter(|(path, _)| path.starts_with("cont-init.d/"));
    let makes = |file: &File| {
        let text = String::from_utf8_lossy(&file.content);
        let code = |line: &&str| !line.trim_start().starts_with('#');
        text.lines().filter(code).any(|line| MAKES_SERVICES.iter().any(|mark| line.contains(mark)))
    };
    of_boot.filter(|(_, file)| makes(file)).map(|(path, _)| path.clone()).collect()
}

/// Translates the directories.
pub fn translate(files: &LegacyFiles) -> LegacyTranslation {
    let mut work = Translator {
        files,
        tree: SourceTree::default(),
        lines: BTreeMap::new(),
        before: Vec::new(),
        forgiving: Vec::new(),
        translated: BTreeMap::new(),
        names: BTreeSet::new(),
    };
    let makers = scripts_that_make_services(files);
    if makers.is_empty() {
        work.cont_finish();
        work.fix_attrs();
        work.cont_init();
        work.services();
    } else {
        work.leave_all(&makers);
    }
    let mut sections: Vec<ImportSection> = Vec::new();
    for (path, line) in work.lines {
        let heading = format!("/etc/{}", path.split('/').next().unwrap_or_default());
        match sections.last_mut().filter(|section| section.heading == heading) {
            Some(section) => section.lines.push(line),
            None => sections.push(ImportSection { heading, lines: vec![line] }),
        }
    }
    LegacyTranslation { tree: work.tree, sections, forgiving: work.forgiving, files: work.translated }
}

struct Translator<'a> {
    files: &'a LegacyFiles,
    tree: SourceTree,
    lines: BTreeMap<String, ImportLine>,
    /// What the next definition waits for.
    before: Vec<String>,
    forgiving: Vec<String>,
    translated: BTreeMap<String, (String, String)>,
    /// The names that are taken.
    names: BTreeSet<String>,
}

impl Translator<'_> {
    /// The files of a directory, by the rest of their paths, in the order in which they are run.
    fn below(&self, directory: &str) -> Vec<(String, File)> {
        let prefix = format!("{directory}/");
        let inside = self.files.iter().filter_map(|(path, file)| Some((path.strip_prefix(&prefix)?, file)));
        inside.map(|(name, file)| (name.to_owned(), file.clone())).collect()
    }

    /// Leaves everything to s6-overlay 3, which still runs these directories.
    fn leave_all(&mut self, makers: &[String]) {
        for path in self.files.keys() {
            let remark = match makers.contains(path) {
                true => "it makes or changes services while the container starts: leave all of these directories in the image".to_owned(),
                false => format!("`{}` makes services: leave all of these directories in the image", makers[0]),
            };
            self.note(path.clone(), Fate::Lost, String::new(), &remark);
        }
    }

    /// The name of the oneshot for a script: without its number, unless that name is taken.
    fn free_name(&mut self, prefix: &str, script: &str) -> String {
        let short = format!("{prefix}-{}", plain_name(script));
        let is_service = self.files.contains_key(&format!("services.d/{short}/run"));
        let name = match is_service || !self.names.insert(short.clone()) {
            true => format!("{prefix}-{}", plain_characters(script)),
            false => short,
        };
        self.names.insert(name.clone());
        name
    }

    fn note(&mut self, path: String, fate: Fate, becomes: String, remark: &str) {
        let line = ImportLine { origin: None, part: path.clone(), fate, becomes, remark: remark.to_owned() };
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

    /// A script that was run at the boot or at the end becomes a script of a oneshot.
    fn script(&mut self, name: &str, key: &str, file: &File) {
        self.file(name, key, format!("/etc/s6-overlay/s6-rc.d/{name}/run\n"), false);
        self.file(name, "run", file.content.clone(), file.executable);
    }

    /// Everything waits for these oneshots, so that their `down` runs when everything has stopped: the first script first.
    fn cont_finish(&mut self) {
        for (script, file) in self.below("cont-finish.d").into_iter().rev() {
            let name = self.free_name("finish", &script);
            self.definition(&name, "oneshot", true);
            self.file(&name, "up", "", false);
            self.script(&name, "down", &file);
            let remark = "it runs when everything that waits for this oneshot has stopped";
            self.note(
                format!("cont-finish.d/{script}"),
                Fate::Exact,
                format!("`down` of `[oneshot.{name}]`"),
                remark,
            );
            self.before = vec![name];
        }
    }

    fn fix_attrs(&mut self) {
        let mut commands = String::new();
        for (list, file) in self.below("fix-attrs.d") {
            let text = String::from_utf8_lossy(&file.content).into_owned();
            let mut fate = Fate::Exact;
            for line in
                text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            {
                match attributes(line) {
                    Some(command) => commands += &command,
                    None => fate = Fate::Lost,
                }
            }
            let remark = if fate == Fate::Lost { "a line of it has another form" } else { "" };
            self.note(format!("fix-attrs.d/{list}"), fate, "`[oneshot.fix-attributes]`".to_owned(), remark);
        }
        if !commands.is_empty() {
            let name = "fix-attributes";
            self.definition(name, "oneshot", true);
            let content = format!("#!/bin/sh\n{commands}").into_bytes();
            self.script(name, "up", &File { content: content.into(), executable: true });
            self.forgiving.push(name.to_owned());
            self.before = vec![name.to_owned()];
        }
    }

    fn cont_init(&mut self) {
        for (script, file) in self.below("cont-init.d") {
            if script.contains('/') {
                self.note(
                    format!("cont-init.d/{script}"),
                    Fate::NoEffect,
                    String::new(),
                    "only files of this directory are run",
                );
                continue;
            }
            let name = self.free_name("init", &script);
            self.definition(&name, "oneshot", true);
            self.script(&name, "up", &file);
            let remark = "remove the old file, or it runs twice";
            self.note(format!("cont-init.d/{script}"), Fate::Exact, format!("`[oneshot.{name}]`"), remark);
            self.forgiving.push(name.clone());
            self.before = vec![name];
        }
    }

    fn services(&mut self) {
        let all = self.below("services.d");
        let names: Vec<&str> = all
            .iter()
            .filter_map(|(path, _)| path.strip_suffix("/run"))
            .filter(|name| !name.contains('/'))
            .collect();
        for name in &names {
            let own: BTreeMap<&str, &File> = all
                .iter()
                .filter_map(|(path, file)| Some((path.strip_prefix(name)?.strip_prefix('/')?, file)))
                .collect();
            self.service(name, &own);
        }
        for (path, _) in &all {
            let known = path.split('/').next().is_some_and(|name| names.contains(&name));
            if !known {
                self.note(
                    format!("services.d/{path}"),
                    Fate::NoEffect,
                    String::new(),
                    "there is no `run` beside it",
                );
            }
        }
    }

    fn service(&mut self, name: &str, files: &BTreeMap<&str, &File>) {
        self.definition(name, "longrun", !files.contains_key("down"));
        let logger = format!("{name}-log");
        if files.contains_key("log/run") {
            self.definition(&logger, "longrun", false);
            self.file(&logger, "consumer-for", format!("{name}\n"), false);
            self.file(name, "producer-for", format!("{logger}\n"), false);
        }
        for (path, file) in files {
            let place = format!("services.d/{name}/{path}");
            let (service, inner) = match path.strip_prefix("log/") {
                Some(inner) => (logger.as_str(), inner),
                None => (name, *path),
            };
            match inner {
                "down" => self.note(place, Fate::Exact, "`start = \"on-demand\"`".to_owned(), ""),
                "nosetsid" => self.note(place, Fate::NoEffect, String::new(), "s6 does not read it any more"),
                _ => {
                    self.file(service, inner, file.content.clone(), file.executable);
                    self.translated.insert(place.clone(), (service.to_owned(), inner.to_owned()));
                    self.note(place, Fate::Exact, format!("`[longrun.{service}]`"), "");
                }
            }
        }
    }
}

/// The name of a script without the number before it and the ending.
fn plain_name(script: &str) -> String {
    let name = script.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['-', '_', '.']);
    let name = if name.is_empty() { script } else { name };
    let name = name.strip_suffix(".sh").unwrap_or(name);
    plain_characters(name)
}

fn plain_characters(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.@-".contains(c) { c } else { '-' };
    name.chars().map(plain).collect()
}

/// The commands for a line `PATH RECURSES ACCOUNT MODE_OF_FILES MODE_OF_DIRECTORIES`.
fn attributes(line: &str) -> Option<String> {
    let [path, recurses, account, files, directories] = line.split_whitespace().collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "/._:@+-".contains(c));
    let is_mode = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if ![path, account.split(',').next()?].iter().all(|text| is_plain(text))
        || !is_mode(files)
        || !is_mode(directories)
    {
        return None;
    }
    let depth = match recurses {
        "true" => "",
        "false" => " -maxdepth 0",
        _ => return None,
    };
    // The second account is for images in which the first one is missing.
    let owner = match account.split_once(',') {
        Some((account, ids)) if is_plain(ids) => {
            format!(
                "find {path}{depth} -exec chown {account} {{}} + 2>/dev/null || find {path}{depth} -exec chown {ids} {{}} +\n  "
            )
        }
        Some(_) => return None,
        None => format!("find {path}{depth} -exec chown {account} {{}} +\n  "),
    };
    Some(format!(
        "if test -e {path} ; then\n  {owner}find {path}{depth} -type f -exec chmod {files} {{}} +\n  find {path}{depth} -type d -exec chmod {directories} {{}} +\nfi\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::{attributes, plain_name};

    #[test]
    fn scripts_get_plain_names() {
        assert_eq!(["10-adduser", "01_a b.sh", "30"].map(plain_name), ["adduser", "a-b", "30"]);
    }

    #[test]
    fn attributes_become_commands() {
        let commands = attributes("/data true app,1000:1000 0600 0700").unwrap();
        assert!(commands.contains(
            "find /data -exec chown app {} + 2>/dev/null || find /data -exec chown 1000:1000 {} +"
        ));
        assert!(attributes("/a b").is_none() && attributes("/a maybe app 0600 0700").is_none());
    }
}
