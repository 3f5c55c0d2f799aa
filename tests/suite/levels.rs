//! Tests the levels of rules: every rule in every way in which a user can silence it, and random manifests with random silencers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use s6gen::diagnostic::{Code, Files, Lint, Severity};
use s6gen::jobs::{Input, Level, Levels, Selection, selection};
use s6gen::{compile, validate};

use crate::pages::{WITHOUT_EXAMPLE, example, input};
use crate::properties::holds;

/// A problem as these tests compare it: its code, its severity and the text that it marks.
type Found = (&'static str, Severity);

fn found(input: &Input, levels: &Levels) -> Vec<Found> {
    let (_, compilation) = input.judge(&[], levels);
    compilation.problems.iter().map(|problem| (problem.code.slug(), problem.severity)).collect()
}

fn levels(list: &[(&str, Level)]) -> Levels {
    let mut levels = Levels::default();
    list.iter().for_each(|(name, level)| levels.add(selection(name).unwrap(), *level));
    levels
}

/// Every lint with a wrong example.
fn examples() -> impl Iterator<Item = (&'static Lint, (&'static str, &'static str))> {
    let lints = validate::codes().filter_map(|code| match code {
        Code::Lint(lint) if lint.slug != WITHOUT_EXAMPLE => Some(lint),
        _ => None,
    });
    lints.map(|lint| (lint, example(lint.page, "Wrong").unwrap()))
}

fn short(lint: &Lint) -> &'static str {
    lint.slug.split_once("::").unwrap().1
}

#[test]
fn every_rule_gets_the_level_that_an_option_gives_it() {
    for (lint, example) in examples() {
        let folder = tempfile::tempdir().unwrap();
        let input = input(lint.slug, example, folder.path());
        for name in [lint.slug, short(lint), lint.group.name(), "all"] {
            assert_eq!(found(&input, &levels(&[(name, Level::Allow)])), [], "{} by {name}", lint.slug);
            for (level, severity) in [(Level::Warn, Severity::Warning), (Level::Deny, Severity::Error)] {
                // Only its own name makes less of an error.
                let is_exact = name == lint.slug || name == short(lint);
                let was_error = found(&input, &Levels::default()).contains(&(lint.slug, Severity::Error));
                let severity = if was_error && !is_exact { Severity::Error } else { severity };
                let changed = found(&input, &levels(&[(name, level)]));
                assert!(changed.contains(&(lint.slug, severity)), "{} by {name}: {changed:?}", lint.slug);
            }
        }
        let exact =
            levels(&[("all", Level::Deny), (lint.group.name(), Level::Warn), (lint.slug, Level::Allow)]);
        assert_eq!(found(&input, &exact), [], "{}: the most exact name wins", lint.slug);
    }
}

/// Writes levels into the file that belongs to an input.
fn write_table(folder: &Path, language: &str, lines: &str) {
    match language {
        "toml" => {
            let path = folder.join("services.toml");
            let manifest = fs::read_to_string(&path).unwrap();
            fs::write(path, format!("{manifest}\n[lints]\n{lines}")).unwrap();
        }
        _ => fs::write(folder.join(".s6gen-lints.toml"), lines).unwrap(),
    }
}

#[test]
fn every_rule_gets_the_level_that_a_table_gives_it() {
    for (lint, example) in examples() {
        let folder = tempfile::tempdir().unwrap();
        let input = input(lint.slug, example, folder.path());
        write_table(folder.path(), example.0, &format!("\"{}\" = \"allow\"\n", lint.slug));
        assert_eq!(found(&input, &Levels::default()), [], "{}", lint.slug);
        let denied = found(&input, &levels(&[(lint.slug, Level::Deny)]));
        assert_eq!(denied, [(lint.slug, Severity::Error)], "{}: the option wins", lint.slug);
    }
}

