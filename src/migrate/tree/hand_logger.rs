//! Recognises a hand-written consumer that only runs `s6-log`: the key `log` of its producer stands for it.

use std::collections::BTreeSet;

use super::facts::{Facts, mentions};
use super::logger::{LogKeys, UNUSED_PREFIX, script_keys};
use super::script::{plain_shell, without_contenv};
use super::starts::StartWord;
use super::{execline_trace, names};
use crate::execline::{self, Token, TokenKind, base_name};
use crate::migrate::values::number;
use crate::model::{Kind, Longrun, Name, Service};
use crate::shell::{PlainStep, ShellScript};

/// What `s6-log` does if nothing else is written.
const KEEP: &str = "n10";
const SIZE: &str = "s99999";
/// The sizes and numbers of files that a manifest can have.
const SIZES: std::ops::RangeInclusive<u32> = 4_096..=255_000_000;
const MOST_FILES: u32 = 9_999;

/// The files of a logger that the key `log` stands for, or that have no effect on its log.
const KNOWN_FILES: &[&str] = &[
    "consumer-for",
    "dependencies",
    "notification-fd",
    "pipeline-name",
    "run",
    "timeout-down",
    "timeout-kill",
    "timeout-up",
    "type",
];

/// A hand-written logger.
pub(super) struct HandLogger {
    /// The service whose log it writes.
    pub(super) owner: Name,
    /// The name that s6gen gives it.
    pub(super) name: Name,
    /// The keys of `log` that stand for it.
    pub(super) keys: LogKeys,
    /// What it waits for.
    pub(super) dependencies: Vec<String>,
    /// What is different.
    pub(super) differences: Vec<String>,
}

/// What a script does that only runs `s6-log`.
struct LogScript {
    /// The words behind the options.
    script: Vec<String>,
    user: Option<String>,
    /// Whether it waits until a line is written before it reads the next one.
    blocks: bool,
    /// The descriptor to which it reports that it is ready.
    descriptor: Option<u32>,
    makes_directory: bool,
    gives_directory: bool,
}

