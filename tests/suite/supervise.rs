//! Runs generated scripts under the real s6-supervise. Each test is named after the promise that it checks.
//!
//! The manifests have a target without s6-overlay, whose programs are in `/usr/bin`, as on Debian. A consumer becomes the
//! service `log` of its producer, which gives it the same pipe as s6-rc does.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use s6gen::diagnostic::{Code, Files, Severity};
use s6gen::{compile, install, render};
use tempfile::TempDir;

use crate::failures::for_overlay;
use crate::require::{self, find, needs, say};

/// Whether the programs are there. If not, reports a skip.
pub fn available(test: &str) -> bool {
    require::all(test, &["s6", "execline"])
}

fn is_root(test: &str) -> bool {
    require::all(test, &["root"])
}

/// A supervision tree for the services of a manifest.
pub struct Supervision {
    folder: TempDir,
    scanner: Child,
}

impl Supervision {
    /// Builds `manifest`, in which `SCRATCH` stands for a scratch folder, and supervises its longruns. They find the programs
    /// of [`Supervision::program`] first.
    pub fn start(manifest: &str) -> Self {
        Supervision::start_with(manifest, &[])
    }

    /// The same, with variables of the container.
    pub fn start_with(manifest: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        // Services that run as other accounts need access to the folder.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let manifest = manifest.replace("SCRATCH", path);
        let text = format!("[target]\ns6-rc = \"0.7.0.0\"\ntree = \"{path}/source\"\n\n{manifest}");
        build(&text);
        let scan = folder.path().join("scan");
        fs::create_dir(&scan).unwrap();
        let source = folder.path().join("source");
        for entry in fs::read_dir(&source).unwrap() {
            let definition = entry.unwrap().path();
            let is_longrun =
                fs::read_to_string(definition.join("type")).is_ok_and(|kind| kind == "longrun\n");
            let producer = fs::read_to_string(definition.join("consumer-for")).ok();
            let name = definition.file_name().unwrap().to_string_lossy().into_owned();
            if is_longrun {
                let place = match producer {
                    Some(producer) => scan.join(producer.trim()).join("log"),
                    None => scan.join(&name),
                };
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                copy(&definition, &place);
                if place.ends_with("log") {
                    continue;
                }
                fs::write(place.join("down"), "").unwrap();
            }
        }
        // Debian keeps most programs of execline beside the PATH. In an image they are in it.
        let programs = format!("{path}/bin:{}:/usr/lib/execline/bin", std::env::var("PATH").unwrap());
        let mut scanner = Command::new("s6-svscan");
        let variables = variables.iter().map(|(name, value)| (*name, value.replace("SCRATCH", path)));
        let scanner = scanner.arg(&scan).env("PATH", programs).envs(variables);
        let scanner = scanner.stdout(Stdio::null()).spawn().unwrap();
        let supervision = Supervision { folder, scanner };
        eventually("s6-svscan is up", || listens(&scan));
        supervision
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a program that the services can run.
    pub fn program(&self, name: &str, script: &str) {
        write_program(&self.path("bin").join(name), script);
    }

    fn service(&self, name: &str) -> String {
        self.path("scan").join(name).to_str().unwrap().to_owned()
    }

    /// Sends the s6-svc command `option` to a service, and SIGCONT.
    pub fn control(&self, option: &str, name: &str) {
        let service = self.service(name);
        eventually("the service is supervised", || {
            Command::new("s6-svok").arg(&service).status().unwrap().success()
        });
        eventually("the supervisor listens", || {
            Command::new("s6-svc").args([option, &service]).stderr(Stdio::null()).status().unwrap().success()
        });
    }

    /// Waits until a service is in `state` (`-u`, `-U`, `-d`, `-D`). Returns false after `limit` milliseconds: `LIMIT` for a
    /// state that is expected, `GLANCE` for one that is not.
    pub fn wait(&self, state: &str, name: &str, limit: u32) -> bool {
        let limit = limit.to_string();
        let service = self.service(name);
        // s6-svwait fails at once if the service is not supervised yet.
        eventually("the service is supervised", || {
            Command::new("s6-svok").arg(&service).status().unwrap().success()
        });
        Command::new("s6-svwait")
            .args([state, "-t", &limit, &service])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    /// A field of the state of a service, as s6-svstat prints it.
    pub fn status(&self, name: &str, field: &str) -> String {
        let output = Command::new("s6-svstat").args(["-o", field, &self.service(name)]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// How often a service has ended by itself.
    pub fn deaths(&self, name: &str) -> usize {
        let output = Command::new("s6-svdt").arg(self.service(name)).output().unwrap();
        output.stdout.iter().filter(|byte| **byte == b'\n').count()
    }

    /// The content of a file in the scratch folder, as soon as it holds `lines` lines.
    pub fn text(&self, name: &str, lines: usize) -> String {
        read_lines(&self.path(name), lines)
    }
}

impl Drop for Supervision {
    fn drop(&mut self) {
        let _ = Command::new("s6-svscanctl").arg("-t").arg(self.path("scan")).status();
        let _ = self.scanner.wait();
    }
}

/// Writes a program, and the folder for it. Another process does so: if this one had the file open for a moment, a child that
/// another test starts in that moment would have it open too, and the system would not run the program (`Text file busy`).
pub fn write_program(program: &Path, script: &str) {
    let text = tempfile::NamedTempFile::new().unwrap();
    fs::write(&text, script).unwrap();
    let mut install = Command::new("install");
    let install = install.args(["-D", "-m", "755"]).arg(text.path()).arg(program);
    assert!(install.status().unwrap().success());
}

/// Whether an s6-svscan takes commands. Its fifo exists a moment earlier.
pub fn listens(scan: &Path) -> bool {
    Command::new("s6-svscanctl").arg("-a").arg(scan).output().is_ok_and(|output| output.status.success())
}

/// The number of milliseconds after which a waiting test fails. It is enough for the slowest machine, because no test asserts
/// a time.
pub const LIMIT: u32 = 120_000;

/// The number of milliseconds between two looks.
const GLANCE: u32 = 10;

/// Waits until `condition` holds.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..LIMIT / GLANCE {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(GLANCE.into()));
    }
    panic!("never happened: {what}");
}

/// The content of a file, as soon as it holds `lines` lines.
pub fn read_lines(path: &Path, lines: usize) -> String {
    let read = || fs::read_to_string(path).unwrap_or_default();
    eventually(&format!("{} has {lines} lines", path.display()), || read().lines().count() >= lines);
    read()
}

/// Compiles and installs a manifest whose tree is an absolute path of this machine. Rules may refuse it.
pub fn build(text: &str) {
    let mut files = Files::default();
    let file = files.add("services.toml", text);
    let compilation = compile(&files, file);
    let errors = compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<_> = errors.filter(|problem| !matches!(problem.code, Code::Lint(_))).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let tree = render::tree(&compilation.services).unwrap();
    install::install(&tree, Path::new("/"), &compilation.services.target.tree).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg("-T").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

#[test]
fn an_argument_vector_arrives_unchanged() {
    if !available("an_argument_vector_arrives_unchanged") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", 'printf "%s|" "$@" > SCRATCH/out.new; mv SCRATCH/out.new SCRATCH/out; exec sleep 1000', "sh", "a b", "it's",
          '"q"', 'back\slash', "", "\\#", "#", "{", "}", "{ x }", "${HOME}", "$1", "é", "two\nlines", "tab\t", "cr\r"]
        "##,
    );
    s.control("-u", "web");
    eventually("it wrote its arguments", || s.path("out").exists());
    let expected = "a b|it's|\"q\"|back\\slash||\\#|#|{|}|{ x }|${HOME}|$1|é|two\nlines|tab\t|cr\r|";
    assert_eq!(fs::read_to_string(s.path("out")).unwrap(), expected);
}

#[test]
fn environment_directory_and_mask_are_those_of_the_manifest() {
    if !available("environment_directory_and_mask_are_those_of_the_manifest") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        workdir = "SCRATCH"
        umask = "027"
        environment = { GREETING = "hello \"world\" $HOME", "with.dot" = "1", PATH = "/nowhere:/usr/bin:/bin" }
        run = ["sh", "-c", 'env > out.new; pwd >> out.new; umask >> out.new; mv out.new out; exec sleep 1000']
        "##,
    );
    s.control("-u", "web");
    let out = s.text("out", 5);
    let has = |line: &str| out.lines().any(|l| l == line);
    assert!(has("GREETING=hello \"world\" $HOME"), "{out}");
    assert!(has("PATH=/nowhere:/usr/bin:/bin"), "{out}");
    assert!(has(s.folder.path().to_str().unwrap()), "{out}");
    assert!(has("0027"), "{out}");
}

