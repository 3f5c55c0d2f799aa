//! The JSON Schema of the manifest language, for editors.

use super::levels::rules;
use crate::diagnostic::Group;
use crate::render;

/// The JSON Schema of a manifest, as text.
pub fn schema() -> String {
    let summary = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    let mut names: Vec<(&str, String)> = vec![("all", "Every rule.".to_owned())];
    names.extend(
        Group::ALL.iter().map(|group| (group.name(), format!("The rules of the group `{}`.", group.name()))),
    );
    names.extend(rules().map(|rule| (rule.slug(), summary(rule.explanation()))));
    format!("{:#}\n", render::schema(&names))
}
