//! Reads and writes files. No other room opens files.
//!
//! These are primitives: each function does one thing to one path, and its error names that path. The room
//! [`install`](crate::install) decides what an installed tree looks like and in which order its files change.
//!
//! | to | see |
//! |---|---|
//! | open a file or directory for reading | `open` |
//! | read a file, whole or up to a limit | `read`, `manifest`, `script` |
//! | find out what is at a path, and list directories | `look`, `list` |
//! | follow a path below a root without leaving it | `root` |
//! | read and change what is in an open directory | `folder` |
//! | split or join a path, as text | [`path`] |
//! | write, copy, remove | `write`, `create_new` |
//! | replace a file while other processes read it | `replace` |
//! | keep other s6gen processes out | `lock` |
//! | pass a directory to [`import`](crate::import) | `directory` |

#![allow(
    clippy::disallowed_methods,
    reason = "this is the room that touches the file system, and reads standard input"
)]

mod create_new;
mod directory;
mod error;
mod folder;
mod list;
mod lock;
mod look;
mod manifest;
mod open;
pub mod path;
mod read;
mod replace;
mod root;
mod script;
mod write;

pub use create_new::{create_new, make_root, move_new};
pub use directory::{SourceDirectory, source};
pub use error::{DiskError, DiskRefusal};
pub use folder::Folder;
pub use list::{matching, names, read_folder};
pub use lock::{Lock, is_holder, lock, lock_directory, lock_file};
pub use look::{
    OnDisk, exists, file_identity, is_directory, is_file, is_link, is_there, real_path, repository, shown,
};
pub use manifest::{MANIFEST_LIMIT, ManifestContent, read_included, read_manifest};
pub use open::open_log;
pub use read::{FilesBelow, files_below, read, read_if_there, read_link, read_regular};
pub use replace::{make_executable, replace, replace_file, replace_until_boot};
pub use root::Root;
pub use script::{find_script, read_script};
pub use write::{
    DIRECTORY_MODE, create, file_mode, make_directory, make_folder, make_link, remove, remove_directory,
    remove_file, remove_folder, rename, use_usual_umask, write_empty,
};
