//! Shows what single lines of a supervisord configuration mean. Where the real supervisor package can be had, it says the same.

use std::path::Path;

use s6gen::diagnostic::Files;
use s6gen::supervisord::{
    ConfigFile, ConfigReading, Configuration, ConfiguredPrograms, Expanded, Known, Piece, Setting, words,
};
use serde_json::{Value, json};

use crate::require;
use crate::supervisord::{ours, python, real};
use crate::supervisord_samples::Sample;

/// What is shown, a section `[program:web]` without its heading, and the values in what supervisord makes of it, by JSON pointer below
/// its first process. Without values supervisord refuses it.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const ROWS: &[Row] = &[
    (
        "a ; after a blank begins a comment, also in quotes",
        "command=sh -c 'a ; b'",
        &[("/command", "\"sh -c 'a\""), ("/words", "null")],
    ),
    ("a ; after other characters does not", "command=sh -c 'a; b'", &[("/words/2", "\"a; b\"")]),
    ("a # after a parenthesis does not either", "command=sh -c '(#x)'", &[("/words/2", "\"(#x)\"")]),
    ("a comment after a tab", "command=cat\t# x", &[("/command", "\"cat\"")]),
    ("only one of two marks of comments is found", "command=x#y #z ;w", &[("/command", "\"x#y #z\"")]),
    ("later marks are found too", "command=x#y;z ;w", &[("/command", "\"x#y;z\"")]),
    ("a backslash glues a line end to the next word", "command=a \\\n  b", &[("/words", "[\"a\",\"\\nb\"]")]),
    ("comment lines in a value vanish", "command=a\n  ; no\n# no\n  b", &[("/command", "\"a\\nb\"")]),
    ("empty lines in a value stay", "command=a\n\n  b\n\n", &[("/command", "\"a\\n\\nb\"")]),
    ("the last of two options counts", "command=a\nCommand: b", &[("/command", "\"b\"")]),
    ("two percent signs are one", "command=date +%%s", &[("/command", "\"date +%s\"")]),
    ("one percent sign is refused", "command=date +%d", &[]),
    ("an unknown name is refused", "command=%(ENV_NOTHING)s", &[]),
    ("an empty variable is nothing", "command=a %(ENV_EMPTY)s", &[("/words", "[\"a\"]")]),
    (
        "a variable with blanks is two words",
        "command=a %(ENV_TWO)s",
        &[("/words", "[\"a\",\"two\",\"words\"]")],
    ),
    ("unless it is in quotes", "command=a \"%(ENV_TWO)s\"", &[("/words", "[\"a\",\"two words\"]")]),
    ("an environment may be empty", "command=a\nenvironment=", &[("/environment", "[]")]),
    (
        "a comma in quotes belongs to the value",
        "command=a\nenvironment=A=\"a,b\"",
        &[("/environment", "[[\"A\",\"a,b\"]]")],
    ),
    ("a comma at the end is nothing", "command=a\nenvironment=A=1,", &[("/environment", "[[\"A\",\"1\"]]")]),
    (
        "a value without quotes ends early",
        "command=a\nenvironment=A=a b",
        &[("/environment", "[[\"A\",\"a\"]]")],
    ),
    ("an equals sign in a value is refused", "command=a\nenvironment=A=b=c", &[]),
    (
        "a variable of the environment may be in others",
        "command=%(ENV_B)s\nenvironment=B=x",
        &[("/command", "\"x\"")],
    ),
    ("no exit code is expected", "command=a\nexitcodes=", &[("/exitcodes", "[]")]),
    ("no retries", "command=a\nstartretries=0", &[("/startretries", "0")]),
    ("a user may be a number", "command=a\nuser=33", &[("/user", "\"33\"")]),
    ("several processes need a number in their name", "command=a\nnumprocs=2", &[]),
    (
        "numbers have a format",
        "command=a %(process_num)d\nnumprocs=2\nprocess_name=w_%(process_num)02d",
        &[("/name", "\"w_00\""), ("/command", "\"a 0\"")],
    ),
    (
        "numbers begin where the option says",
        "command=a\nnumprocs=2\nnumprocs_start=1\nprocess_name=w_%(process_num)02d",
        &[("/name", "\"w_01\"")],
    ),
    (
        "the number of processes may come from a variable",
        "command=%(numprocs)d\nnumprocs=%(ENV_N)s\nprocess_name=%(process_num)d",
        &[("/command", "\"2\"")],
    ),
    ("no process at all needs no command", "numprocs=0", &[("/name", "null")]),
    (
        "a log may be nowhere",
        "command=a\nstdout_logfile=NONE",
        &[("/stdout/logfile", "null"), ("/stderr/logfile", "\"AUTO\"")],
    ),
    (
        "standard error has no log beside standard output",
        "command=a\nredirect_stderr=true\nstderr_logfile=x",
        &[("/stderr/logfile", "null")],
    ),
    (
        "syslog as a file is the old form",
        "command=a\nstdout_logfile=syslog",
        &[("/stdout/logfile", "null"), ("/stdout/syslog", "true")],
    ),
    ("a log is expanded twice", "command=a\nstdout_logfile=a%%%%b", &[("/stdout/logfile", "\"a%b\"")]),
    ("a group signal needs a group kill", "command=a\nstopasgroup=true\nkillasgroup=false", &[]),
    ("a group signal brings a group kill", "command=a\nstopasgroup=true", &[("/killasgroup", "true")]),
    (
        "lines may end with CR and LF",
        "command=a\r\npriority=3\r\n",
        &[("/command", "\"a\""), ("/priority", "3")],
    ),
    ("or with CR", "command=a\rpriority=3\r", &[("/command", "\"a\""), ("/priority", "3")]),
    (
        "but not with other separators",
        "command=a\u{b}priority=3",
        &[("/command", "\"a\\u000bpriority=3\""), ("/priority", "999")],
    ),
    ("a line without an equals sign is refused", "command=a\nautostart", &[]),
    ("a template is no configuration", "command=a\nuser=%USER%", &[]),
    ("placeholders in braces are texts", "command={{ x }}", &[("/command", "\"{{ x }}\"")]),
    ("an option that does not exist is ignored", "command=a\nautostrat=nonsense", &[("/autostart", "true")]),
    ("digits of any script are digits", "command=a\npriority=１٢", &[("/priority", "12")]),
    ("a signal may be a number or a name", "command=a\nstopsignal=sigint", &[("/stopsignal", "2")]),
];