/// Puts a comment above the line that a problem of the rule marks. Returns false if that place can have no comment: a problem of a
/// file that is no script, or of no file.
fn comment(lint: &Lint, input: &Input, folder: &Path) -> bool {
    let (files, compilation) = input.judge(&[], &levels(&[(lint.slug, Level::Warn)]));
    let problem = compilation.problems.iter().find(|problem| problem.code.slug() == lint.slug).unwrap();
    let Some(label) = problem.labels.first() else { return false };
    let file = files.get(label.origin.file);
    let Ok(text) = str::from_utf8(&file.text) else { return false };
    let is_manifest = file.path.ends_with("services.toml");
    let path = folder.join(&file.path);
    let has_comments =
        ["up", "down", "dependencies", "contents"].iter().any(|name| file.path.ends_with(name));
    if !is_manifest && !has_comments && !text.starts_with("#!") || !path.is_file() {
        return false;
    }
    let line = file.line_at(label.origin.span().start);
    let at = file.start_of_line(usize::from(text.starts_with("#!")).max(line));
    let comment = format!("# s6gen: allow {}: a test\n", lint.slug);
    fs::write(&path, format!("{}{comment}{}", &text[..at], &text[at..])).unwrap();
    true
}

#[test]
fn every_rule_is_silenced_by_a_comment_where_one_can_stand() {
    let mut without_comment = BTreeSet::new();
    for (lint, example) in examples() {
        let folder = tempfile::tempdir().unwrap();
        let input = input(lint.slug, example, folder.path());
        let is_silenced = comment(lint, &input, folder.path())
            && found(&input, &levels(&[(lint.slug, Level::Deny)])).is_empty();
        if !is_silenced {
            without_comment.insert(short(lint));
        }
    }
    // They mark a directory, or a file that can have no comment, such as `type`.
    let marks_no_text = "bundle-dependencies death-tally deprecated-place empty-bundle finish-left-out ignored-entry \
        invalid-signal not-started odd-name readiness-unlimited shebang short-timeout standard-descriptor starts-early stray-file \
        text-after-type unknown-entry";
    without_comment.retain(|name| marks_no_text.split(' ').all(|known| known != *name));
    assert!(without_comment.is_empty(), "{without_comment:?}");
}

#[test]
fn what_s6_rc_refuses_cannot_be_silenced() {
    let text = "[lints]\nall = \"allow\"\n\n# s6gen: allow all\n[longrun.a]\nrun = ['a']\ndependencies = ['nobody']\n";
    assert_eq!(check(text, &levels(&[("all", Level::Allow)])), [("s6rc::unknown-service", Severity::Error)]);
    assert!(selection("s6rc::unknown-service").is_err());
    assert!(selection("unknown-key").is_err());
}

/// What `check` says of a manifest.
fn check(text: &str, levels: &Levels) -> Vec<Found> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("services.toml");
    fs::write(&path, text).unwrap();
    found(&Input::Manifest(path), levels)
}

#[test]
fn every_warning_is_an_error_if_it_is_strict() {
    let mut strict = Levels::default();
    strict.is_strict = true;
    let text = "[longrun.a]\nrun = ['redis-server', '--daemonize', 'yes']\n";
    assert_eq!(check(text, &strict), [("lint::background", Severity::Error)]);
}

#[test]
fn the_lints_of_a_manifest_win_over_those_of_the_files_that_it_includes() {
    let mut files = Files::default();
    let inner = files
        .add("inner.toml", "[lints]\nbackground = \"deny\"\n[longrun.a]\nrun = ['dnsmasq', '--daemon']\n");
    let outer = files.add("services.toml", "include = ['inner.toml']\n[lints]\nbackground = \"allow\"\n");
    let mut manifest = s6gen::jobs::ManifestFile::from(outer);
    manifest.included.push(inner.into());
    let problems = compile(&files, manifest).problems;
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code.slug()).collect();
    assert!(!codes.contains(&"lint::background"), "{codes:?}");
}

/// A service with one problem, and the code of that problem.
const PARTS: &[(&str, &str, &str)] = &[
    ("redis", "run = ['redis-server', '--daemonize', 'yes']", "lint::background"),
    ("ssh", "run = 'exec sshd'", "lint::background-by-default"),
    ("su", "run = 'exec su app -c web'", "lint::su-stays"),
    ("variable", "run = ['web', '$PORT']", "lint::literal-variable"),
    ("job", "run = ['chown', 'app', '/x']", "lint::job-in-longrun"),
    ("clean", "run = ['web']", ""),
];

/// The names that silencers may have in the random manifests.
const NAMES: &[&str] = &[
    "background",
    "lint::background-by-default",
    "su-stays",
    "literal-variable",
    "processes",
    "scripts",
    "all",
];

