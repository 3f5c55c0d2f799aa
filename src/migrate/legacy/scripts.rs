//! Judges the scripts of s6-overlay 2: which ones no manifest can have, which ones change services, and what has another name in
//! version 3.

use super::{LegacyFile, LegacyFiles};
use crate::migrate::tree::text_problem;
use crate::model::File;

/// Texts in scripts that make services or change them while the container starts.
const MAKES_SERVICES: &[&str] =
    &["services.d", "s6-rc.d", "prepare_service", "/assets/functions", "s6-rc-compile"];
/// The directories of running services. Who only speaks with a service there changes nothing.
const RUNNING_SERVICES: &[&str] = &["/run/service", "/run/s6/services"];
/// The programs that only speak with services.
const SPEAKS: &[&str] = &["s6-svc ", "s6-svscanctl ", "s6-svstat ", "s6-svwait ", "s6-svok "];

/// What has another name in version 3: a longer text stands before the shorter one that it contains.
const NEW_NAMES: &[(&str, &str)] = &[
    ("s6-svscanctl -t /var/run/s6/services", "/run/s6/basedir/bin/halt"),
    ("/var/run/s6/env-stage3/S6_STAGE2_EXITED", "/run/s6-linux-init-container-results/exitcode"),
    ("/var/run/s6/services", "/run/service"),
    ("s6-test", "eltest"),
];
/// The first words of scripts that version 3 has in another directory.
const OLD_PROGRAMS: &[&str] =
    &["/usr/bin/with-contenv", "/usr/bin/execlineb", "/bin/with-contenv", "/bin/execlineb"];

/// The first script of the boot that makes services, and the line in which it does: nothing can be imported beside it.
pub(super) fn maker(files: &LegacyFiles) -> Option<(&String, String)> {
    let of_boot = files.iter().filter(|(path, _)| path.starts_with("cont-init.d/"));
    of_boot.filter(|(path, _)| !path.contains("/.")).find_map(|(path, file)| {
        let LegacyFile::Regular(file) = file else { return None };
        let text = String::from_utf8_lossy(&file.content);
        let makes = |line: &str| {
            let has = |marks: &[&str]| marks.iter().any(|mark| line.contains(mark));
            has(MAKES_SERVICES) || has(RUNNING_SERVICES) && !has(SPEAKS)
        };
        let mut lines = (1..).zip(text.lines().map(str::trim));
        let (number, line) = lines.find(|(_, line)| !line.starts_with('#') && makes(line))?;
        Some((path, format!("line {number}: `{}`", line.replace('`', "'"))))
    })
}

/// Why a file cannot be a script of a manifest.
pub(super) fn script_problem(file: &LegacyFile) -> Option<String> {
    match file {
        LegacyFile::Dangling(target) => Some(format!(
            "it is a link to `{target}`, which leads to nothing here (to import it, put the file itself in its place)"
        )),
        LegacyFile::Other(reason) => Some(reason.clone()),
        LegacyFile::Regular(file) => text_problem(&file.content).map(|problem| format!("it {problem}")),
    }
}

/// Whether the system can start a file: version 2 had no shell that reads a script without a first line.
pub(super) fn has_no_first_line(file: &LegacyFile) -> bool {
    matches!(file, LegacyFile::Regular(file) if text_problem(&file.content).is_none() && !file.content.starts_with(b"#!"))
}

/// Whether a script fails on purpose: it ends with an exit code of its own, or after the first command that fails.
pub(super) fn fails_on_purpose(text: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || ";(){}&|".contains(c);
    let stops_at_errors = |word: &str| word.starts_with('-') && word.contains('e') || word == "errexit";
    text.lines().enumerate().any(|(number, line)| {
        let line = line.trim();
        if number == 0 && line.starts_with("#!") {
            return line.split_whitespace().skip(1).any(|word| word.starts_with("-e"));
        }
        let words: Vec<&str> = line.split(is_end).filter(|word| !word.is_empty()).collect();
        let fails = |pair: &[&str]| match pair[0] {
            "exit" => pair[1] != "0",
            "set" => stops_at_errors(pair[1]) || pair[1] == "-o" && line.contains("errexit"),
            _ => false,
        };
        !line.starts_with('#') && (words.windows(2).any(fails) || words.contains(&"bashio::exit.nok"))
    })
}

