//! The system that a tree is for, and the features of each version of s6-overlay and s6-rc.

use std::fmt;

use super::{Bundle, Kind, Layer, Oneshot, Service, ServiceRef};

/// The system that a tree is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// s6-overlay, or s6-rc alone, and its version.
    pub system: System,
    /// Absolute path of the source directory in the image.
    pub tree: String,
    /// Absolute path of the directory that holds execline's and s6's programs.
    pub command_dir: String,
    /// Whether the container does not run as root.
    pub rootless: bool,
    /// Whether each start of a service finds out if the container runs as root.
    pub detects_root: bool,
    /// Whether the tree has a script that says whether the services of the boot are up.
    pub has_health: bool,
}

/// The system that boots the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// A container image with s6-overlay of this version.
    Overlay(Version),
    /// This version of s6-rc without s6-overlay: there is no `base` and no container environment.
    S6rc(Version),
}

/// Up to four numbers and a package revision, compared in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u16; 5]);

impl Version {
    /// Reads `3.2.3.2` or `3.0.0.2-1`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Version> {
        let (numbers, revision) = match text.split_once('-') {
            Some((numbers, revision)) => (numbers, revision.parse().ok()?),
            None => (text, 0),
        };
        let numbers: Vec<u16> = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        let [a, b, c, d] = numbers[..] else {
            return None;
        };
        Some(Version([a, b, c, d, revision]))
    }

    /// Reads a version that is between the oldest and the newest one of these releases.
    fn parse_known(text: &str, releases: &[Version]) -> Option<Version> {
        let version = Version::parse(text)?;
        let [newest, .., oldest] = releases else { return None };
        (*oldest..=*newest).contains(&version).then_some(version)
    }

    const fn of(a: u16, b: u16, c: u16, d: u16) -> Version {
        Version([a, b, c, d, 0])
    }

    const fn revision(self, revision: u16) -> Version {
        let Version([a, b, c, d, _]) = self;
        Version([a, b, c, d, revision])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, revision] = self.0;
        write!(f, "{a}.{b}.{c}.{d}")?;
        match revision {
            0 => Ok(()),
            _ => write!(f, "-{revision}"),
        }
    }
}

/// A feature that not every version has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// The start bundles are in `/etc/s6-overlay/user-bundles.d`.
    UserBundlesDir,
    /// `/init` writes missing files of start bundles in the old place at boot.
    CompletedBundles,
    /// The bundle `user2`, for services that start after the legacy services.
    User2,
    /// `finish` gets the process group of the process that died.
    FinishProcessGroup,
    /// `flag-timeout-killpg`.
    KillProcessGroup,
    /// `flag-newpidns`.
    NewPidNamespace,
    /// `reload` and `reload-signal`.
    Reload,
    /// `lock-fd`. An older s6-supervise opens a file that does not exist, and so never starts the service.
    LockFd,
    /// `s6-log` can put a prefix in front of lines.
    LogPrefix,
    /// `with-contenv` reads a whole file of the container environment, instead of its first line.
    WholeValues,
    /// `with-contenv` leaves out the newline at the end of such a file again.
    TrimmedValues,
    /// The start has no limit unless `S6_CMD_WAIT_FOR_SERVICES_MAXTIME` sets one. Before, it had 5 seconds.
    NoStartLimit,
}

impl Feature {
    /// The first version of s6-overlay that has it, and the first version of s6-rc that has it together with the s6 of its time.
    pub fn since(self) -> (Version, Version) {
        match self {
            Feature::UserBundlesDir => (Version::of(3, 2, 3, 1), Version::of(0, 7, 0, 0)),
            Feature::CompletedBundles => (Version::of(3, 2, 3, 2), Version::of(0, 7, 0, 0)),
            Feature::User2 => (Version::of(3, 1, 1, 1), Version::of(0, 5, 3, 2)),
            Feature::LogPrefix => (Version::of(3, 1, 3, 0), Version::of(0, 5, 3, 3)),
            Feature::FinishProcessGroup => (Version::of(3, 2, 0, 0), Version::of(0, 5, 4, 3)),
            Feature::KillProcessGroup => (Version::of(3, 2, 3, 0), Version::of(0, 6, 1, 0)),
            Feature::NewPidNamespace => (Version::of(3, 2, 3, 0), Version::of(0, 6, 1, 0)),
            // s6-rc alone has no container environment.
            Feature::WholeValues => (Version::of(3, 1, 0, 0), Version::of(u16::MAX, 0, 0, 0)),
            Feature::TrimmedValues => (Version::of(3, 2, 2, 0), Version::of(u16::MAX, 0, 0, 0)),
            // s6-rc alone never has a limit of its own.
            Feature::NoStartLimit => (Version::of(3, 2, 0, 0), Version::of(0, 0, 0, 0)),
            Feature::LockFd => (Version::of(3, 2, 2, 0), Version::of(0, 6, 0, 0)),
            Feature::Reload => (Version::of(3, 2, 3, 1), Version::of(0, 7, 0, 0)),
        }
    }
}

