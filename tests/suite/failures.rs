//! Runs what follows a failure under the real s6: `on-failure` of oneshots, the tables of `on-exit`, a growing `restart-delay`,
//! and `ready.on-timeout`. Each test is named after the promise that it checks.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use s6gen::diagnostic::Files;
use s6gen::tree::TreeEntry;
use s6gen::{compile, render};
use tempfile::TempDir;

use crate::require::needs;
use crate::supervise::{LIMIT, Supervision, eventually, up, write_program};

/// The file `path` of what the manifest becomes for s6-overlay, with a stand-in for `halt` and another file for the exit code.
pub fn for_overlay(manifest: &str, path: &str, scratch: &Path) -> String {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    let tree = render::tree(&compilation.services).unwrap();
    let Some(TreeEntry::File { content, .. }) = tree.get(path) else { panic!("no {path}") };
    let scratch = scratch.display();
    String::from_utf8(content.to_vec())
        .unwrap()
        .replace("/run/s6-linux-init-container-results/exitcode", &format!("{scratch}/exitcode"))
        .replace("/run/s6/basedir/bin/halt", &format!("touch {scratch}/halted"))
        // Here are the s6-rc of other tests, and not only that of a boot.
        .replace("in /proc/[0-9]* ;", "in /proc/self ;")
}

/// A oneshot under s6-overlay, with its script for failures.
struct Step {
    folder: TempDir,
}

impl Step {
    fn new() -> Step {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "[oneshot.step]\nup = [\"true\"]\non-failure.then = \"stop-container\"\n";
        let script = for_overlay(manifest, "etc/s6-overlay/sv/step/data/on-failure", folder.path());
        fs::write(folder.path().join("on-failure"), script).unwrap();
        let stop = for_overlay(manifest, "etc/s6-overlay/sv/step/data/stop", folder.path());
        fs::write(folder.path().join("stop"), stop).unwrap();
        fs::write(folder.path().join("exitcode"), "0\n").unwrap();
        Step { folder }
    }

    /// Starts `command` of a shell with these arguments of the script.
    fn start(&self, arguments: &[&str], command: &str) -> Child {
        let programs = format!("{}:/usr/lib/execline/bin", std::env::var("PATH").unwrap());
        let mut script = Command::new("sh");
        script
            .arg(self.folder.path().join("on-failure"))
            .args(["start", "step"])
            .args(arguments)
            .args(["sh", "-c", command]);
        script.env("PATH", programs).current_dir(self.folder.path());
        script.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn run(&self, arguments: &[&str], command: &str) -> Output {
        self.start(arguments, command).wait_with_output().unwrap()
    }

    /// The code with which the container stops, if it does.
    fn code(&self) -> Option<String> {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap();
        self.folder.path().join("halted").exists().then(|| read("exitcode").trim().to_owned())
    }

    fn lines(&self, name: &str) -> usize {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default().lines().count()
    }
}

#[test]
fn a_oneshot_is_tried_again_until_it_succeeds() {
    needs!("s6", "execline");
    let (folder, output) = up(
        "[oneshot.step]\nup = 'echo x >>SCRATCH/tries; test \"$(wc -l <SCRATCH/tries)\" = 3'\non-failure = { tries = 5, pause = \"1s\" }\n",
        "step",
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(folder.path().join("tries")).unwrap(), "x\nx\nx\n");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("step: try 2 of 5 failed with exit code 1, the next one comes in 1 s"), "{text}");
    // The first word of what it repeats is `export` here, which a shell has, too.
    let (folder, output) = up(
        "[oneshot.step]\nup = ['touch', 'SCRATCH/ran']\nenvironment.A = 'b'\non-failure.tries = 2\n",
        "step",
    );
    assert!(output.status.success() && folder.path().join("ran").exists(), "{output:?}");
    let (_folder, output) = up("[oneshot.step]\nup = ['sh', '-c', 'exit 7']\non-failure.tries = 2\n", "step");
    assert_eq!(output.status.code(), Some(7), "the last try decides");
}

