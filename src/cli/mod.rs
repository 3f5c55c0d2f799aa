//! The command line: arguments, streams and exit codes. The only room that prints.

mod apply;
mod arguments;
mod build;
mod check;
mod completions;
mod control;
mod diff;
mod explain;
mod fmt;
mod graph;
mod import;
mod init;
mod instance;
mod man;
mod plan;
mod progress_line;
mod rules;
mod schema;
mod show;
mod status;
mod streams;
mod variables;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::jobs::control::{restart, start, stop};
use crate::live::{InstalledPrograms, Programs};
use crate::model::printable;
use crate::report::{Format, Style};
use arguments::InputArguments;
use control::ServicesArguments;
use progress_line::ProgressLine;
use streams::{Outcome, Streams};

/// What `s6gen --help` prints: the first steps, and the commands by what one wants to do.
const HELP: &str = "\
{name} makes the service files of a container with s6-overlay from one file, services.toml.

Begin with:
  s6gen init                   writes a first services.toml, with comments
  s6gen check                  says what is wrong in it, where, and what to do
  s6gen graph                  shows what starts, and in which order
  s6gen build --root rootfs    writes the files for the image below rootfs

Commands:
  write a manifest             init import fmt
  find mistakes                check explain rules
  see what it does             graph plan show diff variables
  write the files              build
  while the container runs     status start stop restart
  change what runs             instance apply
  for your editor and shell    schema completions man

`s6gen help COMMAND` has the options of a command, with examples; `s6gen --version` the version.
Reports have colours on a terminal; --color=never or --color=always changes that.
Exit codes: 0 success, 1 problems or a difference, 2 wrong usage, 3 the system refused.
";

/// Compiles one services.toml into a complete s6-rc source directory for s6-overlay
#[derive(Debug, Parser)]
#[command(name = "s6gen", bin_name = "s6gen", version, max_term_width = 100, help_template = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: CliCommand,
    /// Whether reports have colours. `auto`: on a terminal, unless NO_COLOR is set; CLICOLOR_FORCE asks for them
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, hide_possible_values = true, value_name = "auto|always|never", require_equals = true)]
    color: Colour,
}

/// Whether reports have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    Build(build::BuildArguments),
    Check(check::CheckArguments),
    Diff(diff::DiffArguments),
    Graph(graph::GraphArguments),
    Show(show::ShowArguments),
    Plan(plan::PlanArguments),
    Variables(variables::VariablesArguments),
    Explain(explain::ExplainArguments),
    Rules(rules::RulesArguments),
    Init(init::InitArguments),
    Schema(schema::SchemaArguments),
    Completions(completions::CompletionsArguments),
    Man(man::ManArguments),
    #[command(hide = true)]
    CompleteWord(completions::CompleteArguments),
    Fmt(fmt::FmtArguments),
    Import(import::ImportArguments),
    Instance(instance::InstanceArguments),
    Apply(apply::ApplyArguments),
    Status(status::StatusArguments),
    /// Starts services and everything that they depend on
    Start(ServicesArguments),
    /// Stops services and everything that depends on them
    Stop(ServicesArguments),
    /// Stops services and what depends on them, and starts them again
    Restart(ServicesArguments),
}

impl CliCommand {
    /// Whether this command may stop the service that calls it and still runs in the process group of that service.
    fn may_stop_caller(&self) -> bool {
        match self {
            CliCommand::Apply(apply) => apply.may_stop_caller(),
            CliCommand::Instance(instance) => instance.may_stop_caller(),
            CliCommand::Stop(services) | CliCommand::Restart(services) => services.may_stop_caller(),
            _ => false,
        }
    }

