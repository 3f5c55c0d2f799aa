//! The types of values in the manifest language, with the functions that read and merge them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::forms::example_text;
use super::shape::Shape;
use super::{string_positions, suggest};
use crate::diagnostic::{Code, Diagnostic, FileId, Fix, Origin, Positions, Problems};
use crate::templates::Expressions;

/// The text that values are read from, and where problems go.
pub struct Reader<'p> {
    pub(super) file: FileId,
    /// The file as text.
    pub(super) text: &'p str,
    /// The offset in the file at which the text begins.
    pub(super) base: usize,
    /// The place to report for every value, if the text is not from the file.
    pub(super) pinned: Option<Origin>,
    pub(super) in_defaults: bool,
    /// The inner table that is being read, such as `ready`.
    pub(super) table: Option<String>,
    pub(super) problems: &'p mut Problems,
}

impl<'p> Reader<'p> {
    /// A reader for the whole file.
    pub(super) fn new(file: FileId, text: &'p str, problems: &'p mut Problems) -> Self {
        Reader { file, text, base: 0, pinned: None, in_defaults: false, table: None, problems }
    }

    pub(super) fn origin(&self, span: Range<usize>) -> Origin {
        self.pinned.unwrap_or_else(|| Origin::new(self.file, self.base + span.start..self.base + span.end))
    }

    /// The places of the characters of the string `value`, which is at `span`.
    fn positions(&self, span: Range<usize>, value: &str) -> Positions {
        let whole = self.origin(span);
        let place = whole.span();
        match self.text.get(place.clone()).filter(|_| self.pinned.is_none()) {
            Some(raw) => match string_positions::plain_quotes(raw, value) {
                Some(quotes) => Positions::plain(whole, place.start + quotes),
                None => Positions::new(whole, string_positions::runs(raw, place.start, value)),
            },
            None => Positions::unknown(whole),
        }
    }

    /// The text before a place in the file.
    pub(super) fn before(&self, span: Range<usize>) -> Option<&'p str> {
        self.text.get(..self.base + span.start).filter(|_| self.pinned.is_none())
    }

    /// Whether places in this text mean nothing, because it is not in the file.
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    /// The text at a place.
    pub(super) fn written(&self, span: Range<usize>) -> Option<&'p str> {
        self.text.get(self.base + span.start..self.base + span.end)
    }

    /// The key of a value as written: `ready.tcp`, or only `tcp` in braces or below a header `[longrun.NAME.ready]`.
    fn written_key(&self, span: Range<usize>) -> Option<&'p str> {
        let before = self.before(span)?.trim_end().strip_suffix('=')?;
        let key = before.rsplit(['\n', '{', ',']).next()?.trim();
        DeTable::parse(&format!("{key} = 1")).is_ok().then_some(key)
    }

    /// Reports a value of the wrong type for `key`.
    pub(super) fn wrong_type<T>(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
    ) -> Option<T> {
        let written = self.written_key(value.span()).unwrap_or(key);
        let meant = value_for(key, expected, value.get_ref());
        let line = |meant: &str| format!("{written} = {meant}");
        // Text in lines is not replaced: only numbers, words and flags.
        let fix = meant.as_ref().filter(|meant| !meant.contains('\n')).and_then(|meant| {
            let is_single = self.written(value.span()).is_some_and(|text| !text.contains('\n'));
            is_single.then(|| Fix::replace(self.origin(value.span()), meant.clone()).likely())
        });
        let help = match (meant, example_for(key, expected)) {
            (Some(meant), _) => {
                let remark = suggest::remark(key, &meant, value.get_ref());
                format!("write `{}`{remark}", line(&meant))
            }
            (None, Some((what, example))) => format!("write {what}, such as `{}`", line(example)),
            (None, None) => format!("write {}", example(expected)),
        };
        self.report_type(&format!("`{key}`"), value, expected, help, fix)
    }

    fn report_type<T>(
        &mut self,
        what: &str,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
        help: String,
        fix: Option<Fix>,
    ) -> Option<T> {
        let found = kind_of(value.get_ref());
        let origin = self.origin(value.span());
        self.problems.push(
            Diagnostic::new(Code::WrongType, format!("{what} must be {expected}, not {found}"))
                .at(origin, format!("this is {found}"))
                .help(help)
                .fix(fix),
        );
        None
    }
}