/// The path of the package directory of s6-overlay, without the version at its end.
const PACKAGES: &str = "/package/admin/s6-overlay-";

impl System {
    /// The newest s6-overlay that s6gen knows.
    pub const NEWEST_OVERLAY: System = System::Overlay(Self::OVERLAY_RELEASES[0]);
    /// The newest s6-rc that s6gen knows.
    pub const NEWEST_S6RC: System = System::S6rc(Self::S6RC_RELEASES[0]);

    /// The releases of s6-overlay that s6gen knows, newest first. It accepts any version between them.
    pub const OVERLAY_RELEASES: &[Version] = &[
        Version::of(3, 2, 3, 2),
        Version::of(3, 2, 3, 1),
        Version::of(3, 2, 3, 0),
        Version::of(3, 2, 2, 0),
        Version::of(3, 2, 1, 0),
        Version::of(3, 2, 0, 3),
        Version::of(3, 2, 0, 2),
        Version::of(3, 2, 0, 1),
        Version::of(3, 2, 0, 0),
        Version::of(3, 1, 6, 2),
        Version::of(3, 1, 6, 1),
        Version::of(3, 1, 6, 0),
        Version::of(3, 1, 5, 0),
        Version::of(3, 1, 4, 2),
        Version::of(3, 1, 4, 1),
        Version::of(3, 1, 4, 0),
        Version::of(3, 1, 3, 0),
        Version::of(3, 1, 2, 1),
        Version::of(3, 1, 2, 0),
        Version::of(3, 1, 1, 2),
        Version::of(3, 1, 1, 1),
        Version::of(3, 1, 1, 0),
        Version::of(3, 1, 0, 1),
        Version::of(3, 1, 0, 0),
        Version::of(3, 0, 0, 2).revision(2),
        Version::of(3, 0, 0, 2).revision(1),
        Version::of(3, 0, 0, 2),
        Version::of(3, 0, 0, 1),
        Version::of(3, 0, 0, 0).revision(1),
        Version::of(3, 0, 0, 0),
    ];
    /// The releases of s6-rc that s6gen knows, newest first. The oldest one is the first that reads `dependencies.d` and
    /// `contents.d`.
    pub const S6RC_RELEASES: &[Version] = &[
        Version::of(0, 7, 0, 0),
        Version::of(0, 6, 1, 1),
        Version::of(0, 6, 1, 0),
        Version::of(0, 6, 0, 0),
        Version::of(0, 5, 6, 0),
        Version::of(0, 5, 5, 0),
        Version::of(0, 5, 4, 3),
        Version::of(0, 5, 4, 2),
        Version::of(0, 5, 4, 1),
        Version::of(0, 5, 4, 0),
        Version::of(0, 5, 3, 3),
        Version::of(0, 5, 3, 2),
        Version::of(0, 5, 3, 1),
        Version::of(0, 5, 3, 0),
    ];

    /// s6-overlay with the version `text`, if s6gen knows it.
    pub fn overlay(text: &str) -> Option<System> {
        Version::parse_known(text, Self::OVERLAY_RELEASES).map(System::Overlay)
    }

    /// s6-rc with the version `text`, if s6gen knows it.
    pub fn s6rc(text: &str) -> Option<System> {
        Version::parse_known(text, Self::S6RC_RELEASES).map(System::S6rc)
    }

    /// Its version.
    pub fn version(self) -> Version {
        match self {
            System::Overlay(version) | System::S6rc(version) => version,
        }
    }

    /// Whether it is s6-overlay.
    pub fn is_overlay(self) -> bool {
        matches!(self, System::Overlay(_))
    }

    /// Whether this version has the feature.
    pub fn has(self, feature: Feature) -> bool {
        let (overlay, s6rc) = feature.since();
        match self {
            System::Overlay(version) => version >= overlay,
            System::S6rc(version) => version >= s6rc,
        }
    }

