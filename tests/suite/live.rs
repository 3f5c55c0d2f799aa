//! Compiles and runs generated trees with the real s6-rc, if it is on PATH. Each test is named after the promise that it
//! checks.
//!
//! Tests for which s6-supervise is enough are in `supervise`.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::require;
use crate::supervise::{build, eventually, listens, read_lines};

/// A system that s6-rc manages: the services of a manifest, and of another layer's source directory if there is one.
pub struct Machine {
    folder: TempDir,
    scanner: Child,
}

impl Machine {
    /// Compiles `manifest`, in which `SCRATCH` stands for a scratch folder, and starts the services of the boot. Reports that
    /// s6-rc is missing, and returns `None`, if it is.
    pub fn boot(test: &str, manifest: &str) -> Option<Self> {
        Self::boot_with(test, "", manifest, &[])
    }

    /// Boots with further keys of `[target]`, and with oneshots of another layer: the name and the `up` of each.
    pub fn boot_with(test: &str, target: &str, manifest: &str, other_layer: &[(&str, &str)]) -> Option<Self> {
        if !require::all(test, &["s6", "execline", "s6-rc"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        // Services and loggers that run as other accounts need access to the folder.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = folder.path().to_str().unwrap();
        build(
            &format!("[target]\ns6-rc = \"0.7.0.0\"\ntree = \"{path}/source\"\n{target}\n\n{manifest}")
                .replace("SCRATCH", path),
        );
        fs::create_dir(place("other")).unwrap();
        for (name, up) in other_layer {
            let definition = place("other").join(name);
            fs::create_dir(&definition).unwrap();
            fs::write(definition.join("type"), "oneshot\n").unwrap();
            fs::write(definition.join("up"), up.replace("SCRATCH", path)).unwrap();
        }
        fs::create_dir(place("scan")).unwrap();
        run("s6-rc-compile", &[&place("database"), &place("source"), &place("other")]);
        // What reaches the container's log.
        let log = fs::File::create(place("container")).unwrap();
        let scanner = Command::new("s6-svscan").arg(place("scan")).stdout(log).stderr(Stdio::null()).spawn();
        let machine = Machine { scanner: scanner.unwrap(), folder };
        eventually("s6-svscan is up", || listens(&machine.path("scan")));
        let [database, live, scan] = ["database", "live", "scan"].map(|name| machine.path(name));
        run("s6-rc-init", &[Path::new("-c"), &database, Path::new("-l"), &live, &scan]);
        machine.s6rc(&["-u", "change", "default"]);
        Some(machine)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs s6-rc on the live state.
    pub fn s6rc(&self, arguments: &[&str]) -> Output {
        Command::new("s6-rc").arg("-l").arg(self.path("live")).args(arguments).output().unwrap()
    }

    pub fn up(&self, names: &[&str]) -> bool {
        self.s6rc(&[&["-u", "change"], names].concat()).status.success()
    }

    pub fn down(&self, names: &[&str]) -> bool {
        self.s6rc(&[&["-d", "change"], names].concat()).status.success()
    }

    /// Sends the s6-svc command `option` to a service, whether it is up or not.
    pub fn control(&self, option: &str, name: &str) {
        run("s6-svc", &[Path::new(option), &self.path("live/servicedirs").join(name)]);
    }

    /// A field of the state of a service, as s6-svstat prints it.
    pub fn field(&self, name: &str, field: &str) -> String {
        let place = self.path("live/servicedirs").join(name);
        let output = Command::new("s6-svstat").args(["-o", field]).arg(place).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The services of the manifest that are up, in alphabetical order.
    pub fn active(&self) -> String {
        let output = self.s6rc(&["-a", "list"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<&str> = text.lines().filter(|name| !name.starts_with("s6rc-")).collect();
        names.sort_unstable();
        names.join(" ")
    }

    pub fn text(&self, name: &str, lines: usize) -> String {
        read_lines(&self.path(name), lines)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.s6rc(&["-D", "-a", "-t", "10000", "change"]);
        let _ = Command::new("s6-svscanctl").arg("-t").arg(self.path("scan")).status();
        let _ = self.scanner.wait();
    }
}

/// Runs a program that must succeed.
fn run(program: &str, arguments: &[&Path]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn services_of_the_boot_are_up_and_others_start_on_demand() {
    let manifest = r##"
        [longrun.web]
        run = ["sleep", "1000"]

        [longrun.tool]
        start = "on-demand"
        run = ["sleep", "1000"]

        [oneshot.step]
        start = "boot"
        up = ["touch", "SCRATCH/step"]

        [oneshot.rare]
        start = "on-demand"
        up = ["touch", "SCRATCH/rare"]
        "##;
    let name = "services_of_the_boot_are_up_and_others_start_on_demand";
    let Some(m) = Machine::boot(name, manifest) else { return };
    assert_eq!(m.active(), "step web");
    assert!(m.path("step").exists() && !m.path("rare").exists());
    assert!(m.up(&["tool", "rare"]));
    assert_eq!(m.active(), "rare step tool web");
    assert!(m.path("rare").exists());
}

#[test]
fn a_service_starts_when_its_dependencies_are_up() {
    let manifest = r##"
        [longrun.database]
        ready.fd = 3
        run = "sleep 0.5 ; echo database >> SCRATCH/order ; echo >&3 ; exec sleep 1000"

        [oneshot.migrate]
        dependencies = ["database"]
        up = "sleep 0.5 ; echo migrate >> SCRATCH/order"

        [longrun.web]
        dependencies = ["migrate"]
        run = "echo web >> SCRATCH/order ; exec sleep 1000"
        "##;
    let Some(m) = Machine::boot("a_service_starts_when_its_dependencies_are_up", manifest) else { return };
    assert_eq!(m.text("order", 3), "database\nmigrate\nweb\n");
    assert!(m.down(&["database"]));
    assert_eq!(m.active(), "", "what depends on it is stopped first");
}

#[test]
fn a_logger_starts_after_what_its_producers_wait_for() {
    // A logger that starts at once makes `SCRATCH/log` itself: then `directory` finds it, and fails. `check` needs a
    // producer of the logger, which therefore cannot wait for it.
    let manifest = r##"
        [defaults.longrun]
        log.to = "SCRATCH/log/all"

        [oneshot.directory]
        up = "sleep 0.5 ; mkdir -m 0750 SCRATCH/log"

        [oneshot.parts]
        up = "sleep 0.3 ; test ! -e SCRATCH/parts ; mkdir SCRATCH/parts"

        [longrun.first]
        run = "echo first ; exec sleep 1000"

        [oneshot.check]
        dependencies = ["first", "parts"]
        up = "test -d SCRATCH/log/all"

        [longrun.second]
        dependencies = ["check"]
        run = "echo second ; exec sleep 1000"
        log.stderr = "SCRATCH/parts/second"

        [longrun.third]
        dependencies = ["directory"]
        run = "echo third ; exec sleep 1000"
        "##;
    let name = "a_logger_starts_after_what_its_producers_wait_for";
    let Some(m) = Machine::boot_with(name, "rootless = true", manifest, &[]) else { return };
    assert_eq!(
        m.active(),
        "check directory first first-log parts second second-err-log third",
        "each step found its place as it was"
    );
    let log = m.text("log/all/current", 3);
    assert!(["first", "second", "third"].into_iter().all(|line| log.contains(line)), "{log}");
}

#[test]
fn a_service_with_required_by_is_up_before_the_named_one() {
    let manifest = r##"
        [oneshot.one]
        required-by = ["two"]
        up = "sleep 0.4 ; echo one >> SCRATCH/order"

        [longrun.two]
        required-by = ["three"]
        ready.fd = 3
        run = "sleep 0.4 ; echo two >> SCRATCH/order ; echo >&3 ; exec sleep 1000"

        [oneshot.three]
        up = "sleep 0.4 ; echo three >> SCRATCH/order"

        [bundle.both]
        contents = ["two", "three"]
        required-by = ["four"]

        [oneshot.four]
        up = "echo four >> SCRATCH/order"
        "##;
    let Some(m) = Machine::boot("a_service_with_required_by_is_up_before_the_named_one", manifest) else {
        return;
    };
    assert_eq!(m.text("order", 4), "one\ntwo\nthree\nfour\n");
}

#[test]
fn a_bundle_starts_and_stops_its_members_after_what_it_depends_on() {
    let manifest = r##"
        [oneshot.ground]
        start = "on-demand"
        up = "sleep 0.5 ; echo ground >> SCRATCH/order"

        [longrun.mail]
        start = "on-demand"
        run = "echo member >> SCRATCH/order ; exec sleep 1000"

        [longrun.web]
        start = "on-demand"
        run = "echo member >> SCRATCH/order ; exec sleep 1000"

        [bundle.office]
        contents = ["mail", "web"]
        dependencies = ["ground"]
        "##;
    let name = "a_bundle_starts_and_stops_its_members_after_what_it_depends_on";
    let Some(m) = Machine::boot(name, manifest) else { return };
    assert_eq!(m.active(), "");
    assert!(m.up(&["office"]));
    assert_eq!(m.active(), "ground mail web");
    assert_eq!(m.text("order", 3), "ground\nmember\nmember\n");
    assert!(m.down(&["office"]));
    assert_eq!(m.active(), "ground");
}

#[test]
fn a_template_is_a_service_for_each_instance_and_the_bundle_of_them_all() {
    let manifest = r##"
        [longrun.worker]
        start = "on-demand"
        instances = { mail = { port = "25" }, images = {} }
        parameters = ["port"]
        run = ["sh", "-c", "echo {{ instance }} {{ port | default('80') }} > SCRATCH/{{ name }} ; exec sleep 1000"]

        [oneshot.disk]
        start = "on-demand"
        instances = { a = { size = "1" }, b = { size = "2" } }
        parameters = ["size"]
        up = ["sh", "-c", "echo {{ size }} > SCRATCH/{{ name }}"]
        "##;
    let name = "a_template_is_a_service_for_each_instance_and_the_bundle_of_them_all";
    let Some(m) = Machine::boot(name, manifest) else { return };
    assert!(m.up(&["worker-mail"]));
    assert_eq!(m.active(), "worker-mail");
    assert!(m.up(&["worker", "disk"]));
    assert_eq!(m.active(), "disk-a disk-b worker-images worker-mail");
    assert_eq!(
        (m.text("worker-mail", 1), m.text("worker-images", 1)),
        ("mail 25\n".into(), "images 80\n".into())
    );
    assert_eq!((m.text("disk-a", 1), m.text("disk-b", 1)), ("1\n".into(), "2\n".into()));
}

#[test]
fn a_default_of_a_type_applies_to_each_service_without_its_own_value() {
    let manifest = r##"
        [defaults.longrun]
        environment = { WHO = "{{ name }}", MODE = "far" }

        [defaults.oneshot]
        workdir = "/usr"

        [longrun.web]
        environment.MODE = "near"
        run = ["sh", "-c", "echo $WHO $MODE > SCRATCH/web ; exec sleep 1000"]

        [longrun.mail]
        run = ["sh", "-c", "echo $WHO $MODE > SCRATCH/mail ; exec sleep 1000"]

        [oneshot.step]
        up = "pwd > SCRATCH/step"

        [oneshot.outer]
        workdir = "/"
        up = "pwd > SCRATCH/outer"
        "##;
    let name = "a_default_of_a_type_applies_to_each_service_without_its_own_value";
    let Some(m) = Machine::boot(name, manifest) else { return };
    assert_eq!((m.text("web", 1), m.text("mail", 1)), ("web near\n".into(), "mail far\n".into()));
    assert_eq!((m.text("step", 1), m.text("outer", 1)), ("/usr\n".into(), "/\n".into()));
}

#[test]
fn a_start_that_takes_too_long_fails_and_what_depends_on_it_stays_down() {
    let manifest = r##"
        [longrun.mute]
        start = "on-demand"
        timeout-up = "500ms"
        ready.fd = 3
        run = ["sh", "-c", "exec sleep 1000 # never writes to 3"]

        [oneshot.slow]
        start = "on-demand"
        timeout-up = "500ms"
        up = ["sleep", "20"]

        [oneshot.after]
        start = "on-demand"
        dependencies = ["mute"]

        [oneshot.behind]
        start = "on-demand"
        dependencies = ["slow"]
        "##;
    let name = "a_start_that_takes_too_long_fails_and_what_depends_on_it_stays_down";
    let Some(m) = Machine::boot(name, manifest) else { return };
    assert!(!m.up(&["after"]) && !m.up(&["behind"]));
    assert_eq!(m.active(), "");
}

#[test]
fn a_stop_that_takes_too_long_fails() {
    let manifest = r##"
        [longrun.stubborn]
        timeout-down = "500ms"
        timeout-kill = "4s"
        run = ["sh", "-c", "trap : TERM ; touch SCRATCH/deaf ; while : ; do sleep 0.1 ; done"]

        [oneshot.step]
        timeout-down = "500ms"
        down = ["sleep", "20"]
        "##;
    let Some(m) = Machine::boot("a_stop_that_takes_too_long_fails", manifest) else { return };
    eventually("it is deaf", || m.path("deaf").exists());
    assert!(!m.down(&["stubborn"]) && !m.down(&["step"]));
}

#[test]
fn down_undoes_a_oneshot_when_it_stops() {
    let manifest = r##"
        [oneshot.mount]
        up = ["touch", "SCRATCH/mounted"]
        down = ["rm", "SCRATCH/mounted"]

        [oneshot.place]
        up = "pwd > SCRATCH/place"
        "##;
    let Some(m) = Machine::boot("down_undoes_a_oneshot_when_it_stops", manifest) else { return };
    assert!(m.path("mounted").exists());
    assert!(m.text("place", 1).ends_with("/s6rc-oneshot-runner\n"), "as the reference says of `workdir`");
    assert!(m.down(&["mount"]));
    assert!(!m.path("mounted").exists());
}

#[test]
fn an_essential_service_is_stopped_only_by_force() {
    let manifest = r##"
        [longrun.daemon]
        flag-essential = true
        run = ["sleep", "1000"]

        [oneshot.step]
        flag-essential = true

        [longrun.member]
        run = ["sleep", "1000"]

        [bundle.all]
        contents = ["member"]
        flag-essential = true

        [longrun.other]
        run = ["sleep", "1000"]
        "##;
    let Some(m) = Machine::boot("an_essential_service_is_stopped_only_by_force", manifest) else { return };
    for name in ["daemon", "step", "member", "other"] {
        m.down(&[name]);
    }
    assert_eq!(m.active(), "daemon member step");
    assert!(m.s6rc(&["-D", "change", "daemon", "member", "step"]).status.success());
    assert_eq!(m.active(), "");
}

#[test]
fn a_pipeline_passes_lines_on_and_has_a_name() {
    let manifest = r##"
        [longrun.source]
        start = "on-demand"
        producer-for = "filter"
        run = ["sh", "-c", "echo payload ; exec sleep 1000"]

        [longrun.filter]
        start = "on-demand"
        run = ["sed", "-u", "s/^/filtered /"]

        [longrun.sink]
        start = "on-demand"
        consumer-for = ["filter"]
        pipeline-name = "flow"
        run = "cat > SCRATCH/sink"
        "##;
    let Some(m) = Machine::boot("a_pipeline_passes_lines_on_and_has_a_name", manifest) else { return };
    assert!(m.up(&["flow"]));
    assert_eq!(m.active(), "filter sink source");
    assert_eq!(m.text("sink", 1), "filtered payload\n");
    assert!(m.down(&["flow"]));
    assert_eq!(m.active(), "");
}

#[test]
fn a_service_waits_for_a_service_of_another_layer() {
    let manifest = r##"
        [longrun.web]
        dependencies = ["network"]
        run = "echo web >> SCRATCH/order ; exec sleep 1000"
        "##;
    let other_layer = [("network", "sh -c \"sleep 0.5 ; echo network >> SCRATCH/order\"\n")];
    let name = "a_service_waits_for_a_service_of_another_layer";
    let target = "external = [\"network\"]";
    let Some(m) = Machine::boot_with(name, target, manifest, &other_layer) else { return };
    assert_eq!(m.text("order", 2), "network\nweb\n");
}

#[test]
fn the_kill_goes_to_the_whole_group() {
    let manifest = r##"
        [longrun.parent]
        timeout-kill = "300ms"
        flag-timeout-killpg = true
        run = ["sh", "-c", "trap : TERM ; sleep 1000 & echo $! > SCRATCH/child ; while : ; do sleep 0.1 ; done"]
        "##;
    let Some(m) = Machine::boot("the_kill_goes_to_the_whole_group", manifest) else { return };
    let child = m.text("child", 1);
    assert!(is_alive(&child));
    assert!(m.down(&["parent"]));
    eventually("the child is gone", || !is_alive(&child));
}

#[test]
fn the_process_holds_the_lock_open_on_the_descriptor() {
    let manifest = r##"
        [longrun.web]
        lock-fd = 4
        run = ["sh", "-c", "readlink /proc/self/fd/4 > SCRATCH/lock ; exec sleep 1000"]
        "##;
    let Some(m) = Machine::boot("the_process_holds_the_lock_open_on_the_descriptor", manifest) else {
        return;
    };
    assert!(m.text("lock", 1).ends_with("/web/supervise/service-lock\n"));
}

#[test]
fn a_new_set_of_a_repository_includes_recommended_services() {
    let manifest = r##"
        [longrun.web]
        flag-recommended = true
        run = ["sleep", "1000"]

        [oneshot.step]
        flag-recommended = true

        [longrun.plain]
        run = ["sleep", "1000"]

        [bundle.both]
        contents = ["plain"]
        flag-recommended = true

        [longrun.optional]
        run = ["sleep", "1000"]
        "##;
    let name = "a_new_set_of_a_repository_includes_recommended_services";
    let Some(m) = Machine::boot(name, manifest) else { return };
    let repository = m.path("repository");
    run(
        "s6-rc-repo-init",
        &[Path::new("-r"), &repository, Path::new("-h"), Path::new("root"), &m.path("source")],
    );
    run("s6-rc-set-new", &[Path::new("-r"), &repository, Path::new("current")]);
    let output = Command::new("s6-rc-set-status").arg("-r").arg(&repository).arg("current").output().unwrap();
    let status = String::from_utf8(output.stdout).unwrap();
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    assert_eq!([of("web/"), of("step/")], ["active"; 2], "{status}");
    assert_eq!(of("plain/"), "active", "as a member of the bundle: {status}");
    assert_eq!(of("optional/"), "usable", "{status}");
}

#[test]
fn words_after_two_dashes_are_names_even_if_s6gen_leads_its_process_group() {
    for words in [&["stop", "--live", "/nowhere", "--", "web"][..], &["restart", "--live", "/nowhere", "web"]]
    {
        for leads in [false, true] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
            command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if leads {
                command.process_group(0);
            }
            let mut child = command.spawn().unwrap();
            let mut status = None;
            eventually("it does not call itself without end", || {
                status = child.try_wait().unwrap();
                status.is_some()
            });
            assert_eq!(status.unwrap().code(), Some(3), "{words:?}");
        }
    }
}

#[test]
fn a_variable_says_how_many_instances_have_a_process() {
    let name = "a_variable_says_how_many_instances_have_a_process";
    let manifest = r##"
        [longrun.worker]
        instances = 8
        variables.S6GEN_WORKERS = "3"
        only-if = ["test", "{{ instance }}", "-le", "${S6GEN_WORKERS}"]
        ready = { check = ["true"], interval = "100ms" }
        run = ["sleep", "1000"]

        [longrun.plain]
        instances = 4
        variables.S6GEN_WORKERS = "3"
        only-if = ["test", "{{ instance }}", "-le", "${S6GEN_WORKERS}"]
        run = ["sleep", "1000"]
        "##;
    let Some(m) = Machine::boot(name, manifest) else { return };
    let all = (1..=8).map(|number| format!("worker-{number}"));
    let all = (1..=4).map(|number| format!("plain-{number}")).chain(all).collect::<Vec<_>>();
    assert_eq!(m.active(), all.join(" "), "s6-rc counts all of them as up");
    for name in &all {
        let number: u32 = name.rsplit('-').next().unwrap().parse().unwrap();
        let expected = if number <= 3 { "true" } else { "false" };
        eventually("it has its process or none", || m.field(name, "up") == expected);
    }
    let stopped: Vec<&str> = all.iter().map(String::as_str).collect();
    assert!(
        m.down(&stopped) && m.up(&["worker"]) && m.active().contains("worker-8"),
        "and starts them again"
    );
}
