//! Holds every example of the README and of the book: it is compiled or run, and gives what the page shows.
//!
//! One rule for each language of a fenced block says how, see [`hold`]. A block that the rule cannot hold is a row in
//! [`ELSEWHERE`], with the test that holds it or the reason why none does. Every other block is a failure.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use s6gen::diagnostic::{Code, Files};
use s6gen::model::{Index, System, Target};
use s6gen::plan::OrderDirection;
use s6gen::render::text;
use s6gen::report::{Style, human};
use s6gen::tree::{SourceTree, TreeEntry};
use s6gen::{compile, judge, render, validate};
use tempfile::TempDir;

use crate::live_apply;
use crate::markdown::{Example, Page, documents};
use crate::require::this_test;
use crate::round_trip::files_below;
use crate::s6rc::write_image;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Who holds a block that the rules below do not hold.
enum Holder {
    /// A test, as `FILE::NAME`.
    Test(&'static str),
    /// Nobody, for this reason.
    Nobody(&'static str),
}

use Holder::{Nobody, Test};

/// The blocks that the rules do not hold: the page, the first line, and who holds it.
const ELSEWHERE: &[(&str, &str, Holder)] = &[
    ("docs/codes.md", "include = [\"base.toml\"]", Nobody("the other file is not shown")),
    (
        "docs/codes.md",
        "cd /etc/s6-overlay",
        Test("image::the_commands_on_the_page_of_the_rule_move_the_bundles"),
    ),
    (
        "docs/ci.md",
        "- uses: actions/checkout@v4",
        Test("adoption::the_page_on_ci_names_an_action_and_hooks_that_exist"),
    ),
    ("docs/ci.md", "repos:", Test("adoption::the_page_on_ci_names_an_action_and_hooks_that_exist")),
    ("docs/codes.md", "/etc/s6-overlay/s6-rc.d/NAME/run", Nobody("NAME stands for any name")),
    ("docs/develop.md", "services.toml        a source directory        an image", Nobody("a drawing")),
    ("docs/editors.md", "[[rule]]", Test("schema::taplo_finds_the_schema_by_its_configuration")),
    (
        "docs/how.md",
        "dbus  longrun  services.toml:52  # D-Bus system message bus",
        Test("show::the_page_shows_what_the_program_prints"),
    ),
    (
        "docs/import.md",
        "[program:avahi]",
        Test("import_supervisord::the_chapter_shows_what_the_import_writes"),
    ),
    (
        "docs/import.md",
        "s6-rc-compile has compiled both, too: its databases have no other difference",
        Test("import_trees::the_real_compiler_agrees_about_every_shape"),
    ),
    ("docs/plan.md", "Start: at most 270 s", Test("plan::the_page_shows_the_plan_of_the_gateway")),
    (
        "docs/trees.md",
        "overlay::user-in-two-places",
        Test("image::the_page_on_trees_shows_the_real_report_on_an_image"),
    ),
];

/// Programs that the examples call and that the tests do not have.
const NOT_RUN: &[&str] = &["docker"];

#[test]
fn every_example_is_held() {
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for page in documents() {
        let workshop = Workshop::new();
        for (number, example) in page.examples.iter().enumerate() {
            let Err(why) = hold(&page, number, &workshop) else { continue };
            let first = example.text.lines().next().unwrap_or_default().trim();
            match ELSEWHERE.iter().position(|(path, line, _)| *path == page.path && *line == first) {
                Some(row) => {
                    used.insert(row);
                }
                None => wrong.push(format!("{}: {why}\n{}", example.place, example.text)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} blocks:\n{}", wrong.len(), wrong.join("\n"));
    for (row, (page, line, holder)) in ELSEWHERE.iter().enumerate() {
        assert!(used.contains(&row), "{page}: no block `{line}` needs this row");
        match holder {
            Test(name) => {
                let (file, name) = name.split_once("::").unwrap();
                let text =
                    fs::read_to_string(Path::new(ROOT).join(format!("tests/suite/{file}.rs"))).unwrap();
                assert!(
                    text.contains(&format!("#[test]\nfn {name}()")),
                    "{page}: {file} has no test `{name}`"
                );
            }
            Nobody(reason) => assert!(!reason.is_empty(), "{page}: say why nothing holds `{line}`"),
        }
    }
}

/// Holds a block. The error says what it lacks, or that no rule holds it.
fn hold(page: &Page, number: usize, workshop: &Workshop) -> Result<(), String> {
    let example = &page.examples[number];
    let next = page.examples.get(number + 1);
    match example.language.as_str() {
        // The examples of a rule: `pages` runs them.
        "toml" | "tree" if is_of_a_rule(example) => Ok(()),
        "toml" => manifest(example, next),
        "tree" => tree(example, next),
        "text" | "report" => match number.checked_sub(1).map(|before| &page.examples[before]) {
            Some(before) if is_shown_by(before, example) => Ok(()),
            _ if is_in_a_case(&example.text) => Ok(()),
            _ => Err("nothing above it and no case gives this".into()),
        },
        "sh" | "dockerfile" | "yaml" | "groovy" => commands(example, workshop),
        // `sessions` runs them.
        "console" => Ok(()),
        "json" => answer(example),
        "python" => calls_of_the_module(example),
        language => Err(format!("there is no rule for the language `{language}`")),
    }
}

fn same(what: &str, made: &str, shown: &str) -> Result<(), String> {
    if made == shown { Ok(()) } else { Err(format!("{what} is\n{made}\nand not\n{shown}")) }
}

fn is_of_a_rule(example: &Example) -> bool {
    let is_rule = |code: Code| code.slug() == example.heading && matches!(code, Code::Lint(_));
    ["Wrong:", "Right:"].contains(&example.above.as_str()) && validate::codes().any(is_rule)
}

/// Whether the lines stand in the expected output of a case below `tests/cases`. The tests of the cases hold that.
fn is_in_a_case(text: &str) -> bool {
    static OUTPUTS: LazyLock<String> = LazyLock::new(|| {
        let mut files = Vec::new();
        files_below(&Path::new(ROOT).join("tests/cases"), "expected.snap", &mut files);
        let outputs = files.iter().map(|file| fs::read_to_string(file).unwrap());
        outputs.map(|output| output.replace("\nout| ", "\n")).collect()
    });
    OUTPUTS.contains(&format!("\n{text}"))
}

/// Whether a block shows the output for the one before it.
fn is_shown_by(before: &Example, example: &Example) -> bool {
    match (before.language.as_str(), example.language.as_str()) {
        ("toml", "text") => is_output(&example.text),
        (language, shown) => (language, shown) == ("tree", "report"),
    }
}

fn is_output(text: &str) -> bool {
    text.ends_with("says more about each\n") || text.starts_with("At boot")
}

/// A manifest has no problem, or those that the block below it shows; or that block shows its graph.
fn manifest(example: &Example, next: Option<&Example>) -> Result<(), String> {
    let mut files = Files::default();
    // A table that is no service stands beside one.
    let has_service = ["[longrun", "[oneshot", "[bundle"].iter().any(|table| example.text.contains(table));
    let service = if has_service { "" } else { "[longrun.web]\nrun = [\"web\"]\n" };
    let file = files.add("services.toml", format!("{}{service}", example.text));
    let compilation = compile(&files, file);
    if example.above.ends_with("Wrong:") {
        let found: Vec<&str> = compilation.problems.iter().map(|problem| problem.code.slug()).collect();
        return same("the report", &found.join(", "), &example.heading);
    }
    let mut output: String =
        compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    let shown = next.filter(|next| is_shown_by(example, next)).map_or("", |next| next.text.as_str());
    if compilation.problems.has_errors() || shown.ends_with("says more about each\n") {
        output += &format!("{}\n", shown.lines().last().unwrap_or_default());
        return same("the report", &output, shown);
    }
    render::tree(&compilation.services).map_err(|error| format!("{error:?}"))?;
    if shown.starts_with("At boot") {
        output += &text(&Index::new(&compilation.services), &[], OrderDirection::Up, false);
    }
    same("the output", &output, shown)
}

/// A tree gets the report below it.
fn tree(example: &Example, next: Option<&Example>) -> Result<(), String> {
    let Some(next) = next.filter(|next| is_shown_by(example, next)) else {
        return Err("there is no report below it".into());
    };
    let mut files = Files::default();
    let compilation = judge(&mut files, vec![tree_of(&example.text).source("s6-rc.d")], Target::default());
    if compilation.problems.has_errors() {
        return Err("it does not compile".into());
    }
    let reports: String =
        compilation.problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    let count = compilation.problems.iter().count();
    same(
        "the report",
        &format!("{reports}{count} warnings; `s6gen explain CODE` says more about each\n"),
        &next.text,
    )
}

/// A tree in the form of the pages: paths at the left edge, contents indented by four blanks.
fn tree_of(text: &str) -> SourceTree {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("    "), files.last_mut()) {
            (Some(content), Some((_, text))) => *text += &format!("{content}\n"),
            _ => files.push((line.to_owned(), String::new())),
        }
    }
    let mut tree = SourceTree::default();
    for (path, content) in files {
        tree.file(format!("s6-rc.d/{path}"), content, false);
    }
    tree
}

/// The calls of s6gen in a block. The error names a line in which there is none, and which no rule knows.
fn calls(example: &Example) -> Result<Vec<Vec<String>>, String> {
    let mut calls = Vec::new();
    for line in example.text.replace("\\\n", "").lines() {
        let line = line.split(" #").next().unwrap().trim();
        let first = line.split_whitespace().next().unwrap_or_default();
        let call =
            line.split_once("s6gen ").or_else(|| line.split_once("cargo run -- ")).map(|(_, call)| call);
        let is_call = match example.language.as_str() {
            "sh" => line.starts_with("s6gen ") || line.starts_with("cargo run -- "),
            "dockerfile" => line.starts_with("RUN s6gen "),
            _ => call.is_some(),
        };
        let is_known = match example.language.as_str() {
            "sh" => {
                first.is_empty() || line.starts_with("mkdir -p ") || NOT_RUN.contains(&first) || makes(line)?
            }
            "dockerfile" => INSTRUCTIONS.contains(&first),
            // The other lines of a configuration are for other programs. It must have a call.
            _ => true,
        };
        match (is_call, is_known) {
            // A redirection, and the quotes of a shell around the call, are not a part of it.
            (true, _) => {
                let call = call.unwrap().split(['>', '|', '\'']).next().unwrap();
                calls.push(call.split_whitespace().map(str::to_owned).collect());
            }
            (false, true) => {}
            (false, false) => return Err(format!("no rule runs `{line}`")),
        }
    }
    let is_empty = calls.is_empty() && ["yaml", "groovy"].contains(&example.language.as_str());
    if is_empty { Err("it does not call s6gen".into()) } else { Ok(calls) }
}

/// The first words of the lines of a Dockerfile.
const INSTRUCTIONS: &[&str] = &["", "#", "ADD", "COPY", "ENTRYPOINT", "ENV", "FROM", "HEALTHCHECK", "RUN"];

/// Whether a line calls make, with a target that exists.
pub fn makes(line: &str) -> Result<bool, String> {
    let Some(target) = line.strip_prefix("make ") else { return Ok(false) };
    let makefile = fs::read_to_string(Path::new(ROOT).join("Makefile")).unwrap();
    match makefile.contains(&format!("\n{target}: ")) {
        true => Ok(true),
        false => Err(format!("the Makefile has no target `{target}`")),
    }
}

/// Whether a call is for a running container.
fn is_live(call: &[String]) -> bool {
    ["instance", "apply", "start", "stop", "restart", "status"].contains(&call[0].as_str())
        || call.iter().any(|word| word == "--measured")
}

/// The calls of s6gen in a block succeed. Those for a running container are run by another test.
fn commands(example: &Example, workshop: &Workshop) -> Result<(), String> {
    for call in calls(example)?.iter().filter(|call| !is_live(call)) {
        let output = workshop.run(call);
        // Two systems differ, except `rootfs`, which was built from the manifest that it is compared with.
        let expected = i32::from(call[0] == "diff" && !call.iter().any(|word| word.starts_with("rootfs")));
        if output.status.code() != Some(expected) {
            return Err(format!("{call:?}: {output:?}"));
        }
    }
    Ok(())
}

/// A folder with the files that the pages mention.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Workshop {
        let workshop = Workshop(tempfile::tempdir().unwrap());
        let at = |name: &str| workshop.0.path().join(name);
        let language = Page::read("docs/language.md");
        let manifests: Vec<&Example> = language.examples_in("toml").collect();
        fs::write(at("services.toml"), &manifests[0].text).unwrap();
        fs::write(at("old.toml"), &manifests[1].text).unwrap();
        let trees = Page::read("docs/trees.md");
        let tree = tree_of(&trees.examples_in("tree").next().unwrap().text);
        for source in ["s6-rc.d", "root/s6-rc.d", "base/s6-rc.d"] {
            for (path, entry) in tree.entries() {
                let TreeEntry::File { content, .. } = entry else { panic!("{path}") };
                let place = at(source).join(path.strip_prefix("s6-rc.d/").unwrap());
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                fs::write(place, content).unwrap();
            }
        }
        let system = System::overlay("3.2.3.2").unwrap();
        write_image(&at("image"), system.own_definitions_dir().unwrap().trim_start_matches('/'), system);
        for root in ["out", "target", "rootfs"] {
            fs::create_dir(at(root)).unwrap();
        }
        for root in ["rootfs", "image"] {
            let build = workshop.run(&["build".into(), "--root".into(), root.into()]);
            assert!(build.status.success(), "{build:?}");
        }
        let gateway = Path::new(ROOT).join("tests/cases/supervisord/gateway/supervisord.conf");
        fs::copy(gateway, at("supervisord.conf")).unwrap();
        workshop
    }

    fn run(&self, call: &[String]) -> Output {
        let call: Vec<String> = call.iter().map(|word| word.replace("/out", "out")).collect();
        // These write only a file that does not exist yet.
        if call[0] == "init" || call.iter().any(|word| word == "-o") {
            let _ = fs::remove_file(self.0.path().join("services.toml"));
        }
        let mut s6gen = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        s6gen.args(call).current_dir(self.0.path()).env_clear().output().unwrap()
    }
}

/// The services that the calls for a running container name.
const RUNNING: &str = "[longrun.web]\nrun = [\"sleep\", \"1000\"]\n\n\
    [longrun.tunnel]\nparameters = [\"port\"]\ninstances = []\nstart = \"on-demand\"\nrun = [\"sleep\", \"1000\"]\n\
    environment.PORT = \"{{ port | default('') }}\"\n";

#[test]
fn every_command_for_a_running_system_succeeds() {
    for page in documents() {
        let languages = ["sh", "dockerfile", "yaml", "groovy"];
        let blocks = page.examples.iter().filter(|example| languages.contains(&example.language.as_str()));
        let calls = blocks.filter_map(|example| calls(example).ok()).flatten();
        let calls: Vec<Vec<String>> = calls.filter(|call| is_live(call)).collect();
        if calls.is_empty() {
            continue;
        }
        let Some(system) = live_apply::System::boot(this_test!(), RUNNING) else { return };
        for call in calls {
            let words: Vec<&str> = call.iter().map(String::as_str).collect();
            let output = system.ask(&words);
            assert!(output.status.success(), "{}: {call:?}: {output:?}", page.path);
        }
    }
}

/// An answer for programs has the shape of the schema.
fn answer(example: &Example) -> Result<(), String> {
    let schema = fs::read_to_string(Path::new(ROOT).join("docs/json.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let answer = serde_json::from_str(&example.text).map_err(|error| error.to_string())?;
    schema.validate(&answer).map_err(|error| error.to_string())
}

/// Python calls only functions that the module has.
fn calls_of_the_module(example: &Example) -> Result<(), String> {
    let module = fs::read_to_string(Path::new(ROOT).join("docs/s6gen.py")).unwrap();
    let called: Vec<&str> =
        example.text.split("s6gen.").skip(1).filter_map(|call| Some(call.split_once('(')?.0)).collect();
    match called.iter().find(|name| !module.contains(&format!("\ndef {name}("))) {
        _ if called.is_empty() => Err("it does not use the module".into()),
        Some(name) => Err(format!("the module has no function `{name}`")),
        None => Ok(()),
    }
}

#[test]
fn an_example_that_nothing_holds_is_found() {
    let workshop = Workshop::new();
    for (block, why) in [
        ("```\nx\n```", "there is no rule for the language ``"),
        ("```text\nx\n```", "nothing above it and no case gives this"),
        ("```toml\n[longrun.web]\n```", "the report is"),
        ("```toml\n[longrun.web]\nrun = [\"web\"]\n```\n\n```text\nAt boot\n```", "the output is"),
        ("```sh\nls\n```", "no rule runs `ls`"),
        ("```sh\nmake tea\n```", "the Makefile has no target `tea`"),
        ("```sh\ns6gen check --no-such-option\n```", "[\"check\", \"--no-such-option\"]: "),
        ("```dockerfile\nRUN s6gen bild\n```", "[\"bild\"]: "),
        ("```yaml\na: b\n```", "it does not call s6gen"),
        ("```json\n{\"version\":1}\n```", "is a required property"),
        ("```python\ns6gen.fly()\n```", "the module has no function `fly`"),
    ] {
        let page = Page::parse("docs/page.md", &format!("# Page\n\n{block}\n"));
        let held = hold(&page, 0, &workshop);
        assert!(held.as_ref().is_err_and(|error| error.contains(why)), "{block}: {held:?}");
    }
}
