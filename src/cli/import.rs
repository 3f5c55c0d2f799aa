//! `s6gen import`: writes the manifest for a system that exists already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::arguments::{FormatArguments, name, version};
use super::streams::{Outcome, Streams};
use crate::diagnostic::{Code, Diagnostic, Files, Severity};
use crate::disk::{self, DiskError};
use crate::jobs::{
    ImportFiles, JobError, ReadTree, SupervisordRequest, TreeToImport, compile_text, import_supervisord,
    prove,
};
use crate::live::Programs;
use crate::migrate::{Fate, ImportLine, Migration, place, report_json, report_summary, report_text};
use crate::model::{Name, System};

/// Writes the manifest for a system that exists already, and says what became of each part
///
/// Reads a supervisord.conf with the files that it includes, or definitions for s6-rc: a source directory, the files for an image or its
/// whole root. Every option and every file has a line in the report: exact; emulated, with the difference; lost, with what to do
/// instead; or without effect, as before. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen import supervisord.conf                    the manifest on standard output\n  \
    s6gen import supervisord.conf -o services.toml --report report.txt\n  \
    s6gen import rootfs/etc/supervisord.conf --root rootfs --workdir /app\n  \
    s6gen import supervisord.conf --bake WORKERS=4   `%(ENV_WORKERS)s` is 4 everywhere\n  \
    s6gen import rootfs -o services.toml             the definitions in rootfs/etc/s6-overlay\n  \
    s6gen import rootfs --layer base/rootfs          those that rootfs adds to a base image\n  \
    s6gen import rootfs --exact                      scripts stay as they are, unless keys mean exactly the same\n  \
    s6gen import rootfs --prove                      compare the old system with the new one")]
pub(super) struct ImportArguments {
    /// The configuration files of supervisord, or one directory with definitions
    #[arg(value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// Write the manifest to this file, which must not exist [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the report to this file, which must not exist. Without it, what is lost or different goes to standard error
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The unpacked file system of the image: for absolute paths of [include], accounts, and scripts of event listeners
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The directory in which supervisord is started: the WORKDIR of the image. Programs without `directory` have it
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    workdir: Option<String>,
    /// The value of a variable, which `%(ENV_NAME)s` becomes everywhere. Others are read when a service starts
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    bake: Vec<(String, String)>,
    /// Make dependencies of the priorities: each one waits for the one below it, and stops before it
    #[arg(long, value_name = "HOW", value_parser = PossibleValuesParser::new(["deps"]))]
    priority: Option<String>,
    /// Of a directory: the same files of a lower layer, to which it adds. Repeat the option for several layers, lowest first
    #[arg(long, value_name = "DIR", conflicts_with_all = SUPERVISORD)]
    layer: Vec<PathBuf>,
    /// Of a directory: a service that is defined elsewhere
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with_all = SUPERVISORD)]
    external: Vec<Name>,
    /// Of a directory: the version of s6-overlay that reads it [default: the one in it, or else the newest]
    #[arg(long, value_name = "VERSION", value_parser = version, conflicts_with_all = SUPERVISORD)]
    overlay: Option<System>,
    /// Of a directory: compare the old system with the one of the manifest, and print both. s6-rc-compile compiles both, too, if it
    /// is on PATH. Exit 1 if a difference has no reason
    #[arg(long, conflicts_with_all = SUPERVISORD)]
    prove: bool,
    /// Where there are two ways to write something, choose the one that means exactly the same. The report offers the other one, which
    /// a person would have written, and names the difference
    #[arg(long)]
    exact: bool,
    /// Exit 1 if something is lost
    #[arg(long)]
    no_loss: bool,
    #[command(flatten)]
    pub(super) format: FormatArguments,
}

/// The options that are only for supervisord.
const SUPERVISORD: [&str; 4] = ["root", "workdir", "bake", "priority"];

