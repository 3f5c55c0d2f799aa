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

/// A copy of the files from which the program is built. It stays in the target directory, so that the next run builds only
/// what changed.
struct Workshop {
    folder: PathBuf,
    files: BTreeMap<PathBuf, Vec<u8>>,
    touched: BTreeSet<String>,
}

impl Workshop {
    fn new(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for name in ["src", "templates"] {
            read(Path::new(ROOT), Path::new(name), &mut files);
        }
        let text = |name: &str| fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
        // It has another name, so that it does not replace the program that other tests run.
        let named = |text: &str| text.replacen("name = \"s6gen\"", "name = \"s6gen-recipes\"", 1);
        let package = text("Cargo.toml");
        let (package, _) = package.split_once("[[test]]").unwrap();
        files.insert("Cargo.toml".into(), (named(package) + CHEAPER).into());
        files.insert("Cargo.lock".into(), named(&text("Cargo.lock")).into());
        Workshop { folder: folder.to_owned(), files, touched: BTreeSet::new() }
    }

    fn write(&mut self, path: &str, text: &str) {
        self.files.insert(path.into(), text.into());
        self.touched.insert(path.to_owned());
    }

    /// Adds a line to the list of a macro.
    fn list(&mut self, path: &str, list: &str, line: &str) {
        let text = String::from_utf8(self.files[Path::new(path)].clone()).unwrap();
        let opening = format!("\n{list}! {{\n");
        assert_eq!(text.matches(&opening).count(), 1, "{path}");
        self.write(path, &text.replace(&opening, &format!("{opening}    {line},\n")));
    }

    /// Writes the files that differ from those in the folder, and removes those that are not in the copy.
    fn save(&self) {
        let mut there = BTreeMap::new();
        read(&self.folder, Path::new(""), &mut there);
        for (path, text) in self.files.iter().filter(|(path, text)| there.get(*path) != Some(text)) {
            let place = self.folder.join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, text).unwrap();
        }
        for path in there.keys().filter(|path| !self.files.contains_key(*path)) {
            fs::remove_file(self.folder.join(path)).unwrap();
        }
    }

    /// Builds the program, with the packages that the tests were built with.
    fn build(&self) -> PathBuf {
        self.save();
        let target = Path::new(env!("CARGO_BIN_EXE_s6gen")).parent().unwrap().parent().unwrap();
        let built = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--bin", "s6gen-recipes", "--target-dir"])
            .arg(target)
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join("debug/s6gen-recipes")
    }
}

/// Reads the files below `name` in `root`.
fn read(root: &Path, name: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(root.join(name)).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = name.join(entry.file_name());
        if entry.path().is_dir() {
            read(root, &name, files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn a_lint_touches_three_files_and_an_output_format_two() {
    let mut workshop = Workshop::new(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("recipes"));
    workshop.write("src/validate/lints/removes.rs", LINT);
    workshop.write("src/validate/lints/removes.md", PAGE);
    workshop.list("src/validate/lints/mod.rs", "lints", "removes");
    assert_eq!(workshop.touched.len(), 3);
    workshop.write("src/report/codes.rs", FORMAT);
    workshop.list("src/report/mod.rs", "formats", "codes");
    assert_eq!(workshop.touched.len(), 3 + 2);

    let program = workshop.build();
    let folder = tempfile::tempdir().unwrap();
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
