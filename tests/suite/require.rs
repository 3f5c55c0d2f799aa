//! Skips tests, or parts of them, for which a program or a right is missing on this machine, and reports each skip.
//!
//! A test that needs something begins with `needs!("s6-rc", "root");`. If one of them is missing, the test ends there.
//! `if !has!("s6-networking") { … }` does the same for a part of a test. Helpers take the name of the test and call [`all`].
//! Each need is a row in `NEEDS`.
//!
//! Each skip is a line `skipped: TEST: …` in the output of `cargo test`, even for a test that passes. It is also appended to
//! the file that `S6GEN_SKIPPED` names. With `S6GEN_REQUIRE=all`, or a list of names such as `s6-rc,shellcheck`, a skip
//! because one of them is missing is a failure.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};

/// Something that a test needs.
struct Need {
    name: &'static str,
    is_met: fn() -> bool,
    /// How to get it.
    remedy: &'static str,
}

const NEEDS: &[Need] = &[
    need("bash", || on_path("bash"), "install the Debian package `bash`"),
    need("chromium", || on_path("chromium"), "install the Debian package `chromium`"),
    need("curl", || on_path("curl"), "install the Debian package `curl`"),
    need("execline", || on_path("execlineb"), "install the Debian package `execline`"),
    need("fish", || on_path("fish"), "install the Debian package `fish`"),
    need("git", || on_path("git"), "install the Debian package `git`"),
    need("graphviz", || on_path("dot"), "install the Debian package `graphviz`"),
    need(
        "mermaid",
        || std::env::var_os("S6GEN_MERMAID").is_some(),
        "name the file `mermaid.min.js` of the npm package `mermaid` in S6GEN_MERMAID",
    ),
    need("man", || on_path("man"), "install the Debian packages `man-db` and `groff-base`"),
    need("mandoc", || on_path("mandoc"), "install the Debian package `mandoc`"),
    need("mounts", may_mount, "run as root, or allow user name spaces"),
    need(
        "network",
        may_have_network,
        "install the Debian package `iproute2`, and run as root, or allow user name spaces",
    ),
    need(
        "no-overlay",
        || !["/init", "/package/admin"].iter().any(|path| std::path::Path::new(path).exists()),
        "run on a machine that has no s6-overlay itself",
    ),
    // The tests try to mount one, because it depends on the file system whether that is possible.
    need("overlayfs", || true, "use a kernel and a file system on which an overlay can be mounted"),
    need("perl", || on_path("perl"), "install the Debian package `perl`"),
    need("pre-commit", || on_path("pre-commit"), "install the Python package `pre-commit`"),
    need("python3", || on_path("python3"), "install the Debian package `python3`"),
    need(
        "release",
        || std::env::var_os("S6GEN_RELEASE").is_some(),
        "`make release`; name it in S6GEN_RELEASE",
    ),
    need("root", is_root, "run as root"),
    need(
        "rootfs",
        || std::env::var_os("S6GEN_ROOTFS").is_some(),
        "name a root with s6-overlay in S6GEN_ROOTFS",
    ),
    need("s6", || all_on_path(&["s6-svscan", "s6-log", "s6-svstat"]), "install the Debian package `s6`"),
    need("s6-networking", || on_path("s6-tcpclient"), "build s6-networking, which is part of s6-overlay"),
    need("s6-rc", || all_on_path(S6RC), "build s6-rc 0.7.0.0, which Debian has no recent version of"),
    need("script", || on_path("script"), "install the Debian package `bsdutils`"),
    need("shellcheck", || on_path("shellcheck"), "install the Debian package `shellcheck`"),
    need("strace", || *STRACE_WORKS, "install the Debian package `strace`, and allow it to trace"),
    need(
        "supervisor",
        || on_path("python3"),
        "install Python 3.11 or 3.12 with its module `venv`, and let pip fetch supervisor 4.3.0",
    ),
    need("taplo", || on_path("taplo"), "install the npm package `@taplo/cli`"),
    need("users", is_root, "run as root, and let others execute what was built"),
    need("zsh", || on_path("zsh"), "install the Debian package `zsh`"),
    need(
        "trees",
        || std::env::var_os("S6GEN_TREES").is_some(),
        "name the directory with the trees of tests/ecosystem/trees.tsv in S6GEN_TREES",
    ),
];

const S6RC: &[&str] = &["s6-rc", "s6-rc-compile", "s6-rc-db", "s6-rc-dryrun", "s6-rc-init", "s6-rc-update"];

const fn need(name: &'static str, is_met: fn() -> bool, remedy: &'static str) -> Need {
    Need { name, is_met, remedy }
}

/// Where a program is.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|place| place.is_file())
}

