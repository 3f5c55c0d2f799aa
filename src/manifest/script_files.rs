//! Puts the scripts that a manifest names as files, `run.file = "scripts/web.sh"`, in the place of their paths.

use super::values::{ManifestCommand, ManifestText, RawText};
use super::{Manifest, ServiceKeys, Table};
use crate::diagnostic::{Code, Diagnostic, FileId, Files, Origin, Positions, Problems};

impl Manifest {
    /// Replaces the path of each script by what `script` returns for it. From then on it is a script like any other. The files of
    /// a manifest are relative to it, so this comes before a merge with other manifests.
    pub fn with_script_files(&mut self, mut script: impl FnMut(&ManifestText) -> ManifestCommand) {
        let mut visit = |command: &mut ManifestCommand| {
            if let ManifestCommand::File(path) = command {
                *command = script(path);
            }
        };
        self.longrun_defaults.each_command(&mut visit);
        self.oneshot_defaults.each_command(&mut visit);
        for entry in &mut self.services {
            match &mut entry.keys {
                ServiceKeys::Longrun(keys) => keys.each_command(&mut visit),
                ServiceKeys::Oneshot(keys) => keys.each_command(&mut visit),
                ServiceKeys::Bundle(_) => {}
            }
        }
    }
}

/// The script in the file `file`, which the manifest names at `path`. Reports content that cannot be a script.
pub fn script_of_file(
    path: &ManifestText,
    files: &Files,
    file: FileId,
    problems: &mut Problems,
) -> ManifestCommand {
    let source = files.get(file);
    let shown = source.path.display();
    let mut unusable = |what: &str, place: usize, help: &str| {
        let line = 1 + source.text[..place].iter().filter(|byte| **byte == b'\n').count();
        let problem = Diagnostic::new(Code::ScriptFile, format!("line {line} of `{shown}` {what}"));
        problems.push(problem.at(path.origin, "the script is in this file").help(help));
        ManifestCommand::Broken(path.origin)
    };
    let text = match str::from_utf8(&source.text) {
        Ok(text) => text,
        Err(error) => {
            let help = "save it as UTF-8; if it is a compiled program, copy it into the image and run it there: `[\"/PATH\"]`";
            return unusable("is not UTF-8 text", error.valid_up_to(), help);
        }
    };
    if let Some(place) = text.find('\0') {
        return unusable("contains a NUL byte", place, "remove the NUL: a script cannot contain it");
    }
    if text.starts_with('\u{feff}') {
        let help = "save it without the mark: neither the system nor a shell understands it";
        return unusable("begins with a byte order mark", 0, help);
    }
    // As in a string of the manifest, CR LF becomes LF.
    let positions = match text.contains("\r\n") {
        true => Positions::new(Origin::whole(file), runs(text)),
        false => Positions::of_file(file),
    };
    ManifestCommand::Shell(RawText::of_file(&text.replace("\r\n", "\n"), path), positions)
}

/// The offsets at which the lines begin that follow a CR LF, in the text with LF and in the file. The LF itself counts to the new
/// run.
fn runs(text: &str) -> Vec<(u32, u32)> {
    let cut = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let line_ends = text.match_indices("\r\n").enumerate();
    [(0, 0)].into_iter().chain(line_ends.map(|(before, (at, _))| (cut(at - before), cut(at + 1)))).collect()
}

#[cfg(test)]
mod tests {
    use super::runs;
    use crate::diagnostic::{Files, Origin, Positions};

    #[test]
    fn words_are_found_in_a_file_with_other_line_ends() {
        let text = "\r\n#!/bin/sh\r\na b\n\r\nc\r\n";
        let file = Files::default().add("x", text);
        let positions = Positions::new(Origin::whole(file), runs(text));
        let script = text.replace("\r\n", "\n");
        for word in ["#!/bin/sh", "a", "b", "c"] {
            let at = script.find(word).unwrap();
            assert_eq!(&text[positions.at(at..at + word.len()).span()], word);
        }
    }
}
