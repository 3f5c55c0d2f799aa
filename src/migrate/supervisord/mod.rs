//! Writes the manifest for a supervisord configuration. Every option of every section gets a line in the report.
//!
//! [`program`] makes a service of a program: [`instances`] names it, [`surroundings`], [`environment`], [`command`] with
//! [`endings`], [`run`], [`logs`] and [`exit`] each translate some of its options, and [`comments`] takes the author's remarks along.
//! [`listeners`] and [`server`] read what is not a program, [`groups`] makes the bundles, [`tiers`] reads the priorities. At the end
//! [`lift`] moves what the services share to the defaults, [`layout`] puts the manifest together, and [`fates`] has the report.

mod command;
mod comments;
mod endings;
mod environment;
mod exit;
mod fates;
mod groups;
mod instances;
mod layout;
mod lift;
mod listeners;
mod log_places;
mod logs;
mod names;
mod program;
mod run;
mod server;
mod service;
mod shared_logs;
mod shell_text;
mod surroundings;
mod text;
mod tiers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Migration;
use crate::diagnostic::{Files, Origin};
use crate::manifest::draft::DraftTable;
use crate::supervisord::{
    ConfigOption, ConfigReading, Configuration, ConfiguredPrograms, Known, ProgramKind,
};
use fates::{Fates, placeholder, rewritten};
use listeners::Listening;
use service::DraftService;

/// An account of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageAccount {
    /// Its number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// Its home directory.
    pub home: String,
}

/// What is known of the image, and what the user asked for.
#[derive(Debug, Clone, Default)]
pub struct SupervisordImport {
    /// The directory in which supervisord is started. Programs without `directory` have it.
    pub workdir: Option<String>,
    /// Values of variables that are fixed now.
    pub baked: BTreeMap<String, String>,
    /// Whether the order of priorities becomes dependencies.
    pub priority_as_dependencies: bool,
    /// Whether a command keeps a shell that a person would leave out.
    pub is_exact: bool,
    /// The accounts of the image, if it is at hand.
    pub accounts: Option<BTreeMap<String, ImageAccount>>,
    /// How many files are not included by others.
    pub main_files: usize,
    /// Where the file system of the image is, to show paths as they are in it.
    pub root: Option<PathBuf>,
    /// The texts of scripts of the image, by path, if it is at hand.
    pub scripts: BTreeMap<String, String>,
}

/// What the parts of the translation share.
struct Importer<'a> {
    configuration: &'a Configuration,
    programs: &'a ConfiguredPrograms,
    request: &'a SupervisordImport,
    fates: Fates<'a>,
    listening: Listening,
    /// The names of the services so far.
    names: BTreeSet<String>,
    /// The services so far, in the order of the configuration.
    services: Vec<DraftService>,
    /// The bundles so far.
    bundles: Vec<DraftTable>,
    /// Whether output that went to files of supervisord's choice is on the container's log now.
    has_new_logs: bool,
    /// Programs that may be steps and no services, which the report names.
    known_once: BTreeSet<String>,
    /// Sentences for the report that hold for the whole system.
    remarks: Vec<String>,
}

/// Translates a configuration.
pub fn supervisord(reading: &ConfigReading, files: &Files, request: &SupervisordImport) -> Migration {
    let known = Known { environment: request.baked.clone(), is_whole_environment: false, host_name: None };
    let configuration = &reading.configuration;
    let programs = configuration.programs(&known);
    let fates = Fates::new(configuration, request.baked.keys().cloned().collect());
    let mut importer = Importer {
        configuration,
        programs: &programs,
        request,
        fates,
        listening: Listening::default(),
        names: BTreeSet::new(),
        services: Vec::new(),
        bundles: Vec::new(),
        has_new_logs: false,
        known_once: BTreeSet::new(),
        remarks: Vec::new(),
    };
    importer.refusals(reading, files);
    importer.listeners();
    for program in programs.programs.iter().filter(|program| program.kind != ProgramKind::EventListener) {
        importer.program(program);
    }
    importer.shared_logs();
    importer.server();
    importer.groups();
    importer.tiers();
    let shown = |path: &Path| {
        let inside = request.root.as_ref().and_then(|root| path.strip_prefix(root).ok());
        inside.map_or_else(|| path.display().to_string(), |inside| format!("/{}", inside.display()))
    };
    let names: Vec<String> = files.iter().map(|file| shown(&file.path)).collect();
    importer.finish(&names)
}

impl Importer<'_> {
    /// The option at a place.
    fn option_at(&self, origin: Origin) -> Option<&ConfigOption> {
        let mut options = self.configuration.sections.iter().flat_map(|section| &section.options);
        options.find(|option| option.origin == origin)
    }

    /// Reports what supervisord refuses, and patterns that match nothing.
    fn refusals(&mut self, reading: &ConfigReading, files: &Files) {
        for refusal in reading.refusals.iter().chain(&self.programs.refusals) {
            let file = files.get(refusal.origin.file);
            let line = file.line_at(refusal.origin.span().start) + 1;
            let placeholder = self.option_at(refusal.origin).and_then(|option| placeholder(&option.value));
            if let Some(placeholder) = placeholder {
                self.remarks.push(format!("{}:{line}: {}", file.path.display(), rewritten(placeholder)));
                self.fates.refuse(refusal.origin);
                continue;
            }
            let is_shell = self.option_at(refusal.origin).is_some_and(|option| {
                option
                    .value
                    .split('$')
                    .skip(1)
                    .any(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '{'))
            });
            if is_shell {
                self.remarks.push(format!(
                    "{}:{line}: supervisord expands no `$NAME`, so something rewrites this file before supervisord reads it; \
                     import the file as it is in a running container",
                    file.path.display()
                ));
                self.fates.refuse(refusal.origin);
                continue;
            }
            let what = if refusal.is_about_machine { "may refuse" } else { "refuses" };
            let remark =
                format!("{}:{line}: supervisord {what} this: {}", file.path.display(), refusal.reason);
            self.remarks.push(remark);
            self.fates.refuse(refusal.origin);
        }
        for include in &reading.unmatched {
            self.fates.lose_at(
                include.origin,
                format!(
                    "`{}` matches no file{}",
                    include.pattern,
                    match &self.request.root {
                        Some(_) => "",
                        None => ": name the files too, or the unpacked image with --root DIR",
                    }
                ),
            );
        }
    }
}
