//! Runs services with values of the container: `${NAME}` in a manifest becomes the value, whatever it contains, and nothing else.
//!
//! The environment of s6-svscan stands in for that of the container. `S6GEN_VECTORS` is the number of random values.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::tree::TreeEntry;
use s6gen::{compile, render};

use crate::exactness::{RECORDER, Random};
use crate::oracle::number_from;
use crate::require::needs;
use crate::supervise::{LIMIT, Supervision, build, eventually};

/// The script `path` of the definition `name` in the tree of a manifest without s6-overlay.
fn script(manifest: &str, name: &str, path: &str) -> String {
    let mut files = Files::default();
    let file = files.add("services.toml", format!("[target]\ns6-rc = \"0.7.0.0\"\n{manifest}"));
    let compilation = compile(&files, file);
    assert!(
        !compilation.problems.has_errors(),
        "{manifest}: {:?}",
        compilation.problems.iter().map(|problem| &problem.message).collect::<Vec<_>>()
    );
    let tree = render::tree(&compilation.services).unwrap();
    let Some(TreeEntry::File { content, .. }) = tree.get(&format!("etc/s6-rc/source/{name}/{path}")) else {
        panic!("no {path}")
    };
    String::from_utf8(content.to_vec()).unwrap()
}

/// What execlineb prints and its exit code, when it runs a script with these variables.
fn run(script: &str, variables: &[(&str, &OsStr)]) -> (Vec<u8>, String, i32) {
    let folder = crate::case::scratch();
    let place = folder.path().join("run");
    fs::write(&place, script).unwrap();
    let mut command = Command::new("execlineb");
    let command = command.arg("-P").arg(&place).current_dir(folder.path()).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.stdout, errors, output.status.code().unwrap_or(-1))
}

/// A value as the container can have it: any bytes but NUL.
fn value(random: &mut Random) -> OsString {
    match random.below(12) {
        0 => OsString::from_vec(vec![0xff, 0xfe, b'$', b'{', b'A', b'}', 0x80]),
        1 => "${B}".into(),
        2 => "x".repeat(20_000).into(),
        3 => format!("{}\n{}\n", random.word(), random.word()).into(),
        _ => random.word().into(),
    }
}

#[test]
fn a_value_of_the_container_arrives_as_exactly_one_word() {
    needs!("execline", "perl");
    let count = number_from("S6GEN_VECTORS", 300);
    let large = "x".repeat(100_000);
    let echo =
        script("[longrun.web]\nvariables.A = {}\nrun = [\"printf\", \"%s\", \"${A}\"]\n", "web", "run");
    assert!(run(&echo, &[("A", OsStr::new(&large))]).0 == large.as_bytes());
    // Without braces a name is ordinary text, whatever stands beside it.
    for text in ["$A", "$A{", "\\\\$A", "$$A}", "${$A", "${A$A", "$A$A", "x$A\\\\"] {
        let word = text.replace("\\\\", "\\");
        let manifest = format!(
            "[longrun.web]\nvariables.A = {{}}\nrun = [\"printf\", \"%s\", \"{text}${{A}}\", \"{text}\"]\n"
        );
        let (got, ..) = run(&script(&manifest, "web", "run"), &[("A", OsStr::new("1"))]);
        assert_eq!(String::from_utf8_lossy(&got), format!("{word}1{word}"));
    }
    for seed in 0..count {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (seed + 1));
        // Each word and variable is made of texts and values.
        let values = [value(&mut random), value(&mut random)];
        // A default cannot refer to a variable.
        let default = random.word().replace("${", "$ {");
        let mut item = |first: &str| {
            let mut written = first.to_owned();
            for _ in 0..random.below(5) {
                match random.below(4) {
                    0 => written += "${A}",
                    1 => written += "${B}",
                    2 => written += "${UNSET}",
                    _ => written += &random.word(),
                }
            }
            // Two texts side by side may make another `${A}`.
            let known: [(&str, &[u8]); 3] = [
                ("${A}", values[0].as_bytes()),
                ("${B}", values[1].as_bytes()),
                ("${UNSET}", default.as_bytes()),
            ];
            let (mut expected, mut rest) = (Vec::new(), &written[..]);
            while let Some(next) = rest.chars().next() {
                let reference = known.iter().find(|(name, _)| rest.starts_with(name));
                expected.extend(reference.map_or(&rest.as_bytes()[..next.len_utf8()], |(_, value)| value));
                rest = &rest[reference.map_or(next.len_utf8(), |(name, _)| name.len())..];
            }
            (written, expected)
        };
        let words = [item(""), item("-"), item("\\"), item("")];
        let variables = [("V1", item("")), ("V2", item("\\\\"))];
        let mut manifest = format!(
            "[longrun.web]\nvariables = {{ A = {{}}, B = \"none\", UNSET = {} }}\nrun = [",
            crate::exactness::toml(&default)
        );
        for word in ["perl", "-e", RECORDER, "--"] {
            manifest += &(crate::exactness::toml(word) + ", ");
        }
        for (written, _) in &words {
            manifest += &(crate::exactness::toml(written) + ", ");
        }
        manifest += "]\n";
        for (name, (written, _)) in &variables {
            manifest += &format!("environment.{name} = {}\n", crate::exactness::toml(written));
        }
        let mut expected: Vec<Vec<u8>> = words.into_iter().map(|(_, expected)| expected).collect();
        let named = variables.into_iter().map(|(name, (_, value))| [name.as_bytes(), b"=", &value].concat());
        expected.extend(named);
        expected.push(vec![1]);
        let expected: Vec<u8> = expected.into_iter().flat_map(|item| item.into_iter().chain([0])).collect();
        let script = script(&manifest, "web", "run");
        let (got, errors, _) = run(&script, &[("A", &values[0]), ("B", &values[1])]);
        assert!(errors.is_empty(), "{seed}: {errors}\n{script}");
        assert!(
            got == expected,
            "{seed}: {script}\n{:?}\n{:?}",
            String::from_utf8_lossy(&got),
            String::from_utf8_lossy(&expected)
        );
    }
    eprintln!("{count} vectors");
}

