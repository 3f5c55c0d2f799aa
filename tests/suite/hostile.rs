//! Checks that text from files and arguments is printed escaped: no value of a manifest, no name in a tree and no argument can
//! move the cursor, hide or reverse text, or begin a new line.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use s6gen::cli;
use s6gen::diagnostic::Files;
use s6gen::manifest::REFERENCE;
use s6gen::report::Style;
use tempfile::TempDir;

/// Each of the characters by itself is an attack: on the title of the window, on a line that is already there, on the
/// direction and the lines of the text. `1;35` is a colour that no report has.
const HOSTILE: &str = "a\u{1b}]0;PWN\u{7}\u{1b}[2K\u{1b}[1;35m\r\u{8}\u{202e}\u{2028}\u{2066}\u{200b}\u{61c}\u{7f}\u{85}\u{9b}\
                       31m\u{feff}\nFORGED: 1 error\r\nFORGED too";

/// Runs the program with these arguments, and holds what it prints to the rule. Returns what it says on standard error.
fn hold(what: &str, arguments: &[&OsStr]) -> String {
    let words = || std::iter::once(OsStr::new("s6gen")).chain(arguments.iter().copied());
    let mut report = String::new();
    for style in [Style::Coloured, Style::Plain] {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let _ = cli::run(words().map(OsStr::to_owned), &mut out, &mut err, style);
        for printed in [&out, &err] {
            let text = str::from_utf8(printed).unwrap_or_else(|_| panic!("{what}: not UTF-8"));
            let shown = if style == Style::Coloured { without_colours(text) } else { text.to_owned() };
            let raw = shown.chars().find(|c| is_raw(*c));
            assert_eq!(raw, None, "{what}, {arguments:?}:\n{text:?}");
            let is_forged = |line: &str| line.trim_start().starts_with("FORGED");
            assert!(!shown.lines().any(is_forged), "{what}, {arguments:?}:\n{shown}");
            report = shown;
        }
        // Only a report has colours.
        if !report.contains('\u{256d}') && style == Style::Coloured && !report.contains("::") {
            break;
        }
    }
    report
}

fn is_raw(c: char) -> bool {
    let is_invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}');
    c.is_control() && c != '\n' || is_invisible
}

/// The text without the colours of our own reports.
fn without_colours(text: &str) -> String {
    assert!(!text.contains("\u{1b}[1;35m"), "{text:?}");
    let mut parts = text.split("\u{1b}[");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let colour = part.find(|c: char| !c.is_ascii_digit() && c != ';');
        match colour.filter(|end| part[*end..].starts_with('m')) {
            Some(end) => shown += &part[end + 1..],
            None => shown += &format!("\u{1b}[{part}"),
        }
    }
    shown
}

