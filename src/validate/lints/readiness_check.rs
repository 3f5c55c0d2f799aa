//! Finds calls of `s6-notifyoncheck` that cannot work.

use crate::diagnostic::{Confidence, Diagnostic, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::model::{Found, Language, Program, Service};
use crate::shell::Line;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::readiness-check",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Readiness,
        fix: FixKind::Unsafe,
        page: include_str!("readiness_check.md"),
    },
    check: Check::Services(check),
};

const CHECKER: &str = "s6-notifyoncheck";

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, script) in subject.programs_in("run") {
        let (Some(line), Some(longrun)) = (checker_line(script), service.longrun()) else { continue };
        let name = &service.name;
        let at = script.at(line.span_of(CHECKER));
        if longrun.notification_fd.is_none() {
            found.push(
                found
                    .report(format!("`{name}` checks its readiness, but has no `notification-fd`"))
                    .at(at, "it cannot report the result: `invalid argument`")
                    .help(match service.definition() {
                        Some(_) => "write `3` into `notification-fd`",
                        None => "write `ready.fd = 3`",
                    }),
            );
        }
        if let Some((origin, word)) = before_check(script, &line) {
            let (message, label) = match word {
                "cd" => {
                    ("leaves the service directory before `s6-notifyoncheck`", "`s6-supervise not running`")
                }
                _ => (
                    "drops its rights before `s6-notifyoncheck`",
                    "`unable to sanity-check current service directory: Permission denied`",
                ),
            };
            found.push(
                found.report(format!("`run` of `{name}` {message}"))
                    .at(origin, format!("the check then ends with {label}"))
                    .at(at, "this needs the service directory and the supervisor's rights")
                    .help(format!("write it after `s6-notifyoncheck`, so that it applies only to the program: `s6-notifyoncheck … {word} …`")),
            );
        }
        let Some(options) = options(&line) else { continue };
        let called = service
            .definition()
            .and_then(|definition| definition.called.iter().find(|c| c.path == "data/check"));
        if !options.has_check && called.is_some_and(|called| matches!(called.found, Found::Nothing)) {
            found.push(
                found
                    .report(format!("`{name}` checks its readiness with `data/check`, which does not exist"))
                    .at(at, "without `-c` it runs `./data/check`")
                    .help("write the script, or name a command with `-c`"),
            );
        }
        if options.tries.is_none() {
            let end = at.span().end;
            let place = Some(Origin::new(at.file, end..end)).filter(|_| longrun.timeout_up > 0);
            let fix = place.map(|place| Fix::replace(place, " -n 0").likely());
            found.push(few_tries(found, service, &options, at).fix(fix));
        }
    }
}

/// The line that calls the check.
fn checker_line(script: &Program) -> Option<Line<'_>> {
    let has_it = script.text().contains(CHECKER);
    script.lines().find(|line| has_it && line.words().any(|word| word.ends_with(CHECKER)))
}

/// Where `run` calls `s6-notifyoncheck`, if that runs `data/check`.
pub(super) fn runs_its_own_check(service: &Service) -> Option<Origin> {
    let script = service.program("run")?;
    let line = checker_line(script)?;
    let runs_it = !options(&line)?.has_check;
    runs_it.then(|| script.at(line.span_of(CHECKER)))
}

