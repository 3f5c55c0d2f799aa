//! For people: arguments, streams and exit codes. The only room that prints.

mod build;
mod check;
mod explain;
mod graph;
mod init;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::diagnostic::{Diagnostic, Files, Problems, Severity};
use crate::disk;
use crate::model::{System, Target};
use crate::report::{self, Style};
use crate::{Compilation, compile, judge};

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
        s6gen explain s6rc::dependency-cycle\n\n\
        Exit codes: 0 fine, 1 problems in the input, 2 wrong usage, 3 the system refused to write."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Check(check::Check),
    Graph(graph::Graph),
    Explain(explain::Explain),
    Init(init::Init),
}

/// Which manifest to read.
#[derive(Debug, Args)]
struct ManifestArgument {
    /// The manifest; `-` reads standard input
    #[arg(short, long, value_name = "FILE", default_value = "services.toml")]
    manifest: PathBuf,
}

/// A manifest, or source directories that exist already.
#[derive(Debug, Args)]
struct Input {
    #[command(flatten)]
    manifest: ManifestArgument,
    /// An s6-rc source directory instead of a manifest; several in the order in which s6-rc-compile takes them
    #[arg(long, value_name = "DIR", conflicts_with = "manifest")]
    tree: Vec<PathBuf>,
}

impl Input {
    /// What the user named, for a report on the whole.
    fn name(&self) -> String {
        let trees: Vec<String> = self.tree.iter().map(|tree| tree.display().to_string()).collect();
        if trees.is_empty() { self.manifest.manifest.display().to_string() } else { trees.join(", ") }
    }

    /// Reads and judges it.
    fn compile(&self) -> (Files, Compilation) {
        if self.tree.is_empty() {
            return self.manifest.compile();
        }
        let mut files = Files::default();
        let sources = self.tree.iter().map(disk::source).collect();
        let compilation = judge(&mut files, sources, Target::new(System::NEWEST_S6RC));
        (files, compilation)
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
    Refused,
}

/// Runs the program with the arguments and streams of this process.
pub fn main() -> ExitCode {
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let style = if colours { Style::Coloured } else { Style::Plain };
    run(std::env::args_os(), &mut io::stdout().lock(), &mut io::stderr().lock(), style)
}

/// Runs the program; what it finds goes to `err`, what it was asked for to `out`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
    style: Style,
) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let text = error.render();
            let _ = if error.use_stderr() { write!(err, "{text}") } else { write!(out, "{text}") };
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut streams = Streams { out, err, style };
    let outcome = match arguments.command {
        Command::Build(build) => build.run(&mut streams),
        Command::Check(check) => check.run(&mut streams),
        Command::Graph(graph) => graph.run(&mut streams),
        Command::Explain(explain) => explain.run(&mut streams),
        Command::Init(init) => init.run(&mut streams),
    };
    // A reader that goes away (`s6gen graph | head`) is no failure.
    let _ = streams.out.flush();
    match outcome {
        Outcome::Fine => ExitCode::SUCCESS,
        Outcome::Problems => ExitCode::from(1),
        Outcome::Refused => ExitCode::from(3),
    }
}

/// How many problems a person reads. Each is drawn from its whole file, so a million of them would take for ever.
const MOST_REPORTS: usize = 1000;

/// Where output goes.
struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    style: Style,
}

impl Streams<'_> {
    /// What was asked for.
    fn say(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    /// What a person should know.
    fn tell(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
    }

    /// Every problem, then how many there are.
    fn report<'p>(&mut self, problems: impl IntoIterator<Item = &'p Diagnostic>, files: &Files) {
        let (mut errors, mut warnings) = (0, 0);
        for problem in problems {
            match problem.severity() {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
            }
            if errors + warnings <= MOST_REPORTS {
                let text = report::human(problem, files, self.style);
                self.tell(&text);
            }
        }
        if errors + warnings > MOST_REPORTS {
            let rest = errors + warnings - MOST_REPORTS;
            self.tell(&format!("{rest} more are not shown; `s6gen check --format json` lists all\n"));
        }
        let count = |n: usize, what: &str| match n {
            0 => None,
            1 => Some(format!("1 {what}")),
            n => Some(format!("{n} {what}s")),
        };
        let counts: Vec<String> =
            [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
        if !counts.is_empty() {
            self.tell(&format!("{}; `s6gen explain CODE` says more about each\n", counts.join(", ")));
        }
    }
}

impl ManifestArgument {
    /// Reads and compiles the manifest. What keeps it from being read is a problem like any other.
    fn compile(&self) -> (Files, Compilation) {
        let mut files = Files::default();
        let name =
            if self.manifest.as_os_str() == "-" { PathBuf::from("<stdin>") } else { self.manifest.clone() };
        match disk::read_manifest(&self.manifest) {
            Ok(text) => {
                let file = files.add(name, text);
                let compilation = compile(&files, file);
                (files, compilation)
            }
            Err(problem) => {
                let mut problems = Problems::default();
                problems.push(*problem);
                let services = crate::model::ServiceSet::new(crate::model::Target::default());
                (files, Compilation { services, problems })
            }
        }
    }
}
