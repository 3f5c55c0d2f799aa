mod beside;
mod guess;
mod pending;
mod plan;
mod prints;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::system::{Definitions, System, Trouble, failed, unwritten};
use super::wanted::Wanted;
use super::{Outcome, Streams};
use crate::compare;
use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::install::{self, InstallError, LockedSite, PathDifference, PreparedInstall, Prune};
use crate::live::{self, Direction, Failure, List, Live, Programs};
use crate::live::{CompiledDatabase, Fingerprints};
use crate::model::{FDHOLDER, File, Name, NodeKind, Settings, Snapshot};
use crate::render;
use crate::resolve::START_BUNDLE;
use crate::templates::execline_word;
use crate::tree::{SourceTree, TreeEntry};
use beside::{beside, emptying};
use guess::Guess;
use pending::Pending;
use plan::Plan;

/// The directory beside the databases in which the source directories are composed. It stays: most of it is right the next
/// time.
const NEXT: &str = "next";

/// What is so when something does not start in the end.
const IS_LIVE: &str =
    "the new database is live; `s6gen status` shows what did not start, and `s6gen start NAME` tries again";

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
    /// Whether a program reads what it prints.
    pub(super) fn prints_json(&self) -> bool {
        self.json
    }

    /// With the manifest that the image was built from.
    pub(super) fn new(definitions: Definitions, system: System) -> Self {
        Apply { manifest: None, dry_run: false, json: false, definitions, system }
    }

    /// Whether it may stop the service that calls it, and does not run apart from that yet.
    pub(super) fn may_stop_caller(&self) -> bool {
        !self.dry_run && self.system.may_stop_caller()
    }

    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        self.run_with(streams, programs, || Wanted::new(&self.definitions, self.manifest.as_deref()))
    }

    /// The same; `wanted` is called once nobody else applies.
    pub(super) fn run_with(
        &self,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
        wanted: impl FnOnce() -> Result<Wanted, Trouble> + Send,
    ) -> Outcome {
        self.system.alone(streams, programs, |live, out, work| self.update(live, out, work, wanted))
    }

    /// Compiles the tree, finds what changed, and makes it so.
    fn update(
        &self,
        live: &mut Live<'_>,
        out: &mut String,
        work: &Path,
        wanted: impl FnOnce() -> Result<Wanted, Trouble> + Send,
    ) -> Result<Outcome, Trouble> {
        // Not before: another apply may have waited with less.
        let (wanted, (alone, active)) =
            beside(wanted, || (live::unsupervised(live.directory()), live.active_if_idle()));
        let (mut wanted, alone, active) = (wanted?, alone.map_err(unwritten)?, active.map_err(failed)?);
        if !alone.is_empty() && self.dry_run {
            return Err(failed(Failure::Unsupervised(alone.into_iter().collect())).into());
        }
        let active = match alone.is_empty() {
            true => active,
            false => Some(repair(live, &alone)?),
        };
        let next = work.join(NEXT);
        let number = live::databases(work).last_key_value().map_or(1, |(number, _)| number + 1);
        let fresh = work.join(format!("db.{number}"));
        let mut result = self.try_update(live, &wanted, out, &next, &fresh, active);
        if let Ok(None) = result {
            let active = live.active_when_idle().map_err(failed);
            // During a wait somebody may have built another manifest.
            wanted = Wanted::new(&self.definitions, self.manifest.as_deref())?;
            result = disk::remove_folder(&fresh)
                .map_err(unwritten)
                .and(active)
                .and_then(|active| self.try_update(live, &wanted, out, &next, &fresh, Some(active)));
        }
        // What is live now is kept, whatever happened; these are all of ours.
        let current = live::live_database(live.directory());
        for path in live::databases(work).into_values().filter(|path| Some(path) != current.as_ref()) {
            if let Err(error) = disk::remove_folder(&path) {
                live.tell(&format!("{error}; the next apply tries that again"));
            }
        }
        Ok(result?.unwrap_or(Outcome::Fine))
    }

    /// Knows what is `active` unless another s6-rc is at work. Then it does nothing, and returns none, if there is something
    /// to do.
    fn try_update(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        out: &mut String,
        next: &Path,
        fresh: &Path,
        active: Option<BTreeSet<Name>>,
    ) -> Result<Option<Outcome>, Vec<Diagnostic>> {
        let is_idle = active.is_some();
        let active = active.map_or_else(|| live.active(), Ok).map_err(failed)?;
        let Compiled { sources, prints, looked: Looked { prepared, differences } } =
            self.compile(live, wanted, next, fresh)?;

        let conversion = fresh.with_file_name("conversion");
        let touched = wanted.differing(&differences).iter().map(|name| Name::from(name.as_str())).collect();
        let mut plan = self.plan(live, wanted, active, fresh, prints, &touched)?;
        plan.files_differ =
            !differences.is_empty() || prepared.as_ref().is_some_and(PreparedInstall::postpones);
        if plan.replaces && !is_idle {
            return Ok(None);
        }
        if plan.replaces {
            let lines =
                plan.conversion.iter().map(|name| format!("{} restart\n", execline_word(&name.to_string())));
            disk::replace_until_boot(&conversion, lines.collect::<String>().as_bytes()).map_err(unwritten)?;
            plan.commands.push(live::compile(fresh, &sources));
            plan.commands.push(live::update(live.directory(), fresh, &conversion));
        }
        let done = match prepared {
            None => Self::rehearse(live, &mut plan, fresh, &conversion),
            Some(prepared) => self.carry_out(live, wanted, prepared, &mut plan, fresh, &conversion),
        };
        if let Err(problems) = done {
            let is_live = live::live_database(live.directory()).as_deref() == Some(fresh);
            // A program has to know what became of the system, also where something did not stop or start.
            if self.json {
                *out += &format!("{}\n", plan.json(is_live));
            }
            return Err(problems);
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
        Ok(Some(Outcome::Fine))
    }

    /// Compiles what the next boot would compile, to `fresh`. How the definitions on the disk differ is found out
    /// meanwhile: until then it is guessed.
    fn compile<'w>(
        &'w self,
        live: &mut Live<'_>,
        wanted: &'w Wanted,
        next: &Path,
        fresh: &Path,
    ) -> Result<Compiled<'w>, Vec<Diagnostic>> {
        let work = fresh.parent().unwrap_or(fresh);
        let definitions = Guess::of(&wanted.tree, render::definitions_dir(&wanted.services.target));
        let mut differ = match definitions.changed_since(work)? {
            Some(guessed) => guessed,
            None => wanted.differing(&wanted.differences(&self.definitions)?),
        };
        loop {
            // Nobody builds meanwhile: what is compiled is what is looked at.
            let place = if self.dry_run { None } else { Some(wanted.lock(&self.definitions)?) };
            let sources = wanted.compose(&self.definitions, &differ, next)?;
            let look = || {
                let prints = live::fingerprints(&sources);
                (self.look(wanted, place), prints)
            };
            let ((looked, prints), compiled) = beside(look, || live.compile(fresh, &sources));
            let looked = looked?;
            let mut really = wanted.differing(&looked.differences);
            really.retain(|name| definitions.has(name));
            if !really.is_subset(&differ) {
                disk::remove_folder(fresh).map_err(unwritten)?;
                differ = really;
                continue;
            }
            if let Err(failure) = compiled {
                // It stops at the first mistake, and says less of it.
                wanted.check(&sources)?;
                return Err(failed(failure));
            }
            if !self.dry_run && !looked.differences.is_empty() {
                definitions.write(work)?;
            }
            return Ok(Compiled { sources, prints: prints.map_err(unwritten)?, looked });
        }
    }

    /// Looks how the definitions on the disk differ.
    fn look<'w>(
        &self,
        wanted: &'w Wanted,
        place: Option<LockedSite<'w>>,
    ) -> Result<Looked<'w>, Vec<Diagnostic>> {
        let Some(place) = place else {
            return Ok(Looked { prepared: None, differences: wanted.differences(&self.definitions)? });
        };
        let prepared = place.prepare(&wanted.tree, Prune::Later).map_err(unwritten)?;
        let differences = prepared.differences();
        Ok(Looked { prepared: Some(prepared), differences })
    }

    /// Compares what is live with the database `fresh`.
    fn plan(
        &self,
        live: &mut Live<'_>,
        wanted: &Wanted,
        active: BTreeSet<Name>,
        fresh: &Path,
        prints: Fingerprints,
        touched: &BTreeSet<Name>,
    ) -> Result<Plan, Vec<Diagnostic>> {
        let old = live.compiled();
        let top = if wanted.services.target.system.is_overlay() { "top" } else { START_BUNDLE };
        let recorded = prints::of_live(live, fresh)?;
        let is_same = |name: &Name| {
            let recorded = recorded.as_ref().and_then(|recorded| recorded.by_name.get(name));
            recorded.is_some_and(|print| prints.by_name.get(name) == Some(print))
        };
        let (before, after) = (CompiledDatabase::at(&old), CompiledDatabase::at(fresh));
        let longruns = |database: &CompiledDatabase| -> Result<Snapshot, InstallError> {
            let mut snapshot = Snapshot::default();
            for name in database.longruns()? {
                let settings = match is_same(&name) {
                    true => Settings::new(NodeKind::Longrun),
                    false => database.settings(&name)?,
                };
                snapshot.services.insert(name, settings);
            }
            Ok(snapshot)
        };
        let (read, at_boot) = beside(|| (longruns(&before), longruns(&after)), || live.contents(fresh, top));
        let mut snapshots = (read.0.map_err(unwritten)?, read.1.map_err(unwritten)?);
        let absent = &at_boot.map_err(failed)? - &active;
        let oneshots = match &recorded {
            Some(recorded) => recorded.oneshots.clone(),
            None => live.list(&old, List::Oneshots).map_err(failed)?,
        };
        let is_same = |name: &Name| is_same(name) && !touched.contains(name);
        for (database, snapshot, names) in
            [(&*old, &mut snapshots.0, &oneshots), (fresh, &mut snapshots.1, &prints.oneshots)]
        {
            for name in names {
                let is_told = oneshots.contains(name) && prints.oneshots.contains(name) && !is_same(name);
                let settings = match is_told {
                    true => live.oneshot(database, name).map_err(failed)?,
                    false => Settings::new(NodeKind::Oneshot),
                };
                snapshot.services.insert(name.clone(), settings);
            }
        }
        self.add_scripts(wanted, touched, &mut snapshots)?;
        let mut plan = Plan { active, prints, ..Plan::default() };
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
        plan.conversion.extend(replaced_by_one(live, fresh, &plan.removed)?);
        // What an apply that was killed has replaced on the disk, and not restarted.
        let pending = Pending::read(live, fresh)?;
        for name in pending.restart {
            if new_services.contains_key(&name) && plan.active.contains(&name) {
                plan.changed.entry(name.clone()).or_insert_with(|| vec!["data".to_owned()]);
                plan.conversion.insert(name);
            }
        }
        let is_oneshot =
            |name: &&Name| old_services.get(*name).is_some_and(|old| old.kind == NodeKind::Oneshot);
        let has_script = |name: &&Name| {
            let files = plan.changed.get(*name).into_iter().flatten();
            files.into_iter().any(|file| file.starts_with("data"))
        };
        plan.rerun = plan.conversion.iter().filter(is_oneshot).filter(has_script).cloned().collect();
        let differ = plan.changed.keys().chain(&plan.removed);
        plan.stopped_oneshots =
            differ.filter(is_oneshot).filter(|name| plan.active.contains(*name)).cloned().collect();

        let is_same = plan.changed.is_empty()
            && old_services.keys().eq(new_services.keys())
            && before.has_same_services(&after).map_err(unwritten)?;
        if is_same {
            plan.unstarted = &pending.start & &absent;
            return Ok(plan);
        }
        plan.replaces = true;
        if !absent.is_empty() {
            let is_new = &absent - &live.contents(&old, top).map_err(failed)?;
            plan.unstarted = &is_new | &(&pending.start & &absent);
        }
        Ok(plan)
    }

    /// Finds what carrying out the plan would stop and start.
    fn rehearse(
        live: &mut Live<'_>,
        plan: &mut Plan,
        fresh: &Path,
        conversion: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        if plan.replaces {
            let old = live.compiled();
            let (stopped, started) = live.rehearse(fresh, conversion).map_err(failed)?;
            plan.stops = &live.closure(&old, Direction::Down, &stopped).map_err(failed)? & &plan.active;
            let needed = live.closure(fresh, Direction::Up, &started).map_err(failed)?;
            plan.starts = &needed - &(&plan.active - &plan.stops);
            plan.explain(live, &old, fresh)?;
        }
        plan.start_new(live, fresh)
    }

    /// Adds to our own oneshots of which something differs the files that they may run, which a database does not hold.
    fn add_scripts(
        &self,
        wanted: &Wanted,
        touched: &BTreeSet<Name>,
        snapshots: &mut (Snapshot, Snapshot),
    ) -> Result<(), Vec<Diagnostic>> {
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
            let present = disk::read_if_there(&self.definitions.in_root(path)).map_err(unwritten)?;
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
        prepared: PreparedInstall<'_, '_>,
        plan: &mut Plan,
        fresh: &Path,
        conversion: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        if plan.replaces {
            Pending { restart: plan.rerun.clone(), start: plan.unstarted.clone() }.write(live, fresh)?;
            prints::write(&plan.prints, fresh)?;
        }
        // What is removed may still be needed for the stop of a oneshot.
        let meanwhile = self.with_old_scripts(wanted, plan).map_err(unwritten)?;
        let installed = match &meanwhile {
            None => prepared.install(),
            Some(tree) => prepared.with(tree, Prune::Later).and_then(PreparedInstall::install),
        };
        let is_whole = installed.map_err(unwritten)?.postponed.is_empty() && meanwhile.is_none();
        if plan.replaces {
            Self::replace(live, plan, fresh, conversion)?;
        }
        if !is_whole {
            wanted.lock(&self.definitions)?.install(&wanted.tree, Prune::Now).map_err(unwritten)?;
        }
        Self::start_new(live, plan, fresh)
    }

    /// The new tree, with those files of the old one that the oneshots run by which it is stopped; none if there are none.
    /// What keeps nothing but that is a definition that nobody needs.
    fn with_old_scripts(&self, wanted: &Wanted, plan: &Plan) -> Result<Option<SourceTree>, InstallError> {
        if plan.stopped_oneshots.is_empty() {
            return Ok(None);
        }
        let target = &wanted.services.target;
        let prefix = format!("{}/", render::definitions_dir(target));
        let kept = install::retain_installed(&wanted.tree, &self.definitions.root, &target.tree, |path| {
            let Some((name, file)) = path.strip_prefix(&prefix).and_then(|path| path.split_once('/')) else {
                return false;
            };
            let is_gone = !wanted.tree.has_below(&format!("{prefix}{name}"));
            let is_script = file.starts_with("data/") || is_gone && ["type", "up", "down"].contains(&file);
            is_script && plan.stopped_oneshots.contains(&Name::from(name))
        })?;
        Ok((kept != wanted.tree).then_some(kept))
    }

    /// Makes the database `fresh` live.
    fn replace(
        live: &mut Live<'_>,
        plan: &mut Plan,
        fresh: &Path,
        conversion: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        let old = live::live_database(live.directory()).unwrap_or_else(|| live.compiled());
        let directory = live.directory().to_owned();
        let (moves, done) = emptying(&directory, fresh, || live.update(fresh, conversion));
        (plan.stops, plan.starts) = (moves.stopped, moves.started);
        let Err(failure) = done else {
            // What needs what is told where that can be found out; the update is done.
            let _ = plan.explain(live, &old, fresh);
            return Ok(());
        };
        if live::live_database(live.directory()).as_deref() == Some(fresh) {
            let failure = match Self::complete(live, plan, &failure)? {
                true => return Ok(()),
                false => failure,
            };
            let problem = failure.diagnostic();
            let mut problems = vec![problem.note(IS_LIVE)];
            // What is new does not suffer from it.
            problems.extend(Self::start_new(live, plan, fresh).err().into_iter().flatten());
            return Err(problems);
        }
        let problem = failure.diagnostic().note(
            "the old database is still live; the files for the next boot are new; `s6gen apply` tries again",
        );
        // What was stopped before the failure comes back.
        let stopped: Vec<Name> = plan.stops.iter().cloned().collect();
        if stopped.is_empty() {
            return Err(vec![problem]);
        }
        Err(match live.change(Direction::Up, &stopped).and_then(|()| live.keep_up(&stopped)) {
            Ok(()) => {
                plan.starts.clone_from(&plan.stops);
                vec![problem.note("what had been stopped was started again")]
            }
            Err(failure) => vec![problem, failure.diagnostic()],
        })
    }

    /// Where an update failed because supervisors were not there, waits for them, gives back to s6-svscan what s6-rc-update
    /// took from it, and starts what was to be started; returns false if it failed for another reason.
    fn complete(live: &mut Live<'_>, plan: &mut Plan, failure: &Failure) -> Result<bool, Vec<Diagnostic>> {
        let alone = live::unsupervised(live.directory()).map_err(unwritten)?;
        let active = match alone.is_empty() {
            false => repair(live, &alone)?,
            true if failure.is_of_supervisors() && live.supervisors_return().map_err(failed)? => {
                live.active_when_idle().map_err(failed)?
            }
            true => return Ok(false),
        };
        let compiled = live.compiled();
        let mut known = live.list(&compiled, List::Longruns).map_err(failed)?;
        known.extend(live.list(&compiled, List::Oneshots).map_err(failed)?);
        let missing: Vec<Name> = plan
            .stops
            .union(&plan.starts)
            .filter(|name| known.contains(*name) && !active.contains(*name))
            .cloned()
            .collect();
        plan.starts.extend(missing.iter().cloned());
        if !missing.is_empty() {
            let started = live.change(Direction::Up, &missing);
            started.map_err(|failure| vec![failure.diagnostic().note(IS_LIVE)])?;
        }
        Ok(true)
    }

    /// Starts what is new among the services that start at boot, and s6-rc-update has not started.
    fn start_new(live: &mut Live<'_>, plan: &mut Plan, fresh: &Path) -> Result<(), Vec<Diagnostic>> {
        plan.start_new(live, fresh)?;
        if plan.unstarted.is_empty() {
            return Ok(());
        }
        let boot: Vec<Name> = plan.boot.iter().cloned().collect();
        let started = if boot.is_empty() { Ok(()) } else { live.change(Direction::Up, &boot) };
        // Whoever is told that a service does not start need not be told again by each apply.
        Pending::default().write(live, fresh)?;
        started.map_err(|failure| vec![failure.diagnostic().note(IS_LIVE)])
    }
}