    /// The first version of the same system that has the feature.
    pub fn first_with(self, feature: Feature) -> System {
        let (overlay, s6rc) = feature.since();
        match self {
            System::Overlay(_) => System::Overlay(overlay),
            System::S6rc(_) => System::S6rc(s6rc),
        }
    }

    /// The definitions of the system itself, which `/init` compiles together with those of the user.
    pub fn built_ins(self) -> Vec<Service> {
        if !self.is_overlay() {
            return Vec::new();
        }
        let refs = |names: &[&str]| {
            names.iter().map(|name| ServiceRef { name: (*name).into(), origin: None }).collect::<Vec<_>>()
        };
        let bundle = |names: &[&str]| Kind::Bundle(Bundle { contents: refs(names), ..Bundle::default() });
        let oneshot = |names: &[&str]| {
            Kind::Oneshot(Box::new(Oneshot { dependencies: refs(names), ..Oneshot::default() }))
        };
        let mut top = vec!["base", "user"];
        let mut definitions = vec![
            ("base", bundle(&["fix-attrs", "legacy-cont-init"])),
            ("fix-attrs", oneshot(&[])),
            ("legacy-cont-init", oneshot(&["fix-attrs"])),
            ("legacy-services", oneshot(&["base", "user"])),
            ("user", bundle(&[])),
        ];
        if self.has(Feature::User2) {
            top.push("user2");
            definitions.push(("user2", bundle(&[])));
        }
        top.push("legacy-services");
        definitions.insert(3, ("top", bundle(&top)));
        definitions
            .into_iter()
            .map(|(name, kind)| Service { layer: Layer::Overlay, ..Service::new(name.into(), None, kind) })
            .collect()
    }

    /// The bundles that `top` starts and that other layers fill. s6-rc-compile stops if one is missing.
    pub fn start_bundles(self) -> &'static [&'static str] {
        match self {
            System::S6rc(_) => &[],
            _ if self.has(Feature::User2) => &["user", "user2"],
            System::Overlay(_) => &["user"],
        }
    }

    /// The built-in definitions in the order in which `s6-rc-compile` reads them, without the start bundles, which are beside
    /// the definitions of the user.
    pub fn own_definitions(self) -> Vec<Service> {
        let mut own = self.built_ins();
        own.retain(|service| !self.start_bundles().iter().any(|bundle| service.name == **bundle));
        own.sort_by(|a, b| a.name.cmp(&b.name));
        own
    }

    /// The absolute path of the directory of the built-in definitions in the image.
    pub fn own_definitions_dir(self) -> Option<String> {
        self.is_overlay().then(|| format!("{PACKAGES}{}/etc/s6-rc/sources", self.version()))
    }

    /// The version in a text with a path of the s6-overlay package, such as `/init`.
    pub fn mentioned_version(text: &str) -> Option<&str> {
        let (_, rest) = text.split_once(PACKAGES)?;
        rest.split(|c: char| c != '.' && c != '-' && !c.is_ascii_alphanumeric()).next()
    }

    /// The absolute path of the directory for markers of the start bundle `user` in the image.
    pub fn start_markers(self) -> Option<&'static str> {
        match self {
            System::Overlay(_) if self.has(Feature::UserBundlesDir) => {
                Some("/etc/s6-overlay/user-bundles.d/user/contents.d")
            }
            System::Overlay(_) => Some("/etc/s6-overlay/s6-rc.d/user/contents.d"),
            System::S6rc(_) => None,
        }
    }

    /// The absolute path of the source directory that `/init` compiles in the image.
    pub fn definitions_dir(self) -> Option<&'static str> {
        self.is_overlay().then_some("/etc/s6-overlay/s6-rc.d")
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            System::Overlay(version) => write!(f, "s6-overlay {version}"),
            System::S6rc(version) => write!(f, "s6-rc {version}"),
        }
    }
}

impl Target {
    /// The target with the usual paths of `system`.
    pub fn new(system: System) -> Self {
        let (tree, command_dir) = match system {
            System::Overlay(_) => ("/etc/s6-overlay/sv", "/command"),
            System::S6rc(_) => ("/etc/s6-rc/source", "/usr/bin"),
        };
        Target {
            system,
            tree: tree.into(),
            command_dir: command_dir.into(),
            rootless: false,
            detects_root: false,
            has_health: false,
        }
    }
}

impl Default for Target {
    fn default() -> Self {
        Target::new(System::NEWEST_OVERLAY)
    }
}