/// A type of value in the language.
pub trait Value: Sized {
    /// Its name for people, with its article.
    const EXPECTED: &'static str;

    /// Its shape for other programs.
    const SHAPE: Shape;

    /// Reads the value of `key`, or reports why that is not possible.
    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self>;

    /// Merges two values. `nearer` was written nearer to the service.
    #[must_use]
    fn merge(self, nearer: Self) -> Self {
        nearer
    }

    /// Whether it is an empty list or table.
    fn is_blank(&self) -> bool {
        false
    }

    /// Calls `visit` with each command in it.
    fn each_command(&mut self, _visit: &mut dyn FnMut(&mut ManifestCommand)) {}

    /// Whether its type has a part of this name.
    fn knows(_part: &str) -> bool {
        false
    }

    /// Removes the part with this name. Returns whether it existed.
    fn remove(&mut self, _part: &str) -> bool {
        false
    }
}

/// Removes the items of a list for which `is_removed` is true. Returns whether there were any.
pub(super) fn remove_from<T>(list: &mut Vec<T>, is_removed: impl Fn(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(|item| !is_removed(item));
    list.len() < before
}

/// Puts an item into a list, in place of the one with the same name if there is one.
pub(super) fn put<T>(list: &mut Vec<T>, item: T, name: impl Fn(&T) -> &str) {
    match list.iter_mut().find(|known| name(known) == name(&item)) {
        Some(known) => *known = item,
        None => list.push(item),
    }
}

/// The name of a TOML value's type for people, with its article.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// The type of the key `variables`.
pub(super) const VARIABLES: &str = "a table `{ NAME = \"default\" }`";

/// An example of a value of each type.
fn example(expected: &str) -> &'static str {
    match expected {
        Flag::EXPECTED => "the word `true` or `false`, without quotes",
        Rootless::EXPECTED => "`true` or `false` without quotes, or `\"detect\"`",
        Limit::EXPECTED => {
            "digits without quotes, such as `65536`, or the lowest allowed limit: `\">= 65536\"`"
        }
        Number::EXPECTED => "digits without quotes, such as `3`",
        Numbers::EXPECTED => "numbers in brackets, such as `[1, 2]`",
        Names::<ManifestText>::EXPECTED => "strings in brackets, such as `[\"one\", \"two\"]`",
        TextTable::<ManifestText>::EXPECTED => "strings in braces, such as `{ NAME = \"text\" }`",
        ManifestCommand::EXPECTED => {
            "the program and each argument as a string, such as `[\"nginx\", \"-g\", \"daemon off;\"]`"
        }
        LogPlace::EXPECTED => {
            "the path of a directory, such as `\"/var/log/web\"`, or a command, such as `[\"logger\", \"-t\", \"web\"]`"
        }
        Instances::EXPECTED => {
            "how many there are, such as `4`, or their names, such as `[\"one\", \"two\"]`"
        }
        VARIABLES => "their names with defaults in braces, such as `{ PORT = \"8080\", DATABASE_URL = {} }`",
        DeclaredParameters::EXPECTED => {
            "their names, such as `[\"host\", \"port\"]`, or a pattern for each, such as `{ port = { pattern = \"[0-9]+\" } }`"
        }
        _ => "the text in quotes, such as `\"text\"`",
    }
}

/// A string without expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestText {
    /// The characters.
    pub value: String,
    /// Its place.
    pub origin: Origin,
    /// Whether it was written in `[defaults.…]`.
    pub from_defaults: bool,
}

/// A string of a service, in which `{{ name }}` may be an expression. Its value depends on the service, so only the scope of a
/// service gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawText {
    /// The characters. Every service that takes a text from `[defaults]` shares them.
    value: Arc<str>,
    origin: Origin,
    from_defaults: bool,
    /// Whether `{{ name }}` is never an expression in it.
    is_literal: bool,
}

impl From<ManifestText> for RawText {
    fn from(text: ManifestText) -> Self {
        RawText {
            value: text.value.into(),
            origin: text.origin,
            from_defaults: text.from_defaults,
            is_literal: false,
        }
    }
}

