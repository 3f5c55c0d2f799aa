//! `s6gen man`: writes the pages for `man`.

use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Arg, ArgAction, Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::streams::{Outcome, Streams};
use crate::diagnostic::Files;
use crate::disk::{self, DiskError};

/// Writes a page for `man` for s6gen and for each of its commands
///
/// Pages that s6gen has written before are replaced. If a file of the same name comes from elsewhere, nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen man ~/.local/share/man/man1          then: man s6gen-build\n  \
    s6gen man /usr/local/share/man/man1        for everyone; as root")]
pub(super) struct ManArguments {
    /// The directory for the pages; it is made if it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// The first line of each page, by which s6gen knows its own.
const MARK: &str = ".\\\" Made by `s6gen man`.\n";

impl ManArguments {
    pub(super) fn run(&self, command: Command, streams: &mut Streams<'_>) -> Outcome {
        match self.write(command) {
            Ok(count) => {
                streams.tell(&format!("wrote {count} pages to {}", self.folder.display()));
                Outcome::Success
            }
            Err(error) => {
                streams.report(&[error.diagnostic()], &Files::default());
                match error {
                    DiskError::Exists(_) => Outcome::Misused,
                    DiskError::Refused(_) => Outcome::Refused,
                }
            }
        }
    }

    fn write(&self, command: Command) -> Result<usize, DiskError> {
        let pages = pages(command);
        for (name, _) in &pages {
            let path = self.folder.join(name);
            let is_ours = || -> Result<bool, DiskError> {
                Ok(disk::is_file(&path)
                    && !disk::is_link(&path)
                    && disk::read(&path)?.starts_with(MARK.as_bytes()))
            };
            if (disk::is_there(&path) || disk::is_link(&path)) && !is_ours()? {
                return Err(DiskError::Exists(path));
            }
        }
        for (name, text) in &pages {
            let path = self.folder.join(name);
            match disk::is_there(&path) {
                true => disk::replace_file(&path, text.as_bytes())?,
                false => disk::create_new(&path, text)?,
            }
        }
        Ok(pages.len())
    }
}

/// The name and the text of each page.
fn pages(command: Command) -> Vec<(String, String)> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add_pages(&command, &mut pages);
    pages
}

fn add_pages(command: &Command, pages: &mut Vec<(String, String)>) {
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let man = Man::new(command.clone().override_usage(synopsis(command)).after_help(Resettable::Reset))
        .source(concat!("s6gen ", env!("CARGO_PKG_VERSION")));
    let name = man.get_filename();
    let mut text = MARK.as_bytes().to_vec();
    if man.render(&mut text).is_ok() {
        let text = mended(&String::from_utf8_lossy(&text));
        pages.push((name, text + &examples_section(&examples)));
    }
    command.get_subcommands().filter(|inner| !inner.is_hide_set()).for_each(|inner| add_pages(inner, pages));
}

/// How the command is called: each option with its value.
fn synopsis(command: &Command) -> String {
    let mut parts = vec![command.get_bin_name().unwrap_or(command.get_name()).to_owned()];
    let (positionals, options): (Vec<&Arg>, Vec<&Arg>) = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
        .partition(|one| one.is_positional());
    for argument in options.into_iter().chain(positionals) {
        let short = argument.get_short().map(|short| format!("-{short}"));
        let long = argument.get_long().map(|long| format!("--{long}"));
        let names = short.into_iter().chain(long).collect::<Vec<_>>().join("|");
        let takes_value = argument.is_positional() || argument.get_action().takes_values();
        let values = argument.get_value_names().filter(|_| takes_value).unwrap_or_default();
        let value = values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let is_optional = argument.get_num_args().is_some_and(|count| count.min_values() == 0);
        let text = match (names.is_empty(), value.is_empty()) {
            (true, _) => value,
            (_, true) => names,
            _ if argument.is_require_equals_set() && is_optional => format!("{names}[={value}]"),
            _ => format!("{names} {value}"),
        };
        let text = if argument.is_required_set() { text } else { format!("[{text}]") };
        parts.push(if matches!(argument.get_action(), ArgAction::Append) { text + "..." } else { text });
    }
    if command.has_subcommands() {
        parts.push("COMMAND".to_owned());
    }
    parts.join(" ")
}

/// A page in the form that `man` expects: an empty date keeps its place, and a blank line is no break beside breaks.
fn mended(page: &str) -> String {
    page.replacen(" 1  \"", " 1 \"\" \"", 1).replace("\n.br\n\n.br\n", "\n.sp\n")
}

/// The text that stands behind the options in the help: lines of examples, then paragraphs.
fn examples_section(text: &str) -> String {
    let mut roff = Roff::new();
    let mut paragraphs = text.split("\n\n");
    if let Some((heading, lines)) = paragraphs.next().and_then(|first| first.split_once(":\n")) {
        roff.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
        lines.lines().for_each(|line| {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        });
        roff.control("fi", []);
    }
    for paragraph in paragraphs {
        roff.control("PP", []).text([roman(paragraph)]);
    }
    roff.to_roff()
}