/// Gives services that nobody supervises back to s6-svscan, as s6-rc has them; returns what is up.
///
/// An s6-rc-update that is killed while it exchanges the live directory leaves such services. It also fails like that by
/// itself: where s6-svscan starts a supervisor again just then, for the old directory of a service and in the new one.
fn repair(live: &mut Live<'_>, alone: &BTreeSet<Name>) -> Result<BTreeSet<Name>, Vec<Diagnostic>> {
    let active = live.active_when_idle().map_err(failed)?;
    let names: Vec<String> = alone.iter().filter(|name| !name.is_reserved()).map(Name::to_string).collect();
    live.tell(&format!("nobody supervised {}; s6-svscan is given them back", names.join(", ")));
    let scandir = live::relink(live.directory(), alone, &active).map_err(unwritten)?;
    live.supervise_again(&scandir, alone).map_err(failed)?;
    // Where it does not run yet it makes all pipes when it starts.
    if active.contains(&Name::from(FDHOLDER)) {
        let consumers = live::consumers(live.directory()).map_err(unwritten)?;
        live.add_pipes(&consumers).map_err(failed)?;
    }
    Ok(active)
}

/// How the definitions on the disk differ.
struct Looked<'w> {
    differences: Vec<PathDifference>,
    /// Kept until the files are replaced, so that nothing has to be looked at twice.
    prepared: Option<PreparedInstall<'w, 'w>>,
}

/// What the next boot would compile, and was compiled.
struct Compiled<'w> {
    sources: Vec<PathBuf>,
    prints: Fingerprints,
    looked: Looked<'w>,
}

/// Those of the services `removed` whose names are those of bundles with one member in the database `fresh`:
/// s6-rc-update takes that for the same service under another name, and lets it run.
fn replaced_by_one(
    live: &mut Live<'_>,
    fresh: &Path,
    removed: &BTreeSet<Name>,
) -> Result<BTreeSet<Name>, Vec<Diagnostic>> {
    let mut replaced = BTreeSet::new();
    if !removed.is_empty() {
        for name in removed & &live.list(fresh, List::Bundles).map_err(failed)? {
            if live.contents(fresh, &name.to_string()).map_err(failed)?.len() == 1 {
                replaced.insert(name);
            }
        }
    }
    Ok(replaced)
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
