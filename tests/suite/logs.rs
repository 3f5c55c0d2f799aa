//! Runs logs that other programs than s6-log read or change, with the real s6-rc. Each test is named after the promise that it
//! checks.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::live::Machine;
use crate::live_apply::System;
use crate::oracle::{Random, number_from};
use crate::pages;
use crate::require::{self, needs, say};
use crate::supervise::{build, eventually, read_lines, up, write_program};

/// A service that writes the lines 1 to 9, then waits for the file `more`, and writes the lines 10 to 19.
const COUNTS: &str = r#"
    i=1
    while test $i -lt 20 ; do
      while test $i -gt 9 && ! test -e SCRATCH/more ; do sleep 0.1 ; done
      echo "line $i"
      i=$((i + 1))
    done
    exec sleep 1000
"#;

fn lines(range: std::ops::Range<u32>) -> String {
    range.map(|number| format!("line {number}\n")).collect()
}

#[test]
fn a_command_gets_each_line_of_a_log_and_its_end_loses_none() {
    needs!("root");
    let manifest = r##"
        [longrun.web]
        run = """COUNTS"""
        log.user = "daemon"
        log.to = ["sh", "-c", 'id -un >SCRATCH/account ; echo "$HOME $USER" >SCRATCH/home ; while IFS= read -r line ; do echo "$line" >>SCRATCH/out/web ; done']

        [oneshot.folder]
        up = "install -d -o daemon SCRATCH/out ; install -o daemon /dev/null SCRATCH/account ; install -o daemon /dev/null SCRATCH/home"
        required-by = ["web"]
        "##;
    let name = "a_command_gets_each_line_of_a_log_and_its_end_loses_none";
    let Some(m) = Machine::boot(name, &manifest.replace("COUNTS", COUNTS)) else { return };
    assert_eq!(m.text("out/web", 9), lines(1..10));
    assert_eq!(m.text("account", 1), "daemon\n");
    assert_eq!(m.text("home", 1), "/usr/sbin daemon\n");
    // Meanwhile the lines wait in the pipe.
    m.control("-d", "web-log");
    eventually("the command has ended", || m.field("web-log", "up") == "false");
    fs::write(m.path("more"), "").unwrap();
    let pid = m.field("web", "pid");
    m.control("-u", "web-log");
    assert_eq!(m.text("out/web", 19), lines(1..20));
    assert_eq!(m.field("web", "pid"), pid, "the service was not disturbed");
}

#[test]
fn a_script_gets_standard_error_alone() {
    needs!("root");
    let manifest = r##"
        [longrun.PID]
        variables = { TAG = "a default" }
        run = ["sh", "-c", 'echo out ; echo err >&2 ; exec sleep 1000']
        log.to = "SCRATCH/out"
        log.timestamp = "none"
        log.user = "root"
        log.stderr = '''#!/bin/sh
        while IFS= read -r line ; do echo "$TAG: $line" >>SCRATCH/errors ; done
        '''
        "##;
    let service = format!("s6gen-test-{}", std::process::id());
    let name = "a_script_gets_standard_error_alone";
    let Some(m) = Machine::boot(name, &manifest.replace("PID", &service)) else { return };
    assert_eq!(m.text("errors", 1), "a default: err\n");
    assert_eq!(m.text("out/current", 1), "out\n");
    drop(m);
    fs::remove_file(format!("/run/s6gen/{service}-err-log.fifo")).unwrap();
}

