//! Kills a build at any moment: `/init` would then compile all old definitions or all new ones.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use s6gen::diagnostic::Files;
use s6gen::disk::SourceDirectory;
use s6gen::image::Setup;
use s6gen::install::{LockedSite, Prune};
use s6gen::model::{Database, Index, System};
use s6gen::tree::SourceTree;
use s6gen::{compile, judge_image, render};
use serde_json::Value;
use tempfile::TempDir;

use crate::install::{attributes, in_own_mounts, look, mount, output_text, scratch};
use crate::killed;
use crate::oracle::database;
use crate::require::{self, on_path, say, skip, this_test};
use crate::s6rc::write_image;

const SV: &str = "etc/s6-overlay/sv";

/// Compared with [`NEW`]: a consumer gets another producer, a service is removed and one is added, two change their type, one
/// becomes late, another layer's service waits for something else, and scripts are changed, added and removed.
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

/// The manifest to build after an interrupted build from `OLD` to `NEW`.
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
    LockedSite::lock(root, SV).unwrap().install(&tree(name), Prune::Now).unwrap();
}

fn system() -> System {
    System::overlay("3.2.3.2").unwrap()
}

/// Writes the files of the image, without any of ours.
fn image(root: &Path) {
    let own = system().own_definitions_dir().unwrap();
    write_image(root, own.trim_start_matches('/'), system());
    let theirs = root.join("etc/s6-overlay/s6-rc.d/theirs");
    fs::create_dir_all(theirs.join("dependencies.d")).unwrap();
    fs::write(theirs.join("type"), "longrun\n").unwrap();
    fs::write(theirs.join("run"), "#!/bin/sh\nexec theirs\n").unwrap();
    fs::write(theirs.join("dependencies.d/base"), "").unwrap();
    fs::write(root.join("etc/s6-overlay/user-bundles.d/user/contents.d/theirs"), "").unwrap();
    // A foreign file in a definition of ours, which must not be missing at any moment either.
    fs::create_dir_all(root.join(SV).join("prepare/data")).unwrap();
    fs::write(root.join(SV).join("prepare/data/own"), "own\n").unwrap();
}

/// The services that a boot would make of a root.
#[derive(Debug, Clone, PartialEq)]
struct View {
    /// The database according to s6gen.
    ours: Value,
    /// If s6-rc-compile is there, its database and every file of the service directories.
    real: Option<(Value, BTreeMap<String, String>)>,
    /// The scripts that the oneshots name.
    scripts: BTreeMap<String, Option<String>>,
}

/// Removes the stand-ins, which are bundles in lists during a switch. Each list gets their members instead.
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

/// The databases that were already read, by their bytes.
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

/// Every system call by which a build changes the target of a path, with its names on all architectures.
const CALLS: &[&str] = &[
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "rmdir",
    "mkdir",
    "mkdirat",
    "symlink",
    "symlinkat",
    "unlinkat",
];

/// A root of a scratch image, perhaps with an overlay mounted on it.
struct Root {
    place: TempDir,
    mounted: bool,
}

impl Root {
    fn path(&self) -> PathBuf {
        self.place.path().join("root")
    }

    /// A copy of another root.
    fn copy(template: &Path) -> Self {
        let root = Root { place: scratch(), mounted: false };
        assert!(Command::new("cp").arg("-a").arg(template).arg(root.path()).status().unwrap().success());
        root
    }

    /// An overlay with another root as its lower layer. `None` if the kernel does not allow it.
    fn overlay(lower: &Path) -> Option<Self> {
        let place = TempDir::new().unwrap();
        for name in ["upper", "work", "root"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        let at = |name: &str| place.path().join(name).display().to_string();
        let (upper, work) = (at("upper"), at("work"));
        let options = format!("lowerdir={},upperdir={upper},workdir={work}{}", lower.display(), attributes());
        let root = Root { mounted: true, place };
        mount(&["-t", "overlay", "-o", &options, "overlay"], &root.path()).then_some(root)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg(self.path()).status();
        }
    }
}

/// Builds `next` in a root that `begin` makes, and kills the build at the moments of `CALLS`. Passes each root to `check`, and
/// returns the number of killed builds.
fn kill_everywhere(
    next: &str,
    prune: Prune,
    begin: impl Fn() -> Root,
    mut check: impl FnMut(&Path, usize),
) -> usize {
    let file = killed::file_of(&format!("switch-{next}"), &tree(next));
    let moments = killed::moments(CALLS, &killed::install(&file, &begin().path(), prune));
    for (number, moment) in moments.iter().enumerate() {
        let root = begin();
        let mut command = killed::at(*moment, "signal=KILL", &killed::install(&file, &root.path(), prune));
        let output = command.output().unwrap();
        assert_eq!(output.status.signal(), Some(9), "{moment:?}: {}", output_text(&output));
        check(&root.path(), number);
    }
    moments.len()
}

