//! Runs services with secrets and files of variables, and oneshots whose output becomes a variable of the container.
//!
//! The environment of s6-svscan stands in for that of the container.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use s6gen::diagnostic::Files;
use s6gen::tree::TreeEntry;
use s6gen::{compile, render};

use crate::require::needs;
use crate::supervise::{LIMIT, Supervision};

/// Whether a process has the text in its command line.
fn is_in_a_command_line(text: &str) -> bool {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| line.windows(text.len()).any(|part| part == text.as_bytes()))
}

/// Whether the file appears.
fn appears(path: &Path) -> bool {
    let wait = || std::thread::sleep(Duration::from_millis(20));
    (0..3000).any(|_| path.exists() || (wait(), false).1)
}

/// Whether the service `web` dies, and then stays down for longer than the second after which s6 starts a service again.
fn fails_for_good(s: &Supervision) -> bool {
    let wait = || std::thread::sleep(Duration::from_millis(20));
    let dies = (0..3000).any(|_| s.deaths("web") > 0 || (wait(), false).1);
    std::thread::sleep(Duration::from_millis(1200));
    dies && s.deaths("web") == 1 && s.status("web", "up") == "false"
}

/// Whether a file below the folder has the text in it.
fn is_in_a_file(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => is_in_a_file(&entry.path(), text),
        Ok(kind) if kind.is_file() => {
            let content = fs::read(entry.path()).unwrap_or_default();
            content.windows(text.len()).any(|part| part == text.as_bytes())
        }
        _ => false,
    })
}

#[test]
fn a_secret_is_in_the_environment_and_in_no_command_line() {
    needs!("s6", "execline");
    // Each program in the way to the service runs for a moment, so the test looks again and again while it starts and dies.
    let s = Supervision::start_with(
        "[longrun.web]\nsecrets = [\"SECRET\", \"KEY\"]\nvariables.HOST = {}\nenvironment.URL = \"a ${SECRET}@${HOST}\\\\${KEY}$(x)\"\n\
         prepare = 'sleep 0.1'\nfinish = 'sleep 0.1'\nrun = 'test ! -e SCRATCH/stay || exec sleep 1000; sleep 0.1'\n",
        &[("SECRET", "geheim-1"), ("KEY_FILE", "SCRATCH/key"), ("HOST", "h\" $(y)")],
    );
    fs::write(s.path("key"), "geheim-2\n").unwrap();
    s.control("-u", "web");
    let mut seen = 0;
    while s.deaths("web") < 3 {
        assert!(!is_in_a_command_line("geheim-"));
        seen += 1;
    }
    assert!(seen > 10);
    fs::remove_file(s.path("key")).unwrap();
    assert!(!is_in_a_file(&s.path(""), "geheim-"));
}

#[test]
fn secrets_arrive_byte_for_byte() {
    needs!("s6", "execline", "perl");
    let hostile = "\" ' \\ $(id) `id` ${A}\u{1b}\n-x \n\n";
    for (value, expected) in
        [(hostile.to_owned() + "\n", hostile), ("p".to_owned(), "p"), ("x".repeat(60_000), "")]
    {
        let expected = if expected.is_empty() { &value.clone() } else { expected };
        let manifest = "[longrun.web]\nsecrets = [\"A\", \"B\"]\nvariables.H = {}\nenvironment.BOTH = \"${A}|\\\\${B}${H}|\"\n\
             run = ['perl', '-e', 'open F, \">SCRATCH/out.new\"; print F join(\"\\0\", @ENV{qw(A B BOTH)}, exists $ENV{B_FILE}); close F; rename \"SCRATCH/out.new\", \"SCRATCH/out\"; sleep 1000']\n";
        let variables = [("A", expected), ("B_FILE", "SCRATCH/b"), ("H", "$B\\")];
        let s = Supervision::start_with(manifest, &variables);
        let mut value = value.into_bytes();
        value.insert(0, 0xff);
        fs::write(s.path("b"), &value).unwrap();
        s.control("-u", "web");
        assert!(appears(&s.path("out")));
        let a = expected.as_bytes();
        let b = [&[0xff], a].concat();
        let both = [a, b"|\\", &b, b"$B\\|"].concat();
        let got = fs::read(s.path("out")).unwrap();
        let expected = [a, &b, &both, b""].join(&0);
        assert!(got == expected, "{:?}", String::from_utf8_lossy(&got));
    }
}

