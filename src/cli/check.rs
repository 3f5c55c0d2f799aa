use clap::Args;

use super::{Format, ManifestArgument, Outcome, Streams};
use crate::report;

/// Says everything that is wrong with the manifest
///
/// Reports in one run whatever `build` would refuse, and warns of what builds but most likely does something else than
/// was meant.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen check                       in CI: exits 1 if `build` would refuse the manifest\n  \
    s6gen check -m other.toml --format json")]
pub(super) struct Check {
    #[command(flatten)]
    manifest: ManifestArgument,
    /// For people, on standard error, or for programs, on standard output
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Check {
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let (files, compilation) = self.manifest.compile();
        let problems = &compilation.problems;
        match self.format {
            Format::Human => {
                streams.report(problems.iter(), &files);
                if problems.is_empty() {
                    let count = compilation.services.ours().count();
                    streams.tell(&format!(
                        "{}: {count} definitions, no problem\n",
                        self.manifest.manifest.display()
                    ));
                }
            }
            Format::Json => {
                let list: Vec<_> = problems.iter().map(|problem| report::json(problem, &files)).collect();
                let shape = serde_json::json!({ "version": 1, "problems": list });
                streams.say(&format!("{shape:#}\n"));
            }
        }
        if problems.has_errors() { Outcome::Problems } else { Outcome::Fine }
    }
}
