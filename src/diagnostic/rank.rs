//! The order in which s6-rc-compile looks for errors.

/// Where a problem stands in the order in which `s6-rc-compile` 0.7.0.0 looks at things; the smallest rank is what it
/// stops at. Variants and fields are declared in that order, so the derived comparison is the compiler's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Looking through source directory number `source`, entry by entry.
    Scan {
        /// Position of the source among the arguments.
        source: u32,
        /// 0 while the names of the source are scanned, 1 while its definitions are read.
        reading: bool,
        /// Position of the definition in its source, in byte order of the names.
        service: u32,
        /// Position of the file in the order of reading, then of the name in the file.
        step: (u16, u32),
    },
    /// Naming the pipelines, the last defined consumer first.
    PipelineName(u32),
    /// Resolving bundle number … , and the position in it.
    Bundle(u32, u32),
    /// Matching producers and consumers and resolving dependencies of longruns, then of oneshots.
    Links {
        /// Longruns come before oneshots.
        oneshot: bool,
        /// Definition order.
        service: u32,
        /// 0 its consumer, 1 its producers, 2 its dependencies.
        step: u8,
        /// Position in the list.
        item: u32,
    },
    /// Looking for dependency cycles.
    Cycle,
    /// Copying what belongs to longruns, in definition order, file by file.
    Copy {
        /// Definition order.
        service: u32,
        /// Position of the file in the order of copying.
        step: u16,
    },
    /// Nothing that `s6-rc-compile` would stop over.
    Unranked,
}

/// What `s6-rc-compile` looks at in one definition directory, in its order: first everything that it reads, then what
/// it copies once the whole set has been found sound. [`Rank`] counts in these steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the file of that name, or says itself what it is")]
pub enum CompilerStep {
    Type,
    /// Not a file: whether the name is still free.
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
    /// Not a file: whether the two descriptors differ.
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

impl Rank {
    /// While the definition at `place` (position of its source, position in it) is read: name number `item` of the
    /// list that is read in `step`, counted from 1; 0 is the file itself and [`u32::MAX`] what follows its last name.
    pub fn reading(place: (u32, u32), step: CompilerStep, item: u32) -> Rank {
        let (source, service) = place;
        Rank::Scan { source, reading: true, service, step: (step as u16, item) }
    }

    /// While the files of service number `service`, in definition order, are copied.
    pub fn copying(service: usize, step: CompilerStep) -> Rank {
        Rank::Copy { service: u32::try_from(service).unwrap_or(u32::MAX), step: step as u16 }
    }
}
