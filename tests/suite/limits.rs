//! Checks that s6gen refuses input that would take too much time, memory or stack.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use s6gen::compile;
use s6gen::diagnostic::{Code, Files, Problems};
use s6gen::disk;
use s6gen::jobs::Project;
use s6gen::report::{Style, human};
use s6gen::source::{Directory, EntryKind, Mount, Union};
use s6gen::tree::SourceTree;

use crate::case::scratch;

/// Runs s6gen in `directory` with at most this much memory, in MiB. It is the program that users get, if that is built: then
/// these tests need a fraction of the time.
fn limited(directory: &Path, most: u32, arguments: &[&str]) -> Output {
    let script = format!("ulimit -v {} && exec \"$0\" \"$@\"", most << 10);
    let program = std::env::var_os("S6GEN_RELEASE").unwrap_or_else(|| env!("CARGO_BIN_EXE_s6gen").into());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(program).args(arguments);
    shell.current_dir(directory).output().unwrap()
}

/// Asserts that `check` and `build` both refuse the manifest as too large, in little memory.
fn assert_too_large(manifest: &str) {
    let root = scratch();
    fs::write(root.path().join("services.toml"), manifest).unwrap();
    for arguments in [&["check"][..], &["build", "--root", "root"]] {
        let output = limited(root.path(), 512, arguments);
        let report = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {report}");
        assert!(report.starts_with("manifest::too-large"), "{arguments:?}: {report}");
        assert!(!root.path().join("root").exists());
    }
}

