//! `s6gen rules`: lists the rules, with the level of each.

use clap::Args;

use super::arguments::FormatArguments;
use super::streams::{Outcome, Streams};
use crate::diagnostic::{Code, Confidence, FixKind};
use crate::jobs;

/// Lists the rules whose level you can change
///
/// A level is `allow`, `warn` or `deny`. You can give it to a rule, to a group of rules, or to `all`: in the table `[lints]` of the
/// manifest, in `.s6gen-lints.toml` beside a tree, or with an option of `check` and `build`. A comment at the end of a line or
/// above it silences a rule there: `# s6gen: allow not-exec: reason`. `s6gen explain RULE` has the page of a rule.
///
/// CERTAIN says whether a finding is a problem for certain or likely one. FIX says whether `check --fix` solves a problem: `safe`; `unsafe`, which needs `--unsafe` too; or `none`.
/// The page of the rule has the reason.
#[derive(Debug, Args)]
pub(super) struct RulesArguments {
    #[command(flatten)]
    pub(super) format: FormatArguments,
}

impl RulesArguments {
    pub(super) fn run(self, streams: &mut Streams<'_>) -> Outcome {
        let rules: Vec<RuleFacts> = jobs::rules().map(RuleFacts::of).collect();
        if streams.is_for_program() {
            let rules: Vec<_> = rules.iter().map(RuleFacts::json).collect();
            streams.answer(serde_json::json!({ "rules": rules }));
            return Outcome::Success;
        }
        let width = rules.iter().map(|rule| rule.code.len()).max().unwrap_or(0);
        let mut row = |[code, level, confidence, group, fix, summary]: [&str; 6]| {
            streams
                .say(&format!("{code:width$}  {level:7}  {confidence:7}  {group:9}  {fix:6}  {summary}\n"));
        };
        row(["RULE", "LEVEL", "CERTAIN", "GROUP", "FIX", "FINDS"]);
        for RuleFacts { code, level, confidence, group, fix, summary } in rules {
            row([code, level, confidence, group, fix.name(), summary]);
        }
        Outcome::Success
    }
}

/// What the list says of a rule.
struct RuleFacts {
    code: &'static str,
    level: &'static str,
    confidence: &'static str,
    group: &'static str,
    fix: FixKind,
    summary: &'static str,
}

impl RuleFacts {
    fn of(code: Code) -> RuleFacts {
        let (confidence, group) = match code {
            Code::Lint(lint) => (lint.confidence, lint.group.name()),
            _ => (Confidence::Certain, ""),
        };
        RuleFacts {
            code: code.slug(),
            level: code.severity().name(),
            confidence: match confidence {
                Confidence::Certain => "certain",
                Confidence::Likely => "likely",
            },
            group,
            fix: code.fix_kind(),
            summary: code.explanation().lines().next().unwrap_or_default().trim(),
        }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "code": self.code,
            "level": self.level,
            "confidence": self.confidence,
            "group": self.group,
            "fix": self.fix.name(),
            "no_fix": self.fix.reason(),
            "summary": self.summary,
        })
    }
}
