//! Formats one value as Python's `%` does: flags, width, precision and conversion.

use super::ConfigRefusal;
use super::python::repr;
use crate::diagnostic::Origin;

/// Why a text cannot be expanded.
#[derive(Debug)]
pub(super) struct ExpandError {
    reason: String,
    is_about_machine: bool,
}

impl ExpandError {
    pub fn new(reason: impl Into<String>) -> Self {
        ExpandError { reason: reason.into(), is_about_machine: false }
    }

    /// An error that supervisord may not report, because it depends on the environment.
    pub fn open(reason: impl Into<String>) -> Self {
        ExpandError { reason: reason.into(), is_about_machine: true }
    }

    pub fn at(self, origin: Origin) -> ConfigRefusal {
        ConfigRefusal { origin, reason: self.reason, is_about_machine: self.is_about_machine }
    }
}

/// What stands after the name: `02d`.
#[derive(Debug, Clone)]
pub(super) struct FormatSpec {
    /// Any of `-+ #0`.
    pub flags: String,
    /// The least number of characters.
    pub width: usize,
    /// The digits, or the most characters.
    pub precision: Option<usize>,
    /// The letter at the end.
    pub conversion: char,
}

impl FormatSpec {
    /// Whether it is `s` alone.
    pub fn is_plain(&self) -> bool {
        self.conversion == 's' && self.width == 0 && self.precision.is_none()
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    /// The text with blanks up to the width.
    fn pad(&self, text: &str) -> String {
        let blanks = " ".repeat(self.width.saturating_sub(text.chars().count()));
        if self.has('-') { format!("{text}{blanks}") } else { format!("{blanks}{text}") }
    }

    /// A number up to the width: blanks, or zeros after its sign and prefix.
    fn pad_number(&self, sign: &str, prefix: &str, digits: &str) -> String {
        let length = sign.len() + prefix.len() + digits.len();
        if self.has('0') && !self.has('-') {
            return format!("{sign}{prefix}{}{digits}", "0".repeat(self.width.saturating_sub(length)));
        }
        self.pad(&format!("{sign}{prefix}{digits}"))
    }

    fn sign(&self, is_negative: bool) -> &'static str {
        match (is_negative, self.has('+'), self.has(' ')) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn refuse(&self, value: &str) -> ExpandError {
        ExpandError::new(format!("`{}` is no conversion for {value}", self.conversion))
    }
}

/// Formats a text.
pub(super) fn format_text(text: &str, spec: &FormatSpec) -> Result<String, ExpandError> {
    let whole = match spec.conversion {
        's' => text.to_owned(),
        'r' => repr(text, false),
        'a' => repr(text, true),
        'c' if text.chars().count() == 1 => return Ok(spec.pad(text)),
        _ => return Err(spec.refuse("a text")),
    };
    let cut = match spec.precision {
        Some(most) => whole.chars().take(most).collect(),
        None => whole,
    };
    Ok(spec.pad(&cut))
}

/// Formats a number.
pub(super) fn format_number(number: i64, spec: &FormatSpec) -> Result<String, ExpandError> {
    let size = number.unsigned_abs();
    let digits = match spec.conversion {
        's' | 'r' | 'a' => {
            return format_text(&number.to_string(), &FormatSpec { conversion: 's', ..spec.clone() });
        }
        'c' => {
            let letter = u32::try_from(number).ok().and_then(char::from_u32);
            return letter
                .map(|letter| spec.pad(&letter.to_string()))
                .ok_or_else(|| spec.refuse("this number"));
        }
        'd' | 'i' | 'u' => size.to_string(),
        'o' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let digits = format_real(size, spec);
            return Ok(spec.pad_number(spec.sign(number < 0), "", &digits));
        }
        _ => return Err(spec.refuse("a number")),
    };
    let prefix = match spec.conversion {
        'o' if spec.has('#') => "0o",
        'x' if spec.has('#') => "0x",
        'X' if spec.has('#') => "0X",
        _ => "",
    };
    let zeros = "0".repeat(spec.precision.unwrap_or(0).saturating_sub(digits.len()));
    Ok(spec.pad_number(spec.sign(number < 0), prefix, &(zeros + &digits)))
}

/// A number with a point or an exponent.
#[allow(clippy::cast_precision_loss, reason = "Python makes the same number of it")]
fn format_real(size: u64, spec: &FormatSpec) -> String {
    let number = size as f64;
    let precision = spec.precision.unwrap_or(6);
    let point = |precision: usize| if spec.has('#') && precision == 0 { "." } else { "" };
    let text = match spec.conversion {
        'f' | 'F' => format!("{number:.precision$}{}", point(precision)),
        'e' | 'E' => with_exponent(number, precision, point(precision)),
        _ => {
            let precision = precision.max(1);
            let exponent = format!("{number:.*e}", precision - 1);
            let exponent: usize =
                exponent.split_once('e').and_then(|(_, digits)| digits.parse().ok()).unwrap_or(0);
            let is_short = exponent < precision;
            let decimals = if is_short { precision - 1 - exponent } else { precision - 1 };
            let text = match is_short {
                true => format!("{number:.decimals$}{}", point(decimals)),
                false => with_exponent(number, decimals, point(decimals)),
            };
            if spec.has('#') { text } else { without_zeros(&text) }
        }
    };
    if spec.conversion.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

fn with_exponent(number: f64, precision: usize, point: &str) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{digits}{point}e+{exponent:0>2}")
}

/// Without the zeros at the end of its decimals.
fn without_zeros(text: &str) -> String {
    let (digits, exponent) = text.split_at(text.find('e').unwrap_or(text.len()));
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    format!("{digits}{exponent}")
}