#[test]
fn a_filter_is_between_a_service_and_its_log() {
    needs!("root");
    let manifest = r##"
        [longrun.web]
        run = """COUNTS"""
        log = { to = "SCRATCH/log", timestamp = "none", filter = ["grep", "--line-buffered", "-v", "5"] }

        [longrun.api]
        run = "echo five 5 >&2; echo two 2; exec sleep 1000"
        log = { to = "SCRATCH/log", timestamp = "none", filter = "sed -u s/two/zwei/" }

        [longrun.noisy]
        run = "echo debug; echo shown; echo debug >&2; exec sleep 1000"
        log.filter = "while read -r line; do case $line in debug) ;; *) echo \"$line\" ;; esac; done"

        [longrun.PID]
        run = "echo hidden; echo kept >&2; exec sleep 1000"
        log = { filter = ["grep", "--line-buffered", "-v", "."], stderr = "SCRATCH/apart", timestamp = "none" }
        "##;
    let service = format!("s6gen-test-filter-{}", std::process::id());
    let name = "a_filter_is_between_a_service_and_its_log";
    let manifest = manifest.replace("COUNTS", COUNTS).replace("PID", &service);
    let Some(m) = Machine::boot(name, &manifest) else { return };
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = |range| {
        sorted(lines(range) + "five 5\nzwei 2\n")
            .into_iter()
            .filter(|line| line != "line 5" && line != "line 15")
            .collect::<Vec<_>>()
    };
    assert_eq!(sorted(m.text("log/current", 10)), expected(1..10));
    assert_eq!(m.text("container", 1), "shown\n", "a filter before the container's log");
    assert_eq!(m.text("apart/current", 1), "kept\n", "standard error of its own is not filtered");
    m.control("-d", "web-filter");
    eventually("the filter has ended", || m.field("web-filter", "up") == "false");
    fs::write(m.path("more"), "").unwrap();
    m.control("-u", "web-filter");
    assert_eq!(sorted(m.text("log/current", 19)), expected(1..20));
    drop(m);
    fs::remove_file(format!("/run/s6gen/{service}-err-log.fifo")).unwrap();
}

#[test]
fn a_oneshot_has_a_filter_and_commands_for_its_output() {
    needs!("s6", "execline", "root");
    let (folder, output) = up(
        r##"
        [oneshot.step]
        up = "echo out; echo secret; echo err >&2; exit 3"
        log = { to = ["dd", "status=none", "of=SCRATCH/log"], filter = "exec grep -v secret", stderr = "#!/bin/sh\ncat >SCRATCH/errors", user = "root" }
        "##,
        "step",
    );
    assert_eq!(output.status.code(), Some(3), "the step's own code");
    assert_eq!(read_lines(&folder.path().join("log"), 1), "out\n");
    assert_eq!(read_lines(&folder.path().join("errors"), 1), "err\n");
}

#[test]
fn a_file_grows_and_its_logger_follows_no_link_of_others() {
    needs!("s6", "execline", "s6-rc", "root");
    let name = "a_file_grows_and_its_logger_follows_no_link_of_others";
    // Other accounts can write in /tmp, where root makes no file.
    let place = format!("/run/s6gen-test-{}", std::process::id());
    let manifest = r##"
        [longrun.web]
        run = "echo out; echo err >&2; exec sleep 1000"
        log = { file = "PLACE/a/web.log", user = "daemon:adm" }

        [longrun.api]
        run = "echo api; exec sleep 1000"
        log = { file = "PLACE/a/web.log", user = "daemon:adm" }

        [longrun.linked]
        run = "echo attack; exec sleep 1000"
        log = { file = "PLACE/theirs/linked.log", user = "daemon" }

        [longrun.folder]
        run = "echo attack; exec sleep 1000"
        log = { file = "PLACE/theirs/folder/new.log", user = "nobody" }

        [longrun.root]
        run = "echo attack; exec sleep 1000"
        log = { file = "PLACE/theirs/root.log", user = "root" }

        [longrun.own]
        run = "echo own; exec sleep 1000"
        log = { file = "PLACE/theirs/below/own.log", user = "daemon", timestamp = "tai64n" }

        [oneshot.step]
        up = "echo step"
        log = { file = "PLACE/a/web.log", user = "daemon:adm" }
        "##
    .replace("PLACE", &place);
    let shell = format!(
        "mkdir {place} {place}/theirs {place}/root && cd {place} && umask 077 && echo secret >secret && mkdir a && echo before >a/web.log && chmod 755 a \
         && ln -s ../secret theirs/linked.log && ln -s ../root theirs/folder && ln -s ../secret theirs/root.log && chown daemon theirs && chmod 755 theirs"
    );
    assert!(Command::new("sh").args(["-c", &shell]).status().unwrap().success());
    // A logger that cannot write is never ready, so s6-rc would wait for it.
    let manifest = manifest.replace("[longrun.linked]", "[longrun.linked]\nstart = \"on-demand\"");
    let manifest = manifest.replace("[longrun.folder]", "[longrun.folder]\nstart = \"on-demand\"");
    let manifest = manifest.replace("[longrun.root]", "[longrun.root]\nstart = \"on-demand\"");
    let Some(m) = Machine::boot(name, &manifest) else { return };
    let read = |file: &str, lines| read_lines(&Path::new(&place).join(file), lines);
    let text = read("a/web.log", 5);
    assert!(text.starts_with("before\n"), "{text:?}");
    let mut lines: Vec<&str> = text.lines().skip(1).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["api", "err", "out", "step"]);
    let file = fs::metadata(format!("{place}/a/web.log")).unwrap();
    assert_eq!((file.uid(), file.gid()), (1, 4), "the account of the log owns the file");
    let own = read("theirs/below/own.log", 1);
    assert!(own.starts_with('@') && own.ends_with(" own\n"), "{own:?}");
    for name in ["linked-log", "folder-log", "root-log"] {
        m.control("-u", name);
        eventually("the logger has failed", || {
            m.field(name, "exitcode") != "-1" && m.field(name, "exitcode") != "0"
        });
    }
    let secret = format!("{place}/secret");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret\n");
    assert_eq!(fs::metadata(&secret).unwrap().uid(), 0);
    assert_eq!(fs::read_dir(format!("{place}/root")).unwrap().count(), 0, "nothing is made through a link");
    drop(m);
    fs::remove_dir_all(&place).unwrap();
}

