//! Reports definitions and start bundles in directories of an image that its version of s6-overlay does not read.

use std::path::PathBuf;

use super::{Setup, is_directory};
use crate::diagnostic::{Code, Diagnostic, Files, Origin, Problems};
use crate::model::{Feature, Name, System};
use crate::source::{Directory, EntryKind, Source};
use crate::tree::RECEIPT;

/// The directories that s6-overlay reads, as absolute paths in the image.
pub(super) struct Places {
    /// The directory of definitions.
    pub(super) definitions: String,
    /// The directory of start bundles, for versions that have one.
    pub(super) bundles: String,
}

/// How many unread files a report shows.
const SHOWN: usize = 8;

/// How many bytes of a receipt are read. It lists every file, and no set of services that s6-rc accepts needs more.
const LONGEST_RECEIPT: usize = 64 << 20;

/// A file or directory that s6-overlay does not read.
struct UnreadPlace {
    place: PathBuf,
    text: String,
}

impl Places {
    pub(super) fn new(setup: &Setup) -> Self {
        let base = match &setup.profile {
            Some(profile) => format!("/etc/cont-profile.d/{profile}/s6-overlay"),
            None => "/etc/s6-overlay".to_owned(),
        };
        let bundles = setup.bundle_dir.clone().unwrap_or_else(|| format!("{base}/user-bundles.d"));
        Places { definitions: format!("{base}/s6-rc.d"), bundles }
    }

    /// A sentence on where this version finds the start bundles, which explains why they must be complete there.
    pub(super) fn why(&self, system: System, is_apart: bool) -> String {
        let (definitions, bundles) = (&self.definitions, for_shell(&self.bundles));
        if is_apart {
            format!("{system} takes the start bundles from {bundles}")
        } else if !system.has(Feature::UserBundlesDir) {
            format!("{system} compiles {definitions}, and nothing else of the image")
        } else if system.has(Feature::CompletedBundles) {
            format!("because {definitions}/user exists, {system} does not read {bundles}")
        } else {
            format!(
                "because {definitions}/user exists, {system} does not read {bundles}; {} adds the missing files there \
                 at boot",
                system.first_with(Feature::CompletedBundles)
            )
        }
    }

    /// Reports start bundles among the definitions, if this version has a separate directory for them, and everything
    /// that is never read. Sets `help` to the commands that repair incomplete start bundles among the definitions.
    pub(super) fn report<D: Directory>(
        &self,
        definitions: &Source<D>,
        bundles: &Source<D>,
        setup: &Setup,
        files: &mut Files,
        problems: &mut Problems,
        help: &mut Option<String>,
    ) -> Option<Origin> {
        let system = setup.system;
        let unread = unread(definitions, bundles, system);
        if !system.has(Feature::UserBundlesDir) {
            if !unread.is_empty() {
                problems.push(self.bundles_too_new(definitions, &unread, setup, files));
            }
            return None;
        }
        let remedy = self.move_to_new_place(definitions, system);
        let is_complete = system.has(Feature::CompletedBundles)
            || system.start_bundles().iter().all(|bundle| {
                let opened = definitions.directory.as_ref().ok();
                let bundle = opened.and_then(|directory| directory.directory(bundle.as_bytes()).ok());
                bundle.is_some_and(|bundle| bundle.kind(b"type").is_ok())
            });
        *help = Some(remedy.clone());
        // An incomplete start bundle is reported when it is compiled, with the same help.
        if !is_complete {
            return None;
        }
        let legacy = definitions.directory.as_ref().ok().and_then(|directory| {
            let real = directory.directory(b"user").ok()?.place(b".");
            real.or_else(|| directory.place(b"user"))
        });
        let legacy = legacy.unwrap_or_else(|| definitions.path.join("user"));
        let origin = Origin::whole(files.add(legacy, ""));
        if unread.is_empty() {
            return Some(origin);
        }
        let what = match &setup.bundle_dir {
            Some(_) => "`S6_RUNTIME_BUNDLEDIR`",
            None => "`user-bundles.d`",
        };
        let problem = Diagnostic::new(
            Code::UserInTwoPlaces,
            format!("{what} is never read, because `s6-rc.d/user` exists as well"),
        )
        .at(origin, "if any layer has this directory, /init ignores the other one");
        problems.push(with_unread(problem, &unread, files).help(remedy));
        None
    }

    fn bundles_too_new<D: Directory>(
        &self,
        definitions_source: &Source<D>,
        unread: &[UnreadPlace],
        setup: &Setup,
        files: &mut Files,
    ) -> Diagnostic {
        let Setup { system, bundle_dir, .. } = setup;
        let first = system.first_with(Feature::UserBundlesDir);
        let what = if bundle_dir.is_some() { "`S6_RUNTIME_BUNDLEDIR`" } else { "`user-bundles.d`" };
        let problem = Diagnostic::new(
            Code::BundlesTooNew,
            format!("{system} does not read {what}, so the services in it do not start"),
        );
        let (definitions, bundles) = (&self.definitions, for_shell(&self.bundles));
        let other_place = match unread.iter().any(|unread| is_in_receipt(definitions_source, unread)) {
            // The next build would report moved files as missing, so it must write them to the right place itself.
            true => format!(
                "build again with `s6-overlay = \"{}\"` under `[target]` of the manifest",
                system.version()
            ),
            false => format!(
                "use the directory that this version reads: \
                 `mv {bundles}/user/contents.d/* {definitions}/user/contents.d/`"
            ),
        };
        let help = format!("upgrade the image to {first} or newer, or {other_place}");
        with_unread(problem, unread, files).note(self.why(*system, false)).help(help)
    }

