//! Shows for rules on files of a tree what the real s6-rc and s6-supervise make of the wrong and the right example of their page.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::live_apply::System;
use crate::pages;
use crate::require::{find, needs, this_test};
use crate::supervise::{eventually, listens};
use crate::tree_text;

/// The tree of an example, compiled by s6-rc-compile without a message.
struct Compiled(TempDir);

impl Compiled {
    fn new(slug: &str, heading: &str) -> Compiled {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::create_dir(&source).unwrap();
        tree_text::parse(pages::tree(slug, heading)).unwrap().make(&source).unwrap();
        let output =
            Command::new("s6-rc-compile").args(["database", "source"]).current_dir(&folder).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{slug}: {output:?}");
        Compiled(folder)
    }

    /// Whether `service` waits for `other`, or is a bundle with a member that does.
    fn waits(&self, service: &str, other: &str) -> bool {
        let words = ["-c", "database", "all-dependencies", service];
        let output = Command::new("s6-rc-db").args(words).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().any(|name| name == other)
    }

    /// Every file of the database with its content.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.0.path().join("database")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match fs::symlink_metadata(&path).unwrap().file_type() {
                    kind if kind.is_dir() => folders.push(path),
                    kind if kind.is_file() => {
                        let name = path.strip_prefix(self.0.path()).unwrap().to_str().unwrap().to_owned();
                        files.insert(name, fs::read(&path).unwrap());
                    }
                    _ => {}
                }
            }
        }
        files
    }
}

#[test]
fn a_dependency_that_s6_rc_does_not_read_is_not_in_the_database() {
    needs!("s6-rc");
    for (slug, service) in
        [("lint::hidden-list", "web"), ("lint::empty-bundle", "web"), ("lint::bundle-dependencies", "all")]
    {
        assert!(!Compiled::new(slug, "Wrong").waits(service, "setup"), "{slug}");
        assert!(Compiled::new(slug, "Right").waits(service, "setup"), "{slug}");
    }
}

#[test]
fn a_file_that_s6_rc_leaves_out_is_not_in_the_database() {
    needs!("s6-rc");
    for (slug, file) in [("lint::stray-file", "notification-fd"), ("lint::finish-left-out", "finish")] {
        let has = |heading: &str| {
            Compiled::new(slug, heading).files().contains_key(&format!("database/servicedirs/web/{file}"))
        };
        assert!(!has("Wrong"), "{slug}");
        assert!(has("Right"), "{slug}");
    }
}

#[test]
fn text_without_effect_makes_no_difference_in_the_database() {
    needs!("s6-rc");
    for slug in ["lint::ignored-entry", "lint::text-after-type"] {
        assert_eq!(Compiled::new(slug, "Wrong").files(), Compiled::new(slug, "Right").files(), "{slug}");
    }
}

/// A program that notes its start, and stays.
const STAYS: &str = "#!/bin/sh\n: >\"${0%/*}/../started\"\nexec sleep 20\n";

/// A system that knows the services of an example, and runs none of them. The paths of the example are in the scratch folder.
/// `web` is a program that stays, until the test writes another.
fn system(test: &str, text: &str) -> Option<System> {
    let system = System::boot(test, "[longrun.other]\nrun = [\"sleep\", \"20\"]\n")?;
    system.program("web", STAYS);
    let (scratch, tree) = (system.path("."), system.path("tree"));
    let scratch = scratch.to_str().unwrap().trim_end_matches("/.");
    let commands = find("execlineb").unwrap();
    let text = text
        .replace("/etc/s6-overlay/s6-rc.d", tree.to_str().unwrap())
        .replace(" /data", &format!(" {scratch}/data"))
        .replace("/command/execlineb", commands.to_str().unwrap());
    fs::create_dir(&tree).unwrap();
    tree_text::parse(&text).unwrap().make(&tree).unwrap();
    system.succeed("s6-rc-compile", &["second", "tree"]);
    let (database, live) = (system.path("second"), system.path("run/s6-rc"));
    system.succeed("s6-rc-update", &["-l", live.to_str().unwrap(), database.to_str().unwrap()]);
    Some(system)
}