/// Whether a script uses its own path, which is another one in a definition.
pub(super) fn uses_own_path(text: &str) -> bool {
    let marks = ["\"$0\"", "dirname $0", "basename $0", "${0%", "${0##", "${0}", "BASH_SOURCE"];
    let mut code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    code.any(|line| marks.iter().any(|mark| line.contains(mark)))
}

/// The script with the names of version 3, and what they stand for. The first line is not mentioned. Version 2 gave every script
/// the x bit.
pub(super) fn with_new_names(file: &File) -> (File, Vec<String>) {
    let Ok(text) = str::from_utf8(&file.content) else {
        return (File { executable: true, ..file.clone() }, Vec::new());
    };
    let mut text = text.to_owned();
    let mut changes = Vec::new();
    for (old, new) in NEW_NAMES {
        let renamed = replace_words(&text, old, new);
        if renamed != text {
            changes.push(format!("`{old}` is `{new}` now"));
            text = renamed;
        }
    }
    for old in OLD_PROGRAMS {
        let Some(rest) = text.strip_prefix("#!").map(str::trim_start).and_then(|rest| rest.strip_prefix(old))
        else {
            continue;
        };
        if rest.starts_with(char::is_whitespace) {
            let name = old.rsplit('/').next().unwrap_or(old);
            text = format!("#!/command/{name}{rest}");
            break;
        }
    }
    (File { content: text.into_bytes().into(), executable: true }, changes)
}

/// Replaces a text where it is not a part of a longer word or path.
fn replace_words(text: &str, old: &str, new: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        let is_inside = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let is_word = !before.ends_with(|c: char| is_inside(c) || c == '/') && !after.starts_with(is_inside);
        out.push_str(before);
        out.push_str(if is_word { new } else { old });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{fails_on_purpose, has_no_first_line, with_new_names};
    use crate::migrate::legacy::LegacyFile;
    use crate::model::File;

    fn file(text: &str) -> File {
        File { content: text.as_bytes().to_vec().into(), executable: true }
    }

    #[test]
    fn scripts_get_the_names_of_version_three() {
        let new = |text: &str| String::from_utf8(with_new_names(&file(text)).0.content.into_owned()).unwrap();
        assert_eq!(
            new(
                "#!/usr/bin/execlineb -S0\nif { s6-test ${1} -ne 0 }\ns6-svscanctl -t /var/run/s6/services\n"
            ),
            "#!/command/execlineb -S0\nif { eltest ${1} -ne 0 }\n/run/s6/basedir/bin/halt\n"
        );
        assert_eq!(
            new("#!/bin/sh\ns6-svc -r /var/run/s6/services/web\n"),
            "#!/bin/sh\ns6-svc -r /run/service/web\n"
        );
        for other in
            ["#!/bin/sh\n/bin/s6-test x\n", "#!/usr/bin/execlineb2\n", "#!/bin/sh\nmy-s6-test\ns6-tests\n"]
        {
            assert_eq!(new(other), other);
        }
    }

    #[test]
    fn scripts_that_mean_to_fail_are_found() {
        for text in [
            "#!/bin/sh\n[ -n \"$A\" ] || exit 1\n",
            "#!/bin/sh -e\n",
            "#!/bin/bash\nset -euo pipefail\n",
            "#!/bin/bash\nset -o errexit\n",
            "#!/bin/sh\nif x; then exit $code; fi\n",
        ] {
            assert!(fails_on_purpose(text), "{text}");
        }
        for text in
            ["#!/bin/sh\n# exit 1\nexit 0\n", "#!/bin/sh\nset -x\nexit\n", "#!/usr/bin/env sh\necho exit\n"]
        {
            assert!(!fails_on_purpose(text), "{text}");
        }
    }

    #[test]
    fn an_empty_file_cannot_be_started() {
        assert!(has_no_first_line(&LegacyFile::Regular(file(""))));
        assert!(!has_no_first_line(&LegacyFile::Regular(file("#!/bin/sh\n"))));
    }
}
