//! Reads the values of manifest keys: durations, sizes, signals, names, paths and addresses.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::diagnostic::{Class, Fix, Rank};
use crate::diagnostic::{Code, Diagnostic, Origin, Problems, did_you_mean};
use crate::manifest::{SIGNAL_NUMBERS, StringForm, bytes, meant_text, milliseconds, string_form};
use crate::model::{Account, ContainerVariable, Literal, LiteralForm, Name, SIGNALS, variable};
use crate::templates::with_stand_in;

/// Reads strings of the manifest as values, and reports those that are invalid.
pub(super) struct Values<'p> {
    pub problems: &'p mut Problems,
    /// Texts that look as if something expands them.
    pub literals: Vec<Literal>,
    /// The variables of the container that the texts can refer to.
    pub variables: &'p [ContainerVariable],
}

/// The longest name that s6-svscan supervises, in bytes.
pub(super) const LONGEST_NAME: usize = 251;

impl<'p> Values<'p> {
    pub fn new(problems: &'p mut Problems) -> Self {
        Values { problems, literals: Vec::new(), variables: &[] }
    }

    /// The text with `stand_in` in place of each variable of the container, whose values nobody knows yet.
    fn stood_in<'t>(&self, text: &'t str, stand_in: &str) -> Cow<'t, str> {
        with_stand_in(text, self.variables.iter().map(|variable| &*variable.name), stand_in)
    }

    /// Remembers a text that is not a command, if it contains a variable.
    fn literal(&mut self, key: &str, text: &str, origin: Origin) {
        if variable(&self.stood_in(text, "")).is_some() {
            self.literals.push(Literal {
                key: key.into(),
                text: text.into(),
                origin,
                form: LiteralForm::Value,
            });
        }
    }

    pub fn refuse<T>(&mut self, message: String, origin: Origin, label: &str, help: &str) -> Option<T> {
        let is_declared = matches!(self.stood_in(&message, ""), Cow::Owned(_));
        let is_variable = variable(&message).is_some();
        let problem = Diagnostic::new(Code::InvalidValue, message).at(origin, label).help(help);
        self.problems.push(match is_variable {
            true if is_declared => problem.note(
                "s6gen must know this now, and the value of the variable is known only in the container",
            ),
            true => problem.note("no variable is expanded here"),
            false => problem,
        });
        None
    }

    /// A duration in milliseconds. `never` is 0, as in the files of s6.
    pub fn duration(&mut self, key: &str, text: &str, origin: Origin) -> Option<u32> {
        let may_be_never = string_form(leaf(key)) == StringForm::TimeLimit;
        if text == "never" && may_be_never {
            return Some(0);
        }
        match milliseconds(text) {
            Some(0) => self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                if may_be_never { "for s6, zero means no limit" } else { "this is no time" },
                if may_be_never {
                    "write `never` for no limit"
                } else {
                    "write a number and a unit, such as `500ms` or `10s`"
                },
            ),
            Some(value) => match u32::try_from(value) {
                Ok(value) => Some(value),
                Err(_) => {
                    self.problems.push(
                        Diagnostic::s6rc(Class::TimeoutInvalid, Rank::Unranked, format!("`{key}` is too long"))
                            .at(origin, format!("{value} milliseconds"))
                            .help("s6 counts in 32 bits: the longest limit is 4294967295 ms, about 49 days; or write `never`"),
                    );
                    None
                }
            },
            None => self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                if text == "never" { "this needs a limit" } else { "this is not a duration" },
                &match (meant_text(leaf(key), text), may_be_never) {
                    (Some(meant), _) => format!("a duration has a unit: write `{meant}`"),
                    (None, true) => {
                        "write a number and a unit: `500ms`, `10s`, `5m`, `1h30m`; or `never`".to_owned()
                    }
                    (None, false) => "write a number and a unit: `500ms`, `10s`, `5m`, `1h30m`".to_owned(),
                },
            ),
        }
    }

    /// A size in bytes.
    pub fn size(&mut self, key: &str, text: &str, origin: Origin) -> Option<u64> {
        let bytes = bytes(text);
        if bytes.is_none() {
            return self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                "this is not a size",
                &match meant_text(leaf(key), text) {
                    Some(meant) => format!("write `{meant}`"),
                    None => "write a number and a unit: `64KB`, `5MB`, `1GB`".to_owned(),
                },
            );
        }
        bytes
    }

    /// An absolute path, without a slash at its end.
    pub fn path(&mut self, key: &str, text: &str, origin: Origin) -> Option<String> {
        let stood_in = self.stood_in(text, "x");
        let begins_with_value = text.starts_with('$') && stood_in.starts_with('x');
        let checked = if begins_with_value { format!("/{stood_in}").into() } else { stood_in };
        if let Some((label, help)) = path_problem(&checked) {
            return self.refuse(format!("`{key}` cannot be `{text}`"), origin, label, &help);
        }
        self.literal(key, text, origin);
        Some(text.trim_end_matches('/').to_owned())
    }

    /// A host and a port.
    pub fn address(&mut self, key: &str, text: &str, origin: Origin) -> Option<(String, String)> {
        self.address_in(key, text, text, origin)
    }

    /// The host and the port `address` of the value `text`.
    fn address_in(
        &mut self,
        key: &str,
        text: &str,
        address: &str,
        origin: Origin,
    ) -> Option<(String, String)> {
        let parts = address.rsplit_once(':').and_then(|(host, port)| {
            let number: u16 = self.stood_in(port, "1").parse().ok().filter(|port| *port > 0)?;
            let port = if self.stood_in(port, "") == port { number.to_string() } else { port.to_owned() };
            let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
                Some(inner) => inner.parse::<Ipv6Addr>().ok().map(|_| inner)?,
                None if host == "localhost" => "127.0.0.1",
                None => Some(host).filter(|host| {
                    host.parse::<Ipv4Addr>().is_ok() || is_host_name(&self.stood_in(host, "x"))
                })?,
            };
            Some((host.to_owned(), port))
        });
        if parts.is_none() {
            let digits = address.rsplit_once(':').map_or("", |(_, port)| port);
            let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
            let is_out_of_range = is_number && !digits.parse::<u16>().is_ok_and(|port| port > 0);
            let meant = meant_text(leaf(key), text);
            let (label, help) = match meant {
                _ if is_out_of_range => ("this port is out of range", "ports go from 1 to 65535".to_owned()),
                Some(meant) => ("this is not a host and a port", format!("write `{meant}`, or another host")),
                None => (
                    "this is not a host and a port",
                    "write both, as in `127.0.0.1:8080` or `[::1]:8080`".to_owned(),
                ),
            };
            return self.refuse(format!("`{key}` cannot be `{text}`"), origin, label, &help);
        }
        parts
    }

    /// The host, the port and the path of a web address, and the value of the header `Host`.
    pub fn http(
        &mut self,
        key: &str,
        text: &str,
        origin: Origin,
    ) -> Option<(String, String, String, String)> {
        let Some(rest) = text.strip_prefix("http://") else {
            return self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                "this is not an `http://` address",
                "write it as in `http://127.0.0.1:8080/health`; for https use `ready.check` with a program such as curl",
            );
        };
        let (address, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let authority = address.to_owned();
        let has_port = address.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        let address = if has_port { address.to_owned() } else { format!("{address}:80") };
        if path.chars().any(|c| c.is_control() || c == ' ') {
            return self.refuse(
                format!("`{key}` cannot be `{}`", text.escape_debug()),
                origin,
                "the path contains a blank",
                "write `%20` for the blank",
            );
        }
        let (host, port) = self.address_in(key, text, &address, origin)?;
        self.literal(key, path, origin);
        Some((host, port, path.to_owned(), authority))
    }

    /// The name of a signal, without `SIG`.
    pub fn signal(&mut self, key: &str, text: &str, origin: Origin) -> Option<&'static str> {
        let numbered = SIGNAL_NUMBERS.iter().find(|(number, _)| number.to_string() == text);
        let wanted = numbered.map_or(text.strip_prefix("SIG").unwrap_or(text), |(_, name)| name);
        if let Some(signal) = SIGNALS.iter().find(|s| **s == wanted) {
            return Some(signal);
        }
        let upper = text.to_ascii_uppercase();
        let upper = upper.strip_prefix("SIG").unwrap_or(&upper);
        let near = SIGNALS
            .iter()
            .copied()
            .find(|signal| *signal == upper)
            .or_else(|| did_you_mean(wanted, SIGNALS.iter().copied()));
        let problem =
            Diagnostic::new(Code::UnknownSignal, format!("`{key}` does not name a signal: `{text}`"))
                .at(origin, "unknown signal");
        self.problems.push(match near {
            Some(near) => {
                let fix = Fix::word(origin, text, near).map(Fix::likely);
                problem.help(format!("did you mean `{near}`?")).fix(fix)
            }
            None => problem.help("write its name, such as `TERM`, `INT`, `QUIT` or `HUP`"),
        });
        None
    }

    /// A file mode mask, as written.
    pub fn umask(&mut self, key: &str, text: &str, origin: Origin) -> Option<String> {
        if !self.variables.is_empty() && self.stood_in(text, "").is_empty() {
            return Some(text.to_owned());
        }
        let octal = !text.is_empty() && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        match u32::from_str_radix(text, 8) {
            Ok(mask) if octal && mask <= 0o777 => Some(format!("{mask:03o}")),
            _ => self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                "this is not a file mode mask",
                "write three octal digits, such as `022` or `077`",
            ),
        }
    }

    /// An account: `name`, `name:group` or `uid:gid`.
    pub fn account(&mut self, key: &str, text: &str, origin: Origin) -> Option<Account> {
        // A name may contain a `$`, but `${NAME}` is refused below.
        if let Cow::Owned(stood_in) = self.stood_in(text, "1") {
            return self.account_of_container(key, text, &stood_in, origin);
        }
        if !text.contains('{') {
            self.literal(key, text, origin);
        }
        let numeric = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        // A program would take `-x` for an option.
        let is_possible = |t: &str| !t.starts_with('-') && !matches!(t, "" | "." | "..");
        let word = |t: &str| {
            is_possible(t) && !numeric(t) && t.chars().all(|c| c.is_alphanumeric() || "_.-@$".contains(c))
        };
        match text.split_once(':') {
            None if numeric(text) => self.refuse(
                format!("`{key}` needs a group with a user id"),
                origin,
                "s6 would look up a single number as a name",
                &format!(
                    "write `{text}:{text}`: the number after the colon is the group; or write the account's name, \
                     which brings its groups"
                ),
            ),
            None if word(text) => Some(Account { name: Some(text.into()), group: None, ids: None }),
            Some((uid, gid)) if numeric(uid) && numeric(gid) => {
                if uid.parse::<u32>().is_err() || gid.parse::<u32>().is_err() {
                    return self.refuse(
                        format!("`{key}` cannot be `{text}`"),
                        origin,
                        "this is larger than 32 bits",
                        "use smaller ids",
                    );
                }
                Some(Account { name: None, group: None, ids: Some(text.into()) })
            }
            Some((user, group)) if word(user) && word(group) => {
                Some(Account { name: Some(user.into()), group: Some(group.into()), ids: None })
            }
            Some((user, group)) if (word(user) && numeric(group)) || (numeric(user) && word(group)) => self
                .refuse(
                    format!("`{key}` cannot be `{text}`"),
                    origin,
                    "this mixes a name and a number",
                    "write two names or two numbers: s6 looks up names, and uses numbers as they are",
                ),
            _ if variable(text).is_some() => self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                "this is not an account",
                "declare what comes from the container, `variables = { PUID = \"1000\", PGID = \"1000\" }`, and write \
                 `${PUID}:${PGID}`; or name an account of the image",
            ),
            _ => self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                match text.split(':').any(|part| part.starts_with('-')) {
                    true => "no account begins with `-`: a program would take it for an option",
                    false => "this is not an account",
                },
                "write `name`, `name:group` or `uid:gid`",
            ),
        }
    }

    /// An account of which the container gives a part. `stood_in` is its text with numbers in place of the values. Without a colon
    /// it is a name. Two values with a colon are numbers, because those are what people give to a container.
    fn account_of_container(
        &mut self,
        key: &str,
        text: &str,
        stood_in: &str,
        origin: Origin,
    ) -> Option<Account> {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (user, group) = match (text.split_once(':'), stood_in.split_once(':')) {
            (Some((user, group)), Some((user_stood_in, group_stood_in))) => {
                if is_number(user_stood_in) && is_number(group_stood_in) {
                    return Some(Account { name: None, group: None, ids: Some(text.into()) });
                }
                (user, Some(group))
            }
            _ => (text, None),
        };
        let is_numeric = |variable: &ContainerVariable| variable.default.as_deref().is_some_and(is_number);
        let whole = self.variables.iter().find(|variable| text == format!("${{{}}}", variable.name));
        if whole.is_some_and(is_numeric) {
            return self.refuse(
                format!("`{key}` needs a group with a user id"),
                origin,
                "s6 would look up a single number as a name, and the default of this variable is a number",
                "write two variables, as in `${PUID}:${PGID}`, or give it the name of an account as default",
            );
        }
        let named = self.stood_in(text, "x");
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-@$".contains(c));
        if !named.splitn(2, ':').all(|part| is_name(part) && !is_number(part)) {
            return self.refuse(
                format!("`{key}` cannot be `{text}`"),
                origin,
                "this is not an account",
                "write `${NAME}` for the name of an account, or `${UID}:${GID}` for two numbers",
            );
        }
        Some(Account { name: Some(user.into()), group: group.map(Into::into), ids: None })
    }

    /// Whether `name` can be the name of a service. Reports it if not.
    pub fn service_name(&mut self, name: &str, origin: Origin) -> bool {
        if Name::new(name).is_reserved() {
            let message = format!("`{name}` begins with a prefix that s6-rc reserves");
            self.problems.push(
                Diagnostic::s6rc(Class::NameReserved, Rank::Unranked, message)
                    .at(origin, "no service can have this name")
                    .help("choose one that does not begin with `s6rc-` or `s6-rc-`"),
            );
            return false;
        }
        let Some((why, help)) = name_problem(name) else { return true };
        self.problems.push(
            Diagnostic::new(Code::InvalidName, format!("{} cannot be the name of a service", shown(name)))
                .at(origin, why)
                .help(help),
        );
        false
    }

    /// Reports a name that no service of another layer can have.
    pub fn external_name(&mut self, name: &str, origin: Origin) {
        let why = match name {
            "" => "empty",
            _ if name.starts_with('.') => "s6-rc ignores names that begin with a dot",
            _ if name.contains('/') => "this name contains a slash",
            _ if name.chars().any(char::is_control) => "this name contains a control character",
            _ if name.len() > LONGEST_FILE_NAME => "this name has more than 255 bytes",
            _ => return,
        };
        self.problems.push(
            Diagnostic::new(Code::InvalidName, format!("{} cannot be the name of a service", shown(name)))
                .at(origin, why)
                .help("write the name of its definition directory"),
        );
    }

    /// Whether an instance can have this name. Reports it if not.
    pub fn instance_name(&mut self, instance: &str, full: &str, origin: Origin) -> bool {
        let problem = match instance {
            "" => Some(("empty", "give the instance a name".to_owned())),
            "." | ".." => Some(("a path would take it for a directory", "choose another name".to_owned())),
            _ if instance.starts_with('-') => Some((
                "begins with `-`: a program would take it for an option",
                "begin it with a letter or a digit".to_owned(),
            )),
            _ => name_problem(full),
        };
        let Some((why, help)) = problem else { return true };
        self.problems.push(
            Diagnostic::new(
                Code::InvalidName,
                format!("{} cannot be the name of an instance", shown(instance)),
            )
            .at(origin, why)
            .help(help),
        );
        false
    }
}

