//! Recognises a `finish` that does nothing but stop the container, after every death or after some. The script is followed for
//! every exit code and every signal, so that it does not matter how it is written.

use super::execline_trace;
use super::script::plain_shell;
use super::test_result::holds;
use crate::execline::base_name;
use crate::manifest::draft::DraftValue;
use crate::shell::{ShellScript, TraceSetting, TracedCommand, first_line, plain_number};

/// The files with the exit code of the container, of s6-overlay 3 and 2.
const EXIT_CODES: &[&str] =
    &["/run/s6-linux-init-container-results/exitcode", "/var/run/s6/env-stage3/S6_STAGE2_EXITED"];
/// The scan directories whose end is the end of the container.
const SCAN_DIRECTORIES: &[&str] = &["/run/service", "/run/s6/services", "/var/run/s6/services"];
/// The longest list of exit codes that a person would write.
const MOST_CODES: usize = 8;
/// The highest number of a signal.
const SIGNALS: u32 = 64;
const TERM: u32 = 15;

/// The rule of `on-exit` that stands for a whole `finish`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StopRule {
    /// Its keys, without `on-exit.`.
    pub(super) keys: Vec<(String, DraftValue)>,
    /// What is different.
    pub(super) remark: String,
}

impl StopRule {
    /// The rule as it is written: `except = [0], then = "stop-container"`.
    pub(super) fn text(&self) -> String {
        let table = DraftValue::Table(self.keys.clone());
        format!("on-exit = {}", table.text())
    }
}

/// What a `finish` does after one death.
#[derive(Debug, Clone, Copy, Default)]
struct DeathOutcome {
    halts: bool,
    /// The exit code that it gives the container.
    code: Option<u32>,
    speaks: bool,
}

/// The rule that stands for a `finish`, if that only stops the container.
pub(super) fn stop_rule(text: &str) -> Option<StopRule> {
    let shell = is_shell(text).then(|| ShellScript::read(text)).flatten();
    let outcome = |code: u32, signal: u32| -> Option<DeathOutcome> {
        let numbers = [code.to_string(), signal.to_string()];
        // The other two are the name of the service and a number that nobody knows.
        let arguments = [numbers[0].as_str(), numbers[1].as_str()];
        let commands = match &shell {
            Some(script) => {
                // It is 0 unless another service has already stopped the container.
                let read = |path: &str| EXIT_CODES.contains(&path).then(|| "0".to_owned());
                script.trace(&TraceSetting { arguments: &arguments, read: &read, test: &holds })?
            }
            None => execline_trace::trace(text, &arguments)?,
        };
        self::outcome(&commands)
    };
    let exits: Vec<DeathOutcome> = (0..=255).map(|code| outcome(code, 0)).collect::<Option<_>>()?;
    let crashes: Vec<DeathOutcome> =
        (1..=SIGNALS).map(|signal| outcome(256, signal)).collect::<Option<_>>()?;
    rule(&exits, &crashes)
}

/// Whether a shell runs it, also with the functions of `bashio`.
fn is_shell(text: &str) -> bool {
    let last = first_line(text).split_ascii_whitespace().last();
    plain_shell(text).is_some()
        || text.starts_with("#!") && last.is_some_and(|word| base_name(word) == "bashio")
}