pub fn on_path(program: &str) -> bool {
    find(program).is_some()
}

fn all_on_path(programs: &[&str]) -> bool {
    programs.iter().all(|program| on_path(program))
}

pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// The words in front of a command that give it mounts of its own.
pub fn unshare() -> &'static [&'static str] {
    if is_root() { &["unshare", "--mount"] } else { &["unshare", "--mount", "--map-root-user"] }
}

fn may_mount() -> bool {
    succeeds(&[unshare(), &["mount", "-t", "tmpfs", "none", "/tmp"]].concat())
}

/// Whether a command can run in a separate network.
fn may_have_network() -> bool {
    succeeds(&[unshare(), &["--net", "ip", "link", "set", "lo", "up"]].concat())
}

static STRACE_WORKS: LazyLock<bool> = LazyLock::new(|| {
    let injection = "inject=?swapoff:error=EIO";
    succeeds(&["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", injection, "true"])
});

/// Whether a command succeeds. Its output is dropped.
pub fn succeeds(words: &[&str]) -> bool {
    let quiet = Command::new(words[0]).args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Whether everything that `test` needs is there. If not, reports a skip, or fails if the need is required.
pub fn all(test: &str, names: &[&str]) -> bool {
    let missing = names.iter().find(|name| !(lookup(name).is_met)());
    if let Some(name) = missing {
        skip(test, name, "");
    }
    missing.is_none()
}

/// Reports that `test`, or a part of it, is skipped because `name` is missing, for tests that find out only while they run.
/// `why` has details.
pub fn skip(test: &str, name: &str, why: &str) {
    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
    let line = format!("skipped: {test}: no {name}{why}: {}", lookup(name).remedy);
    let required = std::env::var("S6GEN_REQUIRE").unwrap_or_default();
    assert!(!requires(&required, name), "S6GEN_REQUIRE={required}, and this was {line}");
    // A helper that many tests call reports it once.
    if !SAID.lock().unwrap().insert(line.clone()) {
        return;
    }
    say(&line);
    if let Some(list) = std::env::var_os("S6GEN_SKIPPED") {
        let list = fs::File::options().create(true).append(true).open(list);
        list.and_then(|mut list| list.write_all((line + "\n").as_bytes())).unwrap();
    }
}

static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn lookup(name: &str) -> &'static Need {
    let found = NEEDS.iter().find(|need| need.name == name);
    found.unwrap_or_else(|| panic!("`{name}` is not in the list of what tests may need"))
}

fn requires(required: &str, name: &str) -> bool {
    required.split(',').map(str::trim).any(|word| word == "all" || word == name)
}

/// Prints a line even if the test passes. The harness captures the output of `println!`, but not this.
#[allow(clippy::explicit_write, reason = "`eprintln` is what the harness captures")]
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}

/// The name of the test or function that contains this macro.
macro_rules! this_test {
    () => {{
        fn here() {}
        let name = std::any::type_name_of_val(&here);
        name.trim_start_matches("suite::").trim_end_matches("::here").trim_end_matches("::{{closure}}")
    }};
}
pub(crate) use this_test;

/// Reports a skip and ends the test if something that it needs is missing.
macro_rules! needs {
    ($($name:expr),+ $(,)?) => {
        if !$crate::require::all($crate::require::this_test!(), &[$($name),+]) {
            return;
        }
    };
}
pub(crate) use needs;

/// Whether everything is there that a part of the test needs. If not, reports a skip.
macro_rules! has {
    ($($name:expr),+ $(,)?) => {
        $crate::require::all($crate::require::this_test!(), &[$($name),+])
    };
}
pub(crate) use has;

#[test]
fn everything_in_s6gen_require_is_there() {
    let required = std::env::var("S6GEN_REQUIRE").unwrap_or_default();
    for name in required.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "all") {
        assert!((lookup(name).is_met)(), "S6GEN_REQUIRE is `{required}`, but there is no {name}");
    }
}

#[test]
fn a_skip_is_a_failure_where_it_is_required() {
    assert!(!requires("", "s6-rc") && !requires("s6,shellcheck", "s6-rc"));
    assert!(requires("all", "s6-rc") && requires("s6, s6-rc", "s6-rc"));
    assert_eq!(this_test!(), "require::a_skip_is_a_failure_where_it_is_required");
}

/// No test may pass without having tested anything and without a report. This finds the usual ways to write such a test.
#[test]
fn no_test_skips_in_silence() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        // Written in two parts, because this file is searched too.
        for words in [concat!("not ", "run:"), concat!("println!(\"", "skip"), concat!("was not ", "tried")] {
            assert!(!text.contains(words), "{}: {words:?}: use `needs!` of `require`", path.display());
        }
    }
}
