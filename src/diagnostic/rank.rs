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