/// A line of JSON without its time, which must be one in UTC.
fn without_time(line: &str) -> String {
    let value: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let time = value["time"].as_str().unwrap();
    let pattern: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(pattern, "0000-00-00T00:00:00.000000000Z");
    format!(
        "{} {} {}",
        value["service"].as_str().unwrap(),
        value["stream"].as_str().unwrap(),
        value["message"]
    )
}

fn sorted_json(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(without_time).collect();
    lines.sort();
    lines
}

#[test]
fn each_line_on_the_log_of_the_container_has_the_format_json() {
    needs!("root");
    let service = format!("s6gen-test-json-{}", std::process::id());
    let manifest = r##"
        [longrun.PID]
        run = "echo out; echo err >&2; cat SCRATCH/hostile; while ! test -e SCRATCH/more; do sleep 0.1; done; echo later; exec sleep 1000"
        log.format = "json"

        [longrun.one]
        run = "echo out; echo err >&2; exec sleep 1000"
        log = { format = "json", stderr = "stdout" }

        [longrun.filtered]
        run = "echo debug; echo shown; exec sleep 1000"
        log = { format = "json", stderr = "discard", filter = ["grep", "--line-buffered", "-v", "debug"] }

        [oneshot.hostile]
        up = """printf '"quoted" \\\\ $(id) \\t \\033 \\303\\274 \\377.\\303.\\355\\240\\200.\\n' >SCRATCH/hostile; seq -s x 20000 >>SCRATCH/hostile"""
        required-by = ["PID"]
        "##
    .replace("PID", &service);
    let name = "each_line_on_the_log_of_the_container_has_the_format_json";
    let Some(m) = Machine::boot(name, &manifest) else { return };
    let long: String = (1..=20000).map(|number| number.to_string()).collect::<Vec<_>>().join("x");
    let mut expected = vec![
        format!("{service} stdout \"out\""),
        format!("{service} stderr \"err\""),
        format!(
            "{service} stdout \"\\\"quoted\\\" \\\\ $(id) \\t \\u001b ü \u{fffd}.\u{fffd}.\u{fffd}\u{fffd}\u{fffd}.\""
        ),
        format!("{service} stdout \"{long}\""),
        "one stdout \"out\"".into(),
        "one stdout \"err\"".into(),
        "filtered stdout \"shown\"".into(),
    ];
    expected.sort();
    assert_eq!(sorted_json(&m.text("container", 7)), expected);
    // The logger begins again if a part of it dies; the lines wait in the pipe.
    let logger = format!("{service}-log");
    m.control("-d", &logger);
    eventually("the logger has ended", || m.field(&logger, "up") == "false");
    fs::write(m.path("more"), "").unwrap();
    m.control("-u", &logger);
    expected.push(format!("{service} stdout \"later\""));
    expected.sort();
    assert_eq!(sorted_json(&m.text("container", 8)), expected);
    drop(m);
    fs::remove_file(format!("/run/s6gen/{service}-err-log.fifo")).unwrap();
}

#[test]
fn a_oneshot_has_the_format_json_too() {
    needs!("s6", "execline", "root");
    let (_folder, output) = up(
        r##"
        [oneshot.step]
        up = "echo out; echo err >&2; printf 'no newline'; exit 3"
        log.format = "json"
        "##,
        "step",
    );
    assert_eq!(output.status.code(), Some(3), "the step's own code");
    let expected = ["step stderr \"err\"", "step stdout \"no newline\"", "step stdout \"out\""];
    assert_eq!(sorted_json(&String::from_utf8(output.stdout).unwrap()), expected);
}

