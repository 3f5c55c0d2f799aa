//! Imports random trees of scripts that keys may stand for, and proves every import: with only what means exactly the same, and with
//! what a person would have written.
//!
//! `S6GEN_ORACLE_TREES` is the number of trees, `S6GEN_ORACLE_SEED` the seed.

use std::collections::BTreeMap;
use std::path::Path;

use s6gen::jobs::{ReadTree, TreeToImport, prove};

use crate::case::scratch;
use crate::import_trees::NoPrograms;
use crate::oracle::{Random, number_from};
use crate::supervise::write_program;

const NAMES: &[&str] = &["web", "api", "db", "cron"];

/// A call of `s6-notifyoncheck`, or nothing.
fn poll(random: &mut Random) -> String {
    let mut call = "s6-notifyoncheck".to_owned();
    for (option, values) in [
        ("n", &["0", "1", "7", "300", "100000", "4294967295"][..]),
        ("w", &["0", "1", "250", "1000", "4294967295"]),
        ("t", &["0", "1", "5000", "60000"]),
        ("s", &["0", "10", "2000"]),
        ("T", &["0", "1", "9000"]),
        ("3", &["3", "4", "5"]),
    ] {
        if random.chance(35) {
            let between = random.pick(&["", " "]);
            call += &format!(" -{option}{between}{}", random.pick(values));
        }
    }
    for option in [" -d", " -c 'test -e /x'", " -c 'if { true } true'", " --"] {
        if random.chance(25) {
            call += option;
        }
    }
    call + " "
}

fn run(random: &mut Random) -> String {
    let first = random.pick(&[
        "#!/bin/sh",
        "#!/bin/sh -e",
        "#!/command/with-contenv bash",
        "#!/command/with-contenv sh",
    ]);
    let mut text = format!("{first}\n");
    for line in ["exec 2>&1", "cd /srv", "umask 027", "export A=b", "port=${PORT:-80}"] {
        if random.chance(15) {
            text += &format!("{line}\n");
        }
    }
    let poll = if random.chance(50) { poll(random) } else { String::new() };
    let user = random.pick(&["", "", "s6-setuidgid app "]);
    text + &format!("exec {poll}{user}{}\n", random.pick(&["web", "web -p 80", "web \"$PORT\""]))
}

fn finish(random: &mut Random) -> String {
    let mut number = || random.pick(&["0", "1", "7", "100", "143", "256"]);
    let (one, two) = (number(), number());
    let condition = match random.below(5) {
        0 => format!("[ $1 -ne {one} ]"),
        1 => format!("[ \"$1\" -ne {one} ] && [ $1 -ne {two} ]"),
        2 => format!("[[ $1 -eq {one} || $2 -eq 15 ]]"),
        3 => format!("[ $1 -eq {one} ] || test $1 = {two}"),
        _ => "[ $1 -lt 300 ]".to_owned(),
    };
    let code = random.pick(&[
        "",
        "echo $1 > /run/s6-linux-init-container-results/exitcode\n",
        "echo bye\n",
        "rm -f /x\n",
    ]);
    format!("#!/bin/bash\nif {condition}; then\n{code}exec /run/s6/basedir/bin/halt\nfi\n")
}

fn logger(random: &mut Random, directory: &str) -> String {
    let user = random.pick(&["", "nobody", "log:adm", "1000"]);
    let mut text = "#!/bin/sh\n".to_owned();
    if random.chance(30) {
        text += &format!("mkdir -p {directory}\n");
    }
    if random.chance(20) {
        text += &format!("chown nobody:nogroup {directory}\n");
    }
    text += "exec ";
    if !user.is_empty() {
        text += &format!("s6-setuidgid {user} ");
    }
    text += "s6-log";
    for option in [" -b", " -d 3", " --"] {
        if random.chance(40) {
            text += option;
        }
    }
    for directive in
        [" n0", " n9999", " n20", " s4096", " s1048576", " s255000000", " s268435455", " t", " T", " 1"]
    {
        if random.chance(15) {
            text += directive;
        }
    }
    format!("{text} {directory}\n")
}

