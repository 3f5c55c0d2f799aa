//! Does two things at once during an update, because it would otherwise mostly wait for programs.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::live;

/// How often to look whether the new database is live.
const GLANCE: Duration = Duration::from_millis(2);

/// Runs `own` while `program` runs a program.
pub(super) fn in_parallel<A: Send, B>(own: impl FnOnce() -> A + Send, program: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let own = scope.spawn(own);
        let program = program();
        (own.join().unwrap_or_else(|panic| resume_unwind(panic)), program)
    })
}

/// Runs `update`, which makes the database `fresh` live. From then on s6-rc-update needs no other database: the service
/// directories of the databases beside it, which are most of their files, are removed while it does the rest.
pub(super) fn emptying_old_databases<T>(live: &Path, fresh: &Path, update: impl FnOnce() -> T) -> T {
    let (updating, ended) = mpsc::channel::<()>();
    let empty = move || {
        while ended.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
            if live::live_database(live).as_deref() == Some(fresh) {
                let databases = live::databases(fresh.parent().unwrap_or(fresh)).into_values();
                // A database that cannot be removed is reported at the end of the update.
                databases.filter(|path| path != fresh).for_each(|path| drop(live::empty_database(&path)));
                return;
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(empty);
        let done = update();
        drop(updating);
        done
    })
}
