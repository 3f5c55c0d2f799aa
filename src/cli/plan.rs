//! `s6gen plan`: shows how long a start and a stop may take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap_complete::engine::ArgValueCandidates;

use super::arguments::{InputArguments, format_named};
use super::completions;
use super::streams::{Outcome, Streams};
use crate::diagnostic::{Files, did_you_mean};
use crate::jobs::{Connection, JobError, Levels, RunningSystem, TimeLimits, find, measure, read_measured};
use crate::live::{LIVE, Limits, Programs};
use crate::manifest::milliseconds;
use crate::model::Index;
use crate::picture::{PlanSource, plan_html, plan_svg};
use crate::plan::{Grace, MeasuredStart, Timeline, VARIABLES, container_variable};
use crate::render::{measured_json, measured_text, plan_json, plan_text, plan_why};
use crate::report::{FORMATS, Format};

/// Shows how long a start and a stop may take
///
/// Adds up the limits that are declared, and runs nothing: what starts when, the longest chain, the services without a limit, the
/// signals of a stop against the time of `docker stop`, and what a failure means for other services.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen plan                             the limits of services.toml\n  \
    s6gen plan --why web                   the chain that keeps web waiting\n  \
    s6gen plan --max-start 60s --max-stop 10s   fail if a start or a stop may take longer\n  \
    s6gen plan --max-stop 10s --format github   the same, marked in a pull request\n  \
    s6gen plan --grace 30s                 against the 30 s of Kubernetes\n  \
    s6gen plan --env S6_KILL_GRACETIME=500 with a variable of the container\n  \
    s6gen plan --measured                  what really happened, in a container that runs\n  \
    s6gen plan --measured=boot.json --format html   as a page, from a saved answer\n  \
    s6gen plan --root rootfs               an image with everything in it")]
pub(super) struct PlanArguments {
    /// The manifest [default: services.toml]
    #[arg(value_name = "FILE", conflicts_with_all = ["manifest", "existing"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) input: InputArguments,
    /// Show the chain that keeps this service waiting
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(completions::services))]
    why: Option<String>,
    /// Fail if the start may take longer, such as `60s`
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_start: Option<u64>,
    /// Fail if the stop may take longer, such as `10s`
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_stop: Option<u64>,
    /// How long the container manager waits for a stop [default: the 10 s of `docker stop`]
    #[arg(long, value_name = "TIME", value_parser = time)]
    grace: Option<u64>,
    /// A variable of the container that limits the start or the stop, such as S6_KILL_GRACETIME, beside those of the Dockerfile
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Show when the services of the running system started and were ready, beside the plan; with FILE, those of a saved answer of
    /// `s6gen plan --measured --json`
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "why")]
    measured: Option<Option<PathBuf>>,
    /// The live directory of s6-rc, for --measured
    #[arg(long, value_name = "DIR", default_value = LIVE)]
    live: PathBuf,
    /// The output format
    #[arg(long, value_parser = formats(), default_value = "text")]
    format: String,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// The formats of a plan, and those that only list problems: what takes longer than it may.
fn formats() -> PossibleValuesParser {
    let plan = [
        ("text", "For people"),
        ("svg", "A time line in one file, for browsers and Markdown"),
        ("html", "A page with the time line and the text"),
    ];
    let programs = FORMATS.iter().map(|format| {
        let only = if format.lists_problems { ": only what --max-start and --max-stop find" } else { "" };
        PossibleValue::new(format.name).help(format!("{}{only}", format.about))
    });
    let all = plan.into_iter().map(|(name, about)| PossibleValue::new(name).help(about)).chain(programs);
    all.collect::<Vec<_>>().into()
}