    /// The commands that move the start bundles to their new directory.
    pub(super) fn move_to_new_place<D: Directory>(&self, definitions: &Source<D>, system: System) -> String {
        let (old, new) = (&self.definitions, for_shell(&self.bundles));
        let (mut moves, mut removed) = (Vec::new(), String::new());
        let mut is_syslogd = false;
        for bundle in system.start_bundles().iter().filter(|name| is_directory(definitions, name.as_bytes()))
        {
            match &members(definitions, bundle)[..] {
                [] => {}
                [(only, _)] => {
                    is_syslogd |= *only == *"syslogd-bundle";
                    moves.push(format!("mv {old}/{bundle}/contents.d/{only} {new}/{bundle}/contents.d/"));
                }
                _ => moves.push(format!("mv {old}/{bundle}/contents.d/* {new}/{bundle}/contents.d/")),
            }
            removed.push_str(&format!(" {old}/{bundle}"));
        }
        moves.push(format!("rm -r{removed}"));
        let when = if is_syslogd {
            "after unpacking the syslogd archive, which still contains the old directory"
        } else {
            "in the image, after the last layer that contains the old directory"
        };
        format!("{when}, run `{}`", moves.join(" && "))
    }
}

/// A path for a command in a message. A path that comes from a variable becomes the variable.
fn for_shell(path: &str) -> &str {
    path.strip_prefix('/').filter(|rest| rest.starts_with('$')).unwrap_or(path)
}

/// Whether s6gen made this member of a start bundle: the receipt beside the definition that it names lists it.
fn is_in_receipt<D: Directory>(definitions: &Source<D>, member: &UnreadPlace) -> bool {
    let name = member.place.file_name().unwrap_or_default().as_encoded_bytes();
    let opened = definitions.directory.as_ref().ok().and_then(|directory| directory.directory(name).ok());
    let receipt = opened
        .and_then(|definition| definition.read(format!("../{RECEIPT}").as_bytes(), LONGEST_RECEIPT).ok());
    let listed = [b"/user-bundles.d/user/contents.d/", name].concat();
    receipt.is_some_and(|text| text.split(|byte| *byte == b'\n').any(|line| line.ends_with(&listed)))
}

/// The services in the `contents.d` of a start bundle, each with the path of its file there.
fn members<D: Directory>(source: &Source<D>, bundle: &str) -> Vec<(Name, PathBuf)> {
    let opened = source.directory.as_ref().ok().and_then(|directory| {
        let mut contents = directory.directory(bundle.as_bytes()).ok()?.directory(b"contents.d").ok()?;
        Some((contents.list().ok()?, contents))
    });
    let Some((entries, contents)) = opened else { return Vec::new() };
    let visible = entries.into_iter().filter(|entry| !entry.name.starts_with(b"."));
    visible
        .map(|entry| {
            let name = Name::new(&entry.name);
            let place = contents
                .place(&entry.name)
                .unwrap_or_else(|| source.path.join(format!("{bundle}/contents.d/{name}")));
            (name, place)
        })
        .collect()
}

/// The services in start bundles, and the definitions, that are only in `bundles`.
fn unread<D: Directory>(definitions: &Source<D>, bundles: &Source<D>, system: System) -> Vec<UnreadPlace> {
    let mut unread = Vec::new();
    for bundle in system.start_bundles() {
        let known = members(definitions, bundle);
        for (name, place) in members(bundles, bundle) {
            if !known.iter().any(|(other, _)| *other == name) {
                unread.push(UnreadPlace {
                    place,
                    text: format!("never read, so this does not start `{name}`"),
                });
            }
        }
    }
    // Open the directory again, because a handle can be listed only once.
    let whole = bundles.directory.as_ref().ok().and_then(|directory| {
        let mut whole = directory.directory(b".").ok()?;
        Some((whole.list().ok()?, whole))
    });
    let Some((entries, whole)) = whole else { return unread };
    for entry in entries {
        let is_hidden = entry.name.starts_with(b".");
        let is_bundle = system.start_bundles().iter().any(|bundle| bundle.as_bytes() == entry.name);
        let is_definition = matches!(whole.kind(&entry.name), Ok(EntryKind::Directory));
        if !is_hidden && !is_bundle && is_definition && !is_directory(definitions, &entry.name) {
            let name = Name::new(&entry.name);
            let place = whole.place(&entry.name).unwrap_or_else(|| bundles.path.join(name.to_string()));
            unread.push(UnreadPlace { place, text: format!("never read, so this does not define `{name}`") });
        }
    }
    unread
}

/// Adds the unread files to a report.
fn with_unread(mut problem: Diagnostic, unread: &[UnreadPlace], files: &mut Files) -> Diagnostic {
    for UnreadPlace { place, text } in unread.iter().take(SHOWN) {
        let origin = Origin::whole(files.add(place.clone(), ""));
        problem = problem.at(origin, text.clone());
    }
    match unread.len().saturating_sub(SHOWN) {
        0 => problem,
        more => problem.note(format!("and {more} more")),
    }
}