#[test]
fn a_secret_that_cannot_be_read_fails_the_start_for_good() {
    needs!("s6", "execline");
    let manifest = "[longrun.web]\nsecrets = [\"SECRET\"]\nrun = [\"sleep\", \"1000\"]\n";
    let wrong: [(&[(&str, &str)], &str); 6] = [
        (&[], "web: the container sets neither SECRET nor SECRET_FILE"),
        (&[("SECRET", ""), ("SECRET_FILE", "")], "web: the container sets neither SECRET nor SECRET_FILE"),
        (
            &[("SECRET", "geheim"), ("SECRET_FILE", "/x")],
            "web: the container sets both SECRET and SECRET_FILE",
        ),
        (&[("SECRET_FILE", "/no/file")], "web: cannot read /no/file, which SECRET_FILE names"),
        (&[("SECRET_FILE", "/dev/null/x")], "web: cannot read /dev/null/x, which SECRET_FILE names"),
        (&[("SECRET_FILE", "SCRATCH/empty")], "web: SCRATCH/empty is empty, which SECRET_FILE names"),
    ];
    for (variables, message) in wrong {
        for further in ["", "on-exit.codes = [7]\n"] {
            let s = Supervision::start_with(&format!("{manifest}{further}"), variables);
            fs::write(s.path("empty"), "").unwrap();
            s.control("-u", "web");
            assert!(fails_for_good(&s), "{message} {further}");
        }
        let s = Supervision::start_with(manifest, variables);
        fs::write(s.path("empty"), "").unwrap();
        let folder = s.path("").display().to_string();
        let variables = variables.iter().map(|(name, value)| (name, value.replace("SCRATCH/", &folder)));
        let script = s.path("scan/web/data/secret");
        let output = Command::new("sh").arg(script).args(["web", "SECRET"]).envs(variables).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((errors, output.stdout.len()), (message.replace("SCRATCH/", &folder) + "\n", 0));
    }
    let s = Supervision::start_with(manifest, &[("SECRET_FILE", "SCRATCH/null")]);
    fs::write(s.path("null"), "a\0b").unwrap();
    s.control("-u", "web");
    assert!(fails_for_good(&s), "a NUL is refused");
}

