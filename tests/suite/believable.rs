//! Shows for rules that are certain what happens otherwise: the wrong service fails under the real programs as the report says,
//! and the right one beside it works. The rule reports the wrong one only. Most of them run the examples of the rule's page.
//! `believable_files` does so for files of trees, and `believable_overlay` for what only /init shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::tree::TreeEntry;
use s6gen::{compile, render};

use crate::live_apply::System;
use crate::pages;
use crate::require::{needs, this_test};
use crate::supervise::{LIMIT, Supervision, available, eventually, write_program};

/// Asserts that the rule `slug` reports the service `wrong` and no other.
fn reports(manifest: &str, slug: &str) {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let problems = compile(&files, file).problems;
    let found: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.code.slug() == slug)
        .map(|problem| problem.message.as_str())
        .collect();
    assert!(matches!(found[..], [message] if message.contains("`wrong`")), "{found:?}");
}

/// A program that notes its start, and goes into the background or stays, as its option says.
const DAEMON: &str = "#!/bin/sh\n\
    echo started >>\"${0%/*}/../starts\"\n\
    test \"$2\" = no || { sleep 20 </dev/null >/dev/null 2>&1 & exit; }\n\
    exec sleep 20 </dev/null >/dev/null 2>&1\n";

#[test]
fn a_process_that_goes_into_the_background_is_started_again_and_again() {
    if !available(this_test!()) {
        return;
    }
    let start = |heading: &str| {
        let supervision = example("lint::background", heading);
        supervision.program("redis-server", DAEMON);
        supervision.control("-u", "cache");
        supervision
    };
    let (wrong, right) = (start("Wrong"), start("Right"));
    wrong.text("starts", 3);
    assert_eq!(right.text("starts", 1), "started\n");
}

#[test]
fn a_script_that_ends_with_an_ampersand_is_started_again_and_again() {
    if !available(this_test!()) {
        return;
    }
    let manifest = "[longrun.wrong]\nrun = '''\necho started >>SCRATCH/wrong\nsleep 20 </dev/null >/dev/null 2>&1 &\n'''\n\
                    [longrun.right]\nrun = '''\necho started >>SCRATCH/right\nexec sleep 20\n'''\n";
    reports(manifest, "lint::background");
    let supervision = Supervision::start(manifest);
    supervision.control("-u", "right");
    supervision.control("-u", "wrong");
    supervision.text("wrong", 3);
    assert_eq!(supervision.text("right", 1), "started\n");
}

#[test]
fn a_finish_that_sleeps_longer_than_it_may_is_killed() {
    if !available(this_test!()) {
        return;
    }
    let start = |heading: &str| {
        let manifest = pages::manifest("lint::slow-finish", heading).replace("/run/", "SCRATCH/");
        let supervision = Supervision::start(&manifest);
        supervision.program("web", "#!/bin/sh\n");
        fs::write(supervision.path("web.pid"), "").unwrap();
        supervision.control("-u", "web");
        supervision
    };
    let (wrong, right) = (start("Wrong"), start("Right"));
    eventually("its finish does all of its work", || !right.path("web.pid").exists());
    eventually("it is started again", || wrong.deaths("web") > 1);
    assert!(wrong.path("web.pid").exists());
}

#[test]
fn a_start_waits_for_a_daemon_in_a_oneshot() {
    needs!("s6", "execline", "s6-rc");
    let start = |heading: &str| {
        let manifest = pages::manifest("lint::daemon-in-oneshot", heading);
        let manifest = format!("{}start = \"on-demand\"\n", manifest.replace("/usr/sbin/", "SCRATCH/bin/"));
        let system = System::boot(this_test!(), &manifest)?;
        system.program("sshd", "#!/bin/sh\nexec sleep 1000\n");
        let mut change = system.command("s6-rc");
        let output = change.args(["-l", "run/s6-rc", "-t", "5000", "-u", "change", "ssh"]).output().unwrap();
        Some((output.status.success(), system.active().contains("ssh")))
    };
    let Some(wrong) = start("Wrong") else { return };
    assert_eq!((wrong, start("Right")), ((false, false), Some((true, true))));
}

