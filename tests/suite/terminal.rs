//! Checks what a person sees on a terminal while a command works: a line that vanishes.

use crate::require::needs;
use std::process::{Command, Stdio};

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

#[test]
fn a_pipe_gets_no_such_line() {
    let seen = run(Command::new("sh").args(["-c", SLOW]));
    assert!(seen.starts_with("At boot") && !seen.contains('\u{1b}'), "{seen:?}");
}
