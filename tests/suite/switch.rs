//! A build that is killed at any moment: what `/init` would compile then is the old set of definitions or the new one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use s6gen::diagnostic::Files;
use s6gen::disk::{Place, Prune, SourceDirectory};
use s6gen::image::Setup;
use s6gen::model::{Database, Index, System};
use s6gen::tree::SourceTree;
use s6gen::{compile, judge_image, render};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::disk::{in_own_mounts, look, mount, output_text, say, strace_works, this_binary};
use crate::oracle::database;
use crate::s6rc::{on_path, write_image};

const SV: &str = "etc/s6-overlay/sv";

/// A consumer gets another producer, a service goes and one comes, two change their type, one becomes late, another
/// layer's service waits for something else, scripts change, come and go.
const OLD: &str = r#"
target.external = ["theirs"]
[longrun.worker]
instances = ["a"]
run = ["worker", "{{ instance }}"]
log.to = "/var/log/worker"
[longrun.gone]
run = ["gone"]
required-by = ["theirs"]
[oneshot.leaves]
up = "echo leaves"
down = "echo left"
[oneshot.prepare]
up = "mkdir -p /run/old"
down = "rmdir /run/old"
[longrun.turn]
run = ["turn"]
dependencies = ["prepare"]
[oneshot.return]
up = "echo return"
[longrun.late-old]
run = ["late"]
start = "late"
[longrun.either]
run = ["either"]
[longrun.same]
run = ["same"]
"#;

const NEW: &str = r#"
target.external = ["theirs"]
[longrun.worker]
instances = ["a", "b"]
run = ["worker", "{{ instance }}"]
log.to = "/var/log/worker"
[oneshot.added]
up = "echo added"
[oneshot.prepare]
up = "mkdir -p /run/new"
reload = "touch /run/new"
dependencies = ["added"]
[oneshot.turn]
up = "echo turn"
dependencies = ["prepare"]
required-by = ["theirs"]
[longrun.return]
run = "exec return"
[longrun.late-new]
run = ["late"]
start = "late"
[longrun.either]
run = ["either"]
start = "late"
[longrun.same]
run = ["same"]
"#;

/// What is built after an interrupted build from one to the other.
const THIRD: &str = r#"
target.external = ["theirs"]
[longrun.worker]
instances = ["b"]
run = ["worker", "{{ instance }}", "third"]
log.to = "/var/log/worker"
[oneshot.prepare]
up = "mkdir -p /run/third"
required-by = ["theirs"]
[longrun.turn]
run = ["turn"]
dependencies = ["same"]
[longrun.late-new]
run = ["late"]
[longrun.late-third]
run = ["late"]
start = "late"
[longrun.same]
run = ["same"]
"#;

fn tree(name: &str) -> SourceTree {
    let text = match name {
        "old" => OLD,
        "new" => NEW,
        _ => THIRD,
    };
    let mut files = Files::default();
    let file = files.add("services.toml", text.as_bytes().to_vec());
    let compilation = compile(&files, file);
    assert!(!compilation.problems.has_errors(), "{:?}", compilation.problems);
    render::tree(&compilation.services).unwrap()
}

fn build(name: &str, root: &Path) {
    Place::lock(root, SV).unwrap().install(&tree(name), Prune::Now).unwrap();
}

fn system() -> System {
    System::overlay("3.2.3.2").unwrap()
}

/// What the image brings before anything of ours is in it.
fn image(root: &Path) {
    let own = system().own_definitions_dir().unwrap();
    write_image(root, own.trim_start_matches('/'), system());
    let theirs = root.join("etc/s6-overlay/s6-rc.d/theirs");
    fs::create_dir_all(theirs.join("dependencies.d")).unwrap();
    fs::write(theirs.join("type"), "longrun\n").unwrap();
    fs::write(theirs.join("run"), "#!/bin/sh\nexec theirs\n").unwrap();
    fs::write(theirs.join("dependencies.d/base"), "").unwrap();
    fs::write(root.join("etc/s6-overlay/user-bundles.d/user/contents.d/theirs"), "").unwrap();
    // Somebody's own file in a definition of ours, which must not be missing at any moment either.
    fs::create_dir_all(root.join(SV).join("prepare/data")).unwrap();
    fs::write(root.join(SV).join("prepare/data/own"), "own\n").unwrap();
}