const VARIABLES: &[(&str, &str)] = &[("EMPTY", ""), ("TWO", "two words"), ("N", "2")];

fn one_file(text: &str) -> Sample {
    Sample {
        files: vec![("supervisord.conf".to_owned(), text.as_bytes().to_vec())],
        environment: VARIABLES.to_vec(),
    }
}

#[test]
fn each_line_means_what_supervisord_makes_of_it() {
    let samples: Vec<Sample> = ROWS
        .iter()
        .map(|(_, text, _)| one_file(&format!("[supervisord]\n[program:web]\n{text}\n")))
        .collect();
    let check = |who: &str, answers: &[Value]| {
        for ((what, text, values), answer) in ROWS.iter().zip(answers) {
            assert_eq!(
                answer.get("refused").is_some(),
                values.is_empty(),
                "{who}, {what}: {text:?} is {answer}"
            );
            for (pointer, value) in *values {
                let found =
                    answer.pointer(&format!("/groups/0/processes/0{pointer}")).unwrap_or(&Value::Null);
                assert_eq!(found.to_string(), *value, "{who}, {what}: {text:?}");
            }
        }
    };
    check("s6gen", &samples.iter().map(|sample| ours(sample, "/etc")).collect::<Vec<_>>());
    if let Some(python) = python(require::this_test!()) {
        let folder = tempfile::tempdir().unwrap();
        check("supervisord", &real(&python, folder.path().to_str().unwrap(), &samples));
    }
}

fn file(path: &str, text: &str) -> ConfigFile {
    let directory = Path::new(path).parent().unwrap().to_str().unwrap().to_owned();
    ConfigFile { path: path.into(), directory, text: text.as_bytes().to_vec() }
}

fn read(text: &str, included: &[(&str, &str)]) -> (ConfigReading, Files, Vec<String>) {
    let mut files = Files::default();
    let mut patterns = Vec::new();
    let mut include = |pattern: &str, from: &Path| {
        assert_eq!(from, Path::new("/etc/s.conf"));
        patterns.push(pattern.to_owned());
        included.iter().map(|(path, text)| file(path, text)).filter(|_| pattern != "none/*").collect()
    };
    let reading =
        Configuration::read(&mut files, vec![file("/etc/s.conf", text)], &Known::default(), &mut include);
    (reading, files, patterns)
}

