use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::carried::CARRIED;
use super::{Outcome, Streams};
use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk;
use crate::install::{self, InstallError};
use crate::live::{self, Failure, LIVE, Limits, Live, Processes, Programs};

/// Where the definitions are in a container.
#[derive(Debug, Clone, Args)]
pub(super) struct Definitions {
    /// The root of the container
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(super) root: PathBuf,
    /// The directory of the definitions in it, if s6gen does not find it: what `[target] tree` says
    #[arg(long, value_name = "PATH")]
    tree: Option<String>,
}

/// Where `build` puts definitions unless it is told otherwise, and where the links to them are.
const PLACES: &[&str] = &["/etc/s6-overlay/sv", "/etc/s6-overlay/s6-rc.d", "/etc/s6-rc/source"];

impl Definitions {
    /// A path in the container, with the root.
    pub(super) fn in_root(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The directory, with the root.
    pub(super) fn directory(&self) -> Result<PathBuf, Vec<Diagnostic>> {
        let found = match &self.tree {
            Some(tree) => Some(tree.clone()),
            None => install::find_definitions(&self.root, PLACES, CARRIED),
        };
        let found = found.map(|tree| self.in_root(&tree));
        found.filter(|directory| disk::is_there(&directory.join(CARRIED))).ok_or_else(|| {
            let place = match &self.tree {
                Some(tree) => format!("in `{tree}`"),
                None => format!("in `{}`, nor where its links lead", PLACES.join("`, `")),
            };
            vec![
                Diagnostic::new(Code::CarriedUnreadable, format!("`s6gen build` has left no manifest {place}"))
                    .help("build the image with `s6gen build`; another place of the definitions is named with `--tree`"),
            ]
        })
    }
}

/// The s6-rc that runs.
#[derive(Debug, Clone, Args)]
pub(super) struct System {
    /// The live directory of s6-rc
    #[arg(long, value_name = "DIR", default_value = LIVE)]
    pub(super) live: PathBuf,
    /// How long to wait while another s6gen or s6-rc is at work, in seconds; during a boot one is, until everything is up
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    wait: u64,
    /// How long services may take in all to stop and start, in seconds; 0 is as long as they want
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    timeout: u64,
    /// Runs apart from the caller already
    #[arg(long, hide = true)]
    apart: bool,
}

impl System {
    /// Whether it does not run apart from the caller yet.
    pub(super) fn may_stop_caller(&self) -> bool {
        !self.apart
    }

    fn limits(&self) -> Limits {
        let change = (self.timeout > 0).then(|| Duration::from_secs(self.timeout));
        Limits { wait: Duration::from_secs(self.wait), change }
    }

    /// Does something with what runs; what goes wrong is reported.
    pub(super) fn with(
        &self,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
        work: impl FnOnce(&mut Live<'_>, &mut String) -> Result<Outcome, Trouble>,
    ) -> Outcome {
        let directory = live::live_link(&self.live);
        if !disk::is_there(&directory.join("compiled")) {
            let failure = match disk::is_link(&directory) {
                true => Failure::Wrecked(directory),
                false => Failure::NotRunning(directory),
            };
            return refused(streams, vec![failure.diagnostic()]);
        }
        let mut out = String::new();
        let done = {
            let mut told = |text: &str| streams.tell(&format!("{text}\n"));
            let mut live = Live::new(&directory, programs, self.limits(), &mut told, &Table);
            work(&mut live, &mut out)
        };
        streams.say(&out);
        done.unwrap_or_else(|trouble| trouble.report(streams))
    }
}

impl System {
    /// The same, for what changes what runs: while it works, every other s6gen that does waits. The directory beside the live
    /// one in which it may keep files is told as well.
    pub(super) fn alone(
        &self,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
        work: impl FnOnce(&mut Live<'_>, &mut String, &Path) -> Result<Outcome, Trouble>,
    ) -> Outcome {
        self.with(streams, programs, |live, out| {
            let place = disk::make_folder(&work_directory(live.directory())).map_err(unwritten)?;
            let begun = Instant::now();
            let patience = live.patience();
            let mut has_waited = false;
            let lock = disk::lock(&place, patience, || {
                live.tell_waits("another s6gen", &place);
                has_waited = true;
            });
            // Programs that outlive this process still change what runs.
            let lock = lock.and_then(disk::Lock::with_children);
            let _lock = lock.map_err(|error| {
                let holder = live.holder(&place);
                let add = |problem: Diagnostic| match &holder {
                    Some(holder) => problem.note(holder.clone()),
                    None => problem,
                };
                unwritten(error).into_iter().map(add).collect::<Vec<_>>()
            })?;
            if has_waited {
                live.has_waited(begun.elapsed());
            }
            live.watch_with(disk::open_log(&place.join(LOG)).map_err(unwritten)?);
            work(live, out, &place)
        })
    }
}

/// The file in which the programs that change what runs say what they do.
const LOG: &str = "update.log";

/// The processes of this system, as `/proc` tells.
struct Table;

impl Processes for Table {
    fn holder(&self, path: &Path) -> Option<String> {
        live::lock_holder(path).map(|holder| sentence(&holder))
    }

    fn below(&self, pid: u32, name: &str) -> Option<u32> {
        live::process_below(pid, name)
    }
}

/// What to say of who holds a lock.
fn sentence(holder: &live::LockHolder) -> String {
    let services = holder.services.iter().map(|name| format!("`{name}`"));
    let oneshots = holder.oneshots.iter().map(|command| format!("a oneshot that runs `{command}`"));
    let waits: Vec<String> = services.chain(oneshots).collect();
    let mut text = format!("it is process {}, `{}`", holder.pid, holder.command);
    if !waits.is_empty() {
        text += &format!(", and waits for {}", waits.join(" and "));
    }
    if holder.waits_for_caller {
        text += "; this was called from there: unless it runs in the background, each waits for the other";
    }
    text
}

/// Why something was not done, with the files that it is about.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) files: Files,
    pub(super) problems: Vec<Diagnostic>,
}

impl From<Vec<Diagnostic>> for Trouble {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Trouble { files: Files::default(), problems }
    }
}

impl Trouble {
    /// Reports it.
    pub(super) fn report(&self, streams: &mut Streams<'_>) -> Outcome {
        streams.report(&self.problems, &self.files);
        // A wrong name or manifest is the caller's mistake, everything else the system's.
        let is_system = |problem: &Diagnostic| {
            let slug = problem.code.slug();
            slug.starts_with("output::") || slug.starts_with("live::") && problem.code != Code::UnknownName
        };
        if self.problems.iter().any(is_system) { Outcome::Refused } else { Outcome::Problems }
    }
}

/// Reports why nothing could be done.
pub(super) fn refused(streams: &mut Streams<'_>, problems: Vec<Diagnostic>) -> Outcome {
    Trouble::from(problems).report(streams)
}

/// What to tell people when the running system refuses.
pub(super) fn failed(failure: Failure) -> Vec<Diagnostic> {
    vec![failure.diagnostic()]
}

/// What to tell people when the disk refuses.
pub(super) fn unwritten(error: impl Into<InstallError>) -> Vec<Diagnostic> {
    error.into().live_diagnostics()
}

/// Where s6gen keeps databases that it compiles: beside the live directory, where everything is gone after a restart.
pub(super) fn work_directory(live: &Path) -> PathBuf {
    let name = match live.file_name() {
        Some(name) if name != "s6-rc" => format!("s6gen.{}", name.to_string_lossy()),
        _ => "s6gen".to_owned(),
    };
    live.parent().unwrap_or(Path::new("/run")).join(name)
}
