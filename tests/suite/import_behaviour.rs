//! Runs hand-written definitions and what `s6gen import` makes of them, both under the real s6-supervise, and compares what they do.
//! Every difference is one that the report names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use s6gen::jobs::{TreeToImport, compile_text};
use s6gen::migrate::Migration;
use s6gen::render;
use s6gen::tree::TreeEntry;
use tempfile::TempDir;

use crate::case::scratch;
use crate::require::{find, needs};
use crate::supervise::{eventually, listens, write_program};

/// Files by path: the name of a service, and the path in its definition.
type Definitions = BTreeMap<String, String>;

/// The files of hand-written definitions. `/SCRATCH` stands for a scratch folder.
fn definitions(files: &[(&str, &str)]) -> Definitions {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

/// What the import of definitions writes, and the definitions that are built of it.
fn imported(old: &Definitions) -> (Migration, Definitions) {
    let root = scratch();
    for (path, content) in old {
        write_program(&root.path().join("src/s6-rc.d").join(path), content);
    }
    for name in old.keys().filter_map(|path| path.strip_suffix("/type")) {
        write_program(&root.path().join("src/user-bundles.d/user/contents.d").join(name), "");
    }
    write_program(&root.path().join("src/user-bundles.d/user/type"), "bundle\n");
    let tree = TreeToImport::new(root.path().join("src")).read();
    let problems: Vec<String> = tree.compilation.problems.iter().map(|one| one.message.clone()).collect();
    assert!(tree.is_accepted(), "{problems:?}");
    let migration = tree.migration();
    let (_, compilation) =
        compile_text(Path::new("services.toml"), &migration.draft.text(), &migration.files);
    let built = render::tree(&compilation.services).unwrap();
    let files = built.entries().filter_map(|(path, entry)| {
        let TreeEntry::File { content, .. } = entry else { return None };
        let path = path.strip_prefix("etc/s6-overlay/sv/")?;
        Some((path.to_owned(), String::from_utf8_lossy(content).into_owned()))
    });
    let new = files.filter(|(path, _)| path.contains('/') && !path.starts_with("default/")).collect();
    (migration, new)
}

/// Services under a supervisor of their own.
struct Supervised {
    folder: TempDir,
    scanner: Child,
}

impl Supervised {
    /// Supervises the longruns of definitions. A consumer becomes the service `log` of its producer, which gives it the same pipe.
    /// `programs` are found first. All services are down.
    fn start(definitions: &Definitions, programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let execlineb = find("execlineb").unwrap();
        let here = |text: &str| {
            text.replace("/SCRATCH", &path)
                .replace("/command/execlineb", execlineb.to_str().unwrap())
                .replace("/run/s6-linux-init-container-results/exitcode", &format!("{path}/exitcode"))
                .replace("/run/s6/basedir/bin/halt", &format!("{path}/bin/halt"))
                // Here are the s6-rc of other tests, and not only that of a boot.
                .replace("in /proc/[0-9]* ;", "in /proc/self ;")
        };
        for (name, text) in programs.iter().copied().chain([("halt", "#!/bin/sh\ntouch /SCRATCH/halted\n")]) {
            write_program(&folder.path().join("bin").join(name), &here(text));
        }
        fs::write(folder.path().join("exitcode"), "0\n").unwrap();
        let scan = folder.path().join("scan");
        for (file, content) in definitions {
            let (name, inner) = file.split_once('/').unwrap();
            let place = match definitions.get(&format!("{name}/consumer-for")) {
                Some(producer) => scan.join(producer.trim()).join("log"),
                None => scan.join(name),
            };
            write_program(&place.join(inner), &here(content));
            if !place.ends_with("log") {
                fs::write(place.join("down"), "").unwrap();
            }
        }
        let paths = format!("{path}/bin:{}:/usr/lib/execline/bin", std::env::var("PATH").unwrap());
        let scanner =
            Command::new("s6-svscan").arg(&scan).env("PATH", paths).stdout(Stdio::null()).spawn().unwrap();
        let supervised = Supervised { folder, scanner };
        eventually("s6-svscan is up", || listens(&scan));
        eventually("the service is supervised", || supervised.succeeds("s6-svok", &[], "web"));
        supervised
    }

    fn succeeds(&self, program: &str, options: &[&str], name: &str) -> bool {
        let mut command = Command::new(program);
        command.args(options).arg(self.folder.path().join("scan").join(name));
        command.stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap().success()
    }

    /// Gives a service a command of `s6-svc`.
    fn control(&self, option: &str, name: &str) {
        eventually("the supervisor listens", || self.succeeds("s6-svc", &[option], name));
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap_or_default()
    }

    /// The contents of the files in the log directory, in their order.
    fn logged(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path().join("log")).into_iter().flatten();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| name.starts_with('@') || name == "current").collect();
        // The names of old files are times, and sort before the current one.
        names.sort();
        names.into_iter().map(|name| self.text(&format!("log/{name}"))).collect()
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.path().join(path), text).unwrap();
    }

    fn has(&self, path: &str) -> bool {
        self.folder.path().join(path).exists()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _ = Command::new("s6-svscanctl").arg("-t").arg(self.folder.path().join("scan")).status();
        let _ = self.scanner.wait();
    }
}

