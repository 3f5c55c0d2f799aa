//! Reads back what a generated script does about failures, and the variables of the container that it uses.

use super::generated::ScriptReader;
use crate::manifest::draft::DraftValue;
use crate::migrate::values::duration;

impl ScriptReader<'_> {
    /// The variables of the container.
    pub(super) fn variables(&mut self) -> Option<()> {
        loop {
            let before = self.at;
            let is_check = self.take(&["ifelse", "-X", "-n"])
                && self.block().is_some_and(|block| block.get(4).is_some_and(|word| word == "importas"));
            if !is_check {
                self.at = before;
                break;
            }
            self.skip_block()?;
        }
        if !self.take(&["multisubstitute"]) {
            return Some(());
        }
        let words = self.block()?;
        let mut words = &words[..];
        while let [_, option, rest @ ..] = words {
            words = match (option.as_str(), rest) {
                ("-D", [default, name, _, rest @ ..]) => {
                    let key = vec!["variables".to_owned(), name.clone()];
                    self.found.entries.push((key, default.as_str().into()));
                    rest
                }
                ("-i", [name, _, rest @ ..]) => {
                    let key = vec!["variables".to_owned(), name.clone()];
                    self.found.entries.push((key, DraftValue::Table(Vec::new())));
                    rest
                }
                _ => return None,
            };
        }
        while let Some(name) = self.word(1).map(str::to_owned)
            && self.take(&["export", &name, &format!("${{{name}}}")])
        {}
        Some(())
    }

    /// `on-failure` of a oneshot.
    pub(super) fn on_failure(&mut self) -> Option<()> {
        let is_script = self.word(1).is_some_and(|word| word.ends_with("/data/on-failure"));
        if !is_script || !self.take(&["sh"]) {
            return Some(());
        }
        let words: Vec<String> = (0..8).map(|_| self.next()).collect::<Option<_>>()?;
        let [_, _, _, tries, first, most, then, limit] = &words[..] else { return None };
        let tries: i64 = tries.parse().ok()?;
        if tries > 1 {
            self.set("on-failure.tries", tries);
            let pause = if first == most { format!("{first}s") } else { format!("{first}s..{most}s") };
            self.set("on-failure.pause", pause);
        }
        if tries == 1 || then != "fail" {
            self.set("on-failure.then", then.as_str());
        }
        if limit != "0" && !self.definition.files.contains_key("timeout-up") {
            self.set("timeout-up", format!("{limit}s"));
        }
        Some(())
    }

    /// `wait-for` of a oneshot.
    pub(super) fn wait_for(&mut self) -> Option<()> {
        if self.key != "up" || !self.take(&["if"]) {
            return Some(());
        }
        let words = self.block()?;
        let [_, script, _, limit, _, interval, what] = &words[..] else { return None };
        script.ends_with("/data/wait").then_some(())?;
        let (key, value) = self.definition.check("data/check", "wait-for")?;
        let is_path = value == DraftValue::from(vec!["test".to_owned(), "-e".to_owned(), what.clone()]);
        match is_path {
            true => self.set("wait-for.path", what.as_str()),
            false => self.set(&format!("wait-for.{key}"), value),
        }
        self.set("wait-for.limit", format!("{limit}s"));
        let interval: u32 = interval.replace('.', "").parse().ok()?;
        self.set("wait-for.interval", duration(interval));
        self.found.waits = true;
        Some(())
    }

    /// What happens if a longrun is not ready in time.
    pub(super) fn late(&mut self) -> Option<()> {
        self.take_in_block("foreground", &["redirfd", "-w", "1", "started", "cat", "/proc/uptime"]);
        let before = self.at;
        let is_since =
            |block: Vec<String>| block.last().is_some_and(|word| word.starts_with("test -e since "));
        let is_timed = self.take(&["foreground"])
            && self.block().is_some_and(is_since)
            && self.take(&["background", "-d"]);
        if !is_timed {
            self.at = before;
            return Some(());
        }
        let mut words = self.block()?;
        let (then, limit) = (words.pop()?, words.pop()?);
        self.set("ready.on-timeout", then);
        self.found.ready_within = limit.parse().ok();
        Some(())
    }

    /// The check that asks again and again whether a longrun still works.
    pub(super) fn alive(&mut self) -> Option<()> {
        if !self.take(&["background", "-d"]) {
            return Some(());
        }
        let words = self.block()?;
        let start = words.iter().position(|word| word == "./data/watch")?;
        let [_, _, interval, timeout, failures, then, ..] = words.get(start + 1..)? else { return None };
        let (key, value) = self.definition.check("data/check-alive", "alive")?;
        self.set(&format!("alive.{key}"), value);
        self.set("alive.interval", format!("{interval}s"));
        self.set("alive.timeout", format!("{timeout}s"));
        self.set("alive.failures", failures.parse::<i64>().ok()?);
        self.set("alive.then", then.as_str());
        Some(())
    }

    /// The check that asks whether a longrun is ready.
    pub(super) fn poll(&mut self) -> Option<()> {
        if !self.take(&["s6-notifyoncheck"]) {
            return Some(());
        }
        for (option, key, usual) in
            [("-n", "ready.tries", 0), ("-w", "ready.interval", 1_000), ("-t", "ready.timeout", 5_000)]
        {
            self.take(&[option]).then_some(())?;
            let number: u32 = self.next()?.parse().ok()?;
            match key {
                _ if number == usual => {}
                "ready.tries" => self.set(key, i64::from(number)),
                _ => self.set(key, duration(number)),
            }
        }
        let (key, value) = self.definition.check("data/check", "ready")?;
        self.set(&format!("ready.{key}"), value);
        Some(())
    }
}