fn programs(text: &str) -> ConfiguredPrograms {
    read(text, &[]).0.configuration.programs(&Known::default())
}

#[test]
fn an_include_is_read_in_the_order_of_names_and_with_its_own_directory() {
    let text = "[include]\nfiles = %(here)s/conf.d/*.conf none/*\n[program:a]\ncommand=%(here)s/a\n[DEFAULT]\nuser=%(here)s\n";
    let later = ("/etc/conf.d/b.conf", "[program:a]\ncommand=%(here)s/b\n[program:b]\ncommand=x\n");
    let first = ("/etc/conf.d/a.conf", "[program:c]\ncommand=%(here)s/c\n[include]\nfiles=more\n");
    let (reading, _, patterns) = read(text, &[later, first]);
    assert_eq!(patterns, ["/etc/conf.d/*.conf", "none/*"]);
    assert_eq!(reading.unmatched.len(), 1);
    assert_eq!(reading.unmatched[0].pattern, "none/*");
    let configuration = &reading.configuration;
    let value = |section: &str, option: &str| {
        configuration.section(section).unwrap().option(option).unwrap().value.clone()
    };
    assert_eq!(value("program:a", "command"), "/etc/conf.d/b");
    assert_eq!(value("program:c", "command"), "/etc/conf.d/c");
    assert_eq!(
        (value("program:a", "user"), value("program:b", "user")),
        ("/etc".to_owned(), "/etc/conf.d".to_owned())
    );
    let names: Vec<&str> = configuration.sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, ["include", "program:a", "program:c", "program:b"]);
}

#[test]
fn options_keep_their_places_and_comments() {
    let text = "; far\n\n# the web\n# server\n[program:web] ; main\n; what\ncommand = a\n  b ; inner\n\n# now\nuser=x ; who\nUSER=y\n";
    let (reading, files, _) = read(text, &[]);
    let section = &reading.configuration.sections[0];
    assert_eq!(section.comments, ["the web", "server", "main"]);
    let span = |origin: s6gen::diagnostic::Origin| &text[origin.span()];
    assert_eq!(span(section.origin), "[program:web]");
    let [command, user, last] = section.options.as_slice() else { panic!("{section:?}") };
    assert_eq!(
        (span(command.origin), command.comments.as_slice()),
        ("command = a\n  b", ["what".to_owned()].as_slice())
    );
    assert_eq!((span(user.origin), user.comment.as_deref()), ("user=x", Some("who")));
    assert_eq!(user.comments, ["now"]);
    assert_eq!(user.replaced_by, Some(last.origin));
    assert_eq!(files.get(last.origin.file).line_at(last.origin.span().start), 11);
}

