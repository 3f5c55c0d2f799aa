//! Runs two things at the same time during an update, which otherwise mostly waits for programs.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, Builder};
use std::time::Duration;

use crate::live;

/// How often to check whether the new database is live.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Runs `own` in a thread while `program` runs a program. If the system allows no more threads, runs one after the other.
pub(super) fn in_parallel<A: Send, B, F: FnOnce() -> A + Send>(
    own: F,
    program: impl FnOnce() -> B,
) -> (A, B) {
    let (give, taken) = mpsc::sync_channel::<F>(1);
    thread::scope(|scope| {
        // A thread that cannot start would lose `own`, so it gets `own` only when it runs.
        let started = Builder::new().spawn_scoped(scope, move || taken.recv().map(|own| own()));
        let Ok(thread) = started else { return (own(), program()) };
        drop(give.send(own));
        let program = program();
        match thread.join() {
            Ok(Ok(own)) => (own, program),
            Ok(Err(lost)) => resume_unwind(Box::new(lost)),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// Runs `update`, which makes the database `fresh` live. As soon as `fresh` is live, s6-rc-update needs no other
/// database. So this removes the service directories of the other databases, which are most of their files, while
/// `update` does the rest.
pub(super) fn emptying_old_databases<T>(live: &Path, fresh: &Path, update: impl FnOnce() -> T) -> T {
    let (updating, ended) = mpsc::channel::<()>();
    let empty = move || {
        while ended.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            if live::live_database(live).as_deref() == Some(fresh) {
                let databases = live::databases(fresh.parent().unwrap_or(fresh)).into_values();
                // A database that cannot be removed is reported at the end of the update.
                databases.filter(|path| path != fresh).for_each(|path| drop(live::empty_database(&path)));
                return;
            }
        }
    };
    thread::scope(|scope| {
        // Without a thread they are removed at the end of the update.
        drop(Builder::new().spawn_scoped(scope, empty));
        let done = update();
        drop(updating);
        done
    })
}
