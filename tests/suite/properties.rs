//! Checks properties of every manifest with random manifests.
//!
//! `PROPTEST_CASES` is the number of manifests, `PROPTEST_RNG_SEED` the seed.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};
use s6gen::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use s6gen::execline::words;
use s6gen::model::{Database, Feature, Index, Kind, Layer, Longrun, Script, ServiceSet};
use s6gen::report::{Style, human, json};
use s6gen::templates::{execline_word, sh_word};
use s6gen::tree::{SourceTree, TreeEntry};
use s6gen::{Compilation, compile, import, model, render, validate};

use crate::case::scratch;
use crate::manifests::{array, manifest, text};
use crate::require::has;
use crate::s6rc::compile_really;

/// Tries `property` on `cases` values, or on as many as the environment asks for. The values are the same in each run, so that
/// a test does not fail because of an unrelated change.
pub fn holds<S: Strategy>(cases: u32, strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(1);
    }
    if let Err(error) = TestRunner::new(config).run(&strategy, property) {
        panic!("{error}");
    }
}

fn compiled(text: &str) -> (Files, Compilation) {
    let mut files = Files::default();
    let file = files.add("services.toml", text);
    let compilation = compile(&files, file);
    (files, compilation)
}

/// Every report on a manifest, for people and for programs.
fn reports(files: &Files, problems: &Problems) -> String {
    problems
        .iter()
        .map(|problem| format!("{}{}\n", human(problem, files, Style::Plain), json(problem, files)))
        .collect()
}

/// The services that `/init` reads from the tree of `set`, together with those of other layers.
fn read_back(set: &ServiceSet, tree: &SourceTree) -> (ServiceSet, Problems) {
    let (mut files, mut problems) = (Files::default(), Problems::default());
    let system = set.target.system;
    // The start bundles are among the definitions and the image completes them, or they are in a separate directory.
    let mut tree = tree.clone();
    let is_in_image = |name: &str| name.starts_with("user") && !system.has(Feature::UserBundlesDir);
    for service in set.services.iter().filter(|s| s.layer == Layer::Overlay) {
        let name = service.name.to_string();
        if is_in_image(&name) {
            tree.file(format!("etc/s6-overlay/s6-rc.d/{name}/type"), "bundle\n", false);
            tree.directory(format!("etc/s6-overlay/s6-rc.d/{name}/contents.d"));
        }
    }
    let folder = system.definitions_dir().unwrap_or(&set.target.tree);
    let source = tree.source(folder.trim_start_matches('/'));
    let mut read = import::tree(vec![source], set.target.clone(), &mut files, &mut problems);
    let others = set.services.iter().filter(|service| match service.layer {
        Layer::Overlay => !is_in_image(&service.name.to_string()),
        layer => layer == Layer::External,
    });
    read.services.extend(others.cloned());
    validate::validate(&read, true, &mut problems);
    problems.sort_by_rank();
    (read, problems)
}

#[test]
fn a_built_tree_is_accepted_and_means_the_same_as_its_manifest() {
    let accepted = std::cell::Cell::new(0);
    let tried = std::cell::Cell::new(0);
    // Without s6-rc, only s6gen itself judges the tree.
    let has_compiler = has!("s6-rc");
    holds(300, manifest(), |manifest| {
        tried.set(tried.get() + 1);
        let (_, compilation) = compiled(&manifest.to_string());
        if compilation.problems.has_errors() {
            return Ok(());
        }
        accepted.set(accepted.get() + 1);
        let set = &compilation.services;
        let tree = render::tree(set).map_err(TestCaseError::fail)?;
        let (read, problems) = read_back(set, &tree);
        // A random manifest gets many warnings, but must not have errors.
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        let errors: Vec<_> = errors.map(|problem| &problem.message).collect();
        prop_assert!(errors.is_empty(), "{errors:#?}");
        if has_compiler {
            let root = scratch();
            let compiled = compile_really(set, root.path(), &root.path().join("database"));
            prop_assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        }
        same(set, &read, &tree)
    });
    eprintln!("{} of {} random manifests were accepted", accepted.get(), tried.get());
    assert!(2 * accepted.get() > tried.get(), "{} of {} were accepted", accepted.get(), tried.get());
}