/// What a boot makes of a root.
#[derive(Debug, Clone, PartialEq)]
struct View {
    /// As s6gen reads it.
    ours: Value,
    /// As s6-rc-compile does, if it is there, and every file of the service directories.
    real: Option<(Value, BTreeMap<String, String>)>,
    /// The scripts that the oneshots name.
    scripts: BTreeMap<String, Option<String>>,
}

/// Leaves out the bundles that stand in lists for a while; whatever holds one is listed with what it holds.
fn without_stand_ins(mut database: Value) -> Value {
    let bundles = database["bundles"].as_object_mut().unwrap();
    bundles.retain(|name, _| !name.starts_with("s6gen-switch-"));
    database
}

fn see(root: &Path) -> View {
    let mut files = Files::default();
    let directory = SourceDirectory::open(root).unwrap();
    let judged = judge_image(&mut files, &directory, &Setup::new(system()), &[]);
    let errors: Vec<_> = judged.problems.iter().map(|problem| &problem.message).collect();
    assert!(!judged.problems.has_errors(), "{errors:?}: {:#?}", look(root));
    let ours = without_stand_ins(Database::of(&Index::new(&judged.services)).to_json());

    let mut scripts = BTreeMap::new();
    for service in ours["services"].as_object().unwrap().values() {
        let words = ["up", "down"].iter().filter_map(|key| service[key].as_array()).flatten();
        for word in words.filter_map(Value::as_str).filter(|word| word.starts_with("/etc/")) {
            let text = fs::read_to_string(root.join(word.trim_start_matches('/'))).ok();
            scripts.insert(word.to_owned(), text);
        }
    }
    View { ours, real: on_path("s6-rc-compile").then(|| compiled(root)), scripts }
}

/// Databases that were asked for everything already, by their bytes.
static KNOWN: Mutex<BTreeMap<Vec<u8>, Value>> = Mutex::new(BTreeMap::new());

fn compiled(root: &Path) -> (Value, BTreeMap<String, String>) {
    let place = TempDir::new().unwrap();
    let out = place.path().join("out");
    let overlay = root.join("etc/s6-overlay");
    let own = root.join(system().own_definitions_dir().unwrap().trim_start_matches('/'));
    let output = Command::new("s6-rc-compile")
        .arg(&out)
        .args([overlay.join("s6-rc.d"), overlay.join("user-bundles.d"), own])
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", output_text(&output));
    let bytes = [fs::read(out.join("db")).unwrap(), fs::read(out.join("resolve.cdb")).unwrap()].concat();
    let known = KNOWN.lock().unwrap().get(&bytes).cloned();
    let value = known.unwrap_or_else(|| {
        let value = without_stand_ins(database(place.path()));
        KNOWN.lock().unwrap().insert(bytes, value.clone());
        value
    });
    (value, look(&out.join("servicedirs")))
}

#[test]
fn a_process_of_its_own_installs() {
    let Some(root) = std::env::var_os("S6GEN_TEST_SWITCH") else { return };
    let tree = tree(&std::env::var("S6GEN_TEST_TREE").unwrap());
    let prune = if std::env::var_os("S6GEN_TEST_LATER").is_some() { Prune::Later } else { Prune::Now };
    Place::lock(Path::new(&root), SV).unwrap().install(&tree, prune).unwrap();
    std::process::exit(0);
}

/// Every call by which a build changes what a path leads to, under its name on each architecture.
const CALLS: &[&str] = &[
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "symlink",
    "symlinkat",
];

