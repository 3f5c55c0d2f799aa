//! Reads the directories of s6-overlay 2 for an import, and completes what the import writes for them.

use std::io;
use std::path::Path;

use super::file_system::open_root;
use crate::disk::{self, SourceDirectory};
use crate::migrate::{ImportReport, ImportSection, LegacyFile, LegacyFiles, LegacyTranslation, Migration};
use crate::model::{File, json_text};
use crate::source::{Directory, EntryKind, Union};

/// The directories of s6-overlay 2, below `/etc`.
pub(super) const LEGACY: [&str; 5] =
    ["fix-attrs.d", "cont-init.d", "services.d", "cont-finish.d", "cont-profile.d"];
/// How many bytes of a file are read. Scripts that people write are shorter.
const LONGEST: usize = 1 << 20;

/// Whether the file system `root` has directories of s6-overlay 2.
pub(super) fn has_legacy(root: &Path) -> bool {
    LEGACY.iter().any(|name| disk::is_directory(&root.join("etc").join(name)))
}

/// The files of the directories of s6-overlay 2 in the file system `root`. Links are followed in it.
pub(super) fn legacy_files(root: &Path) -> LegacyFiles {
    let mut files = LegacyFiles::new();
    let Ok(root) = open_root(root) else { return files };
    for name in LEGACY {
        if let Ok(mut directory) = root.directory(format!("etc/{name}").as_bytes()) {
            add_below(&mut directory, name, 0, &mut files);
        }
    }
    files
}

/// Adds the files below a directory. Only a link to a whole service is followed to a directory.
fn add_below(directory: &mut Union<SourceDirectory>, path: &str, level: usize, files: &mut LegacyFiles) {
    for entry in directory.list().unwrap_or_default() {
        let path = format!("{path}/{}", json_text(&entry.name));
        let is_link = entry.kind == EntryKind::Link;
        let file = match directory.kind(&entry.name) {
            Ok(EntryKind::Directory) if level == 0 || !is_link => match directory.directory(&entry.name) {
                Ok(mut inner) => {
                    add_below(&mut inner, &path, level + 1, files);
                    continue;
                }
                Err(error) => unreadable(&error),
            },
            Ok(EntryKind::Directory) => LegacyFile::Other("it is a link to a directory".to_owned()),
            Ok(EntryKind::File) => read(directory, &entry.name).unwrap_or_else(|error| unreadable(&error)),
            Ok(_) => LegacyFile::Other("it is not a regular file".to_owned()),
            Err(error) => match directory.link(&entry.name) {
                Ok(target) if is_link => LegacyFile::Dangling(json_text(&target)),
                _ => unreadable(&error),
            },
        };
        files.insert(path, file);
    }
}

fn read(directory: &Union<SourceDirectory>, name: &[u8]) -> io::Result<LegacyFile> {
    let content = directory.read(name, LONGEST + 1)?;
    let executable = directory.is_executable(name)?;
    Ok(match content.len() > LONGEST {
        true => LegacyFile::Other("it is longer than 1 MB".to_owned()),
        false => LegacyFile::Regular(File { content: content.into(), executable }),
    })
}

fn unreadable(error: &io::Error) -> LegacyFile {
    LegacyFile::Other(format!("it cannot be read ({error})"))
}

/// Adds what the definitions cannot say: that the failure of a script stopped nothing. The report is on the old directories.
pub(super) fn complete_legacy(legacy: &LegacyTranslation, migration: &mut Migration) {
    for table in &mut migration.draft.tables {
        let Some(name) = table.path.get(1).cloned() else { continue };
        if legacy.forgiving.contains(&name) {
            table.set("on-failure.then", "ignore");
        }
    }
    migration.report.sections = legacy_sections(legacy, &migration.report);
    if migration.draft.tables.is_empty() {
        migration.report.remarks =
            vec!["Nothing is imported: s6-overlay 3 still runs these directories.".to_owned()];
        return;
    }
    let remarks = [
        "The directories of s6-overlay 2 become definitions: remove the old files that are in the manifest now, or they run twice.",
        "Version 2 killed what was left of the services six seconds after the container had begun to stop (S6_SERVICES_GRACETIME and S6_KILL_GRACETIME); now each service has five seconds (`timeout-kill`).",
        "The scripts of `cont-init.d` ran in the directory that the image names with WORKDIR; now they run in one of s6-rc: write `workdir` where a script uses relative paths.",
        "The command of the container (CMD) waited for no service unless S6_CMD_WAIT_FOR_SERVICES was set; now it waits until all have started, and it gets the environment of the container only behind `with-contenv`.",
    ];
    let failures = "A oneshot that fails stops nothing, as before by default, whichever command of it fails. If the image sets S6_BEHAVIOUR_IF_STAGE2_FAILS to 2, every failure stopped the container: `on-failure.then = \"stop-container\"` does so.";
    let failures = Some(failures).filter(|_| !legacy.forgiving.is_empty());
    let remarks = remarks.into_iter().chain(failures).map(str::to_owned);
    migration.report.remarks = remarks.chain(migration.report.remarks.drain(1..)).collect();
}

/// The lines on the old directories. What became of a file is known only from its definition.
fn legacy_sections(legacy: &LegacyTranslation, report: &ImportReport) -> Vec<ImportSection> {
    let mut sections = legacy.sections.clone();
    for line in sections.iter_mut().flat_map(|section| &mut section.lines) {
        let Some(place) = legacy.places.get(&line.part) else { continue };
        let section = report.sections.iter().find(|section| section.heading == place.definition);
        let own = section.and_then(|section| section.lines.iter().find(|own| own.part == place.file));
        let Some(own) = own else { continue };
        line.becomes = match own.becomes.as_str() {
            "" => String::new(),
            // It is in the table of another service.
            other if other.contains(" of `") => other.to_owned(),
            own => format!("{}, {own}", line.becomes),
        };
        line.fate = line.fate.max(own.fate);
        let is_script = ["script", "`files`"].iter().any(|word| own.becomes.contains(word));
        let new_names = place.new_names.iter().filter(|_| is_script);
        let remarks = [&line.remark, &own.remark].into_iter().chain(new_names);
        let remarks: Vec<&str> = remarks.map(String::as_str).filter(|remark| !remark.is_empty()).collect();
        line.remark = remarks.join("; ");
    }
    sections
}
