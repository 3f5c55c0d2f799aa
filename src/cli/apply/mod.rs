mod pending;
mod plan;
mod scripts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::carried::{ADDED, Carried};
use super::manifest::{Loaded, Overrides, additions, load_manifest, tree};
use super::system::{Definitions, System, failed, unwritten, work_directory};
use super::{Outcome, Streams};
use crate::diagnostic::{Diagnostic, Files};
use crate::disk::{self, Database, Difference, SourceDirectory};
use crate::image::{self, Setup};
use crate::live::{self, Direction, List, Live, Programs};
use crate::model::{Name, ServiceSet, Target};
use crate::resolve::START_BUNDLE;
use crate::source::{Mount, Union};
use crate::templates::execline_word;
use crate::tree::SourceTree;
use crate::{judge, render};
use pending::Pending;
use plan::Plan;
use scripts::Scripts;

/// Makes the running system what the manifest and the added instances say
///
/// Compiles the definitions to a new database, finds which running services changed, and has s6-rc-update restart exactly
/// those, and what needs them; everything else keeps running. The files for the next boot are replaced as well.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen apply                       after `s6gen instance add` or `remove`\n  \
    s6gen apply --dry-run             only show what it would do\n  \
    s6gen apply -m services.toml      with a manifest other than the one the image was built from")]
pub(super) struct Apply {
    /// Another manifest than the one that the image was built from
    #[arg(short, long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Change nothing; show what would be done
    #[arg(long)]
    dry_run: bool,
    /// For programs; the shape is versioned
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    definitions: Definitions,
    #[command(flatten)]
    system: System,
}

/// What the system is to become: the services, their tree, and where it goes.
struct Wanted {
    services: ServiceSet,
    tree: SourceTree,
}

