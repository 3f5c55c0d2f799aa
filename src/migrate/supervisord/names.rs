//! Names of services.

use std::collections::BTreeSet;

use crate::model::{Name, System};

/// A name that s6gen takes, from one of supervisord. `suffix` is added if the name is one of s6-overlay or is taken.
pub(super) fn service_name(name: &str, suffix: &str, taken: &BTreeSet<String>) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | '-');
    let mut name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        name.insert_str(0, "svc");
    }
    let built_ins = System::NEWEST_OVERLAY.built_ins();
    let is_free = |name: &str| {
        // The start bundle that s6gen makes.
        let is_ours = name == "default";
        let is_overlay = built_ins.iter().any(|service| service.name == *name);
        !is_ours && !is_overlay && !Name::new(name).is_reserved() && !taken.contains(name)
    };
    if is_free(&name) {
        return name;
    }
    let name = if name.starts_with("s6") { format!("svc-{name}") } else { format!("{name}{suffix}") };
    let mut numbered = (2..).map(|number| format!("{name}-{number}"));
    match is_free(&name) {
        true => name,
        false => numbered.find(|name| is_free(name)).unwrap_or(name),
    }
}