impl Facts<'_> {
    /// The hand-written logger of this name, if the key `log` of its only producer can stand for it.
    pub(super) fn hand_logger(&self, name: &Name) -> Option<HandLogger> {
        let service = self.service(name)?;
        let logger = service.longrun()?;
        let [producer] = &logger.consumer_for[..] else { return None };
        let owner = producer.name.clone();
        let producer = self.longrun(&owner)?;
        let is_end = names(logger.producer_for.as_deref().unwrap_or_default()).is_empty();
        let is_pair = names(producer.producer_for.as_deref().unwrap_or_default()) == [name.to_string()];
        if !is_end || !is_pair || !producer.consumer_for.is_empty() {
            return None;
        }
        let new = Name::from(format!("{owner}-log").as_str());
        let is_free = |wanted: &str| *name == *wanted || self.service(&wanted.into()).is_none();
        let has_names = is_free(&new.to_string()) && is_free(&format!("{owner}-pipeline"));
        let is_known =
            |path: &String| KNOWN_FILES.contains(&path.as_str()) || path.starts_with("dependencies.d/");
        let can_be_key = self.system().is_overlay() || self.system().start_bundles().is_empty();
        let fits = can_be_key
            && has_names
            && [name, &owner]
                .iter()
                .all(|one| self.refusal(one).is_none() && self.generated_run(one).is_none())
            && self.files(name)?.keys().all(is_known)
            && !self.flags(service).0
            && !self.flags(service).1
            && class(self.start(name, false)) == class(self.start(&owner, false))
            && !self.is_mentioned(name, logger, &owner)
            && (new == *name || !self.is_named_elsewhere(&format!("/{name}"), (name, &[])));
        if !fits {
            return None;
        }
        let text = str::from_utf8(&self.files(name)?.get("run")?.content).ok()?;
        let read = log_script(text)?;
        let descriptor = logger.notification_fd.as_ref().map(|number| number.value);
        if descriptor != read.descriptor {
            return None;
        }
        let differences = self.differences(text, &read);
        let mut keys = script_keys(&read.script, "to", false);
        if keys.iter().any(|(key, _)| *key == UNUSED_PREFIX) {
            return None;
        }
        keys.extend(
            read.user
                .map_or(Some("root".to_owned()), |user| (user != "nobody").then_some(user))
                .map(|user| ("user", user.into())),
        );
        let dependencies = names(service.dependencies());
        Some(HandLogger { owner, name: new, keys, dependencies, differences })
    }

    /// Whether another service than its producer names it, or its pipeline. The bundles that start services may.
    fn is_mentioned(&self, name: &Name, logger: &Longrun, owner: &Name) -> bool {
        let pipeline = names(logger.pipeline_name.as_deref().unwrap_or_default()).pop();
        let is_it =
            |other: &Name| other == name || pipeline.as_deref().is_some_and(|pipeline| *other == *pipeline);
        let is_apart = |service: &&Service| service.name != *name && service.name != *owner;
        let may_name = |service: &&Service| {
            matches!(service.kind, Kind::Bundle(_)) && self.is_start_bundle(&service.name)
        };
        let mut others = self.ours().filter(is_apart).filter(|service| !may_name(service));
        others.any(|service| mentions(service).any(|other| is_it(&other.name)))
            || self
                .additions()
                .values()
                .flat_map(|files| files.keys())
                .any(|path| path.ends_with(&format!("/{name}")))
    }

    fn differences(&self, text: &str, read: &LogScript) -> Vec<String> {
        let has_environment = without_contenv(text).is_some() || !self.system().is_overlay();
        let is_local = read.script.iter().any(|word| word == "T") && has_environment;
        let user = read.user.as_deref().unwrap_or("root");
        let mut differences = Vec::new();
        match (read.makes_directory, read.gives_directory) {
            (true, true) => {}
            (true, false) => differences.push(format!("the logger gives the directory to `{user}`")),
            _ => differences.push(format!("the logger makes the directory and gives it to `{user}`")),
        }
        if read.user.is_none() {
            differences.push("the logger needs root, to give the directory to itself".to_owned());
        }
        if !read.blocks {
            differences.push(
                "while the disk is slow, the service waits, where the lines were kept in memory".to_owned(),
            );
        }
        if read.descriptor.is_none() {
            differences.push("the service starts when its logger is ready".to_owned());
        }
        if is_local {
            differences.push("the logger has no environment, so `TZ` does not change the times".to_owned());
        }
        differences
    }
}

/// Services that start at the same time.
fn class(start: StartWord) -> u8 {
    match start {
        StartWord::Boot | StartWord::Early => 0,
        StartWord::Late => 1,
        StartWord::OnDemand | StartWord::EarlyOnDemand => 2,
    }
}

/// Reads a script that only runs `s6-log`, after it has made the directory. `None` for any other.
fn log_script(text: &str) -> Option<LogScript> {
    let commands = match plain_shell(text) {
        Some(shell) => shell_commands(text, shell)?,
        None => execline_commands(text)?,
    };
    let (last, before) = commands.split_last()?;
    let mut words = last.iter().map(String::as_str);
    let mut program = words.next()?;
    let mut read = LogScript {
        script: Vec::new(),
        user: None,
        blocks: false,
        descriptor: None,
        makes_directory: false,
        gives_directory: false,
    };
    if base_name(program) == "s6-setuidgid" {
        let user = words.next()?;
        let is_account = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let begins_right = user.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        read.user = Some(user.to_owned()).filter(|user| begins_right && user.chars().all(is_account));
        read.user.as_ref()?;
        program = words.next()?;
    }
    (base_name(program) == "s6-log").then_some(())?;
    let mut rest: Vec<&str> = words.collect();
    while let Some(option) = rest.first().copied().filter(|word| word.starts_with('-')) {
        rest.remove(0);
        match option {
            "--" => break,
            "-b" => read.blocks = true,
            "-d" => read.descriptor = Some(number((!rest.is_empty()).then(|| rest.remove(0))?)?),
            _ => read.descriptor = Some(number(option.strip_prefix("-d")?)?),
        }
    }
    let (directory, directives) = rest.split_last()?;
    let directory = directory.strip_suffix('/').unwrap_or(directory);
    let is_plain_path = directory.len() > 1
        && directory.starts_with('/')
        && directory[1..].split('/').all(|part| !["", ".", ".."].contains(&part))
        && directory.chars().all(|c| c.is_ascii_alphanumeric() || "/._@+-".contains(c));
    let mut letters = BTreeSet::new();
    // Of two the last one counts, but `t` and `T` write both times.
    let mut is_clear =
        |directive: &str| is_known(directive) && letters.insert(directive[..1].to_ascii_lowercase());
    (is_plain_path && directives.iter().all(|directive| is_clear(directive))).then_some(())?;
    let usual =
        [KEEP, SIZE].into_iter().filter(|usual| !directives.iter().any(|word| word[..1] == usual[..1]));
    read.script = directives.iter().copied().chain(usual).chain([directory]).map(str::to_owned).collect();
    let user = read.user.clone().unwrap_or_else(|| "root".to_owned());
    for command in before {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let is_here = |path: &str| path.strip_suffix('/').unwrap_or(path) == directory;
        match &words[..] {
            ["mkdir", "-p", path] if is_here(path) => read.makes_directory = true,
            ["chown", owner, path] if is_here(path) && is_account(owner, &user) => {
                read.gives_directory = true;
            }
            _ => return None,
        }
    }
    Some(read)
}