/// Builds `next` in a new root that `begin` makes, and kills the build at every moment of every call; hands each root to
/// `check`. Returns how many builds were killed.
fn kill_everywhere(
    next: &str,
    prune: Prune,
    begin: impl Fn() -> (TempDir, PathBuf),
    check: impl Fn(&Path, usize),
) -> usize {
    let mut killed = 0;
    for call in CALLS {
        for moment in 1.. {
            let (_place, root) = begin();
            let inject = format!("inject=?{call}:signal=KILL:when={moment}");
            let mut command = Command::new("strace");
            command.args(["-f", "--seccomp-bpf", "-o", "/dev/null", "-e", &inject]);
            command.args(this_binary("switch::a_process_of_its_own_installs"));
            command.env("S6GEN_TEST_TREE", next).env("S6GEN_TEST_SWITCH", &root);
            if prune == Prune::Later {
                command.env("S6GEN_TEST_LATER", "1");
            }
            let output = command.stdin(Stdio::null()).output().unwrap();
            if output.status.success() {
                break;
            }
            assert_eq!(output.status.signal(), Some(9), "{}", output_text(&output));
            killed += 1;
            check(&root, moment);
        }
    }
    killed
}

fn copy_of(template: &Path) -> (TempDir, PathBuf) {
    let place = TempDir::new().unwrap();
    let root = place.path().join("root");
    assert!(Command::new("cp").arg("-a").arg(template).arg(&root).status().unwrap().success());
    (place, root)
}

/// A root with the image and the builds of these names in it, and how a boot sees it.
fn built(names: &[&str]) -> (TempDir, View) {
    let root = TempDir::new().unwrap();
    image(root.path());
    for name in names {
        build(name, root.path());
    }
    let view = see(root.path());
    (root, view)
}

fn can_run() -> bool {
    if !strace_works() {
        say("the tests that look at killed builds did not run: there is no usable strace");
        return false;
    }
    if !on_path("s6-rc-compile") {
        say("what a killed build leaves was judged without s6-rc-compile: it is not on PATH");
    }
    true
}

#[test]
fn after_a_kill_at_any_moment_a_boot_sees_the_old_or_the_new() {
    if !can_run() {
        return;
    }
    let (empty, nothing) = built(&[]);
    let (first, old) = built(&["old"]);
    let (second, new) = built(&["old", "new"]);
    let ends: BTreeMap<&str, _> = ["old", "new", "third"]
        .map(|name| (name, look(built(&["old", "new", "third", name]).0.path())))
        .into();
    let mut interrupted = Vec::new();
    for (there, before, next, after) in
        [(&empty, &nothing, "old", &old), (&first, &old, "new", &new), (&second, &new, "old", &old)]
    {
        assert_ne!(before, after);
        let seen = Mutex::new([0, 0]);
        let states = Mutex::new(BTreeMap::new());
        let killed = kill_everywhere(
            next,
            Prune::Now,
            || copy_of(there.path()),
            |root, moment| {
                let view = see(root);
                assert!(view == *before || view == *after, "{next} {moment}: {view:#?} {:#?}", look(root));
                seen.lock().unwrap()[usize::from(view == *after)] += 1;
                let left = look(root);
                if left.contains_key(&format!("{SV}/.s6gen.switch")) {
                    let (place, _) = copy_of(root);
                    states.lock().unwrap().entry(format!("{left:?}")).or_insert(place);
                }
                let end = ["old", "new", "third"][moment % 3];
                build(end, root);
                assert_eq!(look(root), ends[end], "{next} {moment}");
            },
        );
        let seen = seen.into_inner().unwrap();
        say(&format!(
            "{next}: {killed} builds were killed, {} before the switch and {} after it",
            seen[0], seen[1]
        ));
        assert!(killed > 100 && seen.iter().all(|count| *count > 20), "{killed} {seen:?}");
        interrupted.extend(states.into_inner().unwrap().into_values());
    }
    // A build that completes another one may be killed as well.
    say(&format!("{} states", interrupted.len()));
    let third = see(built(&["old", "new", "third"]).0.path());
    let step = interrupted.len() / 5;
    for place in interrupted.iter().step_by(step) {
        let template = place.path().join("root");
        let before = see(&template);
        let killed = kill_everywhere(
            "third",
            Prune::Now,
            || copy_of(&template),
            |root, moment| {
                let view = see(root);
                assert!(view == before || view == third, "third {moment}: {:#?}", look(root));
                build("new", root);
                assert_eq!(look(root), ends["new"], "third {moment}");
            },
        );
        assert!(killed > 50, "{killed}");
    }
}
