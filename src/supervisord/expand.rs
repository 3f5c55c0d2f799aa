//! Expands `%(here)s` and its like: Python's `text % names`, with all of its forms.

use std::collections::BTreeMap;

use super::format::{ExpandError, FormatSpec, format_number, format_text};
use super::text::Unit;
use super::{Expanded, Known, Piece};

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum NameValue {
    /// A text, in which variables may be left.
    Text(Expanded),
    /// A number.
    Number(i64),
    /// A number that a variable decides.
    NumberText(Expanded),
    /// The number of the process, which stays in the text.
    Process,
}

/// The names that a text may use.
#[derive(Debug, Clone)]
pub(super) struct ExpansionNames {
    values: BTreeMap<String, NameValue>,
    /// Whether the environment may have more variables.
    is_open: bool,
}

impl ExpansionNames {
    /// `here` and the environment.
    pub fn new(known: &Known, here: &str) -> Self {
        let mut names = ExpansionNames { values: BTreeMap::new(), is_open: !known.is_whole_environment };
        for (name, value) in &known.environment {
            names.set_variable(name, Expanded::plain(value));
        }
        names.set("here", NameValue::Text(Expanded::plain(here)));
        names
    }

    /// The same with the name of the host.
    pub fn with_host(mut self, known: &Known) -> Self {
        let host = match &known.host_name {
            Some(host) => Expanded::plain(host),
            None => Expanded(vec![Piece::Variable("HOSTNAME".to_owned())]),
        };
        self.set("host_node_name", NameValue::Text(host));
        self
    }

    pub fn set(&mut self, name: &str, value: NameValue) {
        self.values.insert(name.to_owned(), value);
    }

    /// Sets a variable of the environment.
    pub fn set_variable(&mut self, name: &str, value: Expanded) {
        self.values.insert(format!("ENV_{name}"), NameValue::Text(value));
    }

    /// Sets every variable of the environment to what it is in `other`.
    pub fn set_environment(&mut self, other: &ExpansionNames) {
        let variables = other.values.iter().filter(|(name, _)| name.starts_with("ENV_"));
        self.values.extend(variables.map(|(name, value)| (name.clone(), value.clone())));
    }

    /// How many bytes the names and texts have.
    pub fn size(&self) -> usize {
        let of_piece = |piece: &Piece| match piece {
            Piece::Plain(text) | Piece::Variable(text) | Piece::Number(text) => text.len(),
        };
        let of_value = |value: &NameValue| match value {
            NameValue::Text(text) | NameValue::NumberText(text) => text.0.iter().map(of_piece).sum(),
            NameValue::Number(_) | NameValue::Process => 0,
        };
        self.values.iter().map(|(name, value)| name.len() + of_value(value)).sum()
    }

    /// The same without one name.
    pub fn without(mut self, name: &str) -> Self {
        self.values.remove(name);
        self
    }

    fn get(&self, name: &str) -> Result<NameValue, ExpandError> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let Some(variable) = name.strip_prefix("ENV_").filter(|_| self.is_open) else {
            return Err(ExpandError::new(format!("nothing has the name `{name}` here")));
        };
        let is_plain = variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !variable.starts_with(|first: char| first.is_ascii_digit())
            && !variable.is_empty();
        if !is_plain {
            return Err(ExpandError::open(format!("no shell can have a variable `{variable}`")));
        }
        Ok(NameValue::Text(Expanded(vec![Piece::Variable(variable.to_owned())])))
    }
}

/// Expands a text. Parts of it that have to wait for the start stay as they are.
pub(super) fn expand(text: &Expanded, names: &ExpansionNames) -> Result<Expanded, ExpandError> {
    let mut formatter = Formatter {
        units: text.units(),
        place: 0,
        names,
        argument: Some(Argument::All),
        result: Expanded::default(),
        size: 0,
    };
    while let Some(unit) = formatter.next() {
        match unit {
            Unit::Open(piece) => formatter.result.push(piece.clone()),
            Unit::Letter('%') => formatter.conversion()?,
            Unit::Letter(letter) => formatter.result.push_letter(letter),
        }
    }
    Ok(formatter.result)
}

