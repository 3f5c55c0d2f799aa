//! The forms of strings: what the text of a key must look like. The functions that read such a text and the patterns of the schema
//! share the tables in this file.

/// Signals that users often give by number, with their numbers on Linux.
pub const SIGNAL_NUMBERS: &[(i64, &str)] = &[
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (6, "ABRT"),
    (9, "KILL"),
    (10, "USR1"),
    (12, "USR2"),
    (14, "ALRM"),
    (15, "TERM"),
    (18, "CONT"),
    (19, "STOP"),
    (28, "WINCH"),
];

/// The units of a duration, in milliseconds.
const DURATION_UNITS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The units of a size, in bytes.
const SIZE_UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("K", 1 << 10),
    ("KB", 1 << 10),
    ("M", 1 << 20),
    ("MB", 1 << 20),
    ("G", 1 << 30),
    ("GB", 1 << 30),
];

/// The form of the strings of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringForm {
    /// Any text.
    Free,
    /// A host and a port.
    Address,
    /// An address that begins with `http://`.
    Url,
    /// A path.
    Path,
    /// One of a few words, a version, or a name.
    Word,
    /// A duration, or `never`.
    TimeLimit,
    /// A duration.
    Duration,
    /// A duration, or two with `..` between them.
    Pause,
    /// A size in bytes.
    Size,
    /// A signal.
    Signal,
    /// An account.
    Account,
    /// A file mode mask.
    Mask,
    /// When a service starts.
    Start,
}

/// The form of the strings of the key `leaf`, in whichever table it is.
pub fn string_form(leaf: &str) -> StringForm {
    match leaf {
        "timeout-up" | "timeout-down" | "timeout-kill" | "timeout-finish" => StringForm::TimeLimit,
        "within" | "early" | "interval" | "timeout" | "limit" => StringForm::Duration,
        "restart-delay" | "pause" => StringForm::Pause,
        "size" => StringForm::Size,
        "down-signal" | "reload-signal" => StringForm::Signal,
        "user" => StringForm::Account,
        "umask" => StringForm::Mask,
        "start" => StringForm::Start,
        "tcp" => StringForm::Address,
        "http" => StringForm::Url,
        "unix" | "path" | "to" | "file" | "stderr" | "workdir" | "tree" | "command-dir" => StringForm::Path,
        "sets" | "then" | "on-timeout" | "timestamp" | "format" | "s6-overlay" | "s6-rc" => StringForm::Word,
        _ => StringForm::Free,
    }
}

/// The meaning of a string of the key, and an example that is valid in every service. `None` if the key takes any text.
pub(super) fn example_text(leaf: &str) -> Option<(&'static str, &'static str)> {
    let example = match (leaf, string_form(leaf)) {
        ("s6-overlay", _) => ("the whole version in quotes", "\"3.2.0.2\""),
        ("s6-rc", _) => ("the whole version in quotes", "\"0.7.0.0\""),
        ("then" | "on-timeout", _) => ("what happens then", "\"stop-container\""),
        ("format", _) => ("the form of the lines", "\"json\""),
        ("timestamp", _) => ("how times are written", "\"iso\""),
        (_, StringForm::Free | StringForm::Word) => return None,
        (_, StringForm::TimeLimit | StringForm::Duration | StringForm::Pause) => {
            ("a number and a unit in quotes", "\"10s\"")
        }
        (_, StringForm::Size) => ("a number and a unit in quotes", "\"1MB\""),
        (_, StringForm::Signal) => ("the name of a signal in quotes", "\"TERM\""),
        (_, StringForm::Account) => ("the name of an account in quotes", "\"nobody\""),
        (_, StringForm::Mask) => ("octal digits in quotes", "\"022\""),
        (_, StringForm::Start) => ("when it starts, in quotes", "\"on-demand\""),
        (_, StringForm::Address) => ("a host and a port in quotes", "\"127.0.0.1:8080\""),
        (_, StringForm::Url) => ("an address in quotes", "\"http://127.0.0.1:8080/\""),
        (_, StringForm::Path) => ("the path in quotes", "\"/var/log/web\""),
    };
    Some(example)
}

impl StringForm {
    /// A regular expression for the whole text, in the syntax that JavaScript and Rust share. It accepts all that s6gen reads as
    /// this form, and nothing else but values that are too large or too small, and addresses without a valid host or port. `None` if
    /// the form needs more than an expression. `signals` are the names of signals.
    pub fn pattern(self, signals: &[&str]) -> Option<String> {
        let units = |units: &[(&str, u64)]| units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>().join("|");
        let duration = || {
            let unit = units(DURATION_UNITS);
            let any = format!("([0-9]+({unit}))*");
            // Zero is no time.
            format!("{any}0*[1-9][0-9]*({unit}){any}")
        };
        Some(match self {
            StringForm::Duration => duration(),
            StringForm::TimeLimit => format!("never|{}", duration()),
            StringForm::Pause => {
                let one = duration();
                format!(r"{one}|\s*{one}\s*\.\.\s*{one}\s*")
            }
            StringForm::Size => format!("[0-9]+({})", units(SIZE_UNITS)),
            StringForm::Signal => {
                let numbers: Vec<String> =
                    SIGNAL_NUMBERS.iter().map(|(number, _)| number.to_string()).collect();
                format!("(SIG)?({})|{}", signals.join("|"), numbers.join("|"))
            }
            // The value of a variable is known in the container only.
            StringForm::Mask => r"0*[0-7]{1,3}|(\$\{[^}]*\})+".to_owned(),
            StringForm::Url => "http://.+".to_owned(),
            StringForm::Free
            | StringForm::Address
            | StringForm::Path
            | StringForm::Word
            | StringForm::Account
            | StringForm::Start => return None,
        })
    }
}

/// `1h30m` in milliseconds. `None` if it is not a duration.
pub fn milliseconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, behind) = number(rest)?;
        let unit = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let (unit, behind) = behind.split_at(behind.len() - unit.len());
        let (_, unit) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(*unit)?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

/// `5MB` in bytes. `None` if it is not a size.
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = number(text)?;
    let (_, unit) = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*unit)
}

/// The digits at the beginning of a text as a number, and the rest.
fn number(text: &str) -> Option<(u64, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    Some((digits.parse().ok()?, rest))
}
