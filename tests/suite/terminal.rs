//! Checks what a person sees on a terminal while a command works: a line that vanishes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use crate::case::scratch;
use crate::require::needs;

/// A manifest that arrives only after the line must have appeared.
const SLOW: &str = "(sleep 3; printf '[longrun.web]\\nrun = [\"web\"]\\n') | \"$S6GEN\" graph -m -";

fn run(program: &mut Command) -> String {
    let output = program
        .env("S6GEN", env!("CARGO_BIN_EXE_s6gen"))
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    text
}

#[test]
fn long_work_shows_itself_on_a_terminal() {
    needs!("script");
    let seen = run(Command::new("script").args(["-qec", SLOW, "/dev/null"]));
    let (before, after) = seen.rsplit_once("\r\u{1b}[K").expect("the line vanishes");
    assert!(before.contains("s6gen: reading files …"), "{seen:?}");
    assert!(after.starts_with("At boot"), "{seen:?}");
}

/// `stop` starts s6gen again, so that it survives the stop of the service that called it. Two lines would wipe each other out.
#[test]
fn a_command_that_starts_itself_again_shows_one_line() {
    needs!("script");
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    for directory in ["live/servicedirs", "live/scandir", "compiled"] {
        fs::create_dir_all(at(directory)).unwrap();
    }
    for file in ["live/lock", "live/state"] {
        fs::write(at(file), "").unwrap();
    }
    symlink(at("compiled"), at("live/compiled")).unwrap();
    fs::write(at("s6-rc"), "#!/bin/sh\nsleep 3\n").unwrap();
    fs::set_permissions(at("s6-rc"), fs::Permissions::from_mode(0o755)).unwrap();
    let stop = "PATH=$PWD:$PATH \"$S6GEN\" stop --live \"$PWD/live\" web; true";
    let seen = run(Command::new("script").args(["-qec", stop, "/dev/null"]).current_dir(folder.path()));
    assert!(seen.contains("s6gen: waiting for s6 …") && !seen.contains("reading files"), "{seen:?}");
}

#[test]
fn a_pipe_gets_no_such_line() {
    let seen = run(Command::new("sh").args(["-c", SLOW]));
    assert!(seen.starts_with("At boot") && !seen.contains('\u{1b}'), "{seen:?}");
}