impl PlanArguments {
    pub(super) fn for_program(&self) -> Option<&'static Format> {
        format_named(if self.json { "json" } else { &self.format })
    }

    pub(super) fn run(mut self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        if let Some(file) = self.file.take() {
            self.input.manifest.manifest = Some(file);
        }
        let lists_problems = self.for_program().is_some_and(|format| format.lists_problems);
        if lists_problems && self.max_start.is_none() && self.max_stop.is_none() {
            streams.tell(&format!(
                "s6gen: --format {} lists what takes too long: give --max-start or --max-stop, too",
                self.format
            ));
            return Outcome::Misused;
        }
        let (files, compilation) = self.input.input().judge(&self.input.external, &Levels::lenient());
        // `check` has annotated the other problems.
        if !lists_problems || compilation.problems.has_errors() {
            streams.report_all(&compilation.problems, &files);
        }
        if compilation.problems.has_errors() {
            return Outcome::Problems;
        }
        let index = Index::new(&compilation.services);
        let around = self.input.input().around_manifest();
        let context = around.as_ref().unwrap_or(&compilation.services.context);
        let variable = |name: &str| container_variable(&self.env, context, name);
        let timeline = Timeline::new(&index, variable);
        if timeline.is_cut {
            streams.tell("s6gen: there are millions of waits through loggers and s6 itself: what a service comes after has some of them");
        }
        let why = match self.why.as_deref().map(|name| row(&timeline, name)).transpose() {
            Ok(row) => row,
            Err(message) => {
                streams.tell(&format!("s6gen: {message}"));
                return Outcome::Problems;
            }
        };
        let given = self.grace.map(|milliseconds| Grace { milliseconds, is_usual: false });
        let grace = given.or_else(|| timeline.overlay.as_ref().map(|_| Grace::DOCKER));
        let measured = match self.times(streams, programs).transpose() {
            Ok(measured) => measured,
            Err(error) => return streams.refuse(&error),
        };
        let name = self.input.shown();
        let source = PlanSource { name: &name, grace, measured: measured.as_ref() };
        match (&self.format[..], why) {
            _ if lists_problems => {}
            _ if streams.is_for_program() && measured.is_some() => {
                streams.answer_json(plan_json(&timeline, grace, None));
                let measured = measured.as_ref().map(measured_json);
                streams.answer(serde_json::json!({ "measured": measured }));
            }
            (_, why) if streams.is_for_program() => streams.answer_json(plan_json(&timeline, grace, why)),
            ("svg" | "html", why) if why.is_some() => {
                streams.tell("s6gen: a picture shows the whole plan: leave out --why, or --format");
                return Outcome::Misused;
            }
            (_, Some(row)) => {
                streams.say(&plan_why(&timeline, row, |later, first| place(&timeline, &files, later, first)));
            }
            ("svg", None) => streams.say(&plan_svg(&timeline, &source)),
            ("html", None) => {
                let plan = plan_text(&timeline, grace);
                let measured = measured.as_ref().map(|times| measured_text(&timeline, times) + "\n");
                streams.say(&plan_html(&timeline, &source, &(measured.unwrap_or_default() + &plan)));
            }
            (_, None) => streams.say(&match &measured {
                Some(times) => measured_text(&timeline, times),
                None => plan_text(&timeline, grace),
            }),
        }
        let problems = TimeLimits { start: self.max_start, stop: self.max_stop }.judge(&timeline, &files);
        streams.report_all(&problems, &files);
        if problems.has_errors() { Outcome::Problems } else { Outcome::Success }
    }
}

impl PlanArguments {
    /// The times of the running system, or of a saved answer, if they are asked for.
    fn times(
        &self,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
    ) -> Option<Result<MeasuredStart, JobError>> {
        let file = self.measured.as_ref()?;
        if let Some(file) = file {
            return Some(read_measured(file));
        }
        let limits = Limits { wait: Duration::from_secs(60), change: None };
        let system = RunningSystem { live: self.live.clone(), limits };
        let mut tell = |text: &str| streams.tell(text);
        Some(measure(&system, Connection { programs, tell: &mut tell }))
    }
}

/// The row of a service. The error says which name was meant.
fn row(timeline: &Timeline<'_>, name: &str) -> Result<usize, String> {
    let node = find(timeline.order.index, name)?;
    let row = timeline.order.services.iter().position(|service| service.node == node);
    row.ok_or_else(|| {
        format!("`{name}` is a bundle; name one of its services: `s6gen graph {name}` lists them")
    })
}

/// Where it is written that one service waits for another: `services.toml:7`.
fn place(timeline: &Timeline<'_>, files: &Files, later: usize, first: usize) -> Option<String> {
    let (index, services) = (timeline.order.index, &timeline.order.services);
    let first = services[first].node;
    let edges = index.edges(services[later].node).iter();
    let edge = edges.filter(|edge| edge.to == first || index.atomics(edge.to).contains(&first));
    Some(files.place(edge.filter_map(|edge| edge.origin).next()?))
}

fn time(text: &str) -> Result<u64, String> {
    milliseconds(text)
        .filter(|time| *time > 0)
        .ok_or_else(|| "write a number and a unit, such as `10s`".into())
}

fn variable(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or("write NAME=VALUE, such as `S6_KILL_GRACETIME=500`")?;
    if !VARIABLES.contains(&name) {
        let option = match name {
            "S6_RUNTIME_PROFILE" => Some("use --profile"),
            "S6_RUNTIME_BUNDLEDIR" => Some("use --bundle-dir"),
            _ => None,
        };
        let meant = did_you_mean(name, VARIABLES).map(|meant| format!("did you mean {meant}?"));
        let known = || format!("these do: {}", VARIABLES.join(", "));
        let help = option.map(str::to_owned).or(meant).unwrap_or_else(known);
        return Err(format!("{name} changes nothing in a plan; {help}"));
    }
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match is_number || name == "S6_STAGE2_HOOK" {
        true => Ok((name.to_owned(), value.to_owned())),
        false => Err(format!("s6-overlay takes only a number in {name}; times are in milliseconds")),
    }
}