impl Apply {
    /// Whether it may stop the service that calls it, and does not run apart from that yet.
    pub(super) fn may_stop_caller(&self) -> bool {
        !self.dry_run && self.system.may_stop_caller()
    }

    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let wanted = match self.wanted(streams) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Outcome::Problems,
            Err(problems) => return super::system::refused(streams, &problems),
        };
        self.system.with(streams, programs, |live, out| self.update(live, &wanted, out))
    }

    /// Compiles the manifest with what was added; none if that has problems, which are reported.
    fn wanted(&self, streams: &mut Streams<'_>) -> Result<Option<Wanted>, Vec<Diagnostic>> {
        let (loaded, templates, directory): (Loaded, Overrides, PathBuf) = match &self.manifest {
            Some(path) => {
                let loaded = load_manifest(path);
                let directory = self.definitions.in_root(&loaded.compile().services.target.tree);
                (loaded, Overrides::new(), directory)
            }
            None => {
                let directory = self.definitions.directory()?;
                let carried = Carried::read(&directory)?;
                (carried.load(), carried.templates, directory)
            }
        };
        let loaded = loaded.with(&directory.join(ADDED), &additions(&directory)?);
        let compilation = loaded.compile();
        if compilation.problems.has_errors() {
            streams.report(compilation.problems.iter(), &loaded.files);
            streams.tell("nothing was changed\n");
            return Ok(None);
        }
        let services = compilation.services;
        let mut tree = tree(&services, &templates).map_err(|problem| vec![problem])?;
        if let Some(manifest) = &loaded.manifest {
            Carried::new(&loaded.files, manifest, templates).put(&mut tree, &services.target.tree);
        }
        Ok(Some(Wanted { services, tree }))
    }

    /// Compiles the tree, finds what changed, and makes it so.
    fn update(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        out: &mut String,
    ) -> Result<Outcome, Vec<Diagnostic>> {
        let work = disk::make_folder(&work_directory(live.directory())).map_err(unwritten)?;
        // An s6-rc-update that outlives this process still needs the database that it makes live.
        let lock = disk::lock(&work, self.system.patience()).and_then(disk::Kept::with_children);
        let _lock = lock.map_err(unwritten)?;
        let next = work.join("next");
        let number = disk::databases(&work).last_key_value().map_or(1, |(number, _)| number + 1);
        let fresh = work.join(format!("db.{number}"));
        let result = self.try_update(live, wanted, out, &next, &fresh);
        // What is live now is kept, whatever happened; these are all of ours.
        let current = disk::live_database(live.directory());
        for path in
            disk::databases(&work).into_values().filter(|path| Some(path) != current.as_ref()).chain([next])
        {
            disk::remove_folder(&path).map_err(unwritten)?;
        }
        result
    }

    fn try_update(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        out: &mut String,
        next: &Path,
        fresh: &Path,
    ) -> Result<Outcome, Vec<Diagnostic>> {
        let target = &wanted.services.target;
        disk::remove_folder(next).map_err(unwritten)?;
        let paths = self.compiled(target)?;
        let root = &self.definitions.root;
        let differences = disk::compare(&wanted.tree, root, &target.tree).map_err(unwritten)?;
        let sources =
            disk::compose(&wanted.tree, root, &target.tree, &paths, &differences, next).map_err(unwritten)?;
        if let Err(failure) = live.compile(fresh, &sources) {
            // It stops at the first mistake, and says less of it.
            check(&sources, target)?;
            return Err(failed(failure));
        }

        let conversion = fresh.with_file_name("conversion");
        let plan = self.plan(live, wanted, fresh, &sources, &differences, &conversion)?;
        if !self.dry_run {
            self.carry_out(live, wanted, &plan, fresh, &conversion)?;
        }
        if self.json {
            *out += &format!("{}\n", plan.json(!self.dry_run));
        } else {
            *out += &plan.text();
            if plan.is_empty() {
                *out += match (plan.files_differ, self.dry_run) {
                    (false, _) => "nothing to do\n",
                    (true, false) => "nothing that runs had to change; the files for the next boot are new\n",
                    (true, true) => "nothing that runs has to change; the files for the next boot do\n",
                };
            }
        }
        Ok(Outcome::Fine)
    }

    /// The source directories that a boot compiles, as absolute paths in the container.
    fn compiled(&self, target: &Target) -> Result<Vec<String>, Vec<Diagnostic>> {
        if !target.system.is_overlay() {
            return Ok(vec![target.tree.clone()]);
        }
        let root = &self.definitions.root;
        let opened =
            SourceDirectory::open(root).and_then(|opened| Union::new(vec![Mount::new("/", root, opened)]));
        let opened = opened.map_err(|error| unwritten(disk::OutputError::unreadable(root, &error)))?;
        let found = image::system(&opened, &mut Files::default()).unwrap_or(target.system);
        let variable = |name: &str| {
            let value = disk::read_kept(&root.join("run/s6/container_environment").join(name)).ok()??;
            let value = String::from_utf8(value).ok()?;
            (!value.is_empty()).then_some(value)
        };
        let setup = Setup {
            profile: variable("S6_RUNTIME_PROFILE"),
            bundle_dir: variable("S6_RUNTIME_BUNDLEDIR"),
            ..Setup::new(found)
        };
        Ok(image::compiled(&opened, &setup))
    }

    /// Compares what is live with the database `fresh`.
    fn plan(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        fresh: &Path,
        sources: &[PathBuf],
        differences: &[Difference],
        conversion: &Path,
    ) -> Result<Plan, Vec<Diagnostic>> {
        let old = live.compiled();
        let mut plan = Plan { active: live.active().map_err(failed)?, ..Plan::default() };
        let (before, after) = (Database::at(&old), Database::at(fresh));
        let longruns = (before.longruns().map_err(unwritten)?, after.longruns().map_err(unwritten)?);
        for name in longruns.0.intersection(&longruns.1) {
            let (before, after) =
                (before.files(name).map_err(unwritten)?, after.files(name).map_err(unwritten)?);
            let files =
                before.keys().chain(after.keys()).filter(|file| before.get(*file) != after.get(*file));
            let files: BTreeSet<String> = files.cloned().collect();
            if !files.is_empty() {
                plan.changed.insert(name.clone(), files.into_iter().collect());
            }
        }
        let recorded = Scripts::of_live(live, fresh)?;
        let scripts = Scripts::of(sources)?;
        let oneshots = (
            match &recorded {
                Some(recorded) => recorded.names(),
                None => live.list(&old, List::Oneshots).map_err(failed)?,
            },
            scripts.names(),
        );
        let both: BTreeSet<Name> = oneshots.0.intersection(&oneshots.1).cloned().collect();
        let is_known = |name: &&Name| recorded.as_ref().is_some_and(|known| known.agree(&scripts, name));
        let suspects = both.iter().filter(|name| !is_known(name)).cloned().collect();
        for (name, file) in live.changed_scripts(&old, fresh, &suspects).map_err(failed)? {
            plan.changed.insert(name, vec![file.to_owned()]);
        }
        plan.scripts = Some(scripts);
        changed_data(wanted, differences, &both, &mut plan);
        // What an apply that was killed has replaced on the disk, and not restarted.
        let pending = Pending::read(live, fresh)?;
        for name in pending.restart.into_iter().filter(|name| both.contains(name)) {
            plan.changed.entry(name).or_insert_with(|| vec!["data".to_owned()]);
        }
        plan.added = &(&longruns.1 | &oneshots.1) - &(&longruns.0 | &oneshots.0);
        plan.removed = &(&longruns.0 | &oneshots.0) - &(&longruns.1 | &oneshots.1);

        let top = if wanted.services.target.system.is_overlay() { "top" } else { START_BUNDLE };
        let is_same = plan.changed.is_empty()
            && longruns.0 == longruns.1
            && before.has_same_services(&after).map_err(unwritten)?;
        if is_same {
            let unstarted = &pending.start - &plan.active;
            if !unstarted.is_empty() {
                plan.boot = &unstarted & &live.contents(fresh, top).map_err(failed)?;
                plan.start_new(live);
            }
            return Ok(plan);
        }
        let lines = plan
            .conversion()
            .iter()
            .map(|name| format!("{} restart\n", execline_word(&name.to_string())))
            .collect::<String>();
        disk::replace(conversion, lines.as_bytes()).map_err(unwritten)?;
        let (stopped, started) = live.rehearse(fresh, conversion).map_err(failed)?;
        plan.stops = &live.closure(&old, Direction::Down, &stopped).map_err(failed)? & &plan.active;
        let needed = live.closure(fresh, Direction::Up, &started).map_err(failed)?;
        let stays = &plan.active - &plan.stops;
        plan.starts = &needed - &stays;
        for name in plan
            .stops
            .iter()
            .filter(|name| !plan.changed.contains_key(*name) && !plan.removed.contains(*name))
        {
            let needs = live.dependencies(&old, name).map_err(failed)?;
            if let Some(needed) = needs.into_iter().find(|needed| plan.stops.contains(needed)) {
                plan.because.insert(name.clone(), needed);
            }
        }
        let at_boot = live.contents(fresh, top).map_err(failed)?;
        let is_new = &at_boot - &live.contents(&old, top).map_err(failed)?;
        plan.boot = &(&(&is_new | &(&pending.start & &at_boot)) - &stays) - &plan.starts;

        plan.replaces = true;
        plan.commands.push(live::compile(fresh, sources));
        plan.commands.push(live::update(live.directory(), fresh, conversion));
        plan.start_new(live);
        Ok(plan)
    }

    /// Replaces the files, then what runs.
    fn carry_out(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        plan: &Plan,
        fresh: &Path,
        conversion: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        let (root, definitions) = (&self.definitions.root, &wanted.services.target.tree);
        if plan.replaces {
            Pending { restart: plan.changed.keys().cloned().collect(), start: plan.boot.clone() }
                .write(fresh)?;
            if let Some(scripts) = &plan.scripts {
                scripts.write(fresh)?;
            }
        }
        if plan.files_differ {
            disk::install(&wanted.tree, root, definitions).map_err(unwritten)?;
        }
        if plan.replaces {
            Self::replace(live, plan, fresh, conversion)?;
        }
        let boot: Vec<Name> = plan.boot.iter().cloned().collect();
        if !boot.is_empty() {
            let started = live.change(Direction::Up, &boot);
            // Whoever is told that a service does not start need not be told again by each apply.
            Pending::default().write(fresh)?;
            started.map_err(failed)?;
        }
        Ok(())
    }

    /// Makes the database `fresh` live.
    fn replace(
        live: &mut Live<'_>,
        plan: &Plan,
        fresh: &Path,
        conversion: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        if let Err(failure) = live.update(fresh, conversion) {
            let problem = failure.diagnostic();
            let is_new = disk::live_database(live.directory()).as_deref() == Some(fresh);
            if is_new {
                return Err(vec![
                    problem.note("the new database is live; what did not start is shown by `s6gen status`"),
                ]);
            }
            let mut problems =
                vec![problem.note("the old database is still live; the files for the next boot are new")];
            // What was stopped before the failure comes back.
            let active: Vec<Name> = plan.active.iter().cloned().collect();
            if let Err(failure) = live.change(Direction::Up, &active) {
                problems.push(failure.diagnostic());
            }
            return Err(problems);
        }
        Ok(())
    }
}

