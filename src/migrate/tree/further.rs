//! Writes the files that s6-rc does not know.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::lines::FileLines;
use super::script::text_problem;
use crate::manifest::draft::DraftTable;
use crate::migrate::Fate;
use crate::model::{Content, DefinitionFile, File, Service};

/// The files that s6gen writes for scripts of the manifest.
const OWN_FILES: &[&str] = &["data/run", "data/finish", "data/up", "data/down", "data/reload"];
/// The largest file that a manifest gets as text.
const LARGEST: usize = 64 << 10;

/// Writes the files that s6-rc does not know into the key `files`: those that it copies, and those that something may name. In a
/// definition that s6gen generated, every file is from that key.
pub(super) fn further_files(
    facts: &Facts<'_>,
    service: &Service,
    is_generated: bool,
    table: &mut DraftTable,
    lines: &mut FileLines<'_>,
) {
    let kind = service.kind.word();
    let name = &service.name;
    let open: Vec<(String, File)> = lines.open().map(|(path, file)| (path.clone(), file.clone())).collect();
    for (path, file) in open {
        let first = path.split('/').next().unwrap_or(&path);
        let known = DefinitionFile::find(first.as_bytes());
        let is_copied = is_copied(&path, kind);
        let last = path.rsplit('/').next().unwrap_or(&path);
        let called = service.definition().map_or(&[][..], |definition| &definition.called);
        let is_named = || {
            called.iter().any(|called| called.path == path)
                || facts.is_named_elsewhere(&format!("{name}/{path}"), (name, &[&path]))
        };
        let is_without_use = known.is_some() && !is_copied && !is_named();
        let is_written_here = is_generated && !known.is_some_and(|known| known.is_read_in(kind));
        if !is_written_here
            && (is_without_use || !is_copied && (last.starts_with('.') || file.content.is_empty()))
        {
            continue;
        }
        let has_first_line = file.content.starts_with(b"#!");
        let is_read = known.is_some_and(|known| !is_copied && known.is_read_in(kind));
        // In a definition that s6gen generated, a script of the manifest has its line by now.
        let is_own = is_read || !is_generated && OWN_FILES.contains(&path.as_str());
        match file_problem(&path, &file, is_own) {
            Some(problem) => {
                lines.note(&path, Fate::Lost, "", &format!("{problem}: copy it into the new definition"));
                continue;
            }
            None => table.set_path(
                vec!["files".to_owned(), path.clone()],
                String::from_utf8_lossy(&file.content).into_owned(),
            ),
        };
        match has_first_line && !file.executable {
            true => lines.note(&path, Fate::Emulated, "`files`", "it had no x bit, and gets one"),
            false => lines.note(&path, Fate::Exact, "`files`", ""),
        }
    }
}

/// Whether s6-rc copies what is at a path.
fn is_copied(path: &str, kind: &str) -> bool {
    let known = DefinitionFile::find(path.split('/').next().unwrap_or(path).as_bytes());
    known.is_some_and(|known| matches!(known.content, Content::Folder) && known.is_read_in(kind))
}

/// Notes what could not be read as a file. In a list of names, s6-rc reads only the name.
pub(super) fn other_entries(
    facts: &Facts<'_>,
    service: &Service,
    others: Option<&BTreeMap<String, String>>,
    lines: &mut FileLines<'_>,
) {
    let name = &service.name;
    for (path, what) in others.into_iter().flatten() {
        let list = ["dependencies", "contents"].iter().find(|list| path.starts_with(&format!("{list}.d/")));
        match (facts.refusal(name), list) {
            (Some(reason), _) => {
                lines.add(path, Fate::Lost, "", &format!("{reason}: leave it in the image"));
            }
            (None, Some(list)) => {
                let key = if facts.is_start_bundle(name) { "start" } else { list };
                lines.add(path, Fate::Exact, &format!("`{key}`"), "");
            }
            (None, None) => {
                let is_used = is_copied(path, service.kind.word())
                    || facts.is_named_elsewhere(&format!("{name}/{path}"), (name, &[]));
                match is_used {
                    true => {
                        let remark =
                            format!("it is {what}, and a manifest has only files: make it where it is used");
                        lines.add(path, Fate::Lost, "", &remark);
                    }
                    false => lines.add(
                        path,
                        Fate::NoEffect,
                        "",
                        &format!("it is {what}, which s6-rc does not read"),
                    ),
                }
            }
        }
    }
}

/// Why the key `files` cannot have a file.
fn file_problem(path: &str, file: &File, is_own: bool) -> Option<&'static str> {
    let Ok(text) = str::from_utf8(&file.content) else { return Some("it is not text") };
    match () {
        () if is_own => Some("s6gen writes a file of its own at this path"),
        () if text.contains('\0') => Some("it is not text"),
        () if text.len() > LARGEST => Some("it is longer than 64 KB"),
        () if path.chars().any(char::is_control) => Some("a manifest cannot have its name"),
        () if file.executable && !text.starts_with("#!") => {
            Some("it is executable, but has no first line with `#!`")
        }
        () if text_problem(&file.content).is_some() && text.starts_with("#!") => {
            Some("its first line is one with which the system cannot start it")
        }
        () => None,
    }
}
