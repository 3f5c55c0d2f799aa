//! For people: arguments, streams and exit codes. The only room that prints.

mod apply;
mod build;
mod carried;
mod check;
mod control;
mod diff;
mod explain;
mod graph;
mod image;
mod init;
mod instance;
mod manifest;
mod system;
mod wanted;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::Compilation;
use crate::diagnostic::{Diagnostic, Files, Severity};
use crate::live::{Installed, Programs};
use crate::report::{self, Style};
use manifest::{ManifestArgument, TemplatesArgument};

/// Compiles one services.toml into a complete s6-rc source directory for s6-overlay.
#[derive(Debug, Parser)]
#[command(
    name = "s6gen",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  \
        s6gen init                        write a first services.toml\n  \
        s6gen build --root rootfs         compile it into rootfs/etc/s6-overlay\n  \
        s6gen check                       say everything that is wrong with it\n  \
        s6gen graph                       show what starts after what\n  \
        s6gen diff old.toml services.toml  show what changes, and what an update restarts\n  \
        s6gen apply                       make a running container what the manifest says now\n  \
        s6gen explain s6rc::dependency-cycle\n\n\
        Exit codes: 0 fine, 1 problems in the input or a difference, 2 wrong usage (of diff also problems in the \
        input), 3 the system refused."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Check(check::Check),
    Diff(diff::Diff),
    Graph(graph::Graph),
    Explain(explain::Explain),
    Init(init::Init),
    Instance(instance::Instance),
    Apply(apply::Apply),
    Status(control::Status),
    Start(control::Start),
    Stop(control::Stop),
    Restart(control::Restart),
}

impl Command {
    /// Whether it may stop the service that calls it, and does not run apart from that yet.
    fn may_stop_caller(&self) -> bool {
        match self {
            Command::Apply(apply) => apply.may_stop_caller(),
            Command::Instance(instance) => instance.may_stop_caller(),
            Command::Stop(stop) => stop.system.may_stop_caller(),
            Command::Restart(restart) => restart.system.may_stop_caller(),
            _ => false,
        }
    }

    /// Whether a program reads what it prints.
    fn prints_json(&self) -> bool {
        match self {
            Command::Check(check) => check.prints_json(),
            Command::Diff(diff) => diff.prints_json(),
            Command::Graph(graph) => graph.prints_json(),
            Command::Instance(instance) => instance.prints_json(),
            Command::Apply(apply) => apply.prints_json(),
            Command::Status(status) => status.prints_json(),
            _ => false,
        }
    }

    /// How many words name it.
    fn words(&self) -> usize {
        if matches!(self, Command::Instance(_)) { 2 } else { 1 }
    }
}

/// A manifest, or source directories that exist already.
#[derive(Debug, Args)]
struct Input {
    #[command(flatten)]
    manifest: ManifestArgument,
    /// An s6-rc source directory instead of a manifest; several in the order in which s6-rc-compile takes them
    #[arg(long, value_name = "DIR", group = "existing", conflicts_with = "manifest")]
    tree: Vec<PathBuf>,
    #[command(flatten)]
    image: image::Image,
}

impl Input {
    /// What the user named, for a report on the whole.
    fn name(&self) -> String {
        let trees: Vec<String> =
            self.tree.iter().chain(&self.image.root).map(|tree| tree.display().to_string()).collect();
        if trees.is_empty() { self.manifest.path().display().to_string() } else { trees.join(", ") }
    }

    /// What cannot be meant, although each argument can.
    fn misuse(&self) -> Option<&'static str> {
        let is_too_much = self.image.overlay.is_some() && self.tree.len() > 2;
        is_too_much.then_some(
            "with --overlay the first --tree is what comes into the image, a second one is S6_RUNTIME_BUNDLEDIR, and \
             there is no third; a base image is a --layer",
        )
    }

    /// Whether it is a manifest.
    fn is_manifest(&self) -> bool {
        self.tree.is_empty() && self.image.root.is_none()
    }

    /// Reads and judges it.
    fn compile(&self) -> (Files, Compilation) {
        if self.is_manifest() { self.manifest.compile() } else { self.image.compile(&self.tree) }
    }
}

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs; the shape is versioned
    Json,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fine,
    Problems,
    Misused,
    Refused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Fine => ExitCode::SUCCESS,
            Outcome::Problems => ExitCode::from(1),
            Outcome::Misused => ExitCode::from(2),
            Outcome::Refused => ExitCode::from(3),
        }
    }
}

/// Runs the program with the arguments and streams of this process.
pub fn main() -> ExitCode {
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let style = if colours { Style::Coloured } else { Style::Plain };
    let terminal = terminal_size::terminal_size_of(io::stdout());
    let width = terminal.map(|(width, _)| usize::from(width.0).clamp(40, 120));
    // A thread that panics says so, and must not wait for this one.
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    run_in(std::env::args_os(), Streams::new(&mut out, &mut err, style, width), &mut Installed)
}

/// Runs the program; what it finds goes to `err`, what it was asked for to `out`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
    style: Style,
) -> ExitCode {
    run_with(arguments, out, err, style, &mut Installed)
}

