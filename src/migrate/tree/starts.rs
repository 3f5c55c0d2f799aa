//! Finds out when each definition starts.

use super::facts::{Facts, mentions, named_by};
use crate::model::{Kind, Name, Service};

/// When a service starts, in the words of the key `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartWord {
    Boot,
    Early,
    Late,
    OnDemand,
    EarlyOnDemand,
}

impl StartWord {
    /// The word, if it is not the default.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            StartWord::Boot => None,
            StartWord::Early => Some("early"),
            StartWord::Late => Some("late"),
            StartWord::OnDemand => Some("on-demand"),
            StartWord::EarlyOnDemand => Some("early-on-demand"),
        }
    }
}

impl Facts<'_> {
    /// Whether a bundle for the boot names it itself.
    pub(super) fn is_started_by_name(&self, name: &Name) -> bool {
        self.named.contains(name)
    }

    /// Whether it is a bundle that the system or s6gen makes.
    pub(super) fn is_start_bundle(&self, name: &Name) -> bool {
        match self.system().is_overlay() {
            true => {
                self.system().start_bundles().iter().any(|bundle| *name == **bundle)
                    || *name == *"default" && self.starts_default()
            }
            false => *name == *"default",
        }
    }

    /// Whether the bundle `default` is only a part of the bundle `user`, as s6gen makes it.
    fn starts_default(&self) -> bool {
        let is_default = |service: &&Service| service.name == *"default";
        let mut mentioning = self
            .old
            .services
            .services
            .iter()
            .filter(|service| mentions(service).any(|reference| reference.name == *"default"));
        self.ours().find(is_default).is_some_and(|service| matches!(service.kind, Kind::Bundle(_)))
            && mentioning.next().is_some_and(|service| service.name == *"user")
            && mentioning.next().is_none()
    }

    /// When a service starts.
    pub(super) fn start(&self, name: &Name, is_exact: bool) -> StartWord {
        let Some(node) = self.index.find(name) else { return StartWord::Boot };
        let closure = self.index.closure([node]);
        let waits_for_base =
            !self.system().is_overlay() || !self.base.is_empty() && self.base.is_subset(&closure);
        if is_exact {
            return self.generated_start(name);
        }
        match (self.boot.contains(&node), waits_for_base) {
            (true, true) => StartWord::Boot,
            (true, false) => StartWord::Early,
            // In `user` it would delay the legacy services and what waits for them.
            _ if self.late.contains(&node) && !self.boot.contains(&node) => StartWord::Late,
            (false, true) => StartWord::OnDemand,
            (false, false) => StartWord::EarlyOnDemand,
        }
    }

    /// When a service of a tree that s6gen made starts: there it is known which services the manifest started itself, and which of
    /// them it made wait for `base`.
    fn generated_start(&self, name: &Name) -> StartWord {
        let service = self.index.find(name).and_then(|node| self.index.service(node));
        let dependencies = service.map_or(&[][..], Service::dependencies);
        let waits_for_base =
            !self.system().is_overlay() || dependencies.iter().any(|dependency| dependency.name == *"base");
        let is_late = || self.system().is_overlay() && named_by(&self.index, "user2").contains(name);
        match (self.named.contains(name), waits_for_base) {
            (true, true) => StartWord::Boot,
            (true, false) => StartWord::Early,
            _ if is_late() => StartWord::Late,
            (false, true) => StartWord::OnDemand,
            (false, false) => StartWord::EarlyOnDemand,
        }
    }

    /// Whether a bundle for late services starts it, although it does not wait for the legacy services.
    pub(super) fn is_late_by_name_only(&self, name: &Name) -> bool {
        let Some(node) = self.index.find(name) else { return false };
        let legacy = self.index.find(&"legacy-services".into());
        self.late.contains(&node)
            && !self.boot.contains(&node)
            && !legacy.is_some_and(|legacy| self.index.closure([node]).contains(&legacy))
    }
}
