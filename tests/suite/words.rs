//! Tests the remedies for the words of Docker Compose, systemd and supervisord: a manifest that follows them has no errors.

use s6gen::compile;
use s6gen::diagnostic::{Code, Files, Severity};
use s6gen::manifest::{Holds, REFERENCE, SECTIONS, WORDS};
use s6gen::report::{Style, human};

/// The errors in a manifest, as people read them.
fn errors(manifest: &str) -> String {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    let errors = compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| human(problem, &files, Style::Plain)).collect()
}

/// The help for the only error of a manifest.
fn help(manifest: &str) -> String {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    let mut problems = compilation.problems.iter();
    let problem = problems.next().unwrap_or_else(|| panic!("no problem in\n{manifest}"));
    match problems.next() {
        None => problem.help.clone().unwrap(),
        Some(_) => format!("more than one problem in\n{manifest}\n{}", errors(manifest)),
    }
}

/// The line that a remedy tells the user to write.
fn written(help: &str) -> Option<&str> {
    help.strip_prefix("write `")?.split('`').next()
}

const OTHERS: &str = "
[longrun.db]
run = [\"db\"]

[longrun.cache]
run = [\"cache\"]

[longrun.queue]
run = [\"queue\"]
";

/// A manifest with `lines` in a service of this kind.
fn manifest(kind: &str, lines: &str) -> String {
    let must = match kind {
        "longrun" if !lines.starts_with("run") => "run = [\"web\"]\n",
        "bundle" if !lines.starts_with("contents") => "contents = [\"queue\"]\n",
        "oneshot" if lines.starts_with("on-failure") => "up = [\"web\"]\n",
        _ => "",
    };
    let header = if kind == "target" { "[target]\n".to_owned() } else { format!("[{kind}.web]\n{must}") };
    format!("{header}{lines}\n{OTHERS}")
}

/// The kinds of tables that have the key.
fn kinds(key: &str) -> Vec<&'static str> {
    let head = key.split('.').next().unwrap();
    let kinds = ["longrun", "oneshot", "bundle", "target"].into_iter();
    let has = |kind: &&str| {
        let heading = if *kind == "target" { "[target]".into() } else { format!("[{kind}.NAME]") };
        REFERENCE
            .iter()
            .any(|(known, _, keys)| *known == heading && keys().iter().any(|known| known.name == head))
    };
    kinds.filter(has).collect()
}

#[test]
fn the_example_for_each_word_is_valid() {
    let mut missed = Vec::new();
    for word in WORDS {
        assert!(!word.names.is_empty() && (!word.example.is_empty() || !word.note.is_empty()), "{word:?}");
        for name in word.names {
            assert_eq!(
                name.replace("on-exit.", "").replace(['-', '_'], "").to_lowercase(),
                name.replace("on-exit.", ""),
                "words are compared so"
            );
        }
        let kinds = if word.key.is_empty() { vec!["longrun"] } else { kinds(word.key) };
        assert!(!kinds.is_empty(), "no table has `{}`", word.key);
        for kind in kinds {
            let manifest = manifest(kind, word.example);
            if !errors(&manifest).is_empty() {
                missed.push(format!("{:?} in\n{manifest}\n{}", word.names, errors(&manifest)));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn each_word_of_another_system_gets_the_word_to_use_here() {
    let mut missed = Vec::new();
    for word in WORDS {
        for name in word.names.iter().filter(|name| !name.contains('.')) {
            for kind in ["longrun", "oneshot", "bundle"] {
                let lines = format!("{name} = 1979-05-27");
                let help = match kinds(name).contains(&kind) {
                    // The word is a key of the manifest as well.
                    true => continue,
                    false => errors(&manifest(kind, &lines)),
                };
                for wrong in ["a name with a dot", "did you mean `start`"] {
                    if help.contains(wrong) {
                        missed.push(format!("{name} in {kind}: {help}"));
                    }
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn each_table_of_another_system_gets_the_table_to_use_here() {
    for section in SECTIONS {
        for name in section.names {
            let report = errors(&format!("[{name}.web]\ncommand = \"web\"\n"));
            assert!(report.contains(section.note.split('`').next().unwrap()), "{name}: {report}");
            if section.holds == Holds::Services {
                assert!(
                    report.contains("`[longrun.web]`") && report.contains("`run = \"web\"`"),
                    "{name}: {report}"
                );
            }
        }
    }
}

/// A line of another system, and the remedy for it. The text in backticks after `write` must be valid by itself.
const LINES: &[(&str, &str, &str)] = &[
    ("longrun", "command = \"nginx -g 'daemon off;'\"", "write `run = \"nginx -g 'daemon off;'\"`"),
    ("longrun", "entrypoint = [\"nginx\", \"-g\"]", "write `run = [\"nginx\", \"-g\"]`"),
    ("longrun", "ExecStart = \"/usr/bin/web --port 80\"", "write `run = \"/usr/bin/web --port 80\"`"),
    ("longrun", "ExecStartPre = \"/bin/mkdir -p /run/web\"", "write `prepare = \"/bin/mkdir -p /run/web\"`"),
    ("oneshot", "ExecStart = \"/bin/true\"", "write `up = \"/bin/true\"`"),
    ("oneshot", "run = [\"true\"]", "write `up = [\"true\"]`"),
    ("oneshot", "ExecStop = \"/bin/true\"", "write `down = \"/bin/true\"`"),
    ("longrun", "ExecStop = \"/bin/kill -QUIT $MAINPID\"", "write `down-signal = \"QUIT\"`"),
    ("longrun", "ExecReload = \"/bin/kill -USR1 $MAINPID\"", "write `reload-signal = \"USR1\"`"),
    ("longrun", "After = \"network.target db.service\"", "write `dependencies = [\"db\"]`"),
    ("longrun", "After = \"network.target\"", "leave it out"),
    ("longrun", "Requires = [\"db\", \"cache.service\"]", "write `dependencies = [\"db\", \"cache\"]`"),
    (
        "longrun",
        "depends_on = { db = { condition = \"service_healthy\" } }",
        "write `dependencies = [\"db\"]`",
    ),
    ("longrun", "WantedBy = \"multi-user.target\"", "leave it out"),
    ("longrun", "Restart = \"always\"", "leave it out"),
    ("longrun", "restart = \"unless-stopped\"", "leave it out"),
    ("longrun", "restart = \"no\"", "write `on-exit.then = \"give-up\"`"),
    ("longrun", "Restart = \"on-failure\"", "write `on-exit.codes = [0]`"),
    ("longrun", "autorestart = false", "write `on-exit.then = \"give-up\"`"),
    ("longrun", "autorestart = true", "leave it out"),
    ("longrun", "autostart = false", "write `start = \"on-demand\"`"),
    ("longrun", "exitcodes = \"0,2\"", "write `on-exit.codes = [0, 2]`"),
    ("longrun", "RestartSec = 5", "write `restart-delay = \"5s\"`"),
    ("longrun", "RestartSec = \"1min 30s\"", "write `restart-delay = \"1m30s\"`"),
    ("longrun", "startsecs = 10", "`on-exit.early"),
    ("longrun", "startretries = 3", "`on-exit.deaths = 3`, `on-exit.within"),
    ("longrun", "stopwaitsecs = 3600", "write `timeout-kill = \"3600s\"`"),
    ("longrun", "stop_grace_period = \"1m30s\"", "write `timeout-kill = \"1m30s\"`"),
    ("longrun", "TimeoutStartSec = \"infinity\"", "write `timeout-up = \"never\"`"),
    ("longrun", "stopsignal = \"QUIT\"", "write `down-signal = \"QUIT\"`"),
    ("longrun", "KillSignal = 2", "write `down-signal = \"INT\"`"),
    ("longrun", "stopasgroup = true", "write `stop-group = true`"),
    ("longrun", "KillMode = \"process\"", "leave it out"),
    ("longrun", "env = { MODE = \"x\", PORT = 80 }", "write `environment = { MODE = \"x\", PORT = \"80\" }`"),
    ("longrun", "env = [\"MODE=x\"]", "write `environment = { MODE = \"x\" }`"),
    ("longrun", "Environment = \"MODE=x\"", "write `environment = { MODE = \"x\" }`"),
    ("longrun", "environment = 'A=\"1\",B=\"2\"'", "write `environment = { A = \"1\", B = \"2\" }`"),
    ("longrun", "env_file = \"/etc/web.env\"", "write `environment-files = [\"/etc/web.env\"]`"),
    (
        "longrun",
        "env_file = [\"/a.env\", \"/b.env\"]",
        "write `environment-files = [\"/a.env\", \"/b.env\"]`",
    ),
    (
        "oneshot",
        "EnvironmentFile = \"-/etc/default/web\"",
        "write `environment-files = [\"-/etc/default/web\"]`",
    ),
    ("longrun", "env_file = \"./web.env\"", "`environment-files = [\"/etc/web.env\"]`"),
    ("longrun", "LoadCredential = \"db:/run/db\"", "`secrets = [\"DB_PASSWORD\"]`"),
    ("longrun", "WorkingDirectory = \"/srv\"", "write `workdir = \"/srv\"`"),
    ("longrun", "directory = \"/srv\"", "write `workdir = \"/srv\"`"),
    ("longrun", "User = \"app\"", "did you mean `user`?"),
    ("longrun", "Group = \"app\"", "`user = \"app:adm\"`"),
    ("longrun", "UMask = 27", "write `umask = \"027\"`"),
    ("longrun", "LimitNOFILE = \"1024:65536\"", "write `limits.nofile = 1024`"),
    ("longrun", "ulimits = { nofile = 1024 }", "`limits.nofile = 65536`"),
    ("longrun", "stdout_logfile = \"/dev/stdout\"", "leave it out"),
    ("longrun", "stdout_logfile = \"/var/log/web.log\"", "write `log.to = \"/var/log/web\"`"),
    ("longrun", "StandardOutput = \"null\"", "write `log.to = \"discard\"`"),
    ("longrun", "redirect_stderr = true", "leave it out"),
    ("longrun", "stdout_logfile_backups = 5", "write `log.keep = 5`"),
    ("longrun", "numprocs = 4", "write `instances = 4`"),
    ("longrun", "numprocs = 1", "leave it out"),
    ("longrun", "process_name = \"x\"", "leave it out"),
    ("longrun", "priority = 10", "`dependencies = [\"db\"]`"),
    ("longrun", "Type = \"forking\"", "leave it out"),
    ("longrun", "Type = \"notify\"", "leave it out"),
    ("longrun", "PIDFile = \"/run/web.pid\"", "leave it out"),
    (
        "longrun",
        "healthcheck = { test = [\"CMD\", \"true\"], interval = \"5s\" }",
        "write `ready.check = [\"true\"]`",
    ),
    (
        "longrun",
        "healthcheck = { test = [\"CMD-SHELL\", \"true || exit 1\"] }",
        "write `ready.check = \"true || exit 1\"`",
    ),
    ("longrun", "ready.port = 8080", "write `ready.tcp = \"127.0.0.1:8080\"`"),
    (
        "longrun",
        "ConditionPathExists = \"!/etc/off\"",
        "write `only-if = [\"test\", \"!\", \"-e\", \"/etc/off\"]`",
    ),
    ("longrun", "Description = \"x\"", "did you mean `description`?"),
    ("longrun", "timeoutUp = 30", "write `timeout-up = \"30s\"`"),
    ("longrun", "ports = [\"80:80\"]", "belongs to the container"),
    ("longrun", "volumes = [\"/a:/b\"]", "belongs to the container"),
    ("longrun", "image = \"nginx\"", "belongs to the image"),
    ("bundle", "programs = \"db,cache\"", "write `contents = [\"db\", \"cache\"]`"),
    ("target", "version = \"3.2.0.2\"", "write `s6-overlay = \"3.2.0.2\"`"),
    // The right key with a value of another type.
    ("longrun", "timeout-up = 30", "write `timeout-up = \"30s\"`"),
    ("longrun", "timeout-kill = 1.5", "write `timeout-kill = \"1500ms\"`"),
    ("longrun", "timeout-kill = 0", "write `timeout-kill = \"never\"`"),
    ("longrun", "timeout-kill = 30000", "write `timeout-kill = \"30s\"`"),
    ("longrun", "timeout-kill = \"30\"", "write `\"30s\"`"),
    ("longrun", "timeout-kill = \"5 minutes\"", "write `\"5m\"`"),
    ("longrun", "restart-delay = 2", "write `restart-delay = \"2s\"`"),
    ("longrun", "user = 1000", "write `user = \"1000:1000\"`: the number after the colon is the group"),
    ("longrun", "umask = 0o22", "write `umask = \"022\"`"),
    ("longrun", "down-signal = 15", "write `down-signal = \"TERM\"`"),
    ("longrun", "down-signal = \"sigterm\"", "did you mean `TERM`?"),
    ("longrun", "log = { to = \"/var/log/x\", size = 1000000 }", "write `size = \"1000000\"`"),
    ("longrun", "log = { to = \"/var/log/x\", size = \"1 mb\" }", "write `\"1MB\"`"),
    ("longrun", "log = \"/var/log/x\"", "write `log.to = \"/var/log/x\"`"),
    ("longrun", "log = \"stdout\"", "write `log.to = \"container\"`"),
    ("longrun", "ready = 3", "write `ready.fd = 3`"),
    ("longrun", "ready = \"127.0.0.1:80\"", "write `ready.tcp = \"127.0.0.1:80\"`"),
    ("longrun", "ready.fd = \"3\"", "write `ready.fd = 3`"),
    ("longrun", "nice = \"10\"", "write `nice = 10`"),
    ("longrun", "stop-group = \"yes\"", "write `stop-group = true`"),
    ("longrun", "start = false", "write `start = \"on-demand\"`"),
    ("longrun", "dependencies = \"db\"", "write `dependencies = [\"db\"]`"),
    ("longrun", "dependencies = \"db, cache\"", "write `dependencies = [\"db\", \"cache\"]`"),
    ("longrun", "environment.PORT = 8080", "write `environment.PORT = \"8080\"`"),
    ("longrun", "environment = [\"PORT=8080\"]", "write `environment = { PORT = \"8080\" }`"),
    ("longrun", "on-exit.codes = 0", "write `on-exit.codes = [0]`"),
    ("longrun", "on-exit.codes = [\"0\"]", "write `on-exit.codes = [0]`"),
    ("longrun", "run = [\"web\", 80]", "write `\"80\"`"),
    (
        "target",
        "s6-overlay = \"v3.2.0.2\"",
        "write `3.2.0.2`, without `v`; s6gen knows every version from 3.0.0.0 to",
    ),
    ("target", "s6-overlay = \"3.2.0\"", "did you mean `3.2.0.3`?"),
];

#[test]
fn a_line_of_another_system_gets_the_line_to_write_here() {
    let mut missed = Vec::new();
    for (kind, line, expected) in LINES {
        let wrong = manifest(kind, line);
        let help = help(&wrong);
        if !help.contains(expected) {
            missed.push(format!("{line}\n  {help}\n  not {expected}"));
        }
        // Skip remedies that are not a line of a service: a part of a line, or a key of `[target]`.
        let Some(line) = written(&help).filter(|line| line.contains(" = ")) else { continue };
        let inside = line.starts_with("size =");
        if !inside {
            let with_log = if line.starts_with("log.keep") { "log.to = \"/var/log/x\"\n" } else { "" };
            let right = manifest(kind, &format!("{line}\n{with_log}"));
            if !errors(&right).is_empty() {
                missed.push(format!("{}{right}", errors(&right)));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Values of every type.
const VALUES: &[&str] = &[
    "5432",
    "0",
    "5",
    "4096",
    "true",
    "1.5",
    "\"5\"",
    "\"x\"",
    "[\"x\"]",
    "[\"5\"]",
    "[1]",
    "{ A = 1 }",
    "1979-05-27",
];

/// The errors in the values of a manifest, without those about services that do not fit together.
fn wrong_values(manifest: &str) -> String {
    let mut files = Files::default();
    let file = files.add("services.toml", manifest);
    let compilation = compile(&files, file);
    let of_values = [
        Code::Syntax,
        Code::UnknownKey,
        Code::WrongType,
        Code::InvalidValue,
        Code::UnknownVersion,
        Code::UnknownSignal,
    ];
    let wrong = compilation.problems.iter().filter(|problem| of_values.contains(&problem.code));
    wrong.map(|problem| human(problem, &files, Style::Plain)).collect()
}

/// The line `KEY = VALUE` in a remedy.
fn line(help: &str) -> Option<&str> {
    let line = help.split('`').nth(1).filter(|line| line.contains(" = "))?;
    let has_key = line.starts_with(|c: char| c.is_ascii_alphabetic()) && !line.contains("KEY");
    (help.starts_with("write ") && has_key).then_some(line)
}

/// The ways to write the key of a table with this value.
fn spellings(heading: &str, key: &str, value: &str) -> Vec<String> {
    let kind = if ["on-failure", "wait-for"].contains(&heading) { "oneshot" } else { "longrun" };
    let service = |lines: &str| manifest(kind, lines);
    match heading.strip_prefix('[') {
        Some(heading) => {
            let kind = heading.split(['.', ']']).next().unwrap();
            vec![manifest(kind, &format!("{key} = {value}"))]
        }
        None => vec![
            service(&format!("{heading}.{key} = {value}")),
            service(&format!("{heading} = {{ {key} = {value} }}")),
            service(&format!("[{kind}.web.{heading}]\n{key} = {value}")),
        ],
    }
}

/// Follows the remedy for a value of the wrong type in a manifest, and returns the errors that are left. `None` if the remedy
/// names no line.
fn rest_after_remedy(wrong: &str, value: &str) -> Option<String> {
    let mut files = Files::default();
    let file = files.add("services.toml", wrong);
    let compilation = compile(&files, file);
    let problem = compilation.problems.iter().find(|problem| problem.code == Code::WrongType)?;
    let line = line(problem.help.as_deref()?)?;
    let key = line.split(" = ").next().unwrap();
    // Replace the line of the same key. In a table in braces that is one item, and for a value that should be a table it is
    // the whole table.
    let table = key.split('.').next().unwrap();
    let item = value.strip_prefix(&format!("{{ {key} = ")).and_then(|rest| rest.strip_suffix(" }"));
    let places = [
        (format!("\n{key} = {value}"), "\n"),
        (format!("{{ {key} = {}", item.unwrap_or(value)), "{ "),
        (format!("\n{table} = {value}"), "\n"),
    ];
    let place = places.iter().find(|(written, _)| wrong.contains(written));
    Some(match place {
        Some((written, before)) => wrong_values(&wrong.replacen(written, &format!("{before}{line}"), 1)),
        None => format!("`{line}` takes the place of nothing in\n{wrong}"),
    })
}

#[test]
fn the_remedy_for_a_value_of_another_type_can_replace_the_value() {
    let mut wrong: Vec<(String, &str)> = Vec::new();
    for (heading, _, keys) in REFERENCE {
        // `without` names keys that are elsewhere.
        for key in keys().iter().filter(|key| key.name != "without") {
            for value in VALUES {
                wrong.extend(spellings(heading, key.name, value).into_iter().map(|wrong| (wrong, *value)));
            }
        }
    }
    for (lines, value) in [
        ("environment.PORT = 80", "80"),
        ("environment = { PORT = 80 }", "80"),
        ("[longrun.web.environment]\nPORT = 80", "80"),
        ("environment.\"a.b\" = true", "true"),
        ("instances.one.port = 80\nparameters = [\"port\"]\nenvironment.PORT = \"{{ port }}\"", "80"),
    ] {
        wrong.push((manifest("longrun", lines), value));
    }
    let rests: Vec<String> =
        wrong.iter().filter_map(|(wrong, value)| rest_after_remedy(wrong, value)).collect();
    assert!(rests.len() > 200, "only {} remedies were followed", rests.len());
    let missed: Vec<String> = rests.into_iter().filter(|rest| !rest.is_empty()).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_key_of_another_type_of_service_is_reported_as_such() {
    let mut missed = Vec::new();
    let own = |kind: &str| {
        let heading = format!("[{kind}.NAME]");
        let section = REFERENCE.iter().find(|(known, ..)| *known == heading).unwrap();
        section.2().iter().map(|key| key.name).collect::<Vec<_>>()
    };
    let kinds = ["longrun", "oneshot", "bundle"];
    for kind in kinds {
        for key in kinds.iter().flat_map(|other| own(other)).filter(|key| !own(kind).contains(key)) {
            for lines in [format!("{key} = 1979-05-27"), format!("{key}.x = 1979-05-27")] {
                let report = errors(&manifest(kind, &lines));
                if report.contains("needs quotes") || report.contains("did you mean") {
                    missed.push(report);
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// First lines of scripts that no system can start, and whether only `env -S` splits their words correctly.
const FIRST_LINES: &[(&str, bool)] = &[
    ("/usr/bin/env with-contenv bash", false),
    ("/usr/bin/env with-contenv bash -e", false),
    ("/usr/bin/env with-contenv python3 -u", true),
    ("/command/with-contenv /usr/bin/env bash", false),
    ("/command/with-contenv /usr/bin/env bash -eu", false),
    ("/usr/bin/with-contenv bash -e", false),
    ("/command/with-contenv bash -o pipefail", false),
    ("/command/with-contenv python3 -u", true),
    ("/usr/bin/env bash -e", false),
    ("/usr/bin/env bash -euo pipefail", false),
    ("/usr/bin/env A=1 B=2 bash", false),
    ("/usr/bin/env A=1 python3", true),
    ("/usr/bin/env python3 -u", true),
    ("/bin/bash -e -u", false),
    ("/bin/bash -e -o pipefail", false),
    ("/bin/bash -e --norc", true),
];

#[test]
fn the_remedy_for_a_first_line_starts_the_script() {
    for (line, needs_env) in FIRST_LINES {
        let script = |lines: &str| manifest("longrun", &format!("run = '''{lines}\nexec web\n'''"));
        let help = help(&script(&format!("#!{line}")));
        let words: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
        let right = match words[..] {
            [below, first] => format!("{first}\n{below}"),
            [first] => first.to_owned(),
            _ => panic!("{line}: {help}"),
        };
        assert_eq!(errors(&script(&right)), "", "{line}: {help}");
        assert_eq!(right.contains("env -S"), *needs_env, "{line}: {help}");
    }
}

#[test]
fn the_table_that_a_remedy_names_can_be_written() {
    for header in [
        "\"program:web\"",
        "\"service.web\"",
        "program:web",
        "program:my web",
        "services.\"my web\"",
        "\"my web\"",
    ] {
        let report = errors(&format!("[{header}]\nrun = [\"web\"]\n"));
        let header = report.split('`').find(|word| word.starts_with("[longrun.")).unwrap();
        assert_eq!(errors(&format!("{header}\nrun = [\"web\"]\n")), "", "{report}");
    }
}

#[test]
fn numbers_in_quotes_are_accepted_where_their_meaning_is_clear() {
    for lines in [
        "log.to = \"/var/log/web\"\nlog.size = \"1000000\"",
        "down-signal = \"15\"",
        "down-signal = \"SIGTERM\"",
        "reload-signal = \"10\"",
    ] {
        assert_eq!(errors(&manifest("longrun", lines)), "");
    }
}
