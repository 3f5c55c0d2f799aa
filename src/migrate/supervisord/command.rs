//! The option `command`: a list of words, or a script where a shell is needed.

use super::super::Fate;
use super::endings::{before_the_end, last_programs, speaks_with_supervisord};
use super::shell_text;
use super::text::Texts;
use crate::execline::{base_name, code_words};
use crate::manifest::draft::DraftValue;
use crate::shell::{ShellScript, has_plain_words};
use crate::supervisord::{CommandWord, Piece, WordPiece};

/// What a command becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunForm {
    /// A program with exactly these arguments.
    Words(Vec<String>),
    /// A script.
    Script(String),
}

/// A command of the manifest.
pub(super) struct DraftCommand {
    /// What runs.
    pub run: RunForm,
    /// The priority of the process, from `nice`.
    pub nice: Option<i64>,
    /// Whether the end of the program ended supervisord.
    pub ends_supervisord: bool,
    /// How exact it is.
    pub fate: Fate,
    /// The differences.
    pub remarks: Vec<String>,
}

/// The number of characters after which a line of a script is broken.
const WIDTH: usize = 116;

/// The programs that run a text as a shell script.
const SHELLS: &[&str] = &["sh", "bash"];

impl DraftCommand {
    fn empty() -> Self {
        DraftCommand {
            run: RunForm::Words(Vec::new()),
            nice: None,
            ends_supervisord: false,
            fate: Fate::Exact,
            remarks: Vec::new(),
        }
    }

    /// Translates the words of a command. There is at least one. `is_exact` keeps a shell that a person would leave out.
    pub fn new(words: &[CommandWord], is_exact: bool, texts: &mut Texts) -> Self {
        let mut command = DraftCommand::empty();
        let written: Vec<String> = words.iter().map(|word| word.text().as_written()).collect();
        let words = command.without_wrappers(words);
        command.run = match shell_text_of(words) {
            Some((shell, text)) if is_exact => command.exact_shell(shell, text, words, texts),
            Some((shell, text)) => command.shell(shell, text, words, texts),
            None => command.program(words, texts),
        };
        if !command.ends_supervisord && speaks_with_supervisord(&written.join(" ")) {
            command.fate = Fate::Lost;
            command.remarks.push(
                "it speaks with supervisord, which is not there any more: `s6gen start`, `stop` and `status` take the place of \
                 supervisorctl, `/run/s6/basedir/bin/halt` stops the container"
                    .to_owned(),
            );
        }
        command
    }

    fn differs(&mut self, remark: &str) {
        self.fate = Fate::Emulated;
        self.remarks.push(remark.to_owned());
    }

