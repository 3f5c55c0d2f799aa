//! `s6gen explain`: explains codes, keys and tables.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::completions;
use super::streams::{Outcome, Streams};
use crate::diagnostic::{Code, FixKind, Severity, did_you_mean};
use crate::manifest::REFERENCE;
use crate::picture::listed;
use crate::programs::{KnownProgram, PROGRAMS};
use crate::{render, validate};

/// Explains a kind of problem, or a key or table of the manifest
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen explain s6rc::dependency-cycle\n  \
    s6gen explain timeout-up          what a key means\n  \
    s6gen explain ready               the keys of a table, such as target, longrun, log or on-exit\n  \
    s6gen explain program:nginx       a well-known program, and its lines in a manifest\n  \
    s6gen explain manifest            the whole reference of the language\n  \
    s6gen explain all-codes           the page of every code\n  \
    s6gen explain                     lists every code")]
pub(super) struct ExplainArguments {
    /// The code that a report prints; a key or table of the manifest; `program:` and the name of a program; `manifest` or
    /// `all-codes`
    #[arg(value_name = "CODE|KEY|TABLE|program:NAME|manifest|all-codes", add = ArgValueCompleter::new(completions::explained))]
    code: Option<String>,
}

/// The width of text if the width of the terminal is unknown.
const WIDTH: usize = 100;
/// The width of the pages in `docs`.
const PAGE_WIDTH: usize = 120;
/// The column in which the list of codes gives their meaning.
const MEANING: usize = 34;

impl ExplainArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let width = streams.width.unwrap_or(WIDTH);
        let Some(wanted) = &self.code else {
            streams.say(&list(width));
            return Outcome::Success;
        };
        if let Some(code) = validate::codes().find(|code| code.slug() == wanted) {
            streams.say(&format!("{}\n\n{}", code.slug(), page(code)));
            return Outcome::Success;
        }
        let is_short = |code: &Code| code.slug().rsplit_once("::").is_some_and(|(_, name)| name == wanted);
        if let Some(code) = validate::codes().find(is_short) {
            streams.say(&format!("{}\n\n{}", code.slug(), page(code)));
            return Outcome::Success;
        }
        if wanted == "all-codes" {
            streams.say(&pages());
            return Outcome::Success;
        }
        if wanted == "manifest" {
            // A file or a pipe gets the Markdown.
            let reference = render::reference();
            streams.say(&streams.width.map_or(reference.clone(), |width| render::fitted(&reference, width)));
            return Outcome::Success;
        }
        if let Some(name) = wanted.strip_prefix("program:") {
            return explain_program(name, width, streams);
        }
        let table = wanted.trim_matches(['[', ']']).trim_end_matches(".NAME");
        let text = keys(table, width) + &tables(table, width);
        if !text.is_empty() {
            streams.say(&text);
            return Outcome::Success;
        }
        if KnownProgram::find(wanted).is_some() {
            return explain_program(wanted, width, streams);
        }
        let known = REFERENCE.iter().flat_map(|(_, _, keys)| keys()).map(|key| key.name);
        let near = did_you_mean(wanted, validate::codes().map(|code| code.slug()).chain(known));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`s6gen explain` lists the codes, `s6gen explain manifest` shows the keys".into(),
        };
        streams.tell(&format!("s6gen: there is no code, no key and no table `{wanted}`; {help}"));
        Outcome::Problems
    }
}

/// Explains a well-known program.
fn explain_program(name: &str, width: usize, streams: &mut Streams<'_>) -> Outcome {
    if let Some(known) = KnownProgram::find(name) {
        streams.say(&render::program(known, width));
        return Outcome::Success;
    }
    let names = PROGRAMS.iter().flat_map(|program| program.names).copied();
    let help = match did_you_mean(name, names) {
        Some(near) => format!("did you mean `program:{near}`?"),
        None => "s6gen knows about 200 well-known programs, and this is none of them".to_owned(),
    };
    streams.tell(&format!("s6gen: nothing is known of the program `{name}`; {help}"));
    Outcome::Problems
}

