//! `s6gen graph`: shows the order in which services start.

use std::path::Path;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;

use super::arguments::{InputArguments, format_named};
use super::completions;
use super::streams::{Outcome, Streams};
use crate::diagnostic::{Code, Origin, Problems, Severity};
use crate::jobs::{Levels, find};
use crate::model::Index;
use crate::picture::{self, PictureSource, View};
use crate::plan::{OrderDirection, StartOrder};
use crate::render;
use crate::report::Format;

/// Shows the order in which services start
///
/// Lists each service with the services that it waits for. (ready) means: until the service reports that it is ready.
/// (done): until the oneshot has succeeded. (forked): only until the process exists. (for its log): its logger waits,
/// because of another service that uses the same logger.
///
/// The pictures (svg, html, mermaid, dot) show the same with shapes. If services wait for each other in a cycle, they show the
/// cycle, and the exit code is 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen graph                       the whole start order\n  \
    s6gen graph web                   web and everything that it depends on\n  \
    s6gen graph --down                the order in which services stop\n  \
    s6gen graph --tree s6-rc.d        the order in a source directory that exists already\n  \
    s6gen graph --format svg > services.svg   a picture for a README\n  \
    s6gen graph web --format html > web.html  a page with the picture of a part")]
pub(super) struct GraphArguments {
    /// Show only these services and what they depend on; with --down, what depends on them. If the first NAME ends with
    /// `.toml`, it is the manifest
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(completions::services))]
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
    /// Show everything: loggers, services of s6 itself, and in the text dependencies that follow from others
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Drawing {
    /// For people
    Text,
    /// A picture in one file, for browsers and Markdown
    Svg,
    /// A page with the picture and the text
    Html,
    /// For Mermaid, which GitHub and GitLab draw in a block of Markdown
    Mermaid,
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
        let format = if self.json { Drawing::Json } else { self.format };
        let is_picture = !matches!(format, Drawing::Text | Drawing::Json);
        let has_errors = compilation.problems.has_errors();
        if has_errors && !(is_picture && has_only_cycles(&compilation.problems)) {
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
        let text = || render::text(&index, &nodes, direction, self.all);
        let order = || StartOrder::new(&index, &nodes, direction);
        let view = View { names: &nodes, shows_all: self.all };
        let place = |origin: Origin| files.place(origin);
        let source = PictureSource { name: self.input.shown(), names: self.names.clone(), place: &place };
        match format {
            Drawing::Text => streams.say(&text()),
            Drawing::Svg => streams.say(&picture::svg(&order(), view, &source)),
            // A picture of a cycle says everything in words. The text would number steps that never come.
            Drawing::Html if has_errors => streams.say(&picture::html(&order(), view, &source, "")),
            Drawing::Html => streams.say(&picture::html(&order(), view, &source, &text())),
            Drawing::Mermaid => streams.say(&picture::mermaid(&order(), view)),
            Drawing::Dot => streams.say(&picture::dot(&order(), view)),
            Drawing::Json => streams.answer_json(render::json(&index, &nodes, direction)),
        }
        if has_errors { Outcome::Problems } else { Outcome::Success }
    }
}

/// Whether dependency cycles are the only errors. A picture shows them.
fn has_only_cycles(problems: &Problems) -> bool {
    let mut errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.all(|problem| problem.code == Code::DependencyCycle)
}
