//! A tree as a line of JSON. `tests/truth` has thousands of small trees in this form, and `oracle` prints a disagreement in
//! it. Trees for people, in `tests/cases/tree`, are text instead: see `tree_text`.
//!
//! Every key but `id` and `files` is optional: `sources` (source directories below the root of the case), `dirs`,
//! `files` (path → `content` or `content_b64`, `mode`), `symlinks` (path → target), `fifos`, `modes` of directories,
//! which are applied last. A text that is not UTF-8 is written as `base64:…`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use s6gen::diagnostic::{Files, Problems, Severity};
use s6gen::model::{Database, Index, Target};
use s6gen::source::Directory;
use s6gen::source::Source;
use s6gen::{import, validate};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::require::succeeds;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Case {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dirs: Vec<String>,
    pub files: BTreeMap<String, Content>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub symlinks: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fifos: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub modes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub opts: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub pre_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_b64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

impl Content {
    pub fn bytes(&self) -> Vec<u8> {
        match (&self.content, &self.content_b64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(text)) => from_base64(text),
            (None, None) => Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    pub class: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_set: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_first_fatal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db: Option<Value>,
}

/// The lines of a file of recorded cases.
pub fn lines(name: &str) -> Vec<String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth").join(name);
    fs::read_to_string(place).unwrap().lines().map(str::to_owned).collect()
}

/// The cases of a file.
pub fn cases(name: &str) -> Vec<Case> {
    lines(name).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The verdict of s6gen on a tree: the class of the first error, and the database if there is no error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    pub class: String,
    pub db: Option<Value>,
    pub problems: Vec<String>,
}

impl Verdict {
    /// How the verdict of s6gen differs from the recorded one, if it does.
    pub fn disagreement(&self, judgement: &Judgement) -> Option<String> {
        let is_same = self.class == judgement.class || self.class_set.contains(&judgement.class);
        if !is_same {
            let Judgement { class, problems, .. } = judgement;
            return Some(format!("really {}, here {class} {problems:#?}", self.class));
        }
        match (&self.db, &judgement.db) {
            (Some(real), Some(ours)) if real != ours => {
                Some(format!("databases differ:\n  {real}\n  {ours}"))
            }
            _ => None,
        }
    }
}

pub fn from_base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().fold(0u32, |bits, c| bits << 6 | u32::from(digit(*c)));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}

/// Bytes as they are written in a case.
pub fn text(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("base64:{}", to_base64(bytes)),
    }
}

pub fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([&0, &0]).take(3).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let digits = (0..4).map(|place| char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]));
        text.extend(digits.take(group.len() + 1));
        text.extend(std::iter::repeat_n('=', 3 - group.len()));
    }
    text
}

pub fn path(text: &str) -> PathBuf {
    match text.strip_prefix("base64:") {
        Some(encoded) => OsString::from_vec(from_base64(encoded)).into(),
        None => text.into(),
    }
}

fn octal(mode: &str) -> u32 {
    u32::from_str_radix(mode, 8).unwrap()
}

impl Case {
    pub fn sources(&self) -> Vec<String> {
        self.sources.clone().unwrap_or_else(|| vec!["src".into()])
    }

    /// Makes the tree below `root`.
    pub fn make(&self, root: &Path) -> io::Result<()> {
        let place = |name: &str| -> io::Result<PathBuf> {
            // Drop a `.` at the end, because create_dir_all fails at it.
            let place: PathBuf = root.join(path(name)).components().collect();
            fs::create_dir_all(place.parent().unwrap_or(root))?;
            Ok(place)
        };
        for name in &self.dirs {
            fs::create_dir_all(place(name)?)?;
        }
        for (name, file) in &self.files {
            let place = place(name)?;
            fs::write(&place, file.bytes())?;
            if let Some(mode) = &file.mode {
                fs::set_permissions(&place, fs::Permissions::from_mode(octal(mode)))?;
            }
        }
        for (name, target) in &self.symlinks {
            symlink(path(target), place(name)?)?;
        }
        for name in &self.fifos {
            let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o644));
            rustix::fs::mknodat(rustix::fs::CWD, place(name)?, kind, mode, 0)?;
        }
        for (name, mode) in &self.modes {
            fs::set_permissions(root.join(path(name)), fs::Permissions::from_mode(octal(mode)))?;
        }
        Ok(())
    }
}

/// Judges source directories as `s6gen check` does.
pub fn judge<D: Directory>(sources: Vec<Source<D>>) -> Judgement {
    let (mut files, mut problems) = (Files::default(), Problems::default());
    let set = import::tree(sources, Target::default(), &mut files, &mut problems);
    validate::validate(&set, true, &mut problems);
    problems.sort_by_rank();
    let stopped = problems.iter().find(|problem| problem.severity == Severity::Error);
    let class = stopped.map_or("ok", |first| first.class.map_or("no class", |class| class.slug()));
    let db = (class == "ok").then(|| Database::of(&Index::new(&set)).to_json());
    Judgement { class: class.into(), db, problems: problems.iter().map(|p| p.message.clone()).collect() }
}

/// Judges the source directories `names` below `root`.
pub fn judge_on_disk(root: &Path, names: &[String]) -> Judgement {
    let place = |name: &String| if name.is_empty() { PathBuf::new() } else { root.join(path(name)) };
    judge(names.iter().map(|name| s6gen::disk::source(place(name))).collect())
}

/// A directory of the system that is in memory and from which programs can be started, if there is one.
static MEMORY: LazyLock<Option<&Path>> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let directory = tempfile::tempdir_in(memory).ok()?;
    let program = directory.path().join("program");
    fs::write(&program, "#!/bin/sh\n").ok()?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    succeeds(&[program.to_str().unwrap()]).then_some(memory)
});

/// A temporary directory, in memory if the system has a place for that.
pub fn scratch() -> tempfile::TempDir {
    let directory = MEMORY.map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}
