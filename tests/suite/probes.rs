//! Runs `alive` of longruns and `wait-for` of oneshots under the real s6. Each test is named after the promise that it checks.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::sleep;
use std::time::Duration;

use crate::failures::for_overlay;
use crate::live_apply::System;
use crate::require::needs;
use crate::supervise::{LIMIT, Supervision, eventually, read_lines, up, write_program};

#[test]
fn a_service_that_no_longer_works_is_started_again() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", "echo x >>SCRATCH/starts; touch SCRATCH/works; exec sleep 1000"]
        environment.FILE = "SCRATCH/works"
        workdir = "/"
        alive = { check = 'echo looks for $FILE; echo x >>SCRATCH/checks; test -e "$FILE"', interval = "1s", failures = 2 }
        # An exit with this code would be final, but a restart on purpose is not a death.
        on-exit.except = [200]
        "##,
    );
    s.control("-u", "web");
    s.text("starts", 1);
    s.text("checks", 2);
    assert_eq!(s.text("starts", 1).lines().count(), 1, "a service that works goes on");
    fs::remove_file(s.path("works")).unwrap();
    assert_eq!(s.text("starts", 2).lines().count(), 2);
    assert!(s.text("scan/web/watch.output", 1).starts_with("looks for "));
    // The script goes on for the next start.
    let checks = s.text("checks", 3).lines().count();
    s.text("checks", checks + 2);
    fs::remove_file(s.path("works")).unwrap();
    s.text("starts", 3);
    // After a stop it ends, and nobody starts the service.
    s.control("-d", "web");
    assert!(s.wait("-D", "web", LIMIT));
    let checks = s.text("checks", 3).lines().count();
    sleep(Duration::from_millis(2500));
    assert!(s.text("checks", 3).lines().count() <= checks + 1);
    assert_eq!(s.text("starts", 3).lines().count(), 3);
}

#[test]
fn a_check_does_not_undo_a_stop() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        # The check is at work when the stop comes.
        [longrun.asked]
        run = ["sleep", "1000"]
        alive = { check = ["sh", "-c", "touch SCRATCH/asked; sleep 1; exit 1"], interval = "1s", failures = 1 }

        # The service is about to be started again when the stop comes.
        [longrun.slow]
        run = "trap '' TERM; touch SCRATCH/slow; while :; do sleep 1; done"
        timeout-kill = "3s"
        alive = { check = ["false"], interval = "1s", failures = 1 }
        "##,
    );
    for name in ["asked", "slow"] {
        s.control("-u", name);
    }
    eventually("it is asked", || s.path("asked").exists());
    s.control("-d", "asked");
    eventually("it starts again", || s.path("scan/slow/restart").exists());
    s.control("-d", "slow");
    for name in ["asked", "slow"] {
        assert!(s.wait("-D", name, LIMIT));
    }
    sleep(Duration::from_millis(3000));
    for name in ["asked", "slow"] {
        assert_eq!(s.status(name, "up,wantedup"), "false false", "{name}");
    }
}

#[test]
fn a_check_finds_the_variables_of_its_service_whatever_their_names() {
    needs!("s6", "execline");
    let names =
        ["name", "timeout", "then", "state", "failed", "check", "end", "uptime", "code", "tries", "limit"];
    let variables: String = names.iter().map(|name| format!("environment.{name} = 'x'\n")).collect();
    let test: String = names.iter().map(|name| format!("test \"${name}\" = x\n")).collect();
    let s = Supervision::start(&format!(
        "[longrun.web]\nrun = ['sh', '-c', 'echo x >>SCRATCH/starts; exec sleep 1000']\n{variables}\
         alive = {{ check = '''\n{test}echo x >>SCRATCH/checks\n''', interval = '1s', failures = 1 }}\n"
    ));
    s.control("-u", "web");
    s.text("checks", 2);
    assert_eq!(s.text("starts", 1), "x\n");
    let (_folder, output) = up(
        &format!(
            "[oneshot.step]\n{variables}wait-for.path = '/etc'\nup = '''\n{test}'''\non-failure.tries = 2\n"
        ),
        "step",
    );
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_check_that_hangs_is_killed_and_has_failed() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        [longrun.web]
        run = ["sh", "-c", "echo x >>SCRATCH/starts; exec sleep 1000"]
        alive = { check = 'echo $$ >>SCRATCH/checks; sleep 1000; true', interval = "1s", timeout = "1s", failures = 1 }
        "##,
    );
    s.control("-u", "web");
    s.text("starts", 2);
    assert_eq!(read_lines(&s.path("scan/web/watch.output"), 1), "killed after 1 s\n");
}

