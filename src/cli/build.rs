use std::path::PathBuf;

use clap::Args;

use super::carried::ADDED;
use super::manifest::{additions, carry};
use super::{ManifestArgument, Outcome, Streams, TemplatesArgument};
use crate::diagnostic::Files;
use crate::disk;
use crate::disk::{Difference, State};

/// Compiles the manifest and writes the source directory
///
/// Writes the definitions, the links through which /init finds them, and the markers that start them. Only what an
/// earlier build wrote is ever replaced or removed; when nothing changed, nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen build                       in a Dockerfile stage: writes below /etc/s6-overlay\n  \
    s6gen build --root rootfs         the same below rootfs/etc/s6-overlay\n  \
    s6gen build --check --root rootfs exits 1 when rootfs is not what the manifest says")]
pub(super) struct Build {
    #[command(flatten)]
    manifest: ManifestArgument,
    #[command(flatten)]
    templates: TemplatesArgument,
    /// The root of the image
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Write nothing; exit 1 if the files differ from what would be written
    #[arg(long)]
    check: bool,
}

impl Build {
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let mut loaded = self.manifest.load();
        let mut compilation = loaded.compile();
        // What was added in a container that runs is kept when its manifest is built anew.
        let definitions = self.root.join(compilation.services.target.tree.trim_start_matches('/'));
        match additions(&definitions) {
            Ok(added) if !added.list().is_empty() => {
                loaded = loaded.with(&definitions.join(ADDED), &added);
                compilation = loaded.compile();
            }
            Ok(_) => {}
            Err(problems) => {
                streams.report(&problems, &Files::default());
                return Outcome::Problems;
            }
        }
        let files = &loaded.files;
        streams.report(compilation.problems.iter(), files);
        if compilation.problems.has_errors() {
            streams.tell("nothing was written\n");
            return Outcome::Problems;
        }
        let services = &compilation.services;
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
        let place = self.root.join(definitions.trim_start_matches('/'));
        if self.check {
            return match disk::compare(&tree, &self.root, definitions) {
                Ok(differences) if differences.is_empty() => {
                    streams.tell(&format!("{} is what the manifest says\n", place.display()));
                    Outcome::Fine
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
        match disk::install(&tree, &self.root, definitions) {
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

/// Which service differs, where and how.
fn sentence(difference: &Difference, definitions: &str) -> String {
    let path = &difference.path;
    let state = match difference.state {
        State::Missing => "is missing",
        State::Kind => "is something else",
        State::Content => "has other content",
        State::Mode => "has other permissions",
        State::LeftOver => "is left over",
    };
    let inside =
        path.strip_prefix(definitions.trim_start_matches('/')).map(|rest| rest.trim_start_matches('/'));
    match inside.and_then(|inside| inside.split('/').next()).filter(|service| !service.starts_with('.')) {
        Some(service) => format!("{service}: /{path} {state}"),
        None => format!("/{path} {state}"),
    }
}