/// The largest number of bytes in the name of a file.
pub(super) const LONGEST_FILE_NAME: usize = 255;
/// The largest number of bytes in a path.
pub(super) const LONGEST_PATH: usize = 4095;

/// Why a text is not a valid absolute path, and what to write.
fn path_problem(text: &str) -> Option<(&'static str, String)> {
    if !text.starts_with('/') {
        return Some((
            "this is not an absolute path",
            "write the whole path in the image, from `/` on".into(),
        ));
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    let label = match () {
        () if text.split('/').any(|part| part == ".." || part == ".") => "this path contains `.` or `..`",
        () if text.len() > 1 && text.contains("//") => "this path contains two slashes in a row",
        () if parts.is_empty() => "this is the root of the whole file system",
        () if text.len() > LONGEST_PATH => {
            return Some(("a path can have at most 4,095 bytes", "choose a shorter one".into()));
        }
        () if parts.iter().any(|part| part.len() > LONGEST_FILE_NAME) => {
            return Some(("a file name can have at most 255 bytes", "choose a shorter one".into()));
        }
        () if parts.last().is_some_and(|last| last.starts_with('-')) => {
            let help = "let its last part begin with another character".to_owned();
            return Some(("its last part begins with `-`: a program would take it for an option", help));
        }
        () => return None,
    };
    let help = match parts.is_empty() {
        true => "name a directory or file below it, such as `/var/lib/NAME`".into(),
        false => format!("write `/{}`", parts.join("/")),
    };
    Some((label, help))
}

/// Whether the text can be a host name. If its last part has only digits, it is an address.
fn is_host_name(name: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    name.split('.').all(is_plain) && !last.chars().all(|c| c.is_ascii_digit())
}

/// An invalid name, shortened and made printable.
fn shown(name: &str) -> String {
    match name.char_indices().nth(40) {
        _ if name.is_empty() => "an empty text".to_owned(),
        Some((cut, _)) => format!("`{}…`", name[..cut].escape_debug()),
        None => format!("`{}`", name.escape_debug()),
    }
}

fn name_problem(name: &str) -> Option<(&'static str, String)> {
    let allowed = "use letters, digits, `_`, `.`, `@` and `-`, and begin with a letter or a digit".to_owned();
    let mut chars = name.chars();
    match chars.next() {
        None => return Some(("empty", allowed)),
        Some('.') => return Some(("s6-rc ignores names that begin with a dot", allowed)),
        Some(c) if !c.is_ascii_alphanumeric() => {
            return Some(("this name does not begin with a letter or a digit", allowed));
        }
        Some(_) => {}
    }
    if let Some(c) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || "_.@-".contains(*c))) {
        let why = match c {
            '\n' => "this name contains a newline",
            '/' => "this name contains a slash",
            ' ' => "this name contains a space",
            _ => "this name contains a character that service names cannot have",
        };
        return Some((why, allowed));
    }
    (name.len() > LONGEST_NAME).then(|| {
        (
            "too long",
            format!(
                "shorten it: s6-svscan supervises names of at most {LONGEST_NAME} bytes, this has {}",
                name.len()
            ),
        )
    })
}

/// The last part of a key: `interval` of `ready.interval`.
fn leaf(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