#[test]
fn an_idle_or_starting_service_is_not_asked_whether_it_works() {
    needs!("s6", "execline");
    let s = Supervision::start(
        r##"
        [longrun.idle]
        run = ["sleep", "1000"]
        only-if = ["test", "-e", "SCRATCH/wanted"]
        alive = { check = ["touch", "SCRATCH/asked-idle"], interval = "1s" }

        [longrun.starting]
        run = ["sh", "-c", "sleep 3; touch SCRATCH/ready; echo >&3; exec sleep 1000"]
        ready.fd = 3
        alive = { check = ["sh", "-c", "test -e SCRATCH/ready || touch SCRATCH/too-early; touch SCRATCH/asked"], interval = "1s" }
        "##,
    );
    s.control("-u", "idle");
    s.control("-u", "starting");
    eventually("the ready one is asked", || s.path("asked").exists());
    assert!(!s.path("asked-idle").exists() && !s.path("too-early").exists());
    // An idle service may become one that works, and the other way round.
    fs::write(s.path("wanted"), "").unwrap();
    s.control("-u", "idle");
    eventually("it is asked", || s.path("asked-idle").exists());
    fs::remove_file(s.path("wanted")).unwrap();
    s.control("-r", "idle");
    eventually("it idles", || s.path("scan/idle/idle").exists());
    sleep(Duration::from_millis(1500));
    fs::remove_file(s.path("asked-idle")).unwrap();
    sleep(Duration::from_millis(2500));
    assert!(!s.path("asked-idle").exists());
}

#[test]
fn a_service_that_no_longer_works_can_stop_the_container() {
    needs!("s6", "execline");
    let folder = tempfile::tempdir().unwrap();
    let keys = "[longrun.web]\nwith-contenv = false\nrun = ['sleep', '1000']\nalive = { check = ['false'], interval = '1s', failures = 2";
    let stops = format!("{keys}, then = 'stop-container' }}\n");
    let of_overlay =
        |path: &str| for_overlay(&stops, &format!("etc/s6-overlay/sv/web/{path}"), folder.path());
    let s = Supervision::start(&format!("{keys} }}\n"));
    write_program(&s.path("scan/web/data/watch"), &of_overlay("data/watch"));
    write_program(&s.path("scan/web/data/stop"), &of_overlay("data/stop"));
    let run = fs::read_to_string(s.path("scan/web/run")).unwrap();
    write_program(&s.path("scan/web/run"), &run.replace(" restart up", " stop-container up"));
    fs::write(folder.path().join("exitcode"), "0\n").unwrap();
    s.control("-u", "web");
    eventually("the container stops", || folder.path().join("halted").exists());
    assert_eq!(fs::read_to_string(folder.path().join("exitcode")).unwrap(), "1\n");
}

#[test]
fn a_service_is_asked_over_its_sockets_whether_it_works() {
    needs!("s6", "execline", "s6-networking");
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let unix = UnixListener::bind(&socket).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = web.local_addr().unwrap();
    // It answers twice, and then the server is broken.
    std::thread::spawn(move || {
        for code in ["200 OK", "200 OK", "500 Broken", "500 Broken", "500 Broken"] {
            let (mut stream, _) = web.accept().unwrap();
            let _ = stream.read(&mut [0; 100]);
            let _ = write!(stream, "HTTP/1.0 {code}\r\n\r\n");
        }
    });
    let manifest = format!(
        "[longrun.unix]\nrun = ['sh', '-c', 'echo x >>SCRATCH/unix; exec sleep 1000']\nalive = {{ unix = '{}', interval = '1s', failures = 1 }}\n\
         [longrun.tcp]\nrun = ['sh', '-c', 'echo x >>SCRATCH/tcp; exec sleep 1000']\nalive = {{ tcp = '{}', interval = '1s', failures = 1 }}\n\
         [longrun.web]\nrun = ['sh', '-c', 'echo x >>SCRATCH/web; exec sleep 1000']\nalive = {{ http = 'http://{address}/', interval = '1s', failures = 1 }}\n",
        socket.display(),
        tcp.local_addr().unwrap()
    );
    let s = Supervision::start(&manifest);
    s.control("-u", "web");
    s.text("web", 2);
    for name in ["unix", "tcp"] {
        s.control("-u", name);
        s.text(name, 1);
    }
    sleep(Duration::from_millis(2500));
    assert_eq!([s.text("unix", 1), s.text("tcp", 1)], ["x\n", "x\n"]);
    drop((unix, tcp));
    s.text("unix", 2);
    s.text("tcp", 2);
}