impl RawText {
    /// A text without expressions. It is the content of the file that the manifest names at `path`.
    pub(super) fn of_file(value: &str, path: &ManifestText) -> Self {
        RawText {
            value: value.into(),
            origin: path.origin,
            from_defaults: path.from_defaults,
            is_literal: true,
        }
    }

    /// Whether `{{ name }}` is never an expression in it, because it is the content of a file.
    pub fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// Its place.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether it was written in `[defaults.…]`.
    pub fn from_defaults(&self) -> bool {
        self.from_defaults
    }

    /// The characters as written. Only the scope that expands them may read them.
    pub fn unexpanded(&self) -> &str {
        &self.value
    }

    /// The names in its expressions whose values become a part of the expanded text.
    pub fn names_in_result(&self, expressions: &Expressions) -> BTreeSet<String> {
        if self.is_literal { BTreeSet::new() } else { expressions.names_in_result(&self.value) }
    }
}

/// A kind of string.
pub trait StringValue: Sized {
    /// Reads a value, which a report calls `what`, or reports why that is not possible.
    fn read_as(what: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self>;

    /// The characters as written.
    fn written(&self) -> &str;
}

impl<T: StringValue> Value for T {
    const EXPECTED: &'static str = "a string";
    const SHAPE: Shape = Shape::Text;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref().is_str() {
            true => T::read_as(&format!("`{key}`"), value, reader),
            false => reader.wrong_type(key, value, <Self as Value>::EXPECTED),
        }
    }
}

impl StringValue for RawText {
    fn read_as(what: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        ManifestText::read_as(what, value, reader).map(RawText::from)
    }

    fn written(&self) -> &str {
        &self.value
    }
}

impl StringValue for ManifestText {
    fn read_as(what: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = value.get_ref().as_str() else {
            let meant = value_for("", <Self as Value>::EXPECTED, value.get_ref());
            let help = meant.map_or_else(
                || format!("write {}", example(<Self as Value>::EXPECTED)),
                |meant| format!("write `{meant}`"),
            );
            return reader.report_type(what, value, <Self as Value>::EXPECTED, help, None);
        };
        let origin = reader.origin(value.span());
        if text.contains('\0') {
            reader.problems.push(
                Diagnostic::new(Code::InvalidValue, format!("{what} contains a NUL byte"))
                    .at(origin, "arguments, variables and paths cannot contain a NUL")
                    .help("write it without `\\u0000`"),
            );
            return None;
        }
        Some(ManifestText { value: text.to_owned(), origin, from_defaults: reader.in_defaults })
    }

    fn written(&self) -> &str {
        &self.value
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The value.
    pub value: bool,
    /// Its place.
    pub origin: Origin,
}

impl Value for Flag {
    const EXPECTED: &'static str = "`true` or `false`";
    const SHAPE: Shape = Shape::Flag;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref().as_bool() {
            Some(flag) => Some(Flag { value: flag, origin: reader.origin(value.span()) }),
            None => reader.wrong_type(key, value, Self::EXPECTED),
        }
    }
}

/// Whether the container runs without root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rootless {
    /// Always or never.
    Known(bool),
    /// Each start of a service finds it out.
    Detected,
}

impl Value for Rootless {
    const EXPECTED: &'static str = "`true`, `false` or `\"detect\"`";
    const SHAPE: Shape = Shape::FlagOrDetect;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        match (value.get_ref().as_bool(), value.get_ref().as_str()) {
            (Some(flag), _) => Some(Rootless::Known(flag)),
            (_, Some("detect")) => Some(Rootless::Detected),
            (_, Some(text)) if suggest::flag(value.get_ref()).is_none() => {
                let origin = reader.origin(value.span());
                reader.problems.push(
                    Diagnostic::new(Code::InvalidValue, format!("`{key}` cannot be `{}`", text.escape_debug()))
                        .at(origin, "unknown word")
                        .help("write `true` or `false` without quotes, or `\"detect\"` for an image that runs both ways"),
                );
                None
            }
            _ => reader.wrong_type(key, value, Self::EXPECTED),
        }
    }
}

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The value.
    pub value: i64,
    /// Its place.
    pub origin: Origin,
}