    /// Takes `pidproxy` and `nice` off the front.
    fn without_wrappers<'w>(&mut self, words: &'w [CommandWord]) -> &'w [CommandWord] {
        let texts: Vec<Option<String>> = words.iter().map(|word| word.text().text()).collect();
        let text = |place: usize| texts.get(place).and_then(|text| text.as_deref());
        let (name, first) = (text(0).map(base_name), text(1).unwrap_or_default());
        let length = match name {
            Some("pidproxy") => 2,
            Some("nice") if first == "-n" => 3,
            Some("nice") if first.starts_with('-') => 2,
            _ => return words,
        };
        if words.len() <= length {
            return words;
        }
        if name == Some("pidproxy") {
            self.differs("pidproxy is a part of supervisor, so it is left out: the program itself must stay in the foreground");
            if text(2).is_some_and(|program| program.ends_with("_safe")) {
                self.fate = Fate::Lost;
                self.remarks.push("signals reach this wrapper, which ignores TERM: run the program itself, such as `mysqld`".to_owned());
            }
            return self.without_wrappers(&words[length..]);
        }
        let number = if length == 3 { text(2) } else { first.strip_prefix("-n").or(first.strip_prefix('-')) };
        let number =
            number.and_then(|number| number.parse().ok()).filter(|number| (-20..=19).contains(number));
        match number {
            Some(number) if self.nice.is_none() => {
                self.nice = Some(number);
                self.without_wrappers(&words[length..])
            }
            _ => words,
        }
    }

    /// A program with its arguments.
    fn program(&mut self, words: &[CommandWord], texts: &mut Texts) -> RunForm {
        let words = &without_newlines_before_code(words);
        if words.iter().any(|word| word.text().as_written().starts_with('\n')) {
            self.remarks.push(
                "a backslash at the end of a line leaves a newline at the front of the next word: supervisord passes it on, \
                 and so does this; remove it if it is not meant"
                    .to_owned(),
            );
        }
        let bare: Vec<&str> = words.iter().filter_map(CommandWord::bare_variable).collect();
        let plain: Vec<String> = words.iter().map(|word| texts.text(&word.text())).collect();
        let references =
            |text: &String| texts.variables.iter().any(|name| text.contains(&format!("${{{name}}}")));
        let in_code = code_words(&plain).into_iter().any(|place| references(&plain[place]));
        // A text that only looks like a variable would become its value.
        let looks_alike = words.iter().flat_map(|word| &word.pieces).any(|part| match &part.piece {
            Piece::Plain(text) => references(text),
            _ => false,
        });
        let is_shell_like = has_shell_syntax(&plain);
        let has_lines = plain.iter().any(|word| word.trim_start_matches('\n').contains('\n'));
        let is_glued = |word: &&CommandWord| {
            let is_open = |part: &WordPiece| matches!(part.piece, Piece::Variable(_)) && !part.is_quoted;
            word.bare_variable().is_none() && word.pieces.iter().any(is_open)
        };
        if words.iter().any(|word| is_glued(&word)) {
            self.differs(
                "a blank in the value would have begun a new word in supervisord; here the word stays whole",
            );
        }
        if bare.is_empty() && !in_code && !looks_alike && !has_lines && !is_shell_like {
            return RunForm::Words(plain);
        }
        if !bare.is_empty() {
            self.differs(&format!(
                "what {} says is split at blanks, as before; quotes in it are not read any more",
                bare.join(", ")
            ));
        }
        RunForm::Script(exec(words, !bare.is_empty(), texts))
    }

    /// The shell with its text, as it was. What a person would have written is offered, if that is different.
    fn exact_shell(
        &mut self,
        shell: &str,
        text: &[WordPiece],
        words: &[CommandWord],
        texts: &mut Texts,
    ) -> RunForm {
        let mut other = DraftCommand::empty();
        let run = other.shell(shell, text, words, texts);
        if other.ends_supervisord || other.fate == Fate::Exact {
            // Nothing else ends the container, and nothing is different.
            self.ends_supervisord = other.ends_supervisord;
            self.fate = self.fate.max(other.fate);
            self.remarks.extend(other.remarks);
            return run;
        }
        let value = match run {
            RunForm::Words(words) => DraftValue::from(words),
            RunForm::Script(script) => script.trim_end().into(),
        };
        self.remarks.push(format!("nearly the same: `run = {}`; {}", value.text(), other.remarks.join("; ")));
        self.program(words, texts)
    }

    /// The text that a shell was called with.
    fn shell(
        &mut self,
        shell: &str,
        text: &[WordPiece],
        words: &[CommandWord],
        texts: &mut Texts,
    ) -> RunForm {
        let is_open = text.iter().any(|part| matches!(part.piece, Piece::Variable(_)));
        let written = shell_text::script(text, texts);
        // A backslash at the end of a line of the configuration leaves a newline here.
        let written = written.trim_start_matches('\n');
        let end = written.trim_end_matches([' ', '\t', '\n']);
        let written = if end.ends_with('\\') { written } else { end };
        if written.is_empty() {
            return self.program(words, texts);
        }
        if is_open {
            self.differs(
                "the values of variables are text in this script; supervisord made them a part of its code",
            );
        }
        let written = match before_the_end(written) {
            Some(program) => {
                self.ends_supervisord = true;
                self.differs("its end stops the container, in place of the command that stopped supervisord; the exit code is then its own, and was 0");
                program
            }
            None => written,
        };
        if let Some(plain) = plain_words(written).filter(|_| !is_open && !written.contains("{{")) {
            self.differs("the program runs without the shell around it, so that signals reach the program");
            return RunForm::Words(plain);
        }
        let script = as_script(shell, written);
        if script.len() > written.len() + "#!/bin/bash\n\n".len() {
            self.differs("its last program takes the place of the shell, so that signals reach the program");
        }
        RunForm::Script(script)
    }
}

