//! Follows two recipes of `docs/develop.md`, for a lint and for an output format, in a copy of the code, and builds and runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const LINT: &str = r#"//! A service that runs `rm`.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::ProgramForm;
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::removes",
        level: Severity::Warning,
        confidence: Confidence::Likely,
        group: Group::Files,
        fix: FixKind::Without("nothing is wrong"),
        page: include_str!("removes.md"),
    },
    check: Check::Services(check),
};

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    for (service, program) in subject.programs_in("run") {
        let ProgramForm::Arguments(words, origin) = &program.form else { continue };
        if words.first().is_some_and(|(word, _)| word == "rm") {
            found.push(found.report(format!("`{}` removes files", service.name)).at(*origin, "here"));
        }
    }
}
"#;

const PAGE: &str = "A service runs `rm`.\n\nIt is no daemon.\n\nWrong:\n\n```toml\n[longrun.web]\nrun = [\"rm\", \"x\"]\n```\n";

const FORMAT: &str = r#"//! The codes alone, a line each.

use std::io::{self, Write};

use super::{Document, Format};
use crate::diagnostic::{Diagnostic, Files};

pub(super) static FORMAT: Format =
    Format { name: "codes", about: "The codes alone", lists_problems: true, begin: |_, _| Box::new(Codes::default()) };

#[derive(Default)]
struct Codes(String);

impl Document for Codes {
    fn add_problem(&mut self, problem: &Diagnostic, _: &Files) {
        self.0 += &format!("{}\n", problem.code.slug());
    }

    fn add_fields(&mut self, _: serde_json::Value) {}

    fn add_message(&mut self, _: &str) {}

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.0.as_bytes())
    }
}
"#;

/// Settings for the copy: the name of the library, which `main.rs` uses, and no debug information, which would cost time.
const CHEAPER: &str = "[lib]\nname = \"s6gen\"\n\n[profile.dev.package.s6gen-recipes]\ndebug = false\n";

/// A copy of the files from which the program is built.
struct Workshop {
    folder: PathBuf,
    touched: BTreeSet<String>,
}

impl Workshop {
    fn new(folder: &Path) -> Self {
        for name in ["src", "templates"] {
            copy(&Path::new(ROOT).join(name), &folder.join(name));
        }
        let read = |name: &str| fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
        // It has another name, so that it does not replace the program that other tests run.
        let named = |text: &str| text.replacen("name = \"s6gen\"", "name = \"s6gen-recipes\"", 1);
        let (package, _) =
            read("Cargo.toml").split_once("[[test]]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        fs::write(folder.join("Cargo.toml"), named(&package) + CHEAPER).unwrap();
        fs::write(folder.join("Cargo.lock"), named(&read("Cargo.lock"))).unwrap();
        Workshop { folder: folder.to_owned(), touched: BTreeSet::new() }
    }

    fn write(&mut self, path: &str, text: &str) {
        fs::write(self.folder.join(path), text).unwrap();
        self.touched.insert(path.to_owned());
    }

    /// Adds a line to the list of a macro.
    fn list(&mut self, path: &str, list: &str, line: &str) {
        let text = fs::read_to_string(self.folder.join(path)).unwrap();
        let opening = format!("\n{list}! {{\n");
        assert_eq!(text.matches(&opening).count(), 1, "{path}");
        self.write(path, &text.replace(&opening, &format!("{opening}    {line},\n")));
    }

    /// Builds the program, with the packages that the tests were built with.
    fn build(&self) -> PathBuf {
        let target = Path::new(env!("CARGO_BIN_EXE_s6gen")).parent().unwrap().parent().unwrap();
        let built = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--bin", "s6gen-recipes", "--target-dir"])
            .arg(target)
            .current_dir(&self.folder)
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join("debug/s6gen-recipes")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)
        } else {
            assert!(fs::copy(entry.path(), to).is_ok())
        }
    }
}

#[test]
fn a_lint_touches_three_files_and_an_output_format_two() {
    let folder = tempfile::tempdir().unwrap();
    let mut workshop = Workshop::new(folder.path());
    workshop.write("src/validate/lints/removes.rs", LINT);
    workshop.write("src/validate/lints/removes.md", PAGE);
    workshop.list("src/validate/lints/mod.rs", "lints", "removes");
    assert_eq!(workshop.touched.len(), 3);
    workshop.write("src/report/codes.rs", FORMAT);
    workshop.list("src/report/mod.rs", "formats", "codes");
    assert_eq!(workshop.touched.len(), 3 + 2);

    let program = workshop.build();
    fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = [\"rm\", \"x\"]\n").unwrap();
    let answers: BTreeMap<&str, String> =
        ["check", "check --format codes", "explain lint::removes", "check --help"]
            .into_iter()
            .map(|line| {
                let output =
                    Command::new(&program).args(line.split(' ')).current_dir(folder.path()).output().unwrap();
                (line, String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
            })
            .collect();
    let holds = |line: &str, text: &str| assert!(answers[line].contains(text), "{line}: {}", answers[line]);
    holds("check", "`web` removes files");
    holds("check", "lint::removes");
    assert!(
        answers["check --format codes"].starts_with("lint::removes\n"),
        "{}",
        answers["check --format codes"]
    );
    holds("explain lint::removes", "It is no daemon.");
    holds("check --help", "codes");
}