#[test]
fn a_variable_with_a_dot_reaches_the_program() {
    if !available("a_variable_with_a_dot_reaches_the_program") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        environment."with.dot" = "1"
        run = ["env"]
        log.to = "SCRATCH/log"
        log.user = "0:0"
        log.timestamp = "none"
        "##,
    );
    if !is_root("a_variable_with_a_dot_reaches_the_program") {
        return;
    }
    s.control("-u", "web");
    eventually("env wrote its lines", || s.text("log/current", 1).contains("with.dot=1"));
}

#[test]
fn an_account_sets_its_groups_home_and_name() {
    const NAME: &str = "an_account_sets_its_groups_home_and_name";
    if !available(NAME) || !is_root(NAME) {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.named]
        user = "nobody"
        run = ["sh", "-c", 'echo "$(id -u) $(id -g) $HOME $USER $LOGNAME" > SCRATCH/tmp/named; exec sleep 1000']

        [longrun.group]
        user = "nobody:daemon"
        environment.HOME = "/mine"
        run = ["sh", "-c", 'echo "$(id -u) $(id -g) $HOME" > SCRATCH/tmp/group; exec sleep 1000']

        [longrun.number]
        user = "1234:4321"
        run = ["sh", "-c", 'echo "$(id -u) $(id -g)" > SCRATCH/tmp/number; exec sleep 1000']
        "##,
    );
    fs::create_dir(s.path("tmp")).unwrap();
    fs::set_permissions(s.path("tmp"), std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
    for name in ["named", "group", "number"] {
        s.control("-u", name);
    }
    assert_eq!(s.text("tmp/named", 1), "65534 65534 /nonexistent nobody nobody\n");
    assert_eq!(s.text("tmp/group", 1), "65534 1 /mine\n");
    assert_eq!(s.text("tmp/number", 1), "1234 4321\n");
}

#[test]
fn a_script_gets_the_name_of_its_service_even_with_a_workdir() {
    if !available("a_script_gets_the_name_of_its_service_even_with_a_workdir") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        workdir = "/"
        environment.PATH = "/usr/bin:/bin:/here"
        run = '''
        echo "$1 $PWD $0" > SCRATCH/out
        exec sleep 1000
        '''

        [longrun.bash]
        run = '''
        #!/bin/bash
        echo "$1 ${BASH_VERSION:+bash}" > SCRATCH/bash
        exec sleep 1000
        '''
        "##
        .replace("        ", "")
        .as_str(),
    );
    s.control("-u", "web");
    s.control("-u", "bash");
    assert!(s.text("out", 1).starts_with("web / "));
    assert_eq!(s.text("bash", 1), "bash bash\n");
}

#[test]
fn a_script_without_a_first_line_ends_at_the_first_step_that_fails() {
    if !available("a_script_without_a_first_line_ends_at_the_first_step_that_fails") {
        return;
    }
    let s = Supervision::start("[longrun.web]\nrun = '''\nfalse\necho on > SCRATCH/out\n'''\n");
    s.control("-o", "web");
    assert!(s.wait("-D", "web", LIMIT));
    assert!(!s.path("out").exists());
    // s6-svwait may look before the first start of the service.
    eventually("it ended with 1", || s.status("web", "exitcode") == "1");
}

#[test]
fn a_script_of_one_command_is_the_program_itself_and_ends_with_it() {
    if !available("a_script_of_one_command_is_the_program_itself_and_ends_with_it") {
        return;
    }
    let supervision =
        Supervision::start("[longrun.web]\nrun = '''\n# serves\nsleep 1000 >SCRATCH/out\n'''\n");
    supervision.control("-u", "web");
    assert!(supervision.wait("-u", "web", 20_000));
    let pid = supervision.status("web", "pid");
    let name = || fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    eventually("the supervised process is the program", || name() == "sleep\n");
    supervision.control("-d", "web");
    assert!(supervision.wait("-D", "web", 20_000));
    // The process group of the service is empty.
    assert!(!Command::new("kill").args(["-0", "--", &format!("-{pid}")]).output().unwrap().status.success());
}