impl Value for Number {
    const EXPECTED: &'static str = "a whole number";
    const SHAPE: Shape = Shape::Number;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(number) = value.get_ref().as_integer() else {
            return reader.wrong_type(key, value, Self::EXPECTED);
        };
        let origin = reader.origin(value.span());
        let Some(value) = suggest::integer(number) else {
            reader.problems.push(
                Diagnostic::new(Code::InvalidValue, format!("`{key}` is too large"))
                    .at(origin, "beyond 64 bits")
                    .help("the largest number is 9223372036854775807"),
            );
            return None;
        };
        Some(Number { value, origin })
    }
}

/// How much a limit allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// This number.
    Number(Number),
    /// The value of a variable of the container, written `${NAME}`.
    Variable(RawText),
}

/// A resource limit: an exact amount, or a lower bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The value.
    pub amount: Amount,
    /// Whether it is a lower bound. Then a higher limit is not changed.
    pub is_least: bool,
}

impl Value for Limit {
    const EXPECTED: &'static str = "a whole number, or `\">= NUMBER\"`";
    const SHAPE: Shape = Shape::Limit;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        if value.get_ref().is_integer() {
            let number = Number::read(key, value, reader)?;
            return Some(Limit { amount: Amount::Number(number), is_least: false });
        }
        let text = value.get_ref().as_str().unwrap_or_default();
        let least = text.strip_prefix(">=").map(str::trim);
        let written = least.unwrap_or(text);
        let origin = reader.origin(value.span());
        let amount = match least.and_then(|least| least.parse().ok()) {
            Some(least) => Amount::Number(Number { value: least, origin }),
            None if written.starts_with("${") && written.ends_with('}') => {
                let text =
                    ManifestText { value: written.to_owned(), origin, from_defaults: reader.in_defaults };
                Amount::Variable(text.into())
            }
            None => return reader.wrong_type(key, value, Self::EXPECTED),
        };
        Some(Limit { amount, is_least: least.is_some() })
    }
}

/// What to write instead of `value`, for the key `key` whose type is called `expected`; `None` if that is not certain.
pub(super) fn value_for(key: &str, expected: &str, value: &DeValue<'_>) -> Option<String> {
    match expected {
        // A table of strings has one free text for each key.
        ManifestText::EXPECTED
            if ["environment", "files", "instances", "parameters", "variables"]
                .iter()
                .any(|table| suggest::is_inside(key, table)) =>
        {
            suggest::scalar(value)
        }
        ManifestText::EXPECTED | LogPlace::EXPECTED => suggest::text_for(suggest::leaf(key), value),
        ManifestCommand::EXPECTED => suggest::command(value),
        Names::<ManifestText>::EXPECTED
            if ["environment-files", "writable", "show", "log.show"].contains(&key) =>
        {
            suggest::names(value).filter(|list| list.contains('/'))
        }
        Names::<ManifestText>::EXPECTED if key == "secrets" => suggest::secrets(value),
        Names::<ManifestText>::EXPECTED => suggest::names(value),
        Number::EXPECTED | Limit::EXPECTED => suggest::number(value),
        Numbers::EXPECTED => suggest::numbers(value),
        Flag::EXPECTED | Rootless::EXPECTED => suggest::flag(value),
        TextTable::<ManifestText>::EXPECTED => suggest::text_table(value),
        Instances::EXPECTED => suggest::number(value),
        DeclaredParameters::EXPECTED => suggest::names(value),
        VARIABLES => suggest::variables(value),
        _ => None,
    }
}

/// The meaning of a value of the key, and an example that is valid in every service.
fn example_for(key: &str, expected: &str) -> Option<(&'static str, &'static str)> {
    Some(match (suggest::leaf(key), expected) {
        ("codes" | "except", Numbers::EXPECTED) => ("the exit codes in brackets", "[0, 2]"),
        ("fd" | "lock-fd", Number::EXPECTED) => ("the number of the descriptor", "3"),
        (_, Number::EXPECTED) => ("a number without quotes", "5"),
        (_, Flag::EXPECTED | Rootless::EXPECTED) => ("a word without quotes", "true"),
        (_, Limit::EXPECTED) => {
            ("a number without quotes, or the lowest allowed limit as `\">= 65536\"`", "65536")
        }
        (leaf, ManifestText::EXPECTED | LogPlace::EXPECTED) => return example_text(leaf),
        _ => return None,
    })
}