/// What the next conversion formats.
enum Argument {
    /// All names: a conversion without a name.
    All,
    Value(NameValue),
}

struct Formatter<'t> {
    units: Vec<Unit<'t>>,
    place: usize,
    names: &'t ExpansionNames,
    /// `None` if the last conversion took it.
    argument: Option<Argument>,
    result: Expanded,
    /// How many bytes conversions have made.
    size: usize,
}

impl<'t> Formatter<'t> {
    fn next(&mut self) -> Option<Unit<'t>> {
        let unit = self.units.get(self.place).copied();
        self.place += 1;
        unit
    }

    fn letter(&self) -> Option<char> {
        match self.units.get(self.place) {
            Some(Unit::Letter(letter)) => Some(*letter),
            _ => None,
        }
    }

    /// The characters from here on for which `is_wanted` holds.
    fn take(&mut self, is_wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(letter) = self.letter().filter(|letter| is_wanted(*letter)) {
            taken.push(letter);
            self.place += 1;
        }
        taken
    }

    /// Formats what follows a `%`.
    fn conversion(&mut self) -> Result<(), ExpandError> {
        if self.letter() == Some('%') {
            self.place += 1;
            self.result.push_letter('%');
            return Ok(());
        }
        if self.letter() == Some('(') {
            let name = self.name()?;
            self.argument = Some(Argument::Value(self.names.get(&name)?));
        }
        let start = self.place;
        let spec = self.spec()?;
        let written: String = self.units[start..self.place]
            .iter()
            .filter_map(|unit| if let Unit::Letter(letter) = unit { Some(*letter) } else { None })
            .collect();
        match self.argument.take() {
            None => Err(ExpandError::new(format!("there is no name before `{written}`"))),
            Some(Argument::All) if matches!(spec.conversion, 's' | 'r' | 'a') => {
                Err(ExpandError::open(format!(
                    "`%{written}` without a name stands for all variables of supervisord in one text; write `%%{written}`"
                )))
            }
            Some(Argument::All) => {
                Err(ExpandError::new(format!("`%{written}` has no name; write `%%` for the character `%`")))
            }
            Some(Argument::Value(value)) => self.format(&value, &spec, written),
        }
    }

    /// The name in the parentheses that begin here. Parentheses in it come in pairs.
    fn name(&mut self) -> Result<String, ExpandError> {
        self.place += 1;
        let mut name = String::new();
        let mut depth = 1;
        loop {
            match self.next() {
                Some(Unit::Letter(letter)) => {
                    match letter {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        return Ok(name);
                    }
                    name.push(letter);
                }
                Some(Unit::Open(_)) => {
                    return Err(ExpandError::open("a variable decides which name stands here"));
                }
                None => return Err(ExpandError::new("a `%(` has no `)`")),
            }
        }
    }

    /// The flags, width, precision and conversion.
    fn spec(&mut self) -> Result<FormatSpec, ExpandError> {
        let flags = self.take(|letter| "-+ #0".contains(letter));
        let width = self.take(|letter| letter.is_ascii_digit());
        let mut precision = None;
        if width.is_empty() && self.letter() == Some('*') {
            return Err(ExpandError::new("a width `*` takes a second value, and there is none"));
        }
        if self.letter() == Some('.') {
            self.place += 1;
            precision = Some(self.take(|letter| letter.is_ascii_digit()));
        }
        if self.letter().is_some_and(|letter| "hlL".contains(letter)) {
            self.place += 1;
        }
        let conversion = match self.next() {
            Some(Unit::Letter(letter)) => letter,
            Some(Unit::Open(_)) => {
                return Err(ExpandError::open("a variable decides how a value is written"));
            }
            None => {
                return Err(ExpandError::new(
                    "there is nothing after a `%`; write `%%` for the character `%`",
                ));
            }
        };
        let number = |digits: &str| match digits {
            "" => Ok(0),
            digits => digits.parse().ok().filter(|number| *number <= WIDEST).ok_or(()),
        };
        let too_wide = |()| ExpandError::new("a width is too large");
        Ok(FormatSpec {
            flags,
            width: number(&width).map_err(too_wide)?,
            precision: precision.as_deref().map(number).transpose().map_err(too_wide)?,
            conversion,
        })
    }

    fn format(&mut self, value: &NameValue, spec: &FormatSpec, written: String) -> Result<(), ExpandError> {
        let text = match value {
            NameValue::Number(number) => Expanded::plain(&format_number(*number, spec)?),
            NameValue::Process => {
                format_number(0, spec)?;
                Expanded(vec![Piece::Number(written)])
            }
            NameValue::NumberText(text) if "diu".contains(spec.conversion) => {
                let spec = FormatSpec { conversion: 's', ..spec.clone() };
                return self.format(&NameValue::Text(text.clone()), &spec, written);
            }
            NameValue::Text(text) | NameValue::NumberText(text) => match text.text() {
                Some(text) => Expanded::plain(&format_text(&text, spec)?),
                None if spec.is_plain() => text.clone(),
                None => return Err(ExpandError::open(format!("a variable is written with `{written}`"))),
            },
        };
        for piece in text.0 {
            self.size += if let Piece::Plain(text) = &piece { text.len() } else { 1 };
            self.result.push(piece);
        }
        if self.size > LONGEST {
            Err(ExpandError::open("the text becomes longer than 1 MiB"))
        } else {
            Ok(())
        }
    }
}

