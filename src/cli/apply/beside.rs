use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::live;

/// How often to look whether the new database is live.
const GLANCE: Duration = Duration::from_millis(2);

/// Does some of our own work while a program does its.
pub(super) fn beside<A: Send, B>(own: impl FnOnce() -> A + Send, program: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let own = scope.spawn(own);
        let program = program();
        (own.join().unwrap_or_else(|panic| resume_unwind(panic)), program)
    })
}

/// Runs `update`, which makes `fresh` live. Once it is, s6-rc-update needs no other database any more: the service
/// directories of those beside it, which are most of them, go while it does the rest.
pub(super) fn emptying<T>(live: &Path, fresh: &Path, update: impl FnOnce() -> T) -> T {
    let (updating, ended) = mpsc::channel::<()>();
    let empty = move || {
        while ended.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
            if live::live_database(live).as_deref() == Some(fresh) {
                let databases = live::databases(fresh.parent().unwrap_or(fresh)).into_values();
                // What cannot be removed is told in the end.
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
