//! Shares work among the processors, where there is much of it.

use std::num::NonZero;
use std::thread;

/// The number of small files from which on a second thread saves more time than it costs.
pub const MANY_FILES: usize = 256;
/// More threads than this only wait for each other: most of the work is in the file system.
const MOST_THREADS: usize = 4;

/// Does `work` for each item, and returns the results in the order of the items. Fewer items than `many` are done one after the
/// other.
pub fn map<T: Sync, R: Send>(items: &[T], many: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = if items.len() < many { 1 } else { processors.min(MOST_THREADS) };
    let chunks: Vec<&[T]> = items.chunks(items.len().div_ceil(threads).max(1)).collect();
    let work = &work;
    let one = move |chunk: &[T]| chunk.iter().map(work).collect::<Vec<R>>();
    let Some((first, others)) = chunks.split_first() else { return Vec::new() };
    thread::scope(|scope| {
        let start = |chunk| thread::Builder::new().spawn_scoped(scope, move || one(chunk));
        let started: Vec<_> = others.iter().map(|chunk| (*chunk, start(*chunk))).collect();
        let mut results = one(first);
        for (chunk, thread) in started {
            results.extend(match thread {
                // A panic in a thread is one of this program.
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // The system allows no more threads.
                Err(_) => one(chunk),
            });
        }
        results
    })
}
