//! The table of the files of a definition: the types of service that have each file, the first version that reads it, and the
//! field of the model for it. Reading, rules, comparison and rendering all use this table.

use super::{Feature, Kind, Longrun, Oneshot, Script, Service, ServiceRef};

/// A file or directory of a definition that s6-rc knows by its name.
#[derive(Debug)]
pub struct DefinitionFile {
    /// Its name.
    pub name: &'static str,
    /// The types of service that have it. Empty for files that only other versions or tools read.
    pub kinds: &'static [&'static str],
    /// The feature that a target needs for it. `None` if every s6-rc that s6gen knows reads it.
    pub needs: Option<Feature>,
    /// The form of its content.
    pub content: Content,
}

/// The form of the content of a file, and the field of the model for it.
#[derive(Debug)]
pub enum Content {
    /// The type of the service.
    Type,
    /// A flag: it counts if the file exists.
    Flag(fn(&Service) -> bool),
    /// Milliseconds that a start or stop may take. 0 is no limit, and is not written.
    Limit(fn(&Service) -> u32),
    /// A number, if it is set.
    Number(fn(&Longrun) -> Option<u32>),
    /// A signal as s6-supervise reads it.
    Signal(fn(&Longrun) -> Option<&[u8]>),
    /// A file with names of services, one in each line.
    Lines(fn(&Longrun) -> Option<&[ServiceRef]>),
    /// A directory with an empty file for each name.
    Directory(fn(&Service) -> &[ServiceRef]),
    /// The old form of such a directory: a file with one name in each line.
    OldList,
    /// A command line, which s6-rc-compile splits into words.
    CommandLine(fn(&Oneshot) -> Option<&Script>),
    /// A program that s6-supervise starts.
    Program(fn(&Longrun) -> Option<&Script>),
    /// A directory that is copied into the service directory.
    Folder,
    /// Anything else, which s6-rc does not read.
    Unread,
}

const ALL: &[&str] = &["bundle", "oneshot", "longrun"];
const ATOMIC: &[&str] = &["oneshot", "longrun"];
const BUNDLE: &[&str] = &["bundle"];
const ONESHOT: &[&str] = &["oneshot"];
const LONGRUN: &[&str] = &["longrun"];

const fn file(name: &'static str, kinds: &'static [&'static str], content: Content) -> DefinitionFile {
    DefinitionFile { name, kinds, needs: None, content }
}

const fn newer(
    name: &'static str,
    kinds: &'static [&'static str],
    needs: Feature,
    content: Content,
) -> DefinitionFile {
    DefinitionFile { name, kinds, needs: Some(needs), content }
}