#[test]
fn files_of_a_service_are_shown_on_the_log_of_the_container() {
    needs!("root");
    let manifest = r##"
        [longrun.web]
        run = """
        echo 'before' >>SCRATCH/out/old
        until test -e SCRATCH/ready; do sleep 0.1; done
        echo 'more' >>SCRATCH/out/old
        echo 'new' >SCRATCH/out/new
        until test -e SCRATCH/rotated; do sleep 0.1; done
        mv SCRATCH/out/old SCRATCH/out/older
        echo 'again' >SCRATCH/out/old
        exec sleep 1000
        """
        user = "daemon"
        log = { to = "discard", show = ["SCRATCH/out/old", "SCRATCH/out/new"], prefix = "web:" }

        [longrun.json]
        run = "until test -e SCRATCH/ready; do sleep 0.1; done; echo line >SCRATCH/json; exec sleep 1000"
        log = { format = "json", stderr = "discard", show = ["SCRATCH/json"] }

        [oneshot.folder]
        up = "install -d -o daemon SCRATCH/out; echo never >SCRATCH/out/old; chown daemon SCRATCH/out/old; echo secret >SCRATCH/secret; chmod 600 SCRATCH/secret"
        required-by = ["web"]
        "##;
    let name = "files_of_a_service_are_shown_on_the_log_of_the_container";
    let Some(m) = Machine::boot(name, manifest) else { return };
    assert_eq!(m.active(), "folder json json-log json-show web web-show", "the service waits for it");
    let pid = m.field("web-show", "pid");
    eventually("tail reads the file that is there", || {
        let files = fs::read_dir(format!("/proc/{pid}/fd"));
        files
            .into_iter()
            .flatten()
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|path| path.ends_with("out/old")))
    });
    assert_eq!(
        fs::metadata(format!("/proc/{pid}")).unwrap().uid(),
        1,
        "it runs as the account of the service"
    );
    fs::write(m.path("ready"), "").unwrap();
    let shown = |count| {
        let text = m.text("container", count);
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| if line.starts_with('{') { without_time(line) } else { line.to_owned() })
            .collect();
        lines.retain(|line| !line.ends_with("before"));
        lines.sort();
        lines
    };
    eventually("the lines are there", || shown(1).len() >= 3);
    assert_eq!(shown(1), ["json file \"line\"", "web: more", "web: new"]);
    fs::write(m.path("rotated"), "").unwrap();
    eventually("the new file is shown", || shown(1).contains(&"web: again".to_owned()));
}

/// The awks that images have. Each must be on PATH to be tried.
const AWKS: &[(&str, &[&str])] =
    &[("mawk", &[]), ("gawk", &[]), ("original-awk", &[]), ("busybox", &["awk"])];

#[test]
fn json_lines_are_valid_with_every_awk() {
    needs!("s6");
    let mut random = Random::new(number_from("S6GEN_ORACLE_SEED", 1));
    let mut lines: Vec<Vec<u8>> = vec![
        b"plain".to_vec(),
        Vec::new(),
        "\u{1f600} ü €".into(),
        b"\xf4\x90\x80\x80".to_vec(),
        vec![b'x'; 9000],
    ];
    for _ in 0..500 {
        let size = random.below(60);
        let byte = |random: &mut Random| match random.below(4) {
            0 => random.pick(&[b'"', b'\\', 0xc3, 0xa9, 0xe2, 0xed]),
            _ => u8::try_from(random.below(256)).unwrap(),
        };
        let line: Vec<u8> =
            (0..size).map(|_| byte(&mut random)).filter(|byte| ![0, b'\n'].contains(byte)).collect();
        lines.push(line);
    }
    let input: Vec<u8> = lines
        .iter()
        .flat_map(|line| [b"2026-01-31 12:00:00.000000000 ", &line[..], b"\n"].concat())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("input"), input).unwrap();
    for (awk, words) in AWKS {
        let Some(program) = require::find(awk) else {
            say(&format!("skipped: a part of logs::json_lines_are_valid_with_every_awk: no {awk}"));
            continue;
        };
        let script = format!("#!/bin/sh\nexec {} {} \"$@\"\n", program.display(), words.join(" "));
        write_program(&folder.path().join(awk).join("awk"), &script);
        let path = format!("{}:{}", folder.path().join(awk).display(), std::env::var("PATH").unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/data/json");
        let input = fs::File::open(folder.path().join("input")).unwrap();
        let output = Command::new("sh")
            .arg(script)
            .args(["we\"b\\n", "stdout"])
            .env("PATH", path)
            .stdin(input)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap_or_else(|error| panic!("{awk}: {error}"));
        assert_eq!(text.lines().count(), lines.len(), "{awk}: {}", String::from_utf8_lossy(&output.stderr));
        for (line, json) in lines.iter().zip(text.lines()) {
            let value: serde_json::Value =
                serde_json::from_str(json).unwrap_or_else(|error| panic!("{awk}: {error}: {json}"));
            // Programs differ in the number of replacement characters for a wrong byte sequence.
            let same = |text: &str| {
                text.split('\u{fffd}').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\u{fffd}")
            };
            assert_eq!(
                same(value["message"].as_str().unwrap()),
                same(&String::from_utf8_lossy(line)),
                "{awk}"
            );
            assert_eq!(value["service"], "we\"b\\n", "{awk}");
        }
    }
}

