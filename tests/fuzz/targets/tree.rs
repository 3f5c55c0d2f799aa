//! Judges source directories that any bytes describe, with links, loops, fifos and unreadable files, and draws their graphs.

#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;
use s6gen::diagnostic::Files;
use s6gen::model::{Database, Index, System, Target};
use s6gen::picture::{self, PictureSource, View};
use s6gen::plan::{OrderDirection, StartOrder};
use s6gen::render;
use s6gen::report::{self, Style};
use s6gen::source::{Directory, EntryKind, Listed, Source};
use s6gen::tree::{SourceTree, TreeDirectory};

/// The names of definitions; a byte selects one.
const NAMES: &[&str] = &[
    "a", "b", "c", "log", "web", "all", "s6rc-x", "s6-rc-y", ".hidden", "a\nb", "..", "top", "default", "ä",
];

/// The names of files of a definition; a byte selects one.
const FILES: &[&str] = &[
    "type",
    "run",
    "up",
    "down",
    "reload",
    "finish",
    "dependencies",
    "contents",
    "producer-for",
    "consumer-for",
    "pipeline-name",
    "notification-fd",
    "lock-fd",
    "timeout-up",
    "timeout-down",
    "timeout-kill",
    "timeout-finish",
    "max-death-tally",
    "down-signal",
    "reload-signal",
    "flag-essential",
    "flag-recommended",
    "flag-timeout-killpg",
    "flag-newpidns",
    "data",
    "env/X",
    "template/run",
    "data/check",
    "type/x",
];

/// Usual contents of files; a byte selects one.
const CONTENTS: &[&str] = &[
    "longrun\n",
    "oneshot\n",
    "bundle\n",
    "",
    "3\n",
    "a\n",
    "b\nc\n",
    "log\n",
    "all\n",
    "# x\n\n a\n",
    "4294967295",
    "echo \"a b\" { c }\n",
    // Contents that stand for something else than a regular file, and for a file that cannot be read.
    "<fifo>",
    "<denied>",
];

fuzz_target!(|bytes: &[u8]| {
    let tree = tree(bytes);
    let sources = ["src", "more"].map(|path| {
        let Source { path, directory } = tree.source(path);
        Source { path, directory: directory.map(|inner| Odd { inner }) }
    });
    let mut files = Files::default();
    let compilation = s6gen::judge(&mut files, sources.into(), Target::new(System::NEWEST_S6RC));
    for problem in compilation.problems.iter() {
        report::human(problem, &files, Style::Plain);
        report::json(problem, &files);
    }
    let index = Index::new(&compilation.services);
    Database::of(&index).to_json();
    for direction in [OrderDirection::Up, OrderDirection::Down] {
        render::text(&index, &[], direction, false);
        let (order, view) = (StartOrder::new(&index, &[], direction), View { names: &[], shows_all: false });
        let source = PictureSource { name: String::new(), names: Vec::new(), place: &|_| String::new() };
        picture::svg(&order, view, &source);
        picture::mermaid(&order, view);
        picture::dot(&order, view);
        render::json(&index, &[], direction);
    }
});

/// Reads the bytes as instructions that make one entry each.
fn tree(bytes: &[u8]) -> SourceTree {
    let mut tree = SourceTree::default();
    let mut rest = Bytes(bytes);
    while let Some(what) = rest.one() {
        let source = if what & 0x80 == 0 { "src" } else { "more" };
        let definition = format!("{source}/{}", rest.word(NAMES));
        match what & 0x0f {
            0..=3 => {
                let path = format!("{definition}/{}", rest.word(FILES));
                let content = rest.content();
                tree.file(path, content, false);
            }
            4..=6 => {
                let list = if what & 0x10 == 0 { "dependencies.d" } else { "contents.d" };
                let name = rest.word(NAMES);
                tree.file(format!("{definition}/{list}/{name}"), "", false);
            }
            7 => tree.directory(format!("{definition}/{}", rest.word(FILES))),
            8 => tree.link(format!("{definition}/{}", rest.word(FILES)), rest.word(FILES)),
            9 => {
                let target = String::from_utf8_lossy(&rest.content()).into_owned();
                tree.link(format!("{definition}/{}", rest.word(FILES)), target);
            }
            10 => {
                let target = format!("../more/{}", rest.word(NAMES));
                tree.link(definition, target);
            }
            11 => tree.link(definition, rest.word(NAMES)),
            12 => tree.directory(format!("{definition}/contents.d")),
            13 => tree.file(definition, rest.content(), false),
            14 => tree.link("more", "src"),
            _ => {
                let name = String::from_utf8_lossy(&rest.content()).into_owned();
                tree.file(format!("{source}/{name}"), "", false);
            }
        }
    }
    tree
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn one(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[usize::from(self.one().unwrap_or(0)) % words.len()]
    }

    /// One of the usual contents, or the bytes that follow.
    fn content(&mut self) -> Vec<u8> {
        let length = usize::from(self.one().unwrap_or(0));
        if length < 0x40 {
            return CONTENTS[length % CONTENTS.len()].into();
        }
        let (content, rest) = self.0.split_at((length - 0x40).min(self.0.len()));
        self.0 = rest;
        content.to_vec()
    }
}

/// A directory in which some files are fifos or directories, or cannot be read.
struct Odd<'a> {
    inner: TreeDirectory<'a>,
}

impl Odd<'_> {
    fn mark(&self, name: &[u8]) -> Option<&'static str> {
        let content = self.inner.read(name, 9).ok()?;
        ["<fifo>", "<denied>"].into_iter().find(|mark| content == mark.as_bytes())
    }
}

impl Directory for Odd<'_> {
    fn list(&mut self) -> io::Result<Vec<Listed>> {
        let mut entries = self.inner.list()?;
        for entry in &mut entries {
            if entry.kind == EntryKind::File && self.mark(&entry.name) == Some("<fifo>") {
                entry.kind = EntryKind::Fifo;
            }
        }
        Ok(entries)
    }

    fn kind(&self, name: &[u8]) -> io::Result<EntryKind> {
        match self.mark(name) {
            Some("<fifo>") => Ok(EntryKind::Fifo),
            _ => self.inner.kind(name),
        }
    }

    fn directory(&self, name: &[u8]) -> io::Result<Self> {
        self.inner.directory(name).map(|inner| Odd { inner })
    }

    fn read(&self, name: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        match self.mark(name) {
            Some("<fifo>") => Ok(Vec::new()),
            Some(_) => Err(io::ErrorKind::PermissionDenied.into()),
            None => self.inner.read(name, limit),
        }
    }
}
