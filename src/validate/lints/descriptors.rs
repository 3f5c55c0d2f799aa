use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::model::Index;

use super::definitions;

/// What s6-supervise keeps of deaths at most.
const MOST_DEATHS: u32 = 4096;

/// Descriptors are not those that every process has, and the death tally is not larger than it can be.
pub(in crate::validate) fn are_free(index: &Index<'_>, problems: &mut Problems) {
    for (service, definition) in definitions(index) {
        let Some(longrun) = service.longrun() else { continue };
        for (file, fd) in [("notification-fd", &longrun.notification_fd), ("lock-fd", &longrun.lock_fd)] {
            let Some(fd) = fd.as_ref().filter(|fd| fd.value < 3) else { continue };
            let what = ["standard input", "standard output", "standard error"][fd.value as usize];
            problems.push(
                Diagnostic::new(
                    Code::StandardDescriptor,
                    format!("`{file}` of `{}` is {what}", service.name),
                )
                .at(fd.origin, "0, 1 and 2 have another use in every process")
                .help("write `3` or more"),
            );
        }
        if let Some(tally) = longrun.max_death_tally.filter(|tally| *tally > MOST_DEATHS) {
            problems.push(
                Diagnostic::new(
                    Code::DeathTally,
                    format!(
                        "`max-death-tally` of `{}` is {tally}, more than s6-supervise keeps",
                        service.name
                    ),
                )
                .at(definition.place("max-death-tally"), "it counts as 4096")
                .help("write at most `4096`"),
            );
        }
    }
}