#[test]
fn a_pause_between_tries_doubles_up_to_its_limit() {
    needs!("s6", "execline");
    let output = Step::new().run(&["4", "1", "2", "fail", "0"], "exit 3");
    let text = String::from_utf8(output.stderr).unwrap();
    let pauses: Vec<&str> = text.lines().filter_map(|line| line.split("comes in ").nth(1)).collect();
    assert_eq!(pauses, ["1 s", "2 s", "2 s"], "{text}");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn exit_code_100_ends_all_tries() {
    needs!("s6", "execline");
    let step = Step::new();
    let output = step.run(&["9", "1", "1", "fail", "0"], "echo x >>tries; exit 100");
    assert_eq!((output.status.code(), step.lines("tries")), (Some(100), 1));
    let (_folder, output) = up(
        "[oneshot.step]\nup = ['true']\nvariables.S6GEN_NOT_SET = {}\nwith-contenv = false\non-failure.tries = 9\n",
        "step",
    );
    assert_eq!(output.status.code(), Some(100), "{output:?}");
}

#[test]
fn a_failure_can_be_ignored() {
    needs!("s6", "execline");
    let (_folder, output) =
        up("[oneshot.step]\nup = ['sh', '-c', 'exit 7']\non-failure.then = \"ignore\"\n", "step");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "step: failed with exit code 7, ignored\n");
    // A step that hangs ends with all its processes when its time is over.
    let (folder, output) = up(
        "[oneshot.step]\nup = 'sleep 1000 & echo $! >SCRATCH/pid; sleep 1000; true'\ntimeout-up = \"1s\"\non-failure.then = \"ignore\"\n",
        "step",
    );
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.ends_with("step: takes too long, ignored\n"), "{text}");
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    eventually("its child ends", || !Path::new("/proc").join(pid.trim()).exists());
    // Nor does it matter that it does not want to end.
    let stubborn = "trap '' TERM; echo $$ >stubborn; sleep 1000; sleep 1000";
    let step = Step::new();
    assert!(step.run(&["1", "1", "1", "ignore", "1"], stubborn).status.success());
    // A step that is done in time leaves no timer behind: nobody holds its output open, so it is read to its end.
    let (_folder, output) =
        up("[oneshot.step]\nup = ['true']\ntimeout-up = \"1h\"\non-failure.then = \"ignore\"\n", "step");
    assert!(output.status.success());
}

#[test]
fn the_container_stops_with_the_code_of_a_failed_oneshot() {
    needs!("s6", "execline");
    let step = Step::new();
    assert_eq!(step.run(&["1", "1", "1", "stop-container", "0"], "exit 3").status.code(), Some(3));
    assert_eq!(step.code().as_deref(), Some("3"));
    let step = Step::new();
    assert!(step.run(&["1", "1", "1", "stop-container", "0"], "true").status.success());
    assert_eq!(step.code(), None);
    let step = Step::new();
    fs::write(step.folder.path().join("exitcode"), "5\n").unwrap();
    step.run(&["1", "1", "1", "stop-container", "0"], "kill -SEGV $$");
    assert_eq!(step.code().as_deref(), Some("5"), "an earlier code is kept");
    // What s6-rc does when `timeout-up` is over.
    let step = Step::new();
    let script =
        step.start(&["1", "1", "1", "stop-container", "0"], "trap '' TERM; touch started; sleep 1000");
    eventually("the step has started", || step.folder.path().join("started").exists());
    let kill = Command::new("kill").arg(script.id().to_string()).status().unwrap();
    assert!(kill.success() && !script.wait_with_output().unwrap().status.success());
    assert_eq!(step.code().as_deref(), Some("124"));
}

#[test]
fn a_step_that_is_tried_again_has_its_signals() {
    needs!("s6", "execline");
    let step = Step::new();
    // A shell whose program ends by INT usually ends by it, too. Whoever runs the tests may have it ignored.
    let output = step.run(&["1", "1", "1", "ignore", "0"], "kill -INT $$; exit 9");
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stderr).contains("ignored"),
        "{output:?}"
    );
    let ignored = "grep SigIgn /proc/self/status";
    let output = step.run(&["1", "1", "1", "ignore", "9"], ignored);
    let without = Command::new("sh").args(["-c", ignored]).output().unwrap();
    assert_eq!(output.stdout, without.stdout);
}