/// Finds the oneshots whose scripts lie beside the definition and are about to change there.
fn changed_data(wanted: &Wanted, differences: &[Difference], oneshots: &BTreeSet<Name>, plan: &mut Plan) {
    plan.files_differ = !differences.is_empty();
    let prefix = format!("{}/", render::definitions_dir(&wanted.services.target));
    for difference in differences {
        let Some((name, file)) = difference.path.strip_prefix(&prefix).and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        let name = Name::from(name);
        if file.starts_with("data/") && oneshots.contains(&name) {
            plan.changed.entry(name).or_default().push(file.to_owned());
        }
    }
}

/// Judges what was to be compiled, as `s6gen check --tree` would.
fn check(sources: &[PathBuf], target: &Target) -> Result<(), Vec<Diagnostic>> {
    let mut files = Files::default();
    let opened = sources.iter().map(disk::source).collect();
    let compilation = judge(&mut files, opened, Target::new(target.system));
    let errors: Vec<Diagnostic> = compilation
        .problems
        .iter()
        .filter(|p| p.severity() == crate::diagnostic::Severity::Error)
        .cloned()
        .collect();
    // The places are in directories that are gone when somebody reads this.
    let placed = |problem: Diagnostic| {
        let places: Vec<String> =
            problem.labels.iter().map(|label| files.path(label.origin.file).display().to_string()).collect();
        let problem = Diagnostic { labels: Vec::new(), ..problem };
        places.into_iter().fold(problem, |problem, place| problem.note(format!("in {place}")))
    };
    if errors.is_empty() { Ok(()) } else { Err(errors.into_iter().map(placed).collect()) }
}