#[test]
fn a_oneshot_cannot_start_services_while_it_is_started() {
    needs!("s6", "execline", "s6-rc");
    let example = |heading: &str| {
        let manifest = pages::manifest("lint::s6-rc-in-up", heading);
        manifest.replace("[oneshot.choose]", "[oneshot.choose]\nstart = \"on-demand\"")
    };
    let wrong = example("Wrong").replace("\"-u\"", "\"-l\", \"SCRATCH/run/s6-rc\", \"-u\"");
    let Some(wrong) = System::boot(this_test!(), &wrong) else { return };
    wrong.program("web", STAYS);
    let change =
        |name: &str| wrong.command("s6-rc").args(["-l", "run/s6-rc", "-u", "change", name]).output().unwrap();
    assert!(!change("choose").status.success());
    assert!(wrong.active().is_empty(), "{:?}", wrong.active());
    assert!(change("web").status.success());
    let right = example("Right").replace("s6-rc -b", "s6-rc -l SCRATCH/run/s6-rc -b");
    let right = System::boot(this_test!(), &right.replace("s6-pause", "sleep 20")).unwrap();
    right.program("web", STAYS);
    eventually("the longrun starts it", || right.active().contains("web"));
}

/// Supervises the services of an example, the wrong or the right one, with its logs in the scratch folder.
fn example(slug: &str, heading: &str) -> Supervision {
    Supervision::start(&pages::manifest(slug, heading).replace("/var/log/", "SCRATCH/"))
}

/// A program that says a line and stays.
const STAYS: &str = "#!/bin/sh\necho started\nexec sleep 20\n";

#[test]
fn of_two_loggers_with_one_directory_one_dies_again_and_again() {
    if !available(this_test!()) {
        return;
    }
    let start = |heading: &str| {
        let supervision = example("lint::two-loggers", heading);
        ["web", "worker"].iter().for_each(|name| supervision.program(name, STAYS));
        supervision
    };
    let right = start("Right");
    for name in ["web", "worker"] {
        right.control("-u", name);
        right.text(&format!("{name}/current"), 1);
        assert_eq!(right.deaths(&format!("{name}/log")), 0);
    }
    let wrong = start("Wrong");
    let deaths = || ["web/log", "worker/log"].map(|logger| wrong.deaths(logger));
    eventually("one of them dies", || deaths().into_iter().max() > Some(1));
    assert_eq!(deaths().into_iter().min(), Some(0));
}

/// The program of s6-overlay, without the variable that sets the form of the log.
const LOGUTIL: &str = "#!/usr/bin/env -S execlineb -S1\n\
    s6-envuidgid -D 65534:65534 nobody\ns6-applyuidgid -U\ns6-log -b -- n20 ${1}\n";

#[test]
fn logutil_service_as_another_account_than_root_dies_again_and_again() {
    needs!("s6", "execline", "root");
    let start = |heading: &str| {
        let supervision = example("lint::logutil-as-user", heading);
        supervision.program("web", STAYS);
        supervision.program("logutil-service", LOGUTIL);
        let log = supervision.path("web");
        fs::create_dir(&log).unwrap();
        fs::set_permissions(&log, PermissionsExt::from_mode(0o777)).unwrap();
        supervision.control("-u", "web");
        supervision
    };
    let right = start("Right");
    right.text("web/current", 1);
    let wrong = start("Wrong");
    eventually("the logger dies", || wrong.deaths("web/log") > 1);
    assert!(!wrong.path("web/current").exists());
}

#[test]
fn a_stop_waits_for_the_program_in_front_of_a_trap() {
    needs!("s6", "execline");
    let start = |heading: &str| {
        let supervision = example("lint::trap-waits", heading);
        supervision.program(
            "web",
            "#!/bin/sh\necho started >\"${0%/*}/../started\"\nexec sleep 60 >/dev/null 2>&1\n",
        );
        supervision.control("-u", "web");
        supervision.text("started", 1);
        supervision.control("-d", "web");
        supervision
    };
    let wrong = start("Wrong");
    let right = start("Right");
    eventually("the right one ends", || right.status("web", "up") == "false");
    assert_eq!(wrong.status("web", "up"), "true");
    wrong.control("-k", "web");
}

#[test]
fn s6_setuidgid_leaves_the_home_directory_of_root() {
    needs!("s6", "execline", "root");
    let home = |heading: &str| {
        let manifest = pages::manifest("lint::home-of-root", heading);
        let manifest = manifest.replace("setuidgid app", "setuidgid nobody").replace("\"app\"", "\"nobody\"");
        let supervision = Supervision::start(&manifest);
        supervision.program("web", "#!/bin/sh\necho \"$2\" >\"${0%/*}/../out\"\nexec sleep 20\n");
        let out = supervision.path("out");
        fs::write(&out, "").unwrap();
        fs::set_permissions(&out, PermissionsExt::from_mode(0o666)).unwrap();
        supervision.control("-u", "web");
        supervision.text("out", 1)
    };
    let of_root = format!("{}/web\n", std::env::var("HOME").unwrap());
    assert_eq!(home("Wrong"), of_root);
    assert_ne!(home("Right"), of_root);
}