#[test]
fn a_script_finds_values_and_defaults_in_its_environment() {
    needs!("s6", "execline");
    let s = Supervision::start_with(
        "[longrun.web]\nvariables = { SET = \"no\", EMPTY = \"no\", UNSET = \"a ${OTHER} $(b)\" }\n\
         run = 'echo \"<$SET> <$EMPTY> <$UNSET>\" > SCRATCH/out; exec sleep 1000'\n\
         finish = 'echo \"<$SET> <$EMPTY> <$UNSET>\" > SCRATCH/finish'\n",
        &[("SET", "x y"), ("EMPTY", "")],
    );
    s.control("-u", "web");
    assert_eq!(s.text("out", 1), "<x y> <> <a ${OTHER} $(b)>\n");
    s.control("-d", "web");
    assert_eq!(s.text("finish", 1), "<x y> <> <a ${OTHER} $(b)>\n");
}

#[test]
fn a_variable_that_the_container_must_set_fails_the_start_for_good() {
    needs!("s6", "execline");
    let manifest =
        |rest: &str| format!("[longrun.web]\nvariables.URL = {{}}\nrun = [\"sleep\", \"1000\"]\n{rest}");
    let (_, errors, code) = run(&script(&manifest(""), "web", "run"), &[]);
    assert_eq!((errors.as_str(), code), ("web: the container does not set the variable URL\n", 100));
    for rest in ["", "on-exit.codes = [7]\n", "finish = 'true'\n", "restart-delay = \"1s\"\n"] {
        let s = Supervision::start(&manifest(rest));
        s.control("-u", "web");
        eventually("it has died", || s.deaths("web") == 1);
        std::thread::sleep(std::time::Duration::from_millis(1300));
        assert_eq!(s.status("web", "up"), "false", "{rest}: it is not started again");
        assert_eq!(s.deaths("web"), 1);
        let s = Supervision::start_with(&manifest(rest), &[("URL", "")]);
        s.control("-u", "web");
        eventually("it is up, because an empty value is a value", || s.status("web", "up") == "true");
    }
}