/// What commands do together. `None` if one does something else.
fn outcome(commands: &[TracedCommand]) -> Option<DeathOutcome> {
    let mut outcome = DeathOutcome::default();
    for command in commands {
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        let is_join =
            |(operator, to): &(String, String)| operator.ends_with(">&") && ["1", "2"].contains(&to.as_str());
        let is_to_log = command.redirections.iter().all(is_join);
        let is_silent = |to: &(String, String)| is_join(to) || to.0 == ">" && to.1 == "/dev/null";
        match (base_name(words[0]), &words[1..]) {
            ("halt" | "s6-svscanctl", _) if !command.redirections.iter().all(is_silent) => return None,
            ("halt", []) if words[0] == "/run/s6/basedir/bin/halt" => outcome.halts = true,
            ("s6-svscanctl", ["-t", place]) if SCAN_DIRECTORIES.contains(place) => outcome.halts = true,
            ("echo" | "s6-echo" | "printf", texts) if !is_to_log => {
                let [(operator, path)] = &command.redirections[..] else { return None };
                let number = match (base_name(words[0]), texts) {
                    ("echo" | "s6-echo", [number] | ["-n", number]) => number,
                    ("printf", [format, number]) if ["%s", "%d"].contains(&format.trim_end()) => number,
                    _ => return None,
                };
                (operator == ">" && EXIT_CODES.contains(&path.as_str())).then_some(())?;
                outcome.code = Some(plain_number(number)?.try_into().ok()?);
            }
            ("echo" | "s6-echo" | "printf", _) => outcome.speaks = true,
            _ if words[0].starts_with("bashio::log") && is_to_log => outcome.speaks = true,
            _ => return None,
        }
    }
    Some(outcome)
}

/// The rule for what happens after each exit code, and after each signal.
fn rule(exits: &[DeathOutcome], crashes: &[DeathOutcome]) -> Option<StopRule> {
    let codes = |halts: bool| -> Vec<i64> {
        let found = (0..).zip(exits).filter(|(_, outcome)| outcome.halts == halts);
        found.map(|(code, _)| code).collect()
    };
    let (stopping, others) = (codes(true), codes(false));
    let stopping_signals: Vec<u32> =
        (1..).zip(crashes).filter(|(_, outcome)| outcome.halts).map(|(signal, _)| signal).collect();
    let mut keys = Vec::new();
    let mut remarks = vec!["an ordered stop of the service never stops the container, as the script did"];
    match () {
        () if others.is_empty() => {}
        () if others.len() <= MOST_CODES => keys.push(("except".to_owned(), others.into())),
        () if (1..=MOST_CODES).contains(&stopping.len()) && stopping_signals.is_empty() => {
            keys.push(("codes".to_owned(), stopping.into()));
        }
        () => return None,
    }
    let has_codes = keys.iter().any(|(key, _)| key == "codes");
    // Without a stop at once, it would be the exit code of a later stop.
    let is_lost = |outcome: &DeathOutcome, stops: bool| outcome.code.is_some() && !stops;
    if exits.iter().any(|exit| is_lost(exit, exit.halts))
        || crashes.iter().any(|crash| is_lost(crash, !has_codes))
    {
        return None;
    }
    match &stopping_signals[..] {
        _ if has_codes => {}
        [] => remarks.push("a death by a signal stops the container too, which the script did not do"),
        [TERM] => remarks.push("a death by any signal stops the container, and not only one by TERM"),
        all if all.len() < crashes.len() => {
            remarks.push("a death by any signal stops the container, and not only by some of them");
        }
        _ => {}
    }
    let deaths = (0..).zip(exits).chain((129..).zip(crashes)).filter(|(_, outcome)| outcome.halts);
    let deaths: Vec<_> = deaths.collect();
    let is_own = deaths.iter().all(|(code, outcome)| outcome.code == Some(*code));
    if deaths.iter().all(|(_, outcome)| outcome.code.is_none()) {
        remarks.push("the exit code of the container is that of the service, and not 0");
    } else if !is_own {
        remarks.push("the exit code of the container is that of the service, or 128 and the signal");
    }
    if exits.iter().chain(crashes).any(|outcome| outcome.speaks) {
        remarks.push("what it wrote to the log is gone");
    }
    keys.push(("then".to_owned(), "stop-container".into()));
    Some(StopRule { keys, remark: remarks.join("; ") })
}

#[cfg(test)]
mod tests {
    use super::stop_rule;

    fn rule(text: &str) -> Option<String> {
        stop_rule(text).map(|rule| rule.text())
    }

    /// A script in which `HALT` and `CODE` stand for the paths of s6-overlay.
    fn written(first_line: &str, body: &str) -> String {
        format!("{first_line}\n{body}\n")
            .replace("HALT", "/run/s6/basedir/bin/halt")
            .replace("CODE", "/run/s6-linux-init-container-results/exitcode")
    }

