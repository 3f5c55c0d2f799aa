use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use clap::Args;

use super::image::{mount, name, version};
use super::system::{Definitions, System as Running, failed, unwritten, work_directory};
use super::wanted::{Wanted, found_overlay};
use super::{Format, ManifestArgument, Outcome, Streams, TemplatesArgument};
use crate::compare::{self, Comparison};
use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk;
use crate::image::Setup;
use crate::install::InstallError;
use crate::live::{self, CompiledDatabase};
use crate::live::{Live, Programs};
use crate::model::{File, Name, NodeKind, Snapshot, System, Target};
use crate::source::Union;
use crate::{Compilation, judge_beside, judge_image, snapshot, snapshot_of, snapshot_of_image};

/// What the directory begins with in which what is to run is composed; the rest is the process.
const COMPARED: &str = "diff.";

/// Shows what changes between two systems, and what an update restarts
///
/// Told in services and settings. For each service it says what an update of a running system does: s6-rc-update
/// restarts by itself what it has to, but not what only has another script; that takes a line `NAME restart` in its
/// conversion file. Exits 1 when there is a difference, and 2 when one of the two has errors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen diff                                       what runs, and what `s6gen apply` would make of it\n  \
    s6gen diff services.toml                         what runs, and what this would make of it\n  \
    s6gen diff old.toml services.toml\n  \
    s6gen diff rootfs/etc/s6-overlay services.toml   a built tree, or any other source directory\n  \
    s6gen diff --json old.toml services.toml")]
pub(super) struct Diff {
    /// What there was: a manifest, an s6-rc source directory, or the /etc/s6-overlay of an image. Left out, it is what
    /// runs
    #[arg(value_name = "OLD")]
    old: Option<PathBuf>,
    /// What there is now, likewise. Left out with OLD, it is what `s6gen apply` would make
    #[arg(value_name = "NEW")]
    new: Option<PathBuf>,
    /// Read directories as /init of this s6-overlay does; one that holds s6-rc.d is read so by the newest anyway
    #[arg(long, value_name = "VERSION", value_parser = version)]
    overlay: Option<System>,
    /// A service that is defined elsewhere, where OLD or NEW is a directory
    #[arg(long, value_name = "NAME", value_parser = name)]
    external: Vec<Name>,
    #[command(flatten)]
    templates: TemplatesArgument,
    /// For people or for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    definitions: Definitions,
    #[command(flatten)]
    running: Running,
}

/// One of the two things that are compared.
struct Side {
    snapshot: Snapshot,
    /// What is up before an update.
    up: BTreeSet<Name>,
    /// Why that is taken to be up, if nobody looked.
    assumption: Option<String>,
    /// It was read from a database, which does not tell everything; the other one then has to be flattened too.
    is_flat: bool,
    /// The files that its oneshots may run, which a database does not hold.
    scripts: Scripts,
}

/// Files by oneshot.
type Scripts = BTreeMap<Name, BTreeMap<String, File>>;

/// How often what runs is read again because somebody changes it meanwhile.
const TRIES: u32 = 20;
/// How long to wait before that.
const PAUSE: Duration = Duration::from_millis(100);