/// Runs what s6gen would write for `run` of a longrun, also if it refuses the manifest. Returns the exit code.
fn exit_code(folder: &Path, run: &str) -> Option<i32> {
    let manifest =
        format!("[target]\ns6-rc = \"0.7.0.0\"\ntree = \"/source\"\n[longrun.wrong]\nrun = {run}\n");
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let tree = render::tree(&compile(&files, file).services).unwrap();
    for name in ["run", "data/run"] {
        let Some(TreeEntry::File { content, .. }) = tree.get(&format!("source/wrong/{name}")) else {
            continue;
        };
        write_program(&folder.join("wrong").join(name), std::str::from_utf8(content).unwrap());
    }
    Command::new("./run").current_dir(folder.join("wrong")).output().unwrap().status.code()
}

#[test]
fn shell_syntax_in_an_array_keeps_the_service_from_working() {
    if !available(this_test!()) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for (wrong, right) in [
        (r#"["cd", "SCRATCH", "&&", "ls", "file"]"#, "'cd SCRATCH && ls file'"),
        (r#"["mkdir", "SCRATCH/new;", "touch", "/"]"#, "'mkdir SCRATCH/new2; touch /'"),
        (r#"["ls", "file", ">", "/dev/null"]"#, "'ls SCRATCH/file > /dev/null'"),
        (r#"["ls", "SCRATCH/f*"]"#, "'ls SCRATCH/f*'"),
        (r#"["PORT=80", "true"]"#, "'PORT=80 true'"),
        (r#"[".", "/dev/null"]"#, "'. /dev/null'"),
        (r#"["export", "A=b"]"#, "'export A=b'"),
        (r#"["cd", "/"]"#, "'cd /'"),
        (r#"["~/../../../../bin/true"]"#, "'~/../../../../bin/true'"),
        (r#"["'true'"]"#, "\"'true'\""),
        (r#"["ls -l"]"#, "'ls -l'"),
    ] {
        let (wrong, right) = (wrong.replace("SCRATCH", path), right.replace("SCRATCH", path));
        reports(&format!("[longrun.wrong]\nrun = {wrong}\n"), "lint::shell-syntax");
        assert_ne!(exit_code(folder.path(), &wrong), Some(0), "{wrong}");
        assert_eq!(exit_code(folder.path(), &right), Some(0), "{right}");
    }
}

#[test]
fn a_first_line_with_several_words_starts_nothing() {
    if !available(this_test!()) {
        return;
    }
    let run = |first: &str| format!("\"\"\"\n{first}\ntrue\n\"\"\"");
    let mut files = Files::default();
    let file = files.add("services.toml", format!("[longrun.wrong]\nrun = {}", run("#!/usr/bin/env sh -e")));
    assert!(compile(&files, file).problems.has_errors());
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("run");
    write_program(&script, "#!/usr/bin/env sh -e\ntrue\n");
    assert_eq!(Command::new(&script).output().unwrap().status.code(), Some(127));
    assert_eq!(exit_code(folder.path(), &run("#!/usr/bin/env -S sh -e")), Some(0));
}

#[test]
fn an_account_cannot_be_changed_without_root() {
    needs!("s6", "execline", "root");
    let manifest = "[target]\nrootless = true\n[longrun.wrong]\nrun = [\"s6-setuidgid\", \"nobody\", \"true\"]\n\
                    [longrun.right]\nrun = [\"true\"]\n";
    reports(manifest, "lint::needs-root");
    let without_root = |command: &[&str]| {
        let output = Command::new("setpriv")
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .args(command)
            .output();
        output.unwrap().status.success()
    };
    assert!(!without_root(&["s6-setuidgid", "nobody", "true"]));
    assert!(!without_root(&["chown", "root", "/"]));
    assert!(without_root(&["true"]));
}

#[test]
fn what_is_set_before_with_contenv_is_lost() {
    if !available(this_test!()) {
        return;
    }
    let port = |manifest: &str| {
        let supervision = Supervision::start(manifest);
        let (port, environment) = (supervision.path("port"), supervision.path("environment"));
        fs::create_dir(&environment).unwrap();
        // The program of s6-overlay 3, for another directory.
        let path = environment.to_str().unwrap();
        let with_contenv =
            format!("#!/usr/bin/env -S execlineb -S0\nemptyenv -p\ns6-envdir -Lf -- {path}\nexec\n$@\n");
        supervision.program("with-contenv", &with_contenv);
        let web = format!("#!/bin/sh\necho \"${{PORT-lost}}\" >{}\nexec sleep 20\n", port.to_str().unwrap());
        supervision.program("web", &web);
        supervision.control("-u", "web");
        supervision.text("port", 1)
    };
    let example = |heading: &str| pages::manifest("lint::with-contenv-twice", heading);
    // Without s6-overlay s6gen writes the word as it is, so this shows what it does.
    assert_eq!(port(example("Wrong")), "lost\n");
    assert_eq!(port(example("Right")), "80\n");
    let script = "export PORT=80\nexec with-contenv web\n";
    assert_eq!(port(&format!("[longrun.web]\nrun = '''\n{script}'''\n")), "lost\n");
}

/// Which of the services `wrong` and `right` leave a process after they have been stopped. Each starts `bin/daemon`, which notes
/// its process ID in a file, and has written `lines` lines there before it is stopped.
fn left_after_a_stop(manifest: &str, lines: usize) -> Vec<&'static str> {
    let supervision = Supervision::start(manifest);
    supervision.program("daemon", "#!/bin/sh\necho $$ >>\"$1\"\nexec sleep 20 </dev/null >/dev/null 2>&1\n");
    let is_left = |name: &&str| {
        supervision.control("-u", name);
        let noted = supervision.text(name, lines);
        let process = noted.lines().find(|line| line.parse::<u32>().is_ok()).unwrap().to_owned();
        supervision.control("-d", name);
        assert!(supervision.wait("-D", name, LIMIT), "{name} does not stop");
        // A process that nobody waits for stays as a zombie.
        let runs = || {
            let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z ")
        };
        if *name == "right" {
            eventually("the program ends with its service", || !runs());
        }
        runs() && Command::new("kill").args(["-KILL", &process]).status().unwrap().success()
    };
    ["wrong", "right"].into_iter().filter(is_left).collect()
}

#[test]
fn a_program_without_exec_is_left_after_a_stop() {
    if !available(this_test!()) {
        return;
    }
    let daemon = |name: &str| format!("SCRATCH/bin/daemon SCRATCH/{name}");
    let both = |name: &str, kill: &str| {
        let daemon = daemon(name);
        format!(
            "{kill}{daemon} & a=$!\nsleep 20 </dev/null >/dev/null 2>&1 & b=$!\necho started >>SCRATCH/{name}\nwait"
        )
    };
    let (wrong, right) = (daemon("wrong"), daemon("right"));
    for (wrong, right, lines) in [
        (format!("true\n{wrong}"), format!("true\nexec {right}"), 1),
        (format!("true\n{wrong} | cat"), format!("#!/bin/bash\nexec {right} > >(cat)"), 1),
        (both("wrong", ""), both("right", "trap 'kill $a $b' TERM\n"), 2),
    ] {
        let service = |name: &str, run: &str| format!("[longrun.{name}]\nrun = \"\"\"\n{run}\n\"\"\"\n");
        let manifest = service("wrong", &wrong) + &service("right", &right);
        reports(&manifest, "lint::not-exec");
        assert_eq!(left_after_a_stop(&manifest, lines), ["wrong"], "{manifest}");
    }
}

#[test]
fn a_newline_in_the_container_environment_stays_in_older_versions() {
    needs!("s6", "execline");
    let folder = tempfile::tempdir().unwrap();
    // `with-contenv` of s6-overlay 3.1.0.0 to 3.2.1.0 reads with `-Lfn`, newer ones with `-Lf`.
    for (write, options, expected) in
        [("echo 80", "-Lfn", "<80\n>"), ("printf %s 80", "-Lfn", "<80>"), ("echo 80", "-Lf", "<80>")]
    {
        let script = format!(
            "mkdir -p env; {write} > env/PORT; s6-envdir {options} -- env sh -c 'printf \"<%s>\" \"$PORT\"'"
        );
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{write} {options}");
    }
    let settings = |name: &str, write: &str| {
        format!("[oneshot.{name}]\nup = '{write} 80 > /run/s6/container_environment/PORT'\n")
    };
    let both = settings("wrong", "echo") + &settings("right", "printf %s");
    reports(&format!("[target]\ns6-overlay = \"3.2.1.0\"\n{both}"), "lint::newline-in-variable");
}
