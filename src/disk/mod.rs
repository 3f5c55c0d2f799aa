//! The only room that touches the file system.

mod read;

pub use read::{SourceDirectory, source};
