use crate::diagnostic::{Code, Diagnostic, Origin, Problems};
use crate::model::{Called, Definition, Found, Index, Service, Written};

use super::definitions;
use super::script::{Language, Line, Started, run};
use crate::validate::names::listed;

const CHECKER: &str = "s6-notifyoncheck";
const LOGUTIL: &str = "logutil-service";

/// Something in `run` knows the descriptor on which readiness is told.
pub(in crate::validate) fn is_notified(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let Some((fd, script, why)) = untold(service, definition) else { continue };
        problems.push(match why {
            Untold::Logutil => Diagnostic::new(
                Code::ReadinessUnused,
                format!("`{}` waits for a readiness that `logutil-service` never tells", service.name),
            )
            .at(fd.origin, "remove this file: a logger that is started is ready")
            .at(place(&script, LOGUTIL), "it does not know of descriptors"),
            Untold::NotMentioned => Diagnostic::new(
                Code::ReadinessUnused,
                format!("nothing in `run` of `{}` mentions descriptor {}", service.name, fd.value),
            )
            .at(fd.origin, "the program is expected to write a line there when it is ready")
            .at(script.origin, "it would have to know the number")
            .help(
                "pass the number to the program, put `s6-notifyoncheck` before it, or remove `notification-fd`: a program \
                 that never writes never counts as up",
            ),
        });
    }
}

/// Why nobody tells that a service is ready.
enum Untold {
    Logutil,
    NotMentioned,
}

/// The descriptor on which nobody tells that the service is ready.
fn untold<'a>(
    service: &'a Service,
    definition: &'a Definition,
) -> Option<(&'a Written<u32>, Started<'a>, Untold)> {
    let fd = service.longrun()?.notification_fd.as_ref().filter(|fd| fd.value >= 3)?;
    let script = run(service, definition)?;
    if !matches!(script.language, Language::Shell | Language::Execline) {
        return None;
    }
    if script.has_word(LOGUTIL) {
        return Some((fd, script, Untold::Logutil));
    }
    let number = fd.value.to_string();
    let is_mentioned = script.text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits == number);
    let hints = ["notif", "NOTIF", "ready", "READY", "./data/", ".sh", "/etc/s6-overlay", "--fd", "source "];
    let is_known =
        is_mentioned || hints.iter().any(|hint| script.text.contains(hint)) || starts_unknown(&script);
    (!is_known).then_some((fd, script, Untold::NotMentioned))
}

/// Whether the last command may be a script or a wrapper of the image, which may well know the descriptor.
fn starts_unknown(script: &Started<'_>) -> bool {
    let Some(last) = script.code().last() else { return true };
    let words: Vec<&str> = last.words().collect();
    words.iter().any(|word| {
        word.starts_with('$')
            || ["/usr/local/", "/app/", "/opt/", "/root/", "/docker"].iter().any(|dir| word.starts_with(dir))
    })
}

fn place(script: &Started<'_>, word: &str) -> Origin {
    script.text.find(word).map_or(script.origin, |at| script.at(at..at + word.len()))
}

/// `s6-notifyoncheck` finds what it needs.
pub(in crate::validate) fn checks_can_work(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let Some(script) = run(service, definition).filter(|script| script.text.contains(CHECKER)) else {
            continue;
        };
        let checked = script.code().find(|line| line.words().any(|word| word.ends_with(CHECKER)));
        let (Some(line), Some(longrun)) = (checked, service.longrun()) else { continue };
        let name = &service.name;
        let at = script.at(line.span_of(CHECKER));
        let report = |message: String| Diagnostic::new(Code::ReadinessCheck, message);
        if longrun.notification_fd.is_none() {
            problems.push(
                report(format!("`{name}` checks its readiness, but has no `notification-fd`"))
                    .at(at, "it has nowhere to tell what it finds: `invalid argument`")
                    .help("write `3` into `notification-fd`"),
            );
        }
        if let Some((origin, word)) = before_check(&script, &line) {
            let (message, label) = match word {
                "cd" => {
                    ("leaves the service directory before `s6-notifyoncheck`", "`s6-supervise not running`")
                }
                _ => (
                    "drops its rights before `s6-notifyoncheck`",
                    "`unable to sanity-check current service directory: Permission denied`",
                ),
            };
            problems.push(
                report(format!("`run` of `{name}` {message}"))
                    .at(origin, format!("the check then ends with {label}"))
                    .at(at, "this needs the service directory and the supervisor's rights")
                    .help(format!("move it behind `s6-notifyoncheck …`: what stands there runs as the program does, `s6-notifyoncheck … {word} …`")),
            );
        }
        let Some(options) = options(&line) else { continue };
        if !options.has_check {
            problems.extend(missing_check(
                service,
                definition.called.iter().find(|c| c.path == "data/check"),
                at,
            ));
        }
        if options.tries.is_none() {
            problems.push(few_tries(service, &options, at));
        }
    }
}