/// Checks that the services read from a tree are those of the manifest.
fn same(set: &ServiceSet, read: &ServiceSet, tree: &SourceTree) -> Result<(), TestCaseError> {
    let (mut ours, mut theirs) = (Database::of(&Index::new(set)), Database::of(&Index::new(read)));
    for database in [&mut ours, &mut theirs] {
        for entry in database.services.values_mut() {
            entry.scripts = None;
        }
    }
    prop_assert_eq!(ours, theirs);
    for service in set.ours() {
        let found = read.services.iter().find(|other| other.name == service.name);
        let found = found.ok_or_else(|| TestCaseError::fail(format!("{:?} is gone", service.name)))?;
        prop_assert_eq!(found.flag_essential, service.flag_essential);
        prop_assert_eq!(found.flag_recommended, service.flag_recommended);
        let files = match (&service.kind, &found.kind) {
            (Kind::Longrun(ours), Kind::Longrun(theirs)) => {
                prop_assert_eq!(facts(ours), facts(theirs), "{:?}", service.name);
                if let (Script::Run(run), Script::Verbatim(text)) = (&ours.run, &theirs.run) {
                    let words = words(text).map_err(|refusal| TestCaseError::fail(format!("{refusal:?}")))?;
                    let folder = if run.surroundings.workdir.is_some() {
                        format!("${{{}}}", run.surroundings.directory_variable)
                    } else {
                        ".".into()
                    };
                    let command = last_words(&run.command, &format!("{folder}/data/run"), &run.name);
                    prop_assert!(words.ends_with(&command), "{words:?} {command:?}");
                    // The only variable is the folder of the script, which the manifest does not contain.
                    let here = words.windows(2).position(|pair| pair == [&b"getcwd"[..], b"-E"]);
                    let later = here.map_or(&[][..], |place| &words[place + 3..]).iter();
                    let named = later.filter(|word| {
                        String::from_utf8_lossy(word).contains(&run.surroundings.directory_variable)
                    });
                    prop_assert_eq!(named.count(), usize::from(here.is_some()), "{:?}", words);
                }
                &ours.files
            }
            (Kind::Oneshot(ours), Kind::Oneshot(theirs)) => {
                prop_assert_eq!(ours.down.is_some(), theirs.down.is_some());
                for (ours, theirs) in
                    [(Some(&ours.up), Some(&theirs.up)), (ours.down.as_ref(), theirs.down.as_ref())]
                {
                    let (Some(Script::Step(step)), Some(Script::Words(words))) = (ours, theirs) else {
                        continue;
                    };
                    let command = step.command.as_ref();
                    let command = command.map(|command| {
                        last_words(command, &format!("{}/data/{}", step.definition, step.key), &step.name)
                    });
                    prop_assert!(words.ends_with(&command.unwrap_or_default()), "{words:?}");
                    prop_assert!(step.command.is_some() || words.is_empty());
                }
                &ours.files
            }
            (Kind::Bundle(ours), Kind::Bundle(theirs)) => {
                let names = |list: &[s6gen::model::ServiceRef]| {
                    let mut names: Vec<_> = list.iter().map(|r| r.name.clone()).collect();
                    names.sort();
                    names
                };
                prop_assert_eq!(names(&ours.contents), names(&theirs.contents));
                continue;
            }
            (ours, theirs) => return Err(TestCaseError::fail(format!("{} {}", ours.word(), theirs.word()))),
        };
        for (path, file) in files {
            let path = format!("{}/{}/{path}", render::definitions_dir(&set.target), service.name);
            let TreeEntry::File { content, executable } = tree.get(&path).unwrap() else { panic!("{path}") };
            prop_assert_eq!((content, *executable), (&file.content, file.executable));
        }
    }
    Ok(())
}

/// The words at the end of a generated script.
fn last_words(command: &model::Command, script: &str, name: &str) -> Vec<Vec<u8>> {
    let words = match command {
        model::Command::Exec { words } => words.clone(),
        model::Command::Script { interpreter, .. } => {
            [&interpreter[..], &[script.to_owned(), name.to_owned()]].concat()
        }
    };
    words.into_iter().map(String::into_bytes).collect()
}

