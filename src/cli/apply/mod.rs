mod pending;
mod plan;
mod scripts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::system::{Definitions, System, Trouble, failed, unwritten, work_directory};
use super::wanted::Wanted;
use super::{Outcome, Streams};
use crate::compare;
use crate::diagnostic::Diagnostic;
use crate::disk::{self, Database, OutputError, Place, Prune};
use crate::live::{self, Direction, Failure, List, Live, Programs};
use crate::model::{File, Name, NodeKind, Settings, Snapshot};
use crate::render;
use crate::resolve::START_BUNDLE;
use crate::templates::execline_word;
use crate::tree::{SourceTree, TreeEntry};
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

impl Apply {
    /// Whether it may stop the service that calls it, and does not run apart from that yet.
    pub(super) fn may_stop_caller(&self) -> bool {
        !self.dry_run && self.system.may_stop_caller()
    }

    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.system.with(streams, programs, |live, out| self.update(live, out))
    }

    /// Compiles the tree, finds what changed, and makes it so.
    fn update(&self, live: &mut Live<'_>, out: &mut String) -> Result<Outcome, Trouble> {
        let work = disk::make_folder(&work_directory(live.directory())).map_err(unwritten)?;
        // An s6-rc-update that outlives this process still needs the database that it makes live.
        let lock = disk::lock(&work, self.system.patience()).and_then(disk::Kept::with_children);
        let _lock = lock.map_err(unwritten)?;
        let alone = disk::unsupervised(live.directory()).map_err(unwritten)?;
        if !alone.is_empty() {
            return Err(failed(Failure::Unsupervised(alone.into_iter().collect())).into());
        }
        // Not before: another apply may have waited with less.
        let wanted = Wanted::new(&self.definitions, self.manifest.as_deref())?;
        let next = work.join("next");
        let number = disk::databases(&work).last_key_value().map_or(1, |(number, _)| number + 1);
        let fresh = work.join(format!("db.{number}"));
        let result = self.try_update(live, &wanted, out, &next, &fresh);
        // What is live now is kept, whatever happened; these are all of ours.
        let current = disk::live_database(live.directory());
        for path in
            disk::databases(&work).into_values().filter(|path| Some(path) != current.as_ref()).chain([next])
        {
            disk::remove_folder(&path).map_err(unwritten)?;
        }
        Ok(result?)
    }

    fn try_update(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        out: &mut String,
        next: &Path,
        fresh: &Path,
    ) -> Result<Outcome, Vec<Diagnostic>> {
        let differences = wanted.differences(&self.definitions)?;
        let sources = wanted.compose(&self.definitions, &differences, next)?;
        if let Err(failure) = live.compile(fresh, &sources) {
            // It stops at the first mistake, and says less of it.
            wanted.check(&sources)?;
            return Err(failed(failure));
        }

        let conversion = fresh.with_file_name("conversion");
        let prefix = format!("{}/", render::definitions_dir(&wanted.services.target));
        let touched = differences
            .iter()
            .filter_map(|difference| difference.path.strip_prefix(&prefix)?.split('/').next());
        let touched: BTreeSet<Name> = touched.map(Name::from).collect();
        let mut plan = self.plan(live, wanted, fresh, &sources, &touched, &conversion)?;
        plan.files_differ = !differences.is_empty();
        if !self.dry_run {
            self.carry_out(live, wanted, &plan, fresh, &conversion)?;
        }
        if self.json {
            *out += &format!("{}\n", plan.json(!self.dry_run));
        } else {
            *out += &plan.text();
            if plan.text().is_empty() && !plan.is_empty() {
                *out += "no service has to be started, stopped or restarted; the database is new\n";
            }
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

    /// Compares what is live with the database `fresh`.
    fn plan(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        fresh: &Path,
        sources: &[PathBuf],
        touched: &BTreeSet<Name>,
        conversion: &Path,
    ) -> Result<Plan, Vec<Diagnostic>> {
        let old = live.compiled();
        // What comes up while another s6-rc is at work would not be restarted.
        let mut plan = Plan { active: live.active_when_idle().map_err(failed)?, ..Plan::default() };
        let (before, after) = (Database::at(&old), Database::at(fresh));
        let mut snapshots = (Snapshot::default(), Snapshot::default());
        for (database, snapshot) in [(&before, &mut snapshots.0), (&after, &mut snapshots.1)] {
            for name in database.longruns().map_err(unwritten)? {
                let settings = database.settings(&name).map_err(unwritten)?;
                snapshot.services.insert(name, settings);
            }
        }
        let scripts = Scripts::of(sources)?;
        self.oneshots(live, wanted, fresh, &scripts, touched, &mut snapshots)?;
        let (old_services, new_services) = (&snapshots.0.services, &snapshots.1.services);
        plan.added = new_services.keys().filter(|name| !old_services.contains_key(*name)).cloned().collect();
        plan.removed =
            old_services.keys().filter(|name| !new_services.contains_key(*name)).cloned().collect();
        for (name, settings) in new_services {
            let changes = old_services.get(name).map(|old| changes(old, settings)).unwrap_or_default();
            if !changes.is_empty() {
                plan.changed.insert(name.clone(), changes);
            }
        }
        // What is down is named as well, should somebody start it before the update.
        let all: BTreeSet<Name> = plan.active.iter().chain(old_services.keys()).cloned().collect();
        plan.conversion = compare::restarts(&snapshots.0, &snapshots.1, &all);
        plan.scripts = Some(scripts);
        // What an apply that was killed has replaced on the disk, and not restarted.
        let pending = Pending::read(live, fresh)?;
        for name in pending.restart {
            if new_services.contains_key(&name) && plan.active.contains(&name) {
                plan.changed.entry(name.clone()).or_insert_with(|| vec!["data".to_owned()]);
                plan.conversion.insert(name);
            }
        }
        let is_script = |name: &&Name| {
            let is_oneshot =
                new_services.get(*name).is_some_and(|settings| settings.kind == NodeKind::Oneshot);
            is_oneshot
                && plan
                    .changed
                    .get(*name)
                    .is_some_and(|files| files.iter().any(|file| file.starts_with("data")))
        };
        plan.rerun = plan.conversion.iter().filter(is_script).cloned().collect();

        let top = if wanted.services.target.system.is_overlay() { "top" } else { START_BUNDLE };
        let is_same = plan.changed.is_empty()
            && old_services.keys().eq(new_services.keys())
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
            .conversion
            .iter()
            .map(|name| format!("{} restart\n", execline_word(&name.to_string())))
            .collect::<String>();
        disk::replace(conversion, lines.as_bytes()).map_err(unwritten)?;
        let (stopped, started) = live.rehearse(fresh, conversion).map_err(failed)?;
        plan.stops = &live.closure(&old, Direction::Down, &stopped).map_err(failed)? & &plan.active;
        let is_oneshot = |name: &&Name| old_services.get(*name).is_some_and(|s| s.kind == NodeKind::Oneshot);
        plan.stopped_oneshots = plan.stops.iter().filter(is_oneshot).cloned().collect();
        let needed = live.closure(fresh, Direction::Up, &started).map_err(failed)?;
        let stays = &plan.active - &plan.stops;
        plan.starts = &needed - &stays;
        for name in plan
            .stops
            .iter()
            .filter(|name| !plan.changed.contains_key(*name) && !plan.removed.contains(*name))
        {
            let needs = live.dependencies(&old, name).map_err(failed)?;
            let needed = match needs.into_iter().find(|needed| plan.stops.contains(needed)) {
                None if plan.starts.contains(name) => {
                    let needs = live.dependencies(fresh, name).map_err(failed)?;
                    needs.into_iter().find(|needed| plan.starts.contains(needed))
                }
                needed => needed,
            };
            if let Some(needed) = needed {
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

    /// Adds the oneshots to what is live and what is to be: their command lines, and of our own the files that they may
    /// run, which a database does not hold. Where neither differs, nothing is told.
    fn oneshots(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        fresh: &Path,
        scripts: &Scripts,
        touched: &BTreeSet<Name>,
        snapshots: &mut (Snapshot, Snapshot),
    ) -> Result<(), Vec<Diagnostic>> {
        let old = live.compiled();
        let recorded = Scripts::of_live(live, fresh)?;
        let names = match &recorded {
            Some(recorded) => recorded.names(),
            None => live.list(&old, List::Oneshots).map_err(failed)?,
        };
        let is_same = |name: &Name| {
            !touched.contains(name) && recorded.as_ref().is_some_and(|recorded| recorded.agree(scripts, name))
        };
        let sides = [(old.as_path(), &mut snapshots.0, names), (fresh, &mut snapshots.1, scripts.names())];
        let both = &sides[0].2 & &sides[1].2;
        for (database, snapshot, names) in sides {
            for name in names {
                let settings = match is_same(&name) || !both.contains(&name) {
                    true => Settings::new(NodeKind::Oneshot),
                    false => live.oneshot(database, &name).map_err(failed)?,
                };
                snapshot.services.insert(name, settings);
            }
        }
        let prefix = format!("{}/", render::definitions_dir(&wanted.services.target));
        for (path, entry) in wanted.tree.entries() {
            let TreeEntry::File { content, executable } = entry else { continue };
            let Some((name, file)) = path.strip_prefix(&prefix).and_then(|path| path.split_once('/')) else {
                continue;
            };
            let Some(name) = touched.get(&Name::from(name)) else { continue };
            let Some(settings) = snapshots.1.services.get_mut(name).filter(|s| s.kind == NodeKind::Oneshot)
            else {
                continue;
            };
            settings.files.insert(file.into(), File { content: content.clone(), executable: *executable });
            let present = disk::read_kept(&self.definitions.in_root(path)).map_err(unwritten)?;
            if let (Some(content), Some(settings)) = (present, snapshots.0.services.get_mut(name)) {
                settings.files.insert(file.into(), File { content, executable: *executable });
            }
        }
        Ok(())
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
            Pending { restart: plan.rerun.clone(), start: plan.boot.clone() }.write(live, fresh)?;
            if let Some(scripts) = &plan.scripts {
                scripts.write(fresh)?;
            }
        }
        // What is removed may still be needed for the stop of a oneshot.
        let install = |tree: &SourceTree, prune| {
            let place = Place::lock(root, definitions);
            place.and_then(|place| place.install(tree, prune)).map_err(unwritten)
        };
        let mut postponed = plan.files_differ;
        if plan.replaces {
            if plan.files_differ {
                let meanwhile = self.with_old_scripts(wanted, plan).map_err(unwritten)?;
                let installed = install(&meanwhile, Prune::Later)?;
                postponed = !installed.postponed.is_empty() || meanwhile != wanted.tree;
            }
            Self::replace(live, plan, fresh, conversion)?;
        }
        if postponed {
            install(&wanted.tree, Prune::Now)?;
        }
        Self::start_new(live, plan, fresh)
    }

    /// The new tree, with those files of the old one that the oneshots run by which it is stopped. What keeps nothing but
    /// that is a definition that nobody needs.
    fn with_old_scripts(&self, wanted: &Wanted, plan: &Plan) -> Result<SourceTree, OutputError> {
        let target = &wanted.services.target;
        let prefix = format!("{}/", render::definitions_dir(target));
        disk::keep(&wanted.tree, &self.definitions.root, &target.tree, |path| {
            let Some((name, file)) = path.strip_prefix(&prefix).and_then(|path| path.split_once('/')) else {
                return false;
            };
            let is_gone = !wanted.tree.has_below(&format!("{prefix}{name}"));
            let is_script = file.starts_with("data/") || is_gone && ["type", "up", "down"].contains(&file);
            is_script && plan.stopped_oneshots.contains(&Name::from(name))
        })
    }

    /// Makes the database `fresh` live.
    fn replace(
        live: &mut Live<'_>,
        plan: &Plan,
        fresh: &Path,
        conversion: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        let Err(failure) = live.update(fresh, conversion) else { return Ok(()) };
        let problem = failure.diagnostic();
        if disk::live_database(live.directory()).as_deref() == Some(fresh) {
            let note = "the new database is live; what did not start is shown by `s6gen status`";
            let mut problems = vec![problem.note(note)];
            // What is new does not suffer from it.
            problems.extend(Self::start_new(live, plan, fresh).err().into_iter().flatten());
            return Err(problems);
        }
        let problem = problem.note("the old database is still live; the files for the next boot are new");
        // What was stopped before the failure comes back.
        let active: Vec<Name> = plan.active.iter().cloned().collect();
        Err(match live.change(Direction::Up, &active) {
            Ok(()) => vec![problem.note("what had been stopped was started again")],
            Err(failure) => vec![problem, failure.diagnostic()],
        })
    }

    /// Starts what is new among the services that start at boot.
    fn start_new(live: &mut Live<'_>, plan: &Plan, fresh: &Path) -> Result<(), Vec<Diagnostic>> {
        let boot: Vec<Name> = plan.boot.iter().cloned().collect();
        if boot.is_empty() {
            return Ok(());
        }
        let started = live.change(Direction::Up, &boot);
        // Whoever is told that a service does not start need not be told again by each apply.
        Pending::default().write(live, fresh)?;
        started.map_err(failed)
    }
}

/// What is not the same in two definitions of a service, by the names of files.
fn changes(old: &Settings, new: &Settings) -> Vec<String> {
    if old.kind != new.kind {
        return vec!["type".into()];
    }
    let files = old.files.keys().chain(new.files.keys());
    let mut changes: BTreeSet<String> =
        files.filter(|file| old.files.get(*file) != new.files.get(*file)).cloned().collect();
    let is_setting = |file: &String| ["up", "down"].contains(&file.as_str());
    if old.kind == NodeKind::Oneshot {
        changes.retain(|file| file.starts_with("data/") || is_setting(file));
    }
    for (name, differs) in [
        ("up", old.up != new.up),
        ("down", old.down != new.down),
        ("producer-for", old.producer_for != new.producer_for),
        ("consumer-for", old.consumer_for != new.consumer_for),
    ] {
        if differs {
            changes.insert(name.into());
        }
    }
    changes.into_iter().collect()
}