/// A command: an array is run exactly as written, a string is run by a shell or by the interpreter in its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestCommand {
    /// Program and arguments.
    Exec(Vec<(RawText, Positions)>, Origin),
    /// A script, with the places of its characters.
    Shell(RawText, Positions),
    /// The path of a file with a script. Who reads the manifest puts the script in its place, with
    /// [`Manifest::with_script_files`](super::Manifest::with_script_files).
    File(ManifestText),
    /// A value that is not a command. It was reported.
    Broken(Origin),
}

impl ManifestCommand {
    /// Its place.
    pub fn origin(&self) -> Origin {
        match self {
            ManifestCommand::Exec(_, origin) | ManifestCommand::Broken(origin) => *origin,
            ManifestCommand::Shell(text, _) => text.origin(),
            ManifestCommand::File(path) => path.origin,
        }
    }

    /// Reads `{ file = "PATH" }`. A table without that key is not a command.
    fn read_table(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some((table, path)) =
            value.get_ref().as_table().and_then(|table| Some((table, table.get("file")?)))
        else {
            return reader.wrong_type(key, value, Self::EXPECTED);
        };
        for other in table.keys().filter(|other| other.get_ref() != "file") {
            reader.problems.push(
                Diagnostic::new(Code::UnknownKey, format!("`{key}` has no key `{}`", other.get_ref()))
                    .at(reader.origin(other.span()), "unknown key")
                    .help(format!(
                        "`{key}.file` is its only key: a script gets values in variables, as in `environment.MODE = \"fast\"`"
                    )),
            );
        }
        ManifestText::read(&format!("{key}.file"), path, reader).map(ManifestCommand::File)
    }
}

impl Value for ManifestCommand {
    const EXPECTED: &'static str =
        "a command: an array of strings (run exactly as written) or a string (run by a shell)";
    const SHAPE: Shape = Shape::Command;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let origin = reader.origin(value.span());
        let read = match value.get_ref() {
            DeValue::String(_) => ManifestText::read(key, value, reader).map(|mut text| {
                // With CR LF line ends the first line of the script would name `sh\r`.
                text.value = text.value.replace("\r\n", "\n");
                let positions = reader.positions(value.span(), &text.value);
                ManifestCommand::Shell(text.into(), positions)
            }),
            DeValue::Array(array) => {
                let words = Names::<RawText>::read(key, value, reader)?.list;
                let placed = words.into_iter().zip(array.iter()).map(|(word, value)| {
                    let positions = reader.positions(value.span(), &word.value);
                    (word, positions)
                });
                let words: Vec<_> = placed.collect();
                (words.len() == array.iter().count()).then_some(ManifestCommand::Exec(words, origin))
            }
            DeValue::Table(_) => ManifestCommand::read_table(key, value, reader),
            _ => reader.wrong_type(key, value, Self::EXPECTED),
        };
        read.or(Some(ManifestCommand::Broken(origin)))
    }

    fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand)) {
        visit(self);
    }
}

/// Where a log goes: a word, a path, or a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPlace {
    /// A word or a path.
    Text(RawText),
    /// A command that reads the log.
    Command(ManifestCommand),
}

impl LogPlace {
    /// Its place in the manifest.
    pub fn origin(&self) -> Origin {
        match self {
            LogPlace::Text(text) => text.origin(),
            LogPlace::Command(command) => command.origin(),
        }
    }
}

impl Value for LogPlace {
    const EXPECTED: &'static str = "a string or a command";
    const SHAPE: Shape = Shape::LogPlace;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let is_script = value.get_ref().as_str().is_some_and(|text| text.starts_with("#!"));
        match value.get_ref() {
            DeValue::Array(_) => ManifestCommand::read(key, value, reader).map(LogPlace::Command),
            DeValue::String(_) if is_script => {
                ManifestCommand::read(key, value, reader).map(LogPlace::Command)
            }
            DeValue::String(_) => RawText::read(key, value, reader).map(LogPlace::Text),
            _ => reader.wrong_type(key, value, Self::EXPECTED),
        }
    }

    fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand)) {
        if let LogPlace::Command(command) = self {
            visit(command);
        }
    }
}

