//! The files that were read, and places in them.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Identifies a file of [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A file that was read. It is kept so that reports can show its lines.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path, as the user would type it.
    pub path: PathBuf,
    /// The content. Empty if there was nothing to read.
    pub text: Vec<u8>,
    /// The places of values that may be secrets, sorted. A report shows such a value only if it is about that value.
    pub hidden: Vec<Range<usize>>,
    /// The lines, found when the first report is about this file.
    lines: OnceLock<Lines>,
}

/// Where the lines of a file begin.
#[derive(Debug, Clone)]
struct Lines {
    starts: Vec<usize>,
    is_text: bool,
    /// The number of characters before each block of [`BLOCK`] bytes. A line may be long, and have many problems.
    characters: Vec<usize>,
}

/// The number of bytes whose characters are counted at once.
const BLOCK: usize = 1024;

/// The number of characters that begin in a part of a text.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

impl SourceFile {
    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| {
            let ends = self.text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let starts = std::iter::once(0).chain(ends.map(|(place, _)| place + 1)).collect();
            let mut counts = vec![0];
            for block in self.text.chunks(BLOCK) {
                counts.push(counts.last().unwrap_or(&0) + characters(block));
            }
            Lines { starts, is_text: std::str::from_utf8(&self.text).is_ok(), characters: counts }
        })
    }

    /// Whether it is UTF-8.
    pub fn is_text(&self) -> bool {
        self.lines().is_text
    }

    /// The number of the line, from 0, in which an offset is.
    pub fn line_at(&self, offset: usize) -> usize {
        self.lines().starts.partition_point(|start| *start <= offset) - 1
    }

    /// The number of characters before an offset in its line.
    pub fn column_at(&self, offset: usize) -> usize {
        let start = self.start_of_line(self.line_at(offset));
        if !self.is_text() {
            return String::from_utf8_lossy(&self.text[start..offset]).chars().count();
        }
        let before = |offset: usize| {
            let block = offset / BLOCK;
            self.lines().characters[block] + characters(&self.text[block * BLOCK..offset])
        };
        before(offset) - before(start)
    }

    /// Where a line begins. A line after the last one begins at the end.
    pub fn start_of_line(&self, line: usize) -> usize {
        self.lines().starts.get(line).copied().unwrap_or(self.text.len())
    }
}

/// Every file that was read in this run.
#[derive(Debug, Default, Clone)]
pub struct Files {
    list: Vec<SourceFile>,
}

impl Files {
    /// Adds a file, and returns its identifier.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> FileId {
        let id = FileId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let (path, text) = (path.into(), text.into());
        self.list.push(SourceFile { path, text, hidden: Vec::new(), lines: OnceLock::new() });
        id
    }

    /// Marks values that may be secrets.
    pub fn hide(&mut self, values: impl IntoIterator<Item = Origin>) {
        for value in values {
            self.list[value.file.0 as usize].hidden.push(value.span());
        }
        for file in &mut self.list {
            file.hidden.sort_by_key(|value| (value.start, value.end));
            file.hidden.dedup();
        }
    }

    /// The file `id`.
    pub fn get(&self, id: FileId) -> &SourceFile {
        &self.list[id.0 as usize]
    }

    /// Every file, in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = &SourceFile> {
        self.list.iter()
    }

    /// Every file with its identifier, in the order in which they were read.
    pub fn with_ids(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.list)
    }

    /// A place for people: `services.toml:7`. A file without text has no lines.
    pub fn place(&self, origin: Origin) -> String {
        let file = self.get(origin.file);
        let path = file.path.display();
        if file.text.is_empty() {
            path.to_string()
        } else {
            format!("{path}:{}", file.line_at(origin.span().start) + 1)
        }
    }

    /// The path of the file `id`.
    pub fn path(&self, id: FileId) -> &Path {
        &self.get(id).path
    }
}

/// Where a fact was written: a file and a range of bytes in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file.
    pub file: FileId,
    start: u32,
    end: u32,
}

impl Origin {
    /// The bytes `span` of the file `file`.
    pub fn new(file: FileId, span: Range<usize>) -> Self {
        let cut = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Origin { file, start: cut(span.start), end: cut(span.end) }
    }

    /// The file as a whole.
    pub fn whole(file: FileId) -> Self {
        Origin::new(file, 0..0)
    }

    /// Whether it contains `other`.
    pub fn contains(&self, other: Origin) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The range of bytes.
    pub fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}
