//! Recognises a hand-written consumer that only runs `s6-log`: the key `log` of its producer stands for it.

use super::facts::{Facts, mentions};
use super::logger::{LogKeys, UNUSED_PREFIX, script_keys};
use super::script::{plain_shell, without_contenv};
use super::starts::StartWord;
use super::test_result::holds;
use super::{execline_trace, names};
use crate::execline::base_name;
use crate::model::{Kind, Longrun, Name, Service};
use crate::shell::{ShellScript, TraceSetting};

/// What `s6-log` does if nothing else is written.
const KEEP: &str = "n10";
const SIZE: &str = "s99999";
/// The sizes and numbers of files that a manifest can have.
const SIZES: std::ops::RangeInclusive<u64> = 4_096..=255_000_000;
const MOST_FILES: u64 = 9_999;

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
        Some(_) => {
            let setting = TraceSetting { arguments: &[], read: &|_| None, test: &holds };
            ShellScript::read(text)?.trace(&setting)?
        }
        None => execline_trace::trace(text, &[])?,
    };
    let (last, before) = commands.split_last()?;
    let is_plain = last.is_end && commands.iter().all(|command| command.redirections.is_empty());
    let mut words = last.words.iter().map(String::as_str);
    let mut program = words.next().filter(|_| is_plain)?;
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
        let is_account = |c: char| c.is_ascii_alphanumeric() || "_-:".contains(c);
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
            "-d" => read.descriptor = Some(rest.first()?.parse().ok()?),
            _ if option.strip_prefix("-d").is_some_and(|number| number.parse::<u32>().is_ok()) => {
                read.descriptor = option[2..].parse().ok();
            }
            _ => return None,
        }
        if option == "-d" {
            rest.remove(0);
        }
    }
    let (directory, directives) = rest.split_last()?;
    let directory = directory.strip_suffix('/').unwrap_or(directory);
    let is_plain_path = directory.len() > 1
        && directory.starts_with('/')
        && directory[1..].split('/').all(|part| !["", ".", ".."].contains(&part))
        && directory.chars().all(|c| c.is_ascii_alphanumeric() || "/._@+-".contains(c));
    (is_plain_path && directives.iter().all(|directive| is_known(directive))).then_some(())?;
    let usual =
        [KEEP, SIZE].into_iter().filter(|usual| !directives.iter().any(|word| word[..1] == usual[..1]));
    read.script = directives.iter().copied().chain(usual).chain([directory]).map(str::to_owned).collect();
    let user = read.user.clone().unwrap_or_else(|| "root".to_owned());
    for command in before {
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        let is_here = |path: &str| path.strip_suffix('/').unwrap_or(path) == directory;
        match &words[..] {
            ["mkdir", "-p", path] if is_here(path) => read.makes_directory = true,
            ["chown", owner, path] if is_here(path) && owner.split(':').next() == user.split(':').next() => {
                read.gives_directory = true;
            }
            _ => return None,
        }
    }
    Some(read)
}

/// Whether it is `n`, `s`, `t` or `T`, with a number that a manifest can have.
fn is_known(directive: &str) -> bool {
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
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
                ("n3 s99999 /var/log/web", nobody, true, true),
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
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