#[test]
fn a_filter_without_its_option_keeps_lines_back_and_loses_them() {
    const NAME: &str = "a_filter_without_its_option_keeps_lines_back_and_loses_them";
    needs!("root");
    let run = r#"run = "until test -e SCRATCH/go; do sleep 0.1; done; echo line; exec sleep 1000""#;
    for heading in ["Wrong", "Right"] {
        let example = pages::manifest("lint::buffered-filter", heading);
        let Some(m) = Machine::boot(NAME, &example.replace("run = [\"web\"]", run)) else { return };
        let place = format!("/proc/{}", m.field("web-filter", "pid"));
        let read = |file: &str| fs::read_to_string(format!("{place}/{file}")).unwrap_or_default();
        // The number of bytes that it has read.
        let count = || read("io").lines().find_map(|line| line.strip_prefix("rchar: ")?.parse::<u64>().ok());
        eventually("grep has begun", || read("comm") == "grep\n" && read("stat").contains(") S "));
        let before = count().unwrap();
        fs::write(m.path("go"), "").unwrap();
        eventually("grep has read the line", || count().unwrap_or_default() >= before + 5);
        match heading {
            "Right" => assert_eq!(m.text("container", 1), "line\n"),
            _ => {
                m.control("-d", "web-filter");
                eventually("the filter has ended", || m.field("web-filter", "up") == "false");
                assert_eq!(fs::read_to_string(m.path("container")).unwrap(), "");
            }
        }
    }
}