#[test]
fn prepare_runs_before_each_start_and_fails_it() {
    if !available("prepare_runs_before_each_start_and_fails_it") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        prepare = ["sh", "-c", 'echo prepared >> SCRATCH/out; test ! -e SCRATCH/stop']
        run = ["sh", "-c", 'echo started >> SCRATCH/out; exec sleep 1000']
        "##,
    );
    s.control("-u", "web");
    assert_eq!(s.text("out", 2), "prepared\nstarted\n");
    s.control("-r", "web");
    assert_eq!(s.text("out", 4), "prepared\nstarted\nprepared\nstarted\n");
    fs::write(s.path("stop"), "").unwrap();
    s.control("-r", "web");
    eventually("the failing step is tried again", || s.text("out", 6).ends_with("prepared\nprepared\n"));
}

#[test]
fn a_service_counts_as_up_when_it_reports_readiness() {
    if !available("a_service_counts_as_up_when_it_reports_readiness") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        ready.fd = 3
        run = ["sh", "-c", 'while ! test -e SCRATCH/go ; do sleep 0.05 ; done ; echo >&3 ; exec sleep 1000']
        "##,
    );
    s.control("-u", "web");
    assert!(s.wait("-u", "web", LIMIT), "it is forked at once");
    assert!(!s.wait("-U", "web", 500), "it is not ready before it says so");
    fs::write(s.path("go"), "").unwrap();
    assert!(s.wait("-U", "web", LIMIT), "it is ready");
}

#[test]
fn finish_gets_the_exit_code_and_signal_and_may_keep_the_service_down() {
    if !available("finish_gets_the_exit_code_and_signal_and_may_keep_the_service_down") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.code]
        run = ["sh", "-c", "exit 3"]
        finish = '''
        #!/bin/sh
        echo "$1 $3" >> SCRATCH/code
        exit 125
        '''

        [longrun.signal]
        run = ["sh", "-c", "kill -9 $$$$"]
        finish = '''echo "$1 $2" >> SCRATCH/signal ; false'''
        "##
        .replace("        ", "")
        .replace("$$$$", "$$")
        .as_str(),
    );
    s.control("-u", "code");
    assert_eq!(s.text("code", 1), "3 code\n");
    assert!(s.wait("-D", "code", LIMIT));
    sleep(Duration::from_millis(1500));
    assert_eq!(s.text("code", 1), "3 code\n", "125 keeps it down");
    s.control("-u", "signal");
    assert!(s.text("signal", 2).starts_with("256 9\n256 9\n"), "any other result restarts it");
}

#[test]
fn a_service_that_ignores_its_stop_signal_is_killed_in_time() {
    if !available("a_service_that_ignores_its_stop_signal_is_killed_in_time") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.stubborn]
        timeout-kill = "300ms"
        run = ["sh", "-c", 'trap "" TERM ; echo up > SCRATCH/out ; while : ; do sleep 0.1 ; done']

        [longrun.polite]
        down-signal = "USR1"
        run = ["sh", "-c", 'trap "echo usr1 > SCRATCH/polite.out; exit 0" USR1 ; echo up > SCRATCH/polite ; while : ; do sleep 0.1 ; done']
        "##,
    );
    s.control("-u", "stubborn");
    s.text("out", 1);
    s.control("-d", "stubborn");
    assert!(s.wait("-d", "stubborn", LIMIT));
    s.control("-u", "polite");
    s.text("polite", 1);
    s.control("-d", "polite");
    assert_eq!(s.text("polite.out", 1), "usr1\n");
}

#[test]
fn the_rest_of_the_process_group_is_stopped_with_the_service() {
    const NAME: &str = "the_rest_of_the_process_group_is_stopped_with_the_service";
    if !available(NAME) {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.parent]
        stop-group = true
        run = ["sh", "-c", 'sleep 1000 & echo $! > SCRATCH/child ; sh -c "trap : TERM ; echo \$\$ > SCRATCH/deaf ; while : ; do sleep 1 ; done" & wait']
        "##,
    );
    s.control("-u", "parent");
    let child: u32 = s.text("child", 1).trim().parse().unwrap();
    let deaf: u32 = s.text("deaf", 1).trim().parse().unwrap();
    let group = s.status("parent", "pid");
    let alive =
        |pid: u32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(alive(child) && alive(deaf));
    // s6 before 2.13 does not pass the process group to `finish`, so the test does.
    let newer = version_of_s6() >= [2, 13];
    s.control("-d", "parent");
    assert!(s.wait("-D", "parent", LIMIT));
    if !newer {
        say(&format!(
            "note: {NAME}: this s6 does not tell `finish` the process group; it is called by hand instead"
        ));
        let finish = s.path("scan/parent/finish");
        let called = Command::new(finish)
            .args(["256", "15", "parent", &group])
            .current_dir(s.path("scan/parent"))
            .status();
        assert!(called.unwrap().success());
    }
    eventually("both are gone", || !alive(child) && !alive(deaf));
}

/// Whether the s6 on PATH tells `finish` the process group, which that of Debian 12 does not.
pub fn tells_group() -> bool {
    let is_packaged =
        find("s6-svscan").is_some_and(|path| path.starts_with("/usr/bin") || path.starts_with("/bin"));
    !is_packaged || version_of_s6() >= [2, 13]
}

fn version_of_s6() -> [u32; 2] {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "s6"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let mut numbers = text.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)]
}

