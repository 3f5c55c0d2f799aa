//! Tests the formats of `check`: each is a whole document for every input, and holds what the program that reads it demands.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::golden::{cases, compare};

const FORMATS: &[&str] = &["concise", "json", "sarif", "github", "gitlab", "junit"];

fn check(folder: &Path, format: &str, words: &[&OsStr]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
    command.args(["check", "--format", format]).args(words).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn each_format_prints_the_expected_document() {
    for case in cases("format") {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(case.join("services.toml"), folder.path().join("services.toml")).unwrap();
        let printed = FORMATS.iter().map(|format| {
            let output = check(folder.path(), format, &["services.toml".as_ref()]);
            format!("--format {format}\n{}exit {}\n\n", text(&output), output.status.code().unwrap())
        });
        compare(&case, &printed.collect::<String>());
    }
}

/// Inputs of every kind: right ones, wrong ones, those that cannot be read, and those with hostile names and texts.
fn inputs(folder: &Path) -> Vec<Vec<&'static OsStr>> {
    let hostile = "[longrun.\"a\\n::error::b\"]\nrun = ['x', '$HOME %0A ]]> & < \u{202e}', '\u{1b}[31m']\nnonsense = 1\n";
    fs::write(folder.join("good.toml"), "[longrun.web]\nrun = ['web']\n").unwrap();
    fs::write(folder.join("hostile.toml"), hostile).unwrap();
    fs::write(folder.join("binary.toml"), b"\xff\xfe\0\n").unwrap();
    fs::write(folder.join(", :%\n name.toml"), "[longrun.web]\nrun = '$(x) && y'\nuser = 3\n").unwrap();
    fs::create_dir_all(folder.join("s6-rc.d/\u{7}web")).unwrap();
    fs::write(folder.join("s6-rc.d/\u{7}web/type"), "longrun\n").unwrap();
    fs::write(folder.join("s6-rc.d/\u{7}web/run"), b"#!/bin/sh\n\xff\xff\n").unwrap();
    let lists: [&[&[u8]]; 8] = [
        &[b"good.toml"],
        &[b"hostile.toml"],
        &[b"binary.toml"],
        &[b", :%\n name.toml"],
        &[b"missing.toml"],
        &[b"missing\xff.toml"],
        &[b"--tree", b"s6-rc.d"],
        &[b"--root", b"missing"],
    ];
    lists.iter().map(|words| words.iter().map(|word| OsStr::from_bytes(word)).collect()).collect()
}

/// The number of problems, which the format `json` shows.
fn count(folder: &Path, words: &[&OsStr]) -> usize {
    let answer: Value = serde_json::from_slice(&check(folder, "json", words).stdout).unwrap();
    answer["problems"].as_array().unwrap().len()
}

/// Runs `test` on the document of every input, with the number of its problems.
fn for_every_input(format: &str, test: impl Fn(&str, usize)) {
    let folder = tempfile::tempdir().unwrap();
    for words in inputs(folder.path()) {
        let output = check(folder.path(), format, &words);
        let human = check(folder.path(), "human", &words);
        assert_eq!(output.status.code(), human.status.code(), "{words:?}");
        test(&text(&output), count(folder.path(), &words));
    }
}

#[test]
fn a_concise_report_has_a_line_for_each_problem() {
    for_every_input("concise", |document, count| {
        assert_eq!(document.lines().count(), count, "{document}");
        assert!(!document.contains(|c: char| c.is_control() && c != '\n'), "{document:?}");
        for line in document.lines() {
            assert!(line.contains("error[") || line.contains("warning["), "{line}");
        }
    });
}