/// Every file of a definition that s6-rc knows, that older versions knew, or that users often expect it to know.
pub const DEFINITION_FILES: &[DefinitionFile] = &[
    file("type", ALL, Content::Type),
    file("flag-essential", ALL, Content::Flag(|service| service.flag_essential)),
    file("flag-recommended", ALL, Content::Flag(|service| service.flag_recommended)),
    file("contents.d", BUNDLE, Content::Directory(Service::contents)),
    file("contents", BUNDLE, Content::OldList),
    file("dependencies.d", ATOMIC, Content::Directory(Service::dependencies)),
    file("dependencies", ATOMIC, Content::OldList),
    file("timeout-up", ATOMIC, Content::Limit(|service| service.timeouts().0)),
    file("timeout-down", ATOMIC, Content::Limit(|service| service.timeouts().1)),
    file("up", ONESHOT, Content::CommandLine(|oneshot| Some(&oneshot.up))),
    file("down", ONESHOT, Content::CommandLine(|oneshot| oneshot.down.as_ref())),
    newer("reload", ONESHOT, Feature::Reload, Content::CommandLine(|oneshot| oneshot.reload.as_ref())),
    file("run", LONGRUN, Content::Program(|longrun| Some(&longrun.run))),
    file("finish", LONGRUN, Content::Program(|longrun| longrun.finish.as_ref())),
    file("producer-for", LONGRUN, Content::Lines(|longrun| longrun.producer_for.as_deref())),
    file("consumer-for", LONGRUN, Content::Lines(Longrun::producers)),
    file("pipeline-name", LONGRUN, Content::Lines(|longrun| longrun.pipeline_name.as_deref())),
    file(
        "notification-fd",
        LONGRUN,
        Content::Number(|longrun| longrun.notification_fd.as_ref().map(|fd| fd.value)),
    ),
    newer(
        "lock-fd",
        LONGRUN,
        Feature::LockFd,
        Content::Number(|longrun| longrun.lock_fd.as_ref().map(|fd| fd.value)),
    ),
    // For s6-supervise 0 is no limit, as if the file did not exist.
    file("timeout-kill", LONGRUN, Content::Number(|longrun| longrun.timeout_kill.filter(|limit| *limit > 0))),
    file("timeout-finish", LONGRUN, Content::Number(|longrun| longrun.timeout_finish)),
    file("max-death-tally", LONGRUN, Content::Number(|longrun| longrun.max_death_tally)),
    file("down-signal", LONGRUN, Content::Signal(|longrun| longrun.down_signal.as_deref())),
    newer(
        "reload-signal",
        LONGRUN,
        Feature::Reload,
        Content::Signal(|longrun| longrun.reload_signal.as_deref()),
    ),
    newer(
        "flag-timeout-killpg",
        LONGRUN,
        Feature::KillProcessGroup,
        Content::Flag(|service| service.longrun().is_some_and(|longrun| longrun.flag_timeout_killpg)),
    ),
    newer(
        "flag-newpidns",
        LONGRUN,
        Feature::NewPidNamespace,
        Content::Flag(|service| service.longrun().is_some_and(|longrun| longrun.flag_newpidns)),
    ),
    file("data", LONGRUN, Content::Folder),
    file("env", LONGRUN, Content::Folder),
    file("template", LONGRUN, Content::Folder),
    // Both have a meaning only beside `template`, and s6-rc makes them itself.
    file("instance", &[], Content::Unread),
    file("instances", &[], Content::Unread),
    // Files of plain s6, and of s6-rc before 0.5.2.1.
    file("log", &[], Content::Unread),
    file("nosetsid", &[], Content::Unread),
];

/// The steps of `s6-rc-compile` in one definition directory, in its order: first the files that it reads, then the files that
/// it copies after the whole set was checked. [`Rank`](crate::diagnostic::Rank) counts in these steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the step for the file of that name, or has a comment")]
pub enum CompilerStep {
    Type,
    /// Not a file: the check whether the name is still free.
    Name,
    /// The list of dependencies or of contents, as a directory or as a file.
    List,
    TimeoutDown,
    TimeoutUp,
    FlagEssential,
    FlagRecommended,
    Reload,
    Up,
    Down,
    Run,
    ProducerFor,
    ConsumerFor,
    PipelineName,
    Finish,
    NotificationFd,
    LockFd,
    /// Not a file: the check whether the two descriptors differ.
    SameDescriptor,
    TimeoutKill,
    FlagTimeoutKillpg,
    TimeoutFinish,
    MaxDeathTally,
    DownSignal,
    ReloadSignal,
    FlagNewpidns,
    Template,
    Data,
    Env,
}

impl From<CompilerStep> for u16 {
    fn from(step: CompilerStep) -> u16 {
        step as u16
    }
}

impl DefinitionFile {
    /// The file with the name `name`.
    pub fn find(name: &[u8]) -> Option<&'static DefinitionFile> {
        DEFINITION_FILES.iter().find(|file| file.name.as_bytes() == name)
    }

    /// The files that services of the type `kind` have.
    pub fn of(kind: &str) -> impl Iterator<Item = &'static DefinitionFile> {
        DEFINITION_FILES.iter().filter(move |file| file.kinds.contains(&kind))
    }

    /// Whether s6-rc reads it in services of the type `kind`.
    pub fn is_read_in(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }
}

impl Service {
    /// The members of a bundle, as written.
    pub fn contents(&self) -> &[ServiceRef] {
        match &self.kind {
            Kind::Bundle(bundle) => &bundle.contents,
            _ => &[],
        }
    }
}

impl Longrun {
    /// The producers that it reads from, if there are any.
    fn producers(&self) -> Option<&[ServiceRef]> {
        (!self.consumer_for.is_empty()).then_some(&self.consumer_for[..])
    }
}
