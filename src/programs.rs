//! What is known of well-known programs: how each stays in the foreground, when it is ready, and which signal stops it.
//!
//! The facts are data, in `table`. They come from public documentation, and most were tried; see [`Checked`].

mod table;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use table::PROGRAMS;

/// A program that people run in containers. Each item of a list is one word, or several with blanks between them, which
/// follow each other on the command line. What stands in single quotes may be anywhere in its word.
#[derive(Debug, Clone, Copy)]
pub struct KnownProgram {
    /// The names of its executable.
    pub names: &'static [&'static str],
    /// What it is.
    pub about: &'static str,
    /// What it does if no option decides.
    pub alone: Alone,
    /// Options that keep it in the foreground.
    pub foreground: &'static [&'static str],
    /// Options that put it into the background.
    pub background: &'static [&'static str],
    /// Subcommands with which it stays in the foreground.
    pub foreground_commands: &'static [&'static str],
    /// Subcommands with which it goes into the background.
    pub background_commands: &'static [&'static str],
    /// Options and subcommands with which it does one thing and ends.
    pub ends: &'static [&'static str],
    /// Options whose value is the next word.
    pub takes_value: &'static [&'static str],
    /// Whether `-nx` is the same as `-n -x`.
    pub joins_options: bool,
    /// Whether its first argument that is no option is a program of its own, to which all further options belong.
    pub takes_script: bool,
    /// How it tells that it is ready.
    pub ready: KnownReadiness,
    /// What else is worth knowing about its readiness.
    pub ready_note: &'static str,
    /// Whether what depends on it commonly fails if it starts before this is ready.
    pub is_needed: bool,
    /// Programs that fail at once if this does not answer. `migrate` stands for every migration of a database.
    pub clients: &'static [&'static str],
    /// The signal that stops it gracefully, without `SIG`.
    pub stop_signal: &'static str,
    /// What that signal does, if it is not plain.
    pub stop_reason: &'static str,
    /// The options or keys by which it gives up the rights of root itself.
    pub drops_rights: &'static str,
    /// A sentence for its user.
    pub advice: &'static str,
    /// The page on which these facts can be read.
    pub source: &'static str,
    /// How they were checked.
    pub checked: Checked,
}

/// What a program does if no option decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alone {
    /// It stays in the foreground.
    Stays,
    /// It goes into the background.
    Leaves,
    /// Its configuration decides.
    Configured {
        /// Whether it stays if the configuration does not say.
        stays: bool,
    },
}

/// How a program tells that it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownReadiness {
    /// In no way that s6 could use.
    Nothing,
    /// It tells systemd, in a protocol that s6 does not speak.
    Systemd,
    /// It writes to descriptor 3 with this option.
    Descriptor(&'static str),
    /// This command asks it.
    Check(&'static str),
}

/// How the facts about a program were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It was run as under s6: whether it stays, and at which signal it ends.
    Tried,
    /// Its manual or its help was read.
    Manual,
    /// Its code, or the unit or script that starts it, was read.
    Code,
}

/// What a call of a program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It does one thing and ends.
    Ends,
    /// It stays in the foreground, because of an option or by itself.
    Stays,
    /// It goes into the background because of the argument at this position.
    LeavesBecauseOf(usize),
    /// It goes into the background by itself.
    Leaves,
    /// Its configuration decides, or the arguments do not tell.
    Unknown,
}

/// Every program by each of its names. Several rules look up every call of every service.
static BY_NAME: LazyLock<BTreeMap<&str, &KnownProgram>> = LazyLock::new(|| {
    PROGRAMS.iter().flat_map(|program| program.names.iter().map(move |name| (*name, program))).collect()
});

