//! The order in which s6-rc-compile looks for errors.

/// The position of a problem in the order in which `s6-rc-compile` 0.7.0.0 checks its input. The compiler stops at the smallest
/// rank. Variants and fields are declared in that order, so the derived comparison is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// While the compiler scans source directory number `source`, entry by entry.
    Scan {
        /// Position of the source among the arguments.
        source: u32,
        /// False while the compiler looks at the entries of the source, true while it reads the definitions.
        reading: bool,
        /// Position of the definition in its source, in byte order of the names.
        service: u32,
        /// Position of the file in the order of reading.
        step: u16,
        /// Position of the name in the file.
        item: u32,
    },
    /// While it names the pipelines, from the last defined consumer to the first.
    PipelineName {
        /// The number of names that it looked up before.
        step: u32,
    },
    /// While it resolves bundles.
    Bundle {
        /// The number of errors that it would find before.
        step: u32,
        /// Position in the bundle, for errors of the same step.
        position: u32,
    },
    /// While it matches producers and consumers and resolves dependencies, first of longruns, then of oneshots.
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
    /// While it looks for dependency cycles.
    Cycle,
    /// While it copies the files of longruns, in definition order, file by file.
    Copy {
        /// Definition order.
        service: u32,
        /// Position of the file in the order of copying.
        step: u16,
    },
    /// The compiler does not stop at this problem.
    Unranked,
}

impl Rank {
    /// The rank of a problem in the definition at `place` (the position of its source, and its position there) while it is
    /// read. `item` is the number of a name in the list of `step`, counted from 1. 0 is the file itself, and [`u32::MAX`] is
    /// after its last name.
    pub fn reading(place: (u32, u32), step: impl Into<u16>, item: u32) -> Rank {
        let (source, service) = place;
        Rank::Scan { source, reading: true, service, step: step.into(), item }
    }

    /// The rank of a problem while the files of service number `service`, in definition order, are copied.
    pub fn copying(service: usize, step: impl Into<u16>) -> Rank {
        Rank::Copy { service: u32::try_from(service).unwrap_or(u32::MAX), step: step.into() }
    }
}
