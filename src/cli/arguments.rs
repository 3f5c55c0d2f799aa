//! Arguments that several commands share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap_complete::engine::ArgValueCandidates;

use super::completions;
use super::streams::Streams;
use crate::diagnostic::Diagnostic;
use crate::jobs::{
    Connection, Container, Input, Level, Levels, Overrides, RunningSystem, Selection, read_overrides,
    selection,
};
use crate::live::{LIVE, Limits, Programs};
use crate::model::{Name, System};
use crate::report::{FORMATS, Format};

/// Which manifest to read.
#[derive(Debug, Args)]
pub(super) struct ManifestArgument {
    /// The manifest; `-` reads standard input [default: services.toml]
    #[arg(short, long, value_name = "FILE")]
    pub(super) manifest: Option<PathBuf>,
}

impl ManifestArgument {
    pub(super) fn path(&self) -> &Path {
        self.manifest.as_deref().unwrap_or(Path::new("services.toml"))
    }
}

/// A folder of templates that replace the shipped ones.
#[derive(Debug, Args)]
pub(super) struct TemplatesArgument {
    /// A folder of templates that replace the shipped ones: `longrun/run` for every longrun, `longrun/NAME/run` for one.
    /// `s6gen init --templates DIR` writes the shipped ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl TemplatesArgument {
    pub(super) fn read(&self) -> Result<Overrides, Diagnostic> {
        read_overrides(self.templates.as_deref())
    }
}

/// A manifest, or source directories that exist already.
#[derive(Debug, Args)]
pub(super) struct InputArguments {
    #[command(flatten)]
    pub(super) manifest: ManifestArgument,
    /// Read this s6-rc source directory instead of a manifest. Repeat the option for several directories, in the order
    /// that s6-rc-compile gets them in
    #[arg(long, value_name = "DIR", group = "existing", conflicts_with = "manifest")]
    tree: Vec<PathBuf>,
    /// Compile as /init of this s6-overlay version does. The --tree is then the image's /etc/s6-overlay or its s6-rc.d; a
    /// second --tree is S6_RUNTIME_BUNDLEDIR
    #[arg(long, value_name = "VERSION", value_parser = version, requires = "existing")]
    overlay: Option<System>,
    /// The same directory of a lower layer, to which --tree adds. Repeat the option for several layers, lowest first
    #[arg(long, value_name = "DIR", requires = "tree", requires = "overlay")]
    layer: Vec<PathBuf>,
    /// A service that is defined elsewhere
    #[arg(long, value_name = "NAME", value_parser = name, requires = "existing")]
    pub(super) external: Vec<Name>,
    /// Read this root file system of an image, with the s6-overlay that it contains
    #[arg(long, value_name = "DIR", group = "existing", conflicts_with = "manifest")]
    root: Option<PathBuf>,
    /// The value of S6_RUNTIME_PROFILE when the container starts
    #[arg(long, value_name = "NAME", value_parser = name_text, requires = "root", conflicts_with = "tree")]
    profile: Option<String>,
    /// The value of S6_RUNTIME_BUNDLEDIR when the container starts
    #[arg(long, value_name = "PATH", value_parser = absolute, requires = "root", conflicts_with = "tree")]
    bundle_dir: Option<String>,
}

impl InputArguments {
    /// The paths that the user named, for a report about all of them.
    pub(super) fn shown(&self) -> String {
        let trees: Vec<String> =
            self.tree.iter().chain(&self.root).map(|tree| tree.display().to_string()).collect();
        if trees.is_empty() { self.manifest.path().display().to_string() } else { trees.join(", ") }
    }

    /// The reason why the arguments cannot be used together, if there is one.
    pub(super) fn misuse(&self) -> Option<&'static str> {
        (self.overlay.is_some() && self.tree.len() > 2).then_some(
            "with --overlay the first --tree is the directory for the image, a second one is S6_RUNTIME_BUNDLEDIR, and \
             there is no third; a base image is a --layer",
        )
    }

    pub(super) fn is_manifest(&self) -> bool {
        self.tree.is_empty() && self.root.is_none()
    }

    pub(super) fn input(&self) -> Input {
        match (&self.root, self.overlay) {
            (Some(root), system) => Input::Root {
                path: root.clone(),
                system,
                profile: self.profile.clone(),
                bundle_dir: self.bundle_dir.clone(),
            },
            (None, _) if self.is_manifest() => Input::Manifest(self.manifest.path().to_owned()),
            (None, Some(system)) => Input::Layers {
                system,
                lower: self.layer.clone(),
                tree: self.tree.first().cloned(),
                bundle_dir: self.tree.get(1).cloned(),
            },
            (None, None) => Input::Sources(self.tree.clone()),
        }
    }
}