/// The settings in the files of a longrun, without its scripts.
fn facts(longrun: &Longrun) -> impl PartialEq + std::fmt::Debug {
    let signal = |signal: &Option<Vec<u8>>| signal.as_ref().map(|text| text.trim_ascii_end().to_vec());
    (
        longrun.notification_fd.as_ref().map(|fd| fd.value),
        longrun.lock_fd.as_ref().map(|fd| fd.value),
        (longrun.timeout_kill.filter(|limit| *limit > 0), longrun.timeout_finish, longrun.max_death_tally),
        (signal(&longrun.down_signal), signal(&longrun.reload_signal)),
        (longrun.flag_timeout_killpg, longrun.flag_newpidns),
        longrun.finish.is_some(),
    )
}

#[test]
fn every_problem_has_a_place_in_the_manifest() {
    holds(300, manifest(), |manifest| {
        let text = manifest.to_string();
        let (_, compilation) = compiled(&text);
        for problem in compilation.problems.iter() {
            let Some(label) = problem.labels.first() else {
                return Err(TestCaseError::fail(format!("no place: {problem:#?}")));
            };
            let place = text.get(label.origin.span());
            prop_assert!(place.is_some_and(|place| !place.is_empty()), "{problem:#?}");
        }
        Ok(())
    });
}

/// A mistake, its code, and the text that the first label marks.
type Mistake = (&'static str, Code, &'static str);

const MISTAKES: &[Mistake] = &[
    ("[oneshot.zz]\ndependencies = [\"zx\"]", Code::UnknownService, "\"zx\""),
    ("[bundle.zz]\ncontents = [\"zx\"]", Code::UnknownService, "\"zx\""),
    ("[longrun.zz]\nrun = [\"x\"]\ndependencies = [\"zz\"]", Code::DependencyCycle, "\"zz\""),
    (
        "[longrun.zz]\nrun = [\"x\"]\ndependencies = [\"zy\"]\n[oneshot.zy]\ndependencies = [\"zz\"]",
        Code::DependencyCycle,
        "\"zy\"",
    ),
    (
        "[oneshot.zz]\ndependencies = [\"zy\"]\n[bundle.zy]\ncontents = [\"zz\"]",
        Code::DependencyCycle,
        "\"zy\"",
    ),
    (
        "[longrun.zz]\nrun = [\"x\"]\nlog.to = \"/z\"\n[longrun.zy]\nrun = [\"x\"]\nlog.to = \"/z\"\n\
         [bundle.zx]\ncontents = [\"zz-log\"]\ndependencies = [\"zy\"]",
        Code::DependencyCycle,
        "\"zy\"",
    ),
    ("[bundle.zz]\ncontents = [\"zy\"]\n[bundle.zy]\ncontents = [\"zz\"]", Code::BundleCycle, "\"zy\""),
    ("[bundle.zz]\ncontents = [\"zz\"]", Code::BundleCycle, "\"zz\""),
    ("[oneshot.zz]\n[bundle.zz]\ncontents = []", Code::DuplicateService, "zz"),
    ("[longrun.zz]\nrun = [\"x\"]\nlog.to = \"/z\"\n[oneshot.zz-log]", Code::DuplicateService, "zz-log"),
    ("[longrun.zz]\nrun = [\"x\"]\nlog.to = \"/z\"\n[oneshot.zz-pipeline]", Code::DuplicateService, "\"/z\""),
    ("[oneshot.zz]\ninstances = [\"a\"]\n[oneshot.zz-a]", Code::DuplicateService, "zz-a"),
    ("[oneshot.zz]\ninstances = [\"a\", \"a\"]", Code::DuplicateService, "\"a\""),
    ("[oneshot.s6rc-zz]", Code::ReservedName, "s6rc-zz"),
    ("[oneshot.zz]\ndependencies = [\"s6rc-fdholder\"]", Code::ReservedName, "\"s6rc-fdholder\""),
    ("[oneshot.zz]\ntimeout-up = \"50d\"", Code::InvalidTimeout, "\"50d\""),
    ("[oneshot.default]", Code::BuiltInName, "default"),
    ("[oneshot.\"a/b\"]", Code::InvalidName, "\"a/b\""),
    ("[oneshot.\".zz\"]", Code::InvalidName, "\".zz\""),
];

