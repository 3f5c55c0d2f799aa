//! Finds the syntax errors of a text, one for each mistake.
//!
//! After a mistake such as a bracket that is never closed, a parser that simply continues reports an error in every following
//! line. Therefore s6gen replaces the statement with the mistake by spaces and reads the text again. A mistake costs one
//! statement, or the header of one table, whose keys are then read separately.

use std::ops::Range;

use toml::de::DeTable;

use super::mistakes::{self, Mistake};
use super::weight::weigh;

/// The number of errors after which reading stops. A text with more errors is not a manifest, and the time grows with the square
/// of their number.
const MOST_ERRORS: usize = 100;

/// How many bytes are read again to separate mistakes. A file of ordinary size never needs so many.
const MOST_READ: usize = 16 << 20;

/// The readable parts of a text with mistakes.
#[derive(Debug, Default)]
pub(super) struct Separated {
    /// The text with spaces in place of every mistake, byte for byte.
    pub readable: String,
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
    /// The keys of tables whose header is the mistake.
    pub bodies: Vec<Body>,
    /// The tables that have lost a statement, with their headers.
    pub damaged: Vec<Range<usize>>,
    /// Whether names of services were lost.
    pub has_lost_names: bool,
    /// How many bytes were read so far.
    read: usize,
}

/// The keys of a table whose header cannot be read as it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// The header.
    pub header: Range<usize>,
    /// The text after it, up to the next header.
    pub text: Range<usize>,
    /// The path that the header should have; empty if it is unknown.
    pub path: Vec<String>,
}

/// The keys whose loss makes the set of services unknown.
const NAMING: &[&str] = &["include", "instances", "parameters", "external"];

/// Takes the mistakes out of a text; `path` is the table to which its first lines belong.
pub(super) fn separate(text: &str, path: &[String]) -> Separated {
    let mut found = Separated { readable: text.to_owned(), ..Separated::default() };
    let mut bounds: Vec<usize> = headers(text).collect();
    bounds.insert(0, 0);
    bounds.dedup();
    bounds.push(text.len());
    // Read table by table, so that the parser reads only one table again for each mistake.
    let is_complete = bounds.windows(2).all(|table| found.take_out(table[0]..table[1], path));
    // Quotes that are never closed hide the tables after them from the estimate that was made before reading.
    let is_complete = is_complete && weigh(&found.readable, &mut 0).is_none();
    // Some mistakes appear only in the whole text, such as a table that is defined twice.
    if !is_complete || !found.take_out(0..text.len(), path) {
        found.readable = String::new();
        found.bodies = Vec::new();
        found.has_lost_names = true;
    }
    found.mistakes.sort_by_key(|mistake| mistake.span.start);
    found
}

impl Separated {
    /// Takes the mistakes out of a part of the text; false if there are too many.
    fn take_out(&mut self, part: Range<usize>, path: &[String]) -> bool {
        while let Some((span, message)) = first_error(&self.readable[part.clone()]) {
            let span = part.start + span.start..part.start + span.end;
            self.read += part.len();
            if self.mistakes.len() == MOST_ERRORS || self.read > MOST_READ && !self.mistakes.is_empty() {
                return false;
            }
            let readable = self.readable.as_str();
            let table = match part.start == 0 && part.end == readable.len() {
                true => table(readable, span.start),
                false => part.clone(),
            };
            // If the error is at the end of a line, mark the character before it, because a line end is invisible.
            let at_end = readable.as_bytes().get(span.start).is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
            let quotes = unclosed(&readable[table.clone()]).map(|quotes| table.start + quotes);
            let shown = match quotes.filter(|quotes| *quotes <= span.start) {
                Some(quotes) => quotes..quotes + 3,
                None if at_end => last_character(readable, span.start),
                None => span.start..span.end.max(span.start + 1),
            };
            let statement = statement(readable, shown.start, &table, &mut self.read);
            if readable[statement.clone()].trim().is_empty() {
                // There is nothing left to replace by spaces.
                self.mistakes.push(Mistake::plain(shown, message));
                return false;
            }
            let blanked = self.note(statement, table, shown, &message, path);
            let blank = blank(&self.readable[blanked.clone()]);
            self.readable.replace_range(blanked, &blank);
        }
        true
    }