/// Whether a line of the report says that a part became something else, with a difference.
fn is_emulated(migration: &Migration, service: &str, part: &str, remark: &str) -> bool {
    let section = migration.report.sections.iter().find(|section| section.heading == service).unwrap();
    let line = section.lines.iter().find(|line| line.part == part).unwrap();
    line.fate.word() == "emulated" && line.remark.contains(remark)
}

#[test]
fn the_key_log_keeps_the_files_of_a_hand_written_logger() {
    needs!("s6", "execline", "root");
    let old = definitions(&[
        ("web/type", "longrun\n"),
        ("web/run", "#!/bin/sh\nexec 2>&1\nexec speak\n"),
        ("web/producer-for", "web-logger\n"),
        ("web-logger/type", "longrun\n"),
        ("web-logger/run", "#!/bin/sh\nexec s6-log -b n9 s4096 /SCRATCH/log\n"),
        ("web-logger/consumer-for", "web\n"),
    ]);
    let speak = "#!/bin/sh\ni=0\nwhile test $i -lt 600 ; do i=$((i + 1)); echo \"line $i of many that fill the files\" ; done\n\
                 echo 'an error' >&2\ntrap 'echo bye; exit' TERM\necho last\nwhile : ; do sleep 0.1 ; done\n";
    let (migration, new) = imported(&old);
    assert!(migration.draft.text().contains("log = { to = \"/SCRATCH/log\""), "{}", migration.draft.text());
    assert!(!new.contains_key("web-logger/run") && new.contains_key("web-log/run"), "{:?}", new.keys());
    assert!(is_emulated(&migration, "web-logger", "run", "when its logger is ready"));
    let logs = [&old, &new].map(|definitions| {
        let supervised = Supervised::start(definitions, &[("speak", speak)]);
        supervised.control("-u", "web");
        eventually("everything is logged", || supervised.logged().concat().ends_with("last\n"));
        supervised.control("-d", "web");
        eventually("its last word is logged, too", || supervised.logged().concat().ends_with("bye\n"));
        supervised.logged()
    });
    assert_eq!(logs[0].concat(), logs[1].concat());
    assert!(logs[0].concat().starts_with("line 1 of") && logs[0].concat().contains("an error\n"));
    // Both begin a new file when one is full: how full it is, depends on how much comes at once.
    assert!(logs.iter().all(|files| (3..=7).contains(&files.len())), "{logs:?}");
}