    /// The format for programs and the name of the command, if a program is to read the answer.
    fn for_program(&self) -> Option<(&'static Format, &'static str)> {
        let (format, name) = match self {
            CliCommand::Check(check) => (check.format.for_program(), "check"),
            CliCommand::Diff(diff) => (diff.format.for_program(), "diff"),
            CliCommand::Graph(graph) => (graph.for_program(), "graph"),
            CliCommand::Show(show) => (show.format.for_program(), "show"),
            CliCommand::Plan(plan) => (plan.for_program(), "plan"),
            CliCommand::Variables(variables) => (variables.for_program(), "variables"),
            CliCommand::Instance(instance) => (instance.for_program(), "instance list"),
            CliCommand::Import(import) => (import.format.for_program(), "import"),
            CliCommand::Rules(rules) => (rules.format.for_program(), "rules"),
            CliCommand::Apply(apply) => (apply.format.for_program(), "apply"),
            CliCommand::Status(status) => (status.format.for_program(), "status"),
            _ => return None,
        };
        Some((format?, name))
    }

    /// The number of words in the command's name.
    fn words(&self) -> usize {
        if matches!(self, CliCommand::Instance(_)) { 2 } else { 1 }
    }
}

/// The commands that answer in JSON.
const ANSWERING: &[&str] = &[
    "apply",
    "check",
    "diff",
    "graph",
    "import",
    "instance list",
    "plan",
    "rules",
    "show",
    "status",
    "variables",
];

/// The name of every command that people call.
pub fn command_names() -> Vec<String> {
    let command = Arguments::command();
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

/// Runs the program with the arguments and streams of this process.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the function that opens the streams which cli prints to"
)]
pub fn main() -> ExitCode {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_forced =
        is_set("CLICOLOR_FORCE") && std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let colours = !is_set("NO_COLOR") && (is_forced || io::stderr().is_terminal());
    let style = if colours { Style::Coloured } else { Style::Plain };
    let terminal = terminal_size::terminal_size_of(io::stdout());
    let width = terminal.map(|(width, _)| usize::from(width.0).clamp(40, 120));
    // A thread that panics prints a message. It must not wait for a lock that this thread holds.
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let mut streams = Streams::new(&mut out, &mut err, style, width);
    let is_smart = std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb");
    // A person who types a manifest needs the line.
    let is_typed = io::stdin().is_terminal() && std::env::args_os().any(|argument| argument == "-");
    if io::stderr().is_terminal() && is_smart && !is_typed {
        streams.show_progress(ProgressLine::start(io::stderr()));
    }
    run_in(std::env::args_os(), streams, &mut InstalledPrograms)
}

/// Runs the program. The answer goes to `out`, reports and messages go to `err`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
    style: Style,
) -> ExitCode {
    run_with(arguments, out, err, style, &mut InstalledPrograms)
}

/// Runs the program, and starts the programs of s6 through `programs`.
pub fn run_with(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
    style: Style,
    programs: &mut dyn Programs,
) -> ExitCode {
    run_in(arguments, Streams::new(out, err, style, None), programs)
}