    /// Records the mistake in a statement of a table, and returns the range to replace by spaces.
    fn note(
        &mut self,
        statement: Range<usize>,
        table: Range<usize>,
        shown: Range<usize>,
        message: &str,
        path: &[String],
    ) -> Range<usize> {
        let readable = self.readable.as_str();
        if readable[statement.clone()].trim_start().starts_with('[') {
            let header = mistakes::line_at(readable, statement.start);
            let (mistake, path) = mistakes::header(readable, header.clone(), shown, message);
            self.mistakes.push(mistake);
            self.has_lost_names |= path.is_empty();
            self.bodies.push(Body { header: header.clone(), text: header.end..table.end, path });
            return header.start..table.end;
        }
        let own = mistakes::path_of(&readable[mistakes::line_at(readable, table.start)]);
        let path = if own.is_empty() { path } else { own.as_slice() };
        let (mistake, key) = mistakes::statement(readable, statement.clone(), shown, message, path);
        self.mistakes.push(mistake);
        self.has_lost_names |= key.is_empty() || NAMING.contains(&key.as_str());
        self.damaged.push(table);
        statement
    }
}

/// Spaces for a text, with the same number of bytes. Its lines become one, which costs the parser less.
fn blank(text: &str) -> String {
    let end = if text.ends_with('\n') { "\n" } else { "" };
    " ".repeat(text.len() - end.len()) + end
}

/// The number of syntax errors that the parser finds in a manifest.
pub fn count_syntax_errors(text: &[u8]) -> usize {
    str::from_utf8(text).map_or(1, |text| DeTable::parse_recoverable(text).1.len())
}

fn first_error(text: &str) -> Option<(Range<usize>, String)> {
    let (_, errors) = DeTable::parse_recoverable(text);
    let error = errors.into_iter().min_by_key(|error| error.span().map_or(0, |span| span.start))?;
    Some((error.span().unwrap_or(0..0), error.message().trim().to_owned()))
}

/// The largest number of lines that are tried as the beginning of a statement.
const MOST_LINES: usize = 200;

/// The statement of a table with the mistake at `place`: from the last line before it that begins one, up to the next
/// line that does. Adds to `read` how much was read to find it.
fn statement(text: &str, place: usize, table: &Range<usize>, read: &mut usize) -> Range<usize> {
    let last = mistakes::line_at(text, place).start;
    let from = table.start;
    let begins = |line: &usize| begins_statement(&text[*line..]);
    let inside = &text[..table.end];
    let mut candidates: Vec<usize> =
        lines(inside, from).take_while(|line| *line <= place).filter(begins).collect();
    candidates.reverse();
    // A line inside an array or a text of several lines does not begin a statement.
    let mut tried = candidates.iter().copied().take(MOST_LINES);
    let whole = tried.find(|line| {
        *read += line - from;
        *read <= MOST_READ && first_error(&text[from..*line]).is_none()
    });
    let start = whole.or(candidates.first().copied());
    let start = start.unwrap_or(last);
    let next = lines(inside, last).find(|line| *line > start && begins(line));
    start..next.unwrap_or(table.end)
}

/// The beginnings of lines from `from` on that are not in the middle of a text of several lines.
fn lines(text: &str, from: usize) -> impl Iterator<Item = usize> + '_ {
    let mut open: Option<&str> = None;
    let quotes = Quotes::new(text);
    starts(text, from).filter_map(move |(start, line)| {
        let was_open = open.is_some_and(|open| !quotes.end_unclosed(start, line, open));
        open = after(line, open.filter(|_| was_open));
        (!was_open).then_some(start)
    })
}

/// The place of quotes that begin a text of several lines and are never closed.
fn unclosed(text: &str) -> Option<usize> {
    let mut open: Option<(usize, &str)> = None;
    let all = Quotes::new(text);
    for (start, line) in starts(text, 0) {
        match open {
            Some((place, quotes)) if all.end_unclosed(start, line, quotes) => return Some(place),
            Some((_, quotes)) => open = open.filter(|_| after(line, Some(quotes)).is_some()),
            None => {
                let quotes = after(line, None);
                open = quotes.and_then(|quotes| Some((start + line.rfind(quotes)?, quotes)));
            }
        }
    }
    open.map(|(place, _)| place)
}

