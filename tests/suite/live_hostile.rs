//! Gives hostile names and values to the commands on a running system: nothing of them is printed unescaped, no file outside of
//! the system changes, and the system still runs what it ran.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::process::Output;

use crate::install::look;
use crate::live_apply::System;
use crate::live_store::{HOSTILE, assert_is_clean, impossible_names};

const MANIFEST: &str = r#"
[longrun.web]
run = ["sleep", "infinity"]

[longrun.vpn]
parameters = ["to"]
instances = []
environment.TO = "{{ to }}"
run = ["sleep", "infinity"]
"#;

impl System {
    /// Calls s6gen on the running system, with `last` after the options.
    fn hold_hostile(&self, command: &str, last: &[OsString]) -> Output {
        let (live, tree) = (self.path("run/s6-rc"), self.path("source"));
        let mut words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        if command.starts_with("apply") || command.contains("--apply") {
            words.push("--apart".into());
        }
        if !command.starts_with("instance") || command.contains("--apply") {
            words.extend(["--live".into(), live.into_os_string()]);
        }
        if !command.starts_with("status") {
            words.extend(["--tree".into(), tree.into_os_string()]);
        }
        words.extend(last.iter().cloned());
        let output = self.command("s6gen").args(&words).output().unwrap();
        assert!(matches!(output.status.code(), Some(0..=3)), "{words:?}: {output:?}");
        assert_is_clean(&output);
        output
    }
}

#[test]
fn hostile_names_change_nothing_on_a_running_system() {
    const NAME: &str = "hostile_names_change_nothing_on_a_running_system";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    system.hold_hostile("instance add --apply", &["vpn", "a", "--set", "to=1"].map(OsString::from));
    let (files, up, pid) = (look(&system.path("source")), system.active(), system.pid("web"));
    assert!(up.contains("vpn-a"), "{up:?}");
    let mut names = impossible_names();
    names.extend([".", "..", "-", "-x", "--", "--help", "-D"].map(OsString::from));
    for name in names {
        let end = || vec![OsString::from("--"), name.clone()];
        let calls = [
            ("status", end()),
            ("instance remove --apply", end()),
            ("instance add --apply --set to=1", vec!["--".into(), name.clone(), "b".into()]),
            ("instance add --apply --set to=1", vec!["--".into(), "vpn".into(), name.clone()]),
        ];
        for (command, last) in calls {
            let output = system.hold_hostile(command, &last);
            let is_remove = command.starts_with("instance remove");
            assert!(is_remove || output.status.code() != Some(0), "{command} {last:?}: {output:?}");
        }
    }
    assert_eq!(look(&system.path("source")), files);
    assert_eq!((system.active(), system.pid("web")), (up, pid));
}

#[test]
fn hostile_values_are_applied_as_data_and_listed_escaped() {
    const NAME: &str = "hostile_values_are_applied_as_data_and_listed_escaped";
    let Some(system) = System::boot(NAME, MANIFEST) else { return };
    fs::write(system.path("victim"), "as before").unwrap();
    let outside = || -> Vec<_> {
        let entries = fs::read_dir(system.path("")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<OsString> = entries.collect();
        names.sort();
        names
    };
    let before = outside();
    let pid = system.pid("web");
    // Each value gets an instance of its own, so that one update puts all of them into effect.
    let (mut added, mut expected) = (0, BTreeSet::from(["web".to_owned()]));
    for (number, value) in HOSTILE.iter().enumerate() {
        let last = ["vpn".to_owned(), format!("i{number}"), "--set".to_owned(), format!("to={value}")];
        if system.hold_hostile("instance add", &last.map(OsString::from)).status.success() {
            added += 1;
            expected.insert(format!("vpn-i{number}"));
        }
    }
    assert!(added > HOSTILE.len() / 2, "{added}");
    for command in ["instance list", "apply --dry-run", "apply", "apply", "status", "instance list", "diff"] {
        let output = system.hold_hostile(command, &[]);
        let is_right = output.status.success();
        assert!(is_right, "{command}: {output:?}");
    }
    assert_eq!(system.active(), expected);
    assert_eq!(system.pid("web"), pid);
    for number in [0, HOSTILE.len() - 1] {
        system.hold_hostile("instance remove --apply", &[format!("vpn-i{number}").into()]);
        expected.remove(&format!("vpn-i{number}"));
    }
    assert_eq!(system.active(), expected);
    assert_eq!((outside(), system.text("victim")), (before, "as before".to_owned()));
}
