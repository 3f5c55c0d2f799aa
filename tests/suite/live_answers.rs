//! Tests how s6gen understands answers of the programs of s6-rc.

use std::collections::VecDeque;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use s6gen::live::{
    Call, DatabaseList, Direction, Failure, Limits, Live, Processes, ProgramAnswer, Programs, ServiceState,
};
use s6gen::manifest::{AdditionChange, Additions, Parameters};
use s6gen::model::Name;

/// Gives fixed answers in their order, whatever the calls are, and records the calls.
#[derive(Default)]
struct Told {
    answers: VecDeque<ProgramAnswer>,
    calls: Vec<Call>,
}

impl Programs for Told {
    fn run(&mut self, call: &Call) -> io::Result<ProgramAnswer> {
        self.calls.push(call.clone());
        self.answers.pop_front().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// A system without any known process.
struct NoProcesses;

impl Processes for NoProcesses {
    fn holder(&self, _path: &Path) -> Option<String> {
        None
    }

    fn below(&self, _pid: u32, _name: &str) -> Option<u32> {
        None
    }
}

fn says(code: i32, out: &[u8], err: &str) -> ProgramAnswer {
    ProgramAnswer { code, out: out.to_vec(), err: err.into() }
}

/// The result of `ask` if the programs give these answers, the calls, and the messages for the user.
fn with<T>(answers: &[ProgramAnswer], ask: impl FnOnce(&mut Live<'_>) -> T) -> (T, Vec<Call>, Vec<String>) {
    let mut programs = Told { answers: answers.iter().cloned().collect(), calls: Vec::new() };
    let mut sentences = Vec::new();
    let result = {
        let mut messages = |sentence: &str| sentences.push(sentence.to_owned());
        let limits = Limits { wait: Duration::ZERO, change: None };
        ask(&mut Live::new(Path::new("/live"), &mut programs, limits, &mut messages, &NoProcesses))
    };
    (result, programs.calls, sentences)
}

fn names(names: &[&[u8]]) -> Vec<Name> {
    names.iter().map(Name::new).collect()
}

#[test]
fn the_status_line_of_a_supervisor_is_read() {
    // The line; whether the longrun has readiness notification; its state; its process; how it ended.
    let cases = [
        ("true true true 42 7 -1 NA", true, ServiceState::Up, Some(42), None),
        ("true false true 42 7 -1 NA", true, ServiceState::Starting, Some(42), None),
        ("true false true 42 7 -1 NA", false, ServiceState::Up, Some(42), None),
        ("true true false 42 7 -1 NA", true, ServiceState::Stopping, Some(42), None),
        ("true false false 42 7 -1 NA", false, ServiceState::Stopping, Some(42), None),
        ("false false true -1 7 3 NA", true, ServiceState::Restarting, None, Some("3")),
        ("false false true NA 7 -1 SIGKILL", false, ServiceState::Restarting, None, Some("SIGKILL")),
        ("false false false -1 7 0 NA", true, ServiceState::Down, None, Some("0")),
        ("false false false -1 7 -1 SIGTERM", true, ServiceState::Down, None, Some("SIGTERM")),
        // This longrun was never up.
        ("false false false -1 7 -1 NA", true, ServiceState::Down, None, None),
    ];
    for (line, notifies, state, pid, ended) in cases {
        let answer = says(0, format!("{line}\n").as_bytes(), "");
        let status = with(&[answer], |live| live.longrun(&Name::from("web"), notifies)).0.unwrap();
        assert_eq!((status.state, status.pid, status.ended.as_deref()), (state, pid, ended), "{line}");
        assert_eq!(status.seconds, Some(7), "{line}");
    }
}

#[test]
fn a_line_of_another_shape_is_shown_and_not_guessed_at() {
    for line in [
        "",
        "up (pid 42) 7 seconds",
        "true true true 42 7 -1",
        "true true true 42 7 -1 NA more",
        "1 1 1 42 7 -1 NA",
    ] {
        let failure = with(&[says(0, line.as_bytes(), "")], |live| live.longrun(&Name::from("web"), true))
            .0
            .unwrap_err();
        assert!(matches!(failure, Failure::Unexpected(..)), "{line}");
        assert!(failure.diagnostic().message.contains(&format!("answered `{line}`")), "{line}");
    }
}

#[test]
fn names_are_passed_and_read_as_bytes() {
    let odd: [&[u8]; 4] = [b"caf\xc3\xa9", b"\xff\xfe", b"two words", b"-x"];
    let (active, ..) = with(&[says(0, &odd.join(&b'\n'), "")], |live| live.active());
    assert_eq!(active.unwrap(), names(&odd).into_iter().collect());
    let (_, calls, _) = with(&[says(0, b"", "")], |live| live.change(Direction::Up, &names(&odd)));
    let words: Vec<&[u8]> = calls[0].arguments.iter().map(|word| word.as_bytes()).collect();
    assert_eq!(words[..7], [&b"-v"[..], b"2", b"-l", b"/live", b"-u", b"--", b"change"]);
    assert_eq!(words[7..], odd);
}

#[test]
fn a_rehearsal_names_the_services_that_stop_and_those_that_are_up_at_the_end() {
    let rehearse = |out: &str| {
        let (database, conversion) = (Path::new("/db"), Path::new("/conversion"));
        with(&[says(0, out.as_bytes(), "")], |live| live.rehearse(database, conversion))
    };
    let before = "s6-rc-dryrun: s6-rc -v 1 -t 0 -l /live";
    let (result, calls, _) =
        rehearse(&format!("{before} -d -- change web change\n{before} -u -- change web\n"));
    assert_eq!(result.unwrap(), (names(&[b"web", b"change"]), names(&[b"web"])));
    assert_eq!(calls[0].to_string(), "s6-rc-update -n -e -v 2 -l /live -f /conversion -- /db");
    let (result, ..) = rehearse(&format!("{before} -d -- change\n{before} -u -- change\n"));
    assert_eq!(result.unwrap(), (vec![], vec![]));
    for out in
        ["", "nothing\n", &format!("{before} -d -- change web\n"), &format!("{before} -d\n{before} -u\n")]
    {
        assert!(matches!(rehearse(out).0, Err(Failure::Unexpected(..))), "{out}");
    }
}

#[test]
fn options_that_an_older_s6_rc_does_not_know_are_left_out() {
    let usage = says(100, b"", "s6-rc: usage: …");
    let (active, calls, _) = with(&[usage.clone(), says(0, b"web\n", "")], |live| live.active());
    assert_eq!(active.unwrap(), [Name::from("web")].into());
    assert_eq!(calls[1].to_string(), "s6-rc -l /live -a list");
    let did = "s6-rc-update: info: x\ns6-rc: info: service web: stopping\ns6-rc: info: service web: starting\nwhy\n";
    // A program that has the option and failed is not called again, because the new database may be live.
    let refuses = || says(100, b"", "s6-rc-update: fatal: s6-svscan not running\n");
    let ((_, done), calls, _) =
        with(&[refuses()], |live| live.update(Path::new("/db"), Path::new("/conversion")));
    assert!(matches!(done, Err(Failure::Failed(..))) && calls.len() == 1);
    let ((moves, done), calls, messages) = with(&[usage, says(0, b"", did), says(0, b"", "")], |live| {
        live.update(Path::new("/db"), Path::new("/conversion"))
    });
    assert!(done.is_ok());
    assert_eq!((moves.stopped, moves.started), ([Name::from("web")].into(), [Name::from("web")].into()));
    assert_eq!(messages, ["why"]);
    assert_eq!(calls[1].to_string(), "s6-rc-update -v 2 -l /live -f /conversion -- /db");
}

#[test]
fn a_missing_bundle_is_empty_and_every_other_failure_is_an_error() {
    let contents = |code| with(&[says(code, b"", "why\n")], |live| live.contents(Path::new("/db"), "top")).0;
    assert!(contents(3).unwrap().is_empty());
    let problem = contents(4).unwrap_err().diagnostic();
    assert_eq!(problem.message, "`s6-rc-db` ended with 4");
    assert!(problem.notes.iter().any(|note| note == "why"), "{:?}", problem.notes);
    let killed =
        with(&[says(128 + 15, b"", "")], |live| live.list(Path::new("/db"), DatabaseList::Bundles)).0;
    assert_eq!(killed.unwrap_err().diagnostic().message, "`s6-rc-db` was killed by signal 15");
    let missing = with(&[], |live| live.list(Path::new("/db"), DatabaseList::Bundles)).0;
    assert!(matches!(missing, Err(Failure::Missing(..))));
}

#[test]
fn s6gen_waits_only_for_a_lock_that_another_process_holds() {
    let busy = says(111, b"", "s6-rc: fatal: unable to take locks: Device or resource busy\n");
    let change =
        |answer: &ProgramAnswer| with(std::slice::from_ref(answer), |live| live.change(Direction::Up, &[])).0;
    assert!(matches!(change(&busy), Err(Failure::Busy(..))));
    assert!(matches!(change(&says(111, b"", "s6-rc: fatal: no memory\n")), Err(Failure::Failed(..))));
    let refused = says(111, b"", "s6-rc: fatal: unable to take locks: Permission denied\n");
    let problem = change(&refused).unwrap_err();
    assert!(matches!(problem, Failure::Failed(..)));
    assert!(problem.diagnostic().help.unwrap().contains("usually root"));
    let other = says(1, b"", "unable to take locks\n");
    assert!(matches!(change(&other), Err(Failure::Failed(..))));
}

#[test]
fn a_service_that_did_not_start_or_stop_is_named_with_the_reason_and_where_to_look() {
    let late = "s6-rc: info: service web: starting\ns6-svlisten: fatal: timed out\n\
                s6-rc: warning: unable to start service web: command exited 99\n";
    let answers = [says(1, b"", late), says(0, b"2000\n", "")];
    let (done, calls, _) = with(&answers, |live| live.change(Direction::Up, &names(&[b"web"])));
    let problem = done.unwrap_err().diagnostic();
    assert_eq!(problem.message, "`web` was not ready within 2 s");
    assert!(problem.help.unwrap().contains("look for the reason in the log"));
    assert!(problem.notes.iter().any(|note| note == "s6-svlisten: fatal: timed out"));
    assert_eq!(calls[1].to_string(), "s6-rc-db -c /live/compiled -u timeout web");
    let message = |direction, line: &str, timeout: &[u8]| {
        let answers = [says(1, b"", &format!("s6-rc: warning: unable to {line}\n")), says(0, timeout, "")];
        with(&answers, |live| live.change(direction, &[])).0.unwrap_err().diagnostic().message
    };
    let up = |line: &str, timeout: &[u8]| message(Direction::Up, line, timeout);
    let down = |line: &str, timeout: &[u8]| message(Direction::Down, line, timeout);
    assert_eq!(up("start service a: command exited 99", b"0\n"), "`a` was not ready in time");
    assert_eq!(up("start service a: command exited 1", b""), "`a` did not start: exit code 1");
    assert_eq!(up("start service a: command crashed with signal 9", b""), "`a` did not start: signal 9");
    assert_eq!(down("stop service a: command exited 99", b"500\n"), "`a` did not stop within 500 ms");
}

#[test]
fn a_service_that_ends_at_once_is_not_reported_as_started() {
    let started = "s6-rc: info: service web: starting\ns6-rc: info: service web successfully started\n";
    let start = |status: &[u8], more: &[ProgramAnswer]| {
        let answers = [says(0, b"", started), says(0, b"web\n", ""), says(0, status, "")];
        with(&[&answers[..], more].concat(), |live| live.change(Direction::Up, &names(&[b"web"])))
    };
    let (done, ..) = start(b"false false false -1 0 4 NA\n", &[]);
    let problem = done.unwrap_err().diagnostic();
    assert!(problem.message.contains("`web` ended with 4 as soon as it was started"), "{}", problem.message);
    let (done, _, messages) = start(b"false false true -1 0 -1 SIGSEGV\n", &[]);
    assert!(done.is_ok());
    assert_eq!(
        messages,
        ["web ended with SIGSEGV as soon as it was started; its supervisor keeps restarting it"]
    );
    // The service has a new supervisor, which has never started it.
    let (done, calls, messages) = start(b"false false false -1 0 -1 NA\n", &[says(0, b"", "")]);
    assert!(done.is_ok() && messages[0].contains("had lost its supervisor"));
    assert_eq!(calls[3].to_string(), "s6-svc -u /live/servicedirs/web");
}

#[test]
fn a_command_that_no_supervisor_received_is_repeated() {
    let lost = "s6-svc: warning: unable to control /live/servicedirs/web: supervisor not listening\n\
                s6-rc: warning: unable to start service web: command exited 1\n";
    let is_up = says(0, b"true true true 42 7 -1 NA\n", "");
    let answers = [says(1, b"", lost), says(0, b"web\n", ""), is_up, says(0, b"", "")];
    let (done, calls, _) = with(&answers, |live| live.change(Direction::Up, &names(&[b"web"])));
    assert!(done.is_ok());
    assert_eq!(calls[0], calls[3]);
    // The supervisor received the command, and then ended.
    let died = "s6-svlisten: fatal: some services reported permanent failure or their supervisor died\n\
                s6-rc: warning: unable to start service web: command exited 1\n";
    let failed = || says(1, b"", died);
    let is_up = says(0, b"true true true 42 7 -1 NA\n", "");
    let answers = [failed(), says(0, b"web\n", ""), is_up, failed()];
    let (done, ..) = with(&answers, |live| live.change(Direction::Up, &names(&[b"web"])));
    assert_eq!(done.unwrap_err().diagnostic().message, "`web` did not start: exit code 1");
}

#[test]
fn a_warning_of_a_program_that_succeeded_is_passed_on() {
    let (_, _, messages) =
        with(&[says(0, b"", "s6-rc: warning: web is essential\n")], |live| live.change(Direction::Down, &[]));
    assert_eq!(messages, ["s6-rc: warning: web is essential"]);
}

#[derive(Debug, Clone)]
enum StoreChange {
    Instance { is_oneshot: bool, template: String, instance: String, parameters: Parameters },
    Service { name: String, command: Vec<String> },
    Remove(String),
}

fn store_change() -> impl Strategy<Value = StoreChange> {
    let name = || prop_oneof!["[a-c]", "[a-c]-[a-c]", any::<String>()];
    let parameters = prop::collection::btree_map(name(), any::<String>(), 0..3);
    prop_oneof![
        (any::<bool>(), name(), name(), parameters).prop_map(
            |(is_oneshot, template, instance, parameters)| {
                StoreChange::Instance { is_oneshot, template, instance, parameters }
            }
        ),
        (name(), prop::collection::vec(any::<String>(), 0..4))
            .prop_map(|(name, command)| StoreChange::Service { name, command }),
        name().prop_map(StoreChange::Remove),
    ]
}

proptest! {
    #[test]
    fn additions_are_read_as_they_were_written(changes in prop::collection::vec(store_change(), 0..12)) {
        let mut added = Additions::default();
        for change in changes {
            let before = added.clone();
            match change {
                StoreChange::Instance { is_oneshot, template, instance, parameters } => {
                    let kind = if is_oneshot { "oneshot" } else { "longrun" };
                    added.add_instance(kind, &template, &instance, parameters.clone());
                    let again = added.clone().add_instance(kind, &template, &instance, parameters);
                    prop_assert_eq!(again, AdditionChange::Unchanged);
                }
                StoreChange::Service { name, command } => {
                    added.add_service(&name, "boot", command);
                }
                StoreChange::Remove(name) => {
                    let is_removed = added.remove(&name);
                    prop_assert_eq!(is_removed, added != before);
                }
            }
            prop_assert_eq!(Additions::parse(added.text().as_bytes()), Ok(added.clone()));
        }
        while let Some(service) = added.list().first().map(|one| one.service()) {
            prop_assert!(added.remove(&service), "{} is listed, and cannot be removed", service);
        }
        prop_assert_eq!(added, Additions::default());
    }
}