/// Whether words look as if they were for a shell, so that an array of them would be taken for a mistake.
fn has_shell_syntax(words: &[String]) -> bool {
    let is_name = |word: &String| word.is_empty() || word.contains([' ', '=', '\t']);
    let has_syntax = |word: &String| {
        word.contains("$(")
            || word.contains('`')
            || matches!(word.as_str(), "&&" | "||" | "|" | ";" | "&")
            || word.starts_with(['>', '<'])
    };
    words.first().is_some_and(is_name) || words.iter().any(has_syntax)
}

/// The words without the newline that a backslash at the end of a line leaves at the front of a text that a shell reads.
fn without_newlines_before_code(words: &[CommandWord]) -> Vec<CommandWord> {
    let mut words = words.to_vec();
    let plain: Vec<String> = words.iter().map(|word| word.text().as_written()).collect();
    for place in code_words(&plain) {
        if let Some(WordPiece { piece: Piece::Plain(text), .. }) = words[place].pieces.first_mut() {
            *text = text.trim_start_matches('\n').to_owned();
        }
    }
    words
}

/// The shell and its text, if a command is `sh -c TEXT` and nothing more.
fn shell_text_of(words: &[CommandWord]) -> Option<(&'static str, &[WordPiece])> {
    let [name, option, text] = words else { return None };
    let name = name.text().text()?;
    let shell = SHELLS.iter().find(|shell| **shell == base_name(&name))?;
    (option.text().text()? == "-c").then_some((*shell, text.pieces.as_slice()))
}

/// The words of a text that is one simple command in which a shell has nothing to do.
fn plain_words(text: &str) -> Option<Vec<String>> {
    let script = ShellScript::read(text).filter(|_| has_plain_words(text))?;
    let command = script.only_command()?;
    let is_whole = command.span() == (0..text.len());
    let is_program = command.name()?.is_program();
    if !is_whole || !is_program || command.has_assignments() {
        return None;
    }
    command.words().into_iter().map(|(word, _)| word).collect()
}

/// A text of a shell as a script, in which the last program takes the place of the shell, as in `sh -c`. Without `#!` a script
/// runs in `sh -e`, which would end it at the first failure.
fn as_script(shell: &str, text: &str) -> String {
    let script = ShellScript::read(text);
    let places = script.as_ref().map_or_else(Vec::new, last_programs);
    let is_only = places == [0] && script.as_ref().is_some_and(|script| script.only_command().is_some());
    // `sh -c TEXT` had no arguments; s6 gives a script the name of its service.
    let set = if script.as_ref().is_some_and(ShellScript::uses_arguments) { "set --\n" } else { "" };
    let mut text = text.to_owned();
    places.into_iter().rev().for_each(|place| text.insert_str(place, "exec "));
    match shell {
        "sh" if is_only => format!("{set}{text}\n"),
        "sh" => format!("#!/bin/sh\n{set}{text}\n"),
        _ => format!("#!/bin/bash\n{set}{text}\n"),
    }
}