fn missing_check(service: &Service, check: Option<&Called>, at: Origin) -> Option<Diagnostic> {
    let called = check?;
    let name = &service.name;
    let problem = |message: String| Diagnostic::new(Code::ReadinessCheck, message);
    match &called.found {
        Found::Nothing => Some(
            problem(format!("`{name}` checks its readiness by `data/check`, which does not exist"))
                .at(at, "without `-c` it runs `./data/check`")
                .help("write the script, or name a command with `-c`"),
        ),
        Found::File { executable: false, .. } => Some(
            Diagnostic::new(Code::NotExecutable, format!("`data/check` of `{name}` is not executable"))
                .at(called.origin, "s6-rc copies its mode as it is, and the check cannot run it")
                .at(at, "without `-c` it runs `./data/check`")
                .help("`chmod +x` it; git keeps that with `git update-index --chmod=+x`"),
        ),
        Found::File { bytes, .. } => super::shebangs::report(service, "data/check", called.origin, bytes),
        Found::Something => None,
    }
}

/// What stands before the check and takes away what it needs.
fn before_check(script: &Started<'_>, check: &Line<'_>) -> Option<(Origin, &'static str)> {
    let drops = ["s6-setuidgid", "s6-applyuidgid", "su-exec", "gosu", "setpriv"];
    // In one command with the check, everything before it counts.
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
    let before: Vec<Line<'_>> = script.code().take_while(|line| line.start < check.start).collect();
    let is_execline = script.language == Language::Execline;
    let blocks =
        |line: &Line<'_>| line.text.starts_with(['(', '{']) || (is_execline && line.text.contains('{'));
    if moves(&same) && !head.trim_start().starts_with('(') {
        return Some((script.at(same.span_of("cd")), "cd"));
    }
    // A shell may come to these lines or not, so only what stands at the left edge counts.
    let at_edge = |line: &Line<'_>| line.start == 0 || script.text[..line.start].ends_with('\n');
    if let Some(line) = before.iter().find(|line| moves(line) && at_edge(line) && !blocks(line)) {
        return Some((script.at(line.span()), "cd"));
    }
    let dropped = before.iter().filter(|line| is_execline && !blocks(line));
    dropped
        .filter_map(|line| Some((line, drops.into_iter().find(|drop| line.words().next() == Some(drop))?)))
        .map(|(line, word)| (script.at(line.span()), word))
        .next()
}

/// The options of the check, as they are written.
#[derive(Default)]
struct Options<'a> {
    has_check: bool,
    tries: Option<&'a str>,
    initial_sleep: Option<&'a str>,
    waiting_time: Option<&'a str>,
    global_timeout: Option<&'a str>,
}

/// How many tries there are without `-n`.
const TRIES: u64 = 7;

impl<'a> Options<'a> {
    /// Takes note of an option, by the name or the letter that the program knows.
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

    /// When the last try begins, in milliseconds after the start, and what the limit for all of them is; nothing where
    /// a value is not known.
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

/// A time as a person says it.
fn about(milliseconds: u64) -> String {
    match milliseconds {
        ..950 => format!("{milliseconds} ms"),
        _ => format!("{} s", (milliseconds + 500) / 1000),
    }
}

/// What is wrong with a check that has the default number of tries.
fn few_tries(service: &Service, options: &Options<'_>, at: Origin) -> Diagnostic {
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
    Diagnostic::new(Code::ReadinessCheck, format!("the readiness check of `{name}` gives up {what}"))
        .at(at, label)
        .help("write `s6-notifyoncheck -n 0 …` for as many tries as it needs, and a limit into `timeout-up`")
}

/// The options of the check; nothing if a variable may hold some.
fn options<'a>(line: &Line<'a>) -> Option<Options<'a>> {
    let rest = &line.text[line.text.find(CHECKER)? + CHECKER.len()..];
    let mut options = Options::default();
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

/// A quoted value may hold blanks: reads on to its end.
fn skip_quoted<'a>(value: &str, words: &mut impl Iterator<Item = &'a str>) {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote
        && !(value.len() > 1 && value.ends_with(quote))
    {
        words.find(|word| word.ends_with(quote));
    }
}

/// A start that waits for readiness has a limit. It is one decision for a tree, and so it is one report.
pub(in crate::validate) fn is_limited(index: &Index<'_>, problems: &mut Problems) {
    let unlimited = definitions(index).filter_map(|(service, definition)| {
        let longrun = service.longrun().filter(|longrun| longrun.timeout_up == 0)?;
        let fd = longrun.notification_fd.as_ref()?;
        // What is never told at all is reported for that.
        untold(service, definition).is_none().then_some((service, fd))
    });
    let found: Vec<_> = unlimited.collect();
    let Some((service, fd)) = found.first() else { return };
    let name = &service.name;
    let mut problem = Diagnostic::new(
        Code::ReadinessUnlimited,
        format!("the start waits for ever if `{name}` never tells that it is ready"),
    )
    .at(fd.origin, "without `timeout-up` there is no limit to this")
    .help("write milliseconds into `timeout-up`, such as `60000`");
    if found.len() > 1 {
        problem = problem.note(format!(
            "the same holds for {}",
            listed(found[1..].iter().map(|(service, _)| &service.name))
        ));
    }
    problems.push(problem);
}