/// The commands of a script of a shell, the last of which takes its place. `None` if it has anything but plain commands: an
/// exported variable can change the times, and a test can ask for the argument that s6 gives.
fn shell_commands(text: &str, shell: &str) -> Option<Vec<Vec<String>>> {
    let mut commands = Vec::new();
    for step in ShellScript::read(text)?.plain_steps()? {
        let PlainStep::Command { words, redirections } = step else { return None };
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        let redirections: Vec<&str> = redirections.iter().map(String::as_str).collect();
        match (&texts[..], &redirections[..]) {
            (["exec"], ["2>&1"]) | (["set", "-e" | "-u" | "-eu" | "-ue"], []) => {}
            (["set", "-o" | "-eo" | "-euo", "pipefail"], []) if shell == "bash" => {}
            (_, []) => commands.push(words),
            _ => return None,
        }
    }
    let last = commands.last_mut()?;
    (last.remove(0) == "exec").then_some(commands)
}

/// The commands of a script of execline, the last of which takes its place.
fn execline_commands(text: &str) -> Option<Vec<Vec<String>>> {
    let tokens = execline::tokens(text.split_once('\n')?.1.as_bytes()).ok()?;
    // Inside a block it is a child, which no stop reaches. The environment can change the times.
    let is_odd = |token: &Token| match &token.kind {
        TokenKind::Word(word) => {
            token.depth > 0 && word.ends_with(b"s6-log") || word.ends_with(b"with-contenv")
        }
        _ => false,
    };
    (!tokens.iter().any(is_odd)).then_some(())?;
    let commands = execline_trace::trace(text, &[])?;
    let is_plain = commands.iter().all(|command| command.redirections.is_empty());
    is_plain.then(|| commands.into_iter().map(|command| command.words).collect())
}

/// Whether `chown` to this owner gives a directory to an account and, at most, to its own group. `nogroup` is the one of
/// `nobody`, or has no members.
fn is_account(owner: &str, user: &str) -> bool {
    owner.split_once(':').map_or(owner == user, |(account, group)| {
        account == user && (group.is_empty() || group == user || (user, group) == ("nobody", "nogroup"))
    })
}