/// The most bytes that conversions may make of one text. A program cannot get more anyway.
const LONGEST: usize = 1 << 20;

/// The largest width or precision.
const WIDEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line was printed by Python 3.11.
    #[test]
    fn values_are_written_as_python_writes_them() {
        let mut names =
            ExpansionNames::new(&Known { is_whole_environment: true, ..Known::default() }, "/etc");
        names.set("n", NameValue::Number(7));
        names.set("m", NameValue::Number(-255));
        names.set("big", NameValue::Number(1_234_567));
        let cases = [
            ("%(here)s", Some("/etc")),
            ("%(here)6s|%(here)-6s|%(here).2s|%(here)06s", Some("  /etc|/etc  |/e|  /etc")),
            ("%(here)r", Some("'/etc'")),
            ("%%", Some("%")),
            ("%%(here)s", Some("%(here)s")),
            ("%(n)02d %(n)i %(n)s %(n)ld", Some("07 7 7 7")),
            ("%(n)05.3d|%(n)-05d|%(n)+05d|%(n)#05x|%(n)#.3x|%(n)#-8o|% (n)d", None),
            (
                "%(n)05.3d|%(n)-05d|%(n)+05d|%(n)#05x|%(n)#.3x|%(n)#-8o|%(n) d",
                Some("00007|7    |+0007|0x007|0x007|0o7     | 7"),
            ),
            ("%(m)x %(m)#X %(m)+.5d", Some("-ff -0XFF -00255")),
            (
                "%(n)e %(n)g %(big)g %(n)#g %(n).0f %(n)#.0f %(m)08.1f",
                Some("7.000000e+00 7 1.23457e+06 7.00000 7 7. -00255.0"),
            ),
            ("%(n)c", Some("\u{7}")),
            ("%(here)c", None),
            ("%(here)d", None),
            ("%(n)5%", None),
            ("%(n)lld", None),
            ("%(n)*d", None),
            ("%(n", None),
            ("%(n)", None),
            ("%", None),
            ("%(missing)s", None),
            ("%((here))s", None),
            ("%(n)s %s", None),
            ("%d", None),
        ];
        for (text, expected) in cases {
            let result = expand(&Expanded::plain(text), &names).ok();
            assert_eq!(result.and_then(|result| result.text()).as_deref(), expected, "{text}");
        }
    }
}