fn levels_of() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Allow), Just(Level::Warn), Just(Level::Deny)]
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Allow => "allow",
        Level::Warn => "warn",
        Level::Deny => "deny",
    }
}

fn selects(name: &str, code: &str) -> bool {
    match selection(name).unwrap() {
        Selection::All => true,
        Selection::Rule(rule) => rule.slug() == code,
        Selection::Group(group) => validate::codes()
            .any(|known| known.slug() == code && matches!(known, Code::Lint(lint) if lint.group == group)),
    }
}

/// How exact a name is: the later part of `NAMES` is less exact.
fn exactness(name: &str) -> u8 {
    match name {
        "all" => 0,
        "processes" | "scripts" => 1,
        _ => 2,
    }
}

#[test]
fn random_silencers_silence_what_they_name_and_are_reported_if_that_is_nothing() {
    let services = prop::collection::vec((0..PARTS.len(), prop::option::of(0..NAMES.len())), 1..6);
    let table = prop::collection::btree_map(0..NAMES.len(), levels_of(), 0..3);
    let option = prop::option::of((0..NAMES.len(), levels_of()));
    holds(300, (services, table, option), |(services, table, option)| {
        let mut text = String::from("[lints]\n");
        for (name, level) in &table {
            text += &format!("\"{}\" = \"{}\"\n", NAMES[*name], word(*level));
        }
        for (number, (part, comment)) in services.iter().enumerate() {
            let (name, line, _) = PARTS[*part];
            let comment =
                comment.map(|name| format!(" # s6gen: allow {}: random", NAMES[name])).unwrap_or_default();
            text += &format!("[longrun.{name}-{number}]\n{line}{comment}\n");
        }
        let mut options = Levels::default();
        let mut choices: Vec<(&str, Level)> =
            table.iter().map(|(name, level)| (NAMES[*name], *level)).collect();
        if let Some((name, level)) = option {
            options.add(selection(NAMES[name]).unwrap(), level);
            choices.push((NAMES[name], level));
        }
        let mut expected = Vec::new();
        let mut used = BTreeSet::new();
        // A silencer of unused silencers is not among the names, but `all` contains that rule too.
        let mut unused = 0;
        for (part, comment) in &services {
            let code = PARTS[*part].2;
            let is_silenced = comment.is_some_and(|name| selects(NAMES[name], code)) && !code.is_empty();
            unused += usize::from(comment.is_some() && !is_silenced);
            if code.is_empty() {
                continue;
            }
            let chosen = (0..choices.len()).filter(|at| selects(choices[*at].0, code));
            used.extend(chosen.clone());
            let chosen = chosen.max_by_key(|at| (exactness(choices[*at].0), *at));
            if is_silenced {
                continue;
            }
            match chosen.map(|at| choices[at].1) {
                Some(Level::Allow) => {}
                Some(Level::Deny) => expected.push((code, Severity::Error)),
                _ => expected.push((code, Severity::Warning)),
            }
        }
        let of_table = table.values().enumerate();
        unused += of_table.filter(|(at, level)| **level == Level::Allow && !used.contains(at)).count();
        let all = choices.iter().rev().find(|(name, _)| *name == "all").map(|(_, level)| *level);
        let severity = match all {
            Some(Level::Allow) => None,
            Some(Level::Deny) => Some(Severity::Error),
            _ => Some(Severity::Warning),
        };
        expected.extend(
            severity.into_iter().flat_map(|severity| vec![("levels::unused-allow", severity); unused]),
        );
        let mut found = check(&text, &options);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected, "{}{:?}", text, option);
        Ok(())
    });
}

/// A manifest whose service `a` has a `not-exec` problem, in which `COMMENT` and `LATER` are places for comments.
fn places(comment: &str, later: &str) -> String {
    format!("{comment}[longrun.a]\n{later}run = '''\ncd /\nnode x\n'''\n")
}

