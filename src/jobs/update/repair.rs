//! Gives services that lost their supervisor back to s6-svscan.

use std::collections::BTreeSet;

use crate::jobs::error::JobError;
use crate::live::{self, Live};
use crate::model::{FDHOLDER, Name};

/// Gives the services `unsupervised` back to s6-svscan, in the state that s6-rc wants. Returns the services that are up.
///
/// Services lose their supervisor if s6-rc-update is killed while it exchanges the live directory. The same can happen
/// without a kill, if s6-svscan restarts a supervisor at that moment: the supervisor then belongs to the old directory
/// of the service, but runs in the new one.
pub(super) fn repair(live: &mut Live<'_>, unsupervised: &BTreeSet<Name>) -> Result<BTreeSet<Name>, JobError> {
    let active = live.active_when_idle()?;
    let names: Vec<String> =
        unsupervised.iter().filter(|name| !name.is_reserved()).map(Name::to_string).collect();
    live.tell(&format!("no supervisor runs for {}; s6-svscan now starts one", names.join(", ")));
    let scandir = live::relink(live.directory(), unsupervised, &active)?;
    live.supervise_again(&scandir, unsupervised)?;
    // If s6rc-fdholder is not up, it makes all pipes when it starts.
    if active.contains(&Name::from(FDHOLDER)) {
        live.add_pipes(&live::consumers(live.directory())?)?;
    }
    Ok(active)
}