fn absolute(text: &str) -> Result<String, String> {
    let is_plain = !text.contains("{{")
        && !text.contains("{%")
        && !text.split('/').any(|part| matches!(part, "." | ".."));
    match text.starts_with('/') && is_plain {
        true => Ok(text.to_owned()),
        false => Err("it is a path in the image: it begins with `/` and has no `.`, `..` or `{{`".to_owned()),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl ImportArguments {
    pub(super) fn run(self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        match self.import(streams, programs) {
            Ok(outcome) => outcome,
            Err(error) => streams.refuse(&error),
        }
    }

    fn import(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Result<Outcome, JobError> {
        self.refuse_taken_places()?;
        if let [directory] = &self.files[..]
            && disk::is_directory(directory)
        {
            return self.import_tree(directory, streams, programs);
        }
        let request = SupervisordRequest {
            files: self.files.clone(),
            root: self.root.clone(),
            workdir: self.workdir.clone(),
            baked: self.bake.iter().cloned().collect(),
            priority_as_dependencies: self.priority.is_some(),
            is_exact: self.exact,
        };
        let (migration, files) = import_supervisord(&request)?;
        if migration.draft.tables.is_empty() {
            tell_differences(&migration, &files, streams);
            streams.tell("s6gen: there is no program in these files, so there is no manifest to write");
            return Ok(Outcome::Problems);
        }
        let is_right = self.write(&migration, &files, streams)?;
        let is_lost = self.no_loss && migration.report.count(Fate::Lost) > 0;
        Ok(if is_lost || !is_right { Outcome::Problems } else { Outcome::Success })
    }

    /// Refuses places for the manifest and the report where something is, before a large system is read.
    fn refuse_taken_places(&self) -> Result<(), JobError> {
        let places = self.report.iter().chain(&self.output);
        if let Some(taken) = places.into_iter().find(|place| disk::is_there(place)) {
            return Err(DiskError::Exists(taken.clone()).into());
        }
        if self.report.is_some() && self.report == self.output {
            let problem =
                Diagnostic::new(Code::InvalidValue, "the manifest and the report cannot be one file");
            return Err(problem.help("give `--report` another path than `-o`").into());
        }
        Ok(())
    }

    /// Imports definitions for s6-rc.
    fn import_tree(
        &self,
        directory: &Path,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
    ) -> Result<Outcome, JobError> {
        let tree = TreeToImport {
            path: directory.to_owned(),
            lower: self.layer.clone(),
            external: self.external.clone(),
            overlay: self.overlay,
            is_exact: self.exact,
        };
        let old = tree.read();
        if !old.is_accepted() {
            let problems = old.compilation.problems.iter();
            streams.report(problems.filter(|problem| problem.severity == Severity::Error), &old.files);
            return Ok(Outcome::Problems);
        }
        let migration = old.migration();
        if migration.draft.tables.is_empty() && !self.prove {
            match &self.report {
                Some(report) => {
                    disk::create_new(report, &report_text(&migration.report, &old.files))?;
                    streams.tell(&format!("wrote {}", report.display()));
                }
                None => tell_differences(&migration, &old.files, streams),
            }
            streams.tell("nothing was imported, so no manifest is written");
            return Ok(Outcome::Problems);
        }
        let is_right = self.write(&migration, &old.files, streams)?;
        let is_lost = self.no_loss && migration.report.count(Fate::Lost) > 0;
        let is_proved = !self.prove || self.prove(&old, &migration, streams, programs)?;
        Ok(if is_lost || !is_right || !is_proved { Outcome::Problems } else { Outcome::Success })
    }

    /// Compares the old system with the new one. Returns whether every difference has a reason.
    fn prove(
        &self,
        old: &ReadTree,
        migration: &Migration,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
    ) -> Result<bool, JobError> {
        let proof = prove(old, migration, programs)?;
        if old.legacy.is_some() && !proof.is_empty {
            streams.tell("note: the proof begins with the definitions that stand for the directories of s6-overlay 2: the report says what is different from these");
        }
        match streams.is_for_program() {
            true => streams.answer(serde_json::json!({ "proof": proof.json() })),
            false => streams.say_exactly(&proof.text()),
        }
        streams.report_all(&proof.errors(), &proof.files);
        Ok(proof.holds())
    }

    /// Writes the manifest and the report. Returns whether the manifest has no error.
    fn write(
        &self,
        migration: &Migration,
        files: &Files,
        streams: &mut Streams<'_>,
    ) -> Result<bool, JobError> {
        let text = migration.draft.text();
        // Who only wants the proof needs no manifest.
        let only_proves = self.prove && self.output.is_none();
        let is_shown = self.output.is_none() && !only_proves && !streams.is_for_program();
        if is_shown && !migration.files.is_empty() {
            let message = format!("{} of its scripts are files beside the manifest", migration.files.len());
            let problem = Diagnostic::new(Code::InvalidValue, message);
            return Err(problem.help("give `-o services.toml`, so that they have a place").into());
        }
        if streams.is_for_program() {
            let beside = migration.files.iter();
            let beside: BTreeMap<&String, _> =
                beside.map(|(path, file)| (path, String::from_utf8_lossy(&file.content))).collect();
            let report = report_json(&migration.report, files);
            streams.answer(serde_json::json!({ "manifest": text, "files": beside, "report": report }));
        }
        match &self.output {
            Some(output) => {
                ImportFiles::new(output, &text, &migration.files).write()?;
                streams.tell(&format!("wrote {}", output.display()));
            }
            None if is_shown => streams.say_exactly(&text),
            None => {}
        }
        match &self.report {
            Some(report) => {
                disk::create_new(report, &report_text(&migration.report, files))?;
                streams.tell(&format!("wrote {}", report.display()));
            }
            None if only_proves => {}
            None => tell_differences(migration, files, streams),
        }
        if !only_proves {
            streams.tell(&report_summary(&migration.report));
        }
        Ok(only_proves || self.check(&text, migration, streams))
    }

    /// Checks what was written, as `s6gen check` will. Returns whether it has no error.
    fn check(&self, text: &str, migration: &Migration, streams: &mut Streams<'_>) -> bool {
        let name = self.output.as_deref().unwrap_or(Path::new("services.toml"));
        let (files, compilation) = compile_text(name, text, &migration.files);
        let errors: Vec<_> = compilation
            .problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .cloned()
            .collect();
        if !errors.is_empty() {
            streams.tell("s6gen: this is a defect of the import: what it wrote does not pass the check. Please report it");
            streams.report(&errors, &files);
        }
        errors.is_empty()
    }
}

/// How many remarks on the whole are printed.
const MOST_REMARKS: usize = 20;

/// Prints what is lost or different. Options for which the same holds share a line.
fn tell_differences(migration: &Migration, files: &Files, streams: &mut Streams<'_>) {
    let report = &migration.report;
    let mut told: Vec<(&ImportLine, Vec<String>)> = Vec::new();
    for section in &report.sections {
        for line in section.lines.iter().filter(|line| matches!(line.fate, Fate::Lost | Fate::Emulated)) {
            let place = format!("{} {}", section.heading, line.part);
            let is_same = |other: &ImportLine| {
                (other.fate, &other.becomes, &other.remark) == (line.fate, &line.becomes, &line.remark)
            };
            match told.iter_mut().find(|(other, _)| is_same(other)) {
                Some((_, places)) => places.push(place),
                None => told.push((line, vec![place])),
            }
        }
    }
    told.sort_by_key(|(line, _)| std::cmp::Reverse(line.fate));
    for (line, places) in told {
        let position = line.origin.map(|origin| format!("{}: ", place(origin, files))).unwrap_or_default();
        let more = if places.len() > 1 { format!(" (and {} more)", places.len() - 1) } else { String::new() };
        let becomes = if line.becomes.is_empty() { String::new() } else { format!(" {};", line.becomes) };
        streams.tell(&format!("{position}{}{more}", places[0]));
        streams.tell(&format!("  {}:{becomes} {}", line.fate.word(), line.remark));
    }
    for remark in report.remarks.iter().take(MOST_REMARKS) {
        streams.tell(&format!("note: {remark}"));
    }
    if let Some(more) = report.remarks.len().checked_sub(MOST_REMARKS).filter(|more| *more > 0) {
        streams.tell(&format!("note: and {more} more, which --report FILE has"));
    }
}
