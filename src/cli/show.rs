//! `s6gen show`: shows one service as it is.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::arguments::{FormatArguments, ManifestArgument, TemplatesArgument};
use super::completions;
use super::streams::{Outcome, Streams};
use crate::diagnostic::Files;
use crate::jobs::{Levels, Project, find, show};
use crate::model::Index;

/// Shows one service: its files, with the key that each line comes from
///
/// Also shows what starts the service, what it waits for, what waits for it, and its limits. Each line of a file has the number
/// of the line of the manifest from which it comes, and the key there. A line without a number is the same for every service.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen show web\n  \
    s6gen show web-log                the logger of web\n  \
    s6gen show web --json             for programs")]
pub(super) struct ShowArguments {
    /// A service, a logger, an instance or a bundle
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(completions::services))]
    name: String,
    #[command(flatten)]
    manifest: ManifestArgument,
    #[command(flatten)]
    templates: TemplatesArgument,
    #[command(flatten)]
    pub(super) format: FormatArguments,
}

impl ShowArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let overrides = match self.templates.read() {
            Ok(overrides) => overrides,
            Err(problem) => {
                streams.report([&problem], &Files::default());
                return Outcome::Problems;
            }
        };
        let mut project = Project::load(self.manifest.path()).with_levels(Levels::lenient());
        let compilation = project.compile();
        streams.report_all(&compilation.problems, &project.files);
        let Some(source) = project.source().filter(|_| !compilation.problems.has_errors()) else {
            return Outcome::Problems;
        };
        let index = Index::new(&compilation.services);
        let node = match find(&index, &self.name) {
            Ok(node) => node,
            Err(why) => {
                streams.tell(&format!("s6gen: {why}"));
                return Outcome::Problems;
            }
        };
        match show::show(&project.files, source, &index, node, &overrides) {
            Ok(Some(shown)) if streams.is_for_program() => streams.answer(show::json(&shown, &project.files)),
            Ok(Some(shown)) => streams.say(&show::text(&shown, &project.files, source.file)),
            Ok(None) => {
                streams.tell(&format!("s6gen: `{}` is the name of a pipeline, and has no files", self.name));
                return Outcome::Problems;
            }
            Err(problem) => {
                streams.report([&problem], &project.files);
                return Outcome::Problems;
            }
        }
        Outcome::Success
    }
}
