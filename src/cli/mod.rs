//! For people: arguments, streams and exit codes. The only room that prints.

mod build;
mod check;
mod diff;
mod explain;
mod graph;
mod image;
mod init;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use crate::disk;
use crate::model::{ServiceSet, Target};
use crate::report::{self, Style};
use crate::templates::Templates;
use crate::tree::SourceTree;
use crate::{Compilation, ManifestFile, compile, manifest, render};

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
    Diff(diff::Diff),
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
        if trees.is_empty() { self.manifest.manifest.display().to_string() } else { trees.join(", ") }
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
    Misuse,
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
    let input = match &arguments.command {
        Command::Check(check) => Some(&check.input),
        Command::Graph(graph) => Some(&graph.input),
        _ => None,
    };
    if let Some(text) = input.and_then(Input::misuse) {
        let error = Arguments::command().error(ErrorKind::TooManyValues, text);
        let _ = write!(err, "{}", error.render());
        return ExitCode::from(2);
    }
    let mut streams = Streams { out, err, style };
    let outcome = match arguments.command {
        Command::Build(build) => build.run(&mut streams),
        Command::Check(check) => check.run(&mut streams),
        Command::Diff(diff) => diff.run(&mut streams),
        Command::Graph(graph) => graph.run(&mut streams),
        Command::Explain(explain) => explain.run(&mut streams),
        Command::Init(init) => init.run(&mut streams),
    };
    // A reader that goes away (`s6gen graph | head`) is no failure.
    let _ = streams.out.flush();
    match outcome {
        Outcome::Fine => ExitCode::SUCCESS,
        Outcome::Problems => ExitCode::from(1),
        Outcome::Misuse => ExitCode::from(2),
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
        let mut problems = Problems::default();
        match load(&self.manifest, &mut Vec::new(), &mut files, &mut problems) {
            Ok(manifest) => {
                let mut compilation = compile(&files, manifest);
                for problem in problems.iter() {
                    compilation.problems.push(problem.clone());
                }
                compilation.problems.sort_by_place();
                (files, compilation)
            }
            Err(problem) => {
                problems.push(*problem);
                let services = ServiceSet::new(Target::default());
                (files, Compilation { services, problems })
            }
        }
    }
}

/// Reads a manifest and what it includes. What cannot be included is reported at the line that includes it.
fn load(
    path: &Path,
    open: &mut Vec<PathBuf>,
    files: &mut Files,
    problems: &mut Problems,
) -> Result<ManifestFile, Box<Diagnostic>> {
    let text = disk::read_manifest(path)?;
    let name = if path.as_os_str() == "-" { PathBuf::from("<stdin>") } else { path.to_owned() };
    let file = files.add(name, text);
    open.push(path.to_owned());
    let mut included = Vec::new();
    let folder = path.parent().unwrap_or(Path::new(""));
    for pattern in manifest::includes(files, file) {
        let problem =
            |message: String| Diagnostic::new(Code::Include, message).at(pattern.origin, "included here");
        let is_pattern = pattern.value.contains(['*', '?', '[']);
        let found = match disk::matching(&folder.join(&pattern.value)) {
            Ok(found) if found.is_empty() && !is_pattern => vec![folder.join(&pattern.value)],
            Ok(found) => found,
            Err(why) => {
                problems.push(problem(format!("`{}` is no pattern of files: {why}", pattern.value)));
                continue;
            }
        };
        for path in found {
            if open.contains(&path) {
                let message = format!("`{}` includes itself", path.display());
                problems.push(problem(message).help("remove this line"));
                continue;
            }
            match load(&path, open, files, problems) {
                Ok(manifest) => included.push(manifest),
                Err(unread) => {
                    problems.push(problem(unread.message).maybe_help(unread.help));
                }
            }
        }
    }
    open.pop();
    Ok(ManifestFile { file, included })
}

/// A folder of templates that stand before the shipped ones.
#[derive(Debug, Args)]
struct TemplatesArgument {
    /// A folder of templates that stand before the shipped ones: `longrun/run` for every longrun, `longrun/NAME/run` for one;
    /// `s6gen init --templates DIR` writes the shipped ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl TemplatesArgument {
    /// The source tree of `services`, made with these templates.
    fn tree(&self, services: &ServiceSet) -> Result<SourceTree, Diagnostic> {
        let wrong = |why: String| {
            Diagnostic::new(Code::Template, format!("a template cannot be filled: {why}"))
                .help("`s6gen init --templates DIR` writes the shipped ones, to compare")
        };
        let overrides = match &self.templates {
            Some(folder) => disk::read_folder(folder).map_err(|error| {
                Diagnostic::new(Code::Template, format!("cannot read `{}`: {error}", folder.display()))
            })?,
            None => Vec::new(),
        };
        let templates = Templates::new(&overrides).map_err(wrong)?;
        render::tree_with(services, &templates).map_err(wrong)
    }
}