#[test]
fn a_log_is_a_directory_that_rotates_with_a_link_to_its_current_file() {
    const NAME: &str = "a_log_is_a_directory_that_rotates_with_a_link_to_its_current_file";
    if !available(NAME) || !is_root(NAME) {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", 'while ! test -e SCRATCH/go ; do sleep 0.05 ; done ; i=0 ; while test $i -lt 3000 ; do echo "line $i of the log" ; i=$((i+1)) ; done ; echo last ; exec sleep 1000']
        log = { to = "SCRATCH/logs/web", link = true, size = "8KB", keep = 2, timestamp = "none" }
        "##,
    );
    assert!(s.wait("-U", "web/log", LIMIT), "the logger is ready when it reads");
    let folder = fs::metadata(s.path("logs/web")).unwrap();
    assert_eq!(folder.uid(), 65534, "the directory belongs to nobody");
    s.control("-u", "web");
    fs::write(s.path("go"), "").unwrap();
    // The logger may read several lines at once, so the last line may be in the current file or in the one before it.
    let files = || {
        let entries = fs::read_dir(s.path("logs/web")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.to_string_lossy().contains("/@")).collect::<Vec<_>>()
    };
    eventually("the last line is there", || {
        let text = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        text(s.path("logs/web.log")).ends_with("last\n")
            || files().into_iter().any(|file| text(file).ends_with("last\n"))
    });
    assert_eq!(fs::read_link(s.path("logs/web.log")).unwrap(), Path::new("web/current"));
    assert_eq!(files().len(), 2, "two old files are kept");
}

#[test]
fn standard_error_has_its_own_log_and_survives_the_death_of_the_logger() {
    const NAME: &str = "standard_error_has_its_own_log_and_survives_the_death_of_the_logger";
    if !available(NAME) || !is_root(NAME) {
        return;
    }
    // A container has its own /run, but runs of this test share it, so each needs another name for the fifo.
    let name = format!("s6gen-test-{}", std::process::id());
    let logger = format!("{name}-err-log");
    let s = Supervision::start(&format!(
        r##"
        [longrun.{name}]
        run = ["sh", "-c", 'echo out ; i=0 ; while test $i -lt 300 ; do echo "error $i" >&2 ; i=$((i+1)) ; sleep 0.01 ; done ; exec sleep 1000']
        log = {{ to = "SCRATCH/out", stderr = "SCRATCH/err", timestamp = "none" }}
        "##
    ));
    s.control("-u", &logger);
    assert!(s.wait("-U", &logger, LIMIT));
    s.control("-u", &name);
    s.text("err/current", 20);
    let pid = s.status(&name, "pid");
    s.control("-k", &logger);
    let lines = || {
        let mut lines = Vec::new();
        for entry in fs::read_dir(s.path("err")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name == "current" || name.starts_with('@') {
                lines.extend(fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned));
            }
        }
        lines.sort();
        lines
    };
    eventually("every line has arrived", || lines().len() >= 300);
    let mut expected: Vec<String> = (0..300).map(|i| format!("error {i}")).collect();
    expected.sort();
    assert_eq!(lines(), expected, "no line is lost");
    assert_eq!(s.status(&name, "pid"), pid, "the daemon was not disturbed");
    assert_eq!(s.text("out/current", 1), "out\n");
    fs::remove_file(format!("/run/s6gen/{logger}.fifo")).unwrap();
}

/// Runs the `up` of a oneshot as s6-rc does: as the command of its words.
pub fn up(manifest: &str, name: &str) -> (TempDir, std::process::Output) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let manifest = manifest.replace("SCRATCH", path);
    build(&format!("[target]\ns6-rc = \"0.7.0.0\"\ntree = \"{path}/source\"\n\n{manifest}"));
    let script = folder.path().join("source").join(name).join("up");
    let output = Command::new("execlineb").arg("-P").arg(script).current_dir("/").output().unwrap();
    (folder, output)
}

#[test]
fn a_oneshot_runs_exactly_its_command_or_its_steps() {
    if !available("a_oneshot_runs_exactly_its_command_or_its_steps") {
        return;
    }
    let (folder, output) = up("[oneshot.step]\nup = [\"touch\", \"SCRATCH/a b\", \"SCRATCH/c\"]\n", "step");
    assert!(output.status.success(), "{output:?}");
    assert!(folder.path().join("a b").exists() && folder.path().join("c").exists());
    let (folder, output) = up(
        "[oneshot.step]\nworkdir = \"SCRATCH\"\nenvironment.X = \"y z\"\nup = '''\necho \"$X\" > out\ntouch second\n'''\n",
        "step",
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), "y z\n");
    assert!(folder.path().join("second").exists());
}

#[test]
fn a_failing_step_fails_the_oneshot() {
    if !available("a_failing_step_fails_the_oneshot") {
        return;
    }
    let (folder, output) =
        up("[oneshot.step]\nup = '''\ntouch SCRATCH/first\nfalse\ntouch SCRATCH/second\n'''\n", "step");
    assert!(!output.status.success());
    assert!(folder.path().join("first").exists() && !folder.path().join("second").exists());
    let (_folder, output) = up("[oneshot.step]\nup = [\"false\"]\n", "step");
    assert!(!output.status.success());
    let (_folder, output) = up("[oneshot.step]\n", "step");
    assert!(output.status.success(), "a milestone always succeeds");
}

#[test]
fn a_service_is_ready_when_its_check_succeeds() {
    const NAME: &str = "a_service_is_ready_when_its_check_succeeds";
    if !available(NAME) {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.command]
        run = ["sleep", "1000"]
        workdir = "/"
        ready = { check = ["test", "-e", "SCRATCH/go 1"], interval = "50ms" }

        [longrun.script]
        run = ["sleep", "1000"]
        environment.FILE = "SCRATCH/go 2"
        ready = { check = 'test -e "$FILE"', interval = "50ms", fd = 7 }

        [longrun.never]
        run = ["sleep", "1000"]
        ready = { check = ["false"], interval = "50ms", tries = 3 }
        "##,
    );
    for (name, file) in [("command", "go 1"), ("script", "go 2")] {
        s.control("-u", name);
        assert!(s.wait("-u", name, LIMIT));
        assert!(!s.wait("-U", name, 400), "{name} is not ready before the check succeeds");
        fs::write(s.path(file), "").unwrap();
        assert!(s.wait("-U", name, LIMIT), "{name} is ready when the check succeeds");
    }
    s.control("-u", "never");
    assert!(!s.wait("-U", "never", 1_000));
}

