//! `s6gen completions`: real shells on a terminal complete commands, options, rules and the names of services, and run nothing
//! that stands in a manifest.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::case::scratch;
use crate::require::{all, find, this_test};

/// Names that would run a program if a shell read them again, and names of every form that a service can have.
const MANIFEST: &str = r#"
include = ["further.toml"]
[longrun.web]
run = ["web"]
[longrun."m@1"]
run = ["m"]
[longrun."x.y"]
run = ["x"]
[oneshot.setup]
up = ["true"]
[bundle.everything]
contents = ["web"]
[longrun.tunnel]
instances = ["home"]
run = ["tunnel"]
[longrun.radio]
instances = 2
run = ["radio"]
[longrun."$(touch canary)"]
run = ["a"]
[longrun."`touch canary`"]
run = ["b"]
[longrun."a b"]
run = ["c"]
[longrun."z{1,2}"]
run = ["d"]
[longrun."q'\"x"]
run = ["e"]
[longrun."w;touch canary"]
run = ["f"]
[longrun."w\ntouch canary"]
run = ["g"]
[longrun."-x"]
run = ["h"]
broken = 1
"#;

fn s6gen(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen")).args(words).current_dir(folder).env_clear().output().unwrap()
}

/// The answers for the last of the words.
fn answers(folder: &Path, words: &[&str]) -> Vec<String> {
    let position = (words.len() - 1).to_string();
    let output = s6gen(folder, &[&["complete-word", &position, "--"], words].concat());
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn the_names_of_services_are_those_of_the_manifest_that_a_shell_takes_as_they_are() {
    let folder = scratch();
    let folder = folder.path();
    fs::write(folder.join("services.toml"), MANIFEST).unwrap();
    fs::write(folder.join("further.toml"), "[longrun.further]\nrun = [\"f\"]\n").unwrap();
    let all =
        ["everything", "m@1", "radio", "radio-1", "radio-2", "setup", "tunnel", "tunnel-home", "web", "x.y"];
    for command in ["start", "stop", "restart", "show", "graph"] {
        assert_eq!(answers(folder, &["s6gen", command, ""]), all, "{command}");
    }
    assert_eq!(answers(folder, &["s6gen", "plan", "--why", ""]), all);
    assert_eq!(answers(folder, &["s6gen", "instance", "add", ""]), ["radio", "tunnel"]);
    assert_eq!(answers(folder, &["s6gen", "start", "web", "w"]), ["web"]);
}

#[test]
fn an_answer_is_silent_whatever_the_manifest_and_the_words_are() {
    let folder = scratch();
    let folder = folder.path();
    assert_eq!(answers(folder, &["s6gen", "start", ""]), [""; 0]);
    for text in [&b"[longrun.a\nrun = "[..], b"\xff\xfe\0", b"", b"[longrun.web]\nrun = ["] {
        fs::write(folder.join("services.toml"), text).unwrap();
        for words in [
            &["s6gen", "start", ""][..],
            &["s6gen", "--no", "x", "y", ""],
            &["", "", ""],
            &["s6gen", "--", "-"],
        ] {
            answers(folder, words);
        }
    }
    fs::remove_file(folder.join("services.toml")).unwrap();
    fs::create_dir(folder.join("services.toml")).unwrap();
    assert_eq!(answers(folder, &["s6gen", "start", ""]), [""; 0]);
}

#[test]
fn commands_options_rules_and_codes_are_completed_and_files_are_left_to_the_shell() {
    let folder = scratch();
    let folder = folder.path();
    fs::write(folder.join("$(touch canary).toml"), "").unwrap();
    assert_eq!(answers(folder, &["s6gen", "sta"]), ["status", "start"]);
    assert_eq!(answers(folder, &["s6gen", "check", "--stri"]), ["--strict"]);
    assert_eq!(answers(folder, &["s6gen", "check", "--allow", "not-exec,shell-"]), ["not-exec,shell-syntax"]);
    assert_eq!(answers(folder, &["s6gen", "explain", "s6rc::dependency-cy"]), ["s6rc::dependency-cycle"]);
    assert_eq!(answers(folder, &["s6gen", "explain", "prog"]), ["program:"]);
    assert_eq!(answers(folder, &["s6gen", "explain", "program:ngin"]), ["program:nginx"]);
    assert!(answers(folder, &["s6gen", "explain", "program:"]).len() > 200);
    assert!(!answers(folder, &["s6gen", "explain", ""]).contains(&"program:nginx".to_owned()));
    assert_eq!(answers(folder, &["s6gen", "check", ""]), [""; 0]);
    assert_eq!(answers(folder, &["s6gen", "build", "--root", ""]), [""; 0]);
    assert!(!answers(folder, &["s6gen", ""]).contains(&"complete-word".to_owned()), "it is for scripts");
}

/// What is typed into each shell, and the words of the line after the completion.
const TYPED: &[(&str, &str)] = &[
    ("s6gen gra", "<s6gen><graph>"),
    ("s6gen start we", "<s6gen><start><web>"),
    ("s6gen start m@", "<s6gen><start><m@1>"),
    ("s6gen show x.", "<s6gen><show><x.y>"),
    ("s6gen restart web tunnel-", "<s6gen><restart><web><tunnel-home>"),
    ("s6gen explain s6rc::dependency-cy", "<s6gen><explain><s6rc::dependency-cycle>"),
    ("s6gen explain program:ngin", "<s6gen><explain><program:nginx>"),
    ("s6gen check --allow not-exec,shell-", "<s6gen><check><--allow><not-exec,shell-syntax>"),
    ("s6gen check --allow=shell-", "<s6gen><check><--allow=shell-syntax>"),
    ("s6gen check ser", "<s6gen><check><services.toml>"),
    // The shell itself completes and quotes the names of files.
    ("s6gen check fu", "<s6gen><check><fu $(touch canary).toml>"),
    ("s6gen stop ", "<s6gen><stop>"),
];

fn types(shell: &str, test: &str) {
    if !all(test, &[shell, "python3"]) {
        return;
    }
    let folder = scratch();
    let folder = folder.path();
    fs::write(folder.join("services.toml"), MANIFEST).unwrap();
    fs::write(folder.join("fu $(touch canary).toml"), "").unwrap();
    let script = s6gen(folder, &["completions", shell]);
    assert!(script.status.success(), "{script:?}");
    fs::write(folder.join("script"), script.stdout).unwrap();
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/completions.py");
    let program = Path::new(env!("CARGO_BIN_EXE_s6gen")).parent().unwrap();
    let path = std::env::join_paths(
        [program.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new(find("python3").unwrap())
        .arg(driver)
        .arg(shell)
        .arg(folder.join("script"))
        .args(TYPED.iter().map(|(line, _)| line))
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("HOME", folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let expected: Vec<&str> = TYPED.iter().map(|(_, words)| *words).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!folder.join("canary").exists(), "{shell} has run a name");
}

#[test]
fn bash_completes_on_a_terminal() {
    types("bash", this_test!());
}

#[test]
fn zsh_completes_on_a_terminal() {
    types("zsh", this_test!());
}

#[test]
fn fish_completes_on_a_terminal() {
    types("fish", this_test!());
}