/// The levels of rules.
#[derive(Debug, Clone, Args)]
pub(super) struct LevelArguments {
    /// Do not report these rules, groups of rules, or `all`. `s6gen rules` lists them
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', value_parser = rule, add = ArgValueCandidates::new(completions::rules))]
    allow: Vec<Selection>,
    /// Report them as warnings
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', value_parser = rule, add = ArgValueCandidates::new(completions::rules))]
    warn: Vec<Selection>,
    /// Report them as errors
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', value_parser = rule, add = ArgValueCandidates::new(completions::rules))]
    deny: Vec<Selection>,
    /// Report every warning as an error
    #[arg(long)]
    strict: bool,
}

impl LevelArguments {
    pub(super) fn levels(&self) -> Levels {
        let mut levels = Levels::default();
        levels.is_strict = self.strict;
        for (list, level) in
            [(&self.allow, Level::Allow), (&self.warn, Level::Warn), (&self.deny, Level::Deny)]
        {
            list.iter().for_each(|selection| levels.add(*selection, level));
        }
        levels
    }
}

fn rule(name: &str) -> Result<Selection, String> {
    selection(name.trim()).map_err(|unknown| format!("it {}; {}", unknown.reason, unknown.help))
}

/// The output format of `check`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReportArguments {
    /// The output format
    #[arg(long, value_parser = format_names(|_| true), default_value = "human")]
    format: String,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl ReportArguments {
    /// The format for programs, if one was asked for.
    pub(super) fn for_program(&self) -> Option<&'static Format> {
        chosen(self.json, &self.format)
    }
}

/// The format of the option `--json` or `--format`.
fn chosen(json: bool, format: &str) -> Option<&'static Format> {
    format_named(if json { "json" } else { format })
}

/// The output format of a command whose answer is not only a list of problems.
#[derive(Debug, Clone, Args)]
pub(super) struct FormatArguments {
    /// The output format
    #[arg(long, value_parser = format_names(|format| !format.lists_problems), default_value = "human")]
    format: String,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl FormatArguments {
    /// The format for programs, if one was asked for.
    pub(super) fn for_program(&self) -> Option<&'static Format> {
        chosen(self.json, &self.format)
    }
}

fn format_names(is_offered: fn(&Format) -> bool) -> PossibleValuesParser {
    let human = PossibleValue::new("human").help("For people");
    let others = FORMATS
        .iter()
        .filter(|format| is_offered(format))
        .map(|format| PossibleValue::new(format.name).help(format.about));
    std::iter::once(human).chain(others).collect::<Vec<_>>().into()
}

/// The format for programs of this name.
pub(super) fn format_named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.name == name)
}

/// Where the definitions are in a container.
#[derive(Debug, Clone, Args)]
pub(super) struct ContainerArguments {
    /// The root of the container
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The directory of the definitions in the container, if s6gen does not find it: the value of `tree` in `[target]`
    #[arg(long, value_name = "PATH")]
    tree: Option<String>,
}

impl ContainerArguments {
    pub(super) fn container(&self) -> Container {
        Container { root: self.root.clone(), tree: self.tree.clone() }
    }
}

/// The running s6-rc.
#[derive(Debug, Clone, Args)]
pub(super) struct SystemArguments {
    /// The live directory of s6-rc
    #[arg(long, value_name = "DIR", default_value = LIVE)]
    live: PathBuf,
    /// How many seconds to wait while another s6gen or s6-rc is at work. During a boot s6-rc is at work until everything
    /// is up
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    wait: u64,
    /// How many seconds all services together may take to stop and start; 0 is no limit
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    timeout: u64,
    /// Tells s6gen that it already runs apart from its caller
    #[arg(long, hide = true)]
    apart: bool,
}

impl SystemArguments {
    /// Whether s6gen still runs in the process group of its caller.
    pub(super) fn may_stop_caller(&self) -> bool {
        !self.apart
    }

    /// Calls `job` with the system and with a connection to it. The connection reports progress to the user.
    pub(super) fn with<T>(
        &self,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
        job: impl FnOnce(&RunningSystem, Connection<'_>) -> T,
    ) -> T {
        let change = (self.timeout > 0).then(|| Duration::from_secs(self.timeout));
        let limits = Limits { wait: Duration::from_secs(self.wait), change };
        let mut tell = |text: &str| streams.tell(text);
        let system = RunningSystem { live: self.live.clone(), limits };
        job(&system, Connection { programs, tell: &mut tell })
    }
}

/// Reads a version of s6-overlay.
pub(super) fn version(text: &str) -> Result<System, String> {
    let newest = System::NEWEST_OVERLAY.version();
    System::overlay(text).ok_or_else(|| format!("s6gen knows versions from 3.0.0.0 to {newest}"))
}

fn name_text(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains(['/', '\n']) {
        true => Err("this is not a name".into()),
        false => Ok(text.into()),
    }
}

/// Reads the name of a service.
pub(super) fn name(text: &str) -> Result<Name, String> {
    Ok(Name::from(name_text(text)?.as_str()))
}

fn absolute(text: &str) -> Result<String, String> {
    match text.starts_with('/') && !text.contains(char::is_whitespace) {
        true => Ok(text.into()),
        false => Err("it must be an absolute path without blanks".into()),
    }
}