#[test]
fn a_service_is_ready_when_its_socket_answers() {
    const NAME: &str = "a_service_is_ready_when_its_socket_answers";
    if !available(NAME) {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.unix]
        run = "while ! test -e SCRATCH/go ; do sleep 0.05 ; done ; exec s6-ipcserver SCRATCH/socket true"
        ready = { unix = "SCRATCH/socket", interval = "50ms" }
        "##,
    );
    s.control("-u", "unix");
    assert!(!s.wait("-U", "unix", 200));
    fs::write(s.path("go"), "").unwrap();
    assert!(s.wait("-U", "unix", LIMIT));
    if !require::all(NAME, &["s6-networking"]) {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let s = Supervision::start(&format!(
        r##"
        [longrun.tcp]
        run = ["sleep", "1000"]
        ready = {{ tcp = "localhost:{port}", interval = "50ms" }}

        [longrun.http]
        run = ["sleep", "1000"]
        ready = {{ http = "http://localhost:{port}/health", interval = "50ms" }}
        "##
    ));
    s.control("-u", "tcp");
    s.control("-u", "http");
    assert!(!s.wait("-U", "tcp", 300) && !s.wait("-U", "http", 300));
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let good = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let answer = good.clone();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request);
            let status =
                if answer.load(std::sync::atomic::Ordering::SeqCst) { "204 Fine" } else { "503 Not yet" };
            let _ = write!(stream, "HTTP/1.0 {status}\r\n\r\n");
        }
    });
    assert!(s.wait("-U", "tcp", LIMIT), "the port accepts connections");
    assert!(!s.wait("-U", "http", 300), "503 is not ready");
    good.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(s.wait("-U", "http", LIMIT), "204 is ready");
}

#[test]
fn a_service_stays_down_after_a_final_death_and_starts_again_after_any_other() {
    if !available("a_service_stays_down_after_a_final_death_and_starts_again_after_any_other") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.codes]
        run = ["sh", "-c", 'echo x >> SCRATCH/codes ; test "$(wc -l < SCRATCH/codes)" -lt 2 || exit 78 ; exit 1']
        on-exit.codes = [78]

        [longrun.except]
        run = ["sh", "-c", 'echo x >> SCRATCH/except ; test "$(wc -l < SCRATCH/except)" -lt 2 || exit 5']
        on-exit.except = [0]

        [longrun.deaths]
        run = ["sh", "-c", 'echo x >> SCRATCH/deaths ; exit 1']
        on-exit = { deaths = 3, within = "1m" }

        [longrun.always]
        run = ["sh", "-c", 'echo x >> SCRATCH/always']
        on-exit.then = "give-up"
        "##,
    );
    let cases = [("codes", 2), ("except", 2), ("deaths", 3), ("always", 1)];
    for (name, _) in cases {
        s.control("-u", name);
    }
    for (name, starts) in cases {
        s.text(name, starts);
        assert!(s.wait("-D", name, LIMIT), "{name}");
    }
    sleep(Duration::from_millis(2500));
    for (name, starts) in cases {
        assert_eq!(s.text(name, starts).lines().count(), starts, "{name} stays down after {starts} starts");
    }
}

/// Starts the service `web` with `keys` and a final death, ends it with `end`, and returns the exit code with which the
/// container would stop.
fn code_of_the_container(keys: &str, earlier: &str, end: impl Fn(&Supervision)) -> Option<String> {
    code_by_recipe(keys, "on-exit.then = \"stop-container\"", earlier, end)
}

/// Like [`code_of_the_container`], with other keys that make `finish`.
fn code_by_recipe(keys: &str, recipe: &str, earlier: &str, end: impl Fn(&Supervision)) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let s = Supervision::start(&format!("[longrun.web]\n{keys}"));
    // The `finish` for s6-overlay, with a stand-in for `halt` and another file for the exit code.
    let text = format!("[longrun.web]\nrun = [\"web\"]\nwith-contenv = false\n{recipe}\n");
    let of_overlay = |path: &str| for_overlay(&text, &format!("etc/s6-overlay/sv/web/{path}"), folder.path());
    let finish = of_overlay("finish");
    if recipe.contains("stop-container") {
        write_program(&s.path("scan/web/data/stop"), &of_overlay("data/stop"));
    }
    if !earlier.is_empty() {
        fs::write(folder.path().join("exitcode"), earlier).unwrap();
    }
    let place = s.path("scan/web/finish");
    fs::write(&place, finish).unwrap();
    fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    s.control("-u", "web");
    end(&s);
    assert!(s.wait("-D", "web", LIMIT));
    sleep(Duration::from_millis(1300));
    assert_eq!(s.status("web", "up"), "false", "it is not started again");
    folder.path().join("halted").exists().then(|| fs::read_to_string(folder.path().join("exitcode")).unwrap())
}

#[test]
fn the_container_stops_with_the_code_of_its_main_service() {
    if !available("the_container_stops_with_the_code_of_its_main_service") {
        return;
    }
    let run = |script: &str, rest: &str| format!("run = ['sh', '-c', '{script}']\n{rest}");
    let nothing = |_: &Supervision| {};
    assert_eq!(code_of_the_container(&run("exit 3", ""), "0\n", nothing).as_deref(), Some("3\n"));
    assert_eq!(code_of_the_container(&run("exit 0", ""), "0\n", nothing).as_deref(), Some("0\n"));
    assert_eq!(code_of_the_container(&run("kill -SEGV $$", ""), "0\n", nothing).as_deref(), Some("139\n"));
    assert_eq!(code_of_the_container(&run("kill -KILL $$", ""), "", nothing).as_deref(), Some("137\n"));
    assert_eq!(
        code_of_the_container(&run("exit 3", ""), "7\n", nothing).as_deref(),
        Some("7\n"),
        "an earlier code is kept"
    );
    assert_eq!(
        code_of_the_container(&run("exit 4 # never writes to 3", "ready.fd = 3\n"), "0\n", nothing)
            .as_deref(),
        Some("4\n"),
        "also before it was ready"
    );
    let stopped_on_purpose = |s: &Supervision| {
        assert!(s.wait("-u", "web", LIMIT));
        sleep(Duration::from_millis(300));
        s.control("-d", "web");
    };
    assert_eq!(code_of_the_container(&run("exec sleep 1000", ""), "0\n", stopped_on_purpose), None);
}

