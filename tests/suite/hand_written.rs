//! Common mistakes in trees that people write by hand, and the reports on them.
//!
//! Every folder below `tests/cases/tree` is a case. `tree.txt` is a small tree as `tree_text` reads it. `expected.snap` has the
//! output of `s6gen check --tree src` for it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use s6gen::diagnostic::{Files, Problems};
use s6gen::model::{Layer, Target};
use s6gen::report::{Style, human};
use s6gen::tree::SourceTree;
use s6gen::{compile, import, render, validate};
use serde_json::Value;

use crate::case::{Case, Judgement, scratch};
use crate::golden::{self, cases, compare};
use crate::oracle;
use crate::require::{needs, skip, this_test};
use crate::tree_text;

fn case_of(folder: &Path) -> Case {
    let text = fs::read_to_string(folder.join("tree.txt")).unwrap();
    let case = tree_text::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    assert!(case.doc.is_some(), "{} does not tell what it shows", folder.display());
    Case { id: folder.file_name().unwrap().to_str().unwrap().to_owned(), ..case }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/tree").join(name)
}

/// Runs `s6gen check` on the case. `None` if the case must run as another user, and this process cannot.
fn check(case: &Case, arguments: &[&str]) -> Option<Output> {
    let root = scratch();
    case.make(root.path()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.arg("check").args(arguments).current_dir(root.path()).env_clear();
    for source in case.sources() {
        command.arg("--tree").arg(source);
    }
    let is_root = fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
    if let Some(uid) = case.run_as.filter(|_| is_root) {
        command.uid(uid).gid(uid);
    }
    let output = command.output().ok();
    for name in case.modes.keys() {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(root.path().join(name), mode).unwrap();
    }
    if output.is_none() {
        skip(this_test!(), "users", &case.id);
    }
    output
}

fn report(case: &Case) -> Option<String> {
    let output = check(case, &[])?;
    let end = match output.status.code() {
        Some(0) => "",
        Some(1) => "exit code 1\n",
        _ => "crash\n",
    };
    assert!(output.stdout.is_empty());
    Some(String::from_utf8(output.stderr).unwrap() + end)
}

#[test]
fn every_hand_written_tree_gets_its_report() {
    for folder in cases("tree") {
        let case = case_of(&folder);
        if let Some(report) = report(&case) {
            compare(&folder, &report);
        }
    }
}

#[test]
fn every_hand_written_tree_is_named_after_what_it_shows() {
    for folder in cases("tree") {
        let name = case_of(&folder).id.replace("--", "::");
        let report = fs::read_to_string(folder.join("expected.snap")).unwrap();
        assert!(
            validate::codes().any(|code| name.starts_with(code.slug()) && report.contains(code.slug())),
            "{name} is not named after a code that it reports"
        );
        let is_refused = report.contains("exit code 1");
        assert_eq!(is_refused, !name.starts_with("lint::"), "{name}: warnings never change how it ends");
    }
}

#[test]
fn the_real_compiler_gives_every_hand_written_tree_the_same_verdict() {
    needs!("s6-rc");
    let mut compared = 0;
    for folder in cases("tree") {
        let case = case_of(&folder);
        if case.run_as.is_some() {
            continue;
        }
        let output = check(&case, &["--format", "json"]).unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ours = Judgement {
            class: answer["class"].as_str().unwrap().to_owned(),
            db: answer.get("db").filter(|db| !db.is_null()).cloned(),
            problems: Vec::new(),
        };
        let root = scratch();
        case.make(root.path()).unwrap();
        let real = oracle::verdict(root.path(), &case);
        assert_eq!(real.disagreement(&ours), None, "{}", case.id);
        compared += 1;
    }
    assert!(compared > 50);
}

/// The failures that people ask about most and that a tree shows: the rank of each in the list of questions, its case, and
/// the words of the report that answer the question.
const ASKED: &[(u32, &str, &[&str])] = &[
    (1, "lint--finish-misses-crashes", &["SIGSEGV", "the same holds for `web`"]),
    (6, "lint--home-of-root", &["still `/root`", "export HOME"]),
    (7, "lint--readiness-check", &["before `s6-notifyoncheck`", "not executable", "gives up after 7 tries"]),
    (7, "lint--readiness-unlimited", &["timeout-up"]),
    (8, "lint--not-executable", &["126: permission denied", "chmod +x"]),
    (9, "lint--version-two", &["/run/s6/basedir/bin/halt", "eltest", "/command/with-contenv"]),
    (10, "lint--shell-syntax", &["unterminated block", "no shell reads it", "a script `run` beside `up`"]),
    (10, "lint--joined-lines", &["one command", "a script `run` beside `up`"]),
    (10, "lint--failure-hidden", &["succeeds even if"]),
    (11, "lint--invalid-signal", &["did you mean `SIGQUIT`?", "CR"]),
    (13, "lint--shebang", &["Exec format error", "remove everything above this line"]),
    (13, "s6rc--type-missing-scripts", &["move it out of the source directory"]),
    (14, "lint--not-exec", &["write `exec node …`"]),
    (14, "lint--background", &["--daemonize no", "remove the `&`", "s6 watches `tail`"]),
    (14, "lint--background-by-default", &["crond -f", "sshd -D"]),
    (15, "lint--ignored-entry-log", &["a longrun of its own with a file `consumer-for` that holds `web`"]),
    (
        15,
        "s6rc--one-sided-pipeline",
        &["make a file `consumer-for` in the definition of `web-log` that holds the line `web`"],
    ),
    (
        15,
        "s6rc--one-sided-pipeline-consumer",
        &["make a file `producer-for` in the definition of `web` that holds the line `web-log`"],
    ),
    (15, "s6rc--pipeline-member", &["only a longrun can be in a pipeline"]),
    (15, "lint--errors-not-logged", &["exec 2>&1"]),
    (16, "lint--edited-too-late", &["before the first service starts", "S6_STAGE2_HOOK"]),
    (17, "s6rc--unknown-service-removed", &["which is defined nowhere", "did you mean `web`?", "`--layer`"]),
    (17, "s6rc--type-missing-adds-to-a-base-image", &["a base image", "`--layer`"]),
    (18, "s6rc--type-missing", &["write `longrun` into `type`", "the image that has the rest of it"]),
    (18, "s6rc--invalid-type-empty", &["this file is empty"]),
    (21, "s6rc--invalid-type-crlf", &["CR LF", "eol=lf"]),
    (21, "s6rc--invalid-timeout-crlf", &["eol=lf", "write `10000`"]),
    (21, "s6rc--invalid-number", &["eol=lf"]),
    (21, "s6rc--unknown-service-crlf", &["CR LF"]),
    (21, "lint--shebang-crlf", &["No such file or directory", "eol=lf"]),
    (22, "lint--ignored-entry-down", &["leave it out of the start bundle", "`finish`"]),
    (24, "s6rc--dependency-cycle-of-a-tree", &["`migrate` → `web` → `prepare` → `mkdirs` → `migrate`"]),
    (24, "s6rc--dependency-cycle-with-a-logger", &["a producer waits for its consumer"]),
    (25, "lint--bundle-dependencies", &["give every member of `apps` these dependencies"]),
];

#[test]
fn the_report_on_a_common_failure_answers_the_question() {
    for (rank, name, words) in ASKED {
        let report = fs::read_to_string(folder(name).join("expected.snap")).unwrap();
        for word in *words {
            assert!(report.contains(word), "failure {rank}, {name}: nothing says {word:?}:\n{report}");
        }
    }
}

#[test]
fn a_tree_that_s6gen_built_gets_no_report_of_another_kind_than_its_manifest() {
    let manifests = cases("ok").into_iter().chain([PathBuf::from(env!("CARGO_MANIFEST_DIR"))]);
    // This case has files without an effect, which are reported.
    for folder in manifests.filter(|folder| !folder.ends_with("files-of-the-other-kind")) {
        let mut files = Files::default();
        let manifest = golden::manifest(&folder, fs::read(folder.join("services.toml")).unwrap(), &mut files);
        let compiled = compile(&files, manifest);
        let known_codes: BTreeSet<_> = compiled.problems.iter().map(|problem| problem.code.slug()).collect();
        let compiled = compiled.services;
        let tree = render::tree(&compiled).unwrap();
        let mut problems = Problems::default();
        let source = tree.source(compiled.target.tree.trim_start_matches('/'));
        let mut set = import::tree(vec![source], compiled.target.clone(), &mut files, &mut problems);
        // The tree does not contain the definitions of s6-overlay and of other layers.
        let known: BTreeSet<_> = set.services.iter().map(|service| service.name.clone()).collect();
        let others = compiled.services.iter().filter(|service| service.layer != Layer::Ours);
        set.services.extend(others.filter(|service| !known.contains(&service.name)).cloned());
        validate::validate(&set, true, &mut problems);
        let new = problems.iter().filter(|problem| !known_codes.contains(problem.code.slug()));
        let reports: String = new.map(|problem| human(problem, &files, Style::Plain)).collect();
        assert_eq!(reports, "", "{}", folder.display());
        assert!(set.ours().count() > 0);
    }
}

/// Choices that people make on purpose and that work. None of them is reported.
const FINE: &[(&str, &str)] = &[
    // A mode of 0644 and a missing newline are fine for a longrun, as are comments and blank lines in scripts.
    ("web/type", "longrun"),
    (
        "web/run",
        "#!/command/with-contenv bash\n# shellcheck shell=bash\n\nexec 2>&1\nexec web --config \"$(dirname \"$0\")/x\"\n",
    ),
    ("web/finish", "#!/bin/sh\ntest \"$1\" -eq 0 || /run/s6/basedir/bin/halt\n"),
    ("web/dependencies.d/milestone", ""),
    ("web/dependencies.d/dirs", "/etc/harmless\n"),
    ("web/flag-essential", "because the container is nothing without it\n"),
    ("web/producer-for", "web-log\n"),
    ("web/down-signal", "SIGQUIT\n"),
    ("web/README.md", "# web\n"),
    ("web/run.bak", "old\n"),
    ("web/.gitkeep", ""),
    ("web/data/check", "#!/bin/sh\n"),
    ("web-log/type", "longrun\n"),
    (
        "web-log/run",
        "#!/command/execlineb -P\ns6-setuidgid nobody\ns6-log -bp -- n20 s1000000 T /var/log/web\n",
    ),
    ("web-log/consumer-for", "web\n"),
    ("web-log/pipeline-name", "web-pipeline\n"),
    // Oneshots that only order others are empty; CR does no harm in a command line.
    ("milestone/type", "oneshot\n"),
    ("milestone/up", ""),
    ("legacy/type", "oneshot\n"),
    ("legacy/up", "# nothing to do\n"),
    ("legacy/dependencies", "milestone\n"),
    ("legacy/dependencies.d/milestone", ""),
    ("windows/type", "oneshot\n"),
    ("windows/up", "mkdir -p /run/web\r\n"),
    // A oneshot whose `up` calls the `run` beside it, and data that a script mentions.
    ("dirs/type", "oneshot\n"),
    ("dirs/up", "with-contenv bash /etc/s6-overlay/s6-rc.d/dirs/run\n"),
    ("dirs/run", "mkdir -p /run/web\n. /etc/s6-overlay/s6-rc.d/dirs/functions\n"),
    ("dirs/functions", "x() { :; }\n"),
    ("dirs/templates/web.conf", "port=80\n"),
    ("render/type", "oneshot\n"),
    ("render/up", "cp -r /etc/s6-overlay/s6-rc.d/dirs/templates /run/web\n"),
    // execline with words that look like shell syntax.
    ("config/type", "oneshot\n"),
    (
        "config/up",
        "#!/command/execlineb -P\nwith-contenv\nimportas -D 80 PORT PORT\nif { mkdir -p /run/web }\nforeground { echo \"a && b | c; $d\" }\nredirfd -w 1 /run/web/port\necho ${PORT}\n",
    ),
    ("clean/type", "oneshot\n"),
    ("clean/up", "find /tmp -name *.pid -exec rm {} ;\n"),
    ("account/type", "oneshot\n"),
    ("account/up", "sh -c \"usermod -u \\\"$PUID\\\" app && chown app /config/*\"\n"),
    // Shell scripts that do not end: they loop, wait, or start a program that depends on a condition.
    ("idle/type", "longrun\n"),
    (
        "idle/run",
        "#!/command/with-contenv bash\nif [[ -z $TOKEN ]]; then\n  sleep infinity\nfi\nexec tunnel --token \"$TOKEN\"\n",
    ),
    ("both/type", "longrun\n"),
    ("both/run", "#!/bin/sh\ntrap 'kill 0' EXIT\na &\nb &\nwait -n\n"),
    ("loop/type", "longrun\n"),
    ("loop/run", "#!/usr/bin/env bashio\nwhile true; do\n  backup --daemon no\n  sleep 60\ndone\n"),
    ("cron/type", "longrun\n"),
    ("cron/run", "#!/bin/sh\nexec busybox crond -f -S -l 5\n"),
    ("held/type", "longrun\n"),
    ("held/run", "#!/bin/sh\nexec fghack crond\n"),
    ("timed/type", "oneshot\n"),
    ("timed/up", "timeout 60 tail -f /run/log\n"),
    ("watch/type", "longrun\n"),
    ("watch/run", "#!/bin/sh\ninotifywait -m /etc | while read -r event; do\n  reload\ndone\n"),
    ("named/type", "longrun\n"),
    ("named/run", "#!/bin/sh\nalias start='exec web'\nstart\n"),
    ("off/type", "longrun\n"),
    ("off/run", "#!/bin/sh\ntest \"$OFF\" && tail -f /dev/null\nexec web\n"),
    ("ssh/type", "longrun\n"),
    ("ssh/run", "#!/bin/sh\nexec /usr/sbin/sshd -De\n"),
    // execline that tidies up and then runs its program; long lists of arguments.
    ("chain/type", "longrun\n"),
    (
        "chain/run",
        "#!/command/execlineb -P\nforeground { rm -f /run/x }\nif { test -d /a } foreground { chown a\n/a\n/b\n }\nbacktick -D 0 N { cat /n }\nimportas -D 1 -u N N\nredirfd -w 1 /run/y\nexec -a n daemon\n  touch\n",
    ),
    ("paths/type", "oneshot\n"),
    ("paths/up", "chown app\n/var/lib/app\n/var/log/app\n"),
    ("python/type", "longrun\n"),
    ("python/run", "#!/usr/bin/python3\nimport time\ntime.sleep(1e9)\n"),
    // Readiness: by the number of the descriptor, by s6-notifyoncheck, by a script of the image that may know the descriptor.
    ("api/type", "longrun\n"),
    (
        "api/run",
        "#!/command/with-contenv bash\nexec \\\n  s6-notifyoncheck -d -n 300 -w 1000 -c \"nc -z localhost 80\" \\\n    cd /app s6-setuidgid app ./server\n",
    ),
    ("api/notification-fd", "3\n"),
    ("api/timeout-up", "300000\n"),
    ("bus/type", "longrun\n"),
    ("bus/run", "#!/command/execlineb -P\ndbus-daemon --system --nofork --print-address=4\n"),
    ("bus/notification-fd", "4\n"),
    ("bus/timeout-up", "5000\n"),
    ("own/type", "longrun\n"),
    ("own/run", "#!/bin/sh\nexec /usr/local/bin/start\n"),
    ("own/notification-fd", "3\n"),
    ("own/timeout-up", "5000\n"),
    // Start bundles that other layers fill.
    ("user/type", "bundle\n"),
    ("user/contents.d/.gitkeep", ""),
    ("README.md", "# Services\n"),
];

#[test]
fn deliberate_choices_get_no_report() {
    let mut tree = SourceTree::default();
    for (path, content) in FINE {
        tree.file(format!("src/{path}"), *content, false);
    }
    // The script of a oneshot under both names.
    tree.file("src/both-names/type", "oneshot\n", false);
    tree.file("src/both-names/run", "#!/command/execlineb -P\nmkdir -p /run/both\n", true);
    tree.link("src/both-names/up", "run");
    tree.file("src/both-names/stop", "#!/command/execlineb -P\nrmdir /run/both\n", true);
    tree.link("src/both-names/down", "/etc/s6-overlay/s6-rc.d/both-names/stop");
    let (mut files, mut problems) = (Files::default(), Problems::default());
    let set = import::tree(vec![tree.source("src")], Target::default(), &mut files, &mut problems);
    validate::validate(&set, true, &mut problems);
    let reports: String = problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    assert_eq!(reports, "");
}