/// The places of triple quotes in a text.
struct Quotes(Vec<(&'static str, Vec<usize>)>);

impl Quotes {
    fn new(text: &str) -> Quotes {
        let places =
            |quotes: &'static str| (quotes, text.match_indices(quotes).map(|(place, _)| place).collect());
        Quotes(vec![places("\"\"\""), places("'''")])
    }

    /// Whether a text of several lines must have ended before the line at `start`: the line is the header of a service, and
    /// all quotes after it are in pairs.
    fn end_unclosed(&self, start: usize, line: &str, open: &str) -> bool {
        let kinds = ["[longrun.", "[oneshot.", "[bundle.", "[defaults.", "[target]"];
        let places = self.0.iter().find(|(quotes, _)| *quotes == open).map(|(_, places)| places);
        let behind = |places: &Vec<usize>| places.len() - places.partition_point(|place| *place < start);
        kinds.iter().any(|kind| line.starts_with(kind))
            && places.is_some_and(|places| behind(places).is_multiple_of(2))
    }
}

fn starts(text: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = from;
    text[from.min(text.len())..].split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line)
    })
}

/// The quotes of the text of several lines that is open after `line`, if the one with the quotes `open` is open before it.
fn after<'q>(line: &str, open: Option<&'q str>) -> Option<&'q str> {
    let (mut open, mut rest) = (open, line);
    loop {
        let next = match open {
            Some(quotes) => rest.find(quotes).map(|place| (place, quotes)),
            None => first_quotes(rest),
        };
        let Some((place, quotes)) = next else { return open };
        // Quotes in a comment do not count.
        if open.is_none() && rest[..place].trim_start().starts_with('#') {
            return None;
        }
        open = if open.is_some() { None } else { Some(quotes) };
        rest = &rest[place + quotes.len()..];
    }
}

/// The first triple quotes of a text, and their place.
fn first_quotes(text: &str) -> Option<(usize, &'static str)> {
    text.match_indices(['"', '\'']).find_map(|(place, _)| {
        let quotes = ["\"\"\"", "'''"].into_iter().find(|quotes| text[place..].starts_with(quotes))?;
        Some((place, quotes))
    })
}

/// Whether the line with which a text begins looks like `key = value`, `key: value`, a header or a comment of another
/// language.
fn begins_statement(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default().trim_start();
    if header_of(line).is_some() || line.starts_with("[[") || line.starts_with(';') || line.starts_with("//")
    {
        return true;
    }
    let key = line.split(['=', ':']).next().unwrap_or_default();
    let is_key =
        |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.\"' ".contains(c));
    // An indented line without `=` is more likely the continuation of another line.
    (key.len() < line.len() && is_key(key.trim_end()))
        || (text.starts_with(line) && is_key(line) && !line.is_empty())
}

/// The table in which `place` is, with its header.
fn table(text: &str, place: usize) -> Range<usize> {
    let start = headers(text).take_while(|header| *header <= place).last().unwrap_or(0);
    let end = headers(text).find(|header| *header > place).unwrap_or(text.len());
    start..end
}

/// Where lines begin that look like `[longrun.web]`.
fn headers(text: &str) -> impl Iterator<Item = usize> + '_ {
    lines(text, 0).filter(|line| header_of(text[*line..].lines().next().unwrap_or_default()).is_some())
}

/// The text between the brackets of a line that looks like a header.
fn header_of(line: &str) -> Option<&str> {
    let name = line.strip_prefix('[')?.trim_start_matches('[').split(']').next()?;
    let plain = |c: char| c.is_alphanumeric() || "_-.\"'@:".contains(c);
    let is_array = name.starts_with(['"', '\'']);
    (!name.trim().is_empty() && !is_array && name.trim_end().chars().all(plain)).then_some(name)
}

fn last_character(text: &str, end: usize) -> Range<usize> {
    match text[..end].char_indices().next_back() {
        Some((start, _)) => start..end,
        None => 0..end,
    }
}
