//! Shows for rules that are certain what happens otherwise: the wrong service fails under the real programs as the report says,
//! and the right one beside it works. The rule reports the wrong one only. Most of them run the examples of the rule's page.

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
use crate::supervise::{LIMIT, Supervision, available, eventually};
use crate::tree_text;

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

/// A program that goes into the background or stays, as its option says, and notes each start.
const DAEMON: &str = "#!/bin/sh\n\
    echo started >>\"$3\"\n\
    test \"$2\" = no || { sleep 20 </dev/null >/dev/null 2>&1 & exit; }\n\
    exec sleep 20 </dev/null >/dev/null 2>&1\n";

/// Starts both services, each of which notes its starts.
fn only_the_wrong_one_starts_again(supervision: &Supervision) {
    supervision.control("-u", "right");
    supervision.control("-u", "wrong");
    supervision.text("wrong", 3);
    assert_eq!(supervision.text("right", 1), "started\n");
}

#[test]
fn a_process_that_goes_into_the_background_is_started_again_and_again() {
    if !available(this_test!()) {
        return;
    }
    let manifest = "[longrun.wrong]\nrun = [\"SCRATCH/bin/redis-server\", \"--daemonize\", \"yes\", \"SCRATCH/wrong\"]\n\
                    [longrun.right]\nrun = [\"SCRATCH/bin/redis-server\", \"--daemonize\", \"no\", \"SCRATCH/right\"]\n";
    reports(manifest, "lint::background");
    let supervision = Supervision::start(manifest);
    fs::create_dir(supervision.path("bin")).unwrap();
    let program = supervision.path("bin/redis-server");
    fs::write(&program, DAEMON).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    only_the_wrong_one_starts_again(&supervision);
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
    only_the_wrong_one_starts_again(&supervision);
}

#[test]
fn a_finish_that_sleeps_longer_than_it_may_is_killed() {
    if !available(this_test!()) {
        return;
    }
    let finish = |name: &str| format!("finish = '''\nsleep 2\necho ended >>SCRATCH/{name}\n'''\n");
    let manifest = format!(
        "[longrun.wrong]\nrun = [\"true\"]\ntimeout-finish = \"1s\"\n{}[longrun.right]\nrun = [\"true\"]\n{}",
        finish("wrong"),
        finish("right"),
    );
    reports(&manifest, "lint::slow-finish");
    let supervision = Supervision::start(&manifest);
    supervision.control("-u", "wrong");
    supervision.control("-u", "right");
    supervision.text("right", 3);
    assert!(!supervision.path("wrong").exists());
}

#[test]
fn a_start_waits_for_a_daemon_in_a_oneshot() {
    needs!("s6", "execline", "s6-rc");
    let manifest = "[oneshot.wrong]\nstart = \"on-demand\"\nup = [\"tail\", \"-f\", \"/dev/null\"]\n\
                    [longrun.right]\nstart = \"on-demand\"\nrun = [\"tail\", \"-f\", \"/dev/null\"]\n";
    reports(manifest, "lint::daemon-in-oneshot");
    let Some(system) = System::boot(this_test!(), manifest) else { return };
    system.succeed("s6-rc", &["-l", "run/s6-rc", "-u", "change", "right"]);
    let output = system
        .command("s6-rc")
        .args(["-l", "run/s6-rc", "-t", "1000", "-u", "change", "wrong"])
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(system.active(), ["right".to_owned()].into());
}

