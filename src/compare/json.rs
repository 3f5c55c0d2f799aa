//! The comparison for programs.

use serde_json::{Value, json};

use super::comparison::{Comparison, Effect, StartCause};
use super::differences::{Changed, Difference, DifferenceKind, SettingChange};
use super::transitions::Cause;
use crate::model::{Name, Words, json_text};

/// The comparison for programs.
///
/// `services` has each service that differs or to which the update does something: its `name`, its `change` (`added`,
/// `removed`, `changed` or null), the changed `settings`, and the `effect` of the update, if there is one.
pub fn json(comparison: &Comparison) -> Value {
    let differing = comparison.differences.iter().map(|difference| {
        let (change, settings) = match &difference.kind {
            DifferenceKind::Added => ("added", Vec::new()),
            DifferenceKind::Removed => ("removed", Vec::new()),
            DifferenceKind::Changed(settings) => ("changed", settings.iter().map(setting).collect()),
        };
        let Difference { name, .. } = difference;
        let effect = comparison.effects.get(name).map(effect);
        json!({ "name": text(name), "change": change, "settings": settings, "effect": effect })
    });
    let only_affected = comparison.only_affected().map(
        |(name, how)| json!({ "name": text(name), "change": null, "settings": [], "effect": effect(how) }),
    );
    let conversions: Vec<String> = comparison.conversions.iter().map(text).collect();
    json!({
        "services": differing.chain(only_affected).collect::<Vec<_>>(),
        "unchanged": comparison.unchanged(),
        "restarts": conversions,
        "refused": comparison.conflict.as_ref().map(|conflict| json!({
            "service": text(&conflict.service),
            "old": conflict.old.iter().map(text).collect::<Vec<_>>(),
        })),
    })
}

fn text(name: &Name) -> String {
    json_text(name.as_bytes())
}

fn effect(effect: &Effect) -> Value {
    let (what, by, because, of) = match effect {
        Effect::Restarted(cause) => stopped("restarted", cause.as_ref()),
        Effect::Stopped(cause) => stopped("stopped", cause.as_ref()),
        Effect::Started(None) => ("started", "s6-rc-update", "unknown", None),
        Effect::Started(Some(StartCause::Needed(name))) => ("started", "s6-rc-update", "needed", Some(name)),
        Effect::Started(Some(StartCause::Boot)) => ("started", "s6-rc", "boot", None),
    };
    json!({ "what": what, "by": by, "because": because, "of": of.map(text) })
}

/// What happens to a service that is stopped, which program does it, why, and because of which other service.
fn stopped<'a>(
    what: &'static str,
    cause: Option<&'a Cause>,
) -> (&'static str, &'static str, &'static str, Option<&'a Name>) {
    let (because, of) = match cause {
        None => ("unknown", None),
        Some(Cause::Conversion) => return (what, "conversion-file", "changed", None),
        Some(Cause::Removed) => ("removed", None),
        Some(Cause::Type) => ("type", None),
        Some(Cause::Bundle) => ("bundle", None),
        Some(Cause::NewDependency(name)) => ("new-dependency", Some(name)),
        Some(Cause::Dependency(name)) => ("dependency", Some(name)),
    };
    (what, "s6-rc-update", because, of)
}

fn setting(setting: &SettingChange) -> Value {
    let names = |names: &[Name]| names.iter().map(text).collect::<Vec<_>>();
    let words = |words: &Words| -> Vec<String> { words.iter().map(|word| json_text(word)).collect() };
    let name = &setting.setting;
    match &setting.change {
        Changed::Value { old, new } => json!({ "setting": name, "old": old, "new": new }),
        Changed::Words { old, new } => json!({ "setting": name, "old": words(old), "new": words(new) }),
        Changed::Names { added, removed } => {
            json!({ "setting": name, "added": names(added), "removed": names(removed) })
        }
        Changed::Lines(hunks) => {
            let hunks = hunks
                .iter()
                .map(|hunk| json!({ "line": hunk.line, "removed": hunk.removed, "added": hunk.added }));
            json!({ "setting": name, "lines": hunks.collect::<Vec<_>>() })
        }
        Changed::Bytes { old, new } => json!({ "setting": name, "bytes": { "old": old, "new": new } }),
        Changed::Executable(executable) => json!({ "setting": name, "executable": executable }),
    }
}