/// Several strings. A merge joins two lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names<T = ManifestText> {
    /// The strings, in order.
    pub list: Vec<T>,
    /// The place of the array.
    pub origin: Origin,
}

impl<T: StringValue> Value for Names<T> {
    const EXPECTED: &'static str = "an array of strings";
    const SHAPE: Shape = Shape::Texts;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(array) = value.get_ref().as_array() else {
            return reader.wrong_type(key, value, Self::EXPECTED);
        };
        let each = format!("each item of `{key}`");
        let list = array.iter().filter_map(|item| T::read_as(&each, item, reader)).collect();
        Some(Names { list, origin: reader.origin(value.span()) })
    }

    fn merge(mut self, nearer: Self) -> Self {
        self.list.extend(nearer.list);
        Names { list: self.list, origin: nearer.origin }
    }

    fn is_blank(&self) -> bool {
        self.list.is_empty()
    }

    fn knows(part: &str) -> bool {
        !part.is_empty()
    }

    fn remove(&mut self, part: &str) -> bool {
        remove_from(&mut self.list, |text| text.written() == part)
    }
}

/// Several whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The numbers, in order.
    pub list: Vec<Number>,
    /// The place of the array.
    pub origin: Origin,
}

impl Value for Numbers {
    const EXPECTED: &'static str = "an array of whole numbers";
    const SHAPE: Shape = Shape::Numbers;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(array) = value.get_ref().as_array() else {
            return reader.wrong_type(key, value, Self::EXPECTED);
        };
        if let Some(item) = array.iter().find(|item| !item.get_ref().is_integer()) {
            let written = reader.written_key(value.span()).unwrap_or(key);
            let meant = value_for(key, Self::EXPECTED, value.get_ref());
            let help = match meant {
                Some(meant) => format!("write `{written} = {meant}`"),
                None => format!("write {}", example(Self::EXPECTED)),
            };
            return reader.report_type(&format!("each item of `{key}`"), item, Number::EXPECTED, help, None);
        }
        let list = array.iter().filter_map(|item| Number::read(key, item, reader)).collect();
        Some(Numbers { list, origin: reader.origin(value.span()) })
    }
}

/// A table of strings, which is merged key by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTable<T = RawText> {
    /// Keys and values, in file order.
    pub entries: Vec<(ManifestText, T)>,
}

impl<T> Default for TextTable<T> {
    fn default() -> Self {
        TextTable { entries: Vec::new() }
    }
}

impl<T: StringValue> Value for TextTable<T> {
    const EXPECTED: &'static str = "a table of strings";
    const SHAPE: Shape = Shape::TextTable;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            return reader.wrong_type(key, value, Self::EXPECTED);
        };
        let mut entries = Vec::new();
        for (name, value) in table {
            if let Some(text) = T::read(&format!("{key}.{}", name.get_ref()), value, reader) {
                let name = ManifestText {
                    value: name.get_ref().to_string(),
                    origin: reader.origin(name.span()),
                    from_defaults: reader.in_defaults,
                };
                entries.push((name, text));
            }
        }
        Some(TextTable { entries })
    }

    fn merge(mut self, nearer: Self) -> Self {
        for entry in nearer.entries {
            put(&mut self.entries, entry, |(name, _)| &name.value);
        }
        self
    }

    fn is_blank(&self) -> bool {
        self.entries.is_empty()
    }

    fn knows(part: &str) -> bool {
        !part.is_empty()
    }

    fn remove(&mut self, part: &str) -> bool {
        remove_from(&mut self.entries, |(name, _)| name.value == part)
    }
}

/// The instances of a template. A merge joins those of two files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instances {
    /// The number of instances, which are numbered from 1.
    pub count: Option<Number>,
    /// By name, each with its parameters.
    pub named: Vec<(ManifestText, TextTable<ManifestText>)>,
}

