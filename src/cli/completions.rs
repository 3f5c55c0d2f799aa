//! `s6gen completions`: prints the script by which a shell completes the arguments of s6gen, and answers such a script.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, Args, Command, ValueHint};
use clap_complete::engine::{CompletionCandidate, complete};

use super::streams::{Outcome, Streams};
use crate::jobs;
use crate::manifest::REFERENCE;
use crate::programs::PROGRAMS;
use crate::templates::{BASH_COMPLETION, FISH_COMPLETION, ZSH_COMPLETION};
use crate::validate;

/// Prints the script by which a shell completes commands, options, rules and the names of services
///
/// The names are those of `services.toml` in the current directory. The script calls `s6gen` for them each time, which reads this
/// one file and nothing that it includes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    source <(s6gen completions bash)                                    in ~/.bashrc\n  \
    source <(s6gen completions zsh)                                     in ~/.zshrc, after `compinit`\n  \
    s6gen completions fish >~/.config/fish/completions/s6gen.fish")]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = shells())]
    shell: String,
}

/// What stands before the name of a program in `explain`.
const PROGRAM: &str = "program:";

fn shells() -> PossibleValuesParser {
    ["bash", "zsh", "fish"].map(PossibleValue::new).into()
}

impl CompletionsArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        streams.say_exactly(match self.shell.as_str() {
            "zsh" => ZSH_COMPLETION,
            "fish" => FISH_COMPLETION,
            _ => BASH_COMPLETION,
        });
        Outcome::Success
    }
}

/// What the script of a shell asks: how the word with this number can go on. Prints a line for each answer: the word, a tab, and
/// what it means. Without an answer the shell offers files.
#[derive(Debug, Args)]
pub(super) struct CompleteArguments {
    /// The number of the word, from 0
    position: usize,
    /// The words of the command line
    #[arg(last = true)]
    words: Vec<OsString>,
}

impl CompleteArguments {
    pub(super) fn run(self, command: Command, streams: &mut Streams<'_>) -> Outcome {
        let mut words = self.words;
        if self.position > words.len() {
            streams.tell("s6gen: the word to complete is one of those behind `--`, or the next one");
            return Outcome::Misused;
        }
        // A shell leaves out a word of which nothing is typed.
        if self.position == words.len() {
            words.push(OsString::new());
        }
        let is_option = words[self.position].as_encoded_bytes().starts_with(b"-");
        // A shell quotes the names of files that it completes itself.
        let Ok(found) = complete(&mut without_paths(command), words, self.position, None) else {
            return Outcome::Success;
        };
        for candidate in found {
            let (Some(word), help) = (candidate.get_value().to_str(), candidate.get_help()) else { continue };
            if word.starts_with('-') == is_option {
                let help = help.map(ToString::to_string).unwrap_or_default();
                streams.say_exactly(&format!("{word}\t{}\n", help.lines().next().unwrap_or_default()));
            }
        }
        Outcome::Success
    }
}

fn without_paths(command: Command) -> Command {
    let without = |argument: Arg| match argument.get_value_hint() {
        ValueHint::Unknown => argument,
        _ => argument.value_hint(ValueHint::Other),
    };
    command.mut_args(without).mut_subcommands(without_paths)
}

fn candidates(kinds: &[&str]) -> Vec<CompletionCandidate> {
    let names =
        jobs::written_names(Path::new("services.toml")).into_iter().filter(|name| kinds.contains(&name.kind));
    names.map(|name| CompletionCandidate::new(name.name).help(Some(name.kind.into()))).collect()
}

/// The services and bundles of the manifest in the current directory.
pub(super) fn services() -> Vec<CompletionCandidate> {
    candidates(&["longrun", "oneshot", "bundle", "template", "instance"])
}

/// The templates of the manifest in the current directory.
pub(super) fn templates() -> Vec<CompletionCandidate> {
    candidates(&["template"])
}

/// The names of rules, without `lint::`.
pub(super) fn rules() -> Vec<CompletionCandidate> {
    let names = jobs::rules().map(|rule| rule.slug().rsplit("::").next().unwrap_or_default());
    names.chain(["all"]).map(CompletionCandidate::new).collect()
}

/// What `explain` explains, if the word begins with `current`. The many programs are offered only behind `program:`.
pub(super) fn explained(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_str().unwrap_or_default();
    if current.starts_with(PROGRAM) {
        let programs = PROGRAMS.iter().flat_map(|known| known.names.iter().map(|name| (name, known.about)));
        let named = programs.map(|(name, about)| (format!("{PROGRAM}{name}"), about));
        let fitting = named.filter(|(name, _)| name.starts_with(current));
        return fitting
            .map(|(name, about)| CompletionCandidate::new(name).help(Some(about.into())))
            .collect();
    }
    let codes = validate::codes().map(|code| code.slug());
    let keys = REFERENCE.iter().flat_map(|(_, _, keys)| keys()).map(|key| key.name);
    let tables =
        REFERENCE.iter().map(|(heading, ..)| heading.trim_matches(['[', ']']).trim_end_matches(".NAME"));
    let mut names: Vec<&str> =
        codes.chain(keys).chain(tables).chain(["manifest", "all-codes", PROGRAM]).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter(|name| name.starts_with(current)).map(CompletionCandidate::new).collect()
}
