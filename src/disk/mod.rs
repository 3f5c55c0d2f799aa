//! The only room that touches the file system: it turns a tree into files, and reads what people wrote.
//!
//! [`install`] makes the files below a root equal to a [`SourceTree`](crate::tree::SourceTree), [`compare`] says what
//! it would change, and a [`Place`] does both under one lock. Where definitions are linked, a boot at any moment finds the
//! old ones or the new ones. What was made is listed in a receipt beside the definitions; nothing else is ever replaced or
//! removed. [`source`] opens a source directory for `import` to read.

mod compiled;
mod compose;
mod create;
mod error;
mod files;
mod folder;
mod ground;
mod holder;
mod keep;
mod kept;
mod lists;
mod lock;
mod manifest;
mod place;
mod plan;
mod prints;
mod read;
mod receipt;
mod sides;
mod steps;
mod switch;
mod wanted;
mod write;

pub use compiled::{
    Database, consumers, databases, empty_database, is_link, is_there, live_database, live_directory,
    live_link, make_folder, relink, remove_abandoned, remove_folder, unsupervised,
};
pub use compose::compose;
pub use create::{create, make_root};
pub use error::{Foreign, OutputError, Refusal};
pub use folder::{matching, read_folder};
pub use ground::State;
pub use holder::{Holder, holder, process_below};
pub use keep::keep;
pub use kept::{find_tree, open_log, read_kept, replace, replace_until_boot};
pub use lock::{Lock, lock};
pub use manifest::{MANIFEST_LIMIT, read_manifest};
pub use place::{Place, Prepared, Prune, compare, install, refuse_taken};
pub use plan::{Difference, definition_in};
pub use prints::{Prints, prints};
pub use read::{SourceDirectory, source};
pub use receipt::RECEIPT;
pub use write::Installed;
