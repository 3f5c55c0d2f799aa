//! `s6gen check`: reports every problem of a manifest or of source directories.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{InputArguments, LevelArguments, ReportArguments, TemplatesArgument};
use super::streams::{Outcome, Streams, counted};
use crate::diagnostic::{Files, Problems};
use crate::jobs::{
    Baseline, Compilation, Fixed, Input, JobError, count_definitions, fix, preview, render_tree, verdict,
};
use crate::live::Programs;
use crate::model::{Database, Index};

/// Checks the manifest, or a source directory, and reports every problem
///
/// Reports in one run everything that `build` would refuse, and warns of what builds but most likely does not do what you
/// want. With --tree it checks source directories that exist already, exactly as s6-rc-compile does: the first error is
/// the one at which that program stops. With --overlay or --root it checks what /init of an image compiles and starts. Of
/// a tree it also reads the nearest Dockerfile above or beside it and the other files of the image, which may set modes or
/// start services. Warnings about a --layer are given only where that layer is the --tree.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen check                       exits 1 if `build` would refuse the manifest\n  \
    s6gen check other.toml --format json\n  \
    s6gen check --fix                 changes what has one right answer\n  \
    s6gen check --tree s6-rc.d        a source directory, as s6-rc-compile reads it\n  \
    s6gen check --overlay 3.2.3.2 --tree rootfs/etc/s6-overlay --layer base/etc/s6-overlay\n  \
    s6gen check --root rootfs         everything that the image in this directory would compile")]
pub(super) struct CheckArguments {
    /// The manifest, the same as -m
    #[arg(value_name = "FILE", conflicts_with_all = ["manifest", "existing"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) input: InputArguments,
    /// The path of the manifest that standard input has the text of, for an editor. Included files are relative to it
    #[arg(long, value_name = "PATH", requires = "manifest", conflicts_with = "existing")]
    stdin_path: Option<PathBuf>,
    /// Report only what is not in this file, which --write-baseline wrote. What s6-rc refuses is always reported
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    baseline: Option<PathBuf>,
    /// Write all findings into this file instead of reporting them, so that later checks report only new ones
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Ask shellcheck about shell scripts too. The same as --warn shellcheck, but an error if it is not installed
    #[arg(long)]
    shellcheck: bool,
    /// Change the files where a problem has one right answer, and report what is left. A --layer, a --root and standard input are
    /// never changed
    #[arg(long, conflicts_with_all = ["root", "stdin_path"])]
    fix: bool,
    /// With --fix: show the changes of its first round, and write nothing
    #[arg(long, requires = "fix", conflicts_with_all = ["format", "json", "baseline", "write_baseline"])]
    diff: bool,
    /// With --fix: also change what is where the answer is only likely, such as a similar name
    #[arg(long = "unsafe", requires = "fix")]
    is_bold: bool,
    #[command(flatten)]
    levels: LevelArguments,
    #[command(flatten)]
    templates: TemplatesArgument,
    #[command(flatten)]
    pub(super) format: ReportArguments,
}

impl CheckArguments {
    pub(super) fn run(mut self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        if let Some(file) = self.file.take() {
            self.input.manifest.manifest = Some(file);
        }
        let is_stdin = self.input.manifest.path() == Path::new("-");
        if self.stdin_path.is_some() && !is_stdin {
            streams.tell(
                "s6gen: `--stdin-path` names the file that standard input has the text of: give `-m -` too",
            );
            return Outcome::Misused;
        }
        let input = match self.stdin_path.take() {
            Some(name) => Input::StandardInput(name),
            None => self.input.input(),
        };
        let mut levels = self.levels.levels();
        levels.asks_shellcheck = self.shellcheck;
        let external = self.input.external.clone();
        let mut judge = || input.judge_with(&external, &levels, Some(&mut *programs));
        if self.fix && input == Input::Manifest("-".into()) {
            streams.tell("s6gen: standard input cannot be changed: name the file with -m");
            return Outcome::Misused;
        }
        if self.diff {
            let difference = preview(&input, self.is_bold, &mut judge);
            streams.say(&difference);
            return if difference.is_empty() { Outcome::Success } else { Outcome::Problems };
        }
        if self.fix {
            match fix(&input, self.is_bold, &mut judge) {
                Ok(fixed) => tell_fixed(&fixed, streams),
                Err(error) => return streams.refuse(&error),
            }
        }
        let (files, mut compilation) = judge();
        if self.input.is_manifest() && !compilation.problems.has_errors() {
            let overrides = self.templates.read();
            // The shipped templates can be filled for every service.
            let filled = overrides.and_then(|overrides| match overrides.is_empty() {
                true => Ok(()),
                false => render_tree(&compilation.services, &overrides).map(drop),
            });
            compilation.problems.extend(filled.err());
        }
        let refused = self.use_baseline(&mut compilation.problems, &files, streams).err();
        let problems = &compilation.problems;
        streams.report_input(problems, &files);
        if streams.is_for_program() {
            let class = verdict(&compilation, self.input.is_manifest());
            streams.answer(serde_json::json!({ "class": class, "db": null }));
            if class == "ok" {
                streams.answer_database(|| Database::of(&Index::new(&compilation.services)));
            }
        } else if problems.is_empty() && refused.is_none() {
            streams.tell(&self.success(&compilation));
        }
        if let Some(error) = refused {
            return streams.refuse(&error);
        }
        if problems.has_errors() { Outcome::Problems } else { Outcome::Success }
    }

    /// Writes or subtracts the baseline, if one was named.
    fn use_baseline(
        &self,
        problems: &mut Problems,
        files: &Files,
        streams: &mut Streams<'_>,
    ) -> Result<(), JobError> {
        match (&self.write_baseline, &self.baseline) {
            (Some(path), _) => {
                streams.tell(&Baseline::record(path, problems, files)?);
                Ok(())
            }
            (None, Some(path)) => {
                let lines = Baseline::subtract(path, problems, files)?;
                lines.iter().for_each(|line| streams.tell(line));
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    fn success(&self, compilation: &Compilation) -> String {
        let services = &compilation.services;
        let of = match self.input.is_manifest() {
            true => String::new(),
            false => format!(" for {}", services.target.system),
        };
        let definitions = counted(count_definitions(services), "definition");
        let new = if self.baseline.is_some() || self.write_baseline.is_some() { " new" } else { "" };
        format!("{}: {definitions}, no{new} problem{of}", self.input.shown())
    }
}

/// Says which problems were solved.
fn tell_fixed(fixed: &[Fixed], streams: &mut Streams<'_>) {
    for Fixed { path, line, message } in fixed {
        streams.tell(&format!("fixed {}:{line}: {message}", path.display()));
    }
}