impl KnownProgram {
    /// The facts about the program that a command line begins with. A path counts by its last name, if it leads to a place of
    /// programs: elsewhere is a script of the image that may only have the name. `php-fpm8.2` is `php-fpm`.
    pub fn find(word: &str) -> Option<&'static KnownProgram> {
        let (folder, name) = word.rsplit_once('/').unwrap_or(("", word));
        let is_place = |folder: &str| {
            folder.is_empty()
                || folder.starts_with("/usr/lib")
                || folder.ends_with("/bin")
                || folder.ends_with("/sbin")
        };
        if word.starts_with('/') && folder.is_empty() || !is_place(folder) {
            return None;
        }
        let versionless = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let named = |wanted: &str| BY_NAME.get(wanted).copied();
        named(name).or_else(|| named(versionless).filter(|_| versionless.len() < name.len()))
    }

    /// What the program does with these arguments. `None` in place of an argument stands for one that is not known, such as
    /// a variable.
    pub fn behaviour(&self, arguments: &[Option<&str>]) -> Behaviour {
        let (mut stays, mut leaves) = (None, None);
        let (mut stays_by_command, mut leaves_by_command) = (None, None);
        let mut has_words = false;
        let mut after_unknown = false;
        let mut at = 0;
        while at < arguments.len() {
            let Some(word) = arguments[at] else { return Behaviour::Unknown };
            if word == "--" || self.takes_script && !word.starts_with('-') && !self.is_decided_by(word) {
                break;
            }
            let rest = &arguments[at..];
            // It may be the value of an option that is not in the table.
            if after_unknown && self.is_decided_by(word) {
                return Behaviour::Unknown;
            }
            // A subcommand comes before all other words; later it is the value of something.
            let may_be_command = word.starts_with('-') || !has_words;
            if may_be_command && self.has(self.ends, rest) {
                return Behaviour::Ends;
            }
            has_words |= !word.starts_with('-');
            let (is_foreground, is_background) =
                (self.has(self.foreground, rest), self.has(self.background, rest));
            if is_foreground {
                stays = stays.or(Some(at));
            }
            if is_background {
                leaves = leaves.or(Some(at));
            }
            if !word.starts_with('-') {
                if self.foreground_commands.contains(&word) {
                    stays_by_command = stays_by_command.or(Some(at));
                }
                if self.background_commands.contains(&word) {
                    leaves_by_command = leaves_by_command.or(Some(at));
                }
            }
            let decides_next = |next: Option<&Option<&str>>| {
                next.is_some_and(|next| {
                    next.is_some_and(|_| {
                        self.has(self.foreground, &rest[1..]) || self.has(self.background, &rest[1..])
                    })
                })
            };
            let is_known = is_foreground || is_background || self.takes_value.contains(&word);
            after_unknown = word.starts_with('-') && !is_known && !word.contains('=') && !is_plain_flag(word);
            let has_value = !is_foreground && !is_background && self.takes_value.contains(&word);
            at += if has_value && !decides_next(rest.get(1)) { 2 } else { 1 };
        }
        match (stays, leaves) {
            (Some(_), Some(_)) => return Behaviour::Unknown,
            (Some(_), None) => return Behaviour::Stays,
            (None, Some(at)) => return Behaviour::LeavesBecauseOf(at),
            (None, None) => {}
        }
        match (stays_by_command, leaves_by_command, self.alone) {
            (Some(_), _, _) => Behaviour::Stays,
            (None, Some(at), _) => Behaviour::LeavesBecauseOf(at),
            (None, None, Alone::Stays) => Behaviour::Stays,
            (None, None, Alone::Leaves) => Behaviour::Leaves,
            (None, None, Alone::Configured { .. }) => Behaviour::Unknown,
        }
    }

    /// Whether the word is a subcommand that the table lists.
    fn is_decided_by(&self, word: &str) -> bool {
        [self.foreground_commands, self.background_commands, self.ends]
            .iter()
            .any(|list| list.contains(&word))
    }

    /// Whether these arguments begin with an item of the list.
    fn has(&self, list: &[&str], arguments: &[Option<&str>]) -> bool {
        let Some(Some(first)) = arguments.first() else { return false };
        let follow = |item: &str| {
            let words = words_of(item);
            words.len() <= arguments.len()
                && words.iter().zip(arguments).all(|((word, is_part), there)| {
                    there.is_some_and(|there| if *is_part { there.contains(word) } else { there == *word })
                })
        };
        let glued = |item: &str| {
            let is_long = item.starts_with("--");
            let with_value = self.takes_value.contains(&item);
            let rest = first.strip_prefix(item).filter(|rest| !rest.is_empty());
            with_value && rest.is_some_and(|rest| !is_long || rest.starts_with('='))
                || is_long
                    && item.split_once(' ').is_some_and(|(option, value)| {
                        first.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) == Some(value)
                    })
        };
        list.iter().any(|item| follow(item) || glued(item))
            || self.joined(first).any(|letter| list.contains(&&*letter))
    }

    /// The options in a word such as `-nx`, each as a word of its own. What follows an option that takes a value is its value.
    fn joined<'w>(&self, word: &'w str) -> impl Iterator<Item = String> + use<'w> {
        let letters = word
            .strip_prefix('-')
            .filter(|rest| self.joins_options && rest.len() > 1 && !rest.starts_with('-'));
        let valued: Vec<char> = self.takes_value.iter().filter_map(|option| single_letter(option)).collect();
        let mut is_value = false;
        letters.into_iter().flat_map(str::chars).map_while(move |letter| {
            let shown = (!is_value && letter.is_ascii_alphabetic()).then(|| format!("-{letter}"));
            is_value = valued.contains(&letter);
            shown
        })
    }

    /// The shortest way to keep it in the foreground, if that needs an option or a subcommand.
    pub fn stays_with(&self) -> Option<&'static str> {
        self.foreground.first().or(self.foreground_commands.first()).copied()
    }

    /// The command that runs it in the foreground, word by word.
    pub fn foreground_command(&self) -> Vec<&'static str> {
        let needs = self.alone != (Alone::Configured { stays: true }) && self.alone != Alone::Stays;
        let words = self.stays_with().filter(|_| needs).map(|item| match item.split_once(" '") {
            Some((option, part)) => vec![option, part.trim_end_matches('\'')],
            None => item.split(' ').collect(),
        });
        self.names[..1].iter().copied().chain(words.into_iter().flatten()).collect()
    }
}

