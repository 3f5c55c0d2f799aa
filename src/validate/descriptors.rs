//! Checks that readiness notification and the lock use two different descriptors.

use crate::diagnostic::{Class, Diagnostic, Problems, Rank};
use crate::model::{CompilerStep, Index};

/// Checks that readiness notification and the lock use two different descriptors. The compiler does not compare numbers
/// below 3.
pub(super) fn check(index: &Index<'_>, problems: &mut Problems) {
    for (number, service) in index.set().services.iter().enumerate() {
        let Some(longrun) = service.longrun() else { continue };
        let (Some(ready), Some(lock)) = (&longrun.notification_fd, &longrun.lock_fd) else { continue };
        if ready.value == lock.value && ready.value >= 3 {
            problems.push(
                Diagnostic::s6rc(
                    Class::FdSame,
                    Rank::copying(number, CompilerStep::SameDescriptor),
                    format!(
                        "`{}` uses descriptor {} both to say that it is ready and to hold its lock",
                        service.name, ready.value
                    ),
                )
                .at(lock.origin, "the lock")
                .at(ready.origin, "the readiness notification")
                .help("choose another number for one of them"),
            );
        }
    }
}
