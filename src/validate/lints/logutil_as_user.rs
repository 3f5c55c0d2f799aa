//! Finds `logutil-service` in a program that has given up the rights of root.

use crate::diagnostic::{Confidence, Fix, FixKind, Group, Lint, Origin, Severity};
use crate::execline::base_name;
use crate::model::{Account, Invocation, Script, Service};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::logutil-as-user",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Logs,
        fix: FixKind::Unsafe,
        page: include_str!("logutil_as_user.md"),
    },
    check: Check::Services(check),
};

/// Programs that give up the rights of root. The account is the word after their options.
const CHANGE_ACCOUNT: &[&str] = &["gosu", "s6-setuidgid", "su-exec"];

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, _, calls) in subject.processes() {
        let logutil = calls.iter().find(|call| call.program() == Some("logutil-service"));
        let Some((call, origin)) = logutil.and_then(|call| Some((call, call.origin()?))) else { continue };
        let in_words =
            account(call).map(|account| (account, "remove the word before it that changes the account"));
        let in_key = user(service).map(|account| (account, "remove `user`"));
        let Some((account, remedy)) = in_words.or(in_key) else { continue };
        let mut report = found
            .report(format!(
                "`{}` runs `logutil-service` as `{account}`, and only root can run it",
                service.name
            ))
            .at(origin, "this ends with an error and is started again each second")
            .note("logutil-service changes to the account `nobody` itself, which needs the rights of root")
            .fix(without_account(call))
            .help(format!("{remedy}; or run `s6-log`, which needs no rights"));
        if service.definition().is_none() {
            report.severity = Severity::Error;
        }
        found.push(report);
    }
}

/// The change that removes the program which changes the account, and the account.
fn without_account(call: &Invocation) -> Option<Fix> {
    let words = call.wrappers();
    let at = words.iter().position(|word| {
        word.text.as_deref().is_some_and(|word| CHANGE_ACCOUNT.contains(&base_name(word)))
    })?;
    let account = words.get(at + 1)?.text.as_deref().filter(|account| !account.starts_with('-'))?;
    let next = call.words.get(at + 2).filter(|_| !is_root(account))?.origin;
    let span = words[at].origin.span().start..next.span().start;
    let is_in_order = next.file == words[at].origin.file && span.start < span.end;
    is_in_order.then(|| Fix::replace(Origin::new(next.file, span), "").likely())
}

/// The account to which the words before a program change, if that is not root.
fn account(call: &Invocation) -> Option<&str> {
    let words = call.wrappers();
    let at = words.iter().position(|word| {
        word.text.as_deref().is_some_and(|word| CHANGE_ACCOUNT.contains(&base_name(word)))
    })?;
    let mut rest = words[at + 1..].iter().map(|word| word.text.as_deref());
    let account = rest.find(|word| word.is_none_or(|word| !word.starts_with('-')))??;
    (!is_root(account)).then_some(account)
}

/// The account of a service of a manifest, if that is not root.
fn user(service: &Service) -> Option<&str> {
    let Script::Run(run) = &service.longrun()?.run else { return None };
    let Account { name, ids, .. } = run.surroundings.user.as_ref()?;
    name.as_deref().or(ids.as_deref()).filter(|account| !is_root(account))
}

fn is_root(account: &str) -> bool {
    matches!(account.split(':').next(), Some("root" | "0"))
}