/// Whether it is `n`, `s`, `t` or `T`, with a number that a manifest can have.
fn is_known(directive: &str) -> bool {
    let number = |text: &str| number(text).filter(|_| text == "0" || !text.starts_with('0'));
    match directive.split_at_checked(1) {
        Some(("t" | "T", "")) => true,
        Some(("n", keep)) => number(keep).is_some_and(|keep| keep <= MOST_FILES),
        Some(("s", size)) => number(size).is_some_and(|size| SIZES.contains(&size)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::log_script;

    fn read(text: &str) -> Option<(String, Option<String>, bool, bool)> {
        let read = log_script(text)?;
        Some((read.script.join(" "), read.user, read.blocks, read.gives_directory))
    }

    #[test]
    fn loggers_of_both_languages_are_read() {
        let nobody = Some("nobody".to_owned());
        for (text, expected) in [
            (
                "#!/bin/sh\nexec s6-log n20 s1048576 T /var/log/web\n",
                ("n20 s1048576 T /var/log/web", None, false, false),
            ),
            (
                "#!/command/execlineb -P\ns6-setuidgid nobody\ns6-log -b -d3 -- t /var/log/web/\n",
                ("t n10 s99999 /var/log/web", nobody.clone(), true, false),
            ),
            (
                "#!/bin/sh -e\nmkdir -p /var/log/web\nchown nobody:nogroup /var/log/web\n\
                 exec s6-setuidgid nobody s6-log -b n3 /var/log/web\n",
                ("n3 s99999 /var/log/web", nobody.clone(), true, true),
            ),
            (
                "#!/bin/bash\nset -euo pipefail\nexec 2>&1\nchown app: /var/log/web\n\
                 exec s6-setuidgid app s6-log -d 3 /var/log/web\n",
                ("n10 s99999 /var/log/web", Some("app".to_owned()), false, true),
            ),
            (
                "#!/command/execlineb -P\nif { mkdir -p /var/log/web }\nif { chown nobody:nobody /var/log/web }\n\
                 s6-setuidgid nobody s6-log s4096 /var/log/web\n",
                ("s4096 n10 /var/log/web", nobody, false, true),
            ),
        ] {
            let (script, user, blocks, gives) = expected;
            assert_eq!(read(text).unwrap(), (script.to_owned(), user, blocks, gives), "{text}");
        }
    }

    #[test]
    fn other_consumers_stay() {
        for text in [
            "#!/bin/sh\nexec logutil-service /var/log/web\n",
            "#!/bin/sh\ns6-log n20 /var/log/web\n",
            "#!/bin/sh\nexec s6-log n20 1 /var/log/web\n",
            "#!/bin/sh\nexec s6-log n20 -debug T /var/log/web\n",
            "#!/bin/sh\nexec s6-log -p n20 /var/log/web\n",
            "#!/bin/sh\nexec s6-log s100 /var/log/web\n",
            "#!/bin/sh\nexec s6-log n20 /var/log/web /var/log/all\n",
            "#!/bin/sh\nexec s6-log n20 \"$DIR\"\n",
            "#!/bin/sh\nrm -f /x\nexec s6-log n20 /var/log/web\n",
            "#!/bin/sh\nchown app /var/log/web\nexec s6-setuidgid nobody s6-log n20 /var/log/web\n",
            "#!/bin/sh\nchown nobody:adm /var/log/web\nexec s6-setuidgid nobody s6-log n20 /var/log/web\n",
            "#!/bin/sh\nchown root:adm /var/log/web\nexec s6-log n20 /var/log/web\n",
            "#!/bin/sh\nexec s6-setuidgid nobody:adm s6-log n20 /var/log/web\n",
            "#!/bin/sh\nexec s6-log t T n3 /var/log/web\n",
            "#!/bin/sh\nexec s6-log n3 n4 /var/log/web\n",
            "#!/bin/sh\nexec s6-log s099999 /var/log/web\n",
            "#!/bin/sh\nexec s6-log -d +3 n20 /var/log/web\n",
            "#!/bin/sh\nexport TZ=UTC\nexec s6-log T /var/log/web\n",
            "#!/bin/sh\nTZ=UTC exec s6-log T /var/log/web\n",
            "#!/bin/sh\nTZ=UTC\nexec s6-log T /var/log/web\n",
            "#!/bin/sh\nif [ -z \"$1\" ]; then exec s6-log /var/log/web; fi\nexec s6-log n1 /var/log/all\n",
            "#!/bin/sh\nexec s6-log \"/var/log/web$1\"\n",
            "#!/bin/sh\n: > /var/log/web.started\nexec s6-log n20 /var/log/web\n",
            "#!/bin/sh\nset -o pipefail\nexec s6-log n20 /var/log/web\n",
            "#!/command/execlineb -P\nwith-contenv\ns6-log T /var/log/web\n",
            "#!/command/execlineb -P\nexport TZ UTC\ns6-log T /var/log/web\n",
            "#!/command/execlineb -P\nforeground { s6-log -b n20 t /var/log/web }\n",
            "#!/command/execlineb -P\nif { s6-log n20 /var/log/web } true\n",
            "#!/command/execlineb -S1\nifelse { test -z $1 } { s6-log /var/log/web } s6-log /var/log/all\n",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
