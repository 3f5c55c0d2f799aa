//! Finds the source directories that `/init` compiles in a file system with s6-overlay, and completes them as `rc.init` of
//! that version does.
//!
//! The definitions that s6-overlay needs are in three places: the user's definitions in `s6-rc.d`, the start bundles
//! `user` and `user2` there or in their own directory, and the definitions of s6-overlay itself. The version, and which
//! directories exist, decide which of them are compiled. s6-overlay does not report the directories that it ignores.

mod completed;
mod find;
mod places;
mod scripts;

pub use completed::Completed;
pub use find::system;
pub use scripts::{old_scripts, scripts};

use std::path::{Path, PathBuf};

use crate::diagnostic::{Class, Code, Diagnostic, Files, Label, Origin, Problems, Rank};
use crate::model::{BuildContext, Feature, Kind, Layer, Name, Service, ServiceSet, System};
use crate::source::{Directory, EntryKind, Source};
use places::Places;

/// How a container is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The s6-overlay of the image.
    pub system: System,
    /// `S6_RUNTIME_PROFILE`.
    pub profile: Option<String>,
    /// `S6_RUNTIME_BUNDLEDIR`, an absolute path in the image.
    pub bundle_dir: Option<String>,
    /// Whether only the upper layers of the image are known. The lowest layer then has the empty start bundles of
    /// s6-overlay.
    pub is_partial: bool,
    /// The directories with the files of the lower layers, on top of which the judged files lie.
    pub lower: Vec<PathBuf>,
    /// The s6-overlay directory of the uppermost layer.
    pub upper: Option<PathBuf>,
    /// The Dockerfiles that put the tree into the image, if only a part of the image is known.
    pub context: BuildContext,
}

impl Setup {
    /// The usual way to start the whole file system of an image.
    pub fn new(system: System) -> Self {
        Setup {
            system,
            profile: None,
            bundle_dir: None,
            is_partial: false,
            lower: Vec::new(),
            upper: None,
            context: BuildContext::default(),
        }
    }
}

/// The programs of s6-overlay that the image has in the places of version 2.
pub fn old_places<D: Directory>(root: &D) -> Vec<&'static str> {
    let programs = root.directory(b"usr").and_then(|usr| usr.directory(b"bin"));
    let exists = |path: &&str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        programs.as_ref().is_ok_and(|programs| programs.kind(name.as_bytes()).is_ok())
    };
    BuildContext::OLD_PLACES.iter().copied().filter(exists).collect()
}

