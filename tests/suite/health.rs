//! Runs the script of `[target] health` against services under the real s6-supervise.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::tree::TreeEntry;
use s6gen::{compile, render};

use crate::exactness::Random;
use crate::oracle::number_from;
use crate::require::needs;
use crate::supervise::{LIMIT, Supervision, write_program};

const SERVICES: &str = "[oneshot.step]\nup = [\"true\"]\n\
    [longrun.web]\nrun = 'sleep 0.2; echo >&3; exec 3>&-; exec sleep 1000'\nready.fd = 3\n\
    [longrun.plain]\nrun = [\"sleep\", \"1000\"]\n\
    [longrun.spare]\nrun = [\"sleep\", \"1000\"]\nstart = \"on-demand\"\n";

/// The services under supervision, and the script for them. `oneshots` is what `s6-rc -a list` prints, or `None` while s6-rc is at
/// work.
struct Checked {
    supervision: Supervision,
    script: PathBuf,
}

impl Checked {
    fn start(key: &str, oneshots: Option<&str>) -> Checked {
        let supervision = Supervision::start(SERVICES);
        let mut files = Files::default();
        let bin = supervision.path("programs");
        let target = format!("[target]\n{key}\ncommand-dir = \"{}\"\n", bin.display());
        let file = files.add("services.toml", target + SERVICES);
        let compilation = compile(&files, file);
        let tree = render::tree(&compilation.services).unwrap();
        let Some(TreeEntry::File { content, executable: true }) =
            tree.get(render::HEALTH.trim_start_matches('/'))
        else {
            panic!("no script")
        };
        let text = String::from_utf8(content.to_vec()).unwrap();
        let scan = supervision.path("scan").display().to_string();
        let script = supervision.path("health");
        write_program(&script, &text.replace("/run/service", &scan));
        let checked = Checked { supervision, script };
        checked.list(oneshots);
        checked
    }

    fn list(&self, oneshots: Option<&str>) {
        let answer = oneshots.map_or("exit 1".to_owned(), |list| format!("echo \"{list}\""));
        write_program(&self.supervision.path("programs/s6-rc"), &format!("#!/bin/sh\n{answer}\n"));
    }

    /// What the script prints, and whether it succeeds.
    fn ask(&self, names: &[&str]) -> (String, bool) {
        let output = Command::new(&self.script).args(names).output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        (String::from_utf8(output.stdout).unwrap(), output.status.success())
    }
}

#[test]
fn the_health_script_names_what_is_not_up_not_ready_or_not_done() {
    needs!("s6", "execline");
    let checked = Checked::start("health = true", Some("s6rc-oneshot-runner\nstep"));
    let s = &checked.supervision;
    assert_eq!(checked.ask(&[]), ("plain is not up\nweb is not up\n".into(), false));
    s.control("-u", "plain");
    s.control("-u", "web");
    assert!(s.wait("-u", "plain", LIMIT) && s.wait("-U", "web", LIMIT));
    assert_eq!(checked.ask(&[]), (String::new(), true));
    assert_eq!(checked.ask(&["spare", "plain"]), ("spare is not up\n".into(), false));
    assert_eq!(
        checked.ask(&["no-such"]),
        ("no-such is no longrun or oneshot of this container\n".into(), false)
    );
    checked.list(Some("s6rc-oneshot-runner"));
    assert_eq!(checked.ask(&[]), ("step is not done\n".into(), false));
    checked.list(None);
    assert_eq!(checked.ask(&[]), (String::new(), true), "while s6-rc changes something");
    assert!(!checked.ask(&["step"]).1, "nobody knows");
    s.control("-d", "plain");
    assert!(s.wait("-D", "plain", LIMIT));
    assert_eq!(checked.ask(&["web"]), (String::new(), true));
    assert_eq!(checked.ask(&[]), ("plain is not up\n".into(), false));
}

/// `S6GEN_VECTORS` is the number of samples.
#[test]
fn the_health_script_agrees_with_s6_svstat() {
    needs!("s6", "execline");
    let checked = Checked::start("health = true", Some("step"));
    let s = &checked.supervision;
    let mut random = Random(7);
    let mut compared = 0;
    for _ in 0..number_from("S6GEN_VECTORS", 30) {
        let name = ["web", "plain"][random.below(2)];
        s.control(["-u", "-d", "-r", "-k"][random.below(4)], name);
        let state = || (s.status("web", "up,ready"), s.status("plain", "up"));
        let before = state();
        let (said, healthy) = checked.ask(&[]);
        if state() != before {
            continue;
        }
        compared += 1;
        assert_eq!(healthy, before == ("true true".into(), "true".into()), "{before:?}: {said}");
    }
    assert!(compared > 5, "only {compared} samples were at rest");
}

#[test]
fn the_health_script_starts_few_programs() {
    let mut manifest = "[target]\nhealth = true\n".to_owned();
    for number in 0..12 {
        manifest +=
            &format!("[longrun.s{number}]\nrun = [\"x\"]\nlog.to = \"/var/log/s{number}\"\nready.fd = 3\n");
    }
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let tree = render::tree(&compile(&files, file).services).unwrap();
    let Some(TreeEntry::File { content, .. }) = tree.get(render::HEALTH.trim_start_matches('/')) else {
        panic!()
    };
    // A stand-in for each program counts its starts.
    let folder = tempfile::tempdir().unwrap();
    let count = folder.path().join("count");
    for program in ["s6-rc", "s6-svstat"] {
        let text = format!("#!/bin/sh\necho >> {}\necho true true\n", count.display());
        write_program(&folder.path().join(program), &text);
    }
    let text = String::from_utf8(content.to_vec()).unwrap();
    let text = text.replace("PATH=/command:", &format!("PATH={}:", folder.path().display()));
    let output = Command::new("sh").arg("-c").arg(text).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(count).unwrap().lines().count(), 13);
}