/// The command before the check that takes away something the check needs: its place, and its name.
fn before_check(script: &Program, check: &Line<'_>) -> Option<(Origin, &'static str)> {
    let drops = ["s6-setuidgid", "s6-applyuidgid", "su-exec", "gosu", "setpriv"];
    // On the line of the check itself, every word before it counts.
    let head = &check.text[..check.text.find(CHECKER)?];
    let same = Line { start: check.start, text: head };
    if let Some(word) = drops.into_iter().find(|drop| same.words().any(|word| word.ends_with(drop))) {
        return Some((script.at(same.span_of(word)), word));
    }
    let moves = |line: &Line<'_>| {
        let mut words = line.words();
        matches!(words.next(), Some("cd" | "execline-cd"))
            && words.next().is_none_or(|to| to != "." && !to.contains('$'))
    };
    let before: Vec<Line<'_>> = script.lines().take_while(|line| line.start < check.start).collect();
    let is_execline = script.language() == Language::Execline;
    let blocks =
        |line: &Line<'_>| line.text.starts_with(['(', '{']) || (is_execline && line.text.contains('{'));
    if moves(&same) && !head.trim_start().starts_with('(') {
        return Some((script.at(same.span_of("cd")), "cd"));
    }
    // An indented line of a shell script may be inside an `if`, so only lines at the left edge count.
    let at_edge = |line: &Line<'_>| line.start == 0 || script.text()[..line.start].ends_with('\n');
    if let Some(line) = before.iter().find(|line| moves(line) && at_edge(line) && !blocks(line)) {
        return Some((script.at(line.span()), "cd"));
    }
    let dropped = before.iter().filter(|line| is_execline && !blocks(line));
    dropped
        .filter_map(|line| Some((line, drops.into_iter().find(|drop| line.words().next() == Some(drop))?)))
        .map(|(line, word)| (script.at(line.span()), word))
        .next()
}

/// The options of the check, as written.
#[derive(Default)]
struct CheckerOptions<'a> {
    has_check: bool,
    tries: Option<&'a str>,
    initial_sleep: Option<&'a str>,
    waiting_time: Option<&'a str>,
    global_timeout: Option<&'a str>,
}

/// How many tries there are without `-n`.
const TRIES: u64 = 7;

impl<'a> CheckerOptions<'a> {
    /// Stores an option, given by its name or its letter.
    fn set(&mut self, option: &str, value: &'a str) {
        match option {
            "c" | "check-program" => self.has_check = true,
            "n" | "tries" => self.tries = Some(value),
            "s" | "initial-sleep" => self.initial_sleep = Some(value),
            "w" | "waiting-time" => self.waiting_time = Some(value),
            "T" | "global-timeout" => self.global_timeout = Some(value),
            _ => {}
        }
    }

    /// When the last try begins, in milliseconds after the start, and the limit for all tries. `None` if a value is not
    /// known.
    fn last_try(&self) -> Option<(u64, Option<u64>)> {
        let number = |value: Option<&str>, default: u64| match value {
            Some(value) => value.trim_matches(['"', '\'']).parse().ok(),
            None => Some(default),
        };
        let limit = number(self.global_timeout, 0)?;
        let (first, between) = (number(self.initial_sleep, 10)?, number(self.waiting_time, 1000)?);
        let last = between.checked_mul(TRIES - 1)?.checked_add(first)?;
        Some((last, (limit > 0).then_some(limit)))
    }
}

/// A time for people, rounded to seconds.
fn about(milliseconds: u64) -> String {
    match milliseconds {
        ..950 => format!("{milliseconds} ms"),
        _ => format!("{} s", (milliseconds + 500) / 1000),
    }
}

/// The report on a check with the default number of tries.
fn few_tries(found: &Findings<'_>, service: &Service, options: &CheckerOptions<'_>, at: Origin) -> Diagnostic {
    let name = &service.name;
    let (what, label) = match options.last_try() {
        Some((last, Some(limit))) if limit < last => (
            format!("after {}", about(limit)),
            format!("`-T` ends it {} after the start: the service then never counts as up", about(limit)),
        ),
        Some((last, _)) => (
            format!("after {TRIES} tries"),
            format!(
                "without `-n`, the last try begins about {} after the start: if it fails, the service never counts as up",
                about(last)
            ),
        ),
        None => (
            format!("after {TRIES} tries"),
            "without `-n`, the service never counts as up after that".to_owned(),
        ),
    };
    found
        .report(format!("the readiness check of `{name}` gives up {what}"))
        .at(at, label)
        .help("write `s6-notifyoncheck -n 0 …` for as many tries as it needs, and a limit into `timeout-up`")
}

/// The options of the check. `None` if a variable may contain options.
fn options<'a>(line: &Line<'a>) -> Option<CheckerOptions<'a>> {
    let rest = &line.text[line.text.find(CHECKER)? + CHECKER.len()..];
    let mut options = CheckerOptions::default();
    let mut words = rest.split_whitespace().filter(|word| *word != "\\");
    while let Some(word) = words.next() {
        if word.starts_with(['$', '"', '\'']) {
            return None;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty() && *letters != "-")
        else {
            break;
        };
        if let Some(long) = letters.strip_prefix('-') {
            let (option, value) = long.split_once('=').unwrap_or((long, ""));
            options.set(option, value);
            skip_quoted(value, &mut words);
            continue;
        }
        for (at, letter) in letters.char_indices() {
            if "3sTtwnc".contains(letter) {
                let value = &letters[at + 1..];
                let value = if value.is_empty() { words.next().unwrap_or_default() } else { value };
                options.set(&letters[at..at + 1], value);
                skip_quoted(value, &mut words);
                break;
            }
        }
    }
    Some(options)
}

/// Reads on to the end of a quoted value, which may contain blanks.
fn skip_quoted<'a>(value: &str, words: &mut impl Iterator<Item = &'a str>) {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote
        && !(value.len() > 1 && value.ends_with(quote))
    {
        words.find(|word| word.ends_with(quote));
    }
}