/// The files of a tree.
fn tree(random: &mut Random) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut add = |path: String, content: String| drop(files.insert(path, content));
    add("user-bundles.d/user/type".into(), "bundle\n".into());
    add("s6-rc.d/prepare/type".into(), "oneshot\n".into());
    add("s6-rc.d/prepare/up".into(), "true\n".into());
    add("s6-rc.d/prepare/dependencies.d/base".into(), String::new());
    for name in NAMES {
        let mut own = |path: &str, content: String| add(format!("s6-rc.d/{name}/{path}"), content);
        own("type", "longrun\n".into());
        own("run", run(random));
        if random.chance(60) {
            own("finish", finish(random));
        }
        if random.chance(60) {
            own("notification-fd", random.pick(&["3\n", "4\n", "1023\n", "5000\n"]).into());
        }
        if random.chance(60) {
            own(
                "data/check",
                random.pick(&["#!/bin/sh\ntest -e /x\n", "#!/command/with-contenv sh\ntrue\n"]).into(),
            );
        }
        if random.chance(30) {
            own("timeout-up", random.pick(&["1\n", "30000\n", "0\n"]).into());
        }
        for other in ["base", "prepare"] {
            if random.chance(60) {
                own(&format!("dependencies.d/{other}"), String::new());
            }
        }
        let mut started = (*name).to_owned();
        if random.chance(60) {
            let logger_name = format!("{name}{}", random.pick(&["-log", "-logger"]));
            own("producer-for", format!("{logger_name}\n"));
            let pipeline =
                random.chance(50).then(|| format!("{name}{}", random.pick(&["-pipeline", "-all"])));
            let mut own = |path: &str, content: String| add(format!("s6-rc.d/{logger_name}/{path}"), content);
            own("type", "longrun\n".into());
            own("consumer-for", format!("{name}\n"));
            let script = logger(random, &format!("/var/log/{name}"));
            let notifies = script.contains("-d 3");
            own("run", script);
            if notifies != random.chance(10) {
                own("notification-fd", "3\n".into());
            }
            if random.chance(20) {
                own(random.pick(&["timeout-kill", "timeout-up", "down-signal"]), "15\n".into());
            }
            for other in ["base", "prepare"] {
                if random.chance(40) {
                    own(&format!("dependencies.d/{other}"), String::new());
                }
            }
            if let Some(pipeline) = pipeline {
                own("pipeline-name", format!("{pipeline}\n"));
                started = random.pick(&[started, pipeline, logger_name]);
            }
        }
        if random.chance(80) {
            add(format!("user-bundles.d/user/contents.d/{started}"), String::new());
        }
    }
    files
}

fn read(files: &BTreeMap<String, String>, root: &Path, is_exact: bool) -> ReadTree {
    for (path, content) in files {
        write_program(&root.join(path), content);
    }
    TreeToImport { is_exact, ..TreeToImport::new(root) }.read()
}

#[test]
fn the_import_of_random_shapes_is_proved() {
    let mut random = Random::new(number_from("S6GEN_ORACLE_SEED", 1));
    let count = number_from("S6GEN_ORACLE_TREES", 25).min(500);
    let mut keys = BTreeMap::<&str, usize>::new();
    for _ in 0..count {
        let files = tree(&mut random);
        let shown = || files.iter().map(|(path, text)| format!("-- {path}\n{text}")).collect::<String>();
        for is_exact in [false, true] {
            let root = scratch();
            let tree = read(&files, root.path(), is_exact);
            let problems: Vec<&str> =
                tree.compilation.problems.iter().map(|one| one.message.as_str()).collect();
            assert!(tree.is_accepted(), "{problems:?}\n{}", shown());
            let migration = tree.migration();
            let text = migration.draft.text();
            let proof = prove(&tree, &migration, &mut NoPrograms).unwrap();
            let errors: Vec<String> = proof.errors().iter().map(|problem| problem.message.clone()).collect();
            assert!(proof.holds(), "exact: {is_exact}\n{errors:?}\n{}\n{text}\n{}", proof.text(), shown());
            for key in ["on-exit", "check = ", "to = \"/var/log/"] {
                *keys.entry(key).or_default() += usize::from(!is_exact && text.contains(key));
            }
            if is_exact {
                assert!(
                    proof.differences.iter().all(|one| one.fact != "name" && one.fact != "finish"),
                    "{text}"
                );
                assert!(!text.contains("on-exit"), "{text}");
            }
        }
    }
    eprintln!("{count} trees with {keys:?}");
    assert!(keys.values().all(|number| *number > 0), "{keys:?}");
}
