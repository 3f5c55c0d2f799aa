//! Checks the plan of a start and a stop: its page, its limits at the largest systems, and that it is the same for a manifest and for
//! the tree made of it.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::jobs::read_measured;
use s6gen::model::{Index, Name};
use s6gen::picture::{PlanSource, plan_svg};
use s6gen::plan::{MeasuredStart, MeasuredTimes, Moment, Timeline};
use s6gen::{compile, render};
use serde_json::Value;

use crate::live::Machine;
use crate::supervise::eventually;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn printed(folder: &Path, line: &str) -> String {
    let mut s6gen = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    let output = s6gen.args(line.split(' ')).current_dir(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Calls `check` with the time line of a manifest.
fn with_timeline<T>(manifest: &str, check: impl FnOnce(&Timeline<'_>) -> T) -> T {
    with_variable(manifest, "", check)
}

/// Calls `check` with the time line of a manifest in a container in which a variable is 1.
fn with_variable<T>(manifest: &str, variable: &str, check: impl FnOnce(&Timeline<'_>) -> T) -> T {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest.to_owned());
    let compilation = compile(&files, file);
    assert!(!compilation.problems.has_errors(), "{:#?}", compilation.problems);
    let index = Index::new(&compilation.services);
    check(&Timeline::new(&index, |name| (name == variable).then(|| "1".to_owned())))
}

/// How long the stop may take, without the part of s6 itself.
fn stop_of_services(timeline: &Timeline<'_>) -> Option<u64> {
    timeline.stop_within().map(|whole| whole - timeline.own_stop)
}

#[test]
fn s6_itself_has_a_part_of_a_stop_for_each_step() {
    let chain = "[longrun.a]\nrun = [\"a\"]\n[longrun.b]\ndependencies = [\"a\"]\nrun = [\"b\"]\n";
    let own = |manifest: &str| with_timeline(manifest, |timeline| timeline.own_stop);
    let (two, three) =
        (own(chain), own(&format!("{chain}[longrun.c]\ndependencies = [\"b\"]\nrun = [\"c\"]\n")));
    assert_eq!((two > 500, three - two), (true, 50));
    with_timeline(chain, |timeline| assert_eq!(timeline.stop_within(), Some(2 * 5_000 + 3_000 + two)));
}

fn row(timeline: &Timeline<'_>, name: &str) -> usize {
    (0..timeline.rows.len()).find(|row| *timeline.name(*row) == *name).unwrap()
}

#[test]
fn the_page_shows_the_plan_of_the_gateway() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/plan.md")).unwrap();
    let plan = printed(Path::new(ROOT), "plan");
    assert!(page.contains(&format!("```text\n{plan}```")), "docs/plan.md must have:\n{plan}");
}

/// The keys that s6gen's own scripts keep are not in the files that s6-rc reads, so these services have none of them.
#[test]
fn a_manifest_and_its_tree_have_the_same_plan() {
    let manifest = "[oneshot.mount]\nup = \"mount\"\ndown = \"umount\"\ntimeout-up = \"7s\"\ntimeout-down = \"2s\"\n\
        [longrun.db]\ndependencies = [\"mount\"]\nrun = [\"db\"]\nready.fd = 3\ntimeout-kill = \"9s\"\nfinish = \"clean\"\n\
        [longrun.web]\ndependencies = [\"db\"]\nrun = [\"web\"]\nlog.to = \"/var/log/web\"\nflag-essential = true\n\
        [longrun.api]\ndependencies = [\"db\"]\nrun = [\"api\"]\ntimeout-kill = \"never\"\ntimeout-down = \"4s\"\n\
        [longrun.job]\nstart = \"on-demand\"\nrun = [\"job\"]\ntimeout-finish = \"1s\"\nfinish = \"clean\"\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), manifest).unwrap();
    let built = Command::new(env!("CARGO_BIN_EXE_s6gen"))
        .args(["build", "--root", "root"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let services = |line: &str| {
        let answer: Value = serde_json::from_str(&printed(folder.path(), line)).unwrap();
        let mut services: Vec<Value> = answer["services"].as_array().unwrap().clone();
        services.sort_by_key(|service| service["name"].as_str().unwrap().to_owned());
        for service in &mut services {
            let fields = service.as_object_mut().unwrap();
            // A tree has only the script of a `finish`, and no longer the keys that it was made of.
            fields.remove("if_it_dies");
            // Nothing in a tree says that a service is a logger that s6gen made.
            for field in ["wave", "needed_by", "after", "if_it_fails"] {
                fields.remove(field);
            }
        }
        services
    };
    assert_eq!(services("plan --json"), services("plan --json --overlay 3.2.3.2 --tree root/etc/s6-overlay"));
}

#[test]
fn a_step_without_a_limit_comes_after_every_time() {
    let limited = Moment { steps: 0, milliseconds: u64::MAX };
    let unlimited = Moment { steps: 1, milliseconds: 0 };
    assert!(limited < unlimited && unlimited < Moment { steps: 1, milliseconds: 1 });
}

#[test]
fn essential_services_and_what_they_need_stop_with_what_is_left() {
    let manifest = "[longrun.a]\nrun = [\"a\"]\n[longrun.b]\nrun = [\"b\"]\ndependencies = [\"a\"]\nflag-essential = true\n\
        [longrun.c]\nrun = [\"c\"]\ndependencies = [\"b\"]\n";
    with_timeline(manifest, |timeline| {
        let stays = |name: &str| timeline.rows[row(timeline, name)].stays;
        assert_eq!(["a", "b", "c"].map(stays), [true, true, false]);
        assert_eq!(stop_of_services(timeline), Some(5_000 + 3_000));
    });
}

#[test]
fn more_than_forty_oneshots_may_wait_for_a_place() {
    for (count, within) in [(40, 1_000), (41, 31_000)] {
        let mut manifest = String::new();
        for number in 0..count {
            let _ = writeln!(manifest, "[oneshot.o{number}]\nup = \"true\"\ntimeout-up = \"1s\"");
        }
        assert_eq!(with_timeline(&manifest, |timeline| timeline.start_within()), Some(within), "{count}");
    }
}

/// In a chain only one runs at a time, however long it is.
#[test]
fn oneshots_that_wait_for_each_other_need_only_one_place() {
    let oneshot = |name: &str, number: usize, after: Option<String>| {
        let after = after.map(|first| format!("dependencies = [\"{first}\"]\n")).unwrap_or_default();
        format!("[oneshot.{name}{number}]\nup = \"true\"\ntimeout-up = \"1s\"\n{after}")
    };
    let chain = |name: &str, count: usize| {
        let after = |number: usize| number.checked_sub(1).map(|first| format!("{name}{first}"));
        (0..count).map(|number| oneshot(name, number, after(number))).collect::<String>()
    };
    assert_eq!(with_timeline(&chain("c", 60), |timeline| timeline.start_within()), Some(60_000));
    // Two chains that run beside 39 others: all of them may wait, but not what comes before or after all others.
    let beside = (0..39).map(|number| oneshot("w", number, Some("first0".into()))).collect::<String>();
    let last = (0..39).map(|number| format!("\"w{number}\", ")).collect::<String>();
    let last = format!(
        "[oneshot.last]\nup = \"true\"\ntimeout-up = \"1s\"\ndependencies = [{last}\"c2\", \"d2\"]\n"
    );
    let chains = chain("c", 3) + &chain("d", 3);
    let chains = chains.replace("[oneshot.c0]\n", "[oneshot.c0]\ndependencies = [\"first0\"]\n");
    let chains = chains.replace("[oneshot.d0]\n", "[oneshot.d0]\ndependencies = [\"first0\"]\n");
    with_timeline(&(oneshot("first", 0, None) + &beside + &chains + &last), |timeline| {
        let bound = |name: &str| timeline.rows[row(timeline, name)].bound.milliseconds();
        assert_eq!(["first0", "last"].map(bound), [Some(1_000); 2]);
        assert_eq!(["w0", "c0", "c2", "d1"].map(bound), [Some(31_000); 4]);
    });
}

/// With more oneshots than are compared, each counts as waiting.
#[test]
fn more_oneshots_than_are_compared_may_all_wait() {
    let mut manifest = String::new();
    for number in 0..1_001 {
        let _ = writeln!(manifest, "[oneshot.o{number}]\nup = \"true\"\ntimeout-up = \"1s\"");
        if number > 0 {
            let _ = writeln!(manifest, "dependencies = [\"o{}\"]", number - 1);
        }
    }
    assert_eq!(with_timeline(&manifest, |timeline| timeline.start_within()), Some(1_001 * 31_000));
}

/// A `finish` that only s6gen wrote does little at a stop.
#[test]
fn a_finish_of_s6gen_itself_ends_sooner_than_its_limit() {
    for (keys, stop) in [
        ("restart-delay = \"30s\"", 5_000),
        ("restart-delay = \"30s\"\ntimeout-kill = \"300ms\"", 1_100),
        ("stop-group = true", 6_200),
        ("stop-group = true\nrestart-delay = \"1s..60s\"\ntimeout-kill = \"100ms\"", 2_300),
        ("stop-group = true\ntimeout-finish = \"500ms\"", 5_500),
        ("restart-delay = \"30s\"\nfinish = \"clean\"", 5_000 + 34_000),
        ("stop-group = true\non-exit.then = \"give-up\"", 5_000 + 6_000),
    ] {
        let manifest = format!("[longrun.a]\nrun = [\"a\"]\n{keys}\n");
        assert_eq!(with_timeline(&manifest, stop_of_services), Some(stop + 3_000), "{keys}");
    }
}

/// The times of tries, pauses and checks of a oneshot that only waits.
#[test]
fn a_oneshot_that_only_waits_has_a_limit_of_its_own() {
    let waits = "[oneshot.o]\nwait-for = { path = \"/x\", limit = \"10s\", interval = \"500ms\", timeout = \"2s\" }\n";
    let tries = format!("{waits}on-failure = {{ tries = 3, pause = \"1s..2s\" }}\n");
    let both = "[oneshot.o]\nup = \"true\"\nwait-for = { path = \"/x\", limit = \"10s\" }\n";
    let ignored = "[oneshot.o]\nup = \"true\"\ntimeout-up = \"4s\"\non-failure.then = \"ignore\"\n";
    for (manifest, within) in [
        (waits, Some(12_500)),
        (&tries, Some(3 * 12_500 + 1_000 + 2_000)),
        (both, None),
        (ignored, Some(10_000)),
        ("[oneshot.o]\n", Some(0)),
    ] {
        assert_eq!(with_timeline(manifest, |timeline| timeline.start_within()), within, "{manifest}");
    }
}

#[test]
fn the_hook_and_the_command_of_a_container_have_no_limit() {
    let manifest = "[longrun.l]\nrun = [\"l\"]\n";
    with_variable(manifest, "S6_STAGE2_HOOK", |timeline| {
        assert_eq!((timeline.start_within(), stop_of_services(timeline)), (None, Some(8_000)));
        assert_eq!(timeline.start_verdict(), "no upper limit");
        let text = render::plan_text(timeline, None);
        assert!(text.contains("  The program in S6_STAGE2_HOOK has no limit: "), "{text}");
    });
    with_variable(manifest, "S6_CMD_RECEIVE_SIGNALS", |timeline| {
        assert_eq!((timeline.start_within(), timeline.stop_within()), (Some(0), None));
        let text = render::plan_text(timeline, None);
        assert!(text.contains("  The command of the container has no limit, and with "), "{text}");
        let source = PlanSource { name: "x", grace: None, measured: None };
        let svg = plan_svg(timeline, &source);
        assert!(svg.contains("The command of the container has no limit, and with "), "{svg}");
    });
}

#[test]
fn one_sentence_names_everything_without_a_limit() {
    let manifest =
        "[longrun.a]\nrun = [\"a\"]\nready.fd = 3\ntimeout-up = \"never\"\n[oneshot.b]\nup = \"true\"\n";
    with_timeline(manifest, |timeline| {
        let unlimited = timeline.unlimited(&timeline.start);
        let sentences: Vec<String> = unlimited.iter().map(|(why, names)| why.sentence(names)).collect();
        assert_eq!(sentences, ["a and b have no `timeout-up`"]);
    });
}

#[test]
fn loggers_and_services_of_s6_count_who_needs_them() {
    let manifest = "[longrun.db]\nrun = [\"db\"]\nlog.to = \"/var/log/db\"\n[oneshot.web]\nup = \"true\"\ndependencies = [\"db\"]\n\
        [longrun.job]\nrun = [\"job\"]\nstart = \"on-demand\"\n[oneshot.after]\nup = \"true\"\ndependencies = [\"job\"]\nstart = \"on-demand\"\n";
    with_timeline(manifest, |timeline| {
        let fails = |name: &str| {
            let row = row(timeline, name);
            (timeline.rows[row].needed_by, timeline.if_it_fails(row))
        };
        assert_eq!(fails("db-log"), (2, "2 services stay down".to_owned()));
        assert_eq!(fails("s6rc-oneshot-runner"), (2, "2 services stay down".to_owned()));
        assert_eq!(fails("db"), (1, "stays down: web".to_owned()));
        assert_eq!(fails("job"), (1, "stays down: after".to_owned()));
        assert_eq!(fails("after"), (0, "nothing else stays down".to_owned()));
    });
}

#[test]
fn loggers_of_essential_services_do_not_stop_before_the_end() {
    let stays =
        "[longrun.a]\nrun = [\"a\"]\nlog.to = \"/var/log/a\"\nflag-essential = true\ntimeout-kill = \"9s\"\n";
    let stops = "[longrun.b]\nrun = [\"b\"]\nlog.to = \"/var/log/b\"\ntimeout-kill = \"1s\"\n";
    with_timeline(&format!("{stays}{stops}"), |timeline| {
        let loggers = timeline.loggers.as_ref().unwrap();
        assert_eq!((loggers.rows.len(), &loggers.stopping[..]), (2, &[row(timeline, "b-log")][..]));
        assert_eq!(loggers.limits.kill.milliseconds(), Some(1_000));
        let text = render::plan_text(timeline, None);
        assert!(text.contains("what is left, a and a logger"), "{text}");
    });
    with_timeline(stays, |timeline| {
        let text = render::plan_text(timeline, None);
        let lines = text.lines().filter(|line| line.trim_start().starts_with("a logger"));
        assert_eq!(lines.count(), 1, "it only starts: {text}");
    });
}

#[test]
fn a_plan_says_that_it_has_not_all_of_millions_of_waits() {
    for (count, is_cut) in [(100, false), (1_500, true)] {
        let mut manifest = String::new();
        for number in 0..count {
            let _ = write!(
                manifest,
                "[oneshot.o{number}]\nup = \"true\"\n\
                 [longrun.l{number}]\nrun = [\"l\"]\ndependencies = [\"o{number}\"]\nlog.to = \"/var/log/all\"\n"
            );
        }
        assert_eq!(with_timeline(&manifest, |timeline| timeline.is_cut), is_cut, "{count}");
    }
}

/// `legacy-services` of s6-overlay stands between a late service and everything else.
#[test]
fn the_slowest_chain_goes_through_services_that_are_not_shown() {
    let manifest = "[longrun.web]\nrun = [\"web\"]\nready.fd = 3\n[oneshot.o]\nup = \"true\"\ndependencies = [\"web\"]\n\
        [longrun.l]\nstart = \"late\"\nrun = [\"l\"]\n";
    let of = |started, ready| MeasuredTimes { started, ready, deaths: 0 };
    let times = [(Name::from("web"), of(10, Some(500))), (Name::from("l"), of(2_000, None))];
    with_timeline(manifest, |timeline| {
        let rows = timeline.measured(&times.clone().into());
        assert_eq!(timeline.slowest_in_words(&rows), "web (500 ms) → o (500 ms to 2 s) → l (2 s)");
        let late = rows.iter().find(|measured| measured.row == row(timeline, "l")).unwrap();
        assert_eq!(late.waited, Some((2_000, row(timeline, "o"))));
    });
}

#[test]
fn a_saved_answer_has_every_name() {
    let times = MeasuredTimes { started: 1, ready: None, deaths: 0 };
    let names: [&[u8]; 5] = [b"\xff", b"a\xff\xfe", b"\xff\xfe\xfd", b"base64:", b"web"];
    let saved: MeasuredStart = names.iter().map(|name| (Name::new(name), times)).collect();
    let folder = tempfile::tempdir().unwrap();
    let read = |text: String| {
        fs::write(folder.path().join("boot.json"), text).unwrap();
        read_measured(&folder.path().join("boot.json"))
    };
    let answer = serde_json::json!({ "measured": render::measured_json(&saved) });
    assert_eq!(read(answer.to_string()).unwrap(), saved);
    assert!(read(answer.to_string().replace("base64:/w==", "base64:/x==")).is_err());
}

/// The real supervisors and the real s6-rc.
#[test]
fn the_measured_times_are_those_of_the_real_start() {
    let manifest = "[oneshot.mount]\nup = \"sleep 0.3\"\n\
        [longrun.db]\ndependencies = [\"mount\"]\nready.fd = 3\nrun = \"sleep 0.5; echo >&3; exec sleep 1000\"\n\
        [oneshot.migrate]\ndependencies = [\"db\"]\nup = \"sleep 0.6\"\n\
        [longrun.cache]\nready.fd = 3\nrun = \"sleep 0.2; echo >&3; exec sleep 1000\"\n\
        [longrun.web]\ndependencies = [\"migrate\", \"cache\"]\nrun = [\"sleep\", \"1000\"]\n\
        [longrun.crashes]\nrun = \"exit 1\"\n\
        [longrun.job]\nstart = \"on-demand\"\nrun = [\"sleep\", \"1000\"]\n";
    let Some(machine) = Machine::boot("the_measured_times_are_those_of_the_real_start", manifest) else {
        return;
    };
    let live = machine.path("live");
    let source = machine.path("source");
    let line = |rest: &str| format!("plan --tree {} --live {} {rest}", source.display(), live.display());
    let text = printed(Path::new(ROOT), &line("--measured --json"));
    let answer: Value = serde_json::from_str(&text).unwrap();
    let of = |name: &str| {
        let services = answer["measured"].as_array().unwrap().iter();
        services.clone().find(|service| service["name"] == name).cloned()
    };
    let (db, web) = (of("db").unwrap(), of("web").unwrap());
    let time = |value: &Value| value.as_u64().unwrap();
    assert!(time(&db["started"]) >= 300, "before `mount` was done: {db}");
    assert!(time(&db["ready"]) >= time(&db["started"]) + 500, "{db}");
    assert!(time(&web["started"]) >= time(&db["ready"]), "{web}");
    assert_eq!((&web["ready"], &web["deaths"]), (&Value::Null, &0.into()));
    assert_eq!(of("job"), None, "it was not asked for");
    let saved = machine.path("boot.json");
    fs::write(&saved, &text).unwrap();
    let shown = printed(Path::new(ROOT), &line(&format!("--measured={}", saved.display())));
    assert!(shown.contains("Slowest chain: mount ("), "{shown}");
    // `web` waited for `migrate`, of which there is no time, and not for `cache`.
    let chain = [") → db (", ") → migrate (", ") → web ("];
    assert!(chain.iter().all(|part| shown.contains(part)) && !shown.contains("cache ("), "{shown}");
    // A later death hides the times of the boot.
    machine.control("-k", "web");
    eventually("web runs again", || {
        let again = printed(Path::new(ROOT), &line("--measured"));
        again.lines().any(|line| {
            line.trim_start().starts_with("web ") && line.ends_with("these are not the times of the boot")
        })
    });
}

/// A saved answer may say anything, such as a logger that was ready before it started.
#[test]
fn times_that_contradict_each_other_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[longrun.a]\nrun = [\"a\"]\nlog.to = \"/var/log/a\"\n[oneshot.b]\nup = [\"b\"]\ndependencies = [\"a\"]\n";
    fs::write(folder.path().join("services.toml"), manifest).unwrap();
    for (started, ready) in [("300", "7"), ("18446744073709551615", "0"), ("0", "18446744073709551615")] {
        let one = |name: &str| {
            format!("{{\"name\":\"{name}\",\"started\":{started},\"ready\":{ready},\"deaths\":0}}")
        };
        let answer = format!("{{\"measured\":[{},{}]}}", one("a"), one("a-log"));
        fs::write(folder.path().join("boot.json"), answer).unwrap();
        let picture = printed(folder.path(), "plan --measured=boot.json --format svg");
        assert!(picture.ends_with("</svg>\n"), "{started} {ready}: {picture}");
    }
}

/// A long chain and a wide system.
#[test]
fn large_systems_have_a_plan() {
    let mut chain = String::new();
    let mut wide = String::from("[oneshot.first]\nup = \"true\"\ntimeout-up = \"1s\"\n");
    for number in 0..5_000 {
        let _ = write!(chain, "[longrun.s{number}]\nrun = [\"s\"]\ntimeout-kill = \"1ms\"\n");
        if number > 0 {
            let _ = writeln!(chain, "dependencies = [\"s{}\"]", number - 1);
        }
        let _ = write!(
            wide,
            "[longrun.s{number}]\nrun = [\"s\"]\ndependencies = [\"first\"]\ntimeout-kill = \"1ms\"\n"
        );
    }
    with_timeline(&chain, |timeline| {
        assert_eq!(stop_of_services(timeline), Some(5_000 + 3_000));
        assert_eq!(timeline.rows[row(timeline, "s0")].needed_by, 4_999);
        assert_eq!(timeline.rows[row(timeline, "s1234")].needed_by, 5_000 - 1_235);
        assert!(!render::plan_text(timeline, None).is_empty());
    });
    with_timeline(&wide, |timeline| {
        assert_eq!((timeline.start_within(), stop_of_services(timeline)), (Some(1_000), Some(3_001)));
        let first = timeline.order.index.find(&Name::from("first")).unwrap();
        let first = timeline.order.services.iter().position(|service| service.node == first).unwrap();
        assert_eq!(timeline.rows[first].needed_by, 5_000);
        assert!(!render::plan_json(timeline, None, None).is_empty());
    });
}