impl Diff {
    /// Whether a program reads what it prints.
    pub(super) fn prints_json(&self) -> bool {
        self.json || self.format == Format::Json
    }

    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let sides = match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                self.read(old, streams).and_then(|old| Ok((old, self.read(new, streams)?)))
            }
            // What is named alone is compared with what runs.
            (Some(folder), None) if folder.is_dir() => self
                .read(folder, streams)
                .and_then(|_| self.with_running(streams, programs, &|_| Ok(self.folder(folder)))),
            (manifest, _) => match Wanted::new(&self.definitions, manifest.as_deref()) {
                Ok(wanted) => self.with_running(streams, programs, &|place| self.wanted(&wanted, place)),
                Err(trouble) => Err(trouble.report(streams)),
            },
        };
        let (mut old, mut new) = match sides {
            Ok(sides) => sides,
            // A script that asks whether something differs must not take this for a yes.
            Err(Outcome::Problems) => return Outcome::Misused,
            Err(outcome) => return outcome,
        };
        if old.is_flat || new.is_flat {
            for side in [&mut old, &mut new] {
                side.snapshot = side.snapshot.flattened();
                for (name, files) in std::mem::take(&mut side.scripts) {
                    if let Some(settings) = side.snapshot.services.get_mut(&name) {
                        settings.files = files;
                    }
                }
            }
        }
        let comparison = Comparison::of(&old.snapshot, &new.snapshot, &old.up, &new.up);
        if self.prints_json() {
            let mut shape = compare::json(&comparison);
            shape["assumption"] = old.assumption.into();
            streams.say(&format!("{shape}\n"));
        } else {
            streams.say(&compare::text(&comparison));
            if let Some(assumption) = old.assumption.filter(|_| !comparison.differences.is_empty()) {
                streams.say(&format!("\nTold for an update of a running system in which {assumption}.\n"));
            }
        }
        if comparison.differences.is_empty() { Outcome::Fine } else { Outcome::Problems }
    }

    /// What runs, and what it is compared with, which may put files into the directory that it is given.
    fn with_running(
        &self,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
        new: &dyn Fn(&Path) -> Result<Snapshot, Vec<Diagnostic>>,
    ) -> Result<(Side, Side), Outcome> {
        let mut sides = None;
        let outcome = self.running.with(streams, programs, |live, _| {
            let mut tries = TRIES;
            loop {
                let before = live::live_database(live.directory());
                let read = self.try_with_running(live, new);
                // An apply has replaced what was being read, or is about to.
                let is_replaced = live::live_database(live.directory()) != before;
                let is_replacing = || live::lock_holder(&work_directory(live.directory())).is_some();
                if tries == 0 || !is_replaced && (read.is_ok() || !is_replacing()) {
                    sides = Some(read?);
                    return Ok(Outcome::Fine);
                }
                tries -= 1;
                sleep(PAUSE);
            }
        });
        sides.ok_or(outcome)
    }

    fn try_with_running(
        &self,
        live: &mut Live<'_>,
        new: &dyn Fn(&Path) -> Result<Snapshot, Vec<Diagnostic>>,
    ) -> Result<(Side, Side), Vec<Diagnostic>> {
        let work = work_directory(live.directory());
        live::remove_abandoned(&work, COMPARED);
        let place = work.join(format!("{COMPARED}{}", std::process::id()));
        let snapshot = new(&place);
        disk::remove_folder(&place).map_err(unwritten)?;
        let snapshot = snapshot?;
        let up = compare::running(&snapshot, &at_boot(&snapshot).0);
        let mut new = Side { snapshot, up, assumption: None, is_flat: false, scripts: Scripts::new() };

        let compiled = live.compiled();
        let mut snapshot = live.snapshot(&compiled).map_err(failed)?;
        let database = CompiledDatabase::at(&compiled);
        for (name, settings) in &mut snapshot.services {
            if settings.kind == NodeKind::Longrun {
                settings.files = database.settings(name).map_err(unwritten)?.files;
            }
        }
        let up = live.active().map_err(failed)?;
        let mut old = Side { snapshot, up, assumption: None, is_flat: true, scripts: Scripts::new() };
        self.add_scripts(&mut old, &mut new).map_err(unwritten)?;
        Ok((old, new))
    }

    /// Adds the files that oneshots of both sides may run. What runs uses those that lie in the definitions.
    fn add_scripts(&self, old: &mut Side, new: &mut Side) -> Result<(), InstallError> {
        let Ok(definitions) = self.definitions.directory() else { return Ok(()) };
        for (name, settings) in &new.snapshot.services {
            let is_oneshot = |side: &Side| {
                side.snapshot.services.get(name).is_some_and(|settings| settings.kind == NodeKind::Oneshot)
            };
            if !is_oneshot(new) || !is_oneshot(old) {
                continue;
            }
            let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
            for (path, file) in &settings.files {
                let present = disk::read_if_there(&definitions.join(name.to_string()).join(path))?;
                if let Some(content) = present {
                    before.insert(path.clone(), File { content, executable: file.executable });
                    after.insert(path.clone(), file.clone());
                }
            }
            old.scripts.insert(name.clone(), before);
            new.scripts.insert(name.clone(), after);
        }
        Ok(())
    }

    /// What a boot would compile if the manifest were applied.
    fn wanted(&self, wanted: &Wanted, place: &Path) -> Result<Snapshot, Vec<Diagnostic>> {
        let differ = wanted.differing(&wanted.differences(&self.definitions)?);
        let sources = wanted.compose(&self.definitions, &differ, place)?;
        wanted.check(&sources)?;
        Ok(snapshot_of(|| sources.iter().map(disk::source).collect()))
    }

    /// What a boot would compile if the directory were in the place of the definitions.
    fn folder(&self, folder: &Path) -> Snapshot {
        let parts = ["s6-rc.d", "user-bundles.d"].map(|name| folder.join(name));
        let parts: Vec<PathBuf> = parts.into_iter().filter(|part| part.is_dir()).collect();
        let mut sources = if parts.is_empty() { vec![folder.to_owned()] } else { parts };
        let own = found_overlay(&self.definitions).and_then(System::own_definitions_dir);
        sources.extend(own.map(|own| self.definitions.in_root(&own)));
        snapshot_of(|| sources.iter().map(disk::source).collect())
    }

    /// Reads a manifest or a directory. Its problems are reported if it cannot be compared.
    fn read(&self, path: &Path, streams: &mut Streams<'_>) -> Result<Side, Outcome> {
        let (files, compilation, snapshot) = match path.is_dir() {
            true => self.directory(path),
            false => self.manifest(path),
        };
        if compilation.problems.has_errors() {
            streams.report(compilation.problems.iter(), &files);
            return Err(Outcome::Problems);
        }
        let (started, assumption) = at_boot(&snapshot);
        let up = compare::running(&snapshot, &started);
        Ok(Side { snapshot, up, assumption: Some(assumption), is_flat: false, scripts: Scripts::new() })
    }

    fn manifest(&self, path: &Path) -> (Files, Compilation, Snapshot) {
        let (files, mut compilation) = ManifestArgument::new(path.to_owned()).compile();
        if compilation.problems.has_errors() {
            // The help for other commands names an option that this one does not have.
            compilation.problems.revise(|problem| {
                problem.help = problem.help.take().filter(|_| problem.code != Code::ManifestUnreadable);
            });
            return (files, compilation, Snapshot::default());
        }
        let snapshot = match self.templates.tree(&compilation.services) {
            Ok(tree) => snapshot(&compilation.services, &tree),
            Err(problem) => {
                compilation.problems.push(problem);
                Snapshot::default()
            }
        };
        (files, compilation, snapshot)
    }

    fn directory(&self, path: &Path) -> (Files, Compilation, Snapshot) {
        let mut files = Files::default();
        let opened = mount(path);
        // A source directory in which these are definitions has a `type` in them.
        let is_image = ["s6-rc.d", "user-bundles.d"].iter().any(|name| path.join(name).is_dir());
        let system = self.overlay.or(is_image.then_some(System::NEWEST_OVERLAY));
        if let (Some(system), Ok(root)) = (system, opened.and_then(|mount| Union::new(vec![mount]))) {
            let setup = Setup { is_partial: true, ..Setup::new(system) };
            let compilation = judge_image(&mut files, &root, &setup, &self.external);
            return (files, compilation, snapshot_of_image(&root, &setup));
        }
        let open = || vec![disk::source(path)];
        let compilation = judge_beside(&mut files, open(), Target::new(System::NEWEST_S6RC), &self.external);
        (files, compilation, snapshot_of(open))
    }
}

/// What is started at boot, and a clause that says so.
fn at_boot(snapshot: &Snapshot) -> (Vec<Name>, String) {
    let starts = |name: &&str| {
        let settings = snapshot.services.get(&Name::from(*name));
        settings.is_some_and(|settings| settings.kind == NodeKind::Bundle && !settings.contents.is_empty())
    };
    // The bundles of s6-overlay, and the one that s6gen and most others start.
    let started = [&["top"][..], &["user", "user2"], &["default"]]
        .iter()
        .map(|names| names.iter().copied().filter(starts).collect::<Vec<_>>())
        .find(|names| !names.is_empty());
    match started {
        Some(names) => (names.into_iter().map(Name::from).collect(), "all that starts at boot is up".into()),
        None => (snapshot.services.keys().cloned().collect(), "every service is up".into()),
    }
}