#[test]
fn a_value_of_the_container_can_be_in_every_place_that_the_reference_names() {
    needs!("s6", "execline", "root", "s6-networking");
    let s = Supervision::start_with(
        "[longrun.web]\nvariables = { DIR = {}, FILES = {}, MASK = \"022\", ID = {}, X = \"v\" }\n\
         run = 'umask; ulimit -n; pwd; id -u; id -g; echo \"$PATH\" \"$Y\" >&2; echo > \"$DIR/work/ready\"; exec sleep 1000'\n\
         workdir = \"${DIR}/work\"\numask = \"${MASK}\"\nuser = \"${ID}:${ID}\"\nlimits.nofile = \"${FILES}\"\n\
         environment = { PATH = \"/usr/bin:/bin:/${X}\", Y = \"y${X}\" }\nonly-if = 'test \"$X\" = v'\n\
         ready.check = [\"test\", \"-e\", \"${DIR}/work/ready\"]\ntimeout-up = \"2m\"\n\
         log = { to = \"${DIR}/log\", timestamp = \"none\", link = true, user = \"root\" }\n",
        &[("DIR", "SCRATCH"), ("FILES", "333"), ("MASK", "027"), ("ID", "12345")],
    );
    fs::create_dir(s.path("work")).unwrap();
    fs::set_permissions(s.path("work"), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    s.control("-u", "web");
    assert!(s.wait("-U", "web", LIMIT));
    let work = s.path("work").to_str().unwrap().to_owned();
    let expected = format!("0027\n333\n{work}\n12345\n12345\n/usr/bin:/bin:/v yv\n");
    assert_eq!(s.text("log/current", 6), expected);
    assert_eq!(s.text("log.log", 6), expected, "the link leads to the file");
}

#[test]
fn an_account_can_come_from_the_container_by_name() {
    needs!("execline", "s6", "root");
    let script = script(
        "[longrun.web]\nvariables.ACCOUNT = {}\nuser = \"${ACCOUNT}\"\nrun = [\"sh\", \"-c\", 'id -un; echo \"$USER $LOGNAME $HOME\"']\n",
        "web",
        "run",
    );
    let (out, errors, _) = run(&script, &[("ACCOUNT", OsStr::new("daemon"))]);
    assert_eq!(String::from_utf8(out).unwrap(), "daemon\ndaemon daemon /usr/sbin\n", "{errors}");
    for wrong in ["", "-x", "no such", "0; id"] {
        let (out, errors, code) = run(&script, &[("ACCOUNT", OsStr::new(wrong))]);
        assert!(out.is_empty() && code != 0, "{wrong:?}: {errors}");
    }
}

#[test]
fn a_oneshot_and_a_check_get_values_of_the_container() {
    needs!("execline", "s6");
    let manifest = "[oneshot.step]\nvariables = { A = {}, B = \"b c\" }\nup = [\"printf\", \"<%s>\", \"${A}\", \"${B}\"]\n\
        [longrun.web]\nvariables = { PORT = \"1\", HOST = \"localhost\" }\nrun = [\"web\"]\nready.http = \"http://${HOST}:${PORT}/a${PORT}\"\n\
        [longrun.socket]\nvariables.DIR = {}\nrun = [\"web\"]\nready.unix = \"${DIR}/socket\"\n";
    let (out, errors, _) = run(&script(manifest, "step", "up"), &[("A", OsStr::new("x\ny"))]);
    assert_eq!(String::from_utf8(out).unwrap(), "<x\ny><b c>", "{errors}");
    let (_, errors, code) = run(&script(manifest, "step", "up"), &[]);
    assert_eq!((errors.as_str(), code), ("step: the container does not set the variable A\n", 100));
    let folder = crate::case::scratch();
    build(&format!(
        "[target]\ns6-rc = \"0.7.0.0\"\ntree = \"{}/source\"\n{manifest}",
        folder.path().display()
    ));
    needs!("s6-networking", "python3");
    let server = "import http.server\n\
        class H(http.server.BaseHTTPRequestHandler):\n    \
            def do_GET(self):\n        \
                ok = self.path == '/a' + str(s.server_port)\n        \
                self.send_response(200 if ok else 404)\n        self.end_headers()\n    \
            def log_message(self, *a): pass\n\
        s = http.server.HTTPServer(('127.0.0.1', 0), H)\nprint(s.server_port, flush=True)\ns.serve_forever()";
    let mut server =
        Command::new("python3").args(["-c", server]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.stdout.take().unwrap()), &mut port)
        .unwrap();
    let check = script(manifest, "web", "data/check");
    let (_, errors, code) = run(&check, &[("PORT", OsStr::new(port.trim()))]);
    let refused = run(&check, &[("PORT", OsStr::new("1"))]).2;
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(code, 0, "{errors}");
    assert_ne!(refused, 0);
}