#[test]
fn a_oneshot_cannot_start_services_while_it_is_started() {
    needs!("s6", "execline", "s6-rc");
    let web = "[longrun.web]\nstart = \"on-demand\"\nrun = [\"sleep\", \"20\"]\n";
    let change = "\"s6-rc\", \"-l\", \"SCRATCH/run/s6-rc\", \"-u\", \"change\", \"web\"";
    reports(&format!("[oneshot.wrong]\nup = [{change}]\n{web}"), "lint::s6-rc-in-up");
    let manifest = format!("[oneshot.wrong]\nstart = \"on-demand\"\nup = [{change}]\n{web}");
    let Some(system) = System::boot(this_test!(), &manifest) else { return };
    let change = |name: &str| {
        system.command("s6-rc").args(["-l", "run/s6-rc", "-u", "change", name]).output().unwrap()
    };
    assert!(!change("wrong").status.success());
    assert!(system.active().is_empty(), "{:?}", system.active());
    assert!(change("web").status.success());
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

/// Compiles the tree of an example with s6-rc and starts its only service. Returns whether that succeeded. The paths of the
/// example are in the scratch folder, in which `/data` exists if `has_data`.
fn starts(test: &str, slug: &str, heading: &str, has_data: bool) -> Option<bool> {
    let system = System::boot(test, "[longrun.other]\nrun = [\"sleep\", \"20\"]\n")?;
    let (scratch, tree) = (system.path("."), system.path("tree"));
    let scratch = scratch.to_str().unwrap();
    let text = pages::tree(slug, heading)
        .replace("/etc/s6-overlay/s6-rc.d", tree.to_str().unwrap())
        .replace("/data", &format!("{scratch}/data"))
        .replace("exec web", "exec sleep 20");
    if has_data {
        fs::create_dir(system.path("data")).unwrap();
    }
    fs::create_dir(&tree).unwrap();
    tree_text::parse(&text).unwrap().make(&tree).unwrap();
    let name = fs::read_dir(&tree).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    system.succeed("s6-rc-compile", &["second", "tree"]);
    let (database, live) = (system.path("second"), system.path("run/s6-rc"));
    let (database, live) = (database.to_str().unwrap(), live.to_str().unwrap());
    system.succeed("s6-rc-update", &["-l", live, database]);
    let mut change = system.command("s6-rc");
    let output = change.args(["-l", live, "-t", "5000", "-u", "change", &name]).output().unwrap();
    Some(output.status.success())
}

#[test]
fn an_up_whose_script_does_not_exist_or_may_not_be_run_fails() {
    needs!("s6", "execline", "s6-rc");
    for slug in ["lint::missing-script", "lint::not-executable"] {
        assert_eq!(starts(this_test!(), slug, "Wrong", false), Some(false), "{slug}");
        assert_eq!(starts(this_test!(), slug, "Right", false), Some(true), "{slug}");
    }
}

#[test]
fn an_up_that_ends_with_foreground_succeeds_although_its_command_fails() {
    needs!("s6", "execline", "s6-rc");
    for (heading, expected) in [("Wrong", true), ("Right", false)] {
        assert_eq!(starts(this_test!(), "lint::failure-hidden", heading, true), Some(expected), "{heading}");
    }
}

#[test]
fn a_run_whose_first_line_is_wrong_never_starts() {
    needs!("s6", "execline", "s6-rc");
    for (heading, expected) in [("Wrong", false), ("Right", true)] {
        assert_eq!(starts(this_test!(), "lint::shebang", heading, false), Some(expected), "{heading}");
    }
}

#[test]
fn a_stop_waits_for_the_program_in_front_of_a_trap() {
    needs!("s6", "execline");
    let start = |heading: &str| {
        let supervision = example("lint::trap-waits", heading);
        supervision.program("web", "#!/bin/sh\necho started >\"${0%/*}/../started\"\nexec sleep 1000\n");
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
        let path = folder.join("wrong").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
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
    fs::write(&script, "#!/usr/bin/env sh -e\ntrue\n").unwrap();
    fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
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
fn what_a_script_exports_before_with_contenv_is_lost() {
    if !available(this_test!()) {
        return;
    }
    // `with-contenv` of s6-overlay 3, for another directory.
    let folder = tempfile::tempdir().unwrap();
    let clear = "exec execlineb -Pc 'emptyenv -p s6-envdir -Lf -- .";
    let print = "sh -c \"echo ${PORT-lost}\"'";
    for (script, expected) in [
        (format!("export PORT=80; {clear} {print}"), "lost\n"),
        (format!("{clear} env PORT=80 {print}"), "80\n"),
    ] {
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{script}");
    }
}

/// Which of the services `wrong` and `right` leave a process after they have been stopped. Each starts `bin/daemon`, which notes
/// its process ID in a file, and has written `lines` lines there before it is stopped.
fn left_after_a_stop(manifest: &str, lines: usize) -> Vec<&'static str> {
    let supervision = Supervision::start(manifest);
    fs::create_dir(supervision.path("bin")).unwrap();
    let program = supervision.path("bin/daemon");
    fs::write(&program, "#!/bin/sh\necho $$ >>\"$1\"\nexec sleep 20 </dev/null >/dev/null 2>&1\n").unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
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
