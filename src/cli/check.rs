use std::path::PathBuf;

use clap::Args;

use super::{Format, Input, ManifestArgument, Outcome, Streams, TemplatesArgument};
use crate::diagnostic::{Code, Severity};
use crate::model::{Database, Index, Name};
use crate::report;

/// Says everything that is wrong with the manifest, or with a source directory
///
/// Reports in one run whatever `build` would refuse, and warns of what builds but most likely does something else than
/// was meant. With --tree it judges source directories that exist already, exactly as s6-rc-compile does: the first
/// error is the one over which that program stops. With --overlay or --root it judges what /init of an image compiles
/// and starts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen check                       in CI: exits 1 if `build` would refuse the manifest\n  \
    s6gen check other.toml --format json\n  \
    s6gen check --tree s6-rc.d        a source directory, as s6-rc-compile takes it\n  \
    s6gen check --overlay 3.2.3.2 --tree rootfs/etc/s6-overlay --layer base/etc/s6-overlay\n  \
    s6gen check --root rootfs         all that the image in this directory would compile")]
pub(super) struct Check {
    /// The manifest, as with -m
    #[arg(value_name = "FILE", conflicts_with_all = ["manifest", "existing"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    templates: TemplatesArgument,
    /// For people, on standard error, or for programs, on standard output
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Check {
    /// Whether a program reads what it prints.
    pub(super) fn prints_json(&self) -> bool {
        self.format == Format::Json
    }

    pub fn run(mut self, streams: &mut Streams<'_>) -> Outcome {
        if let Some(file) = self.file.take() {
            self.input.manifest = ManifestArgument::new(file);
        }
        let (files, mut compilation) = self.input.compile();
        if self.input.tree.is_empty()
            && !compilation.problems.has_errors()
            && let Err(problem) = self.templates.tree(&compilation.services)
        {
            compilation.problems.push(problem);
        }
        let problems = &compilation.problems;
        let index = Index::new(&compilation.services);
        match self.format {
            Format::Human => {
                streams.report(problems.iter(), &files);
                let system = compilation.services.target.system;
                let of = if self.input.is_manifest() { String::new() } else { format!(" for {system}") };
                if problems.is_empty() {
                    let is_start =
                        |name: &Name| system.start_bundles().iter().any(|bundle| *name == **bundle);
                    let count =
                        compilation.services.ours().filter(|service| !is_start(&service.name)).count();
                    streams.tell(&format!("{}: {count} definitions, no problem{of}\n", self.input.name()));
                }
            }
            Format::Json => {
                let list: Vec<_> = problems.iter().map(|problem| report::json(problem, &files)).collect();
                let stopped = problems.iter().find(|problem| problem.severity == Severity::Error);
                // The class is what s6-rc-compile says. A manifest can be wrong in ways that it never gets to see; of an
                // image it accepts what /init then does not start.
                let class = match stopped {
                    Some(problem) => match problem.class {
                        Some(class) => class.slug(),
                        None if matches!(problem.code, Code::UserInTwoPlaces | Code::BundlesTooNew) => "ok",
                        None if self.input.is_manifest() => "manifest",
                        None => "image",
                    },
                    None => "ok",
                };
                let database = (class == "ok").then(|| Database::of(&index).to_json());
                let shape = serde_json::json!({
                    "version": 1, "class": class, "db": database, "problems": list,
                });
                streams.say(&format!("{shape}\n"));
            }
        }
        if problems.has_errors() { Outcome::Problems } else { Outcome::Fine }
    }
}