fn run_in(
    arguments: impl IntoIterator<Item = OsString>,
    mut streams: Streams<'_>,
    programs: &mut dyn Programs,
) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut words = arguments.get(1..).unwrap_or_default().to_vec();
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_failure = error.use_stderr();
            let text = printable_error(error);
            if is_failure {
                if let Some((format, command)) = asked_format(&words) {
                    streams.answer_in(format, command);
                }
                streams.tell_lines(&text);
                return streams.end(Outcome::Misused).into();
            }
            streams.say(&text);
            return streams.end(Outcome::Success).into();
        }
    };
    let input = match &arguments.command {
        CliCommand::Check(check) => Some(&check.input),
        CliCommand::Graph(graph) => Some(&graph.input),
        CliCommand::Plan(plan) => Some(&plan.input),
        _ => None,
    };
    if let Some(text) = input.and_then(InputArguments::misuse) {
        let error = Arguments::command().error(ErrorKind::TooManyValues, text);
        if let Some((format, command)) = arguments.command.for_program() {
            streams.answer_in(format, command);
        }
        streams.tell_lines(&error.render().to_string());
        return streams.end(Outcome::Misused).into();
    }
    // A command that stops the service that called it must survive that stop.
    if arguments.command.may_stop_caller() && !crate::live::leave_group() {
        // After `--` the option would be taken for a name.
        let is_option = |word: &&OsString| word.as_encoded_bytes().starts_with(b"-");
        let before = words.iter().take_while(is_option).count();
        words.insert((before + arguments.command.words()).min(words.len()), "--apart".into());
        // The other process shows a line of its own.
        streams.hide_progress();
        return crate::live::run_in_own_group(&words).unwrap_or_else(|error| {
            streams.tell(&format!("s6gen: cannot start itself: {error}"));
            Outcome::Refused.into()
        });
    }
    match arguments.color {
        Colour::Auto => {}
        Colour::Always => streams.paint(Style::Coloured),
        Colour::Never => streams.paint(Style::Plain),
    }
    if let Some((format, name)) = arguments.command.for_program() {
        streams.answer_in(format, name);
    }
    let outcome = match arguments.command {
        CliCommand::Build(build) => build.run(&mut streams),
        CliCommand::Check(check) => check.run(&mut streams, programs),
        CliCommand::Diff(diff) => diff.run(&mut streams, programs),
        CliCommand::Graph(graph) => graph.run(&mut streams),
        CliCommand::Show(show) => show.run(&mut streams),
        CliCommand::Plan(plan) => plan.run(&mut streams, programs),
        CliCommand::Variables(variables) => variables.run(&mut streams),
        CliCommand::Explain(explain) => explain.run(&mut streams),
        CliCommand::Rules(rules) => rules.run(&mut streams),
        CliCommand::Init(init) => init.run(&mut streams),
        CliCommand::Schema(schema) => schema.run(&mut streams),
        CliCommand::Completions(completions) => completions.run(&mut streams),
        CliCommand::Man(man) => man.run(Arguments::command(), &mut streams),
        CliCommand::CompleteWord(word) => word.run(Arguments::command(), &mut streams),
        CliCommand::Fmt(fmt) => fmt.run(&mut streams),
        CliCommand::Import(import) => import.run(&mut streams, programs),
        CliCommand::Instance(instance) => instance.run(&mut streams, programs),
        CliCommand::Apply(apply) => apply.run(&mut streams, programs),
        CliCommand::Status(status) => status.run(&mut streams, programs),
        CliCommand::Start(services) => services.run(&mut streams, programs, start),
        CliCommand::Stop(services) => services.run(&mut streams, programs, stop),
        CliCommand::Restart(services) => services.run(&mut streams, programs, restart),
    };
    streams.end(outcome).into()
}

/// The format that arguments ask for which could not be read, and the command: a program that reads the answer gets a document in
/// this case too.
fn asked_format(words: &[OsString]) -> Option<(&'static Format, &'static str)> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let follows = |pair: &[&str]| (pair[0] == "--format").then(|| pair[1].to_owned());
    let joined = |word: &&str| word.strip_prefix("--format=").map(str::to_owned);
    let is_json = words.contains(&"--json").then(|| "json".to_owned());
    let name = words.windows(2).find_map(follows).or_else(|| words.iter().find_map(joined)).or(is_json)?;
    // Options may stand before the command.
    let names = command_names();
    let command = words.iter().find(|word| names.iter().any(|name| name == *word))?;
    let command = ANSWERING.iter().find(|known| known.split(' ').next() == Some(command))?;
    Some((arguments::format_named(&name)?, command))
}

/// The text of an error in the arguments. It repeats some of them; none of these begins a line.
fn printable_error(mut error: clap::Error) -> String {
    let escape = |text: &String| printable(text).into_owned();
    let repeats = |kind: &ContextKind| *kind != ContextKind::Usage;
    let said: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter(|(kind, _)| repeats(kind))
        .filter_map(|(kind, value)| {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(escape(text)),
                ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(escape).collect()),
                ContextValue::StyledStrs(texts) => {
                    let escape = |text: &StyledStr| escape(&text.to_string()).into();
                    ContextValue::StyledStrs(texts.iter().map(escape).collect())
                }
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    for (kind, value) in said {
        error.insert(kind, value);
    }
    error.render().to_string()
}
