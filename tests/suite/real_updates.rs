//! Updates a running system with the real s6-rc-update: exactly the services restart that `compare` predicts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use s6gen::compare::{restarts, running, transitions};
use s6gen::model::{Name, Snapshot};
use s6gen::{disk, snapshot_of};
use tempfile::TempDir;

use crate::require::needs;
use crate::supervise::{eventually, listens};

/// A definition: its name, and its files.
type Definition<'a> = (&'a str, &'a [(&'a str, &'a str)]);

const WAIT: &str = "#!/bin/sh\nexec sleep 1000\n";

/// A service that writes into the file `signals` which signal it got and which version of `finish` ran.
const SPEAK: &str = "#!/bin/sh
trap 'echo USR1 >> SCRATCH/signals; exit 0' USR1
trap 'echo TERM >> SCRATCH/signals; exit 0' TERM
while :; do sleep 0.1; done
";

struct System {
    folder: TempDir,
    scanner: Option<Child>,
}

impl System {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes and compiles a system of longruns.
    fn compile(&self, name: &str, definitions: &[Definition<'_>]) -> Snapshot {
        let source = self.path(name);
        for (service, files) in definitions {
            let place = source.join(service);
            fs::create_dir_all(place.join("dependencies.d")).unwrap();
            fs::write(place.join("type"), "longrun\n").unwrap();
            for (path, content) in *files {
                let content = content.replace("SCRATCH", self.folder.path().to_str().unwrap());
                fs::write(place.join(path), content).unwrap();
            }
        }
        self.run("s6-rc-compile", &[&self.path(&format!("{name}-database")), &source]);
        snapshot_of(|| vec![disk::source(&source)])
    }

    fn run(&self, program: &str, arguments: &[&dyn AsRef<std::ffi::OsStr>]) {
        let output = Command::new(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the supervision, and everything of the system `name`.
    fn start(&mut self, name: &str, snapshot: &Snapshot) {
        let scan = self.path("scan");
        fs::create_dir(&scan).unwrap();
        let scanner =
            Command::new("s6-svscan").arg(&scan).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.scanner = Some(scanner.unwrap());
        eventually("s6-svscan is up", || listens(&scan));
        let database = self.path(&format!("{name}-database"));
        self.run("s6-rc-init", &[&"-c", &database, &"-l", &self.path("live"), &scan]);
        let names: Vec<String> = snapshot.services.keys().map(Name::to_string).collect();
        let mut program = Command::new("s6-rc");
        program.arg("-l").arg(self.path("live")).args(["-u", "change"]).args(names);
        assert!(program.status().unwrap().success());
    }

    /// The process of each service.
    fn processes(&self, snapshot: &Snapshot) -> BTreeMap<Name, String> {
        let process = |name: &Name| {
            let service = self.path("live/servicedirs").join(name.to_string());
            let output = Command::new("s6-svstat").args(["-o", "pid"]).arg(service).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        snapshot.services.keys().map(|name| (name.clone(), process(name))).collect()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if let Some(scanner) = &mut self.scanner {
            let live = self.folder.path().join("live");
            let _ = Command::new("s6-rc").arg("-l").arg(live).args(["-Dat", "5000", "change"]).status();
            let _ = Command::new("s6-svscanctl").arg("-t").arg(self.folder.path().join("scan")).status();
            let _ = scanner.wait();
        }
    }
}

fn names(names: &[&str]) -> BTreeSet<Name> {
    names.iter().map(|name| Name::from(*name)).collect()
}

#[test]
fn an_update_restarts_exactly_what_was_predicted() {
    needs!("s6", "s6-rc");
    let mut system = System { folder: tempfile::tempdir().unwrap(), scanner: None };
    let changed = format!("{WAIT}# changed\n");
    let source = "#!/bin/sh\nwhile :; do echo line; sleep 0.1; done\n";
    let sink = "#!/bin/sh\nexec cat > SCRATCH/received\n";
    let old = system.compile(
        "old",
        &[
            ("quiet", &[("run", SPEAK), ("finish", "#!/bin/sh\necho old >> SCRATCH/signals\n")]),
            ("loud", &[("run", WAIT)]),
            ("above", &[("run", WAIT), ("dependencies.d/loud", "")]),
            ("beside", &[("run", WAIT)]),
            ("source", &[("run", source)]),
            ("sink", &[("run", sink)]),
            ("feeds", &[("run", WAIT), ("producer-for", "reads\n")]),
            ("reads", &[("run", WAIT), ("consumer-for", "feeds\n")]),
        ],
    );
    let new = system.compile(
        "new",
        &[
            (
                "quiet",
                &[
                    ("run", SPEAK),
                    ("finish", "#!/bin/sh\necho new >> SCRATCH/signals\n"),
                    ("down-signal", "USR1\n"),
                    ("timeout-kill", "60000\n"),
                    ("timeout-finish", "10000\n"),
                    ("max-death-tally", "5\n"),
                    ("timeout-up", "10000\n"),
                    ("flag-recommended", ""),
                ],
            ),
            ("loud", &[("run", &changed)]),
            ("above", &[("run", WAIT), ("dependencies.d/loud", "")]),
            ("beside", &[("run", WAIT), ("dependencies.d/quiet", "")]),
            ("source", &[("run", source), ("producer-for", "sink\n")]),
            ("sink", &[("run", sink), ("consumer-for", "source\n")]),
            ("feeds", &[("run", WAIT), ("producer-for", "reads\n")]),
            ("reads", &[("run", WAIT), ("consumer-for", "feeds\n")]),
        ],
    );
    system.start("old", &old);
    let up = running(&old, old.services.keys());
    let restart = restarts(&old, &new, &up);
    assert_eq!(restart, names(&["loud", "source", "sink", "s6rc-fdholder"]));
    let foretold = transitions(&old, &new, &up, &restart).unwrap();
    let before = system.processes(&old);
    let conversions: String = restart.iter().map(|name| format!("{name} restart\n")).collect();
    fs::write(system.path("conversions"), conversions).unwrap();
    system.run(
        "s6-rc-update",
        &[
            &"-t20000",
            &"-f",
            &system.path("conversions"),
            &"-l",
            &system.path("live"),
            &system.path("new-database"),
        ],
    );
    let after = system.processes(&new);
    let restarted: BTreeSet<Name> = before
        .iter()
        .filter(|(name, process)| after[*name] != **process)
        .map(|(name, _)| name.clone())
        .collect();
    let mut expected: BTreeSet<Name> = foretold.stops.keys().cloned().collect();
    expected.remove(&Name::from("s6rc-fdholder"));
    assert_eq!(restarted, expected);
    assert_eq!(restarted, names(&["loud", "above", "source", "sink", "feeds", "reads"]));
    eventually("the new pipe is read", || system.text("received").contains("line"));
    // The process is the old one, and is stopped as the new settings say.
    system.run("s6-rc", &[&"-l", &system.path("live"), &"-d", &"change", &"quiet"]);
    eventually("finish has run", || system.text("signals").lines().count() == 2);
    assert_eq!(system.text("signals"), "USR1\nnew\n");
}
