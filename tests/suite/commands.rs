//! Calls the program as users do, and checks its output and its exit codes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use s6gen::validate;
use tempfile::TempDir;

use crate::require::needs;

const WEB: &str = "[longrun.web]\nrun = [\"web\"]\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = crate::case::scratch();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_manifest_of_three_lines_builds() {
    let folder = folder(&[("services.toml", WEB)]);
    let output = run(folder.path(), &["build", "--root", "out"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let link = fs::read_link(folder.path().join("out/etc/s6-overlay/s6-rc.d/web")).unwrap();
    assert_eq!(link, Path::new("../sv/web"));
    assert!(folder.path().join("out/etc/s6-overlay/user-bundles.d/user/contents.d/default").exists());
    let again = run(folder.path(), &["build", "--root", "out"]);
    assert!(err(&again).contains("nothing changed"), "{}", err(&again));
}

#[test]
fn the_starter_builds_and_is_never_overwritten() {
    let folder = folder(&[]);
    assert_eq!(code(&run(folder.path(), &["init"])), 0);
    let built = run(folder.path(), &["build", "--root", "out"]);
    assert_eq!((code(&built), err(&built).contains("warning")), (0, false), "{}", err(&built));
    assert_eq!(code(&run(folder.path(), &["graph"])), 0);
    fs::write(folder.path().join("services.toml"), WEB).unwrap();
    let again = run(folder.path(), &["init"]);
    assert_eq!(code(&again), 2, "wrong usage: the system refused nothing");
    assert!(err(&again).contains("`services.toml` already exists"), "{}", err(&again));
    assert_eq!(fs::read_to_string(folder.path().join("services.toml")).unwrap(), WEB);
}

#[test]
fn a_manifest_that_cannot_be_read_is_a_problem_of_the_input() {
    let folder = folder(&[("empty.toml", ""), ("binary.toml", "\u{0}\u{1}\u{2}[")]);
    fs::create_dir(folder.path().join("directory")).unwrap();
    for name in ["missing.toml", "directory", "empty.toml", "binary.toml"] {
        for command in ["build", "check", "graph"] {
            let output = run(folder.path(), &[command, "-m", name]);
            assert_eq!(code(&output), 1, "{command} {name}: {}", err(&output));
            assert!(err(&output).contains("manifest::"), "{command} {name}: {}", err(&output));
        }
    }
}

#[test]
fn a_manifest_of_50_megabytes_is_refused_with_its_limit() {
    let folder = folder(&[]);
    let file = fs::File::create(folder.path().join("services.toml")).unwrap();
    let mut file = std::io::BufWriter::new(file);
    for _ in 0..50 << 10 {
        file.write_all(&[b'#'; 1023]).unwrap();
        file.write_all(b"\n").unwrap();
    }
    file.flush().unwrap();
    let output = run(folder.path(), &["check"]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("manifest::too-large") && err(&output).contains("16 MiB"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_manifest_comes_from_standard_input_too() {
    let folder = folder(&[]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_s6gen"))
        .args(["check", "-m", "-"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"[longrun.web]\nrun = 1\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("<stdin>:2:7"), "{}", err(&output));
}

#[test]
fn a_manifest_may_be_named_without_an_option() {
    let folder = folder(&[("other.toml", WEB)]);
    let check = run(folder.path(), &["check", "other.toml"]);
    assert_eq!(code(&check), 0, "{}", err(&check));
    assert!(err(&check).contains("other.toml: 2 definitions, no problem"), "{}", err(&check));
    assert_eq!(code(&run(folder.path(), &["build", "other.toml", "--root", "out"])), 0);
    let graph = run(folder.path(), &["graph", "other.toml", "web"]);
    assert!(code(&graph) == 0 && out(&graph).contains("web"), "{}", err(&graph));
    for twice in [
        &["check", "other.toml", "-m", "other.toml"][..],
        &["build", "other.toml", "-m", "other.toml", "--root", "out"],
        &["check", "other.toml", "--tree", "out"],
    ] {
        assert_eq!(code(&run(folder.path(), twice)), 2, "{twice:?}");
    }
    let directory = run(folder.path(), &["check", "out"]);
    assert!(
        err(&directory).contains("`s6gen check --tree DIR` judges a source directory"),
        "{}",
        err(&directory)
    );
}

#[test]
fn a_missing_included_file_is_a_problem_of_the_input_and_not_wrong_usage() {
    let folder = folder(&[("services.toml", &format!("include = [\"vpn.toml\"]\n{WEB}"))]);
    let output = run(folder.path(), &["check"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("`vpn.toml` does not exist"), "{}", err(&output));
    assert!(err(&output).contains("relative to the folder of this file"), "{}", err(&output));
    assert!(!err(&output).contains("`-m`"), "{}", err(&output));
}

#[test]
fn build_makes_only_the_last_component_of_its_root() {
    let folder = folder(&[("services.toml", WEB)]);
    let output = run(folder.path(), &["build", "--root", "gone/out"]);
    assert_eq!(code(&output), 3, "{}", err(&output));
    assert!(err(&output).contains("cannot make `gone/out`: `gone` does not exist"), "{}", err(&output));
    assert!(!folder.path().join("gone").exists());
    let output = run(folder.path(), &["build", "--root", "out"]);
    assert!(code(&output) == 0 && err(&output).starts_with("made out\n"), "{}", err(&output));
    let again = run(folder.path(), &["build", "--root", "out"]);
    assert!(!err(&again).contains("made"), "{}", err(&again));
}

#[test]
fn a_build_without_a_root_is_only_for_an_image() {
    needs!("no-overlay");
    let folder = folder(&[
        ("services.toml", WEB),
        ("alone.toml", "[target]\ns6-rc = \"0.7.0.0\"\n\n[longrun.web]\nrun = [\"web\"]\n"),
    ]);
    // With --check, so that a failing test writes nothing into this machine.
    let build = |words: &[&str]| run(folder.path(), &[&["build", "--check"], words].concat());
    let output = build(&[]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("there is no s6-overlay in `/`"), "{}", err(&output));
    assert!(
        err(&output).contains("`--root rootfs`; to write here anyway, use `--root /`"),
        "{}",
        err(&output)
    );
    assert_eq!(code(&build(&["--root", "/"])), 1, "whoever says so gets it");
    assert_eq!(code(&build(&["alone.toml"])), 1, "without s6-overlay there is none to find");
}

#[test]
fn the_list_of_rules_has_a_head_above_its_columns() {
    let folder = folder(&[]);
    let listed = out(&run(folder.path(), &["rules"]));
    let (head, rules) = listed.split_once('\n').unwrap();
    for (name, words) in [
        ("LEVEL", &["allow", "warning", "deny", "error", "advice"][..]),
        ("FIX", &["safe", "unsafe", "none"]),
    ] {
        let column = head.find(name).unwrap_or_else(|| panic!("{head}"));
        for rule in rules.lines() {
            let word = rule[column..].split(' ').next().unwrap();
            assert!(words.contains(&word), "{name}: {rule}");
        }
    }
}

#[test]
fn explain_shows_the_keys_of_a_table() {
    let folder = folder(&[]);
    for (heading, _, keys) in s6gen::manifest::REFERENCE {
        let table = heading.trim_matches(['[', ']']).trim_end_matches(".NAME");
        for written in [table, heading] {
            let output = run(folder.path(), &["explain", written]);
            assert_eq!(code(&output), 0, "{written}");
            for key in keys() {
                assert!(
                    out(&output).contains(&format!("  `{}`  {}\n", key.name, key.expected)),
                    "{written}: {}",
                    key.name
                );
            }
        }
    }
    for table in ["defaults", "include"] {
        assert_eq!(code(&run(folder.path(), &["explain", table])), 0, "{table}");
    }
    // What a key means in several tables is said once.
    let shared = out(&run(folder.path(), &["explain", "timeout-up"]));
    assert!(
        shared.starts_with("`timeout-up` in `[longrun.NAME]` and `[oneshot.NAME]`: a string\n"),
        "{shared}"
    );
    assert_eq!(shared.matches("How long a start may take").count(), 1, "{shared}");
    let near = run(folder.path(), &["explain", "timeout-Up"]);
    assert!(err(&near).contains("did you mean `timeout-up`?"), "{}", err(&near));
}

#[test]
fn explanations_fit_into_lines_and_are_not_cut() {
    let folder = folder(&[]);
    let listed = out(&run(folder.path(), &["explain"]));
    let mut sentences = 0;
    for (place, line) in listed.lines().enumerate() {
        assert!(line.chars().count() <= 100, "{line}");
        let is_last = listed.lines().nth(place + 1).is_none_or(|next| !next.starts_with(' '));
        if is_last {
            assert!(line.ends_with(['.', ':', '`']), "cut: {line}");
            sentences += 1;
        }
    }
    assert!(sentences >= validate::codes().count(), "{sentences}");
    let text = s6gen::render::fitted(&s6gen::render::reference(), 60);
    for line in text.lines().filter(|line| !line.starts_with("    ") && !line.starts_with('#')) {
        let is_one_word = !line.trim().contains(' ');
        assert!(line.chars().count() <= 60 || is_one_word, "{line}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = folder(&[("services.toml", WEB)]);
    for arguments in [&["bulid"][..], &["build", "--rot", "x"], &["graph", "--format", "png"], &[]] {
        let output = run(folder.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(!err(&output).is_empty());
    }
    assert!(err(&run(folder.path(), &["bulid"])).contains("build"), "it says what was meant");
}

#[test]
fn an_output_that_the_system_refuses_exits_with_3_and_a_report() {
    let folder = folder(&[("services.toml", WEB), ("file", "mine")]);
    let output = run(folder.path(), &["build", "--root", "file"]);
    assert_eq!(code(&output), 3, "{}", err(&output));
    assert!(err(&output).contains("output::refused"), "{}", err(&output));
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "mine");

    let foreign = folder.path().join("out/etc/s6-overlay/sv/web");
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("type"), "oneshot\n").unwrap();
    let output = run(folder.path(), &["build", "--root", "out"]);
    assert_eq!(code(&output), 3, "{}", err(&output));
    assert!(err(&output).contains("output::foreign-definition"), "{}", err(&output));
    assert_eq!(fs::read_to_string(foreign.join("type")).unwrap(), "oneshot\n");
    assert!(!folder.path().join("out/etc/s6-overlay/user-bundles.d").exists(), "nothing was written");
}

#[test]
fn build_check_names_the_services_whose_files_differ() {
    let folder = folder(&[("services.toml", WEB)]);
    let missing = run(folder.path(), &["build", "--check", "--root", "out"]);
    assert_eq!(code(&missing), 1);
    assert!(!folder.path().join("out").exists(), "--check writes nothing");
    run(folder.path(), &["build", "--root", "out"]);
    assert_eq!(code(&run(folder.path(), &["build", "--check", "--root", "out"])), 0);
    let file = folder.path().join("out/etc/s6-overlay/sv/web/run");
    fs::write(&file, "changed").unwrap();
    let output = run(folder.path(), &["build", "--check", "--root", "out"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("web: /etc/s6-overlay/sv/web/run has other content"), "{}", err(&output));
    assert_eq!(fs::read_to_string(file).unwrap(), "changed");
}

#[test]
fn a_refused_manifest_writes_nothing() {
    let folder = folder(&[("services.toml", "[longrun.web]\nrun = [\"web\"]\ndependencies = [\"db\"]\n")]);
    let output = run(folder.path(), &["build", "--root", "out"]);
    assert_eq!(code(&output), 1);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn check_prints_for_programs_on_standard_output_only() {
    let folder = folder(&[("services.toml", "[longrun.web]\nrun = [\"web\"]\ndependencies = [\"db\"]\n")]);
    let output = run(folder.path(), &["check", "--format", "json"]);
    assert_eq!((code(&output), err(&output).as_str()), (1, ""));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["version"], 1);
    let problem = &json["problems"][0];
    assert_eq!(problem["code"], "s6rc::unknown-service");
    assert_eq!(problem["class"], "dep-undefined");
    assert_eq!((&problem["labels"][0]["line"], &problem["labels"][0]["column"]), (&3.into(), &17.into()));
}

#[test]
fn explain_knows_every_code_and_suggests_names() {
    let folder = folder(&[]);
    let listed = out(&run(folder.path(), &["explain"]));
    for code in validate::codes() {
        assert!(listed.contains(code.slug()));
        let output = run(folder.path(), &["explain", code.slug()]);
        assert!(out(&output).lines().count() >= 3, "{} has no explanation", code.slug());
    }
    let output = run(folder.path(), &["explain", "s6rc::dependency-cicle"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("s6rc::dependency-cycle"));
}

#[test]
fn the_graph_is_for_people_for_graphviz_and_for_programs() {
    let manifest = "[longrun.dbus]\nrun = [\"dbus\", \"3\"]\nready.fd = 3\n\n[longrun.avahi]\nrun = [\"avahi\"]\ndependencies = [\"dbus\"]\n\n[longrun.vpn]\nstart = \"on-demand\"\nrun = [\"vpn\"]\ndependencies = [\"avahi\"]\n";
    let folder = folder(&[("services.toml", manifest)]);
    let text = out(&run(folder.path(), &["graph"]));
    let place = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("no {needle:?} in\n{text}"));
    assert!(place("  1  dbus") < place("  2  avahi"));
    assert!(place("after dbus (ready)") < place("On demand"));
    assert!(place("On demand") < place("after avahi (forked)"));
    let down = out(&run(folder.path(), &["graph", "--down"]));
    assert!(down.find("  1  avahi").is_some() && down.contains("2  dbus"), "{down}");
    let dot = out(&run(folder.path(), &["graph", "--format", "dot"]));
    let lines = ["b0 [label = \"dbus\"", "b1 [label = \"avahi\"", "b0 -> b1 [label = ready];"];
    assert!(lines.iter().all(|line| dot.contains(line)), "{dot}");
    let json: serde_json::Value =
        serde_json::from_str(&out(&run(folder.path(), &["graph", "avahi", "--format", "json"]))).unwrap();
    let names: Vec<&str> =
        json["services"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"dbus") && !names.contains(&"vpn"), "{names:?}");
    let unknown = run(folder.path(), &["graph", "avahhi"]);
    assert_eq!(code(&unknown), 1);
    assert!(err(&unknown).contains("did you mean `avahi`?"));
}

#[test]
fn a_tree_of_s6gen_that_is_checked_without_overlay_gets_a_hint() {
    let folder = folder(&[("services.toml", WEB)]);
    assert_eq!(code(&run(folder.path(), &["build", "--root", "out"])), 0);
    let bare = run(folder.path(), &["check", "--tree", "out/etc/s6-overlay/sv"]);
    assert_eq!(code(&bare), 1);
    assert!(err(&bare).contains("`base` belongs to s6-overlay: check the tree"), "{}", err(&bare));
    let whole = run(folder.path(), &["check", "--overlay", "3.2.3.2", "--tree", "out/etc/s6-overlay"]);
    assert_eq!(code(&whole), 0, "{}", err(&whole));
}

#[test]
fn the_graph_shows_the_descriptions_of_services_and_bundles() {
    let manifest = r#"
        [longrun.web]
        description = "serves\n pages"
        run = ["web"]

        [oneshot.step]
        description = "makes room"

        [bundle.office]
        description = "all of\nit"
        contents = ["web"]
        "#;
    let folder = folder(&[("services.toml", manifest)]);
    let text = out(&run(folder.path(), &["graph"]));
    for line in ["web   longrun  # serves pages", "step  oneshot  # makes room", "office   web  # all of it"]
    {
        assert!(text.contains(&format!("{line}\n")), "no {line:?} in\n{text}");
    }
}

#[test]
fn help_shows_examples_that_fit_on_their_lines() {
    let folder = folder(&[]);
    for command in ["build", "check", "diff", "graph", "explain", "instance add", "apply", "status"] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = run(folder.path(), &arguments);
        assert_eq!(code(&output), 0);
        let text = out(&output);
        let (_, examples) =
            text.split_once("Examples:\n").unwrap_or_else(|| panic!("{command}: no examples"));
        for line in examples.lines().take_while(|line| !line.is_empty()) {
            assert!(line.starts_with("  s6gen "), "{command}: {line:?} continues the line before");
        }
    }
}

#[test]
fn the_output_does_not_depend_on_where_or_how_often_it_is_built() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("services.toml")).unwrap();
    let mut receipts = Vec::new();
    for _ in 0..2 {
        let folder = folder(&[("services.toml", &text)]);
        assert_eq!(code(&run(folder.path(), &["build", "--root", "out"])), 0);
        let listing = Command::new("sh")
            .args(["-c", "cd out && find . -type f | sort | xargs -d '\\n' sha256sum && find . -type l -printf '%p %l\\n' | sort"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        receipts.push(out(&listing));
    }
    assert!(receipts[0].lines().count() > 200);
    assert_eq!(receipts[0], receipts[1]);
}

#[test]
fn the_release_binary_needs_nothing_of_the_system() {
    needs!("release");
    let binary = std::env::var_os("S6GEN_RELEASE").unwrap();
    let bytes = fs::read(&binary).unwrap();
    // A static program needs no dynamic linker: its program headers have no entry of type PT_INTERP, 3.
    let number = |at: usize, width: usize| {
        bytes[at..at + width].iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    assert_eq!(&bytes[..5], b"\x7fELF\x02", "a 64-bit ELF file");
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    for entry in 0..count {
        let at = usize::try_from(table + entry * size).unwrap();
        assert_ne!(number(at, 4), 3, "the binary needs a dynamic loader");
    }
    needs!("root");
    let folder = folder(&[("services.toml", WEB)]);
    // Another test that starts a program at this moment would inherit the open file, and what is open for writing cannot run.
    let copied = Command::new("cp").arg(&binary).arg(folder.path().join("s6gen")).status().unwrap();
    assert!(copied.success());
    let output =
        Command::new("chroot").arg(folder.path()).args(["/s6gen", "build", "--root", "/"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(folder.path().join("etc/s6-overlay/sv/web/run").exists());
}

#[test]
fn a_manifest_overrides_those_that_it_includes() {
    let folder = folder(&[
        (
            "services.toml",
            "include = [\"base.toml\", \"more/*.toml\"]\n\n[defaults.longrun]\ntimeout-kill = \"9s\"\n\n[longrun.web]\nenvironment.B = \"2\"\ndependencies = [\"own\"]\nready.unix = \"/run/web\"\n\n[longrun.own]\nrun = [\"own\"]\n",
        ),
        (
            "base.toml",
            "[target]\ns6-overlay = \"3.2.3.0\"\n\n[defaults.longrun]\nenvironment.A = \"1\"\n\n[longrun.web]\nrun = [\"web\"]\ndependencies = [\"db\"]\nready.tcp = \"127.0.0.1:80\"\n\n[longrun.db]\nrun = [\"db\"]\n",
        ),
    ]);
    fs::create_dir(folder.path().join("more")).unwrap();
    fs::write(folder.path().join("more/vpn.toml"), "[longrun.vpn]\nrun = [\"vpn\"]\n").unwrap();
    let output = run(folder.path(), &["build", "--root", "out"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let read =
        |path: &str| fs::read_to_string(folder.path().join("out/etc/s6-overlay/sv").join(path)).unwrap();
    assert!(read("web/run").contains("export A 1\nexport B 2\n"), "tables merge: {}", read("web/run"));
    assert!(
        read("web/data/check").contains("s6-ipcclient -l0 /run/web"),
        "the nearer of two that exclude each other"
    );
    assert!(
        folder.path().join("out/etc/s6-overlay/sv/web/dependencies.d/db").exists(),
        "lists of names add up"
    );
    assert!(folder.path().join("out/etc/s6-overlay/sv/web/dependencies.d/own").exists());
    assert_eq!((read("own/timeout-kill").as_str(), read("web/timeout-kill").as_str()), ("9000\n", "5000\n"));
    assert!(!read("own/run").contains("export A"), "defaults do not cross files");
    assert!(folder.path().join("out/etc/s6-overlay/sv/vpn/run").exists());
    let marker = folder.path().join("out/etc/s6-overlay/s6-rc.d/user/contents.d/default");
    assert!(marker.exists(), "the target of the included file counts");
}

#[test]
fn a_file_that_cannot_be_included_is_reported_at_its_include() {
    let folder = folder(&[
        (
            "services.toml",
            "include = [\"a.toml\", \"missing.toml\", \"none/*.toml\", \"services.toml\"]\n[longrun.web]\nrun = [\"web\"]\n",
        ),
        ("a.toml", "include = [\"b.toml\"]\n[longrun.a]\nrun = [\"a\"]\n"),
        ("b.toml", "[longrun.a]\nrun = [\"b\"]\n[longrun.c]\nrun = 3\n"),
    ]);
    fs::create_dir(folder.path().join("none")).unwrap();
    let output = run(folder.path(), &["check"]);
    assert_eq!(code(&output), 1);
    let text = err(&output);
    assert_eq!(text.matches("manifest::include").count(), 2, "{text}");
    assert!(text.contains("missing.toml") && text.contains("`services.toml` includes itself"), "{text}");
    assert!(text.contains("b.toml:4:7"), "mistakes of included files are shown there: {text}");
    let two = self::folder(&[
        ("services.toml", "include = [\"a.toml\", \"b.toml\"]\n"),
        ("a.toml", "[longrun.web]\nrun = [\"a\"]\n"),
        ("b.toml", "[longrun.web]\nrun = [\"b\"]\n"),
    ]);
    let output = run(two.path(), &["check"]);
    assert!(err(&output).contains("s6rc::duplicate-service"), "{}", err(&output));
}

#[test]
fn a_template_of_the_user_replaces_the_shipped_one() {
    let folder =
        folder(&[("services.toml", "[longrun.web]\nrun = [\"web\"]\n[longrun.db]\nrun = [\"db\"]\n")]);
    assert_eq!(code(&run(folder.path(), &["init", "--templates", "mine"])), 0);
    let all = ["build", "--root", "out", "--templates", "mine"];
    assert_eq!(code(&run(folder.path(), &all)), 0, "the shipped ones, written out, give the same");
    assert_eq!(code(&run(folder.path(), &["build", "--check", "--root", "out"])), 0);
    fs::remove_dir_all(folder.path().join("mine")).unwrap();
    fs::create_dir_all(folder.path().join("mine/longrun/web")).unwrap();
    let own = folder.path().join("mine/longrun/web/run");
    fs::write(&own, "#!/bin/sh\n# {{ name }}\nexec {{ command|sh(\"./data/run\") }}\n").unwrap();
    assert_eq!(code(&run(folder.path(), &all)), 0);
    let read = |name: &str| {
        fs::read_to_string(folder.path().join("out/etc/s6-overlay/sv").join(name).join("run")).unwrap()
    };
    assert_eq!(read("web"), "#!/bin/sh\n# web\nexec web\n");
    assert!(read("db").starts_with("#!/command/execlineb"));
    for (text, place) in [("{{ nam }}\n", "line 1"), ("\n{% if %}\n", "line 2")] {
        fs::write(&own, text).unwrap();
        for command in ["build", "check"] {
            let mut arguments = vec![command, "--templates", "mine"];
            arguments.extend(if command == "build" { &["--root", "out"][..] } else { &[] });
            let output = run(folder.path(), &arguments);
            assert_eq!(code(&output), 1, "{command}: {}", err(&output));
            assert!(
                err(&output).contains("longrun/web/run") && err(&output).contains(place),
                "{}",
                err(&output)
            );
        }
    }
    assert_eq!(read("web"), "#!/bin/sh\n# web\nexec web\n", "nothing was written");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let folder = folder(&[("services.toml", "[longrun.web]\nrun = [\"web\"]\n")]);
    for arguments in [&["graph"][..], &["explain", "run"], &["check", "--format", "json"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_s6gen"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(full)
            .output()
            .unwrap();
        assert!(code(&output) == 3 && err(&output).contains("standard output"), "{arguments:?}: {output:?}");
    }
}

#[test]
fn explain_knows_every_key_and_the_reference_is_current() {
    let folder = folder(&[]);
    for (_, _, keys) in s6gen::manifest::REFERENCE {
        for key in keys() {
            let text = out(&run(folder.path(), &["explain", key.name]));
            assert!(text.contains(&format!("`{}` in `", key.name)), "{}", key.name);
        }
    }
    for (word, file) in [("manifest", "docs/manifest.md"), ("all-codes", "docs/codes.md")] {
        let reference = out(&run(folder.path(), &["explain", word]));
        let written = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        assert_eq!(written.unwrap_or_default(), reference, "`make docs` writes {file} anew");
    }
}
