//! The names by which a user selects rules: the code of a rule, a group, or `all`.

use std::fmt;

use super::rules;
use crate::diagnostic::{Code, Diagnostic, Fix, Group, Origin, did_you_mean};
use crate::validate;

/// The rules that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Every rule, also those that only advise.
    All,
    /// The rules of a group.
    Group(Group),
    /// One rule.
    Rule(Code),
}

impl Selection {
    /// Whether a rule is selected.
    pub(super) fn contains(self, code: Code) -> bool {
        match self {
            Selection::All => true,
            Selection::Group(group) => matches!(code, Code::Lint(lint) if lint.group == group),
            Selection::Rule(rule) => rule == code,
        }
    }

    /// How exact the name is.
    pub(super) fn exactness(self) -> u8 {
        match self {
            Selection::All => 0,
            Selection::Group(_) => 1,
            Selection::Rule(_) => 2,
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selection::All => f.write_str("any rule"),
            Selection::Group(group) => write!(f, "the group `{}`", group.name()),
            Selection::Rule(code) => write!(f, "`{}`", code.slug()),
        }
    }
}

/// A name that selects no rule, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRule {
    /// What is wrong with the name.
    pub reason: &'static str,
    /// What to do.
    pub help: String,
    /// The name that is probably meant.
    pub near: Option<&'static str>,
}

impl UnknownRule {
    /// The report on the name in a file.
    pub(super) fn report(self, name: &str, origin: Origin) -> Diagnostic {
        let fix = self.near.and_then(|near| Fix::word(origin, name, near)).map(Fix::likely);
        Diagnostic::new(Code::UnknownRule, format!("`{}` {}", name.escape_debug(), self.reason))
            .at(origin, "not the name of a rule")
            .fix(fix)
            .help(self.help)
    }
}

/// The part of a code that a user has to write: `not-exec` of `lint::not-exec`.
fn short(code: Code) -> &'static str {
    code.slug().rsplit_once("::").map_or(code.slug(), |(_, name)| name)
}

/// The rules that a name selects: `all`, a group, or a rule, which may be written without `lint::`.
///
/// # Errors
/// There is no such rule, or it cannot be silenced.
pub fn selection(name: &str) -> Result<Selection, UnknownRule> {
    if name == "all" {
        return Ok(Selection::All);
    }
    if let Some(group) = Group::ALL.iter().find(|group| group.name() == name) {
        return Ok(Selection::Group(*group));
    }
    if let Some(rule) = rules().find(|rule| rule.slug() == name || short(*rule) == name) {
        return Ok(Selection::Rule(rule));
    }
    if validate::codes().any(|code| code.slug() == name || short(code) == name) {
        return Err(UnknownRule {
            reason: "is always an error: nothing can be built with it",
            help: format!("solve the problem; `s6gen explain {name}` says how"),
            near: None,
        });
    }
    let names = rules().flat_map(|rule| [rule.slug(), short(rule)]);
    let names = names.chain(Group::ALL.iter().map(|group| group.name()));
    let near = did_you_mean(name, names);
    Err(UnknownRule {
        reason: "is not a rule",
        near,
        help: match near {
            Some(near) => format!("did you mean `{near}`? `s6gen rules` lists every rule and group"),
            None => "`s6gen rules` lists every rule and group".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_names_of_rules_are_names_of_nothing_else() {
        let mut names: Vec<&str> = rules().map(short).collect();
        names.extend(Group::ALL.iter().map(|group| group.name()));
        names.push("all");
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
