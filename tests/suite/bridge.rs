//! Lets a test answer for the programs that a child process calls. The PATH of the child has small scripts with the names
//! of these programs. They pass each call to the test, and return its answer.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use s6gen::live::{Call, Programs};

/// The programs that s6gen starts.
const PROGRAMS: [&str; 7] =
    ["s6-rc", "s6-rc-compile", "s6-rc-db", "s6-rc-update", "s6-svc", "s6-svscanctl", "s6-svstat"];

/// Passes its words to the test, waits for the answer, and prints it.
const SCRIPT: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin
call=$(mktemp -d "CALLS/call.XXXXXXXX") || exit 1
for word ; do printf '%s\0' "$word" ; done > "$call/words"
mkfifo "$call/answered"
echo "PROGRAM $call" > "CALLS/asked"
read -r code < "$call/answered"
cat "$call/out"
cat "$call/err" >&2
exit "$code"
"#;

/// The message that the child has ended.
const END: &str = "end";

pub struct Bridge {
    folder: PathBuf,
}

impl Bridge {
    /// Makes the scripts in a new folder.
    pub fn new(folder: &Path) -> Self {
        let bridge = Bridge { folder: folder.to_owned() };
        fs::create_dir_all(bridge.bin()).unwrap();
        let calls = folder.to_str().unwrap();
        for program in PROGRAMS {
            bridge.script(program, &SCRIPT.replace("CALLS", calls).replace("PROGRAM", program));
        }
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, bridge.asked(), fifo, mode, 0).unwrap();
        bridge
    }

    /// The folder of the scripts, for PATH.
    pub fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    fn asked(&self) -> PathBuf {
        self.folder.join("asked")
    }

    /// Makes one more script.
    pub fn script(&self, name: &str, text: &str) {
        let path = self.bin().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Removes a program from the folder.
    pub fn hide(&self, program: &str) {
        fs::remove_file(self.bin().join(program)).unwrap();
    }

    /// Runs a command with the scripts on its PATH, and the folders `more` after them. `programs` answers for the scripts.
    pub fn run(&self, command: &mut Command, more: &[&Path], programs: &mut dyn Programs) -> Output {
        // Open for reading and writing, so that reading does not end while no script writes.
        let asked = OpenOptions::new().read(true).write(true).open(self.asked()).unwrap();
        let mut end = asked.try_clone().unwrap();
        let path = std::env::join_paths([self.bin().as_path()].iter().chain(more)).unwrap();
        command.env_clear().env("PATH", path).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let waiting = std::thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            writeln!(end, "{END}").unwrap();
            output
        });
        for line in BufReader::new(asked).lines() {
            let line = line.unwrap();
            if line == END {
                break;
            }
            let (program, call) = line.split_once(' ').unwrap();
            answer(program, Path::new(call), programs);
        }
        waiting.join().unwrap()
    }
}

fn answer(program: &str, folder: &Path, programs: &mut dyn Programs) {
    let words = fs::read(folder.join("words")).unwrap();
    let words = words
        .split_inclusive(|byte| *byte == 0)
        .map(|word| OsString::from_vec(word[..word.len() - 1].to_vec()));
    let program = PROGRAMS.into_iter().find(|known| *known == program).unwrap();
    let answer = programs.run(&Call::new(program).args(words)).unwrap();
    fs::write(folder.join("out"), answer.out).unwrap();
    fs::write(folder.join("err"), answer.err).unwrap();
    let mut answered = File::options().write(true).open(folder.join("answered")).unwrap();
    writeln!(answered, "{}", answer.code).unwrap();
}