#[test]
fn a_finish_script_can_make_a_death_final() {
    if !available("a_finish_script_can_make_a_death_final") {
        return;
    }
    let run = "run = ['sh', '-c', 'exit 3']\n";
    let nothing = |_: &Supervision| {};
    for on_exit in ["{ then = 'stop-container' }", "{ codes = [9], then = 'stop-container' }"] {
        let recipe = format!("finish = ['sh', '-c', 'exit 125']\non-exit = {on_exit}");
        assert_eq!(code_by_recipe(run, &recipe, "0\n", nothing).as_deref(), Some("3\n"), "{on_exit}");
    }
    let recipe = "finish = ['sh', '-c', 'exit 125']\non-exit = { codes = [9] }";
    assert_eq!(code_by_recipe(run, recipe, "0\n", nothing), None, "it stays down, and that is all");
}

#[test]
fn a_restart_waits_for_the_set_time_and_a_stop_does_not_wait() {
    if !available("a_restart_waits_for_the_set_time_and_a_stop_does_not_wait") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", "echo x >> SCRATCH/out"]
        restart-delay = "1s"

        [longrun.long]
        run = ["sh", "-c", "echo x >> SCRATCH/long"]
        restart-delay = "1h"
        "##,
    );
    s.control("-u", "web");
    s.control("-u", "long");
    s.text("out", 2);
    s.text("long", 1);
    // Longer than the default limit of s6 for `finish`, which is 5 seconds.
    sleep(Duration::from_millis(6000));
    s.control("-d", "long");
    assert!(s.wait("-D", "long", LIMIT), "a stop waits for no restart");
    assert_eq!(s.text("long", 1), "x\n", "the restart waits");
}

#[test]
fn a_service_whose_only_if_fails_idles_and_counts_as_ready() {
    if !available("a_service_whose_only_if_fails_idles_and_counts_as_ready") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.unwanted]
        only-if = 'test -n "$WANTED"'
        prepare = ["touch", "SCRATCH/touched"]
        run = ["touch", "SCRATCH/touched", "3"]
        ready.fd = 3

        [longrun.final]
        only-if = ["false"]
        run = ["true"]
        finish = ["touch", "SCRATCH/touched"]
        on-exit.then = "give-up"

        [longrun.wanted]
        only-if = 'test -n "$WANTED"'
        environment.WANTED = "yes"
        workdir = "/"
        run = ["sh", "-c", "touch SCRATCH/wanted ; echo >&3 ; exec sleep 1000"]
        ready.fd = 3
        "##,
    );
    for (name, state) in [("unwanted", "-wU"), ("final", "-wu")] {
        // As s6-rc starts it.
        s.control("-d", name);
        let service = s.path(&format!("scan/{name}"));
        let start = Command::new("s6-svc").args([state, "-T", "120000", "-u"]).arg(service).status().unwrap();
        assert!(start.success(), "{name} counts as up or ready");
        let idle = s.path(&format!("scan/{name}/idle"));
        eventually("it idles", || idle.exists() && s.status(name, "up,wantedup") == "false false");
    }
    assert!(!s.path("touched").exists(), "it touches nothing");
    s.control("-u", "wanted");
    assert!(s.wait("-U", "wanted", LIMIT));
    assert!(s.path("wanted").exists());
}

#[test]
fn limits_and_priority_are_those_of_the_manifest() {
    if !available("limits_and_priority_are_those_of_the_manifest") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        nice = 5
        run = ["sh", "-c", '(nice ; cat /proc/self/limits) > SCRATCH/new ; mv SCRATCH/new SCRATCH/out ; exec sleep 1000']

        [longrun.web.limits]
        as = 8000000000
        core = 0
        cpu = 1234
        data = 4000000000
        fsize = 1048576
        memlock = 4096
        nofile = 123
        nproc = 4321
        rss = 3000000000
        stack = 4000000
        "##,
    );
    s.control("-u", "web");
    let out = s.text("out", 10);
    assert_eq!(out.lines().next(), Some((priority() + 5).to_string().as_str()));
    let has = |line: &str| {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(out.lines().any(|l| words(l).starts_with(&words(line))), "no {line:?} in {out}");
    };
    has("Max address space 8000000000");
    has("Max core file size 0");
    has("Max cpu time 1234");
    has("Max data size 4000000000");
    has("Max file size 1048576");
    has("Max locked memory 4096");
    has("Max open files 123");
    has("Max processes 4321");
    has("Max resident set 3000000000");
    has("Max stack size 4000000");
}