#[test]
fn a_oneshot_waits_for_something_outside() {
    needs!("s6", "execline");
    // A file that comes later.
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a file");
    let maker = std::thread::spawn({
        let place = place.clone();
        move || {
            sleep(Duration::from_millis(1500));
            fs::write(place, "").unwrap();
        }
    });
    let manifest = format!(
        "[oneshot.step]\nup = ['cp', '{0}', 'SCRATCH/copy']\nwait-for = {{ path = '{0}', interval = '100ms' }}\n",
        place.display()
    );
    let (scratch, output) = up(&manifest, "step");
    assert!(output.status.success(), "{output:?}");
    assert!(scratch.path().join("copy").exists());
    maker.join().unwrap();
    // One that never comes.
    let (scratch, output) = up(
        "[oneshot.step]\nup = ['touch', 'SCRATCH/ran']\nwait-for = { path = '/no such', limit = '1s' }\n",
        "step",
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "step: /no such is not there after 1 s\n");
    assert!(!scratch.path().join("ran").exists());
    // Without `up` it only waits.
    let (_scratch, output) = up("[oneshot.step]\nwait-for.path = '/etc'\n", "step");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_oneshot_waits_for_a_server() {
    needs!("s6", "execline", "s6-networking");
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let _unix = UnixListener::bind(&socket).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    for wait in [format!("unix = '{}'", socket.display()), format!("tcp = '{address}'")] {
        let (_scratch, output) =
            up(&format!("[oneshot.step]\nwait-for = {{ {wait}, limit = '5s' }}\n"), "step");
        assert!(output.status.success(), "{wait}: {output:?}");
    }
    drop(tcp);
    for wait in [format!("tcp = '{address}'"), format!("http = 'http://{address}/'")] {
        let wait = format!("[oneshot.step]\nwait-for = {{ {wait}, limit = '1s', timeout = '1s' }}\n");
        let (_scratch, output) = up(&wait, "step");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(&address.to_string()), "{text}");
    }
}

#[test]
fn instances_bring_their_checks_and_what_follows_their_failures() {
    needs!("root");
    let manifest = r##"
        [longrun.own]
        run = ["sleep", "infinity"]

        [oneshot.step]
        instances = []
        parameters = ["file"]
        wait-for = { path = "SCRATCH/there", limit = "60s" }
        up = 'echo x >>SCRATCH/{{ name }}; test -e "{{ file }}"'
        on-failure = { tries = 2, then = "ignore" }

        [longrun.web]
        instances = []
        parameters = ["file"]
        only-if = ["test", "-e", "SCRATCH/wanted"]
        run = ["sh", "-c", "echo x >>SCRATCH/{{ name }}; exec sleep infinity"]
        alive = { check = ["test", "!", "-e", "{{ file }}"], interval = "1s", failures = 1 }
        on-exit = { early = "1h", deaths = 9 }
        "##;
    let name = "instances_bring_their_checks_and_what_follows_their_failures";
    let Some(system) = System::boot(name, manifest) else { return };
    let lines = |name: &str| fs::read_to_string(system.path(name)).unwrap_or_default().lines().count();
    fs::write(system.path("there"), "").unwrap();
    let broken = format!("file={}", system.path("broken").display());
    system.instance(&["add", "step", "a", "--set", "file=/no/such"]);
    system.instance(&["add", "web", "b", "--set", &broken]);
    let done = system.apply(&[]);
    assert!(
        done.starts_with("added      step-a  oneshot, started\nadded      web-b   longrun, started"),
        "{done}"
    );
    assert_eq!(lines("step-a"), 2, "it was tried twice, and counts as done");
    let live = system.path("run/s6-rc").display().to_string();
    let status = || system.command("s6gen").args(["status", "--live", &live, "web-b"]).output().unwrap();
    eventually("it idles", || String::from_utf8_lossy(&status().stdout).contains("idle"));
    assert!(status().status.success(), "that is no problem");
    fs::write(system.path("wanted"), "").unwrap();
    system.succeed("s6gen", &["restart", "--live", &live, "web-b"]);
    eventually("it runs", || lines("web-b") == 1);
    fs::write(system.path("broken"), "").unwrap();
    eventually("it is started again", || lines("web-b") >= 2);
    fs::remove_file(system.path("broken")).unwrap();
    system.instance(&["remove", "web-b"]);
    system.instance(&["remove", "step-a"]);
    system.apply(&[]);
    assert_eq!(system.active(), ["own".to_owned()].into());
}