/// The command that starts the services `names`.
fn change(system: &System, names: &str) -> Command {
    let mut change = system.command("s6-rc");
    change.args(["-l", "run/s6-rc", "-u", "change", names]);
    change
}

fn succeeds(command: &mut Command) -> bool {
    command.output().unwrap().status.success()
}

/// Whether the only service of an example starts within its time. `/data` exists if `has_data`.
fn starts(test: &str, slug: &str, heading: &str, has_data: bool) -> Option<bool> {
    let system = system(test, pages::tree(slug, heading))?;
    if has_data {
        fs::create_dir(system.path("data")).unwrap();
    }
    let name = fs::read_dir(system.path("tree")).unwrap().next().unwrap().unwrap().file_name();
    Some(succeeds(system.command("s6-rc").args(["-l", "run/s6-rc", "-t", "5000", "-u", "change"]).arg(name)))
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
fn two_lines_of_an_up_are_one_command() {
    needs!("s6", "execline", "s6-rc");
    // Everybody may give their own files to themselves.
    let account = Command::new("id").arg("-u").output().unwrap().stdout;
    let account = String::from_utf8(account).unwrap();
    for (heading, is_one) in [("Wrong", true), ("Right", false)] {
        let text = pages::tree("lint::joined-lines", heading).replace("app", account.trim());
        let Some(system) = system(this_test!(), &text) else { return };
        assert!(succeeds(&mut change(&system, "setup")), "{heading}");
        assert!(system.path("data").is_dir(), "{heading}");
        let made = system.path("run/s6-rc/servicedirs/s6rc-oneshot-runner/chown");
        assert_eq!(made.is_dir(), is_one, "{heading}");
    }
}

#[test]
fn a_script_without_a_closing_brace_never_starts_its_program() {
    needs!("s6", "execline", "s6-rc");
    for (heading, works) in [("Wrong", false), ("Right", true)] {
        let Some(system) = system(this_test!(), pages::tree("lint::execline-syntax", heading)) else {
            return;
        };
        fs::create_dir(system.path("data")).unwrap();
        supervise(&system, "-u");
        eventually("it starts or dies", || system.path("started").exists() || deaths(&system) > 1);
        assert_eq!((system.path("started").exists(), deaths(&system) == 0), (works, works), "{heading}");
    }
}

/// Sends the s6-svc command `option` to `web`.
fn supervise(system: &System, option: &str) {
    system.succeed("s6-svc", &[option, "scan/web"]);
}

/// How often `web` has ended by itself.
fn deaths(system: &System) -> usize {
    system.succeed("s6-svdt", &["scan/web"]).lines().count()
}

/// A program that notes the signal that ends it.
const NOTES_SIGNAL: &str = "#!/bin/sh\ncd \"${0%/*}/..\"\ntrap 'echo INT >signal; exit' INT\n\
    trap 'echo TERM >signal; exit' TERM\n: >started\nwhile :; do sleep 0.01; done\n";

#[test]
fn a_signal_that_does_not_exist_is_replaced_by_sigterm() {
    needs!("s6", "execline", "s6-rc");
    for (heading, expected) in [("Wrong", "TERM\n"), ("Right", "INT\n")] {
        let Some(system) = system(this_test!(), pages::tree("lint::invalid-signal", heading)) else { return };
        system.program("web", NOTES_SIGNAL);
        supervise(&system, "-u");
        eventually("it is started", || system.path("started").exists());
        supervise(&system, "-d");
        eventually("it is stopped", || !system.text("signal").is_empty());
        assert_eq!(system.text("signal"), expected, "{heading}");
    }
}

/// A program that prints a line, and reports its readiness on the descriptor of its second argument when it is asked to.
const READY_LATER: &str = "#!/bin/sh\ncd \"${0%/*}/..\"\necho hello\n: >started\n\
    until test -e go; do sleep 0.01; done\necho >&\"$2\"\nexec sleep 20\n";

#[test]
fn with_standard_output_for_readiness_the_first_line_counts_as_ready() {
    needs!("s6", "execline", "s6-rc");
    let is_ready = |system: &System| system.succeed("s6-svstat", &["-o", "ready", "scan/web"]) == "true\n";
    let start = |heading: &str| {
        let system = system(this_test!(), pages::tree("lint::standard-descriptor", heading))?;
        system.program("web", READY_LATER);
        supervise(&system, "-u");
        eventually("it is started", || system.path("started").exists());
        Some(system)
    };
    let (Some(wrong), Some(right)) = (start("Wrong"), start("Right")) else { return };
    eventually("the line counts as ready", || is_ready(&wrong));
    assert!(!is_ready(&right));
    fs::write(right.path("go"), "").unwrap();
    eventually("the right one is ready", || is_ready(&right));
}

#[test]
fn s6_supervise_remembers_4096_deaths_at_most() {
    needs!("s6", "execline", "s6-rc");
    // `s6_dtally_pack` of s6: a time stamp of 12 bytes, the exit code and the signal.
    const RECORD: usize = 14;
    for heading in ["Wrong", "Right"] {
        let Some(system) = system(this_test!(), pages::tree("lint::death-tally", heading)) else { return };
        system.program("web", "#!/bin/sh\nexit 1\n");
        let tally = system.path("scan/web/supervise/death_tally");
        let old = [&[0x40_u8, 0, 0, 0, 0x60][..], &[0; RECORD - 5]].concat().repeat(4096);
        fs::write(&tally, &old).unwrap();
        supervise(&system, "-o");
        eventually("its death is noted", || fs::read(&tally).unwrap_or_default() != old);
        // Not one more than before, although the wrong example asks for 5000.
        assert_eq!(fs::metadata(&tally).unwrap().len(), 4096 * RECORD as u64, "{heading}");
    }
}

#[test]
fn without_a_limit_the_start_waits_for_a_notification_that_never_comes() {
    needs!("s6", "execline", "s6-rc");
    let example = |heading: &str| pages::tree("lint::readiness-unlimited", heading).replace("60000", "500");
    let (wrong, right) = (example("Wrong"), example("Right"));
    assert!(right.contains("\n500\n"), "{right}");
    let (Some(wrong), Some(right)) = (system(this_test!(), &wrong), system(this_test!(), &right)) else {
        return;
    };
    let mut waits = change(&wrong, "web").stderr(Stdio::null()).spawn().unwrap();
    assert!(!succeeds(&mut change(&right, "web")));
    assert!(waits.try_wait().unwrap().is_none());
    waits.kill().unwrap();
    waits.wait().unwrap();
}

#[test]
fn what_a_service_changes_in_the_tree_has_no_effect_before_the_next_boot() {
    needs!("s6", "execline", "s6-rc");
    let more = "-- user/type --\nbundle\n-- user/contents.d/setup --\n-- user/contents.d/web --\n-- web/type --\nlongrun\n\
                -- web/dependencies.d/setup --\n-- web/run --\n#!/bin/sh\nexec web\n";
    let text = format!("{}{more}", pages::tree("lint::edited-too-late", "Wrong"));
    let Some(wrong) = system(this_test!(), &text) else { return };
    assert!(succeeds(&mut change(&wrong, "user")));
    assert!(!wrong.path("tree/user/contents.d/web").exists());
    assert!(wrong.active().contains("web"));
    let right = System::boot(this_test!(), pages::manifest("lint::edited-too-late", "Right")).unwrap();
    assert!(right.active().is_empty());
}

#[test]
fn a_name_that_begins_with_a_dash_is_taken_for_options() {
    needs!("s6", "execline", "s6-rc");
    for (heading, name, works) in [("Wrong", "-web", false), ("Right", "web", true)] {
        let Some(system) = system(this_test!(), pages::tree("lint::odd-name", heading)) else { return };
        assert!(succeeds(&mut change(&system, name)), "s6-rc accepts it");
        let mut state = Command::new("s6-svstat");
        assert_eq!(succeeds(state.arg(name).current_dir(system.path("scan"))), works, "{heading}");
    }
}

#[test]
fn no_service_starts_if_a_name_is_too_long_for_s6_svscan() {
    needs!("s6", "execline", "s6-rc");
    for (length, works) in [(252, false), (251, true)] {
        let Some(system) = system(this_test!(), pages::tree("lint::odd-name", "Right")) else { return };
        system.succeed("mv", &["tree/web", &format!("tree/{}", "x".repeat(length))]);
        system.succeed("s6-rc-compile", &["third", "tree"]);
        fs::create_dir(system.path("scan-2")).unwrap();
        let mut scanner = system.command("s6-svscan").arg("scan-2").stderr(Stdio::null()).spawn().unwrap();
        eventually("s6-svscan is up", || listens(&system.path("scan-2")));
        let [database, live, scan] =
            ["third", "run/second", "scan-2"].map(|name| system.path(name).to_str().unwrap().to_owned());
        let mut init = system.command("s6-rc-init");
        assert_eq!(
            succeeds(init.args(["-t", "5000", "-c", &database, "-l", &live, &scan])),
            works,
            "{length}"
        );
        system.succeed("s6-svscanctl", &["-t", "scan-2"]);
        scanner.wait().unwrap();
    }
}

#[test]
fn a_run_finds_only_what_s6_rc_copies_into_its_directory() {
    needs!("s6", "execline", "s6-rc");
    for (path, works) in [("start", false), ("data/start", true)] {
        let text = format!(
            "-- web/type --\nlongrun\n-- web/run --\n#!/bin/sh\nexec ./{path}\n-- web/{path} (mode 755) --\n#!/bin/sh\nexec web\n"
        );
        let Some(system) = system(this_test!(), &text) else { return };
        supervise(&system, "-u");
        eventually("it starts or dies", || system.path("started").exists() || deaths(&system) > 1);
        assert_eq!((system.path("started").exists(), deaths(&system) == 0), (works, works), "{path}");
    }
}

#[test]
fn a_oneshot_does_not_start_in_the_directory_of_its_definition() {
    needs!("s6", "execline", "s6-rc");
    for (path, works) in
        [("./data/prepare", false), ("./prepare", false), ("/etc/s6-overlay/s6-rc.d/setup/prepare", true)]
    {
        let script = "(mode 755) --\n#!/bin/sh\n";
        let text = format!(
            "-- setup/type --\noneshot\n-- setup/up --\n{path}\n-- setup/prepare {script}-- setup/data/prepare {script}"
        );
        let Some(system) = system(this_test!(), &text) else { return };
        assert_eq!(succeeds(&mut change(&system, "setup")), works, "{path}");
    }
}

#[test]
fn a_run_that_becomes_a_script_without_the_x_bit_dies_again_and_again() {
    needs!("s6", "execline", "s6-rc");
    for (mode, works) in [("", false), ("(mode 755) ", true)] {
        let text = format!(
            "-- web/type --\nlongrun\n-- web/run --\n#!/bin/sh\nexec ./data/start\n-- web/data/start {mode}--\n#!/bin/sh\nexec web\n"
        );
        let Some(system) = system(this_test!(), &text) else { return };
        supervise(&system, "-u");
        eventually("it starts or dies", || system.path("started").exists() || deaths(&system) > 1);
        assert_eq!((system.path("started").exists(), deaths(&system) == 0), (works, works), "{mode}");
    }
}