/// A root with the image and the builds of these names, and the view of a boot on it.
fn built(names: &[&str]) -> (TempDir, View) {
    let root = scratch();
    image(root.path());
    for name in names {
        build(name, root.path());
    }
    let view = see(root.path());
    (root, view)
}

/// The files after a build of each tree.
fn ends() -> BTreeMap<&'static str, BTreeMap<String, String>> {
    TREES.map(|name| (name, look(built(&["old", "new", "third", name]).0.path()))).into()
}

const TREES: [&str; 3] = ["old", "new", "third"];

/// Whether builds can be killed here. Reports a skip if not, or if only s6gen itself can judge the result.
fn can_run(test: &str) -> bool {
    if !require::all(test, &["strace"]) {
        return false;
    }
    if !on_path("s6-rc-compile") {
        skip(test, "s6-rc", "s6gen alone judges what a killed build leaves");
    }
    true
}

/// Kills builds of `next` at every moment, checks that a boot sees all old or all new definitions, and passes each root to
/// `also`.
fn old_or_new(
    before: &View,
    next: (&str, &View),
    prune: Prune,
    begin: impl Fn() -> Root,
    mut also: impl FnMut(&Path),
) {
    let (ends, (next, after)) = (ends(), next);
    assert_ne!(before, after);
    let mut seen = [0, 0];
    let killed = kill_everywhere(next, prune, begin, |root, number| {
        let view = see(root);
        assert!(view == *before || view == *after, "{next} {number}: {view:#?} {:#?}", look(root));
        seen[usize::from(view == *after)] += 1;
        also(root);
        let end = TREES[number % TREES.len()];
        build(end, root);
        assert_eq!(look(root), ends[end], "{next} {number}");
    });
    say(&format!(
        "note: {killed} builds of {next} were killed, {} before the switch, {} after it",
        seen[0], seen[1]
    ));
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}

#[test]
fn after_a_kill_at_any_moment_a_boot_sees_all_old_or_all_new_definitions() {
    if !can_run(this_test!()) {
        return;
    }
    let (first, old) = built(&["old"]);
    let (_, new) = built(&["old", "new"]);
    old_or_new(&old, ("new", &new), Prune::Now, || Root::copy(first.path()), |_| {});
}

#[test]
fn a_boot_sees_all_of_a_first_build_or_nothing() {
    if !can_run(this_test!()) {
        return;
    }
    let ((empty, nothing), (_, old)) = (built(&[]), built(&["old"]));
    old_or_new(&nothing, ("old", &old), Prune::Now, || Root::copy(empty.path()), |_| {});
}

#[test]
fn a_build_that_completes_an_interrupted_one_may_be_killed_as_well() {
    if !can_run(this_test!()) {
        return;
    }
    let (first, _) = built(&["old"]);
    let (_, third) = built(&["old", "new", "third"]);
    let mut interrupted = BTreeMap::new();
    kill_everywhere(
        "new",
        Prune::Now,
        || Root::copy(first.path()),
        |root, _| {
            let left = look(root);
            if let Some(side) = left.get(&format!("{SV}/.s6gen.switch")) {
                interrupted.entry((side.clone(), format!("{left:?}"))).or_insert_with(|| Root::copy(root));
            }
        },
    );
    for side in ["now", "next"] {
        let states: Vec<_> = interrupted.iter().filter(|((there, _), _)| there.ends_with(side)).collect();
        let (_, state) = states[states.len() / 2];
        let before = see(&state.path());
        old_or_new(&before, ("third", &third), Prune::Now, || Root::copy(&state.path()), |_| {});
    }
}

#[test]
fn a_postponed_removal_keeps_the_scripts_at_every_moment() {
    if !can_run(this_test!()) {
        return;
    }
    let (first, old) = built(&["old"]);
    let (_, new) = built(&["old", "new"]);
    let leaves = look(&first.path().join(SV).join("leaves"));
    assert!(leaves.contains_key("data/down"));
    old_or_new(
        &old,
        ("new", &new),
        Prune::Later,
        || Root::copy(first.path()),
        |root| {
            assert_eq!(look(&root.join(SV).join("leaves")), leaves);
        },
    );
}

#[test]
fn on_a_lower_overlay_layer_a_boot_sees_all_old_or_all_new_definitions() {
    if !can_run(this_test!()) || !in_own_mounts(this_test!()) {
        return;
    }
    let (_, old) = built(&["old"]);
    let (lower, new) = built(&["old", "new"]);
    if Root::overlay(lower.path()).is_none() {
        return skip(this_test!(), "overlayfs", "");
    }
    let layers = look(lower.path());
    old_or_new(&new, ("old", &old), Prune::Now, || Root::overlay(lower.path()).unwrap(), |_| {});
    assert_eq!(look(lower.path()), layers);
}
