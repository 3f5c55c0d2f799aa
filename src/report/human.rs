//! Draws a diagnostic for a person, with an excerpt of each file.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use miette::{
    Diagnostic as Report, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, NamedSource, Severity as Weight, SourceCode, SourceSpan, SpanContents,
};

use crate::diagnostic::{Diagnostic, FileId, Files, Severity, SourceFile};
use crate::model::{is_printable, printable};

/// How reports look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For logs and files: no colours.
    Plain,
    /// For a terminal.
    Coloured,
}

/// Draws a problem: what is wrong, where, why, and what to do.
pub fn human(problem: &Diagnostic, files: &Files, style: Style) -> String {
    let theme = match style {
        Style::Plain => GraphicalTheme::unicode_nocolor(),
        Style::Coloured => GraphicalTheme::unicode(),
    };
    let mut text = String::new();
    // A message stays on one line, so that a search in a log finds it.
    let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_context_lines(1);
    match handler.render_report(&mut text, &Shown::new(problem, files)) {
        Ok(()) => text + "\n",
        Err(fmt::Error) => format!("{}: {}\n", problem.code, printable(&problem.message)),
    }
}

/// How many bytes of the files are read to draw a problem: all of each marked line.
pub fn read_for(problem: &Diagnostic, files: &Files) -> usize {
    let lines = problem.labels.iter().map(|label| {
        let (file, span) = (files.get(label.origin.file), label.origin.span());
        let start = file.start_of_line(file.line_at(span.start));
        file.start_of_line(file.line_at(span.end) + 1) - start
    });
    lines.sum()
}

/// A path on one line, without characters that would disturb a terminal.
fn printable_path(path: &Path) -> String {
    printable(&path.display().to_string()).into_owned()
}

/// A problem in the form that miette draws.
#[derive(Debug)]
struct Shown {
    message: String,
    code: Option<String>,
    severity: Weight,
    help: Option<String>,
    notes: Option<Box<Note>>,
    source: Option<NamedSource<WholeLines>>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Shown>,
}

/// A fact that explains the problem. miette draws notes as a chain of causes, so each one leads to the next.
#[derive(Debug)]
struct Note {
    text: String,
    next: Option<Box<Note>>,
}

impl Shown {
    fn new(problem: &Diagnostic, files: &Files) -> Self {
        let mut excerpts: BTreeMap<usize, (FileId, Vec<LabeledSpan>)> = BTreeMap::new();
        let mut places = Vec::new();
        for label in &problem.labels {
            let file = files.get(label.origin.file);
            let span = label.origin.span();
            let readable = file.is_text() && span.end <= file.text.len();
            if file.text.is_empty() || (span.start == 0 && span.end == 0) || !readable {
                places.push(format!("{}: {}", file.path.display(), label.text));
                continue;
            }
            let position = excerpts
                .iter()
                .find(|(_, (known, _))| *known == label.origin.file)
                .map_or(excerpts.len(), |(position, _)| *position);
            // A mark over very many lines would show them all.
            let last = file.start_of_line(file.line_at(span.start) + MOST_LINES).max(span.start + 1) - 1;
            let end = if last < span.end { last } else { span.end };
            let span = span.start..end.max(span.start);
            let excerpt = excerpts.entry(position).or_insert_with(|| (label.origin.file, Vec::new()));
            excerpt.1.push(LabeledSpan::new(
                Some(printable(&label.text).into_owned()),
                span.start,
                span.len(),
            ));
        }
        let mut excerpts = excerpts.into_values().map(|(id, labels)| excerpt(files.get(id), labels));
        let (source, labels) = excerpts.next().unzip();
        let elsewhere = excerpts
            .map(|(source, labels)| Shown {
                message: "the other place".into(),
                code: None,
                severity: Weight::Advice,
                help: None,
                notes: None,
                source: Some(source),
                labels,
                elsewhere: Vec::new(),
            })
            .collect();
        let notes = places.into_iter().chain(problem.notes.iter().cloned());
        Shown {
            message: printable(&problem.message).into_owned(),
            code: Some(problem.code.slug().to_owned()),
            severity: match problem.severity {
                Severity::Error => Weight::Error,
                Severity::Warning => Weight::Warning,
                Severity::Advice => Weight::Advice,
            },
            help: problem.help.as_deref().map(|help| printable(help).into_owned()),
            notes: notes
                .rev()
                .fold(None, |next, text| Some(Box::new(Note { text: printable(&text).into_owned(), next }))),
            source,
            labels: labels.unwrap_or_default(),
            elsewhere,
        }
    }
}

