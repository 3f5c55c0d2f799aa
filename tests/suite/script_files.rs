//! Tests scripts that a manifest takes from files: `run.file = "scripts/web.sh"`. Such a script is the same as its text in the
//! manifest, and reports point into its file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use s6gen::diagnostic::{Code, Files};
use s6gen::jobs::{Input, Project};
use s6gen::{compile, disk, render};

use crate::exactness::toml;
use crate::require::needs;

/// A scratch folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The exit code of s6gen in a folder, and all that it prints.
fn s6gen(folder: &Path, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    let output = command.args(words).current_dir(folder).stdin(std::process::Stdio::null()).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
}

/// What `check` prints about the manifest of a folder, one line for each problem.
fn check(folder: &Path, words: &[&str]) -> String {
    s6gen(folder, &[&["check", "--format", "concise"], words].concat()).1
}

/// The manifest with a command for `key`.
fn with_command(key: &str, command: &str) -> String {
    match key {
        "run" => format!("[longrun.a]\nrun{command}\n"),
        "prepare" | "finish" | "ready.check" => format!("[longrun.a]\nrun = [\"web\"]\n{key}{command}\n"),
        "down" | "reload" | "only-if" => format!("[oneshot.a]\nup = [\"true\"]\n{key}{command}\n"),
        _ => format!("[oneshot.a]\n{key}{command}\n"),
    }
}

#[test]
fn a_script_from_a_file_is_the_same_as_its_text_in_the_manifest() {
    let texts = [
        "web --port 80\n",
        "web",
        "# serves\r\nweb \\\r\n  --port \"$1\"\r\n",
        "#!/bin/bash\nset -e\nexec web \"$1\" '{{ x }}' ${HOME}\n",
        "#!/command/with-contenv bash\r\nexec web\r\n",
        "#!/usr/bin/python3\nprint(\"{{ x\", '\u{e9}\u{1f600}\t')\n\n",
        "cat <<END | sort\n\"\\t\" `x` $(y) 'z'\nEND\n",
    ];
    for text in texts {
        for key in ["run", "prepare", "finish", "only-if", "ready.check", "up", "down", "reload"] {
            let folder =
                folder(&[("services.toml", &with_command(key, ".file = \"s/a.sh\"")), ("s/a.sh", text)]);
            let mut project = Project::load(&folder.path().join("services.toml"));
            let of_file = project.compile();
            let mut files = Files::default();
            let file = files.add("services.toml", with_command(key, &format!(" = {}", toml(text))));
            let of_text = compile(&files, file);
            let messages = |compilation: &s6gen::Compilation| {
                compilation.problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()
            };
            assert!(!of_file.problems.has_errors(), "{key}: {text:?}: {:?}", messages(&of_file));
            assert_eq!(messages(&of_file), messages(&of_text), "{key}: {text:?}");
            let tree =
                |compilation: &s6gen::Compilation| render::tree(&compilation.services).unwrap().to_string();
            assert_eq!(tree(&of_file), tree(&of_text), "{key}: {text:?}");
        }
    }
}

#[test]
fn a_script_from_a_file_has_no_expressions() {
    let script = "#!/bin/sh\nexec web '{{ name }}' '{{ port }}' '{{ nobody }}'\n";
    let manifest = "[defaults.longrun]\nfinish.file = 'web.sh'\n\n[longrun.web]\ninstances = ['a']\n\
                    parameters = ['port']\nenvironment.PORT = \"{{ port | default('1') }}\"\nrun.file = 'web.sh'\n";
    let folder = folder(&[("services.toml", manifest), ("web.sh", script)]);
    let compilation = Project::load(&folder.path().join("services.toml")).compile();
    let messages: Vec<&str> = compilation.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["`{{ name }}` is not expanded here"; 2], "in `finish` and in `run`");
    let tree = render::tree(&compilation.services).unwrap();
    for path in ["run", "finish"] {
        let Some(s6gen::tree::TreeEntry::File { content, .. }) =
            tree.get(&format!("etc/s6-overlay/sv/web-a/data/{path}"))
        else {
            panic!("no {path}")
        };
        assert_eq!(String::from_utf8_lossy(content), script);
    }
}