/// What GitHub's runner reads from a line: the command, its properties, and the text.
fn github(line: &str) -> (String, Vec<(String, String)>, String) {
    let line = line.strip_prefix("::").unwrap_or_else(|| panic!("not a command: {line}"));
    let (head, text) = line.split_once("::").unwrap();
    let (command, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescape = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let properties = properties.split(',').filter(|property| !property.is_empty()).map(|property| {
        let (key, value) = property.split_once('=').unwrap();
        let value = unescape(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
        (key.to_owned(), value)
    });
    (command.to_owned(), properties.collect(), unescape(text).replace("%25", "%"))
}

#[test]
fn a_github_command_has_one_line_and_its_properties_survive() {
    for_every_input("github", |document, count| {
        let commands: Vec<_> = document.lines().map(github).collect();
        assert_eq!(commands.iter().filter(|(command, ..)| command != "notice").count(), count, "{document}");
        for (command, properties, text) in commands {
            assert!(["error", "warning", "notice"].contains(&command.as_str()), "{command}");
            for (key, value) in &properties {
                match key.as_str() {
                    "file" => assert!(!value.is_empty() && !value.starts_with('/'), "{value}"),
                    "title" => assert!(value.contains("::"), "{value}"),
                    "line" | "endLine" | "col" | "endColumn" => assert!(value.parse::<usize>().unwrap() > 0),
                    _ => panic!("GitHub has no property {key}"),
                }
            }
            assert!(!text.is_empty());
        }
    });
}

#[test]
fn a_gitlab_report_has_what_gitlab_demands() {
    for_every_input("gitlab", |document, count| {
        let list: Vec<Value> = serde_json::from_str(document).unwrap();
        assert_eq!(list.len(), count, "{document}");
        let fingerprints: BTreeSet<&str> =
            list.iter().map(|entry| entry["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(fingerprints.len(), count, "each has its own fingerprint: {document}");
        for entry in &list {
            let path = entry["location"]["path"].as_str().unwrap();
            assert!(!path.is_empty() && !path.starts_with("./") && !path.starts_with('/'), "{path}");
            assert!(entry["location"]["lines"]["begin"].as_u64().unwrap() > 0, "{entry}");
            assert!(!entry["description"].as_str().unwrap().is_empty(), "{entry}");
            assert!(entry["check_name"].is_string(), "{entry}");
            let severities = ["info", "minor", "major", "critical", "blocker"];
            assert!(severities.contains(&entry["severity"].as_str().unwrap()), "{entry}");
        }
    });
}

#[test]
fn a_junit_report_is_xml_whose_counts_are_right() {
    for_every_input("junit", |document, count| {
        let document =
            roxmltree::Document::parse(document).unwrap_or_else(|error| panic!("{error}: {document}"));
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let number = |name| suite.attribute(name).unwrap().parse::<usize>().unwrap();
        let all = |tag: &str| suite.descendants().filter(|node| node.has_tag_name(tag)).count();
        assert_eq!(document.root_element().tag_name().name(), "testsuites");
        assert_eq!((number("tests"), all("testcase")), (count.max(1), count.max(1)));
        assert_eq!((number("failures"), number("errors")), (all("failure"), 0));
        assert_eq!(number("skipped"), all("skipped"));
        for case in suite.children().filter(|node| node.is_element()) {
            assert!(case.attribute("name").is_some() && case.attribute("classname").is_some());
        }
    });
}

/// Holds a SARIF log to what the standard and GitHub's code scanning demand of it.
#[test]
fn a_sarif_log_has_what_code_scanning_demands() {
    for_every_input("sarif", |document, count| {
        let log: Value = serde_json::from_str(document).unwrap();
        assert_eq!(log["version"], "2.1.0");
        assert!(log["$schema"].as_str().unwrap().contains("sarif-2.1.0"));
        let runs = log["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 1);
        let driver = &runs[0]["tool"]["driver"];
        assert_eq!(driver["name"], "s6gen");
        let rules = driver["rules"].as_array().unwrap();
        let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rules.len(), "a rule is listed once");
        for rule in rules {
            for text in ["/shortDescription/text", "/help/text", "/help/markdown"] {
                assert!(!rule.pointer(text).unwrap().as_str().unwrap().is_empty(), "{rule}");
            }
        }
        let results = runs[0]["results"].as_array().unwrap();
        assert_eq!(results.len(), count, "{document}");
        let mut fingerprints = BTreeSet::new();
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(fingerprints.insert(result["partialFingerprints"]["s6gen/v1"].to_string()), "{result}");
            let locations = result["locations"].as_array().unwrap();
            assert_eq!(locations.len(), 1, "code scanning shows the first one: {result}");
            for location in locations.iter().chain(result["relatedLocations"].as_array().unwrap()) {
                let uri =
                    location.pointer("/physicalLocation/artifactLocation/uri").unwrap().as_str().unwrap();
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
                assert!(!uri.is_empty() && !uri.starts_with('/') && uri.bytes().all(is_plain), "{uri}");
                if let Some(region) = location.pointer("/physicalLocation/region") {
                    assert!(region["startLine"].as_u64().unwrap() > 0, "{region}");
                    // Of a whole file only the first line is marked.
                    let at = |name: &str| region[name].as_u64().unwrap_or(1);
                    let is_whole = region["endLine"].is_null();
                    let is_ordered = (at("startLine"), at("startColumn")) <= (at("endLine"), at("endColumn"));
                    assert!(is_whole || at("startColumn") > 0 && is_ordered, "{region}");
                }
            }
        }
    });
}

#[test]
fn paths_are_relative_to_the_root_of_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("images/web")).unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(folder.path().join("images/services.toml"), "[longrun.web]\nrun = 3\n").unwrap();
    let below = folder.path().join("images/web");
    let whole = fs::canonicalize(folder.path()).unwrap().join("images/services.toml");
    for path in ["../services.toml".as_ref(), "./../web/../services.toml".as_ref(), whole.as_os_str()] {
        for (format, start) in
            [("github", "::error file=images/services.toml,"), ("concise", "images/services.toml:2:")]
        {
            let printed = text(&check(&below, format, &[path]));
            assert!(printed.starts_with(start), "{printed}");
        }
    }
}

#[test]
fn more_than_twenty_problems_are_counted_by_code() {
    let folder = tempfile::tempdir().unwrap();
    let services: String = (0..21).map(|n| format!("[longrun.s{n}]\nrun = ['web', '$A']\n")).collect();
    fs::write(folder.path().join("services.toml"), services + "[longrun.x]\nrun = ['x']\nuser = 0\n")
        .unwrap();
    let report = String::from_utf8(check(folder.path(), "human", &[]).stderr).unwrap();
    let end: Vec<&str> = report.lines().rev().take(3).collect();
    assert_eq!(end[1..], ["     1  manifest::wrong-type", "    21  lint::literal-variable"], "{report}");
}

/// Environment variables and their values.
type Variables = &'static [(&'static str, &'static str)];

#[test]
fn colours_follow_the_option_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = 3\n").unwrap();
    let is_coloured = |word: &str, variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s6gen"));
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(variables.iter().copied());
        let output = command.args([word, "check"]).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stderr).unwrap().contains('\u{1b}')
    };
    let cases: [(&str, Variables, bool); 7] = [
        ("--color=auto", &[], false),
        ("--color=always", &[], true),
        ("--color=auto", &[("CLICOLOR_FORCE", "1")], true),
        ("--color=auto", &[("CLICOLOR_FORCE", "0")], false),
        ("--color=auto", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ("--color=never", &[("CLICOLOR_FORCE", "1")], false),
        ("--color=always", &[("NO_COLOR", "1")], true),
    ];
    for (word, variables, expected) in cases {
        assert_eq!(is_coloured(word, variables), expected, "{word} {variables:?}");
    }
}

