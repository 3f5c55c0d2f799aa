//! The files for CI, pre-commit and releases: their scripts run, and they name only commands, options and files that exist.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::case::scratch;
use crate::require::needs;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every file that calls s6gen somewhere else.
const FILES: &[&str] = &[
    ".ci/archive",
    ".github/Dockerfile",
    ".github/actions/check/action.yml",
    ".github/actions/check/check",
    ".github/actions/check/install",
    ".github/workflows/ci.yml",
    ".github/workflows/release.yml",
    ".pre-commit-hooks.yaml",
    "docs/ci/github.yml",
    "docs/ci/gitlab.yml",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn s6gen(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen")).args(words).output().unwrap()
}

/// A binary, and what it says on both streams.
fn output(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn the_files_name_only_commands_and_options_that_exist() {
    let mut count = 0;
    for file in FILES {
        let text = read(file);
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for line in lines {
            let calls = line.split("s6gen ").skip(1).chain(line.split("\"$binary\" ").skip(1));
            for call in calls {
                let call = call.split(['>', '|', '`', ';']).next().unwrap();
                let mut words = call.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
                let command = words.next().unwrap_or_default();
                // `if ! s6gen --version` has no command, and prose has none either.
                let help = s6gen(&[command, "--help"]);
                if !help.status.success() || command.starts_with('-') {
                    let is_prose =
                        line.contains("name:") || line.contains("description:") || line.contains("echo");
                    assert!(is_prose || command.starts_with(['-', '$', '/']), "{file}: {line}");
                    continue;
                }
                let help = String::from_utf8(help.stdout).unwrap();
                for option in words.filter(|word| word.starts_with('-')) {
                    assert!(
                        help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
                        "{file}: {option}"
                    );
                }
                count += 1;
            }
        }
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn the_workflows_pin_each_action_and_call_scripts_that_exist() {
    let mut pinned = 0;
    for file in
        [".github/workflows/ci.yml", ".github/workflows/release.yml", ".github/actions/check/action.yml"]
    {
        let text = read(file);
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            if let Some((_, action)) = line.split_once("uses: ") {
                let (_, commit) = action.split_whitespace().next().unwrap().split_once('@').unwrap();
                assert!(
                    commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                    "{file}: {line}"
                );
                pinned += 1;
            }
            for script in line.split(".ci/").skip(1).map(|rest| rest.split([' ', '"', ')']).next().unwrap()) {
                let mode =
                    fs::metadata(Path::new(ROOT).join(".ci").join(script)).unwrap().permissions().mode();
                assert!(mode & 0o111 != 0, "{file}: {script} cannot be executed");
            }
            for script in line.split("$ACTION_PATH/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let path = Path::new(ROOT).join(".github/actions/check").join(script);
                assert!(fs::metadata(&path).unwrap().permissions().mode() & 0o111 != 0, "{}", path.display());
            }
        }
    }
    assert!(pinned >= 5, "{pinned}");
}

#[test]
fn the_page_on_ci_names_an_action_and_hooks_that_exist() {
    let page = read("docs/ci.md");
    let (_, rest) = page.split_once("OWNER/s6gen/").unwrap();
    let action = read(&format!("{}/action.yml", rest.split('@').next().unwrap()));
    let (_, with) = rest.split_once("with: {").unwrap();
    for input in with.split('}').next().unwrap().split(',') {
        let name = input.split(':').next().unwrap().trim();
        assert!(action.contains(&format!("\n  {name}:\n")), "the action has no input `{name}`");
    }
    let hooks = read(".pre-commit-hooks.yaml");
    let ids: Vec<&str> = page.split("{ id: ").skip(1).map(|rest| rest.split(' ').next().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        assert!(hooks.contains(&format!("- id: {id}\n")), "{id}");
    }
}

/// The archive of a release. Its program calls the one that is tested, which is too large to compress in each test.
fn archive(folder: &Path) -> PathBuf {
    let program = scratch();
    let program = program.path().join("program");
    fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_s6gen"))).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut script = Command::new(Path::new(ROOT).join(".ci/archive"));
    let (code, text) = output(script.arg(&program).args(["v9.9.9", std::env::consts::ARCH]).arg(folder));
    assert_eq!(code, Some(0), "{text}");
    PathBuf::from(text.trim())
}

fn sum(path: &Path) -> String {
    let (code, text) = output(Command::new("sha256sum").arg(path));
    assert_eq!(code, Some(0), "{text}");
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn an_archive_has_the_program_its_pages_and_its_completions_and_is_always_the_same() {
    let (one, two) = (scratch(), scratch());
    let paths = [archive(one.path()), archive(two.path())];
    assert_eq!(sum(&paths[0]), sum(&paths[1]));
    let (_, list) = output(Command::new("tar").arg("-tzf").arg(&paths[0]));
    let names: Vec<&str> =
        list.lines().filter_map(|line| line.split_once('/').map(|(_, name)| name)).collect();
    for name in [
        "s6gen",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "services.schema.json",
        "completions/s6gen",
        "completions/_s6gen",
        "completions/s6gen.fish",
        "man/man1/s6gen.1",
        "man/man1/s6gen-build.1",
    ] {
        assert!(names.contains(&name), "{name}: {list}");
    }
}

/// A folder with a release, and an empty git repository.
fn release() -> (tempfile::TempDir, String, String) {
    let folder = scratch();
    let path = archive(&folder.path().join("releases/v9.9.9"));
    let sum = sum(&path);
    let list = format!("{sum}  {}\n", path.file_name().unwrap().to_str().unwrap());
    fs::write(path.parent().unwrap().join("SHA256SUMS"), list).unwrap();
    fs::create_dir(folder.path().join("repository")).unwrap();
    let url = format!("file://{}/releases", folder.path().display());
    (folder, url, sum)
}

#[test]
fn the_action_installs_only_the_expected_archive() {
    needs!("curl");
    let (folder, url, sum) = release();
    let install = |version: &str, sum: &str, to: &str| {
        let mut script = Command::new(Path::new(ROOT).join(".github/actions/check/install"));
        let result = output(script.args([url.as_str(), version, sum]).arg(folder.path().join(to)));
        (result, folder.path().join(to).join("s6gen").exists())
    };
    for sum in ["", &sum] {
        let ((code, text), is_there) = install("v9.9.9", sum, &format!("to{}", sum.len()));
        assert!(code == Some(0) && text.starts_with("s6gen ") && is_there, "{text}");
    }
    for (version, sum, why) in [
        ("v9.9.9", "0".repeat(64).as_str(), "is not the expected file"),
        ("v9.9.9", "nonsense", "is not the expected file"),
        ("v9.9.8", "", "curl"),
        ("main", "", "`main` is not a release"),
        ("", "", "is not a release"),
    ] {
        let ((code, text), is_there) = install(version, sum, "no");
        assert!(code != Some(0) && text.contains(why) && !is_there, "{version} {sum}: {code:?} {text}");
    }
    // The list of the release has another sum.
    fs::write(folder.path().join("releases/v9.9.9/SHA256SUMS"), "").unwrap();
    assert_ne!(install("v9.9.9", "", "no").0.0, Some(0));
}

#[test]
fn the_action_reports_a_bad_manifest_and_a_stale_root() {
    let folder = scratch();
    let program = Path::new(env!("CARGO_BIN_EXE_s6gen")).parent().unwrap();
    let mut path = vec![program.to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let script = || {
        let mut script = Command::new(Path::new(ROOT).join(".github/actions/check/check"));
        script.current_dir(folder.path()).env("PATH", std::env::join_paths(&path).unwrap());
        script.env("MANIFEST", "services.toml");
        script
    };
    let check = |root: &str, arguments: &str| output(script().env("ROOT", root).env("ARGUMENTS", arguments));
    fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = 3\n").unwrap();
    let (code, text) = check("", "");
    assert!(code == Some(1) && text.contains("::error file=services.toml,line=2"), "{text}");
    let warned = "[longrun.web]\nrun = \"\"\"\nweb &\nwait\n\"\"\"\n";
    fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    assert_eq!(check("", "--strict").0, Some(0));
    let (code, text) = check("rootfs", "");
    assert!(code == Some(1) && text.contains("::error::The definitions below the committed root"), "{text}");
    let mut build = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    assert!(
        build
            .args(["build", "--root", "rootfs"])
            .current_dir(folder.path())
            .output()
            .unwrap()
            .status
            .success()
    );
    assert_eq!(check("rootfs", "").0, Some(0));
    let limited = |stop: &str| output(script().env("MAX_STOP", stop).env("MAX_START", ""));
    assert_eq!(limited("9s"), (Some(0), String::new()));
    let (code, text) = limited("7s");
    assert!(code == Some(1) && text.contains("::error file=services.toml,line=1,"), "{text}");
    // So does the end of a line.
    fs::write(folder.path().join("services.toml"), warned).unwrap();
    assert_ne!(check("", "--color never\n--strict").0, Some(0));
    // A blank separates arguments, and nothing in them is run.
    let (code, text) = check("", "--allow background $(touch canary) ;touch canary");
    assert!(code == Some(2) && !folder.path().join("canary").exists(), "{text}");
}

/// Runs the steps of the workflow that have a script, with a manifest, a committed picture and a summary.
#[test]
fn the_workflow_for_github_shows_the_picture_and_finds_what_is_stale() {
    let folder = scratch();
    let text = read("docs/ci/github.yml");
    let (_, action) = text.split_once("uses: OWNER/s6gen/").unwrap();
    let action = read(&format!("{}/action.yml", action.split('@').next().unwrap()));
    assert!(action.contains("GITHUB_PATH"), "later steps do not find s6gen");
    let block: String = text
        .split_once("run: |\n")
        .unwrap()
        .1
        .lines()
        .take_while(|line| line.starts_with("          "))
        .map(|line| format!("{}\n", line.trim_start()))
        .collect();
    let steps: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("      - run: ")).collect();
    assert_eq!(steps.len(), 1);
    assert!(text.contains("\n          max-stop: 10s ") && action.contains("\n  max-stop:\n"), "{text}");
    let program = Path::new(env!("CARGO_BIN_EXE_s6gen")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let summary = folder.path().join("summary");
    let bash = |script: &str| {
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(folder.path());
        output(bash.env("PATH", &path).env("GITHUB_STEP_SUMMARY", &summary))
    };
    fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    assert_eq!(bash(&block), (Some(0), String::new()));
    let shown = fs::read_to_string(&summary).unwrap();
    assert!(shown.starts_with("```mermaid\n") && shown.contains("\n```text\nStart: "), "{shown}");
    // Without a picture there is nothing to compare.
    assert!(steps.iter().all(|step| bash(step).0 == Some(0)));
    fs::create_dir(folder.path().join("docs")).unwrap();
    bash("s6gen graph --format svg >docs/services.svg");
    assert!(steps.iter().all(|step| bash(step).0 == Some(0)));
    let late = "[longrun.web]\nrun = [\"web\"]\ntimeout-kill = \"20s\"\n[longrun.db]\nrun = [\"db\"]\n";
    fs::write(folder.path().join("services.toml"), late).unwrap();
    assert!(steps.iter().all(|step| bash(step).0 != Some(0)));
}

#[test]
fn the_job_for_gitlab_writes_its_report() {
    needs!("curl");
    let (folder, url, sum) = release();
    let text = read("docs/ci/gitlab.yml");
    let (_, script) = text.split_once("\n  script:\n").unwrap();
    let lines: Vec<&str> = script.lines().map_while(|line| line.strip_prefix("    - ")).collect();
    assert!(lines.len() >= 4, "{lines:?}");
    let repository = folder.path().join("repository");
    fs::write(repository.join("services.toml"), "[longrun.web]\nrun = 3\n").unwrap();
    let run = |sum: &str| {
        let url = format!("{url}/v9.9.9/s6gen-v9.9.9-{}-linux.tar.gz", std::env::consts::ARCH);
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", &lines.join("\n")]).current_dir(&repository);
        output(shell.env("S6GEN_URL", url).env("S6GEN_SHA256", sum).env("MANIFEST", "services.toml"))
    };
    assert_ne!(run(&"0".repeat(64)).0, Some(0));
    assert!(!repository.join("s6gen.json").exists(), "an archive with another sum was used");
    assert_eq!(run(&sum).0, Some(1));
    let report: Value =
        serde_json::from_str(&fs::read_to_string(repository.join("s6gen.json")).unwrap()).unwrap();
    assert_eq!(report[0]["location"]["path"], "services.toml", "{report:#}");
}

#[test]
fn pre_commit_runs_the_hooks() {
    needs!("pre-commit", "git");
    let folder = scratch();
    let [hooks, user] = ["hooks", "user"].map(|name| folder.path().join(name));
    let program = Path::new(env!("CARGO_BIN_EXE_s6gen")).parent().unwrap();
    let mut path = vec![program.to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let run = |place: &Path, words: &[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(place).env("PATH", std::env::join_paths(&path).unwrap());
        output(command.env("PRE_COMMIT_HOME", folder.path().join("home")))
    };
    for place in [&hooks, &user] {
        fs::create_dir(place).unwrap();
        assert_eq!(run(place, &["git", "init", "--quiet", "."]).0, Some(0));
    }
    fs::copy(Path::new(ROOT).join(".pre-commit-hooks.yaml"), hooks.join(".pre-commit-hooks.yaml")).unwrap();
    let identity = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"];
    run(&hooks, &["git", "add", "."]);
    assert_eq!(run(&hooks, &[&identity[..], &["commit", "--quiet", "-m", "x"]].concat()).0, Some(0));
    let revision = run(&hooks, &["git", "rev-parse", "HEAD"]).1;
    let hook = |id: &str| format!("      - id: {id}\n        language: system\n");
    let list = hook("s6gen-check") + &hook("s6gen-fmt");
    let config =
        format!("repos:\n  - repo: {}\n    rev: {}\n    hooks:\n{list}", hooks.display(), revision.trim());
    fs::write(user.join(".pre-commit-config.yaml"), config).unwrap();
    let try_with = |manifest: &str| {
        fs::write(user.join("services.toml"), manifest).unwrap();
        run(&user, &["git", "add", "."]);
        run(&user, &["pre-commit", "run", "--all-files"])
    };
    let (code, text) = try_with("[longrun.web]\nrun = [\"web\"]\n");
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = try_with("[longrun.web]\nrun = 3\n");
    assert!(code == Some(1) && text.contains("manifest::wrong-type"), "{text}");
    let (code, text) = try_with("[longrun.web]\nrun   = [\"web\"]\n");
    assert!(code == Some(1) && text.contains("files were modified by this hook"), "{text}");
}

#[test]
fn the_list_of_parts_has_what_the_program_has_and_nothing_of_the_tests() {
    needs!("python3");
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let list = Command::new(Path::new(ROOT).join(".ci/sbom")).arg(target).current_dir(ROOT).output().unwrap();
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let parts = list["components"].as_array().unwrap();
    let names: Vec<&str> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(list["metadata"]["component"]["name"], "s6gen");
    for (name, is_there) in
        [("clap", true), ("toml", true), ("tree-sitter", true), ("proptest", false), ("insta", false)]
    {
        assert_eq!(names.contains(&name), is_there, "{name}");
    }
    for part in parts {
        assert!(part["hashes"][0]["content"].as_str().is_some_and(|sum| sum.len() == 64), "{part:#}");
        assert!(part["licenses"][0]["expression"].is_string(), "{part:#}");
    }
    // A package is listed only if another one uses it.
    let used =
        list["dependencies"].as_array().unwrap().iter().flat_map(|row| row["dependsOn"].as_array().unwrap());
    let used: Vec<&Value> = used.collect();
    assert!(parts.iter().all(|part| used.contains(&&part["bom-ref"])));
}

#[test]
fn the_package_has_what_the_program_is_built_from_and_no_more() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--list", "--locked", "--offline", "--allow-dirty"]).current_dir(ROOT);
    let list = cargo.output().unwrap();
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    let list = String::from_utf8(list.stdout).unwrap();
    let mut needed: Vec<PathBuf> = Vec::new();
    for folder in ["src", "templates"] {
        crate::round_trip::files_below(&Path::new(ROOT).join(folder), "", &mut needed);
    }
    assert!(needed.len() > 300, "{}", needed.len());
    for path in needed {
        let path = path.strip_prefix(ROOT).unwrap().to_str().unwrap();
        assert!(list.lines().any(|line| line == path), "{path} is missing");
    }
    let places = ["src/", "templates/", "docs/"];
    let alone: Vec<&str> =
        list.lines().filter(|line| !places.iter().any(|place| line.starts_with(place))).collect();
    let expected = [
        ".cargo_vcs_info.json",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "Cargo.toml.orig",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "services.toml",
    ];
    // Outside of a git repository there is no `.cargo_vcs_info.json`.
    assert!(alone.iter().all(|name| expected.contains(name)), "{alone:?}");
}