#[test]
fn early_deaths_in_a_row_are_final_and_later_ones_follow_the_codes() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        # Early each time, also with a code that would be final later.
        [longrun.early]
        run = ["sh", "-c", 'echo x >>SCRATCH/early']
        on-exit = { early = "1h", deaths = 3, codes = [0] }

        # Never early: the list of codes decides.
        [longrun.later]
        run = ["sh", "-c", 'echo x >>SCRATCH/later; sleep 0.2; test "$(wc -l <SCRATCH/later)" -lt 3 || exit 7']
        on-exit = { early = "100ms", deaths = 1, codes = [7] }

        # A run that is long enough ends the row: early, early, late, early, early, early.
        [longrun.mixed]
        run = ["sh", "-c", 'echo x >>SCRATCH/mixed; test "$(wc -l <SCRATCH/mixed)" != 3 || sleep 2']
        on-exit = { early = "1s", deaths = 3 }
        "##,
    );
    let cases = [("early", 3), ("later", 3), ("mixed", 6)];
    for (name, _) in cases {
        s.control("-u", name);
    }
    for (name, starts) in cases {
        s.text(name, starts);
        assert!(s.wait("-D", name, LIMIT), "{name}");
    }
    sleep(Duration::from_millis(1500));
    for (name, starts) in cases {
        assert_eq!(s.text(name, starts).lines().count(), starts, "{name}");
    }
    // A start by hand begins a new row.
    s.control("-u", "early");
    assert_eq!(s.text("early", 6).lines().count(), 6);
}

#[test]
fn an_ordered_stop_ends_the_row_of_early_deaths() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", 'echo x >>SCRATCH/web; test "$(wc -l <SCRATCH/web)" != 2 || exec sleep 1000']
        on-exit = { early = "1h", deaths = 2 }
        "##,
    );
    s.control("-u", "web");
    s.text("web", 2);
    s.control("-d", "web");
    assert!(s.wait("-D", "web", LIMIT));
    s.control("-u", "web");
    s.text("web", 4);
    assert!(s.wait("-D", "web", LIMIT));
}

/// The code with which the container stops if the service ends with `end`. `None` if it only stays down, or starts again.
fn code_after(on_exit: &str, end: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let run = "[longrun.web]\nwith-contenv = false\nrun = ['sh', '-c', 'echo x >>SCRATCH/starts; test \"$(wc -l <SCRATCH/starts)\" -gt 1 || ".to_owned()
        + end + "; exec sleep 1000']\n";
    let s = Supervision::start(&(run.clone() + &on_exit.replace("stop-container", "give-up")));
    let run_table = run.clone();
    let finish = for_overlay(&(run + on_exit), "etc/s6-overlay/sv/web/finish", folder.path());
    fs::write(folder.path().join("exitcode"), "0\n").unwrap();
    write_program(&s.path("scan/web/finish"), &finish);
    if on_exit.contains("stop-container") {
        let stop = for_overlay(&(run_table + on_exit), "etc/s6-overlay/sv/web/data/stop", folder.path());
        write_program(&s.path("scan/web/data/stop"), &stop);
    }
    s.control("-u", "web");
    s.text("starts", 1);
    eventually("it is down for good or up again", || {
        s.status("web", "wantedup,up") == "false false" || s.text("starts", 0).lines().count() > 1
    });
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap().trim().to_owned();
    let again = s.text("starts", 0).lines().count() > 1;
    assert!(!again || !folder.path().join("halted").exists());
    match folder.path().join("halted").exists() {
        true => Some(read("exitcode")),
        false => again.then(|| "again".to_owned()),
    }
}

#[test]
fn the_first_table_of_on_exit_that_applies_counts() {
    needs!("s6", "execline");
    let tables = "[[longrun.web.on-exit]]\ncodes = [0]\n[[longrun.web.on-exit]]\ncodes = [75]\nthen = \"restart\"\n\
                  [[longrun.web.on-exit]]\nthen = \"stop-container\"\n";
    assert_eq!(code_after(tables, "exit 0"), None, "gives up");
    assert_eq!(code_after(tables, "exit 75").as_deref(), Some("again"));
    assert_eq!(code_after(tables, "exit 3").as_deref(), Some("3"));
    assert_eq!(code_after(tables, "kill -KILL $$").as_deref(), Some("137"));
    let early = "[[longrun.web.on-exit]]\nearly = \"1h\"\ndeaths = 1\nthen = \"stop-container\"\n[[longrun.web.on-exit]]\ncodes = [0]\n";
    assert_eq!(
        code_after(early, "exit 0").as_deref(),
        Some("0"),
        "an early death follows the table with `early`"
    );
}