#[test]
fn wrong_usage_is_a_document_too() {
    let folder = tempfile::tempdir().unwrap();
    let printed = |words: &str| {
        let output = crate::baseline::check(folder.path(), words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        String::from_utf8(output.stdout).unwrap()
    };
    let sarif: serde_json::Value = serde_json::from_str(&printed("--nonsense --format sarif")).unwrap();
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert!(
        invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap().contains("nonsense")
    );
    let json: serde_json::Value = serde_json::from_str(&printed("--nonsense --json")).unwrap();
    assert!(
        json["command"] == "check" && json["messages"][0].as_str().unwrap().contains("nonsense"),
        "{json}"
    );
    let junit = printed("--format=junit --deny no-such-rule");
    assert!(junit.contains("errors=\"1\"") && junit.contains("<error message="), "{junit}");
    assert!(printed("--format github --nonsense").starts_with("::error::"));
    assert_eq!(printed("--nonsense"), "");
}

#[test]
fn sarif_has_the_fixes_of_texts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("services.toml"), "[longrun.web]\nrun = ['web']\ntimeout_up = '3s'\n")
        .unwrap();
    let output = crate::baseline::check(folder.path(), "--format sarif");
    let sarif: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let change = &run["results"][0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "services.toml");
    let replacement = &change["replacements"][0];
    let region = &replacement["deletedRegion"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"], &region["endColumn"]),
        (&3.into(), &1.into(), &11.into())
    );
    assert_eq!(replacement["insertedContent"]["text"], "timeout-up");
}
