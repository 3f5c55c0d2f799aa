//! Names of services.

use std::collections::BTreeSet;

/// Names that s6-overlay has for its own definitions.
const OVERLAY: &[&str] =
    &["base", "default", "fix-attrs", "legacy-cont-init", "legacy-services", "top", "user", "user2"];

/// A name that s6gen takes, from one of supervisord. `suffix` is added if the name is one of s6-overlay or is taken.
pub(super) fn service_name(name: &str, suffix: &str, taken: &BTreeSet<String>) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | '-');
    let mut name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        name.insert_str(0, "svc");
    }
    let is_free = |name: &str| {
        let is_reserved = name.starts_with("s6rc-") || name.starts_with("s6-rc-");
        !OVERLAY.contains(&name) && !is_reserved && !taken.contains(name)
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