fn numbered(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

fn problems(manifest: &str) -> (Files, Problems) {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    (files, compilation.problems)
}

fn codes(manifest: &str) -> Vec<Code> {
    problems(manifest).1.iter().map(|problem| problem.code).collect()
}

fn expression(text: &str) -> Vec<Code> {
    codes(&format!("[longrun.a]\ninstances = 1\nrun = [\"a\", '''{{{{ {text} }}}}''']\n"))
}

#[test]
fn the_output_of_an_expression_is_limited() {
    let replaced = "|replace('a', 'aaaaaaaaaa')".repeat(9);
    for text in [
        "'a' * 10**9",
        "name * 99999",
        "(name if true else 1) * 99999",
        "('x' | int('aaaa')) * 99999",
        "[1] * 10**8",
        "'a' | indent(10**12)",
        "'%1000000000d' | format(1)",
        "'aaaa' | list | join('bbbb')",
        "name | batch(10**8)",
        &format!("'aaaaaaaaaa'{replaced}"),
        "name.replace(*[1])",
    ] {
        assert_eq!(expression(text), [Code::Expression], "{text}");
    }
    for text in ["9000 + 10 * instance", "name | replace('a', 'b') | upper", "('7' | int) * 2"] {
        assert_eq!(expression(text), [], "{text}");
    }
}

#[test]
fn an_expression_cannot_fill_the_stack() {
    let text = [
        "-".repeat(100_000) + "1",
        "not ".repeat(100_000) + "1",
        "1".to_owned() + &"+1".repeat(100_000),
        "1".to_owned() + &"~1".repeat(100_000),
        "name".to_owned() + &".a".repeat(100_000),
        "name".to_owned() + &"[0]".repeat(100_000),
        "[".repeat(100_000) + &"]".repeat(100_000),
        // Brackets and braces inside a string close nothing.
        "'}}'".to_owned() + &" ~ '}}'".repeat(100_000),
    ];
    for text in text {
        assert_eq!(expression(&text), [Code::Expression], "{}", &text[..10]);
    }
    assert_eq!(expression(&("1".to_owned() + &"+1".repeat(90))), []);
}

#[test]
fn an_expression_cannot_produce_a_nul() {
    assert_eq!(expression(r"'\u0000'"), [Code::Expression]);
    assert_eq!(expression(r"'a\x00' ~ name"), [Code::Expression]);
}

#[test]
fn statements_are_text_whatever_marks_them() {
    let manifest = "[longrun.a]\ninstances = 1\nrun = [\"a\", \"{% for i in x %}{{ name }}\\uf8ff\\u0001% set a = 1 %\"]";
    assert_eq!(codes(manifest), []);
}

#[test]
fn a_manifest_cannot_describe_more_than_there_is_room_for() {
    let many: String = (0..40).map(|n| format!("[oneshot.a{n}]\ninstances = 9999\n")).collect();
    assert_eq!(codes(&many), [Code::ManifestTooLarge]);
    let script = format!("[longrun.a]\ninstances = 9999\nrun = '''{}'''\n", "x".repeat(100_000));
    assert_eq!(codes(&script), [Code::ManifestTooLarge]);
    let defaults = format!("[defaults.oneshot]\nup = '''{}'''\n{many}", "x".repeat(100_000));
    let plain = defaults.replace("instances = 9999\n", "")
        + &many.replace("instances = 9999\n", "").replace('a', "b");
    assert_eq!(codes(&plain), []);
    assert_eq!(codes(&defaults), [Code::ManifestTooLarge]);
}

#[test]
fn a_mistake_in_a_template_is_reported_once_and_not_kept_once_per_instance() {
    let two = "[longrun.a]\ninstances = 3\nrun = [\"{{ x }}{{ y }}\"]\n";
    assert_eq!(codes(two), [Code::MissingParameter, Code::MissingParameter]);
    let words: Vec<String> = (0..2000).map(|n| format!("'{{{{ n{n} }}}}'")).collect();
    let many = format!("[longrun.a]\ninstances = 9999\nrun = [{}]\n", words.join(", "));
    assert_eq!(codes(&many).len(), 2000);
}

#[test]
fn a_file_that_is_not_a_manifest_is_not_read_to_its_end() {
    assert_eq!(codes(&"[longrun.a]\nrun = = \n".repeat(2000)).len(), 100);
    assert_eq!(codes(&"[longrun.a]\nrun = [\n".repeat(2000)).len(), 100);
}

#[test]
fn an_excerpt_of_a_very_long_line_is_shortened() {
    let words = vec!["'word'"; 20_000].join(", ");
    let (files, problems) = problems(&format!("[longrun.a]\nrun = [{words}, '$HOME', {words}]\n"));
    let report: String = problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    insta::assert_snapshot!(report, @r#"
    lint::literal-variable

      ⚠ `$HOME` is not expanded here
      ╰─▶ a command in array form is run exactly as written
       ╭─[services.toml:2:160008]
     2 │ run = ['word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word…d', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', '$HOME', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'word', 'w…
       ·                                                                                                                                                                                                          ───┬───
       ·                                                                                                                                                                                                             ╰── the program gets exactly these characters
       ╰────
      help: declare that it comes from the container, `variables.HOME = {}`, and write `${HOME}`; or write a string, which a shell reads: `run = 'exec … "$HOME"'`
    "#);
}

#[test]
fn many_shells_in_one_command_take_no_time_each() {
    let words = vec!["'sh'"; 40_000].join(", ");
    let (_, problems) = problems(&format!("[longrun.a]\nrun = [{words}]\n"));
    assert!(!problems.has_errors());
}

#[test]
fn a_very_long_value_is_marked_from_end_to_end() {
    let value = "x".repeat(100_000);
    let (files, problems) = problems(&format!("[longrun.a]\nrun = [\"a\"]\nuser = '{value}é {value}'\n"));
    let report: String = problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect();
    assert!(report.contains("not an account") && report.contains('…'), "{report}");
    assert!(report.contains("[services.toml:3:8]"), "{report}");
}

#[test]
fn a_value_that_is_used_often_is_not_expanded_first_and_measured_then() {
    let value = "x".repeat(100_000);
    let uses = "{{ p }}".repeat(20_000);
    assert_too_large(&format!(
        "[longrun.a]\nparameters = ['p']\ninstances.x.p = '{value}'\nrun = '''{uses}'''\n"
    ));
}

#[test]
fn lists_in_lists_do_not_double_a_text_at_each_level() {
    let nested = (0..40).fold(r"'\\'".to_owned(), |inner, _| format!("[{inner}] | string"));
    assert_eq!(expression(&format!("({nested}) | length")), [Code::Expression]);
    assert_eq!(expression("[['a'] | string, name] | string"), []);
}

#[test]
fn defaults_are_not_copied_into_more_services_than_there_is_room_for() {
    let services = numbered(5_000, |n| format!("[longrun.s{n}]\nrun = ['x']\n"));
    let text = "y".repeat(1_000_000);
    assert_too_large(&format!("[defaults.longrun]\nfiles.big = '{text}'\n{services}"));
    let many = numbered(20_000, |n| format!("V{n} = ''\n"));
    assert_too_large(&format!("[defaults.longrun.environment]\n{many}{services}"));
}

#[test]
fn members_of_a_bundle_do_not_multiply_its_dependencies_without_end() {
    let names = |letter: &str| numbered(2_000, |n| format!("'{letter}{n}', "));
    let services =
        |letter: &str, keys: &str| numbered(2_000, |n| format!("[oneshot.{letter}{n}]\nup = ['x']\n{keys}"));
    let bundle = format!("[bundle.all]\ncontents = [{}]\n", names("a"));
    let both = services("a", "") + &services("b", "");
    assert_too_large(&format!("{bundle}dependencies = [{}]\n{both}", names("b")));
    assert_too_large(&format!("{bundle}{}{}", services("a", ""), services("b", "required-by = ['all']\n")));
}

#[test]
fn what_is_required_by_unknown_services_costs_no_search_for_each() {
    let services = numbered(3_000, |n| format!("[oneshot.s{n}]\nup = ['x']\nrequired-by = ['nobody{n}']\n"));
    let problems = problems(&services).1;
    assert_eq!(problems.len(), 3_000);
    let near = numbered(200, |n| format!("[oneshot.name{n}]\nup = ['x']\nrequired-by = ['nam{n}']\n"));
    let suggested = self::problems(&near)
        .1
        .iter()
        .filter(|problem| problem.help.as_ref().is_some_and(|help| help.starts_with("did")))
        .count();
    assert_eq!(suggested, 100);
}

/// The codes of the problems of the manifest `services.toml` among `files`, and the number of files that were read.
fn included(files: &[(String, String)]) -> (Vec<Code>, usize) {
    let root = scratch();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut project = Project::load(&root.path().join("services.toml"));
    let codes = project.compile().problems.iter().map(|problem| problem.code).collect();
    (codes, project.files.iter().count())
}

/// A file, which includes others.
fn including(name: &str, includes: &[&str], text: &str) -> (String, String) {
    (name.to_owned(), format!("include = {includes:?}\n{text}"))
}

const SERVICE: &str = "[longrun.a]\nrun = ['a']\n";

#[test]
fn a_file_is_included_once_by_whatever_paths_it_is_reached() {
    let name = |number: usize| match number {
        0 => "services.toml".to_owned(),
        _ => format!("d/../f{number}.toml"),
    };
    let mut files: Vec<_> = (0..30)
        .map(|number| {
            let next = name(number + 1);
            including(
                &name(number),
                &[&next, &format!("./{next}"), &format!("d/.././{next}"), "f*[0-9].toml"],
                "",
            )
        })
        .collect();
    files.push(("d/empty".to_owned(), String::new()));
    files.push((name(30), SERVICE.to_owned()));
    files.sort();
    let (codes, read) = included(&files);
    assert_eq!(read, 31);
    assert!(
        codes.iter().all(|code| *code == Code::Include),
        "only what includes a file that is open: {codes:?}"
    );
}

#[test]
fn a_circle_of_includes_is_found_by_the_file_and_not_by_its_path() {
    let files = [
        including("services.toml", &["d/../d/b.toml"], SERVICE),
        including("d/b.toml", &["../d/./../services.toml", "../d/b.toml"], ""),
    ];
    assert_eq!(included(&files), (vec![Code::Include, Code::Include], 2));
}

#[test]
fn includes_are_limited_in_depth_number_and_size() {
    let chain = |length: usize| -> Vec<_> {
        let name = |number| if number == 0 { "services.toml".to_owned() } else { format!("f{number}.toml") };
        let mut files: Vec<_> =
            (0..length).map(|number| including(&name(number), &[&name(number + 1)], "")).collect();
        files.push((name(length), SERVICE.to_owned()));
        files
    };
    assert_eq!(included(&chain(64)), (vec![], 65));
    assert_eq!(included(&chain(2_000)), (vec![Code::ManifestTooLarge], 65));

    let wide = |count: usize| -> Vec<_> {
        let mut files = vec![including("services.toml", &["d/*.toml"], SERVICE)];
        files.extend((0..count).map(|number| (format!("d/f{number}.toml"), "[target]\n".to_owned())));
        files
    };
    assert_eq!(included(&wide(1_001)).0, [Code::ManifestTooLarge]);

    let large = format!("# {}\n", "x".repeat(5 << 20));
    let files = ["a", "b", "c", "d"].map(|name| (format!("{name}.toml"), large.clone()));
    let mut files = files.to_vec();
    files.push(including("services.toml", &["*.toml"], SERVICE));
    assert_eq!(included(&files), (vec![Code::ManifestTooLarge], 4));
}

#[test]
fn a_pattern_does_not_search_the_whole_disk() {
    for pattern in ["/**/*", "**/*.toml"] {
        assert_eq!(included(&[including("services.toml", &[pattern], SERVICE)]), (vec![Code::Include], 1));
    }
    let mut left = 1;
    let root = scratch();
    for name in ["a.toml", "b.toml"] {
        fs::write(root.path().join(name), "").unwrap();
    }
    assert!(disk::matching(root.path(), "*.toml", &mut left).is_err());
    let mut left = 2;
    let found = disk::matching(root.path(), "*.toml", &mut left).unwrap();
    assert_eq!((found.len(), left), (2, 0));
}

#[test]
fn nothing_of_a_file_that_is_no_manifest_is_printed() {
    let root = scratch();
    let secret = "s3cret = is what nobody may read";
    fs::write(root.path().join("secret"), secret).unwrap();
    symlink("secret", root.path().join("link.toml")).unwrap();
    symlink("link.toml", root.path().join("links.toml")).unwrap();
    symlink("/proc/self/environ", root.path().join("environ.toml")).unwrap();
    symlink("/dev/zero", root.path().join("zero.toml")).unwrap();
    fs::create_dir(root.path().join("folder.toml")).unwrap();
    for included in [
        "secret",
        "./secret",
        "link.toml",
        "links.toml",
        "environ.toml",
        "zero.toml",
        "/proc/self/environ",
        "/dev/zero",
        "/dev/stdin",
        "-",
        "folder.toml",
        "/proc/self/fd/0",
        "*",
        "l*",
        "s*t",
    ] {
        fs::write(root.path().join("services.toml"), format!("include = ['{included}']\n{SERVICE}")).unwrap();
        let output = limited(root.path(), 512, &["check"]);
        let report = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{included}: {report}");
        assert!(report.contains("manifest::include"), "{included}: {report}");
        assert!(!report.contains("s3cret") && !report.contains("CARGO_"), "{included}: {report}");
    }
    fs::remove_file(root.path().join("services.toml")).unwrap();
    for target in ["secret", "/proc/self/environ"] {
        symlink(target, root.path().join("services.toml")).unwrap();
        let output = limited(root.path(), 512, &["check"]);
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(report.contains("manifest::unreadable") && !report.contains("s3cret"), "{target}: {report}");
        assert!(!report.contains("CARGO_"), "{target}: {report}");
        fs::remove_file(root.path().join("services.toml")).unwrap();
    }
}

/// A source directory with one oneshot, whose `up` is a link to `target`.
fn linked(root: &Path, target: &str) {
    let definition = root.join("src/a");
    fs::create_dir_all(&definition).unwrap();
    fs::write(definition.join("type"), "oneshot\n").unwrap();
    let up = definition.join("up");
    drop(fs::remove_file(&up));
    symlink(target, up).unwrap();
}

#[test]
fn devices_in_a_tree_are_not_opened_and_do_not_fill_the_memory() {
    let root = scratch();
    for target in ["/dev/zero", "/dev/full", "/dev/random"] {
        linked(root.path(), target);
        let output = limited(root.path(), 512, &["check", "--tree", "src"]);
        let report = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{target}: {report}");
        assert!(report.contains("`up` of `a`: it is a device"), "{target}: {report}");
    }
    // s6-rc-compile takes this one for an empty file.
    linked(root.path(), "/dev/null");
    assert_eq!(limited(root.path(), 512, &["check", "--tree", "src"]).status.code(), Some(0));
}

#[test]
fn nothing_of_a_private_file_outside_of_the_tree_is_printed() {
    let root = scratch();
    let private = root.path().join("private");
    fs::write(&private, "s3cret } {\n").unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir_all(root.path().join("src/a")).unwrap();
    symlink("../private", root.path().join("src/.link")).unwrap();
    let absolute = private.to_str().unwrap();
    for file in ["up", "down", "dependencies", "timeout-up"] {
        for target in ["../../private", absolute, "../.link", "../../src/a/../../private"] {
            fs::remove_dir_all(root.path().join("src/a")).unwrap();
            linked(root.path(), "/dev/null");
            drop(fs::remove_file(root.path().join("src/a").join(file)));
            symlink(target, root.path().join("src/a").join(file)).unwrap();
            let output = limited(root.path(), 512, &["check", "--tree", "src"]);
            let report = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{file} {target}: {report}");
            assert!(
                report.contains("out of the tree") && !report.contains("s3cret"),
                "{file} {target}: {report}"
            );
        }
    }
    // The files of the tree may be as private as their owner wants.
    fs::rename(&private, root.path().join("src/.private")).unwrap();
    for target in ["../.private", "../../src/.private"] {
        linked(root.path(), target);
        let report = limited(root.path(), 512, &["check", "--tree", "src"]).stderr;
        let inside = target == "../.private";
        assert_eq!(String::from_utf8_lossy(&report).contains("s3cret"), inside, "{target}");
    }
}

#[test]
fn all_files_of_a_tree_together_are_limited() {
    let root = scratch();
    fs::create_dir(root.path().join("src")).unwrap();
    let large = fs::File::create(root.path().join("src/.large")).unwrap();
    large.set_len(10 << 20).unwrap();
    for number in 0..40 {
        let definition = root.path().join(format!("src/s{number}"));
        fs::create_dir(&definition).unwrap();
        fs::write(definition.join("type"), "oneshot\n").unwrap();
        symlink("../.large", definition.join("up")).unwrap();
    }
    let output = limited(root.path(), 1024, &["check", "--tree", "src"]);
    let report = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report.contains("larger than 48 MiB"), "{report}");
}

#[test]
fn a_path_through_links_is_limited_in_its_names() {
    let mut tree = SourceTree::default();
    tree.file("root/real/type", "oneshot\n", false);
    let target = |names: usize| "real/../".repeat(names) + "real";
    tree.link("root/short", target(200));
    tree.link("root/long", target(600));
    let mount = Mount::new("/", "root", tree.source("root").directory.unwrap());
    let union = Union::new(vec![mount]).unwrap();
    assert_eq!(union.kind(b"short").unwrap(), EntryKind::Directory);
    assert_eq!(union.kind(b"long").unwrap_err().raw_os_error(), Some(40), "ELOOP");
}

#[test]
fn an_excerpt_is_the_same_at_the_end_of_a_large_file() {
    let report = |lines: usize| -> String {
        let manifest = format!("{}[longrun.a]\nrun = ['a']\n\nusr = 'b'\n# end", "# …\n".repeat(lines));
        let (files, problems) = problems(&manifest);
        problems.iter().map(|problem| human(problem, &files, Style::Plain)).collect()
    };
    let far = report(99_000);
    assert!(far.contains("[services.toml:99004:1]") && far.contains("99004 │ usr = 'b'"), "{far}");
    let plain = |report: &str| report.replace("9900", "").replace("     ", " ");
    assert_eq!(
        plain(&far).split_whitespace().collect::<String>(),
        plain(&report(0)).split_whitespace().collect::<String>()
    );
}

/// What `s6gen` with these arguments says of a hostile manifest in 256 MiB of memory: the exit code, standard output, and
/// standard error.
fn in_little_memory(manifest: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let root = scratch();
    fs::write(root.path().join("services.toml"), manifest).unwrap();
    let output = limited(root.path(), 300, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn mistakes_without_end_are_counted_and_not_kept() {
    let keys = numbered(10_300, |n| format!("k{n} = 1\n"));
    let problems = problems(&format!("[longrun.a]\nrun = ['a']\n{keys}")).1;
    assert!(problems.iter().all(|problem| problem.code == Code::UnknownKey));
    assert_eq!((problems.iter().count(), problems.left_out(), problems.len()), (10_000, 300, 10_300));

    let many = numbered(11_000, |n| format!("[longrun.s{n}]\numask = 7\n"));
    let (code, out, err) = in_little_memory(&many, &["check"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("9000 more are not shown; `s6gen check --format json` lists them"), "{err}");
    assert!(err.ends_with("\n12001 more problems are not listed: correct these first\n"), "{err}");
    let (_, out, _) = in_little_memory(&many, &["check", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["problems"].as_array().unwrap().len(), 10_000);
    assert_eq!(answer["messages"][0], "12001 more problems are not listed: correct these first");
}

#[test]
fn a_mistake_in_the_defaults_of_very_many_services_is_one() {
    let services = numbered(11_000, |n| format!("[longrun.s{n}]\nrun = ['a']\n"));
    let problems = problems(&format!("[defaults.longrun]\numask = '{{{{ x }}}}'\n{services}")).1;
    let errors = problems.iter().filter(|problem| problem.code == Code::MissingParameter).count();
    assert_eq!((errors, problems.left_out()), (1, 0));
}

#[test]
fn a_manifest_with_more_values_than_there_is_memory_for_is_not_read() {
    let service = "[longrun.a]\nrun = ['a']\n";
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    // Each is somewhat larger than the estimate of the memory allows, and one is as large as a manifest can be.
    for (what, manifest) in [
        ("keys", service.to_owned() + &numbered(400_000, |n| format!("k{n} = 1\n"))),
        ("tables", numbered(500_000, |n| format!("[t{n}]\n"))),
        ("items", format!("[longrun.a]\nrun = [{}]\n", "'a',".repeat(1_200_000))),
        ("lists", service.to_owned() + &numbered(8_000, |n| format!("k{n} = {deep}\n"))),
        ("brackets", "[".repeat(16_000_000)),
        ("braces", format!("{service}x = {}", "{a=".repeat(300_000))),
        ("dots", format!("{service}{}a = 1\n", "a.".repeat(500_000))),
        ("escapes", format!("[longrun.a]\nrun = \"{}\"\n", "\\q".repeat(500_000))),
        ("lines", "\n".repeat(5_000_000)),
        ("syntax errors", "x = = \n".repeat(300_000)),
    ] {
        let (code, _, err) = in_little_memory(&manifest, &["check"]);
        assert_eq!(code, Some(1), "{what}: {err}");
        assert!(err.starts_with("manifest::too-large"), "{what}: {err}");
    }
    // Quotes, comments and long texts are cheap.
    for manifest in [
        "'".repeat(1_000_000),
        "\"".repeat(1_000_000),
        format!("[longrun.a]\nrun = \"\"\"\n{}", "x\n".repeat(1_000_000)),
    ] {
        let (code, _, err) = in_little_memory(&manifest, &["check"]);
        assert!(code == Some(1) && err.starts_with("manifest::syntax"), "{code:?} {err}");
    }
    let (code, _, err) = in_little_memory(&format!("{service}# {}\n", "x".repeat(16_000_000)), &["check"]);
    assert_eq!(code, Some(0), "{err}");
}

/// Its syntax tree would take a hundred times as much memory.
#[test]
fn a_pattern_is_measured_before_it_is_read() {
    for part in ["x", "(a|b)"] {
        let pattern = part.repeat((4 << 20) / part.len());
        let manifest = format!(
            "[longrun.a]\ninstances = []\nrun = ['a', '{{{{ p }}}}']\nparameters.p.pattern = '{pattern}'\n"
        );
        let (code, _, report) = in_little_memory(&manifest, &["check"]);
        assert_eq!(code, Some(1), "{report}");
        assert!(report.contains("cannot be read: it is longer than 65536 bytes"), "{report}");
    }
}

#[test]
fn a_service_uses_at_most_512_variables_secrets_and_environment_files() {
    let manifest = |variables: usize, secrets: usize| {
        let secrets = numbered(secrets, |number| format!("'S{number}', "));
        let variables = numbered(variables, |number| format!("V{number} = 'x'\n"));
        format!("[longrun.a]\nrun = ['a']\nsecrets = [{secrets}]\n[longrun.a.variables]\n{variables}")
    };
    assert_eq!(codes(&manifest(256, 256)), []);
    assert_eq!(codes(&manifest(257, 256)), [Code::ManifestTooLarge]);
    assert_too_large(&manifest(0, 30_000));
    assert_too_large(&manifest(30_000, 0));
    let files = numbered(30_000, |number| format!("'/run/{number}', "));
    assert_too_large(&format!("[longrun.a]\nrun = ['a']\nenvironment-files = [{files}]\n"));
}

/// A search to the end of the text for each of them would not end.
#[test]
fn very_many_beginnings_of_references_are_read_once() {
    let text = "${".repeat(1 << 20);
    for key in ["run = ['a', 'TEXT}']", "run = ['a']\nenvironment.A = 'TEXT}'", "run = 'exec a TEXT}'"] {
        let key = key.replace("TEXT", &text);
        let found = codes(&format!("[longrun.a]\nvariables.V = 'x'\nsecrets = ['S']\n{key}\n"));
        assert!(found.len() < 10, "{found:?}");
    }
}

#[test]
fn a_manifest_makes_at_most_40000_definitions() {
    let found = |text: String| {
        let (mut files, mut problems) = (Files::default(), Problems::default());
        let file = files.add("services.toml", text);
        s6gen::resolve::resolve(s6gen::manifest::parse(&files, file, &mut problems), &mut problems);
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    let services = |count| numbered(count, |n| format!("[oneshot.s{n}]\nup = 'a'\n"));
    assert_eq!(found(services(40_001)), [Code::ManifestTooLarge]);
    // Each service and its logger, each instance and the bundle of all of them.
    let logged = |count| numbered(count, |n| format!("[longrun.s{n}]\nrun = 'a'\nlog.to = '/l/{n}'\n"));
    assert_eq!(found(logged(20_001)), [Code::ManifestTooLarge]);
    assert_eq!(found(logged(20_000)), []);
    let instances = |count| numbered(5, |n| format!("[oneshot.s{n}]\nup = 'a'\ninstances = {count}\n"));
    assert_eq!(found(instances(8_000)), [Code::ManifestTooLarge]);
    assert_eq!(found(instances(7_999)), []);
}

#[test]
fn nested_bundles_do_not_multiply_their_members_without_end() {
    // Each bundle holds the one before it, and the service that `own` names.
    let chain = |length: usize, own: &str| {
        numbered(length, |n| {
            let inner = if n == 0 { String::new() } else { format!("'b{}'", n - 1) };
            let own = own.replace('#', &n.to_string());
            format!("[oneshot.a{n}]\nup = 'x'\n[bundle.b{n}]\ncontents = [{own}{inner}]\n")
        })
    };
    assert_eq!(codes(&chain(2_000, "'a#', ")), [Code::ManifestTooLarge]);
    assert_eq!(codes(&chain(300, "'a#', ")), []);
    assert!(!codes(&chain(2_000, "'a0', ")).contains(&Code::ManifestTooLarge));
    let wide = |count: usize| {
        let names = numbered(count, |n| format!("'a{n}', "));
        let services =
            |n| format!("[oneshot.a{n}]\nup = 'x'\n[oneshot.b{n}]\nup = 'x'\ndependencies = ['all']\n");
        format!("[bundle.all]\ncontents = [{names}]\n{}", numbered(count, services))
    };
    assert_eq!(codes(&wide(1_500)), [Code::ManifestTooLarge]);
    assert_eq!(codes(&wide(300)), []);
}

#[test]
fn the_pairs_of_a_pipeline_stand_once() {
    let member = |n| format!("[longrun.s{n}]\nrun = 'x'\nproducer-for = 's{}'\n", n + 1);
    let manifest = numbered(4_000, member) + "[longrun.s4000]\nrun = 'x'\n";
    let (code, out, err) = in_little_memory(&manifest, &["check", "--format", "json"]);
    assert_eq!(code, Some(0), "{err}");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    let pipelines = answer["db"]["pipelines"].as_array().unwrap();
    assert_eq!((pipelines.len(), pipelines[0].as_array().unwrap().len()), (1, 4_000));
}

#[test]
fn a_text_has_at_most_50000_expressions() {
    let text =
        |count: usize| format!("[longrun.a]\ninstances = 1\nrun = '''{}'''\n", "{{ name }}\n".repeat(count));
    assert_eq!(codes(&text(50_001)), [Code::Expression]);
    assert_eq!(codes(&text(50_000)), []);
    // The excerpt of a mark over many lines has only the first ones.
    let (_, _, err) = in_little_memory(&text(100_000), &["check"]);
    assert!(err.len() < 20_000, "{}", err.len());
}

#[test]
fn blocks_of_execline_do_not_multiply_the_spaces_before_words() {
    for text in ["if { ".repeat(100_000), "a ".repeat(2_000_000)] {
        let manifest = format!("[longrun.a]\nrun = '''#!/command/execlineb -P\n{text}'''\n");
        let (code, _, err) = in_little_memory(&manifest, &["check"]);
        assert_eq!(code, Some(0), "{err}");
        assert!(err.contains("has more words or deeper blocks than s6gen reads"), "{err}");
    }
}

#[test]
fn long_names_are_compared_and_repeated_only_in_part() {
    let key = "k".repeat(1_000_000);
    let (code, _, err) = in_little_memory(&format!("[longrun.a]\nrun = ['a']\n{key} = 1\n"), &["check"]);
    assert!(code == Some(1) && err.len() < 20_000, "{code:?} {}", err.len());
    let name = "n".repeat(100_000);
    let keys = numbered(3_000, |n| format!("k{n} = 1\n"));
    let (code, _, err) = in_little_memory(&format!("[longrun.{name}]\n{keys}"), &["check"]);
    assert!(code == Some(1) && err.contains("unknown-key"), "{code:?}");
    // Each unknown name is compared with every name.
    let near = numbered(1_000, |n| {
        let name = format!("{}{n}", "n".repeat(200));
        format!("[longrun.{name}]\nrun = 'x'\ndependencies = ['m{name}']\n")
    });
    assert_eq!(in_little_memory(&near, &["check"]).0, Some(1));
}

#[test]
fn many_problems_of_one_long_line_are_drawn_only_as_long_as_that_is_cheap() {
    let manifest = format!("[longrun.a]\nrun = ['a']\ndependencies = [{}]\n", "1,".repeat(30_000));
    let (code, _, err) = in_little_memory(&manifest, &["check"]);
    assert!(code == Some(1) && err.contains("more are not shown"), "{code:?}");
    let (_, out, _) = in_little_memory(&manifest, &["check", "--format", "json"]);
    assert!(out.len() > 100_000, "{}", out.len());
}

/// What `check --tree` in 256 MiB of memory says of a tree with these files, as text and as JSON.
fn tree_in_little_memory(files: impl IntoIterator<Item = (String, String)>) -> [String; 2] {
    let root = scratch();
    for (name, text) in files {
        let path = root.path().join("src").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    [&["check", "--tree", "src"][..], &["check", "--tree", "src", "--json"]].map(|arguments| {
        let output = limited(root.path(), 300, arguments);
        assert!(output.status.code().is_some(), "{arguments:?}: {output:?}");
        String::from_utf8([output.stderr, output.stdout].concat()).unwrap()
    })
}

fn tree_oneshot(name: impl std::fmt::Display, up: &str, dependencies: &str) -> [(String, String); 3] {
    [("type", "oneshot\n"), ("up", up), ("dependencies", dependencies)]
        .map(|(file, text)| (format!("{name}/{file}"), text.to_owned()))
}

#[test]
fn the_names_in_the_lists_of_a_tree_are_limited() {
    let names = numbered(301_000, |n| format!("s{n}\n"));
    for report in tree_in_little_memory(tree_oneshot("a", "true", &names)) {
        assert!(report.contains("have more than 300000 names"), "{report}");
    }
}

#[test]
fn the_words_of_all_command_lines_of_a_tree_are_limited() {
    let words = "a ".repeat(200_000);
    for report in tree_in_little_memory((0..6).flat_map(|n| tree_oneshot(n, &words, ""))) {
        assert!(report.contains("has more words or deeper blocks than s6gen reads"), "{report}");
    }
}

#[test]
fn bundles_of_a_tree_do_not_multiply_their_members_without_end() {
    let names = numbered(1_100, |n| format!("a{n}\n"));
    let bundle = [("type", "bundle\n"), ("contents", &names)]
        .map(|(file, text)| (format!("all/{file}"), text.to_owned()));
    let dependents = (0..1_100)
        .flat_map(|n| tree_oneshot(format!("a{n}"), "", "").into_iter().chain(tree_oneshot(n, "", "all")));
    for report in tree_in_little_memory(bundle.into_iter().chain(dependents)) {
        assert!(report.contains("the bundles stand for more than 1048576 services"), "{report}");
    }
}

#[test]
fn a_tree_has_at_most_40000_definitions() {
    let judged = |count: usize| {
        let mut tree = SourceTree::default();
        for number in 0..count {
            tree.file(format!("root/s{number}/type"), "oneshot\n", false);
            tree.file(format!("root/s{number}/up"), "", false);
        }
        let sources = vec![tree.source("root")];
        s6gen::jobs::judge(&mut Files::default(), sources, s6gen::model::Target::default()).problems
    };
    let is_too_large = |problem: &s6gen::diagnostic::Diagnostic| problem.code == Code::ManifestTooLarge;
    assert!(judged(40_001).iter().any(is_too_large));
    assert!(!judged(40_000).iter().any(is_too_large));
}

#[test]
fn the_expressions_of_all_instances_are_limited() {
    let template = |instances: usize| {
        format!("[longrun.a]\ninstances = {instances}\nrun = ['a', {}]\n", "'{{ name }}',".repeat(1_000))
    };
    assert_eq!(codes(&template(301)), [Code::ManifestTooLarge]);
}

#[test]
fn tables_after_quotes_that_are_never_closed_are_not_kept_without_limit() {
    let services = numbered(300_000, |n| format!("[longrun.b{n}]\nrun = 'x'\n"));
    let (code, _, err) = in_little_memory(&format!("[longrun.a]\nrun = '''\n{services}"), &["check"]);
    assert!(code == Some(1) && err.starts_with("manifest::syntax"), "{code:?} {err}");
}

#[test]
fn open_parentheses_of_a_script_are_limited_by_its_length() {
    let read = |text: &str| s6gen::shell::ShellScript::read(text).is_some();
    assert!(read(&"echo $(a)\n".repeat(32)));
    assert!(read(&format!("{}# {}\n", "echo $(a)\n".repeat(200), "x".repeat(8_000))));
    assert!(!read(&"echo $(a)\n".repeat(200)));
}

#[test]
fn scripts_are_read_only_up_to_a_limit() {
    let missed = "mkdir -p /run/x\nweb\n";
    let found = |padding: &str, count: usize| {
        let script = format!("#!/bin/sh\n{padding}\n{missed}");
        let services = numbered(count, |n| format!("[longrun.s{n}]\nrun = '''\n{script}'''\n"));
        problems(&services).1.iter().filter(|problem| problem.code.slug() == "lint::not-exec").count()
    };
    // 2 MiB in all, whatever the number of threads.
    let padding = format!("# {}", "x".repeat(60_000));
    assert_eq!((found(&padding, 34), found(&padding, 40)), (34, 34));
    // What is too large, too deep, or made to be slow for the grammar.
    assert_eq!(found(&format!("# {}", "x".repeat(140_000)), 1), 0);
    assert_eq!(found(&format!("{}a{}", "{ ".repeat(3_000), "; }".repeat(3_000)), 1), 0);
    assert_eq!(found(&("a=(".repeat(900) + &")".repeat(900)), 1), 0);
    assert_eq!(found(&"a || ".repeat(3_000), 1), 0);
    assert_eq!(found(&"a && d\n".repeat(600), 1), 1);
}

#[test]
fn loggers_that_wait_for_each_other_are_searched_only_up_to_a_limit() {
    // Each search of a logger visits all services of the cycle.
    let cycle = |count: usize| {
        numbered(count, |n| {
            let next = (n + 1) % count;
            format!("[longrun.s{n}]\nrun = ['x']\nlog.to = '/var/log/s{n}'\ndependencies = ['s{next}']\n")
        })
    };
    assert_eq!(codes(&cycle(300)), [Code::DependencyCycle]);
    assert_eq!(codes(&cycle(3_000)), [Code::ManifestTooLarge]);
    // Each search looks for services that both producers of a shared logger need.
    let shared = |count: usize| {
        let log = |name: String, n: usize, more: String| {
            format!("[longrun.{name}]\nrun = ['x']\nstart = 'on-demand'\nlog.to = '/var/log/l{n}'\n{more}")
        };
        numbered(count, |n| {
            log(format!("a{n}"), n, format!("dependencies = ['b{n}']\n"))
                + &log(format!("b{n}"), n, String::new())
                + &log(format!("c{n}"), n, format!("dependencies = ['a{}']\n", n.saturating_sub(1)))
        })
    };
    assert_eq!(codes(&shared(300)), []);
    assert_eq!(codes(&shared(4_000)), [Code::ManifestTooLarge]);
}