#[test]
fn the_path_of_a_script_is_relative_to_the_manifest_in_which_it_stands() {
    let folder = folder(&[
        ("services.toml", "include = ['more/db.toml']\n[longrun.web]\nrun.file = 'web.sh'\n"),
        ("more/db.toml", "[longrun.db]\nrun.file = '../scripts/db.sh'\n[longrun.c]\nrun.file = 'web.sh'\n"),
        ("web.sh", "outer | cat\n"),
        ("more/web.sh", "inner | cat\n"),
        ("scripts/db.sh", "db | cat\n"),
    ]);
    let places = ["web.sh:1:1", "more/web.sh:1:1", "scripts/db.sh:1:1"];
    let expect = |report: &str, places: &[&str]| {
        for place in places {
            let expected = format!("{place}: warning[lint::not-exec]");
            assert!(report.lines().any(|line| line.starts_with(&expected)), "{place}: {report}");
        }
    };
    let report = check(folder.path(), &[]);
    expect(&report, &places);
    // From standard input the folder is the current directory, or that of `--stdin-path`.
    let stdin = |words: &str| {
        let program = env!("CARGO_BIN_EXE_s6gen");
        let script = format!("{program} check --format concise -m - {words}");
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    expect(&stdin("< services.toml"), &places);
    expect(&stdin("--stdin-path more/db.toml < more/db.toml"), &places[1..]);
    // A script beside the manifest is found from any directory.
    let elsewhere = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("more/db.toml");
    let report = check(elsewhere.path(), &["-m", manifest.to_str().unwrap()]);
    assert!(report.contains("db.sh` is outside of") && !report.contains("web.sh`"), "{report}");
    // In a git repository all of it counts, from any directory in it.
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::create_dir(folder.path().join("ci")).unwrap();
    let report = check(&folder.path().join("ci"), &["-m", "../more/db.toml"]);
    assert!(report.contains("scripts/db.sh:1:1: warning"), "{report}");
}

#[test]
fn reports_and_comments_and_shellcheck_are_at_the_lines_of_the_script() {
    needs!("shellcheck");
    let folder = folder(&[
        ("services.toml", "[longrun.web]\nrun.file = 's/web'\n[longrun.db]\nrun.file = 's/db.sh'\n"),
        ("s/web", "#!/bin/bash\r\necho $1\r\n# s6gen: allow not-exec: an example\r\nweb | cat\r\n"),
        ("s/db.sh", "set -u\n\"\u{e9}\" | db $1 | cat\n"),
    ]);
    let report = check(folder.path(), &["--shellcheck"]);
    for line in [
        "s/web:2:6: warning[script::shellcheck]: SC2086",
        "s/db.sh:2:10: warning[script::shellcheck]: SC2086",
        "s/db.sh:2:1: warning[lint::not-exec]",
    ] {
        assert!(report.lines().any(|found| found.starts_with(line)), "{line}: {report}");
    }
    assert!(!report.contains("s/web:4"), "{report}");
    // A comment that silences nothing is reported there too.
    fs::write(folder.path().join("s/web"), "#!/bin/bash\n# s6gen: allow not-exec: old\nexec web\n").unwrap();
    let report = check(folder.path(), &[]);
    assert!(report.contains("s/web:2:16: warning[levels::unused-allow]"), "{report}");
}

#[test]
fn a_changed_script_is_a_changed_build_and_the_image_carries_it() {
    let manifest = "[longrun.web]\ninstances = ['a']\nrun.file = 'web.sh'\n";
    let folder = folder(&[("services.toml", manifest), ("web.sh", "exec web \"$1\"\n")]);
    let at = folder.path();
    fs::create_dir(at.join("root")).unwrap();
    assert_eq!(s6gen(at, &["build", "--root", "root"]).0, 0);
    assert_eq!(s6gen(at, &["build", "--check", "--root", "root"]).0, 0);
    fs::write(at.join("web.sh"), "exec web \"$1\" --fast\n").unwrap();
    let (code, text) = s6gen(at, &["build", "--check", "--root", "root"]);
    assert!(code == 1 && text.contains("web-a/data/run"), "{text}");
    let (code, text) = s6gen(at, &["diff", "root/etc/s6-overlay", "services.toml"]);
    assert!(code == 1 && text.contains("web-a"), "{text}");
    // In the container there is no such file.
    fs::remove_file(at.join("web.sh")).unwrap();
    let (code, text) = s6gen(at, &["instance", "add", "--root", "root", "web", "b"]);
    assert!(code == 0 && text.contains("web-b"), "{text}");
    let carried = at.join("root/etc/s6-overlay/sv/.s6gen.manifest.json");
    let without = fs::read_to_string(&carried).unwrap().replace("\"web.sh\":", "\"other.sh\":");
    fs::write(&carried, without).unwrap();
    let (code, text) = s6gen(at, &["instance", "add", "--root", "root", "web", "c"]);
    assert!(code == 1 && text.contains("manifest::script-file"), "{text}");
}

#[test]
fn a_fix_changes_a_script_of_the_project_as_text_and_not_as_toml() {
    let folder = folder(&[
        ("services.toml", "[longrun.web]\nrun.file = 'web'\n[longrun.db]\nrun.file = 'web'\n"),
        ("web", "#!/bin/sh\n# [not toml\n[ -e /x ] && echo 'x\"'\nnginx -g 'daemon off;'\n"),
    ]);
    let input = Input::Manifest(folder.path().join("services.toml"));
    let problems = input.judge(&[], &Default::default()).1.problems;
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code.slug()).collect();
    assert_eq!(codes, ["lint::not-exec"], "one script, although two services run it");
    let fixed = s6gen::jobs::fix(&input, true, &mut || input.judge(&[], &Default::default())).unwrap();
    assert_eq!(fixed.len(), 1);
    let script = fs::read_to_string(folder.path().join("web")).unwrap();
    assert!(script.ends_with("\nexec nginx -g 'daemon off;'\n"), "{script}");
}

