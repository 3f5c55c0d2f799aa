//! `s6gen man`: a page for each command, which `man` and `mandoc` read without a complaint, and no foreign file is lost.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::case::scratch;
use crate::require::has;

fn s6gen(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen")).args(words).current_dir(folder).env_clear().output().unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The rows of the commands in a help.
fn rows(folder: &Path, words: &[&str]) -> Vec<String> {
    let help = String::from_utf8(s6gen(folder, words).stdout).unwrap();
    let list =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    list.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_command_has_a_page_with_its_options_and_examples() {
    let folder = scratch();
    let folder = folder.path();
    assert!(s6gen(folder, &["man", "a/man1"]).status.success());
    let mut expected: BTreeSet<String> = ["s6gen.1".to_owned()].into();
    // In the first help each row is a purpose and the names of its commands, in the others a name and its meaning.
    for row in rows(folder, &["--help"]) {
        for command in row.rsplit("  ").next().unwrap().split_whitespace() {
            expected.insert(format!("s6gen-{command}.1"));
            let inner = rows(folder, &[command, "--help"]);
            let inner =
                inner.iter().map(|row| row.split_whitespace().next().unwrap()).filter(|name| *name != "help");
            expected.extend(inner.map(|inner| format!("s6gen-{command}-{inner}.1")));
        }
    }
    assert!(expected.len() > 20, "{expected:?}");
    assert_eq!(names(&folder.join("a/man1")), expected);
    let page = fs::read_to_string(folder.join("a/man1/s6gen-fmt.1")).unwrap();
    for part in [".SH NAME", "\\-\\-check", ".SH EXAMPLES", "s6gen fmt \\-\\-check"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(".SH EXTRA"));
    // The synopsis names the value of each option, and what may be repeated.
    for (command, parts) in [
        ("graph", &["[\\-m|\\-\\-manifest FILE]", "[\\-\\-format FORMAT]", "[\\-\\-down]", "[NAME]..."][..]),
        ("completions", &["\\fBs6gen completions\\fR [", " SHELL"]),
        ("instance", &[" COMMAND"]),
        ("plan", &["[\\-\\-measured[=FILE]]"]),
    ] {
        let page = fs::read_to_string(folder.join(format!("a/man1/s6gen-{command}.1"))).unwrap();
        let synopsis =
            page.split(".SH SYNOPSIS\n").nth(1).and_then(|rest| rest.split("\n.SH").next()).unwrap();
        for part in parts {
            assert!(synopsis.contains(part), "{part}: {synopsis}");
        }
    }
}

#[test]
fn the_pages_are_read_without_a_complaint() {
    let folder = scratch();
    let folder = folder.path();
    assert!(s6gen(folder, &["man", "."]).status.success());
    let pages: Vec<String> = names(folder).into_iter().collect();
    if has!("mandoc") {
        let lint = Command::new("mandoc")
            .args(["-T", "lint", "-W", "warning"])
            .args(&pages)
            .current_dir(folder)
            .output();
        let lint = lint.unwrap();
        // A page has no date, so that it is always the same.
        let report =
            String::from_utf8_lossy(&lint.stdout).into_owned() + &String::from_utf8_lossy(&lint.stderr);
        let complaints: Vec<&str> = report.lines().filter(|line| !line.contains("missing date")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
    if has!("man") {
        for page in &pages {
            let man = Command::new("man").args(["--warnings", "-l"]).arg(folder.join(page)).output().unwrap();
            let text = String::from_utf8_lossy(&man.stdout).into_owned();
            assert!(man.status.success() && man.stderr.is_empty(), "{page}: {man:?}");
            assert!(text.contains("SYNOPSIS"), "{page}: {text}");
        }
    }
}

#[test]
fn old_pages_are_replaced_and_foreign_files_are_kept() {
    let folder = scratch();
    let folder = folder.path();
    assert!(s6gen(folder, &["man", "."]).status.success());
    let page = folder.join("s6gen-build.1");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.lines().next().unwrap().to_owned() + "\nold\n").unwrap();
    assert!(s6gen(folder, &["man", "."]).status.success());
    assert_eq!(fs::read_to_string(&page).unwrap(), text);
    fs::write(folder.join("mine"), &text).unwrap();
    for make in [
        (|path: &Path| fs::write(path, "mine").unwrap()) as fn(&Path),
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("mine", path).unwrap(),
        |path| symlink("nowhere", path).unwrap(),
    ] {
        let _ = fs::remove_file(&page).or_else(|_| fs::remove_dir(&page));
        make(&page);
        // The page before it in the order is not written either.
        fs::remove_file(folder.join("s6gen.1")).unwrap();
        let output = s6gen(folder, &["man", "."]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!folder.join("s6gen.1").exists());
        assert_eq!(fs::read_to_string(folder.join("mine")).unwrap(), text);
        let _ = fs::remove_file(&page).or_else(|_| fs::remove_dir(&page));
        assert!(s6gen(folder, &["man", "."]).status.success());
    }
}
