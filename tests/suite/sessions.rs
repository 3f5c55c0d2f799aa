//! Runs the sessions of the book: pages whose blocks `console` show commands behind a `$` and all that they print.
//!
//! The commands of a page run one after the other in a new directory, like those in its blocks `sh`, which do not show what they
//! print. A block `dockerfile` is the file `Dockerfile` there. For Docker, `tests/boot/docker` boots a copy of the root that
//! `S6GEN_ROOTFS` names.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::markdown::{Example, Page, documents};
use crate::require::{self, has, this_test};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A directory in which the commands of a page run.
struct Session {
    folder: TempDir,
    /// The directory of the programs, and that of the container.
    tools: TempDir,
}

impl Session {
    fn new() -> Session {
        let session = Session { folder: tempfile::tempdir().unwrap(), tools: crate::case::scratch() };
        for name in ["docker", "curl"] {
            symlink(Path::new(ROOT).join("tests/boot/docker"), session.tools.path().join(name)).unwrap();
        }
        session
    }

    /// Runs a command. Returns what it prints on both streams.
    fn run(&self, line: &str) -> Result<String, String> {
        let s6gen = Path::new(env!("CARGO_BIN_EXE_s6gen")).parent().unwrap().to_str().unwrap();
        let path = format!("{}:{s6gen}:{}", self.tools.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1; {line}")]).current_dir(self.folder.path()).env("PATH", path);
        shell
            .env("STATE", self.tools.path())
            .env("ROOTFS", std::env::var_os("S6GEN_ROOTFS").unwrap_or_default());
        let output = shell.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        // A command may fail if its output is shown.
        if text.is_empty() && !output.status.success() { Err(format!("`{line}` fails\n")) } else { Ok(text) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Ok(pid) = fs::read_to_string(self.tools.path().join("pid")) {
            let _ = Command::new("kill").args(["-KILL", pid.trim()]).output();
        }
    }
}

/// Whether a command needs the container.
fn is_for_docker(line: &str) -> bool {
    ["docker ", "curl "].iter().any(|program| line.starts_with(program))
}

/// Whether the root has the s6-overlay that the Dockerfile of the page unpacks.
fn has_overlay_of(page: &Page) -> bool {
    let dockerfile = page.examples_in("dockerfile").next().unwrap();
    let version = dockerfile.text.split("/download/v").nth(1).unwrap().split('/').next().unwrap();
    let rootfs = std::env::var_os("S6GEN_ROOTFS").unwrap();
    let has = Path::new(&rootfs).join(format!("package/admin/s6-overlay-{version}")).is_dir();
    if !has {
        require::skip(this_test!(), "rootfs", &format!("one with s6-overlay {version}"));
    }
    has
}

/// The commands of a block, each with its output.
fn commands(example: &Example) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in example.text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => panic!("{}: it begins with an output", example.place),
        }
    }
    commands
}

/// Runs the commands of a page. Returns what differs.
fn differences(page: &Page, has_container: bool) -> Vec<String> {
    let session = Session::new();
    let mut wrong = Vec::new();
    for example in &page.examples {
        match example.language.as_str() {
            "dockerfile" => fs::write(session.folder.path().join("Dockerfile"), &example.text).unwrap(),
            "sh" => {
                for line in example.text.lines().filter(|line| has_container && is_for_docker(line)) {
                    wrong.extend(session.run(line).err().map(|error| format!("{}: {error}", example.place)));
                }
            }
            "console" => {
                for (command, shown) in commands(example) {
                    if is_for_docker(&command) && !has_container {
                        continue;
                    }
                    let output = session.run(&command).unwrap_or_else(|error| error);
                    if output != shown {
                        wrong
                            .push(format!("{}: `{command}` prints\n{output}and not\n{shown}", example.place));
                    }
                }
            }
            _ => {}
        }
    }
    wrong
}

#[test]
fn every_session_prints_what_its_page_shows() {
    let mut count = 0;
    for page in documents() {
        let Some(_) = page.examples_in("console").next() else { continue };
        let has_container = page.examples.iter().any(|example| example.text.contains("docker run"))
            && has!("rootfs", "root", "mounts")
            && has_overlay_of(&page);
        assert_eq!(differences(&page, has_container), Vec::<String>::new());
        count += 1;
    }
    assert!(count > 0, "no page has a session");
}

#[test]
fn a_session_that_prints_something_else_is_found() {
    let wrong = |block: &str| {
        differences(&Page::parse("docs/page.md", &format!("```console\n{block}\n```\n")), false)
    };
    assert_eq!(wrong("$ echo a\na\n$ echo b >&2\nb"), Vec::<String>::new());
    assert_eq!(wrong("$ echo a\nb"), ["docs/page.md:1: `echo a` prints\na\nand not\nb\n"]);
    assert_eq!(wrong("$ false"), ["docs/page.md:1: `false` prints\n`false` fails\nand not\n"]);
}
