//! How the command lines and checks of a definition use its scripts: as programs, or as files that a shell reads.

use crate::diagnostic::Origin;
use crate::execline::SHELLS;
use crate::model::{Called, Found, Kind, Missing, Program, Script, ScriptUse, Service};

/// Whether a script is started by its path: s6-supervise starts `run` and `finish`, and a command line may start others. A
/// script that a shell only reads does not count.
pub(super) fn is_run(service: &Service, program: &Program) -> bool {
    let Some(definition) = service.definition() else { return false };
    let is_own = matches!(program.file.as_ref(), "run" | "finish") && service.longrun().is_some();
    is_own || definition.called.iter().any(|called| called.path == program.file && runs(service, called))
}

/// Whether a file is run and not only read. A file without the x bit does not count: the lint `not-executable` reports it.
fn runs(service: &Service, called: &Called) -> bool {
    matches!(called.found, Found::File { executable: true })
        && (called.how == ScriptUse::Check || is_command(service, called.by, called.how))
}

/// Where a command line has a word that ends with the path.
pub(super) fn mention(service: &Service, by: &str, path: &str) -> Option<Origin> {
    let program = service.program(by)?;
    let words = program.words();
    let word = words.into_iter().find(|word| word.text.trim_matches('"').ends_with(path));
    // A script need not have words for execline.
    let span = match word {
        Some(word) => word.span(),
        None => program.text().find(path).map(|at| at..at + path.len())?,
    };
    Some(program.at(span))
}

/// What happens where the file `by` runs a script that cannot be run. A `run` may go on after it.
pub(super) fn failure(by: &str, why: &str) -> String {
    match by {
        "run" => format!("this fails with {why}"),
        _ => format!("the start fails with {why}"),
    }
}

/// Whether the word before the script is a shell, which reads it.
pub(super) fn is_read_by_shell(service: &Service, missing: &Missing) -> bool {
    let ScriptUse::Word(number) = missing.how else { return missing.how == ScriptUse::Reads };
    let Some(words) = words_of(service, missing.by) else { return false };
    let program = |word: &[u8]| {
        let name = word.rsplit(|byte| matches!(byte, b'/' | b' ')).next().unwrap_or_default();
        SHELLS.iter().any(|shell| shell.as_bytes() == name)
    };
    number.checked_sub(1).is_some_and(|before| program(&words[before]))
}

/// The words of a command line of a oneshot.
fn words_of<'a>(service: &'a Service, file: &str) -> Option<&'a [Vec<u8>]> {
    let Kind::Oneshot(oneshot) = &service.kind else { return None };
    let script = match file {
        "up" => Some(&oneshot.up),
        "down" => oneshot.down.as_ref(),
        _ => oneshot.reload.as_ref(),
    };
    match script {
        Some(Script::Words(words)) => Some(words),
        _ => None,
    }
}

/// Whether a script that a file names is run as a program.
pub(super) fn is_command(service: &Service, file: &str, how: ScriptUse) -> bool {
    let ScriptUse::Word(number) = how else { return how == ScriptUse::Runs };
    let Some(words) = words_of(service, file) else { return false };
    let depth = |word: &[u8]| word.iter().take_while(|byte| **byte == b' ').count();
    let program =
        |word: &[u8]| word.rsplit(|byte| matches!(byte, b'/' | b' ')).next().unwrap_or_default().to_vec();
    let Some(before) = number.checked_sub(1).map(|at| &words[at]) else { return true };
    let is_block_end = before.iter().all(|byte| *byte == b' ');
    let opens = depth(before) < depth(&words[number]) && !is_block_end;
    let two_before = number.checked_sub(2).map(|at| program(&words[at]));
    opens
        || is_block_end
        || program(before) == b"with-contenv"
        || two_before.is_some_and(|program| program == b"s6-setuidgid")
}
