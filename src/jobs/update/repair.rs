//! Gives services that nobody supervises back to s6-svscan.

use std::collections::BTreeSet;

use crate::jobs::error::JobError;
use crate::live::{self, Live};
use crate::model::{FDHOLDER, Name};

/// Gives the services `alone`, which nobody supervises, back to s6-svscan, as s6-rc has them; returns what is up.
///
/// An s6-rc-update that is killed while it exchanges the live directory leaves such services. It also fails like that by
/// itself: where s6-svscan starts a supervisor again just then, for the old directory of a service and in the new one.
pub(super) fn repair(live: &mut Live<'_>, alone: &BTreeSet<Name>) -> Result<BTreeSet<Name>, JobError> {
    let active = live.active_when_idle()?;
    let names: Vec<String> = alone.iter().filter(|name| !name.is_reserved()).map(Name::to_string).collect();
    live.tell(&format!("nobody supervised {}; s6-svscan is given them back", names.join(", ")));
    let scandir = live::relink(live.directory(), alone, &active)?;
    live.supervise_again(&scandir, alone)?;
    // Where s6rc-fdholder does not run yet, it makes all pipes when it starts.
    if active.contains(&Name::from(FDHOLDER)) {
        live.add_pipes(&live::consumers(live.directory())?)?;
    }
    Ok(active)
}
