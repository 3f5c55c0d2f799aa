//! Runs several s6gen at once on a real s6-rc, also while supervisors get lost: every request takes effect, and no process
//! waits for ever.
//!
//! Some of this depends on timing. `S6GEN_KILLS=all` repeats it often; otherwise it is tried a few times.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Output, Stdio};

use crate::killed::rounds;
use crate::live_apply::System;
use crate::require;
use crate::supervise::eventually;

impl System {
    /// The arguments of s6gen for this system.
    fn words(&self, words: &[&str]) -> Vec<String> {
        let (live, tree) = (self.path("run/s6-rc"), self.path("source"));
        let options = [format!("--live={}", live.display()), format!("--tree={}", tree.display())];
        let (place, options) = match words[0] {
            "apply" | "diff" => (1, &options[..]),
            // This command only reads a file.
            "instance" if words[1] == "list" => (2, &options[1..]),
            "instance" => (2, &options[..]),
            _ => (1, &options[..1]),
        };
        let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        all.splice(place..place, options.iter().cloned());
        all
    }

    pub fn ask(&self, words: &[&str]) -> Output {
        self.command("s6gen").args(self.words(words)).output().unwrap()
    }

    fn begin(&self, words: &[&str]) -> Child {
        let mut command = self.command("s6gen");
        command.args(self.words(words)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Writes another manifest, with the target of the first.
    fn write(&self, name: &str, manifest: &str) {
        let first = self.text("services.toml");
        let target = first.split("\n\n").next().unwrap();
        let folder = self.path("");
        let manifest = manifest.replace("SCRATCH", folder.to_str().unwrap().trim_end_matches('/'));
        fs::write(self.path(name), format!("{target}\n\n{manifest}")).unwrap();
    }

    /// Asserts that s6-rc and s6 agree on the services that are up.
    #[track_caller]
    fn agrees(&self) {
        let differs = self.command("s6-rc").args(["-l", "run/s6-rc", "diff"]).output().unwrap();
        assert!(differs.status.success(), "{differs:?}");
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_success(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

const SLOW: &str = r#"
[longrun.slow]
timeout-kill = "1s"
ready.fd = 3
run = "touch SCRATCH/begun; while ! test -e SCRATCH/go; do sleep 0.1; done; echo >&3; exec sleep 1000 VERSION"

[longrun.od]
start = "on-demand"
run = ["sleep", "1000"]

[longrun.follows]
dependencies = ["slow"]
run = ["sleep", "1000"]

[longrun.keep]
run = ["sleep", "1000"]
"#;

#[test]
fn starts_and_stops_during_an_apply_are_not_lost() {
    let name = "starts_and_stops_during_an_apply_are_not_lost";
    let manifest =
        format!("\n{}", SLOW.replace(" VERSION", "").replace("while ! test -e SCRATCH/go", "while false"));
    let Some(system) = System::boot(name, &manifest) else { return };
    fs::remove_file(system.path("begun")).unwrap();
    system.write("after.toml", &SLOW.replace("VERSION", "# another"));
    let apply = system.begin(&["apply", "-m", "after.toml"]);
    eventually("the apply starts `slow` again", || system.path("begun").exists());

    // A process that gives up waiting reports that, and the process that it waited for.
    let waited = system.ask(&["start", "--wait", "0", "od"]);
    assert_eq!(waited.status.code(), Some(3));
    assert!(err(&waited).contains("nothing was changed"), "{}", err(&waited));
    assert!(err(&waited).contains("it is process "), "{}", err(&waited));
    assert!(err(&waited).contains("`s6gen apply"), "{}", err(&waited));
    assert!(err(&waited).contains("and waits for `slow`"), "{}", err(&waited));

    let asked: Vec<Child> = [["start", "od"], ["stop", "follows"], ["stop", "keep"]]
        .into_iter()
        .map(|words| system.begin(&words))
        .collect();
    fs::write(system.path("go"), "").unwrap();
    for child in asked.into_iter().chain([apply]) {
        assert_success(&child.wait_with_output().unwrap());
    }
    let up = system.active();
    assert_eq!(up.iter().map(String::as_str).collect::<Vec<_>>(), ["od", "slow"]);
    system.agrees();
}

/// A template whose instances are added and removed while other things happen.
const TUNNEL: &str = r#"
[longrun.tunnel]
start = "on-demand"
instances = []
parameters = ["port"]
run = ["sh", "-c", "exec sleep 1000", "sh", "{{ port }}"]
"#;

#[test]
fn a_restart_during_an_apply_leaves_everything_up() {
    let name = "a_restart_during_an_apply_leaves_everything_up";
    let manifest = r#"
[longrun.web]
run = ["sleep", "1000"]

[longrun.follows]
dependencies = ["web"]
run = ["sleep", "1000"]
"#;
    let Some(system) = System::boot(name, &format!("{manifest}{TUNNEL}")) else { return };
    let count = rounds(8, 250);
    for round in 0..count {
        let port = format!("port={round}");
        let add = system.begin(&["instance", "add", "--apply", "tunnel", "x", "--set", &port]);
        assert_success(&system.ask(&["restart", "web"]));
        assert_success(&add.wait_with_output().unwrap());
        assert_success(&system.ask(&["status", "web", "follows"]));
        system.agrees();
    }
    eprintln!("{count} rounds of a restart beside an apply");
}

#[test]
fn a_diff_during_applies_succeeds() {
    let name = "a_diff_during_applies_succeeds";
    let manifest = r#"
[longrun.web]
run = ["sleep", "1000"]
"#;
    let Some(system) = System::boot(name, &format!("{manifest}{TUNNEL}")) else { return };
    let count = rounds(5, 90);
    for round in 0..count {
        let port = format!("port={round}");
        let add = system.begin(&["instance", "add", "--apply", "tunnel", "x", "--set", &port]);
        let compared = system.ask(&["diff"]);
        assert_success(&add.wait_with_output().unwrap());
        assert!(matches!(compared.status.code(), Some(0 | 1)), "round {round}: {compared:?}");
    }
    eprintln!("{count} comparisons beside an apply");
}

#[test]
fn a_program_that_exceeds_its_limit_is_ended_and_does_not_block_the_next() {
    let name = "a_program_that_exceeds_its_limit_is_ended_and_does_not_block_the_next";
    let manifest = r#"
[longrun.mute]
start = "on-demand"
timeout-kill = "1s"
ready.fd = 3
run = "exec sleep 1000"

[longrun.web]
run = ["sleep", "1000"]
"#;
    let Some(system) = System::boot(name, manifest) else { return };
    let started = system.ask(&["start", "--timeout", "1", "mute"]);
    assert_eq!(started.status.code(), Some(3));
    assert!(err(&started).contains("`s6-rc` was ended after 1 s"), "{}", err(&started));
    assert_success(&system.ask(&["restart", "web"]));
    system.agrees();
    // In an update, the new database is live by then.
    system.write("after.toml", &manifest.replace("start = \"on-demand\"", ""));
    let applied = system.ask(&["apply", "--timeout", "1", "-m", "after.toml"]);
    assert_eq!(applied.status.code(), Some(3));
    assert!(err(&applied).contains("was ended after 1 s"), "{}", err(&applied));
    assert_success(&system.ask(&["apply"]));
    system.agrees();
}

#[test]
fn services_without_a_supervisor_get_one_again() {
    let name = "services_without_a_supervisor_get_one_again";
    let manifest = r#"
[longrun.web]
run = ["sleep", "1000"]

[longrun.idle]
start = "on-demand"
run = ["sleep", "1000"]
"#;
    let Some(system) = System::boot(name, manifest) else { return };
    for entry in fs::read_dir(system.path("scan")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_symlink() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let planned = system.ask(&["apply", "--dry-run"]);
    assert!(err(&planned).contains("no supervisor runs for `idle`"), "{}", err(&planned));
    let applied = system.ask(&["apply"]);
    assert_success(&applied);
    assert!(err(&applied).contains("no supervisor runs for idle, web"), "{}", err(&applied));
    assert_success(&system.ask(&["status", "web"]));
    assert_success(&system.ask(&["start", "idle"]));
    system.agrees();
}

/// s6-rc-update as on a slow machine: it pauses between the links that it makes for s6-svscan. Meanwhile s6-svscan replaces the
/// supervisors that s6-rc-update has ended.
const SLOWLY: &str = "#!/bin/sh\nexec strace -o /dev/null -e trace=symlink,symlinkat -e inject=symlink,symlinkat:delay_exit=DELAY s6-rc-update-real \"$@\"\n";

/// A service with a pipe to its logger.
const LOGGED: &str = r#"
[longrun.NAME]
run = "echo hello; exec sleep 1000"
log = { to = "SCRATCH/NAME-log", user = "root" }
"#;

#[test]
fn an_update_survives_supervisors_that_start_during_it() {
    let name = "an_update_survives_supervisors_that_start_during_it";
    if !require::all(name, &["strace", "root"]) {
        return;
    }
    let services: Vec<String> =
        ('a'..='h').map(|c| format!("[longrun.b{c}]\nrun = [\"sleep\", \"1000\"]\n")).collect();
    let count = rounds(4, 60);
    for round in 0..count {
        // s6rc-fdholder runs only if there is a pipe. Then s6gen must give it the new pipes.
        let old = if round % 2 == 0 { String::new() } else { LOGGED.replace("NAME", "old") };
        let manifest = format!("\n{}{old}", services.join("\n"));
        let Some(system) = System::boot(name, &manifest) else { return };
        let bin = system.path("bin");
        fs::create_dir(&bin).unwrap();
        let real = require::find("s6-rc-update").unwrap();
        std::os::unix::fs::symlink(real, bin.join("s6-rc-update-real")).unwrap();
        let delay = [30_000, 60_000, 100_000][round % 3].to_string();
        fs::write(bin.join("s6-rc-update"), SLOWLY.replace("DELAY", &delay)).unwrap();
        fs::set_permissions(bin.join("s6-rc-update"), fs::Permissions::from_mode(0o755)).unwrap();
        let new = format!("{}{}", manifest.replacen("1000", "1001", 4), LOGGED.replace("NAME", "new"));
        system.write("after.toml", &new);
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let words = system.words(&["apply", "-m", "after.toml"]);
        let applied = system.command("s6gen").args(words).env("PATH", path).output().unwrap();
        assert!(applied.status.success(), "round {round}: {applied:?}");
        system.agrees();
        assert_success(
            &system.ask(&["status", "ba", "bb", "bc", "bd", "be", "bf", "bg", "bh", "new", "new-log"]),
        );
        let log = system.path("new-log/current");
        eventually("its lines are logged", || {
            fs::read_to_string(&log).is_ok_and(|text| text.contains("hello"))
        });
    }
    eprintln!("{count} slow updates");
}
