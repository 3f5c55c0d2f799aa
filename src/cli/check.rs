use clap::Args;

use super::{Format, Input, Outcome, Streams, TemplatesArgument};
use crate::diagnostic::Severity;
use crate::model::{Database, Index};
use crate::report;

/// Says everything that is wrong with the manifest, or with a source directory
///
/// Reports in one run whatever `build` would refuse, and warns of what builds but most likely does something else than
/// was meant. With --tree it judges source directories that exist already, exactly as s6-rc-compile does: the first
/// error is the one over which that program stops.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen check                       in CI: exits 1 if `build` would refuse the manifest\n  \
    s6gen check -m other.toml --format json\n  \
    s6gen check --tree /etc/s6-overlay/s6-rc.d")]
pub(super) struct Check {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    templates: TemplatesArgument,
    /// For people, on standard error, or for programs, on standard output
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Check {
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
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
                if problems.is_empty() {
                    let count = compilation.services.ours().count();
                    streams.tell(&format!("{}: {count} definitions, no problem\n", self.input.name()));
                }
            }
            Format::Json => {
                let list: Vec<_> = problems.iter().map(|problem| report::json(problem, &files)).collect();
                let stopped = problems.iter().find(|problem| problem.severity() == Severity::Error);
                // A manifest can be wrong in ways that s6-rc-compile never gets to see.
                let class = match stopped {
                    Some(problem) => problem.class.map_or("manifest", |class| class.slug()),
                    None => "ok",
                };
                let database = stopped.is_none().then(|| Database::of(&index).to_json());
                let shape = serde_json::json!({
                    "version": 1, "class": class, "db": database, "problems": list,
                });
                streams.say(&format!("{shape}\n"));
            }
        }
        if problems.has_errors() { Outcome::Problems } else { Outcome::Fine }
    }
}