    #[test]
    fn every_way_to_write_the_same_is_recognised() {
        let always = r#"on-exit = { then = "stop-container" }"#;
        let failures = r#"on-exit = { except = [0], then = "stop-container" }"#;
        let crash = r#"on-exit = { except = [0, 3], then = "stop-container" }"#;
        let one = r#"on-exit = { codes = [7], then = "stop-container" }"#;
        for (text, expected) in [
            ("#!/command/execlineb -S0\n/run/s6/basedir/bin/halt\n", always),
            ("#!/usr/bin/execlineb -S0\ns6-svscanctl -t /var/run/s6/services\n", always),
            ("#!/bin/sh\n# Stop.\necho \"web died\" >&2\nexec /run/s6/basedir/bin/halt\n", always),
            (
                "#!/command/execlineb -S1\nforeground { redirfd -w 1 /run/s6-linux-init-container-results/exitcode echo ${1} }\n\
                 /run/s6/basedir/bin/halt\n",
                always,
            ),
            (
                "#!/bin/execlineb -S1\nif { s6-test ${1} -ne 0 }\nif { s6-test ${1} -ne 256 }\n\
                 s6-svscanctl -t /var/run/s6/services\n",
                failures,
            ),
            (
                "#!/usr/bin/env bashio\ndeclare CODE=${1}\nif [[ \"${CODE}\" -ne 0 ]] && [[ \"${CODE}\" -ne 256 ]]; then\n\
                 bashio::log.warning \"Halt with ${CODE}\"\n\
                 echo \"${CODE}\" > /run/s6-linux-init-container-results/exitcode\nexec /run/s6/basedir/bin/halt\nfi\n\
                 bashio::log.info \"Restart\"\n",
                failures,
            ),
            (
                "#!/command/with-contenv bash\nx=1\nif [ \"$1\" -eq 0 ] || [ \"$1\" = 3 ]; then exit 0; fi\n\
                 /run/s6/basedir/bin/halt\n",
                crash,
            ),
            ("#!/bin/sh\nif [ $1 -eq 7 ]; then /run/s6/basedir/bin/halt; fi\n", one),
        ] {
            assert_eq!(rule(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_different_is_named() {
        let text = "#!/command/with-contenv bashio\nreadonly code=\"${1}\"\nreadonly signal=\"${2}\"\n\
                    readonly container=$(</run/s6-linux-init-container-results/exitcode)\n\
                    if [[ \"${code}\" -eq 256 ]]; then\n  if [[ \"${container}\" -eq 0 ]]; then\n\
                    echo $((128 + $signal)) > /run/s6-linux-init-container-results/exitcode\n  fi\n\
                    [[ \"${signal}\" -eq 15 ]] && exec /run/s6/basedir/bin/halt\n\
                    elif [[ \"${code}\" -ne 0 ]]; then\n  if [[ \"${container}\" -eq 0 ]]; then\n\
                    echo \"${code}\" > /run/s6-linux-init-container-results/exitcode\n  fi\n\
                    exec /run/s6/basedir/bin/halt\nfi\n";
        assert_eq!(
            stop_rule(text).unwrap().remark,
            "an ordered stop of the service never stops the container, as the script did; a death by any signal stops the \
             container, and not only one by TERM"
        );
        let text = "#!/bin/sh\necho bye\n/run/s6/basedir/bin/halt\n";
        let remark = stop_rule(text).unwrap().remark;
        assert!(remark.ends_with("and not 0; what it wrote to the log is gone"), "{remark}");
    }

    #[test]
    fn a_finish_that_does_more_is_not_recognised() {
        for text in [
            "#!/bin/sh\nrm -f /x\n/run/s6/basedir/bin/halt\n",
            "#!/bin/sh\necho again\n",
            "#!/bin/sh\n[ -e /x ] && /run/s6/basedir/bin/halt\n",
            "#!/bin/sh\necho 3 > /somewhere\n/run/s6/basedir/bin/halt\n",
            "#!/bin/sh\n[ $1 -gt 100 ] && /run/s6/basedir/bin/halt\n",
            "#!/usr/bin/python3\nhalt\n",
            "#!/bin/sh\nhalt\n",
            "#!/command/execlineb -S0\nif { test -e /x } /run/s6/basedir/bin/halt\n",
        ] {
            assert_eq!(rule(text), None, "{text}");
        }
    }

    #[test]
    fn what_may_mean_something_else_is_not_recognised() {
        for (first_line, body) in [
            // The service would stay down.
            ("#!/bin/sh", "[ \"$1\" = 0 ] && exit 125\nHALT"),
            ("#!/bin/sh", "if [ \"$1\" -eq 0 ]; then exit 125; fi\nexec HALT"),
            ("#!/bin/sh", "HALT\nexit 125"),
            ("#!/bin/sh", "HALT\nexit \"$1\""),
            ("#!/bin/sh", "HALT || exit 125"),
            // A test that fails ends the script.
            ("#!/bin/sh -e", "[ \"$1\" -ne 0 ]\nHALT"),
            ("#!/bin/sh", "set -e\n[ \"$1\" -ne 0 ]\nHALT"),
            ("#!/bin/sh", "set -o errexit\ntest 1 = 2\nHALT"),
            ("#!/bin/sh", "set -e\nif [ $1 -lt 300 ]; then [ \"$1\" -ne 0 ]; fi\nHALT"),
            ("#!/bin/sh", "set -e\n[ $1 -lt 300 ] && [ \"$1\" -ne 0 ]\nHALT"),
            ("#!/bin/sh", "set -e\nfalse\nHALT"),
            ("#!/usr/bin/env bashio", "[[ \"$1\" -ne 0 ]]\nHALT"),
            ("#!/bin/sh", "set -u\n[ \"$5\" = x ] && exit 0\nHALT"),
            ("#!/bin/bash", "set -u\ndeclare x\n[ \"$x\" = x ] && exit 0\nHALT"),
            ("#!/bin/sh", "set -o pipefail\nHALT"),
            // The name of the service, and a number.
            ("#!/bin/sh", "[ \"$3\" = web ] && exit 0\nHALT"),
            ("#!/bin/sh", "[ \"${4:-1}\" -gt 5000 ] && exit 0\nHALT"),
            ("#!/command/execlineb -S3", "ifelse { eltest ${3} = web } { true } HALT"),
            // A file is made.
            ("#!/bin/sh", ": > /var/lib/web/died\nHALT"),
            ("#!/bin/sh", "true > /var/lib/web/died\nHALT"),
            ("#!/bin/sh", "false > /var/lib/web/died || HALT"),
            ("#!/bin/sh", "HALT > /var/lib/web/died"),
            ("#!/command/execlineb -P", "foreground { redirfd -w 1 /died true } HALT"),
            ("#!/command/execlineb -P", "redirfd -w 1 /died HALT"),
            // 8 for some, 10 for others.
            ("#!/bin/bash", "[[ $1 -eq 010 ]] && HALT"),
            ("#!/bin/sh", "x=$((010)); [ $1 -eq $x ] && exit 0; HALT"),
            ("#!/bin/sh", "x=010; [ $1 -eq $((x)) ] && exit 0; HALT"),
            ("#!/bin/sh", "[ $(($1 + 010)) -eq 8 ] && exit 0\nHALT"),
            // Patterns.
            ("#!/bin/bash", "[[ $1 == ? ]] && exit 0\nHALT"),
            ("#!/bin/bash", "[[ $1 == 2* ]] && exit 0\nHALT"),
            ("#!/bin/bash", "x=?; [[ $1 == $x ]] && exit 0\nHALT"),
            // What it reads is what it has just written.
            ("#!/bin/sh", "echo \"$1\" > CODE\nif [ \"$(cat CODE)\" -eq 0 ]; then HALT; fi"),
            // Words that only Bash has.
            ("#!/bin/sh", "if [[ $1 -ne 0 ]]; then HALT; fi"),
            ("#!/bin/sh", "[ \"$1\" == 0 ] && exit; HALT"),
            ("#!/bin/sh", "test \"$1\" == 0 && exit; HALT"),
            ("#!/bin/sh", "declare code=$1\n[ \"$code\" = 0 ] && exit 0\nHALT"),
            ("#!/bin/sh", "code=$(<CODE)\n[ \"$code\" = 0 ] || exit 0\nHALT"),
            ("#!/bin/sh", "HALT &> /dev/null"),
            ("#!/opt/bash/bin/sh", "if [[ $1 -ne 0 ]]; then HALT; fi"),
            ("#!/bin/bash", "[ $1 -eq 0 && $1 -eq 0 ] || HALT"),
            ("#!/bin/bash", "[[ $1 -eq 0 -o $1 -eq 0 ]] || HALT"),
            // What changes how the shell reads the rest.
            ("#!/bin/bash", "declare -i code=$1+1\n[ \"$code\" = 1 ] && exit 0\nHALT"),
            ("#!/bin/bash", "code=$1\nprintf -v code %d 0\n[ $code -eq 0 ] && exit 0\nHALT"),
            ("#!/bin/bash", "readonly code=0\ncode=$1\n[ $code -ne 0 ] && exit 0\nHALT"),
            ("#!/bin/sh", "IFS=0\n[ $1 = 10 ] && exit 0\nHALT"),
            ("#!/bin/sh", "PATH=/nonexistent\ns6-svscanctl -t /run/service"),
            ("#!/bin/sh", "export PATH=/nonexistent\ns6-svscanctl -t /run/service"),
            ("#!/bin/bash", "RANDOM=1\n[ $RANDOM = 1 ] && HALT"),
            // An exit code for a later stop.
            ("#!/bin/sh", "echo 137 > CODE\n[ $1 -eq 0 ] && exit\nHALT"),
            ("#!/bin/sh", "echo \"$1\" > CODE\n[ \"$1\" -ne 1 ] && HALT"),
            ("#!/bin/sh", "[ $1 -eq 256 ] && echo 137 > CODE\n[ $1 -eq 7 ] && HALT"),
            // An exit code that is no number.
            ("#!/bin/sh", "echo -- \"$1\" > CODE\nHALT"),
            ("#!/bin/sh", "echo %s \"$1\" > CODE\nHALT"),
            ("#!/bin/sh", "echo \"$1\" \"%d\" > CODE\nHALT"),
            ("#!/bin/sh", "echo \"0$1\" > CODE\nHALT"),
            ("#!/bin/sh", "printf \"%d%s\" \"$1\" > CODE\nHALT"),
        ] {
            let text = written(first_line, body);
            assert_eq!(rule(&text), None, "{text}");
        }
    }

    #[test]
    fn what_is_certain_in_spite_of_that_is_recognised() {
        let failures = r#"on-exit = { except = [0], then = "stop-container" }"#;
        for (first_line, body) in [
            ("#!/bin/sh -e", "[ \"$1\" -eq 0 ] && exit 0\nHALT"),
            ("#!/bin/bash", "set -euo pipefail\nif [[ $1 == 0 ]]; then exit 3; fi\nHALT >/dev/null 2>&1"),
            ("#!/bin/bash", "readonly x=$1\ndeclare -r y=$((x + 0))\n[ $y == 0 ] || HALT"),
            ("#!/bin/sh", "test \"$1\" = 0 && exit\nprintf %s \"$1\" > CODE\nHALT\nexit 0"),
            ("#!/bin/sh", "c=$(cat CODE)\nif [ $1 -ne 0 ]; then echo -n $1 > CODE; HALT; fi"),
        ] {
            let text = written(first_line, body);
            assert_eq!(rule(&text).as_deref(), Some(failures), "{text}");
        }
    }
}