/// The page of every code, as Markdown.
fn pages() -> String {
    let mut text = String::from(
        "# Everything that s6gen can report\n\n\
         `s6gen explain CODE` prints the same. The first part of a code is the area: `manifest::` is the language,\n\
         `s6rc::` errors at which s6-rc-compile stops too, `overlay::` s6-overlay, `output::` the disk, `live::` the running\n\
         system, `levels::` what silences rules, `script::` other programs that read scripts, `lint::` warnings.\n",
    );
    let area = |code: Code| code.slug().split_once("::").map_or("", |(area, _)| area);
    let mut areas: Vec<&str> = Vec::new();
    for code in validate::codes() {
        if !areas.contains(&area(code)) {
            areas.push(area(code));
        }
    }
    for wanted in areas {
        let codes = validate::codes().filter(|code| area(*code) == wanted);
        let links = codes.map(|code| {
            let (_, name) = code.slug().split_once("::").unwrap_or_default();
            format!("[{name}]({})", code.page().trim_start_matches("docs/codes.md"))
        });
        let links: Vec<String> = links.collect();
        text +=
            &format!("\n{}", render::wrapped(&format!("`{wanted}::` {}", links.join(", ")), PAGE_WIDTH, ""));
    }
    for code in validate::codes() {
        text += &format!("\n## {}\n\n{}", code.slug(), page(code));
    }
    text
}

/// The page of a code.
fn page(code: Code) -> String {
    let lines = code.explanation().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
    let mut text: String = lines.map(|line| format!("{line}\n")).collect();
    if code.severity() == Severity::Advice {
        text += "\nThis is advice. `--warn RULE`, or `[lints]` in the manifest, makes s6gen report it.\n";
    }
    text += &match code.fix_kind() {
        FixKind::Safe => "\n`s6gen check --fix` solves it.\n".to_owned(),
        FixKind::Unsafe => "\n`s6gen check --fix --unsafe` changes what is probably meant.\n".to_owned(),
        FixKind::Without(reason) => format!("\n`s6gen check --fix` does not solve it: {reason}.\n"),
    };
    text
}

/// Every code with the first sentence of its explanation.
fn list(width: usize) -> String {
    let indent = " ".repeat(MEANING);
    let mut text = String::new();
    for code in validate::codes() {
        let lines = code.explanation().lines().map(str::trim).take_while(|line| !line.is_empty());
        let paragraph = lines.collect::<Vec<_>>().join(" ");
        let sentence = paragraph.split_inclusive(". ").next().unwrap_or_default().trim();
        let sentence = render::wrapped(sentence, width.max(2 * MEANING), &indent);
        // The code stands in the indent of the first line. If it is too long for that, it gets a line of its own.
        match code.slug().len() < MEANING {
            true => text += &format!("{:MEANING$}{}", code.slug(), &sentence[MEANING..]),
            false => text += &format!("{}\n{sentence}", code.slug()),
        }
    }
    text
}

/// The meaning of a key in each table that has it. If it means the same in several tables, that is said once.
fn keys(wanted: &str, width: usize) -> String {
    let key = wanted.rsplit('.').next().unwrap_or(wanted);
    let mut meanings: Vec<(Vec<String>, &str, String)> = Vec::new();
    for (heading, _, keys) in REFERENCE {
        for known in keys().into_iter().filter(|known| known.name == key) {
            let (heading, meaning) = (format!("`{heading}`"), known.meaning());
            match meanings
                .iter_mut()
                .find(|(_, expected, text)| (*expected, text) == (known.expected, &meaning))
            {
                Some((headings, ..)) => headings.push(heading),
                None => meanings.push((vec![heading], known.expected, meaning)),
            }
        }
    }
    let text = meanings.into_iter().map(|(headings, expected, meaning)| {
        format!("`{key}` in {}: {expected}\n", listed(&headings, usize::MAX))
            + &render::wrapped(&meaning, width, "  ")
    });
    text.collect()
}

/// The keys of a table.
fn tables(wanted: &str, width: usize) -> String {
    let Some(section) = render::reference_of(wanted) else { return String::new() };
    let text = render::fitted(&section, width);
    if REFERENCE.iter().any(|(_, _, keys)| keys().iter().any(|key| key.name == wanted)) {
        format!("\n{text}")
    } else {
        text
    }
}