/// The same, with `programs` to start those of s6.
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
            let text = error.render().to_string();
            if error.use_stderr() {
                streams.tell(&text);
                return Outcome::Misused.into();
            }
            streams.say(&text);
            return streams.end(Outcome::Fine).into();
        }
    };
    let input = match &arguments.command {
        Command::Check(check) => Some(&check.input),
        Command::Graph(graph) => Some(&graph.input),
        _ => None,
    };
    if let Some(text) = input.and_then(Input::misuse) {
        let error = Arguments::command().error(ErrorKind::TooManyValues, text);
        streams.tell(&error.render().to_string());
        return Outcome::Misused.into();
    }
    // Who is stopped by what he has begun does not stop it.
    if arguments.command.may_stop_caller() && !crate::live::leave_group() {
        // Behind `--` it would be a name.
        words.insert(arguments.command.words().min(words.len()), "--apart".into());
        return crate::live::apart(&words).unwrap_or_else(|error| {
            streams.tell(&format!("s6gen: cannot start itself: {error}\n"));
            Outcome::Refused.into()
        });
    }
    streams.answer = arguments.command.prints_json().then(Answer::default);
    let outcome = match arguments.command {
        Command::Build(build) => build.run(&mut streams),
        Command::Check(check) => check.run(&mut streams),
        Command::Diff(diff) => diff.run(&mut streams, programs),
        Command::Graph(graph) => graph.run(&mut streams),
        Command::Explain(explain) => explain.run(&mut streams),
        Command::Init(init) => init.run(&mut streams),
        Command::Instance(instance) => instance.run(&mut streams, programs),
        Command::Apply(apply) => apply.run(&mut streams, programs),
        Command::Status(status) => status.run(&mut streams, programs),
        Command::Start(start) => start.run(&mut streams, programs),
        Command::Stop(stop) => stop.run(&mut streams, programs),
        Command::Restart(restart) => restart.run(&mut streams, programs),
    };
    streams.end(outcome).into()
}

/// How many problems a person reads. Each is drawn from its whole file, so a million of them would take for ever.
const MOST_REPORTS: usize = 1000;

/// Where output goes.
struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    style: Style,
    /// How many characters a line of the terminal has that reads standard output, if one does.
    width: Option<usize>,
    /// Why something that was asked for did not reach whoever asked.
    lost: Option<io::Error>,
    /// For a program that reads JSON, what it gets if the command says nothing else.
    answer: Option<Answer>,
}

/// Why a command did not do what a program asked for.
#[derive(Default)]
struct Answer {
    problems: Vec<serde_json::Value>,
    messages: Vec<String>,
}

impl<'a> Streams<'a> {
    fn new(out: &'a mut dyn Write, err: &'a mut dyn Write, style: Style, width: Option<usize>) -> Self {
        Streams { out, err, style, width, lost: None, answer: None }
    }

    /// What was asked for.
    fn say(&mut self, text: &str) {
        self.answer.take_if(|_| !text.is_empty());
        let said = self.out.write_all(text.as_bytes());
        self.note_lost(said);
    }

    fn note_lost(&mut self, said: io::Result<()>) {
        // A reader that goes away (`s6gen graph | head`) has enough.
        let lost = said.err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        self.lost = self.lost.take().or(lost);
    }

    /// Completes what was said; who cannot get it learns that.
    fn end(&mut self, outcome: Outcome) -> Outcome {
        if let Some(Answer { problems, messages }) = self.answer.take() {
            let shape = serde_json::json!({ "version": 1, "problems": problems, "messages": messages });
            self.say(&format!("{shape}\n"));
        }
        let flushed = self.out.flush();
        self.note_lost(flushed);
        match self.lost.take() {
            None => outcome,
            Some(error) => {
                self.tell(&format!("s6gen: cannot write to standard output: {error}\n"));
                Outcome::Refused
            }
        }
    }

    /// What a person should know.
    fn tell(&mut self, text: &str) {
        if let Some(answer) = &mut self.answer {
            answer.messages.extend(text.lines().map(str::to_owned));
        }
        self.write(text);
    }

    fn write(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
    }

    /// Every problem, then how many there are.
    fn report<'p>(&mut self, problems: impl IntoIterator<Item = &'p Diagnostic>, files: &Files) {
        let (mut errors, mut warnings) = (0, 0);
        for problem in problems {
            if let Some(answer) = &mut self.answer {
                answer.problems.push(report::json(problem, files));
            }
            match problem.severity {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
            }
            if errors + warnings <= MOST_REPORTS {
                let text = report::human(problem, files, self.style);
                self.write(&text);
            }
        }
        if errors + warnings > MOST_REPORTS {
            let rest = errors + warnings - MOST_REPORTS;
            self.write(&format!("{rest} more are not shown; `s6gen check --format json` lists all\n"));
        }
        let count = |n: usize, what: &str| match n {
            0 => None,
            1 => Some(format!("1 {what}")),
            n => Some(format!("{n} {what}s")),
        };
        let counts: Vec<String> =
            [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
        if !counts.is_empty() {
            self.write(&format!("{}; `s6gen explain CODE` says more about each\n", counts.join(", ")));
        }
    }
}
