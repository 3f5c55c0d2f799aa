//! Measures `apply` and `instance add` against a running system.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{on_path, timed};

/// A running system with s6-rc, which the measurements change.
pub struct System {
    folder: TempDir,
    scanner: Child,
    s6gen: PathBuf,
}

impl System {
    /// Boots a system in `folder` with `count` running longruns, and a oneshot for every fifth of them. `None` if the
    /// programs of s6 are missing.
    pub fn boot(s6gen: &Path, count: usize, folder: TempDir) -> Option<System> {
        let execlineb = on_path("execlineb")?;
        for program in ["s6-svscan", "s6-rc", "s6-rc-compile", "s6-rc-init", "s6-rc-update", "s6-rc-db"] {
            on_path(program)?;
        }
        let path = folder.path().to_str().unwrap();
        let commands = execlineb.parent().unwrap().display();
        let mut text = format!(
            "[target]\ns6-rc = \"0.7.0.0\"\ntree = \"{path}/source\"\ncommand-dir = \"{commands}\"\n"
        );
        text += "[longrun.tunnel]\nstart = \"on-demand\"\nparameters = [\"port\"]\ninstances = []\n";
        text += "run = [\"sleep\", \"{{ port }}\"]\n";
        for number in 0..count {
            writeln!(text, "[longrun.service-{number}]\nrun = [\"sleep\", \"infinity\"]").unwrap();
            if number % 5 == 0 {
                writeln!(text, "[oneshot.prepare-{number}]\nup = [\"true\"]").unwrap();
            }
        }
        fs::write(folder.path().join("services.toml"), text).unwrap();
        for name in ["scan", "run"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let scan = folder.path().join("scan");
        let scanner =
            Command::new("s6-svscan").arg(&scan).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let system = System { folder, scanner, s6gen: s6gen.to_owned() };
        let begun = Instant::now();
        let listens =
            || Command::new("s6-svscanctl").arg("-a").arg(&scan).output().is_ok_and(|o| o.status.success());
        while !listens() {
            assert!(begun.elapsed() < Duration::from_secs(20), "s6-svscan does not start");
            sleep(Duration::from_millis(10));
        }
        let manifest = system.path("services.toml");
        timed(Command::new(s6gen).args(["build", "-m"]).arg(manifest));
        timed(Command::new("s6-rc-compile").arg(system.path("first")).arg(system.path("source")));
        timed(
            Command::new("s6-rc-init")
                .arg("-c")
                .arg(system.path("first"))
                .arg("-l")
                .arg(system.live())
                .arg(&scan),
        );
        timed(Command::new("s6-rc").arg("-l").arg(system.live()).args(["-u", "change", "default"]));
        // The plain programs compile this copy, which has the instance.
        system.add(true);
        timed(Command::new("cp").arg("-a").arg(system.path("source")).arg(system.path("with")));
        system.remove();
        Some(system)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn live(&self) -> PathBuf {
        self.path("run/s6-rc")
    }

    fn add(&self, at_once: bool) -> Duration {
        let mut add = Command::new(&self.s6gen);
        add.args(["instance", "add", "tunnel", "x", "--set", "port=1000", "--tree"]).arg(self.path("source"));
        if at_once {
            return timed(add.arg("--apply").arg("--live").arg(self.live()));
        }
        let mut apply = Command::new(&self.s6gen);
        timed(&mut add)
            + timed(apply.arg("apply").arg("--live").arg(self.live()).arg("--tree").arg(self.path("source")))
    }

    fn remove(&self) {
        timed(
            Command::new(&self.s6gen)
                .args(["instance", "remove", "tunnel-x", "--apply", "--live"])
                .arg(self.live())
                .arg("--tree")
                .arg(self.path("source")),
        );
    }

    /// The time of `instance add` and `apply`, as one call (`at_once`) or as two.
    pub fn ours(&self, at_once: bool) -> Duration {
        let time = self.add(at_once);
        self.remove();
        time
    }

    /// The time of `s6-rc-compile` and `s6-rc-update` with the same sources.
    pub fn theirs(&self) -> Duration {
        let change = |source: &str, database: &str| {
            let database = self.path(database);
            let _ = fs::remove_dir_all(&database);
            timed(Command::new("s6-rc-compile").arg(&database).arg(self.path(source)))
                + timed(Command::new("s6-rc-update").arg("-l").arg(self.live()).arg(&database))
        };
        let time = change("with", "plain-with");
        change("source", "plain-without");
        // Go back to a database that s6gen made, because that is what it finds, except for its first update after a boot.
        self.ours(true);
        time
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = Command::new("s6-svscanctl").arg("-t").arg(self.path("scan")).status();
        let _ = self.scanner.wait();
    }
}
