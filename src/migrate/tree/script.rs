//! Decides where a script stays, and which environment it gets.

use std::collections::BTreeMap;

use crate::manifest::draft::DraftTable;
use crate::model::File;
use crate::shell::{as_the_kernel_splits, first_line, several_words};

/// A longer script gets a file of its own.
const MOST_LINES: usize = 15;

/// Why a manifest cannot have a script with this content.
pub(in crate::migrate) fn text_problem(content: &[u8]) -> Option<&'static str> {
    let Ok(text) = str::from_utf8(content) else { return Some("is a compiled program, or not UTF-8") };
    if text.contains('\0') {
        return Some("contains a NUL byte");
    }
    if text.starts_with('\u{feff}') {
        return Some("begins with a byte order mark");
    }
    if text.contains('\r') {
        return Some("has line ends of Windows, which a manifest would change");
    }
    let words = as_the_kernel_splits(first_line(text));
    // `env` and `with-contenv` alone would run the script again and again, or nothing.
    let names_none = match &words[..] {
        [] => true,
        [program] => ["", "env", "with-contenv"].contains(&base_name(program)),
        [program, interpreter, ..] => {
            ["env", "with-contenv"].contains(&base_name(program)) && interpreter.is_empty()
        }
    };
    if text.starts_with("#!") && (names_none || several_words(text).is_some()) {
        return Some("has a first line with which the system cannot start it");
    }
    None
}

/// The script with another first line, if its first line loads the environment of the container: s6gen loads it.
pub(super) fn without_contenv(text: &str) -> Option<String> {
    let words = as_the_kernel_splits(first_line(text).strip_prefix("").filter(|_| text.starts_with("#!"))?);
    let [program, interpreter] = &words[..] else { return None };
    if base_name(program) != "with-contenv"
        || interpreter.contains(char::is_whitespace)
        || interpreter.starts_with('-')
    {
        return None;
    }
    let line_end = text.find('\n').unwrap_or(text.len());
    let first = match interpreter.starts_with('/') {
        true => format!("#!{interpreter}"),
        false => format!("#!/usr/bin/env {interpreter}"),
    };
    Some(first + &text[line_end..])
}

/// The name of the shell that reads a script, if it is a plain one: `sh`, `bash`, `dash` or `ash`, at most with `-e` and `-u`.
pub(super) fn plain_shell(text: &str) -> Option<&str> {
    let line = first_line(text.starts_with("#!").then_some(text)?);
    let mut words = line.split_ascii_whitespace();
    let mut program = base_name(words.next()?);
    if matches!(program, "env" | "with-contenv") {
        program = base_name(words.next()?);
    }
    let has_plain_options = words.all(|word| ["-e", "-u", "-eu", "-ue"].contains(&word));
    (["sh", "bash", "dash", "ash"].contains(&program) && has_plain_options).then_some(program)
}

/// Whether the first command of a script sends standard error to standard output.
pub(super) fn joins_outputs(text: &str) -> bool {
    let mut lines = text.lines().skip(1).map(str::trim);
    lines.find(|line| !line.is_empty() && !line.starts_with(['#']) && !line.starts_with("set "))
        == Some("exec 2>&1")
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where a script stands in the new system, for the report.
pub(super) fn put(
    table: &mut DraftTable,
    files: &mut BTreeMap<String, File>,
    key: &str,
    text: &str,
) -> String {
    let has_first_line = text.starts_with("#!");
    if text.lines().count() <= MOST_LINES || !has_first_line {
        table.set(key, text);
        return format!("`{key}`, a script");
    }
    let service = table.path.last().map_or("", String::as_str);
    let path = format!("scripts/{service}/{key}");
    table.set(&format!("{key}.file"), path.as_str());
    let becomes = format!("`{key}.file`, the script `{path}`");
    files.insert(path, File { content: text.as_bytes().to_vec().into(), executable: false });
    becomes
}

/// Whether a script may look at its own path or at its arguments.
pub(super) fn sees_itself(text: &str) -> bool {
    ["$0", "${0", "$1", "${1", "$@", "${@", "$*", "${*", "$#", "BASH_SOURCE", "dirname", "shift", "getopts"]
        .iter()
        .any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::{plain_shell, text_problem, without_contenv};

    #[test]
    fn the_interpreter_behind_with_contenv_is_kept() {
        let without = |text: &str| without_contenv(text);
        assert_eq!(without("#!/usr/bin/with-contenv bash\nx\n").unwrap(), "#!/usr/bin/env bash\nx\n");
        assert_eq!(without("#!/command/with-contenv /bin/sh").unwrap(), "#!/bin/sh");
        for other in [
            "#!/bin/sh\n",
            "with-contenv bash\n",
            "#!/command/with-contenv\n",
            "#!/command/with-contenv bash -e\n",
        ] {
            assert_eq!(without(other), None, "{other}");
        }
    }

    #[test]
    fn shells_with_other_options_are_not_plain() {
        assert_eq!(plain_shell("#!/bin/sh -e\n"), Some("sh"));
        assert_eq!(plain_shell("#!/command/with-contenv bash\n"), Some("bash"));
        for other in ["#!/bin/bash -l\n", "#!/usr/bin/env bashio\n", "exec x\n", "#!/command/execlineb -P\n"]
        {
            assert_eq!(plain_shell(other), None, "{other}");
        }
    }

    #[test]
    fn some_files_cannot_be_texts_of_a_manifest() {
        for content in [
            &b"\x7fELF\xff"[..],
            b"#!/bin/sh\0",
            b"#!/bin/sh\r\n",
            b"#!\n",
            b"#!/usr/bin/env\n",
            b"#!/",
            b"#!/command/with-contenv bash -e\n",
        ] {
            assert!(text_problem(content).is_some(), "{content:?}");
        }
        assert_eq!(text_problem(b"#!/bin/sh\n"), None);
    }
}