#[test]
fn errors_of_the_real_compiler_are_reported_at_their_place_in_the_manifest() {
    let mistake = proptest::sample::select(MISTAKES);
    holds(300, (manifest(), mistake), |(manifest, (mistake, code, marked))| {
        let text = format!("{manifest}\n{mistake}\n");
        let (files, compilation) = compiled(&text);
        let mut found = compilation.problems.iter().filter(|problem| problem.code == code);
        let is_marked = found.any(|problem| {
            problem.severity == Severity::Error
                && problem.labels.iter().any(|label| text.get(label.origin.span()) == Some(marked))
        });
        prop_assert!(is_marked, "{}", reports(&files, &compilation.problems));
        Ok(())
    });
}

/// Texts that look like manifests in part.
pub fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        text(),
        proptest::sample::select(
            &[
                "[",
                "]",
                "\"",
                "'''",
                "=",
                ".",
                "{{",
                "}}",
                "\n",
                "\r",
                "[longrun.a]\n",
                "[[x]]\n",
                "\u{feff}",
                "1e9"
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    (manifest(), proptest::collection::vec((any::<proptest::sample::Index>(), 0..40usize, piece), 0..5))
        .prop_map(|(manifest, edits)| {
            let mut chars: Vec<char> = manifest.to_string().chars().collect();
            for (place, length, piece) in edits {
                let start = place.index(chars.len() + 1);
                let end = (start + length).min(chars.len());
                chars.splice(start..end, piece.chars());
            }
            chars.into_iter().collect()
        })
}

/// The tree and the reports that a text gives.
fn outcome(text: &str) -> String {
    let (files, compilation) = compiled(text);
    let reports = reports(&files, &compilation.problems);
    if compilation.problems.has_errors() {
        return reports;
    }
    format!("{reports}{}", render::tree(&compilation.services).unwrap())
}

#[test]
fn any_text_has_one_outcome() {
    holds(300, prop_oneof![3 => nearly(), 1 => ".{0,200}"], |text| {
        prop_assert_eq!(outcome(&text), outcome(&text));
        Ok(())
    });
}

#[test]
fn each_word_of_an_array_reaches_its_program() {
    let program = text().prop_filter_map("no program", |text| (!text.is_empty()).then_some(text));
    let command = (program, proptest::collection::vec(text(), 0..6));
    holds(500, command, |(program, arguments)| {
        let command = [vec![program], arguments].concat();
        let manifest = format!("[oneshot.a]\nwith-contenv = false\nup = {}\n", array(&command));
        let (_, compilation) = compiled(&manifest);
        // Words that were meant for a shell are refused, but they would arrive as well.
        let is_lint = |problem: &Diagnostic| matches!(problem.code, Code::Lint(_));
        prop_assert!(compilation.problems.iter().all(is_lint));
        let tree = render::tree(&compilation.services).map_err(TestCaseError::fail)?;
        let Some(TreeEntry::File { content, .. }) = tree.get("etc/s6-overlay/sv/a/up") else {
            return Err(TestCaseError::fail("no file"));
        };
        let command: Vec<Vec<u8>> = command.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(words(content), Ok(command));
        Ok(())
    });
}

#[test]
fn a_real_shell_reads_quoted_words_unchanged() {
    let batch = proptest::collection::vec(text(), 1..100);
    holds(20, batch, |words| {
        let quoted: Vec<String> = words.iter().map(|word| sh_word(word)).collect();
        let script = format!("printf '%s\\0' {}", quoted.join(" "));
        let mut shell =
            Command::new("sh").arg("-s").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap().stdout;
        let expected: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        prop_assert_eq!(String::from_utf8_lossy(&output), String::from_utf8_lossy(&expected));
        Ok(())
    });
}

#[test]
fn any_words_that_are_quoted_are_read_back_by_the_lexer() {
    holds(500, proptest::collection::vec(text(), 0..8), |texts| {
        let line: Vec<String> = texts.iter().map(|text| execline_word(text)).collect();
        let expected: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(words(line.join(" ").as_bytes()), Ok(expected));
        Ok(())
    });
}
