use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::carried::ADDED;
use super::image::has_overlay;
use super::manifest::{additions, carry};
use super::system::refused;
use super::{ManifestArgument, Outcome, Streams, TemplatesArgument};
use crate::diagnostic::{Code, Diagnostic, Files};
use crate::disk;
use crate::install::{self, PathDifference, PathState};
use crate::tree::SourceTree;

/// Compiles the manifest and writes the source directory
///
/// Writes the definitions, the links through which /init finds them, and the markers that start them. Only what an
/// earlier build wrote is ever replaced or removed; when nothing changed, nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen build                       in an image with s6-overlay: writes below /etc/s6-overlay\n  \
    s6gen build --root rootfs         the same below rootfs/etc/s6-overlay\n  \
    s6gen build --check --root rootfs exits 1 when rootfs is not what the manifest says")]
pub(super) struct Build {
    /// The manifest, as with -m
    #[arg(value_name = "FILE", conflicts_with = "manifest")]
    file: Option<PathBuf>,
    #[command(flatten)]
    manifest: ManifestArgument,
    #[command(flatten)]
    templates: TemplatesArgument,
    /// The root of the image; made if only its last component is missing. Default is `/`, if s6-overlay is there or the
    /// target is s6-rc alone
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Write nothing; exit 1 if the files differ from what would be written, but for permissions other than the x bit
    #[arg(long)]
    check: bool,
}

impl Build {
    pub fn run(mut self, streams: &mut Streams<'_>) -> Outcome {
        if let Some(file) = self.file.take() {
            self.manifest = ManifestArgument::new(file);
        }
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        let mut loaded = self.manifest.load();
        let mut compilation = loaded.compile();
        // What was added in a container that runs is kept when its manifest is built anew.
        let definitions = root.join(compilation.services.target.tree.trim_start_matches('/'));
        match additions(&definitions) {
            Ok(added) if !added.list().is_empty() => {
                loaded = loaded.with(&definitions.join(ADDED), &added);
                compilation = loaded.compile();
            }
            Ok(_) => {}
            Err(problems) => return refused(streams, problems),
        }
        let files = &loaded.files;
        streams.report(compilation.problems.iter(), files);
        if compilation.problems.has_errors() {
            streams.tell("nothing was written\n");
            return Outcome::Problems;
        }
        let services = &compilation.services;
        if self.root.is_none() && services.target.system.is_overlay() && !has_overlay(root) {
            streams.report([&no_overlay()], &Files::default());
            return Outcome::Misused;
        }
        let tree = self.templates.tree(services).and_then(|mut tree| {
            carry(&mut tree, &loaded, &self.templates, &services.target.tree)?;
            Ok(tree)
        });
        let tree = match tree {
            Ok(tree) => tree,
            Err(problem) => {
                streams.report([&problem], files);
                return Outcome::Problems;
            }
        };
        let definitions = &services.target.tree;
        let place = root.join(definitions.trim_start_matches('/'));
        if self.check {
            return match install::compare(&tree, root, definitions) {
                Ok(differences) if differences.is_empty() => {
                    streams.tell(&format!("{} is what the manifest says\n", place.display()));
                    Outcome::Fine
                }
                Ok(differences) if is_all(&tree, &differences) => {
                    streams.tell(&format!("{} is missing; `s6gen build` writes it\n", place.display()));
                    Outcome::Problems
                }
                Ok(differences) => {
                    for difference in &differences {
                        streams.tell(&format!("{}\n", sentence(difference, definitions)));
                    }
                    let count = differences.len();
                    let verb = if count == 1 { "difference" } else { "differences" };
                    streams.tell(&format!("{count} {verb}; `s6gen build` mends them\n"));
                    Outcome::Problems
                }
                Err(error) => {
                    streams.report(&error.diagnostics(), &Files::default());
                    Outcome::Refused
                }
            };
        }
        match disk::make_root(root) {
            Ok(true) => streams.tell(&format!("made {}\n", root.display())),
            Ok(false) => {}
            Err(error) => {
                streams.report(&[error.diagnostic()], &Files::default());
                return Outcome::Refused;
            }
        }
        match install::install(&tree, root, definitions) {
            Ok(installed) => {
                for path in &installed.kept {
                    streams.tell(&format!("kept /{path}, which is not ours\n"));
                }
                for service in &installed.removed_services {
                    streams.tell(&format!("removed {service}, which the manifest no longer has\n"));
                }
                let count = services.ours().count();
                let did = match (installed.written, installed.removed) {
                    (0, 0) => "nothing changed".to_owned(),
                    (written, 0) => format!("{written} written"),
                    (written, removed) => format!("{written} written, {removed} removed"),
                };
                streams.tell(&format!("{}: {count} definitions, {did}\n", place.display()));
                Outcome::Fine
            }
            Err(error) => {
                streams.report(&error.diagnostics(), &Files::default());
                Outcome::Refused
            }
        }
    }
}

/// What keeps a build without `--root` from writing into the machine that it runs on.
fn no_overlay() -> Diagnostic {
    Diagnostic::new(Code::OverlayNotFound, "there is no s6-overlay in `/`, so this is not the image")
        .note("nothing was written")
        .help("name the root of the image, as in `--root rootfs`; `--root /` writes here nevertheless")
}

/// Whether nothing of the tree is there.
fn is_all(tree: &SourceTree, differences: &[PathDifference]) -> bool {
    let missing = differences.iter().filter(|difference| difference.state == PathState::Missing);
    let missing: BTreeSet<&str> = missing.map(|difference| difference.path.as_str()).collect();
    tree.entries().all(|(path, _)| missing.contains(path))
}

/// Which service differs, where and how.
fn sentence(difference: &PathDifference, definitions: &str) -> String {
    let path = &difference.path;
    let state = match difference.state {
        PathState::Missing => "is missing",
        PathState::Kind => "is something else",
        PathState::Content => "has other content",
        PathState::Executable => "has another x bit",
        PathState::Mode => "has other permissions",
        PathState::LeftOver => "is left over",
    };
    let inside =
        path.strip_prefix(definitions.trim_start_matches('/')).map(|rest| rest.trim_start_matches('/'));
    match inside.and_then(|inside| inside.split('/').next()).filter(|service| !service.starts_with('.')) {
        Some(service) => format!("{service}: /{path} {state}"),
        None => format!("/{path} {state}"),
    }
}