/// Whether the option has no value in any program that is worth a thought.
fn is_plain_flag(word: &str) -> bool {
    matches!(word, "-v" | "-vv" | "-q" | "--verbose" | "--quiet" | "--debug")
}

/// The words of an item of a list, each with whether it may be a part of a longer word.
fn words_of(item: &str) -> Vec<(&str, bool)> {
    match item.split_once(" '") {
        Some((option, part)) => vec![(option, false), (part.trim_end_matches(['\'', ';']), true)],
        None => item.split(' ').map(|word| (word, false)).collect(),
    }
}

/// The letter of an option of one letter.
fn single_letter(option: &str) -> Option<char> {
    let mut letters = option.strip_prefix('-')?.chars();
    letters.next().filter(|letter| letters.next().is_none() && *letter != '-')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn behaviour(command: &str) -> Behaviour {
        // A `_` is a blank in a word.
        let words: Vec<String> = command.split(' ').map(|word| word.replace('_', " ")).collect();
        let arguments: Vec<Option<&str>> =
            words[1..].iter().map(|word| (!word.starts_with('$')).then_some(word.as_str())).collect();
        KnownProgram::find(&words[0]).unwrap().behaviour(&arguments)
    }

    #[test]
    fn options_decide() {
        for (command, expected) in [
            ("redis-server /etc/redis.conf", Behaviour::Unknown),
            ("redis-server --daemonize yes", Behaviour::LeavesBecauseOf(0)),
            ("redis-server --daemonize no", Behaviour::Stays),
            ("redis-server /etc/redis.conf --daemonize yes", Behaviour::LeavesBecauseOf(1)),
            ("redis-server $OPTIONS", Behaviour::Unknown),
            ("/usr/sbin/sshd", Behaviour::Leaves),
            ("sshd -D -e", Behaviour::Stays),
            ("sshd -De", Behaviour::Stays),
            ("sshd -t", Behaviour::Ends),
            ("sshd -p 22 -f /etc/ssh/config", Behaviour::Leaves),
            ("haproxy -f /etc/haproxy.cfg -D", Behaviour::LeavesBecauseOf(2)),
            ("haproxy -W -f /etc/haproxy.cfg", Behaviour::Unknown),
            ("nginx", Behaviour::Unknown),
            ("nginx -c /x -g pid_/x;daemon_off;", Behaviour::Stays),
            ("nginx -s reload", Behaviour::Ends),
            ("php-fpm8.2 -F", Behaviour::Stays),
            ("postfix start", Behaviour::LeavesBecauseOf(0)),
            ("cron", Behaviour::Leaves),
            ("cron -f -L 15", Behaviour::Stays),
            ("gunicorn --daemon app:app", Behaviour::LeavesBecauseOf(0)),
            ("gunicorn app:app -D", Behaviour::LeavesBecauseOf(1)),
            ("dnsmasq -k", Behaviour::Stays),
            ("dnsmasq", Behaviour::Unknown),
            ("node server.js -p 80", Behaviour::Stays),
            ("node -v", Behaviour::Ends),
            ("celery -A app worker", Behaviour::Stays),
            ("celery -A app purge", Behaviour::Ends),
            ("celery -X purge worker", Behaviour::Unknown),
            ("celery -X multi worker", Behaviour::Unknown),
            ("postfix -v start", Behaviour::LeavesBecauseOf(1)),
        ] {
            assert_eq!(behaviour(command), expected, "{command}");
        }
    }

    #[test]
    fn a_script_may_have_the_name_of_a_program() {
        for path in ["nginx", "/usr/sbin/nginx", "/usr/lib/postfix/sbin/master", "/opt/app/bin/gunicorn"] {
            assert!(KnownProgram::find(path).is_some() || path.ends_with("master"), "{path}");
        }
        for path in
            ["/etc/s6-overlay/scripts/lighttpd", "/etc/init.d/cron", "./node", "/nginx", "scripts/cron"]
        {
            assert!(KnownProgram::find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_table_is_sound() {
        assert!(PROGRAMS.len() >= 80);
        let mut names = BTreeSet::new();
        for program in PROGRAMS {
            let name = program.names[0];
            assert!(program.names.iter().all(|name| names.insert(*name)), "{name} is there twice");
            assert!(program.source.starts_with("http"), "{name} has no source");
            assert!(!program.about.is_empty() && program.about.len() < 60, "{name}");
            assert!(program.is_needed || program.clients.is_empty(), "{name}");
            assert!(program.clients.is_sorted_by_key(|client| client.to_lowercase()), "{name}");
            assert!(program.advice.is_empty() || program.advice.ends_with('.'), "{name}: {}", program.advice);
            let stays = !matches!(program.alone, Alone::Leaves | Alone::Configured { stays: false })
                || program.stays_with().is_some();
            assert!(stays || !program.advice.is_empty(), "{name}: how does it stay in the foreground?");
            for (options, expected) in [
                (program.foreground, Behaviour::Stays),
                (program.background, Behaviour::LeavesBecauseOf(0)),
                (program.ends, Behaviour::Ends),
            ] {
                for option in options {
                    let words: Vec<Option<&str>> =
                        words_of(option).into_iter().map(|(word, _)| Some(word)).collect();
                    assert_eq!(program.behaviour(&words), expected, "{name} {option}");
                }
            }
        }
    }
}