#[test]
fn a_comment_belongs_to_the_statement_or_table_that_it_stands_at() {
    let silencer = "# s6gen: allow not-exec: a test\n";
    let multi = "[longrun.a]\nrun = '''\ncd /\nnode x\n'''  # s6gen: allow not-exec\n";
    let inside = "[longrun.a]\nrun = '''\ncd /\n# s6gen: allow not-exec\nnode x\n'''\n";
    let array = "[longrun.a]\n# s6gen: allow literal-variable\nrun = [\n  'web',\n  '$PORT',\n]\n";
    let mark = format!("\u{feff}{}", places(silencer, ""));
    let item =
        "[longrun.a]\nrun = [\n  'web',\n  # s6gen: allow literal-variable\n  '$PORT',\n]\nuser = 'app'\n";
    for text in [&places(silencer, ""), &places("", silencer), multi, inside, array, item, &mark] {
        assert_eq!(check(text, &Levels::default()), [], "{text}");
    }
    // The next table is another one.
    let next = format!("{silencer}[longrun.b]\nrun = ['b']\n{}", places("", ""));
    assert_eq!(
        check(&next, &Levels::default()),
        [("levels::unused-allow", Severity::Warning), ("lint::not-exec", Severity::Warning)]
    );
}

#[test]
fn a_text_that_is_no_comment_silences_nothing() {
    for line in [
        "run = \"cd /; node '# s6gen: allow not-exec'\"",
        "description = \"# s6gen: allow foo\"\nrun = 'cd /; node x'",
        "environment.X = '# s6gen: allow not-exec'\nrun = 'cd /; node x'",
    ] {
        let text = format!("[longrun.a]\n{line}\n");
        assert_eq!(check(&text, &Levels::default()), [("lint::not-exec", Severity::Warning)], "{text}");
    }
}

#[test]
fn a_comment_for_s6gen_that_says_nothing_is_reported() {
    for comment in ["s6gen: ignore not-exec", "s6gen: allow", "s6gen:allowed not-exec"] {
        let text = format!("[longrun.a]\nrun = ['web'] # {comment}\n");
        assert_eq!(check(&text, &Levels::default()), [("levels::unknown-rule", Severity::Warning)], "{text}");
    }
    let close = "[longrun.a]\nrun = 'cd /; node x' #s6gen:allow\tnot-exec\n";
    assert_eq!(check(close, &Levels::default()), []);
}

#[test]
fn a_group_makes_no_warning_of_an_error() {
    let text = "[longrun.a]\nrun = ['cd', '/app', '&&', 'npm', 'start']\n";
    for (name, severity) in
        [("all", Severity::Error), ("scripts", Severity::Error), ("shell-syntax", Severity::Warning)]
    {
        let found = check(text, &levels(&[(name, Level::Warn)]));
        assert!(found.iter().all(|(_, found)| *found == severity), "{name}: {found:?}");
    }
}

#[test]
fn the_levels_beside_each_tree_count() {
    let folder = tempfile::tempdir().unwrap();
    for (tree, service) in [("one", "a"), ("two", "b")] {
        let service = folder.path().join(tree).join(service);
        std::fs::create_dir_all(&service).unwrap();
        std::fs::write(service.join("type"), "longrun\n").unwrap();
        std::fs::write(service.join("run"), "#!/bin/sh\nweb\n").unwrap();
    }
    let trees = "--tree one --tree two --format concise";
    let (_, before) = crate::baseline::said(&crate::baseline::check(folder.path(), trees));
    assert_eq!(before.matches("lint::not-exec").count(), 2, "{before}");
    std::fs::write(folder.path().join("two/.s6gen-lints.toml"), "not-exec = 'allow'\n").unwrap();
    let (code, after) = crate::baseline::said(&crate::baseline::check(folder.path(), trees));
    assert!(code == 0 && !after.contains("warning["), "{after}");
}

#[test]
fn a_file_that_is_included_may_have_only_levels() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("services.toml", "include = ['levels.toml']\n[longrun.web]\nrun = 'web | cat'\n");
    write("levels.toml", "[lints]\nnot-exec = 'allow'\n");
    let (code, told) = crate::baseline::said(&crate::baseline::check(folder.path(), ""));
    assert!(code == 0 && !told.contains("not-exec"), "{told}");
    // A manifest itself, and an included file without anything, are mistakes.
    write("levels.toml", "");
    assert!(crate::baseline::said(&crate::baseline::check(folder.path(), "")).1.contains("manifest::empty"));
    write("levels.toml", "[lints]\nnot-exec = 'allow'\n");
    let (code, told) = crate::baseline::said(&crate::baseline::check(folder.path(), "levels.toml"));
    assert!(code == 1 && told.contains("manifest::empty"), "{told}");
}