#[test]
fn the_time_before_a_restart_doubles_up_to_its_limit() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", 'cut -d " " -f 1 /proc/uptime >>SCRATCH/web; exit 1']
        restart-delay = "1s..2s"
        "##,
    );
    s.control("-u", "web");
    let text = s.text("web", 5);
    let times: Vec<f64> = text.lines().map(|line| line.parse().unwrap()).collect();
    // Lower bounds only: a busy machine may take longer.
    let pauses: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] > 0.9 && pauses[1..].iter().all(|pause| *pause > 1.9), "{pauses:?}");
}

#[test]
fn a_service_that_is_not_ready_in_time_can_count_as_ready() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sleep", "1000"]
        ready = { check = ["false"], on-timeout = "go-on" }
        timeout-up = "1s"

        # Its process dies again and again before the time is over.
        [longrun.dying]
        run = ["sh", "-c", "sleep 1; exit 1"]
        ready = { check = ["false"], on-timeout = "go-on" }
        timeout-up = "4s"

        # Its process never lives long enough for a look.
        [longrun.dead]
        run = ["false"]
        ready = { check = ["false"], on-timeout = "go-on" }
        timeout-up = "2s"

        [longrun.told]
        run = ["sh", "-c", 'echo >&4; exec 4>&-; exec sleep 1000']
        ready = { fd = 4, on-timeout = "go-on" }
        timeout-up = "1h"
        "##,
    );
    s.control("-u", "web");
    s.control("-u", "told");
    assert!(s.wait("-U", "web", LIMIT) && s.wait("-U", "told", LIMIT));
    for name in ["dying", "dead"] {
        let service = s.path(&format!("scan/{name}"));
        let start = Command::new("s6-svc").args(["-wU", "-T", "60000", "-u"]).arg(service).status().unwrap();
        assert!(start.success(), "{name}: deaths do not matter");
    }
}

#[test]
fn a_service_that_is_not_ready_in_time_can_stop_the_container() {
    needs!("s6", "execline");
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[longrun.web]\nwith-contenv = false\nrun = ['sleep', '1000']\n\
        ready = { check = ['test', '-e', 'SCRATCH/go'], interval = '50ms' }\ntimeout-up = '1s'\n";
    let late = manifest.replace("'50ms'", "'50ms', on-timeout = 'stop-container'");
    let script = for_overlay(&late, "etc/s6-overlay/sv/web/data/on-timeout", folder.path());
    let run = for_overlay(&late, "etc/s6-overlay/sv/web/run", folder.path());
    let stop = for_overlay(&late, "etc/s6-overlay/sv/web/data/stop", folder.path());
    let finish = for_overlay(&late, "etc/s6-overlay/sv/web/finish", folder.path());
    let started = |is_ready: bool| {
        let s = Supervision::start(manifest);
        let own = s.path("").display().to_string();
        let run = run.replace("SCRATCH/", &own).replace("/command/execlineb", "/usr/bin/env -S execlineb");
        write_program(&s.path("scan/web/run"), &run);
        write_program(&s.path("scan/web/data/on-timeout"), &script);
        write_program(&s.path("scan/web/finish"), &finish);
        write_program(&s.path("scan/web/data/stop"), &stop);
        let check = fs::read_to_string(s.path("scan/web/data/check")).unwrap();
        write_program(&s.path("scan/web/data/check"), &check.replace("SCRATCH/", &own));
        if is_ready {
            fs::write(s.path("go"), "").unwrap();
        }
        fs::write(folder.path().join("exitcode"), "0\n").unwrap();
        s.control("-u", "web");
        s
    };
    let s = started(false);
    eventually("the container stops", || folder.path().join("halted").exists());
    assert_eq!(fs::read_to_string(folder.path().join("exitcode")).unwrap(), "124\n");
    drop(s);
    fs::remove_file(folder.path().join("halted")).unwrap();
    // An ordered stop ends the time.
    let s = started(false);
    s.control("-d", "web");
    sleep(Duration::from_millis(1500));
    assert!(s.wait("-D", "web", LIMIT) && !s.path("scan/web/since").exists());
    assert!(!folder.path().join("halted").exists());
    drop(s);
    let s = started(true);
    assert!(s.wait("-U", "web", LIMIT));
    sleep(Duration::from_millis(1500));
    assert!(!folder.path().join("halted").exists());
}