#[test]
fn nothing_of_a_file_that_is_no_script_of_the_project_is_printed_or_built() {
    needs!("root");
    let secret = "s3cret is what nobody may read\n";
    let outside = folder(&[("a.sh", secret), ("run", &format!("#!/bin/sh\n{secret}"))]);
    let project = folder(&[("secret", secret), (".git/config", secret), ("root/x", "")]);
    let at = project.path();
    let link = |target: &str, name: &str| symlink(target, at.join(name)).unwrap();
    let foreign = outside.path().join("a.sh");
    link(foreign.to_str().unwrap(), "foreign.sh");
    link("secret", "link.sh");
    link("link.sh", "links.sh");
    link("/etc/shadow", "shadow.sh");
    link("/proc/self/environ", "environ.sh");
    link("/proc/self/fd", "fd");
    link("/dev/zero", "zero.sh");
    link(outside.path().to_str().unwrap(), "folder");
    rustix_fifo(&at.join("fifo.sh"));
    let other_run = outside.path().join("run");
    let above = format!("../{}/run", outside.path().file_name().unwrap().to_str().unwrap());
    for name in [
        "secret",
        ".git/config",
        "foreign.sh",
        "link.sh",
        "links.sh",
        "shadow.sh",
        "environ.sh",
        "zero.sh",
        "fifo.sh",
        "fd/0",
        "folder/a.sh",
        "folder/run",
        "/etc/shadow",
        "/proc/kmsg",
        "/dev/stdin",
        "-",
        "",
        "s*t",
        other_run.to_str().unwrap(),
        &above,
    ] {
        fs::write(at.join("services.toml"), format!("[longrun.web]\nrun.file = '{name}'\n")).unwrap();
        for words in [&["check"][..], &["build", "--root", "root"]] {
            let (code, report) = s6gen(at, words);
            assert_eq!(code, 1, "{name}: {report}");
            assert!(report.contains("manifest::script-file"), "{name}: {report}");
            assert!(!report.contains("s3cret") && !report.contains("CARGO_"), "{name}: {report}");
            assert!(!report.contains("root:"), "{name}: {report}");
        }
        assert!(!at.join("root/etc").exists(), "{name}");
    }
    // Even in a directory that contains every file, only a script is read.
    for name in ["/etc/shadow", "/proc/kmsg", "/proc/self/environ"] {
        fs::write(at.join("services.toml"), format!("[longrun.web]\nrun.file = '{name}'\n")).unwrap();
        let manifest = at.join("services.toml");
        let (code, report) = s6gen(Path::new("/"), &["check", "-m", manifest.to_str().unwrap()]);
        assert!(code == 1 && report.contains("does not begin with `#!`"), "{name}: {report}");
        assert!(!report.contains("root:") && !report.contains("CARGO_"), "{name}: {report}");
    }
}

fn rustix_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn scripts_count_to_the_size_of_the_manifest_and_are_read_once() {
    let large = format!("exec web {}\n", "x".repeat(9 << 20));
    let manifest = |last: &str| -> String {
        let files = ["a.sh", "a.sh", "./a.sh", last].into_iter().enumerate();
        files.map(|(number, file)| format!("[longrun.s{number}]\nrun.file = '{file}'\n")).collect()
    };
    let folder = folder(&[("services.toml", &manifest("link.sh")), ("a.sh", &large), ("b.sh", &large)]);
    symlink("a.sh", folder.path().join("link.sh")).unwrap();
    let codes = || {
        let mut project = Project::load(&folder.path().join("services.toml"));
        let problems = project.compile().problems;
        (problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), project.files.iter().count())
    };
    assert_eq!(codes(), (vec![], 2));
    fs::write(folder.path().join("services.toml"), manifest("b.sh")).unwrap();
    assert_eq!(codes(), (vec![Code::ManifestTooLarge], 2));
}

#[test]
fn what_is_printed_of_a_script_is_escaped() {
    let folder = folder(&[
        ("services.toml", "[longrun.web]\nrun.file = \"a\\u001b[31m.sh\"\n"),
        ("a\u{1b}[31m.sh", "echo \u{1b}]0;title\u{7} \u{202e}x\nweb | cat\n"),
    ]);
    for words in [&["check"][..], &["check", "--format", "concise"]] {
        let (_, report) = s6gen(folder.path(), words);
        assert!(report.contains("not-exec"), "{report}");
        assert!(!report.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{report:?}");
    }
}

#[test]
fn a_script_that_cannot_be_read_is_reported_with_the_rest() {
    let folder =
        folder(&[("services.toml", "[longrun.web]\nrun.file = 'web.sh'\nuser = 1\n"), ("web.sh", "web")]);
    fs::set_permissions(folder.path().join("web.sh"), fs::Permissions::from_mode(0o000)).unwrap();
    let report = check(folder.path(), &[]);
    assert!(report.contains("manifest::wrong-type"), "{report}");
    // root may read it.
    let is_readable = fs::read(folder.path().join("web.sh")).is_ok();
    assert_eq!(report.contains("manifest::script-file"), !is_readable, "{report}");
    assert!(disk::is_there(&folder.path().join("web.sh")));
}