#[test]
fn a_lower_bound_raises_a_lower_limit_and_leaves_a_higher_one() {
    needs!("s6", "execline");
    // The soft and the hard limit of this process.
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let mine: Vec<&str> = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap()
        .split_whitespace()
        .take(2)
        .collect();
    let s = Supervision::start(
        r##"
        [longrun.more]
        limits.nofile = ">= 4611686018427387904"
        run = ["sh", "-c", 'cat /proc/self/limits > SCRATCH/new ; mv SCRATCH/new SCRATCH/more ; exec sleep 1000']

        [longrun.enough]
        limits.nofile = ">= 3"
        limits.core = ">=0"
        run = ["sh", "-c", 'cat > SCRATCH/input ; cat /proc/self/limits > SCRATCH/new2 ; mv SCRATCH/new2 SCRATCH/enough ; exec sleep 1000']
        "##,
    );
    let nofile = |out: &str| {
        let line = out.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap().to_owned();
        line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    s.control("-u", "more");
    assert_eq!(nofile(&s.text("more", 10)), [mine[1], mine[1]], "raised as far as the hard limit");
    s.control("-u", "enough");
    assert_eq!(nofile(&s.text("enough", 10)), mine, "left alone");
    assert_eq!(fs::read_to_string(s.path("input")).unwrap(), "", "standard input is what it was");
}

#[test]
fn a_check_runs_in_the_working_directory() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        [longrun.words]
        workdir = "SCRATCH/scan"
        run = ["sleep", "1000"]
        ready = { check = ["test", "-d", "words"], interval = "100ms" }

        [longrun.script]
        workdir = "SCRATCH/scan"
        run = ["sleep", "1000"]
        ready = { check = "test -d words ; pwd > SCRATCH/out", interval = "100ms" }
        "##,
    );
    for name in ["words", "script"] {
        s.control("-u", name);
        assert!(s.wait("-U", name, 30_000), "{name}");
    }
    assert_eq!(s.text("out", 1).trim(), s.path("scan").canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn a_link_to_a_log_replaces_only_a_link() {
    needs!("s6", "execline", "root");
    let (folder, _) = up("[oneshot.step]\n", "step");
    let place = |name: &str| folder.path().join(name);
    fs::create_dir(place("dir.log")).unwrap();
    fs::write(place("dir.log/inside"), "history\n").unwrap();
    fs::write(place("file.log"), "history\n").unwrap();
    fs::write(place("file.log.old-1"), "older\n").unwrap();
    std::os::unix::fs::symlink("nowhere", place("file.log.old-2")).unwrap();
    std::os::unix::fs::symlink("elsewhere", place("link.log")).unwrap();
    let path = folder.path().to_str().unwrap();
    let text = |name: &str| fs::read_to_string(place(name)).unwrap();
    // The second start finds the links and changes nothing.
    for start in ["first", "second"] {
        for name in ["dir", "file", "link"] {
            let log = format!(
                "log = {{ to = \"{path}/{name}\", link = true, timestamp = \"none\", user = \"0:0\" }}"
            );
            let (_, output) = up(&format!("[oneshot.step]\nup = \"echo out\"\n{log}\n"), "step");
            assert!(output.status.success(), "{output:?}");
            let output_text = String::from_utf8(output.stdout).unwrap();
            let expected = match (start, name) {
                ("first", "dir") => format!(
                    "{path}/dir.log is in the way of a link to the log: it becomes {path}/dir.log.old-1\n"
                ),
                ("first", "file") => format!(
                    "{path}/file.log is in the way of a link to the log: it becomes {path}/file.log.old-3\n"
                ),
                _ => String::new(),
            };
            assert_eq!(output_text, expected, "{start} {name}");
            assert_eq!(
                fs::read_link(place(&format!("{name}.log"))).unwrap(),
                Path::new(&format!("{name}/current"))
            );
        }
    }
    assert_eq!(text("dir.log.old-1/inside"), "history\n");
    assert_eq!((text("file.log.old-3"), text("file.log.old-1")), ("history\n".into(), "older\n".into()));
    assert_eq!(fs::read_link(place("file.log.old-2")).unwrap(), Path::new("nowhere"));
}

/// The priority of this process.
fn priority() -> i32 {
    String::from_utf8(Command::new("nice").output().unwrap().stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn a_oneshot_has_the_environment_account_and_limits_of_its_manifest() {
    const NAME: &str = "a_oneshot_has_the_environment_account_and_limits_of_its_manifest";
    if !available(NAME) || !is_root(NAME) {
        return;
    }
    let (folder, output) = up(
        r##"
            [oneshot.step]
            environment.GREETING = "hello $HOME"
            workdir = "/usr"
            umask = "027"
            nice = 3
            user = "nobody"
            limits.nofile = 123
            up = ["sh", "-c", 'echo "$GREETING" ; pwd ; umask ; nice ; echo "$(id -un) $HOME" ; ulimit -Sn']
            files."data/x" = "by hand"
            "##,
        "step",
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let nice = (priority() + 3).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, ["hello $HOME", "/usr", "0027", &nice, "nobody /nonexistent", "123"]);
    assert_eq!(fs::read_to_string(folder.path().join("source/step/data/x")).unwrap(), "by hand");
}

#[test]
fn a_further_file_is_in_the_definition_and_may_be_a_program() {
    if !available("a_further_file_is_in_the_definition_and_may_be_a_program") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", "./data/tool > SCRATCH/out ; exec sleep 1000"]
        files."data/tool" = """#!/bin/sh
        cat data/text"""
        files."data/text" = "by hand\n"
        "##,
    );
    s.control("-u", "web");
    assert_eq!(s.text("out", 1), "by hand\n");
}

#[test]
fn a_description_is_at_the_top_of_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    build(&format!(
        r##"
        [target]
        s6-rc = "0.7.0.0"
        tree = "{path}"

        [longrun.web]
        description = "serves pages"
        run = ["web"]

        [oneshot.step]
        description = "makes room"
        up = ["true"]
        "##
    ));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("web/run").contains("\n# [longrun.web] serves pages\n"));
    assert!(read("step/up").starts_with("# [oneshot.step] makes room\n"));
}

#[test]
fn scripts_find_their_interpreter_in_the_directory_of_the_target() {
    if !available("scripts_find_their_interpreter_in_the_directory_of_the_target") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    build(&format!(
        r##"
        [target]
        s6-rc = "0.7.0.0"
        tree = "{path}/source"
        command-dir = "{path}/bin"

        [longrun.web]
        run = ["echo", "it runs"]
        "##
    ));
    let script = folder.path().join("source/web/run");
    let is_there = || Command::new(&script).output().is_ok_and(|output| output.stdout == b"it runs\n");
    assert!(!is_there(), "there is no interpreter yet");
    let execlineb = Command::new("which").arg("execlineb").output().unwrap().stdout;
    fs::create_dir(folder.path().join("bin")).unwrap();
    let target = String::from_utf8(execlineb).unwrap();
    std::os::unix::fs::symlink(target.trim(), folder.path().join("bin/execlineb")).unwrap();
    assert!(is_there());
}

#[test]
fn a_finish_that_takes_too_long_is_killed() {
    if !available("a_finish_that_takes_too_long_is_killed") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        timeout-finish = "300ms"
        run = ["sh", "-c", "echo start >> SCRATCH/out"]
        finish = ["sleep", "20"]
        "##,
    );
    s.control("-u", "web");
    s.text("out", 2);
}

#[test]
fn s6_supervise_remembers_max_death_tally_deaths() {
    if !available("s6_supervise_remembers_max_death_tally_deaths") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        max-death-tally = 2
        run = ["sh", "-c", "echo start >> SCRATCH/out"]
        "##,
    );
    s.control("-u", "web");
    s.text("out", 4);
    let output = Command::new("s6-svdt").arg(s.service("web")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
}