impl Value for Instances {
    const EXPECTED: &'static str =
        "a number, an array of names, or a table `{ name = { parameter = \"value\" } }`";
    const SHAPE: Shape = Shape::Instances;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(_) => {
                let count = Some(Number::read(key, value, reader)?);
                Some(Instances { count, named: Vec::new() })
            }
            DeValue::Array(_) => {
                let names = Names::<ManifestText>::read(key, value, reader)?.list.into_iter();
                Some(Instances {
                    count: None,
                    named: names.map(|name| (name, TextTable { entries: Vec::new() })).collect(),
                })
            }
            DeValue::Table(table) => {
                let mut named = Vec::new();
                for (name, value) in table {
                    let path = format!("{key}.{}", name.get_ref());
                    let parameters = TextTable::<ManifestText>::read(&path, value, reader)?;
                    let origin = reader.origin(name.span());
                    let name =
                        ManifestText { value: name.get_ref().to_string(), origin, from_defaults: false };
                    named.push((name, parameters));
                }
                Some(Instances { count: None, named })
            }
            _ => reader.wrong_type(key, value, Self::EXPECTED),
        }
    }

    fn merge(mut self, nearer: Self) -> Self {
        for instance in nearer.named {
            put(&mut self.named, instance, |(name, _)| &name.value);
        }
        Instances { count: nearer.count.or(self.count), named: self.named }
    }

    fn is_blank(&self) -> bool {
        self.count.is_none() && self.named.is_empty()
    }

    fn knows(part: &str) -> bool {
        !part.is_empty()
    }

    fn remove(&mut self, part: &str) -> bool {
        remove_from(&mut self.named, |(name, _)| name.value == part)
    }
}

/// The parameters of a template. A merge joins those of two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredParameters {
    /// The parameters, in order.
    pub list: Vec<DeclaredParameter>,
    /// Where the key stands.
    pub origin: Origin,
}

/// A parameter of a service template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredParameter {
    /// Its name.
    pub name: ManifestText,
    /// The regular expression that must match each of its values as a whole.
    pub pattern: Option<ManifestText>,
}

impl DeclaredParameter {
    /// Reads the table behind the name of a parameter.
    fn read(
        key: &str,
        name: ManifestText,
        value: &Spanned<DeValue<'_>>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            let example = "its pattern in braces, such as `{ pattern = \"[0-9]+\" }`, or `{}`".to_owned();
            return reader.report_type(
                &format!("`{key}`"),
                value,
                "a table",
                format!("write {example}"),
                None,
            );
        };
        let mut pattern = None;
        for (inner, value) in table {
            if inner.get_ref() == "pattern" {
                pattern = Some(ManifestText::read(&format!("{key}.pattern"), value, reader)?);
                continue;
            }
            let message = format!("`{key}` has no key `{}`", inner.get_ref().escape_debug());
            reader.problems.push(
                Diagnostic::new(Code::UnknownKey, message)
                    .at(reader.origin(inner.span()), "unknown key")
                    .help("a parameter has the key `pattern`, and no other"),
            );
        }
        Some(DeclaredParameter { name, pattern })
    }
}

impl Value for DeclaredParameters {
    const EXPECTED: &'static str = "an array of names, or a table `{ name = { pattern = \"REGEX\" } }`";
    const SHAPE: Shape = Shape::Parameters;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let origin = reader.origin(value.span());
        let list = match value.get_ref() {
            DeValue::Array(_) => {
                let names = Names::<ManifestText>::read(key, value, reader)?.list.into_iter();
                names.map(|name| DeclaredParameter { name, pattern: None }).collect()
            }
            DeValue::Table(table) => {
                let mut list = Vec::new();
                for (name, value) in table {
                    let path = format!("{key}.{}", name.get_ref());
                    let origin = reader.origin(name.span());
                    let value_of = name.get_ref().to_string();
                    let name = ManifestText { value: value_of, origin, from_defaults: reader.in_defaults };
                    list.extend(DeclaredParameter::read(&path, name, value, reader));
                }
                list
            }
            _ => return reader.wrong_type(key, value, Self::EXPECTED),
        };
        Some(DeclaredParameters { list, origin })
    }

    fn merge(mut self, nearer: Self) -> Self {
        for parameter in nearer.list {
            put(&mut self.list, parameter, |parameter| &parameter.name.value);
        }
        DeclaredParameters { list: self.list, origin: nearer.origin }
    }

    fn is_blank(&self) -> bool {
        self.list.is_empty()
    }

    fn knows(part: &str) -> bool {
        !part.is_empty()
    }

    fn remove(&mut self, part: &str) -> bool {
        remove_from(&mut self.list, |parameter| parameter.name.value == part)
    }
}