fn words<'a>(line: &'a str, last: &[&'a OsStr]) -> Vec<&'a OsStr> {
    line.split(' ').map(OsStr::new).chain(last.iter().copied()).collect()
}

/// A value of TOML in one line.
fn toml(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_ascii_graphic() || c == ' ' => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

fn scratch() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Holds every command that reads a manifest.
fn hold_manifest(folder: &Path, what: &str, text: &str) {
    let path = folder.join("services.toml");
    fs::write(&path, text).unwrap();
    let root = folder.join("root");
    let _ = fs::remove_dir_all(&root);
    // The other commands report the same errors.
    if hold(what, &words("check -m", &[path.as_os_str()])).contains(" error") {
        return;
    }
    for line in ["graph -m", "graph --format dot -m"] {
        hold(what, &words(line, &[path.as_os_str()]));
    }
    let in_root = [root.as_os_str(), OsStr::new("-m"), path.as_os_str()];
    hold(what, &words("build --root", &in_root));
    hold(what, &words("build --check --root", &in_root));
    let good = folder.join("good.toml");
    fs::write(&good, "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    hold(what, &words("diff", &[good.as_os_str(), path.as_os_str()]));
    hold(what, &words("diff", &[path.as_os_str(), good.as_os_str()]));
}

/// The values that a key may get: the hostile text itself, and in every place of a value that a key may have.
fn values(hostile: &str) -> Vec<String> {
    let quoted = toml(hostile);
    let script = toml(&format!("#!/bin/sh\n{hostile}"));
    vec![
        format!("[\"web\", {quoted}]"),
        format!("[{quoted}]"),
        format!("{{ {quoted} = {quoted} }}"),
        format!("{{ A = {quoted} }}"),
        script,
        quoted,
    ]
}

/// A service with a key, or a target with it. Its name is that of the key.
fn with_key(heading: &str, key: &str, value: &str) -> String {
    match heading {
        "[target]" => format!("[target]\n{key} = {value}\n[longrun.web]\nrun = [\"web\"]\n"),
        "[longrun.NAME]" if key == "run" => format!("[longrun.run]\nrun = {value}\n"),
        "[longrun.NAME]" => format!("[longrun.{key}]\nrun = [\"web\"]\n{key} = {value}\n"),
        "[oneshot.NAME]" if key == "up" => format!("[oneshot.up]\nup = {value}\n"),
        "[oneshot.NAME]" => format!("[oneshot.{key}]\nup = [\"web\"]\n{key} = {value}\n"),
        "[bundle.NAME]" => format!("[bundle.{key}]\n{key} = {value}\n"),
        table => format!("[longrun.{key}]\nrun = [\"web\"]\n{table}.{key} = {value}\n"),
    }
}

fn is_valid(manifest: &str) -> bool {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    !s6gen::compile(&files, file).problems.has_errors()
}

#[test]
fn no_value_of_a_manifest_gets_through() {
    let folder = scratch();
    let quoted = toml(HOSTILE);
    let others = ["$a\u{202e}{{ \u{1b}[2K }}\n", "/a\u{7}\u{0}", "\u{9b}31m"].map(toml);
    let check = folder.path().join("all.toml");
    for (heading, _, keys) in REFERENCE {
        for value in values(HOSTILE).iter().chain(&others) {
            let texts: Vec<String> = keys().iter().map(|key| with_key(heading, key.name, value)).collect();
            // The errors of all keys at once. Only a target cannot stand in one manifest with another one.
            if *heading != "[target]" {
                fs::write(&check, texts.concat()).unwrap();
                hold(&format!("{heading} with {value}"), &words("check -m", &[check.as_os_str()]));
            }
            for text in texts.iter().filter(|text| *heading == "[target]" || is_valid(text)) {
                hold_manifest(folder.path(), text, text);
            }
        }
    }
    for text in [
        format!("{quoted} = 1\n"),
        format!("[{quoted}.web]\nrun = [\"web\"]\n"),
        format!("[longrun.{quoted}]\nrun = [\"web\"]\n"),
        format!("[longrun.web]\nrun = [\"web\"]\n{quoted} = 1\n"),
        format!("[longrun.web]\nrun = [\"web\"]\n[longrun.web.log]\n{quoted} = 1\n"),
        format!("[longrun.web]\nrun = [\"web\"]\n[longrun.web.files]\n{quoted} = \"\"\n"),
        format!("[longrun.web]\nrun = [\"web\"]\n[longrun.web.instances.{quoted}]\nx = {quoted}\n"),
        format!(
            "[longrun.web]\nparameters = [\"x\"]\nrun = [\"{{{{ x }}}}\"]\n[longrun.web.instances.a]\nx = {quoted}\n"
        ),
        format!("[defaults.longrun]\n{quoted} = {quoted}\n"),
        format!("include = [{quoted}]\n"),
        format!("include = {quoted}\n"),
        // The file itself has what a value above has as an escape.
        format!("[longrun.web]\nuser = '{}'\n", HOSTILE.replace('\n', " ")),
        format!("[longrun.web]\nuser = '''{}'''\nrun = ['web']\n", HOSTILE.replace("FORGED", "line")),
        format!("# {}\r[longrun.web]\rrun = 3\r", HOSTILE.replace('\n', " ")),
        "[longrun.web]\r\nrun = 3 # \u{1b}]0;PWN\u{7} \r FORGED\r\n".to_owned(),
    ] {
        hold_manifest(folder.path(), "a manifest", &text);
    }
}

fn write(path: PathBuf, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Names of files: whatever a file system takes.
fn names() -> Vec<OsString> {
    let hostile = HOSTILE.replace('/', "");
    vec![hostile.into(), OsString::from_vec(b"a\xff\x1b[2K\n\xfe".to_vec())]
}

#[test]
fn nothing_in_a_tree_gets_through() {
    let good = scratch();
    write(good.path().join("web/type"), "longrun\n");
    write(good.path().join("web/run"), "#!/bin/sh\nexec web\n");
    let mut texts: Vec<Vec<u8>> =
        vec![HOSTILE.into(), format!("a\n{HOSTILE}\n").into(), b"\xff\x1b[2K\0\n".to_vec()];
    texts.push(format!("#!{HOSTILE}\nexec").into());
    texts.push(format!("#!/bin/sh\nif {HOSTILE} $(\n").into());
    texts.push(format!("#!/command/execlineb -P\n{HOSTILE} {{ \"\n").into());
    let files = [
        "type",
        "run",
        "up",
        "finish",
        "notification-fd",
        "timeout-up",
        "producer-for",
        "consumer-for",
        "pipeline-name",
        "down-signal",
        "dependencies",
        "contents",
        "data/check",
        "env/A",
        "flag-essential",
        "max-death-tally",
    ];
    let mut trees: Vec<(String, TempDir)> = Vec::new();
    for kind in ["longrun", "oneshot", "bundle"] {
        for (number, file) in files.into_iter().enumerate() {
            for text in [&texts[0], &texts[1 + number % (texts.len() - 1)]] {
                let tree = scratch();
                let definition = tree.path().join("web");
                write(definition.join("type"), format!("{kind}\n"));
                write(definition.join("run"), "#!/bin/sh\nexec web\n");
                write(definition.join("up"), "true\n");
                write(definition.join(file), text);
                trees.push((format!("{kind}, {file}"), tree));
            }
        }
        for name in names() {
            for folder in ["dependencies.d", "contents.d", "", "data", "env"] {
                let tree = scratch();
                let definition = tree.path().join("web");
                write(definition.join("type"), format!("{kind}\n"));
                write(definition.join("run"), "#!/bin/sh\nexec web\n");
                write(definition.join("up"), "true\n");
                write(definition.join(folder).join(&name), "");
                trees.push((format!("{kind}, a name in {folder:?}"), tree));
            }
            let tree = scratch();
            write(tree.path().join(&name).join("type"), format!("{kind}\n"));
            write(tree.path().join(&name).join("run"), "#!/bin/sh\nexec web\n");
            write(tree.path().join(&name).join("dependencies.d/web"), "");
            write(tree.path().join(&name).join("up"), &texts[0]);
            trees.push((format!("a {kind} with a name"), tree));
            let tree = scratch();
            write(tree.path().join(&name), "stray");
            trees.push(("a stray file".into(), tree));
        }
    }
    for (what, tree) in &trees {
        let path = tree.path().as_os_str();
        for line in [
            "check --tree",
            "graph --tree",
            "graph --format dot --tree",
            "check --overlay 3.2.3.2 --tree",
            "check --root",
        ] {
            hold(what, &words(line, &[path]));
        }
        hold(what, &words("diff", &[good.path().as_os_str(), path]));
        hold(what, &words("diff", &[path, good.path().as_os_str()]));
    }
}

/// Commands that get a hostile word as their last one. None of them finds anything to change.
const ARGUMENTS: &str = "check; check -m; check --tree; check --root; check --format; check --overlay; check --external; \
    check --templates; check --root /nowhere --profile; check --root /nowhere --bundle-dir; build; build -m; \
    build -m /nowhere --root; build -m /nowhere --templates; graph; graph -m; graph --format; graph --tree; diff; diff a; \
    diff --live /nowhere; diff --external; explain; instance; instance add --root /nowhere; \
    instance add --root /nowhere vpn; instance add --root /nowhere vpn a --set; instance add --root /nowhere --name; \
    instance add --root /nowhere --name a --; instance add --start; instance remove --root /nowhere; instance list; \
    instance list --root; instance list --tree; apply --apart --root /nowhere; apply --apart --root /nowhere -m; \
    apply --apart --root /nowhere --live; apply --wait; status; status --live /nowhere; status --live; start; \
    start --live /nowhere; stop --apart --live /nowhere; restart --apart --live /nowhere; help; \
    init --templates /dev/null/";

#[test]
fn no_argument_gets_through() {
    let folder = scratch();
    let folder = folder.path();
    let good = folder.join("good.toml");
    fs::write(&good, "[longrun.web]\nrun = [\"web\"]\n").unwrap();
    let mut hostile: Vec<OsString> = names();
    hostile.push("\u{1b}[2K\nFORGED.toml".into());
    for name in hostile {
        let option =
            [OsStr::from_bytes(b"--"), &name].iter().map(|part| part.as_bytes()).collect::<Vec<_>>().concat();
        let option = OsString::from_vec(option);
        let inside = folder.join(&name);
        let pair = OsString::from_vec([b"p=", name.as_bytes()].concat());
        for last in [&name, &option, &inside.clone().into_os_string(), &pair] {
            for line in ARGUMENTS.split_terminator(';') {
                hold(line, &words(line.trim(), &[last]));
            }
            hold("a command", &[last]);
        }
        // Paths that exist, and names that a manifest does not have.
        let _ = fs::remove_dir_all(&inside);
        fs::create_dir_all(&inside).unwrap();
        let manifest = inside.join("services.toml");
        let manifest = manifest.as_os_str();
        hold("init", &[OsStr::new("init"), manifest]);
        hold("init again", &[OsStr::new("init"), manifest]);
        let templates = inside.join("templates");
        hold("templates", &words("init --templates", &[templates.as_os_str()]));
        let root = inside.join("root");
        for line in ["check -m", "build --check --root /nowhere -m", "graph nobody -m"] {
            hold(line, &words(line, &[manifest]));
        }
        let build = words("build --root", &[root.as_os_str(), OsStr::new("-m"), good.as_os_str()]);
        hold("build", &build);
        hold("build again", &build);
        hold("graph", &words("graph -m", &[good.as_os_str(), &name]));
        hold("diff", &words("diff", &[manifest, good.as_os_str()]));
    }
}

#[test]
fn nothing_in_a_container_gets_through() {
    let folder = scratch();
    let folder = folder.path();
    let root = folder.join("root");
    let manifest = folder.join("services.toml");
    let template = "[target]\ntree = \"/sv\"\n[longrun.vpn]\nparameters = [\"p\"]\nenvironment.P = \"{{ p }}\"\n\
                    run = [\"vpn\"]\n[longrun.vpn.instances]\n";
    fs::write(&manifest, template).unwrap();
    let in_root = |line: &str| -> Vec<OsString> {
        let mut words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        words.extend(["--root".into(), root.clone().into_os_string()]);
        if line.starts_with("instance") {
            words.extend(["--tree".into(), "/sv".into()]);
        } else {
            words.extend(["-m".into(), manifest.clone().into_os_string()]);
        }
        words
    };
    let hold = |line: &str, more: &[&str]| {
        let words = in_root(line);
        let words: Vec<&OsStr> =
            words.iter().map(OsString::as_os_str).chain(more.iter().map(OsStr::new)).collect();
        hold(line, &words);
    };
    hold("build", &[]);
    assert!(root.join("sv/vpn/type").exists() || root.join("sv").exists());
    let set = format!("p={HOSTILE}");
    hold("instance add vpn a", &["--set", &set]);
    hold("instance add vpn a", &["--set", &set]);
    hold("instance list", &[]);
    hold("instance remove", &["vpn-a"]);
    hold("instance add vpn", &[HOSTILE]);
    hold("instance add", &[HOSTILE, HOSTILE]);
    hold("instance add", &["--name", HOSTILE, "--", HOSTILE]);
    hold("instance add", &["--name", "echo", "--", HOSTILE]);
    hold("instance list", &[]);
    hold("instance remove", &[HOSTILE]);
    let quoted = toml(HOSTILE);
    for added in [
        format!("[longrun.vpn.instances.{quoted}]\np = {quoted}\n"),
        format!("[longrun.{quoted}]\nstart = {quoted}\nrun = [{quoted}]\n"),
        format!("[longrun.{quoted}.instances.{quoted}]\n{quoted} = {quoted}\n"),
        format!("[longrun.x]\n{quoted} = 1\n"),
        HOSTILE.to_owned(),
    ] {
        fs::write(root.join("sv/.s6gen.added.toml"), added).unwrap();
        for line in ["instance list", "build", "build --check"] {
            hold(line, &[]);
        }
        hold("instance add vpn b", &["--set", "p=1"]);
        hold("instance remove", &["vpn-a"]);
    }
    fs::remove_file(root.join("sv/.s6gen.added.toml")).unwrap();
    // Files that somebody else put there, and services that go.
    for name in names() {
        write(root.join("sv/vpn-b").join(&name), "");
        write(root.join("sv").join(&name).join("type"), "longrun\n");
    }
    fs::write(&manifest, "[target]\ntree = \"/sv\"\n[longrun.web]\nrun = [\"web\"]\n").unwrap();
    hold("build --check", &[]);
    hold("build", &[]);
    for carried in
        [HOSTILE, "{\"version\":1,\"manifest\":{\"name\":\"\\u001b[2K\\n FORGED\",\"text\":\"x = \\u001b\"}}"]
    {
        let _ = fs::remove_file(root.join("sv/.s6gen.manifest.json"));
        fs::write(root.join("sv/.s6gen.manifest.json"), carried).unwrap();
        hold("instance list", &[]);
        hold("instance add vpn c", &[]);
    }
}
