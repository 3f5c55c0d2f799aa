//! `s6gen variables`: lists the variables of the container that the services use.

use clap::{Args, ValueEnum};

use super::arguments::{ManifestArgument, format_named};
use super::streams::{Outcome, Streams};
use crate::jobs::{Input, Levels};
use crate::render;
use crate::report::Format;

/// Lists the variables that the container can or must set
///
/// These are the `variables` of all services, each with its default, the services that use it, and its description.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen variables                        the variables of services.toml\n  \
    s6gen variables --format markdown      a table for the README of the image")]
pub(super) struct VariablesArguments {
    #[command(flatten)]
    manifest: ManifestArgument,
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    format: TableFormat,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    /// For people
    Human,
    /// For a README
    Markdown,
    /// For programs
    Json,
}

impl VariablesArguments {
    pub(super) fn for_program(&self) -> Option<&'static Format> {
        if self.json || self.format == TableFormat::Json { format_named("json") } else { None }
    }

    pub(super) fn run(self, streams: &mut Streams<'_>) -> Outcome {
        let input = Input::Manifest(self.manifest.path().to_owned());
        let (files, compilation) = input.judge(&[], &Levels::lenient());
        streams.report_all(&compilation.problems, &files);
        if compilation.problems.has_errors() {
            return Outcome::Problems;
        }
        let services = &compilation.services;
        match self.format {
            _ if streams.is_for_program() => streams.answer(render::variables_json(services)),
            TableFormat::Markdown => streams.say(&render::variables_markdown(services)),
            _ => streams.say(&render::variables_text(services)),
        }
        Outcome::Success
    }
}