/// A script that replaces itself with a program, in the lines of the configuration.
fn exec(words: &[CommandWord], has_bare: bool, texts: &mut Texts) -> String {
    // Otherwise `*` in the value would become names of files.
    let mut out = String::from(if has_bare { "set -f\nexec" } else { "exec" });
    let mut line = words.first().map_or(0, |word| word.line);
    let mut column = "exec".len();
    let written: Vec<String> = words.iter().map(|word| shell_text::word(word, texts)).collect();
    for (place, (word, text)) in words.iter().zip(&written).enumerate() {
        // An option and its value stay together.
        let value = written.get(place + 1).filter(|next| text.starts_with('-') && !next.starts_with('-'));
        let length = text.chars().count() + value.map_or(0, |value| value.chars().count() + 1);
        let is_value = place > 0 && written[place - 1].starts_with('-') && !text.starts_with('-');
        let is_new = word.line > line || column + length > WIDTH && !is_value;
        out.push_str(if is_new { " \\\n  " } else { " " });
        column = if is_new { 2 } else { column + 1 } + text.chars().count();
        line = word.line;
        out.push_str(text);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::text::Texts;
    use super::{DraftCommand, RunForm};
    use crate::supervisord::{Expanded, Piece, words};

    fn texts() -> Texts {
        Texts {
            is_template: false,
            directory: "/".to_owned(),
            instance_format: "d".to_owned(),
            variables: BTreeSet::new(),
            has_own_names: false,
            exports: Vec::new(),
            formats: Vec::new(),
        }
    }

    fn command(text: &str) -> DraftCommand {
        read(text, false)
    }

    fn read(text: &str, is_exact: bool) -> DraftCommand {
        // `{X}` stands for the value of a variable.
        let mut pieces = Vec::new();
        for (place, part) in text.split(['{', '}']).enumerate() {
            pieces.push(match place % 2 {
                0 => Piece::Plain(part.to_owned()),
                _ => Piece::Variable(part.to_owned()),
            });
        }
        pieces.retain(|piece| *piece != Piece::Plain(String::new()));
        DraftCommand::new(&words(&Expanded(pieces)).unwrap(), is_exact, &mut texts())
    }

    #[track_caller]
    fn gives_words(text: &str, words: &[&str]) {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(command(text).run, RunForm::Words(words));
    }

    #[track_caller]
    fn gives_script(text: &str, script: &str) {
        assert_eq!(command(text).run, RunForm::Script(script.to_owned()));
    }

    #[test]
    fn a_program_keeps_its_words() {
        gives_words("nginx -g 'daemon off;'", &["nginx", "-g", "daemon off;"]);
        gives_words("web --port={PORT}", &["web", "--port=${PORT}"]);
        gives_words("bash -lc 'a b'", &["bash", "-lc", "a b"]);
        assert_eq!(command("nice -n 5 nice -n5 web").nice, Some(5));
    }

    #[test]
    fn a_shell_goes_where_it_has_nothing_to_do() {
        gives_words("sh -c 'web --port 80'", &["web", "--port", "80"]);
        gives_words("/bin/bash -c \"web 'a b'\"", &["web", "a b"]);
        gives_script("sh -c 'web >/dev/null'", "exec web >/dev/null\n");
        gives_script("bash -c 'a && b'", "#!/bin/bash\na && exec b\n");
        gives_script(
            "sh -c 'if a; then web; else sleep infinity; fi'",
            "#!/bin/sh\nif a; then exec web; else exec sleep infinity; fi\n",
        );
        gives_script("sh -c 'trap x TERM; web'", "#!/bin/sh\ntrap x TERM; web\n");
        gives_script("sh -c 'sleep 1; web'", "#!/bin/sh\nsleep 1; exec web\n");
    }

    #[test]
    fn an_exact_command_keeps_its_shell() {
        let command = read("sh -c 'web --port 80'", true);
        assert_eq!(command.run, RunForm::Words(["sh", "-c", "web --port 80"].map(str::to_owned).to_vec()));
        assert!(command.remarks[0].starts_with("nearly the same: `run = [\"web\", \"--port\", \"80\"]`; "));
        let value = RunForm::Script("exec sh -c \"web ${PORT}\"\n".to_owned());
        assert_eq!(read("sh -c 'web {PORT}'", true).run, value);
        assert!(read("sh -c 'web; supervisorctl shutdown'", true).ends_supervisord);
    }

    #[test]
    fn values_stay_data() {
        gives_script("web {ARGUMENTS}", "set -f\nexec web ${ARGUMENTS}\n");
        gives_script("sh -c 'web -p {PORT}'", "exec web -p ${PORT}\n");
        gives_script("sh -c \"web '{PORT}'\"", "exec web ''\"${PORT}\"''\n");
        gives_script("bash -lc 'web {PORT}'", "exec bash -lc \"web ${PORT}\"\n");
    }

    #[test]
    fn a_program_whose_end_ended_supervisord_ends_the_container() {
        let command = command("sh -c 'web; kill -15 $(cat /run/supervisord.pid)'");
        assert_eq!(command.run, RunForm::Words(vec!["web".to_owned()]));
        assert!(command.ends_supervisord);
    }
}