#[test]
fn files_of_variables_are_read_at_each_start_before_the_environment() {
    needs!("s6", "execline");
    let manifest = "[longrun.web]\nvariables = { PORT = \"1\", NEEDED = {} }\nsecrets = [\"TOKEN\"]\n\
         environment-files = [\"SCRATCH/one\", \"-SCRATCH/two\"]\nenvironment = { MODE = \"own ${PORT}\" }\n\
         run = 'env | sort > SCRATCH/out.new; mv SCRATCH/out.new SCRATCH/out; exec sleep 1000'\n\
         finish = 'echo \"$PORT $TOKEN\" > SCRATCH/finish'\n";
    let s = Supervision::start(manifest);
    let text = "# a comment\n\n  # another\nPORT = 80 \nTOKEN=geheim\nMODE=file\nNEEDED=\"  a \\\"q\\\" \\\\ \\n#\" \nQ='x' $HOME # y\nLONG=a\\\n b\nTWO=one\nEMPTY=\nF=a\" \"b\n";
    fs::write(s.path("one"), text).unwrap();
    s.control("-u", "web");
    let lines = |file: &str| {
        assert!(appears(&s.path(file)));
        fs::read_to_string(s.path(file)).unwrap()
    };
    let out = lines("out");
    let mut got: Vec<&str> = out
        .lines()
        .filter(|line| {
            ["EMPTY", "F=", "LONG", "MODE", "NEEDED", "PORT", "Q", "TWO", "#"]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .collect();
    got.sort_unstable();
    let expected = [
        "#",
        "EMPTY=",
        "F=a b",
        "LONG=a b",
        "MODE=own 80",
        "NEEDED=  a \"q\" \\ ",
        "PORT=80",
        "Q='x' $HOME # y",
        "TWO=one",
    ];
    assert_eq!(got, expected);
    fs::write(s.path("two"), "TWO=two\nPORT=81\n").unwrap();
    fs::remove_file(s.path("out")).unwrap();
    s.control("-r", "web");
    assert!(lines("out").contains("TWO=two"), "the last file counts, and it is read again");
    assert_eq!(lines("finish"), "81 geheim\n");
}

#[test]
fn a_file_of_variables_that_cannot_be_read_fails_the_start_for_good() {
    needs!("s6", "execline");
    let manifest = "[longrun.web]\nenvironment-files = [\"SCRATCH/one\"]\nrun = [\"sleep\", \"1000\"]\n";
    for (content, further) in [
        (None, ""),
        (Some("export A=b\n"), ""),
        (None, "on-exit.codes = [7]\n"),
        (None, "restart-delay = \"1s\"\n"),
    ] {
        let s = Supervision::start(&format!("{manifest}{further}"));
        if let Some(content) = content {
            fs::write(s.path("one"), content).unwrap();
        }
        s.control("-u", "web");
        assert!(fails_for_good(&s), "{further}");
        fs::write(s.path("one"), "A=b\n").unwrap();
        s.control("-u", "web");
        assert!(s.wait("-u", "web", LIMIT));
    }
    let s = Supervision::start(
        "[longrun.web]\nenvironment-files = [\"-SCRATCH/one\"]\nrun = [\"sleep\", \"1000\"]\n",
    );
    s.control("-u", "web");
    assert!(s.wait("-u", "web", LIMIT), "it may be missing");
}

/// A oneshot of s6-overlay, whose variables of the container are in a folder.
struct Setter {
    folder: tempfile::TempDir,
}

impl Setter {
    /// Builds a manifest with the oneshot `step`.
    fn new(manifest: &str) -> Setter {
        let folder = crate::case::scratch();
        let path = folder.path().to_str().unwrap();
        let mut files = Files::default();
        let file = files.add("services.toml", manifest.replace("SCRATCH", path));
        let compilation = compile(&files, file);
        let problems: Vec<_> = compilation.problems.iter().map(|problem| &problem.message).collect();
        assert!(!compilation.problems.has_errors(), "{problems:?}");
        let tree = render::tree(&compilation.services).unwrap();
        let definition = "etc/s6-overlay/sv/step/";
        for file in ["up", "data/up", "data/only-if", "data/secret"] {
            let Some(TreeEntry::File { content, .. }) = tree.get(&format!("{definition}{file}")) else {
                continue;
            };
            let text = String::from_utf8(content.to_vec()).unwrap();
            let text = text.replace("/run/s6/container_environment", &format!("{path}/variables"));
            fs::create_dir_all(folder.path().join("data")).unwrap();
            fs::write(folder.path().join(file), text.replace("/etc/s6-overlay/sv/step", path)).unwrap();
        }
        fs::create_dir(folder.path().join("variables")).unwrap();
        let contenv = format!("#!/bin/sh\nexec s6-envdir -Lf {path}/variables \"$@\"\n");
        crate::supervise::write_program(&folder.path().join("bin/with-contenv"), &contenv);
        Setter { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `up`. Returns its exit code, its output and its errors.
    fn up(&self) -> (i32, String, String) {
        let programs = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let up = self.path("up");
        let output = Command::new("execlineb").arg("-P").arg(up).env("PATH", programs).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// The names in the folder of variables, hidden ones too.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("variables")).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    /// The value of the variable `V`, as `with-contenv` of each version of s6-overlay reads it: of 3.0, which takes the file
    /// as it is, of 3.1.0.0 to 3.2.1.0, and of newer ones.
    fn values(&self) -> [Option<Vec<u8>>; 3] {
        let read = |options: &str| {
            let mut command = Command::new("s6-envdir");
            let command = command.arg(options).arg(self.path("variables")).args(["printenv", "-0", "V"]);
            let output = command.env_remove("V").output().unwrap();
            output.status.success().then(|| output.stdout[..output.stdout.len() - 1].to_vec())
        };
        [fs::read(self.path("variables/V")).ok(), read("-Lfn"), read("-Lf")]
    }
}

#[test]
fn the_output_of_a_oneshot_becomes_a_variable_byte_for_byte() {
    needs!("s6", "execline");
    let setter =
        Setter::new("[oneshot.step]\nup = [\"cat\", \"SCRATCH/value\"]\nsets = \"V\"\numask = \"077\"\n");
    let hostile = b"\" ' \\ $(id) `id` ${V} \xff\xfe\x1b\n\n-x \t ";
    let large = vec![b'x'; 100_000];
    for value in [&hostile[..], b"1", b"-n", b"%s\\n", b"\n \n x", &large] {
        for end in ["", "\n", "\n\n\n"] {
            fs::write(setter.path("value"), [value, end.as_bytes()].concat()).unwrap();
            assert_eq!(setter.up(), (0, String::new(), String::new()));
            assert!(
                setter.values().iter().all(|read| read.as_deref() == Some(value)),
                "{:?}",
                setter.values()
            );
            assert_eq!(setter.names(), ["V"]);
        }
    }
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(setter.path("variables/V")).unwrap());
    assert_eq!(mode & 0o7777, 0o644, "every account can load the variables");
    for nothing in ["", "\n\n"] {
        fs::write(setter.path("variables/V"), "old").unwrap();
        fs::write(setter.path("value"), nothing).unwrap();
        assert_eq!(setter.up(), (0, String::new(), String::new()));
        assert_eq!((setter.values(), setter.names()), ([None, None, None], vec![]));
    }
}

#[test]
fn a_oneshot_that_fails_or_is_skipped_sets_nothing() {
    needs!("s6", "execline");
    let check = |setter: &Setter, code: i32, output: &str, errors: &str| {
        for old in [None, Some("old")] {
            let _ = fs::remove_file(setter.path("variables/V"));
            old.iter().for_each(|old| fs::write(setter.path("variables/V"), old).unwrap());
            assert_eq!(setter.up(), (code, output.to_owned(), errors.to_owned()));
            let expected = old.map(|old| old.as_bytes().to_vec());
            assert_eq!(setter.values(), [expected.clone(), expected.clone(), expected]);
            assert_eq!(setter.names().len(), old.iter().count());
        }
    };
    let fails = Setter::new("[oneshot.step]\nup = 'echo value; exit 7'\nsets = 'V'\n");
    check(&fails, 7, "", "backtick: fatal: child process exited non-zero\n");
    let nul = Setter::new("[oneshot.step]\nup = ['printf', 'a\\000b']\nsets = 'V'\n");
    check(&nul, 124, "", "backtick: fatal: child process output contained a null character\n");
    // Linux starts no program with a longer variable, so every later service would fail.
    let long = Setter::new("[oneshot.step]\nup = 'head -c 140000 /dev/zero | tr \"\\000\" x'\nsets = 'V'\n");
    check(&long, 126, "", "backtick: fatal: unable to exec sh: Argument list too long\n");
    let skipped = Setter::new("[oneshot.step]\nup = 'echo value'\nonly-if = 'false'\nsets = 'V'\n");
    check(&skipped, 0, "step: only-if says no, skipped\n", "");
}

#[test]
fn the_log_of_a_oneshot_that_sets_a_variable_has_its_errors() {
    needs!("s6", "execline", "root");
    let log = "log = { to = 'SCRATCH/log', timestamp = 'none', user = 'root' }\n";
    let up = "up = 'echo value; echo error >&2'\nsets = 'V'\n";
    for (log, output, errors, logged) in [
        ("", "", "error\n", ""),
        (log, "", "", "error\n"),
        ("log = { prefix = 'p:' }\n", "p: error\n", "", ""),
        ("log.to = 'discard'\n", "", "", ""),
        ("log.stderr = 'discard'\n", "", "", ""),
    ] {
        let setter = Setter::new(&format!("[oneshot.step]\n{up}{log}"));
        assert_eq!(setter.up(), (0, output.to_owned(), errors.to_owned()), "{log}");
        assert_eq!(setter.values()[2].as_deref(), Some(&b"value"[..]));
        assert_eq!(fs::read_to_string(setter.path("log/current")).unwrap_or_default(), logged, "{log}");
    }
}

#[test]
fn a_oneshot_gets_secrets_and_files_of_variables() {
    needs!("s6", "execline");
    let manifest = "[oneshot.step]\nsecrets = ['KEY']\nenvironment-files = ['SCRATCH/env']\nenvironment.URL = 'a:${KEY}'\n\
        up = 'echo \"$KEY $URL $MODE ${KEY_FILE-unset}\"'\n";
    let setter = Setter::new(manifest);
    let unreadable = format!(
        "envfile: fatal: unable to open {}: No such file or directory\n",
        setter.path("env").display()
    );
    assert_eq!(setter.up(), (111, String::new(), unreadable));
    fs::write(setter.path("env"), "MODE = fast\n").unwrap();
    let (code, output, errors) = setter.up();
    assert_eq!((code, &*output), (100, ""));
    assert!(errors.starts_with("step: the container sets neither KEY nor KEY_FILE\n"), "{errors}");
    fs::write(setter.path("variables/KEY_FILE"), setter.path("key").to_str().unwrap()).unwrap();
    fs::write(setter.path("key"), "geheim\n").unwrap();
    assert_eq!(setter.up(), (0, "geheim a:geheim fast unset\n".to_owned(), String::new()));
}