/// The facts about a boot, apart from its source directories.
#[derive(Debug)]
pub struct Boot {
    system: System,
    /// Whether only a part of the image is known.
    is_partial: bool,
    /// The number of the source with the definitions of s6-overlay itself, and whether they can be read from it.
    own: (u32, bool),
    /// The number of the source with the start bundles, and the start bundles that only s6-overlay's layer has there.
    shipped: (u32, Vec<&'static str>),
    /// A start bundle in `s6-rc.d`, although this boot reads the start bundles elsewhere; and the help to move it there.
    stray: Option<(PathBuf, String)>,
    /// The start bundles whose definitions lack `type`.
    without_type: Vec<(&'static str, PathBuf)>,
    /// The directory in which the start bundles must be.
    bundles: PathBuf,
    /// Whether a source cannot be opened.
    is_unreadable: bool,
    /// Why the start bundles must be complete, and the help to complete them.
    why: String,
    help: Option<String>,
    /// The old directory of the start bundles, if the boot reads them there and the new directory has none.
    old_place: Option<Origin>,
}

/// The source directories that `/init` compiles in the file system `root`, in the order in which it passes them to
/// `s6-rc-compile`, and the other facts about the boot. Reports definitions that are never read.
pub fn sources<D: Directory>(
    root: &D,
    setup: &Setup,
    files: &mut Files,
    problems: &mut Problems,
) -> (Vec<Source<Completed<D>>>, Boot) {
    let system = setup.system;
    let places = Places::new(setup);
    let definitions = open(root, &places.definitions);
    let bundles = open(root, &places.bundles);
    let has_legacy = is_directory(&definitions, b"user");
    let is_apart = system.has(Feature::UserBundlesDir) && !has_legacy;

    let mut boot = Boot {
        system,
        is_partial: setup.is_partial,
        own: (0, false),
        shipped: (u32::from(is_apart), Vec::new()),
        stray: None,
        without_type: Vec::new(),
        bundles: if is_apart { bundles.path.clone() } else { definitions.path.clone() },
        is_unreadable: false,
        why: places.why(system, is_apart),
        help: None,
        old_place: None,
    };
    if is_apart && is_directory(&definitions, b"user2") {
        let remedy = places.move_to_new_place(&definitions, system);
        boot.stray = Some((definitions.path.join("user2"), remedy));
    }
    if !is_apart {
        boot.old_place = places.report(&definitions, &bundles, setup, files, problems, &mut boot.help);
    }

    let mut compiled = Vec::new();
    let mut complete = |source: Source<D>, has_bundles: bool, is_shipped: bool| {
        let completion = match has_bundles {
            // In the first case rc.init always writes the start bundles. In the second one they are in the lowest layer.
            true if has_legacy && system.has(Feature::CompletedBundles) => Some(true),
            true if is_shipped && (is_apart || !system.has(Feature::UserBundlesDir)) => Some(false),
            _ => None,
        };
        let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        let directory = match source.directory {
            Err(error) if is_shipped && is_missing(&error) => Ok(None),
            Err(error) => Err(error),
            Ok(directory) => Ok(Some(directory)),
        };
        boot.is_unreadable |= directory.is_err();
        let directory = directory.map(|directory| {
            if has_bundles && let Some(directory) = &directory {
                boot.find_missing_types(directory, &source.path, completion);
            }
            if completion == Some(false) {
                let has = |name: &str| directory.as_ref().is_some_and(|d| d.kind(name.as_bytes()).is_ok());
                boot.shipped.1 = system.start_bundles().iter().copied().filter(|name| !has(name)).collect();
            }
            match completion {
                Some(overwrites) => Completed::source(directory, system.start_bundles(), overwrites),
                None => directory.map_or(Completed::empty(), Completed::plain),
            }
        });
        compiled.push(Source { path: source.path, directory });
    };
    complete(definitions, !is_apart, setup.is_partial);
    if is_apart {
        complete(bundles, true, setup.is_partial && setup.bundle_dir.is_none());
    }

    let number = u32::try_from(compiled.len()).unwrap_or(u32::MAX);
    let own = system.own_definitions_dir().map(|path| open(root, &path));
    boot.own = (number, false);
    if let Some(Source { path, directory: Ok(directory) }) = own {
        boot.own = (number, true);
        compiled.push(Source { path, directory: Ok(Completed::plain(directory)) });
    }
    (compiled, boot)
}

/// The directories that `/init` compiles in the file system `root`, as absolute paths in it, in the order in which it passes
/// them to `s6-rc-compile`.
pub fn compiled<D: Directory>(root: &D, setup: &Setup) -> Vec<String> {
    let places = Places::new(setup);
    let has_legacy = is_directory(&open(root, &places.definitions), b"user");
    let is_apart = setup.system.has(Feature::UserBundlesDir) && !has_legacy;
    let bundles = is_apart.then_some(places.bundles);
    let own = setup.system.own_definitions_dir();
    [places.definitions].into_iter().chain(bundles).chain(own).collect()
}

impl Boot {
    /// Notes which start bundles in `directory` have no `type` when they are compiled.
    fn find_missing_types<D: Directory>(&mut self, directory: &D, path: &Path, completion: Option<bool>) {
        if completion.is_some() {
            return;
        }
        for name in self.system.start_bundles() {
            let Ok(bundle) = directory.directory(name.as_bytes()) else { continue };
            if bundle.kind(b"type").is_err() {
                let place = bundle.place(b".").unwrap_or_else(|| path.join(name));
                self.without_type.push((name, place));
            }
        }
    }

    /// The old directory of the start bundles and the help to move them to the new one, if the boot reads the old one.
    pub fn old_place(&self) -> Option<(Origin, &str)> {
        self.old_place.zip(self.help.as_deref())
    }

    /// Adds the services of s6-overlay to the services that were read, and reports missing start bundles.
    pub fn complete(&self, services: &mut ServiceSet, files: &mut Files, problems: &mut Problems) {
        let (number, is_read) = self.own;
        if is_read {
            for service in &mut services.services {
                if service.place.0 == number && service.layer == Layer::Ours {
                    service.layer = Layer::Overlay;
                }
            }
        } else {
            let own = self.system.own_definitions().into_iter();
            services.services.extend(
                (0..).zip(own).map(|(position, service)| Service { place: (number, position), ..service }),
            );
        }
        for (position, bundle) in (0..).zip(self.system.start_bundles()) {
            let name = Name::from(*bundle);
            if let Some(found) = services.services.iter_mut().find(|service| service.name == name) {
                if found.place.0 == self.shipped.0 && self.shipped.1.contains(bundle) {
                    found.layer = Layer::Overlay;
                }
                continue;
            }
            // Do not report the bundle if a source cannot be read, because that is the cause. Do not report it either if
            // there is a report on the other bundle whose help completes both.
            let is_reported = self.help.is_some() && !self.without_type.is_empty();
            if !self.is_unreadable && !is_reported {
                let origin = Origin::whole(files.add(self.bundles.clone(), ""));
                let problem = Diagnostic {
                    code: Code::IncompleteStartBundle,
                    // s6-rc-compile reads `top` after all definitions of the user.
                    ..Diagnostic::s6rc(
                        Class::BundleUndefined,
                        Rank::Bundle { step: u32::MAX, position },
                        format!("the start bundle `{bundle}` is not defined"),
                    )
                };
                let path = self.bundles.join(bundle);
                let path = path.display();
                problems.push(
                    problem
                        .at(origin, format!("there is no `{bundle}` in here"))
                        .note(format!(
                            "`top` of s6-overlay contains `{bundle}`, so it must exist, even when it is empty"
                        ))
                        .note(self.why.clone())
                        .help(self.help.clone().unwrap_or_else(|| {
                            format!("make one: `mkdir -p {path}/contents.d && echo bundle > {path}/type`")
                        })),
                );
            }
            let unknown = Service::new(name, None, Kind::Unknown);
            services.services.push(Service { layer: Layer::External, ..unknown });
        }
    }

    /// Adds a possible cause to the first report of a missing or empty `type`: the unpacked image is damaged.
    fn suspect_damage(&self, files: &Files, problems: &mut Problems) {
        let mut is_noted = false;
        problems.revise(|problem| {
            let is_type = match problem.class {
                Some(Class::TypeRead) => {
                    let place = problem.labels.first().map(|label| files.path(label.origin.file));
                    !self.without_type.iter().any(|(_, path)| Some(path.as_path()) == place)
                }
                Some(Class::TypeInvalid) => {
                    problem.labels.first().is_some_and(|label| files.get(label.origin.file).text.is_empty())
                }
                _ => false,
            };
            if is_type && !std::mem::replace(&mut is_noted, true) {
                problem.notes.push(
                    "if the image works on other hosts, its copy here is damaged: remove it and pull it again".into(),
                );
            }
        });
    }

    /// Adds to the reports on start bundles why they must be complete, and how to complete them.
    pub fn explain(&self, files: &Files, problems: &mut Problems) {
        if !self.is_partial {
            self.suspect_damage(files, problems);
        }
        problems.revise(|problem| {
            let Some(place) = problem.labels.first().map(|label| files.path(label.origin.file)) else {
                return;
            };
            let is_about = |(_, path): &&(&str, PathBuf)| path == place;
            if problem.class == Some(Class::DupService)
                && let Some((stray, remedy)) = &self.stray
                && let Some(label) = problem
                    .labels
                    .iter()
                    .find(|label| files.path(label.origin.file).parent() == Some(stray.as_path()))
            {
                let label = Label { text: "only older versions read this one".into(), ..label.clone() };
                problem.labels.retain(|other| other.origin != label.origin);
                problem.labels.insert(0, label);
                problem.code = Code::DuplicateService;
                problem.message = "the start bundle `user2` is defined in two places".into();
                problem.notes = vec![self.why.clone()];
                problem.help = Some(remedy.clone());
                return;
            }
            if problem.class != Some(Class::TypeRead) {
                return;
            }
            let Some((bundle, path)) = self.without_type.iter().find(is_about) else { return };
            problem.code = Code::IncompleteStartBundle;
            problem.message = format!("the start bundle `{bundle}` has no `type` file");
            problem.labels.truncate(1);
            for label in &mut problem.labels {
                label.text = "s6-rc-compile finds no `type` here, and stops".into();
            }
            problem.notes = vec![self.why.clone()];
            problem.help = Some(
                self.help
                    .clone()
                    .unwrap_or_else(|| format!("write it: `echo bundle > {}`", path.join("type").display())),
            );
        });
    }
}

/// The directory at the absolute path `path` below `root`, with a path under which the user finds it.
fn open<D: Directory>(root: &D, path: &str) -> Source<D> {
    let mut shown = root.place(b".").unwrap_or_else(|| "/".into());
    let mut names = path.split('/').filter(|name| !name.is_empty());
    let mut at: std::io::Result<D> = root.directory(b".");
    for name in &mut names {
        let Ok(here) = &at else { break };
        let below = here.directory(name.as_bytes());
        shown = match &below {
            Ok(below) => below.place(b".").unwrap_or_else(|| shown.join(name)),
            Err(_) => here.place(name.as_bytes()).unwrap_or_else(|| shown.join(name)),
        };
        at = below;
        if at.is_err() {
            break;
        }
    }
    shown.extend(names);
    Source { path: shown, directory: at }
}

fn is_directory<D: Directory>(source: &Source<D>, name: &[u8]) -> bool {
    matches!(&source.directory, Ok(directory) if matches!(directory.kind(name), Ok(EntryKind::Directory)))
}