/// The lines of a file around its labels, and the labels in these lines. A report must not cost more in a longer file.
fn excerpt(file: &SourceFile, labels: Vec<LabeledSpan>) -> (NamedSource<WholeLines>, Vec<LabeledSpan>) {
    let first = file.line_at(labels.iter().map(LabeledSpan::offset).min().unwrap_or(0));
    let last = labels.iter().map(|label| file.line_at(label.offset() + label.len())).max().unwrap_or(0);
    let first = first.saturating_sub(AROUND_LINES);
    let start = file.start_of_line(first);
    let lines = &file.text[start..file.start_of_line(last + 1 + AROUND_LINES)];
    let labels: Vec<_> = labels
        .into_iter()
        .map(|label| LabeledSpan::new(label.label().map(str::to_owned), label.offset() - start, label.len()))
        .collect();
    let end = start + lines.len();
    let values = &file.hidden[file.hidden.partition_point(|value| value.end <= start)..];
    let values = values.iter().take_while(|value| value.start < end);
    let hidden: Vec<_> =
        values.map(|value| value.start.max(start) - start..value.end.min(end) - start).collect();
    let source = WholeLines::new(visible(lines), first, &labels, &hidden);
    let labels = labels.into_iter().map(|label| source.shorten(&label)).collect();
    (NamedSource::new(printable_path(&file.path), source), labels)
}

/// A text with `?` for each byte of an invisible character, so that every mark stays under its text.
fn visible(lines: &[u8]) -> String {
    let mut text = String::with_capacity(lines.len());
    let mut chars = std::str::from_utf8(lines).unwrap_or_default().chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\t' => text.push(c),
            '\r' if chars.peek() == Some(&'\n') => text.push(c),
            c if is_printable(c) => text.push(c),
            c => text.extend((0..c.len_utf8()).map(|_| '?')),
        }
    }
    text
}

/// A text whose excerpts consist of whole lines. For miette an excerpt without context lines begins at the marked place.
///
/// A very long line is shortened to the parts around the marks. Otherwise a text without line ends would be repeated for
/// each of its problems, and miette cannot draw a mark beyond column 65535.
#[derive(Debug)]
struct WholeLines {
    text: String,
    /// The number of lines in the file before this text.
    first_line: usize,
    shown: String,
    /// The parts that are left out: the offset in the text and the length of each.
    cuts: Vec<Range<usize>>,
}

/// The number of lines around the marks that an excerpt can need.
const AROUND_LINES: usize = 2;
/// The most lines between two marks that are shown.
const MOST_BETWEEN: usize = 2;
/// The number of lines that a mark shows.
const MOST_LINES: usize = 100;
/// The length from which lines are shortened, in bytes.
const LONGEST_LINE: usize = 1000;
/// The number of bytes that a shortened line keeps around its beginning and around both ends of each mark.
const AROUND: usize = 100;
/// The sign in place of a part that is left out.
const CUT: &str = "…";