#[test]
fn instances_bring_and_take_the_services_of_their_logs() {
    needs!("root");
    let manifest = r##"
        [longrun.web]
        run = ["sleep", "infinity"]

        [longrun.job]
        instances = []
        parameters = ["tag"]
        run = 'echo drop; echo "{{ tag }}"; exec sleep infinity'

        [longrun.job.log]
        to = ["sh", "-c", 'while read -r line; do echo "$1 $line" >>SCRATCH/lines; done', "sh", "{{ name }}"]
        filter = ["grep", "--line-buffered", "-v", "drop"]
        show = ["SCRATCH/{{ instance }}.shown"]
        user = "root"

        [longrun.json]
        instances = []
        run = "echo hello; exec sleep infinity"
        log = { format = "json", stderr = "stdout", user = "root" }
        "##;
    let name = "instances_bring_and_take_the_services_of_their_logs";
    let Some(system) = System::boot(name, manifest) else { return };
    system.instance(&["add", "job", "a", "--set", "tag=one"]);
    system.instance(&["add", "json", "b"]);
    assert_eq!(
        system.apply(&[]),
        "added      job-a   longrun, started; its loggers too\nadded      json-b  longrun, started; its logger too\nunchanged  1\n"
    );
    let active = "job-a job-a-filter job-a-log job-a-show json-b json-b-log web";
    assert_eq!(system.active(), active.split(' ').map(str::to_owned).collect());
    eventually("the command has the line", || system.text("lines") == "job-a one\n");
    eventually("the JSON is there", || {
        system.text("scan.log").contains(r#""service":"json-b","stream":"stdout","message":"hello"}"#)
    });
    system.instance(&["add", "job", "a", "--set", "tag=two"]);
    assert_eq!(system.apply(&[]), "restarted  job-a  data/run changed\nunchanged  6\n");
    eventually("the command has the new line", || system.text("lines").ends_with(" two\n"));
    assert_eq!(system.text("lines").lines().count(), 2, "{}", system.text("lines"));
    let text = system.text("services.toml").replace("\"drop\"]", "\"two\"]");
    fs::write(system.path("services.toml"), text).unwrap();
    system.succeed("s6gen", &["build"]);
    system.apply(&[]);
    eventually("the new filter is at work", || system.text("lines").ends_with(" drop\n"));
    system.instance(&["remove", "job-a"]);
    system.instance(&["remove", "json-b"]);
    system.apply(&[]);
    assert_eq!(system.active(), ["web".to_owned()].into());
}

/// Starts a program of a definition as an account, and gives it a line. Returns its output.
fn start_as(account: &str, definition: &Path, file: &str) -> String {
    let mut program = Command::new("sh");
    // A logger reports on descriptor 3 that it is ready.
    program.args(["-c", "exec s6-setuidgid \"$@\" 3>/dev/null", "sh", account]).arg(definition.join(file));
    program.current_dir(definition).stdin(Stdio::piped()).stdout(Stdio::piped());
    let path = format!("{}:/usr/lib/execline/bin", std::env::var("PATH").unwrap());
    program.env_clear().env("PATH", path).env("HOME", "/home/of/container");
    let mut child = program.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a line\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn one_tree_runs_with_root_and_without_by_rootless_detect() {
    needs!("s6", "execline", "root");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let manifest = r##"
        [target]
        s6-rc = "0.7.0.0"
        tree = "SCRATCH/source"
        rootless = "detect"

        [longrun.web]
        run = 'echo "$(id -u):$(id -g) $HOME ${USER-none} $(nice)"'
        user = "daemon"
        nice = -5
        log = { to = "SCRATCH/data/web", timestamp = "none" }

        [longrun.group]
        run = 'echo "$(id -u):$(id -g) $HOME ${USER-none} $(id -G)"'
        user = "daemon:adm"
        variables = { words = "9", HOME = {} }

        [longrun.ids]
        run = 'echo "$(id -u):$(id -g) $HOME ${USER-none}"'
        user = "77:78"
        log = { file = "SCRATCH/data/ids.log" }

        [longrun.passed]
        run = ["true"]
        log = { to = ["sh", "-c", 'echo "$(id -u) $HOME $(cat)"'], user = "daemon" }
        "##
    .replace("SCRATCH", path);
    build(&manifest);
    let nobody = uid_of("nobody");
    fs::create_dir(folder.path().join("data")).unwrap();
    for place in [folder.path().to_owned(), folder.path().join("data")] {
        fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::os::unix::fs::chown(folder.path().join("data"), Some(1234), Some(1234)).unwrap();
    let definition = |name: &str| folder.path().join("source").join(name);
    let owner = |name: &str| fs::metadata(folder.path().join("data").join(name)).unwrap().uid();
    let start = |account: &str, name: &str| start_as(account, &definition(name), "run");
    // Without root first.
    assert_eq!(start("1234:1234", "web"), "1234:1234 /home/of/container none 0\n");
    assert_eq!(start("1234:1234", "group"), "1234:1234 /home/of/container none 1234\n");
    assert_eq!(start("1234:1234", "ids"), "1234:1234 /home/of/container none\n");
    assert_eq!(start("1234:1234", "passed-log"), "1234 /home/of/container a line\n");
    start_as("1234:1234", &definition("web-log"), "run");
    start_as("1234:1234", &definition("ids-log"), "run");
    assert_eq!((owner("web"), owner("web/current"), owner("ids.log")), (1234, 1234, 1234));
    // The same tree with root.
    fs::remove_file(folder.path().join("data/web/current")).unwrap();
    fs::remove_file(folder.path().join("data/web/lock")).unwrap();
    fs::remove_file(folder.path().join("data/web/state")).unwrap_or_default();
    assert_eq!(start("0:0", "web"), "1:1 /usr/sbin daemon -5\n");
    assert_eq!(start("0:0", "group"), "1:4 /usr/sbin daemon 4\n");
    assert_eq!(start("0:0", "ids"), "77:78 /home/of/container none\n");
    assert_eq!(start("0:0", "passed-log"), "1 /usr/sbin a line\n");
    start_as("0:0", &definition("web-log"), "run");
    assert_eq!((owner("web"), owner("web/current")), (nobody, nobody));
}

fn uid_of(name: &str) -> u32 {
    let output = Command::new("id").args(["-u", name]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}
