//! Reads supervisord configurations from the disk, with what they include and what the image says about their programs, and
//! writes the manifest for them.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::error::JobError;
use super::supervisord_uses::supervisord_uses;
use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk;
use crate::migrate::{self, ImageAccount, Migration, SupervisordImport};
use crate::supervisord::{ConfigFile, Configuration, Known, LARGEST_OF_ALL};

/// The largest configuration file that is read, in bytes.
const LARGEST: usize = 4 << 20;
/// How many names may be looked at to find included files.
const MOST_NAMES: usize = 100_000;

/// How much may still be read to find included files.
struct LeftToRead {
    names: usize,
    bytes: usize,
}

/// What to import, and what the user says about it.
#[derive(Debug, Clone, Default)]
pub struct SupervisordRequest {
    /// The configuration files.
    pub files: Vec<PathBuf>,
    /// The unpacked file system of the image.
    pub root: Option<PathBuf>,
    /// The directory in which supervisord is started.
    pub workdir: Option<String>,
    /// Values of variables that are fixed now.
    pub baked: BTreeMap<String, String>,
    /// Whether the order of priorities becomes dependencies.
    pub priority_as_dependencies: bool,
    /// Whether the manifest has only what means exactly the same, where there are two ways to write something.
    pub is_exact: bool,
}

/// Writes the manifest for supervisord configurations.
///
/// # Errors
/// A file cannot be read.
pub fn import_supervisord(request: &SupervisordRequest) -> Result<(Migration, Files), JobError> {
    let mut files = Files::default();
    let known = Known { environment: request.baked.clone(), ..Known::default() };
    let mut main = Vec::new();
    for path in &request.files {
        main.push(request.file(path)?);
    }
    let mut left = LeftToRead { names: MOST_NAMES, bytes: LARGEST_OF_ALL };
    let mut include = |pattern: &str, from: &Path| request.included(pattern, from, &mut left);
    let reading = Configuration::read(&mut files, main, &known, &mut include);
    let values = || {
        reading.configuration.sections.iter().flat_map(|section| &section.options).map(|option| &option.value)
    };
    let is_unused = |name: &&String| values().all(|value| !value.contains(&format!("%(ENV_{name})")));
    if let Some(name) = request.baked.keys().find(is_unused) {
        let problem =
            Diagnostic::new(Code::InvalidValue, format!("there is no `%(ENV_{name})s` in these files"));
        return Err(problem
            .help("name a variable that the configuration uses, or leave `--bake` out")
            .into());
    }
    let image = SupervisordImport {
        workdir: request.workdir.clone(),
        baked: request.baked.clone(),
        priority_as_dependencies: request.priority_as_dependencies,
        is_exact: request.is_exact,
        accounts: request.accounts(),
        main_files: request.files.len(),
        root: request.root.clone(),
        scripts: request.scripts(&reading.configuration),
    };
    let mut migration = migrate::supervisord(&reading, &files, &image);
    if let Some(root) = &request.root {
        let own: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        let listeners: Vec<&str> = image.scripts.keys().map(String::as_str).collect();
        migration.report.remarks.extend(supervisord_uses(root, &own, &listeners));
    }
    Ok((migration, files))
}

impl SupervisordRequest {
    fn file(&self, path: &Path) -> Result<ConfigFile, JobError> {
        match disk::read_regular(path, LARGEST) {
            Ok(text) => Ok(self.config_file(path, text)),
            Err(_) if !disk::is_there(path) => {
                let message = format!("`{}` does not exist", path.display());
                let problem = Diagnostic::new(Code::ManifestUnreadable, message);
                Err(problem
                    .help("name a supervisord.conf, a source directory of s6-rc, or the root of an image")
                    .into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A file with the directory that `%(here)s` means: the one in the image, if the file is below its root.
    fn config_file(&self, path: &Path, text: Vec<u8>) -> ConfigFile {
        let real = disk::real_path(path).unwrap_or_else(|_| path.to_owned());
        let root = self.root.as_ref().and_then(|root| disk::real_path(root).ok());
        let inside = root.and_then(|root| real.strip_prefix(root).ok().map(|path| Path::new("/").join(path)));
        let directory =
            inside.unwrap_or(real).parent().map(|parent| parent.display().to_string()).unwrap_or_default();
        ConfigFile { path: path.to_owned(), directory, text }
    }

    /// The files that a pattern of `[include]` in the file `from` matches. An absolute one is below the root of the image; without
    /// it, only what lies beside the file is read.
    fn included(&self, pattern: &str, from: &Path, left: &mut LeftToRead) -> Vec<ConfigFile> {
        let mut folder = from.parent().unwrap_or(Path::new(""));
        let pattern = match (pattern.strip_prefix('/'), &self.root) {
            (None, _) => pattern.to_owned(),
            (Some(rest), Some(root)) => {
                folder = root;
                rest.to_owned()
            }
            (Some(_), None) => {
                let real =
                    disk::real_path(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
                let beside = real
                    .ok()
                    .and_then(|real| Path::new(pattern).strip_prefix(&real).ok().map(Path::to_owned));
                match beside {
                    Some(rest) => rest.display().to_string(),
                    None => return Vec::new(),
                }
            }
        };
        let paths = disk::matching(folder, &pattern, &mut left.names).unwrap_or_default();
        let root = self.root.as_ref().and_then(|root| disk::real_path(root).ok());
        // A link of an image may lead to files of the machine.
        let is_inside = |path: &PathBuf| match &root {
            Some(root) => disk::real_path(path).is_ok_and(|real| real.starts_with(root)),
            None => true,
        };
        let mut found = Vec::new();
        for path in paths.into_iter().filter(is_inside) {
            let Ok(text) = disk::read_regular(&path, LARGEST) else { continue };
            let fewer = left.bytes.checked_sub(text.len());
            found.push(self.config_file(&path, text));
            // The file that is too much is among them, so that the configuration refuses it.
            let Some(fewer) = fewer else { break };
            left.bytes = fewer;
        }
        found
    }

    /// The accounts of the image.
    fn accounts(&self) -> Option<BTreeMap<String, ImageAccount>> {
        let text = self.text_in_root("/etc/passwd")?;
        let account = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, _, home, ..] = fields[..] else { return None };
            let account =
                ImageAccount { uid: uid.parse().ok()?, gid: gid.parse().ok()?, home: home.to_owned() };
            Some((name.to_owned(), account))
        };
        Some(text.lines().filter_map(account).collect())
    }

    /// The scripts of the image that commands of event listeners name.
    fn scripts(&self, configuration: &Configuration) -> BTreeMap<String, String> {
        let listeners =
            configuration.sections.iter().filter(|section| section.name.starts_with("eventlistener:"));
        let commands = listeners.filter_map(|section| section.option("command"));
        let words = commands.flat_map(|option| option.value.split_whitespace());
        let is_script = |text: &String| text.starts_with("#!");
        words.filter_map(|word| Some((word.to_owned(), self.text_in_root(word).filter(is_script)?))).collect()
    }

    /// The text of a file of the image, by its absolute path there.
    fn text_in_root(&self, path: &str) -> Option<String> {
        let inside = Path::new(path.strip_prefix('/')?);
        let is_plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
        let root = self.root.as_ref().filter(|_| is_plain)?;
        let real = disk::real_path(&root.join(inside)).ok()?;
        real.starts_with(disk::real_path(root).ok()?).then_some(())?;
        String::from_utf8(disk::read_regular(&real, LARGEST).ok()?).ok()
    }
}