#[test]
fn a_readiness_check_respects_its_number_of_tries_and_its_limits() {
    if !available("a_readiness_check_respects_its_number_of_tries_and_its_limits") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.tries]
        run = ["sleep", "1000"]
        ready = { check = "echo x >> SCRATCH/tries ; false", interval = "50ms", tries = 3 }

        [longrun.slow]
        run = ["sleep", "1000"]
        ready = { check = "echo x >> SCRATCH/slow ; false", interval = "1h" }

        [longrun.hangs]
        run = ["sleep", "1000"]
        ready = { check = "echo x >> SCRATCH/hangs ; test $(wc -l < SCRATCH/hangs) -gt 1 || sleep 20", interval = "50ms", timeout = "300ms" }
        "##,
    );
    s.control("-u", "slow");
    s.text("slow", 1);
    s.control("-u", "tries");
    s.control("-u", "hangs");
    assert!(s.wait("-U", "hangs", LIMIT), "a try that hangs is given up for the next one");
    s.text("tries", 3);
    assert_eq!(s.text("slow", 1).lines().count(), 1, "the second try waits for its hour");
    sleep(Duration::from_millis(1200));
    assert_eq!(s.text("tries", 3).lines().count(), 3, "three tries and no more");
}

#[test]
fn deaths_that_are_far_apart_are_not_final() {
    if !available("deaths_that_are_far_apart_are_not_final") {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", "echo x >> SCRATCH/out ; sleep 2"]
        on-exit = { deaths = 2, within = "1s" }
        "##,
    );
    s.control("-u", "web");
    s.text("out", 3);
}

#[test]
fn a_log_has_the_account_and_the_timestamps_of_its_manifest() {
    const NAME: &str = "a_log_has_the_account_and_the_timestamps_of_its_manifest";
    if !available(NAME) || !is_root(NAME) {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.iso]
        run = ["sh", "-c", 'echo line ; exec sleep 1000']
        log = { to = "SCRATCH/iso", timestamp = "iso", user = "1234:4321" }

        [longrun.tai]
        run = ["sh", "-c", 'echo line ; exec sleep 1000']
        log = { to = "SCRATCH/tai", timestamp = "tai64n" }

        [longrun.lost]
        run = ["sh", "-c", 'echo line ; echo line >&2 ; touch SCRATCH/lost ; exec sleep 1000']
        log = { to = "discard", stderr = "discard" }
        "##,
    );
    for name in ["iso", "tai", "lost"] {
        s.control("-u", name);
    }
    let iso = s.text("iso/current", 1);
    let (time, line) = iso.trim().rsplit_once("  ").unwrap_or_else(|| panic!("{iso:?}"));
    assert!(line == "line" && time.len() > 19 && time[4..].starts_with('-'), "{iso:?}");
    let folder = fs::metadata(s.path("iso")).unwrap();
    assert_eq!((folder.uid(), folder.gid()), (1234, 4321));
    assert_eq!(fs::metadata(s.path("iso/current")).unwrap().uid(), 1234, "the logger runs as it, too");
    let tai = s.text("tai/current", 1);
    assert!(tai.starts_with('@') && tai.ends_with(" line\n") && tai.find(' ') == Some(25), "{tai:?}");
    eventually("what is discarded does not stop the program", || s.path("lost").exists());
}

#[test]
fn each_line_of_a_log_begins_with_the_prefix() {
    const NAME: &str = "each_line_of_a_log_begins_with_the_prefix";
    if !available(NAME) || !is_root(NAME) {
        return;
    }
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", 'echo out ; echo err >&2 ; exec sleep 1000']
        log = { to = "SCRATCH/log", timestamp = "none", tee = true, prefix = "web:" }
        "##,
    );
    s.control("-u", "web");
    assert_eq!(s.text("log/current", 2), "out\nerr\n", "the directory has the lines without it");
    let run = fs::read_to_string(s.path("scan/web/log/run")).unwrap();
    let script = run.lines().last().unwrap().split(" -- ").nth(1).unwrap();
    let directory = s.path("second");
    fs::create_dir(&directory).unwrap();
    let script = script.replace(s.path("log").to_str().unwrap(), directory.to_str().unwrap());
    let mut logger = Command::new("s6-log")
        .args(script.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut logger.stdin.take().unwrap(), b"a line\n").unwrap();
    let output = logger.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "web: a line\n");
    assert_eq!(fs::read_to_string(directory.join("current")).unwrap(), "a line\n");
}

#[test]
fn standard_error_of_a_oneshot_is_logged_with_its_output_or_separately() {
    const NAME: &str = "standard_error_of_a_oneshot_is_logged_with_its_output_or_separately";
    if !available(NAME) || !is_root(NAME) {
        return;
    }
    let read = |folder: &TempDir, name: &str, lines: usize| {
        let path = folder.path().join(name).join("current");
        read_lines(&path, lines)
    };
    let (folder, output) = up(
        "[oneshot.step]\nup = \"echo out; echo err >&2; exit 3\"\nlog = { to = \"SCRATCH/log\", timestamp = \"none\", user = \"0:0\" }\n",
        "step",
    );
    assert_eq!(output.status.code(), Some(3), "the step's own code");
    assert_eq!(read(&folder, "log", 2), "out\nerr\n");
    let (folder, output) = up(
        "[oneshot.step]\nup = \"echo out; echo err >&2\"\nlog = { to = \"SCRATCH/log\", stderr = \"SCRATCH/err\", timestamp = \"none\", user = \"0:0\" }\n",
        "step",
    );
    assert!(output.status.success());
    assert_eq!((read(&folder, "log", 1), read(&folder, "err", 1)), ("out\n".into(), "err\n".into()));
}

#[test]
fn a_oneshot_whose_only_if_fails_is_skipped_and_succeeds() {
    if !available("a_oneshot_whose_only_if_fails_is_skipped_and_succeeds") {
        return;
    }
    let (folder, output) =
        up("[oneshot.step]\nonly-if = [\"false\"]\nup = [\"touch\", \"SCRATCH/touched\"]\n", "step");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "step: only-if says no, skipped\n");
    assert!(!folder.path().join("touched").exists());
    let (folder, _) = up(
        "[oneshot.step]\nonly-if = \"true\"\nworkdir = \"/\"\nup = [\"touch\", \"SCRATCH/touched\"]\n",
        "step",
    );
    assert!(folder.path().join("touched").exists());
}