#[test]
fn the_key_ready_asks_as_often_as_the_old_script() {
    needs!("s6", "execline");
    let old = definitions(&[
        ("web/type", "longrun\n"),
        ("web/run", "#!/bin/sh\nexec s6-notifyoncheck -d -n 3 -w 50 sleep 1000\n"),
        ("web/data/check", "#!/bin/sh\necho asked >>/SCRATCH/asked\ntest -e /SCRATCH/answers\n"),
        ("web/notification-fd", "4\n"),
    ]);
    let (migration, new) = imported(&old);
    assert!(migration.draft.text().contains("ready.tries = 3"), "{}", migration.draft.text());
    assert!(is_emulated(&migration, "web", "run", "which `-d` avoided"));
    for definitions in [&old, &new] {
        let supervised = Supervised::start(definitions, &[]);
        let is_ready = |limit| supervised.succeeds("s6-svwait", &["-U", "-t", limit], "web");
        supervised.control("-u", "web");
        eventually("it has asked three times", || supervised.text("asked").lines().count() == 3);
        // After these it gives up, and runs on without being ready.
        supervised.write("answers", "");
        assert!(!is_ready("300") && supervised.text("asked").lines().count() == 3);
        // At the next start the answer is there.
        supervised.control("-r", "web");
        assert!(is_ready("60000"));
        assert_eq!(supervised.text("asked").lines().count(), 4);
    }
}

/// A `finish` as many public images have it: it ignores signals, apart from TERM.
const FINISH: &str = "#!/bin/bash\n\
    readonly exit_code_service=\"${1}\"\nreadonly exit_code_signal=\"${2}\"\n\
    if [[ \"${exit_code_service}\" -eq 256 ]]; then\n  \
      echo $((128 + $exit_code_signal)) > /run/s6-linux-init-container-results/exitcode\n  \
      [[ \"${exit_code_signal}\" -eq 15 ]] && exec /run/s6/basedir/bin/halt\n\
    elif [[ \"${exit_code_service}\" -ne 0 ]]; then\n  \
      echo \"${exit_code_service}\" > /run/s6-linux-init-container-results/exitcode\n  \
      exec /run/s6/basedir/bin/halt\n\
    fi\n";

/// The first start dies as `/SCRATCH/how` says.
const DIES: &str = "#!/bin/sh\nif test -e /SCRATCH/died ; then touch /SCRATCH/again; exec sleep 1000; fi\ntouch /SCRATCH/died\n\
    how=$(cat /SCRATCH/how)\ncase $how in [0-9]*) exit $how ;; *) kill -$how $$; sleep 10 ;; esac\n";

#[test]
fn the_key_on_exit_stops_the_container_as_the_old_finish_did() {
    needs!("s6", "execline");
    let old = definitions(&[
        ("web/type", "longrun\n"),
        ("web/run", "#!/bin/sh\nexec dies\n"),
        ("web/finish", FINISH),
    ]);
    let (migration, new) = imported(&old);
    let text = migration.draft.text();
    assert!(text.contains("on-exit = { except = [0], then = \"stop-container\" }"), "{text}");
    let outcome = |definitions: &Definitions, how: &str| {
        let supervised = Supervised::start(definitions, &[("dies", DIES)]);
        supervised.write("how", how);
        supervised.control("-u", "web");
        eventually("its death has its consequence", || supervised.has("halted") || supervised.has("again"));
        supervised.has("halted").then(|| supervised.text("exitcode").trim().to_owned())
    };
    for (how, expected) in [("0", None), ("3", Some("3")), ("TERM", Some("143"))] {
        let (before, after) = (outcome(&old, how), outcome(&new, how));
        assert_eq!((before.as_deref(), after.as_deref()), (expected, expected), "{how}");
    }
    // The one difference, which the report names.
    assert_eq!((outcome(&old, "KILL"), outcome(&new, "KILL").as_deref()), (None, Some("137")));
    assert!(is_emulated(&migration, "web", "finish", "by any signal stops the container"));
    assert!(is_emulated(
        &migration,
        "web",
        "finish",
        "an ordered stop of the service never stops the container"
    ));
    let after_an_order = [&old, &new].map(|definitions| {
        let supervised =
            Supervised::start(definitions, &[("dies", "#!/bin/sh\ntouch /SCRATCH/up\nexec sleep 1000\n")]);
        supervised.control("-u", "web");
        eventually("it is up", || supervised.has("up"));
        supervised.control("-d", "web");
        assert!(supervised.succeeds("s6-svwait", &["-D", "-t", "60000"], "web"));
        supervised.has("halted")
    });
    assert_eq!(after_an_order, [true, false]);
}