/// In places where programs of s6 read a value, it may make the start fail, but it never becomes code.
#[test]
fn a_hostile_value_runs_nothing() {
    needs!("execline", "s6", "root");
    let manifest = "[longrun.web]\n\
        variables = { A = {} }\nrun = [\"true\"]\nuser = \"${A}\"\nworkdir = \"${A}\"\numask = \"${A}\"\n\
        limits = { nofile = \"${A}\", core = \">= ${A}\" }\nlog = { to = \"SCRATCH/x${A}\", user = \"${A}\", prefix = \"${A}\", tee = true }\n\
        ready.http = \"http://127.0.0.1:${A}/${A}\"\n\
        [oneshot.step]\nvariables.A = {}\nup = [\"true\"]\nlog = { to = \"SCRATCH/o${A}\", stderr = \"SCRATCH/e/${A}/e\" }\n\
        [longrun.limits]\nvariables = { A = {} }\nrun = [\"true\"]\nlimits = { core = \">= ${A}\" }\n\
        [longrun.dir]\nvariables.A = {}\nrun = 'true'\nworkdir = \"${A}\"\nprepare = [\"true\"]\nready.unix = \"${A}\"\n\
        [longrun.http]\nvariables.A = {}\nrun = [\"true\"]\nalive.http = \"http://127.0.0.1:${A}/${A}\"\n\
        log = { to = [\"sh\", \"SCRATCH/none\", \"${A}\"], filter = [\"grep\", \"--line-buffered\", \"${A}\"] }\n\
        [longrun.own]\nvariables.A = {}\nrun = [\"true\"]\nalive.check = [\"test\", \"-e\", \"${A}\"]\nlog.file = \"SCRATCH/f${A}\"\n\
        [oneshot.host]\nvariables.A = {}\nwait-for.tcp = \"${A}:80\"\n\
        [oneshot.path]\nvariables.A = {}\nwait-for.path = \"${A}\"\non-failure.tries = 2\n\
        [longrun.read]\nvariables.A = {}\nrun = [\"true\"]\nlog = { to = [\"true\", \"${A}\"], filter = [\"${A}\"], user = \"${A}\" }\n\
        [longrun.file]\nvariables.A = {}\nrun = [\"true\"]\nlog = { file = \"SCRATCH/f/${A}\", user = \"${A}\" }\n";
    let (folder, scratch) = (crate::case::scratch(), crate::case::scratch());
    let manifest = &manifest.replace("SCRATCH", scratch.path().to_str().unwrap());
    let mark = folder.path().join("mark");
    let mark = mark.to_str().unwrap();
    let scripts = [
        script(manifest, "web", "run"),
        script(manifest, "web", "data/check"),
        script(manifest, "web-log", "run"),
        script(manifest, "step", "up"),
        script(manifest, "limits", "run"),
        script(manifest, "dir", "run"),
        script(manifest, "dir", "data/check"),
        script(manifest, "http", "run"),
        script(manifest, "http", "data/check-alive"),
        script(manifest, "http-log", "run"),
        script(manifest, "own", "run"),
        script(manifest, "own", "data/check-alive"),
        script(manifest, "host", "data/check"),
        script(manifest, "path", "up"),
        script(manifest, "path", "data/check"),
        script(manifest, "read-log", "run"),
        script(manifest, "read-filter", "run"),
        script(manifest, "file-log", "run"),
    ];
    let place = format!("/run/s6gen-test-{}", std::process::id());
    let commands = [
        format!("touch {mark}"),
        format!("$(touch {mark})"),
        format!("`touch {mark}`"),
        format!("'; touch {mark}; '"),
        format!("\"; touch {mark}; \""),
        format!("x\ntouch {mark}\n"),
        format!("!touch {mark}"),
        format!("a[$(touch {mark})]"),
        format!("}} }} touch {mark}"),
        format!("-c touch {mark}"),
        "${A}".to_owned(),
        "-x".to_owned(),
        "..".to_owned(),
    ];
    for command in commands {
        for script in &scripts {
            run(script, &[("A", OsStr::new(&command))]);
            assert!(!fs::exists(mark).unwrap(), "{command}\n{script}");
        }
        // The script that makes the file of a log, as root.
        let path = format!("{place}/{command}");
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/data/log-file");
        let status = Command::new("sh").arg(script).args([&path, "daemon:", "web-log"]).output().unwrap();
        assert!(!fs::exists(mark).unwrap(), "{command}: {status:?}");
        assert_eq!(fs::metadata("/run").unwrap().uid(), 0, "{command}");
    }
    fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_value_of_the_container_is_one_word_of_the_command_of_a_log() {
    needs!("execline", "s6");
    let manifest = "[longrun.web]\nvariables.A = {}\nrun = [\"true\"]\n\
        log = { to = [\"printf\", \"%s\", \"x${A}y\"], filter = [\"printf\", \"%s\", \"${A}\"], user = \"0:0\" }\n";
    let mut random = Random(number_from("S6GEN_ORACLE_SEED", 1));
    let scripts =
        ["web-log", "web-filter"].map(|name| script(manifest, name, "run").replace("s6-setuidgid 0:0\n", ""));
    for _ in 0..number_from("S6GEN_VECTORS", 300) / 10 {
        let value = value(&mut random);
        let bytes = value.as_bytes();
        let found = scripts.each_ref().map(|script| run(script, &[("A", &value)]).0);
        assert_eq!(found, [[b"x", bytes, b"y"].concat(), bytes.to_vec()], "{value:?}");
    }
}

#[test]
fn a_value_at_the_beginning_of_a_path_for_s6_log_is_a_path() {
    let run = script(
        "[longrun.web]\nvariables.DIR = {}\nrun = [\"web\"]\nlog.to = \"${DIR}/web\"\n",
        "web-log",
        "run",
    );
    assert!(run.ends_with("s6-log -b -d 3 -- n20 s1048576 T \"/${DIR}/web\"\n"), "{run}");
}
