//! Checks that the values of variables are not printed: many people can read the logs with reports and comparisons.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::require::needs;

/// Every value that may be a secret has this in it.
const SECRET: &str = "s3cret";

fn run(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s6gen")).args(line.split(' ')).current_dir(folder).output().unwrap()
}

fn printed(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

const MANIFEST: &str = r#"
[target]
tree = "/sv"
[longrun.web]
run = ["web"]
environment = { DB_PASSWORD = "s3cret one", LINES = "s3cret\ntwo", MODE = "s3cret-three" }
files."env/TOKEN" = "s3cret four"
[oneshot.setup]
up = ["setup"]
environment.DB_PASSWORD = "s3cret five"
[longrun.vpn]
parameters = ["key", "port"]
run = ["vpn", "{{ port }}"]
environment.KEY = "key={{ key }}"
[longrun.vpn.instances.home]
key = "s3cret six"
port = "1194"
"#;

#[test]
fn a_comparison_says_that_a_value_changed_and_not_the_value() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.toml"), MANIFEST).unwrap();
    fs::write(folder.path().join("new.toml"), MANIFEST.replace("s3cret", "another s3cret")).unwrap();
    let json = printed(&run(folder.path(), "diff --json old.toml new.toml"));
    assert!(!json.contains(SECRET), "{json}");
    let text = printed(&run(folder.path(), "diff old.toml new.toml"));
    insta::assert_snapshot!(text, @r#"
    restarted  setup        only with `setup restart` in the conversion file
                 up         - with-contenv export DB_PASSWORD … setup
                            + with-contenv export DB_PASSWORD … setup
    restarted  vpn-home     only with `vpn-home restart` in the conversion file
                 run        - export KEY …
                            + export KEY …
    restarted  web          only with `web restart` in the conversion file
                 run        - export DB_PASSWORD …
                            - export LINES …
                            + export DB_PASSWORD …
                            + export LINES …
                            …
                            - export MODE …
                            + export MODE …
                 env/TOKEN  another value

    This is for an update of a running system in which everything that starts at boot is up.
    "#);
}

#[test]
fn a_comparison_hides_the_text_around_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[longrun.web]\nsecrets = ['TOKEN']\nrun = ['web']\nenvironment.URL = 's3cret \"{ ${TOKEN} } s3cret'\n\
        [oneshot.setup]\nsecrets = ['TOKEN']\nup = ['setup']\nenvironment.URL = 's3cret ${TOKEN} s3cret'\n";
    fs::write(folder.path().join("old.toml"), manifest).unwrap();
    fs::write(folder.path().join("new.toml"), manifest.replace("s3cret", "another s3cret")).unwrap();
    for line in ["diff old.toml new.toml", "diff --json old.toml new.toml"] {
        let text = printed(&run(folder.path(), line));
        assert!(text.contains("backtick -N URL"), "{text}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn a_list_of_instances_leaves_out_what_becomes_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), MANIFEST).unwrap();
    assert!(run(folder.path(), "build --root .").status.success());
    let added =
        run(folder.path(), "instance add --root . --tree /sv vpn work --set key=s3cret --set port=1195");
    assert!(added.status.success(), "{}", printed(&added));
    let text = printed(&run(folder.path(), "instance list --root . --tree /sv"));
    assert_eq!(text, "vpn-home  manifest  vpn key=… port=1194\nvpn-work  added     vpn key=… port=1195\n");
    let json = printed(&run(folder.path(), "instance list --json --root . --tree /sv"));
    assert!(json.contains(r#""parameters":{"key":null,"port":"1194"}"#) && !json.contains(SECRET), "{json}");
}

#[test]
fn an_excerpt_shows_only_the_value_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[longrun.web]\nrun = [\"web\"]\n\
        environment = { A = \"s3cret one\", B = 3, C = \"$HOME\", D = '''s3cret\ntwo''', 'E=' = \"s3cret three\" }\n\
        [longrun.vpn]\nparameters = [\"key\"]\nrun = [\"vpn\"]\nenvironment.KEY = \"{{ key }}\"\n\
        instances.home = { key = \"s3cret\", keyy = \"1\" }\n";
    fs::write(folder.path().join("services.toml"), manifest).unwrap();
    let output = run(folder.path(), "check");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(printed(&output), @r#"
    manifest::wrong-type

      × `environment.B` must be a string, not a number
       ╭─[services.toml:3:39]
     3 │ environment = { A = …, B = 3, C = …, D = …
       ·                            ┬
       ·                            ╰── this is a number
       ╰────
      help: write `B = "3"`

    lint::literal-variable

      ⚠ `$HOME` is not expanded here
      ╰─▶ values of `environment` are used exactly as written
       ╭─[services.toml:3:46]
     3 │ environment = { A = …, B = 3, C = "$HOME", D = …
       ·                                   ───┬───
       ·                                      ╰── `C` gets exactly these characters
       ╰────
      help: write the value itself; or, if the container sets it, declare that, `variables.HOME = {}`, and write `${HOME}`

    manifest::invalid-value

      × `E=` cannot name a variable
       ╭─[services.toml:4:9]
     4 │ …, 'E=' = … }
       ·    ──┬─
       ·      ╰── this name is empty or contains a `=`
       ╰────
      help: write the name alone: `environment.NAME = "value"`

    manifest::unknown-parameter

      × `vpn` has no parameter `keyy`
       ╭─[services.toml:9:36]
     9 │ instances.home = { key = …, keyy = "1" }
       ·                             ──┬─
       ·                               ╰── the template does not declare it
       ╰────
      help: did you mean `key`?

    3 errors, 1 warning; `s6gen explain CODE` says more about each
    "#);
    assert!(!printed(&output).contains(SECRET));
    let build = printed(&run(folder.path(), "build --root ."));
    assert!(!build.contains(SECRET), "{build}");
}

/// Why definitions can be read by all, as `docs/security.md` says: a container that does not run as root compiles what
/// root has put into its image.
#[test]
fn with_tighter_modes_a_container_without_root_does_not_boot() {
    needs!("root", "s6-rc");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = crate::case::scratch();
    fs::write(
        folder.path().join("services.toml"),
        MANIFEST.replace("[target]", "[target]\ns6-rc = \"0.6.0.0\""),
    )
    .unwrap();
    let built = run(folder.path(), "build --root root");
    assert!(built.status.success(), "{}", printed(&built));
    let place = folder.path().join("db");
    fs::create_dir(&place).unwrap();
    mode(&place, 0o777);
    let sources = folder.path().join("root/sv");
    let compiles = |number: &str| {
        let mut compiler = Command::new("s6-rc-compile");
        compiler.args([&place.join(number), &sources]).uid(65534).gid(65534);
        compiler.output().unwrap().status.success()
    };
    assert!(compiles("as it is"));
    for (file, tight, usual) in [("web/run", 0o700, 0o755), ("setup/up", 0o600, 0o644)] {
        let file = sources.join(file);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, usual, "{}", file.display());
        mode(&file, tight);
        assert!(!compiles("tighter"), "{}", file.display());
        mode(&file, usual);
    }
}