impl WholeLines {
    /// Leaves out the values `hidden`, except those in which there is a mark.
    fn new(text: String, first_line: usize, labels: &[LabeledSpan], hidden: &[Range<usize>]) -> Self {
        let is_marked = |value: &Range<usize>| {
            let is_inside = |label: &LabeledSpan| {
                value.start <= label.offset() && label.offset() + label.len() <= value.end
            };
            labels.iter().any(is_inside)
        };
        let hidden = hidden.iter().filter(|value| !is_marked(value));
        let mut cuts: Vec<Range<usize>> = hidden.flat_map(|value| lines_of(&text, value)).collect();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.trim_end_matches('\n').len();
            if line.len() > LONGEST_LINE {
                let marks = labels.iter().flat_map(|label| [label.offset(), label.offset() + label.len()]);
                let mut kept: Vec<usize> = marks.filter(|mark| (start..=end).contains(mark)).collect();
                kept.push(start);
                kept.sort_unstable();
                let bounds = kept.iter().zip(kept.iter().skip(1).chain([&usize::MAX]));
                for (mark, next) in bounds {
                    let from = boundary(&text, (mark + AROUND).min(end));
                    let to = boundary(&text, next.saturating_sub(AROUND).min(end));
                    if from + CUT.len() < to {
                        cuts.push(from..to);
                    }
                }
            }
            start += line.len();
        }
        let cuts = joined(cuts);
        let mut shown = String::new();
        let mut start = 0;
        for cut in &cuts {
            shown.push_str(&text[start..cut.start]);
            shown.push_str(CUT);
            start = cut.end;
        }
        shown.push_str(&text[start..]);
        WholeLines { text, first_line, shown, cuts }
    }

    /// The offset in `shown` for an offset in `text` that is not left out.
    fn shown(&self, offset: usize) -> usize {
        let before = self.cuts.iter().take_while(|cut| cut.end <= offset);
        offset - before.map(|cut| cut.len() - CUT.len()).sum::<usize>()
    }

    /// The offset in `text` for an offset in `shown`.
    fn whole(&self, offset: usize) -> usize {
        self.cuts.iter().fold(offset, |offset, cut| {
            if offset >= cut.start + CUT.len() { offset + cut.len() - CUT.len() } else { offset }
        })
    }

    /// An excerpt of this text with its line numbers in the file.
    fn in_file<'a>(&self, excerpt: &(dyn SpanContents<'a> + 'a)) -> Box<dyn SpanContents<'a> + 'a> {
        let (data, span) = (excerpt.data(), *excerpt.span());
        // miette joins two excerpts if the second one begins before so many lines. Further apart, the lines between them would hide
        // what is marked.
        let count = data.split(|byte| *byte == b'\n').count() + MOST_BETWEEN;
        let line = self.first_line + excerpt.line();
        Box::new(MietteSpanContents::new(data, span, line, excerpt.column(), count))
    }

    fn shorten(&self, label: &LabeledSpan) -> LabeledSpan {
        let start = self.shown(label.offset());
        let end = self.shown(label.offset() + label.len());
        LabeledSpan::new(label.label().map(str::to_owned), start, end - start)
    }
}

/// The parts of a range in each line, if they are longer than what stands for them.
fn lines_of(text: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    let mut start = range.start;
    let mut parts = Vec::new();
    for line in text.get(range.clone()).unwrap_or_default().split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\r', '\n']).len();
        if end - start >= CUT.len() {
            parts.push(start..end);
        }
        start += line.len();
    }
    parts
}

/// The ranges in order. Those that overlap become one.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// The largest offset up to `offset` at which a character begins.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

impl SourceCode for WholeLines {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // miette asks without context lines when it needs the line and column above the excerpt.
        if before == 0 {
            let start = self.whole(span.offset());
            let end = self.whole(span.offset() + span.len());
            return Ok(self.in_file(self.text.read_span(&(start..end).into(), 0, after)?.as_ref()));
        }
        let shown = self.shown.as_bytes();
        let start = span.offset().min(shown.len());
        let end = (start + span.len()).min(shown.len());
        let start = shown[..start].iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
        let rest = &shown[end..];
        let end = end + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        Ok(self.in_file(self.shown.read_span(&(start..end).into(), 0, 0)?.as_ref()))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Note {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|note| note as &dyn Error)
    }
}

impl Error for Shown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.notes.as_deref().map(|note| note as &dyn Error)
    }
}

impl Report for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as _)
    }

    fn severity(&self) -> Option<Weight> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Report> + 'a>> {
        (!self.elsewhere.is_empty())
            .then(|| Box::new(self.elsewhere.iter().map(|shown| shown as &dyn Report)) as _)
    }
}