#[test]
fn what_python_refuses_is_named_and_the_rest_is_read() {
    let text = "\u{feff}text\n[program:a]\ncommand=x\nno equals sign\n= no name\n[program:b]\ncommand=y\nnumprocs=2\n";
    let (reading, ..) = read(text, &[]);
    let reasons: Vec<&str> = reading.refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    let programs = reading.configuration.programs(&Known::default());
    assert_eq!(programs.programs.iter().map(|program| program.name.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(programs.refusals.len(), 1);
    assert!(programs.supervisord.is_none());
}

#[test]
fn groups_have_their_programs_and_a_program_may_be_in_two() {
    let text = "[program:user]\ncommand=%(group_name)s\n[group:one]\nprograms=user\npriority=5\n[group:user]\nprograms=user\n";
    let programs = programs(text);
    let found: Vec<_> = programs
        .programs
        .iter()
        .map(|program| {
            (program.group.as_deref(), program.options.command.as_written(), program.group_priority.clone())
        })
        .collect();
    let expected = [(Some("one"), "one", 5), (Some("user"), "user", 999)];
    assert_eq!(
        found,
        expected.map(|(group, command, priority)| (group, command.to_owned(), Setting::Known(priority)))
    );
}

#[test]
fn what_a_variable_decides_stays_open() {
    let text = "[program:a]\ncommand=run %(ENV_X)s \"%(ENV_Y)s\" a%(ENV_Z)s %(process_num)02d\nautostart=%(ENV_ON)s\n\
                numprocs=%(ENV_COUNT)s\nprocess_name=a%(process_num)d\nenvironment=A=%(ENV_X)s:1,B=\"%(ENV_A)s\"\ndirectory=%(ENV_A)s\n\
                stdout_logfile=%(ENV_LOG)s\nuser=%(ENV_WHO)s\n";
    let programs = programs(text);
    assert_eq!(programs.refusals, []);
    let program = &programs.programs[0];
    let variable = |name: &str| Expanded(vec![Piece::Variable(name.to_owned())]);
    assert_eq!(program.numprocs_at_run_time, Some(variable("COUNT")));
    assert_eq!(program.options.autostart, Setting::AtRunTime(variable("ON")));
    assert_eq!(program.options.environment[0].value.as_written(), "%(ENV_X)s:1");
    // The option does not see its own variables, but the others do.
    assert_eq!(program.options.environment[1].value.as_written(), "%(ENV_A)s");
    assert_eq!(program.options.directory.as_ref().unwrap().as_written(), "%(ENV_X)s:1");
    assert_eq!((program.processes.len(), program.processes[0].name.as_str()), (1, "a0"));
    let words = words(&program.options.command).unwrap();
    let shown: Vec<String> = words.iter().map(|word| word.text().as_written()).collect();
    assert_eq!(shown, ["run", "%(ENV_X)s", "%(ENV_Y)s", "a%(ENV_Z)s", "%(process_num)02d"]);
    let bare: Vec<Option<&str>> = words.iter().map(|word| word.bare_variable()).collect();
    assert_eq!(bare, [None, Some("X"), None, None, None]);
    assert!(words[2].pieces[0].is_quoted && !words[3].pieces[1].is_quoted);
}

#[test]
fn words_keep_their_lines() {
    let found = words(&Expanded::plain("a b\n  c \"d\ne\" ''\nf")).unwrap();
    let found: Vec<(String, usize)> =
        found.iter().map(|word| (word.text().as_written(), word.line)).collect();
    let expected = [("a", 0), ("b", 0), ("c", 1), ("d\ne", 1), ("", 2), ("f", 3)];
    assert_eq!(found, expected.map(|(word, line)| (word.to_owned(), line)));
    for text in ["", " ", "a \"b", "a \\"] {
        assert!(words(&Expanded::plain(text)).is_err(), "{text:?}");
    }
}

#[test]
fn a_file_without_the_section_supervisord_is_a_part_of_a_configuration() {
    let sample = one_file("[program:a]\ncommand=x\n");
    assert_eq!(ours(&sample, "/etc"), json!({ "refused": "there is no section [supervisord]" }));
    assert_eq!(programs("[program:a]\ncommand=x\n").programs.len(), 1);
}

#[test]
fn what_is_far_too_large_is_refused() {
    let many = |text: &dyn Fn(usize) -> String| (0..20_000).map(text).collect::<String>();
    let sections = many(&|number| format!("[program:p{number}]\n"));
    let options = many(&|number| format!("o{number}=\n"));
    let few = |text: &str| text.lines().take(1000).map(|line| format!("{line}\n")).collect::<String>();
    let files = [
        sections.clone(),
        format!("[program:a]\n{options}"),
        format!("[DEFAULT]\n{}{}", few(&options), few(&sections)),
    ];
    for text in files {
        let reasons: Vec<String> =
            read(&text, &[]).0.refusals.into_iter().map(|refusal| refusal.reason).collect();
        assert_eq!(reasons, ["there are more than 10000 sections and options; s6gen reads no more"]);
    }
    let of_program = |text: &str| programs(&format!("[program:a]\nprocess_name=%(process_num)d\n{text}\n"));
    for text in [format!("command={}", "%(here)9999s".repeat(1000)), "command=x\nnumprocs=99999".to_owned()] {
        assert_eq!(of_program(&text).refusals.len(), 1);
    }
    let variables = many(&|number| format!("V{number}=1,"));
    let found = of_program(&format!("command=x\nenvironment={variables}"));
    assert_eq!(found.programs[0].options.environment.len(), 20_000);
}
