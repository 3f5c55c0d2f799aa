//! `s6gen graph`: shows the order in which services start.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::arguments::{InputArguments, format_named};
use super::streams::{Outcome, Streams};
use crate::jobs::{Levels, find};
use crate::model::Index;
use crate::plan::OrderDirection;
use crate::render;
use crate::report::Format;

/// Shows the order in which services start
///
/// Lists each service with the services that it waits for. (ready) means: until the service reports that it is ready.
/// (done): until the oneshot has succeeded. (forked): only until the process exists. (for its log): its logger waits,
/// because of another service that uses the same logger.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen graph                       the whole start order\n  \
    s6gen graph web                   web and everything that it depends on\n  \
    s6gen graph --down                the order in which services stop\n  \
    s6gen graph --tree s6-rc.d        the order in a source directory that exists already\n  \
    s6gen graph --format dot | dot -Tsvg > services.svg")]
pub(super) struct GraphArguments {
    /// Show only these services and what they depend on; with --down, what depends on them. If the first NAME ends with
    /// `.toml`, it is the manifest
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    pub(super) input: InputArguments,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    format: Drawing,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Show the order in which services stop
    #[arg(long)]
    down: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Drawing {
    /// For people
    Text,
    /// For Graphviz
    Dot,
    /// For programs; it has every edge, also those that s6 adds
    Json,
}

impl GraphArguments {
    pub(super) fn for_program(&self) -> Option<&'static Format> {
        if self.json || matches!(self.format, Drawing::Json) { format_named("json") } else { None }
    }

    pub(super) fn run(mut self, streams: &mut Streams<'_>) -> Outcome {
        // A service with such a name needs -m FILE before it.
        let is_file = |name: &String| Path::new(name).extension().is_some_and(|end| end == "toml");
        let is_named = self.input.manifest.manifest.is_some();
        if !is_named && self.names.first().is_some_and(is_file) && self.input.is_manifest() {
            self.input.manifest.manifest = Some(self.names.remove(0).into());
        }
        let (files, compilation) = self.input.input().judge(&self.input.external, &Levels::lenient());
        streams.report_all(&compilation.problems, &files);
        if compilation.problems.has_errors() {
            return Outcome::Problems;
        }
        let index = Index::new(&compilation.services);
        let mut nodes = Vec::new();
        for name in &self.names {
            match find(&index, name) {
                Ok(node) => nodes.push(node),
                Err(why) => {
                    streams.tell(&format!("s6gen: {why}"));
                    return Outcome::Problems;
                }
            }
        }
        let direction = if self.down { OrderDirection::Down } else { OrderDirection::Up };
        let format = if self.json { Drawing::Json } else { self.format };
        match format {
            Drawing::Text => streams.say(&render::text(&index, &nodes, direction)),
            Drawing::Dot => streams.say(&render::dot(&index, &nodes, direction)),
            Drawing::Json => streams.answer_json(render::json(&index, &nodes, direction)),
        }
        Outcome::Success
    }
}
