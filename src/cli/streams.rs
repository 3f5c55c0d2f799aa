//! The output streams of a command, its answer for a program, and its exit code.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use super::progress_line::ProgressLine;
use crate::diagnostic::{Diagnostic, Files, Problems, Severity};
use crate::disk;
use crate::jobs::JobError;
use crate::model::{Database, printable, printable_lines};
use crate::report::{self, Document, Format, Repository, Style};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Exit code 0: success.
    Success,
    /// Exit code 1: problems in the input, or a difference.
    Problems,
    /// Exit code 2: wrong usage; for `diff` also problems in the input.
    Misused,
    /// Exit code 3: the system refused.
    Refused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Success => ExitCode::SUCCESS,
            Outcome::Problems => ExitCode::from(1),
            Outcome::Misused => ExitCode::from(2),
            Outcome::Refused => ExitCode::from(3),
        }
    }
}

/// The largest number of problems that are printed for people.
const MOST_REPORTS: usize = 1000;

/// The number of problems after which a summary by code is printed too.
const MANY: usize = 20;

/// How many bytes of the files are read to draw them.
const MOST_READ: usize = 64 << 20;

/// Where output goes.
pub(super) struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    style: Style,
    /// The number of characters in a line, if standard output is a terminal.
    pub(super) width: Option<usize>,
    /// The error of a failed write to standard output.
    write_error: Option<io::Error>,
    /// The answer to a program, printed at the end.
    answer: Option<Box<dyn Document>>,
    /// Whether this answer only lists problems.
    lists_problems: bool,
    /// The line that shows long work.
    progress: Option<ProgressLine>,
}

impl<'a> Streams<'a> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
        style: Style,
        width: Option<usize>,
    ) -> Self {
        Streams {
            out,
            err,
            style,
            width,
            write_error: None,
            answer: None,
            lists_problems: false,
            progress: None,
        }
    }

    /// Switches the output to a document for a program: the answer of `command`.
    pub(super) fn answer_in(&mut self, format: &Format, command: &'static str) {
        self.answer = Some((format.begin)(command, repository()));
        self.lists_problems = format.lists_problems;
    }

    /// Decides whether reports have colours.
    pub(super) fn paint(&mut self, style: Style) {
        self.style = style;
    }

    /// Whether the output is a document for a program.
    pub(super) fn is_for_program(&self) -> bool {
        self.answer.is_some()
    }

    /// Adds the fields of the command itself to the answer.
    pub(super) fn answer(&mut self, fields: serde_json::Value) {
        if let Some(answer) = &mut self.answer {
            answer.add_fields(fields);
        }
    }

    /// Adds fields of the command itself whose values are JSON already.
    pub(super) fn answer_json(&mut self, fields: impl IntoIterator<Item = (&'static str, String)>) {
        if let Some(answer) = &mut self.answer {
            fields.into_iter().for_each(|(name, value)| answer.add_json(name, value));
        }
    }

    /// Adds the compiled database to the answer.
    pub(super) fn answer_database(&mut self, database: impl FnOnce() -> Database) {
        if let Some(answer) = self.answer.as_mut().filter(|_| !self.lists_problems) {
            // This cannot fail, because every key is a string.
            answer.add_json("db", serde_json::to_string(&database()).unwrap_or_default());
        }
    }

    /// Prints what the user asked for. Values in the text have been made printable, so that they begin no line.
    pub(super) fn say(&mut self, text: &str) {
        self.put(&printable_lines(text));
    }

    /// Prints a text that has lines of its own, such as a file or a script, without any change.
    pub(super) fn say_exactly(&mut self, text: &str) {
        self.put(text);
    }

    /// Shows a line while the command works and prints nothing.
    pub(super) fn show_progress(&mut self, line: ProgressLine) {
        self.progress = Some(line);
    }

    /// Hides this line for good.
    pub(super) fn hide_progress(&mut self) {
        self.progress = None;
    }

    fn put(&mut self, text: &str) {
        // The answer is the end of the work.
        self.hide_progress();
        let result = self.out.write_all(text.as_bytes());
        self.note_write_error(result);
    }

    fn note_write_error(&mut self, result: io::Result<()>) {
        // A reader that closes the pipe (`s6gen graph | head`) has read enough.
        let lost = result.err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        self.write_error = self.write_error.take().or(lost);
    }

    /// Completes the output; reports an error if it cannot be written.
    pub(super) fn end(&mut self, outcome: Outcome) -> Outcome {
        self.hide_progress();
        if let Some(mut answer) = self.answer.take() {
            if matches!(outcome, Outcome::Misused | Outcome::Refused) {
                answer.fail();
            }
            let written = answer.write(&mut self.out);
            self.note_write_error(written);
        }
        let flushed = self.out.flush();
        self.note_write_error(flushed);
        match self.write_error.take() {
            None => outcome,
            Some(error) => {
                self.tell(&format!("s6gen: cannot write to standard output: {error}"));
                Outcome::Refused
            }
        }
    }

    /// Prints a message of one line for people on standard error.
    pub(super) fn tell(&mut self, message: &str) {
        if let Some(answer) = &mut self.answer {
            answer.add_message(message);
        }
        self.write(&printable(message));
        self.write("\n");
    }

    /// Prints a text of several lines on standard error. Values in it have been made printable.
    pub(super) fn tell_lines(&mut self, text: &str) {
        if let Some(answer) = &mut self.answer {
            answer.add_message(text.trim_end());
        }
        self.write(&printable_lines(text));
    }

    fn write(&mut self, text: &str) {
        self.progress.iter().for_each(ProgressLine::hide);
        let _ = self.err.write_all(text.as_bytes());
    }

    /// Reports why a job failed.
    pub(super) fn refuse(&mut self, error: &JobError) -> Outcome {
        self.report(&error.problems, &error.files);
        if error.is_of_system() { Outcome::Refused } else { Outcome::Problems }
    }

    /// Reports the problems of the input: to a person, or to a program.
    pub(super) fn report_input(&mut self, problems: &Problems, files: &Files) {
        match &mut self.answer {
            Some(answer) => {
                problems.iter().for_each(|problem| answer.add_problem(problem, files));
                self.tell_left_out(problems);
            }
            None => self.report_all(problems, files),
        }
    }

    /// Reports the problems of the input to a person, and to a program if one asked.
    pub(super) fn report_all(&mut self, problems: &Problems, files: &Files) {
        self.report(problems.iter(), files);
        self.tell_left_out(problems);
    }

    fn tell_left_out(&mut self, problems: &Problems) {
        if problems.left_out() > 0 {
            self.tell(&format!("{} more problems are not listed: correct these first", problems.left_out()));
        }
    }

    /// Reports every problem, then how many there are.
    pub(super) fn report<'p>(&mut self, problems: impl IntoIterator<Item = &'p Diagnostic>, files: &Files) {
        let (mut errors, mut warnings) = (0, 0);
        let mut by_code: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut shown, mut read) = (0, 0);
        for problem in problems {
            if let Some(answer) = &mut self.answer {
                answer.add_problem(problem, files);
            }
            *by_code.entry(problem.code.slug()).or_default() += 1;
            match problem.severity {
                Severity::Error => errors += 1,
                Severity::Warning | Severity::Advice => warnings += 1,
            }
            read += report::read_for(problem, files);
            if errors + warnings <= MOST_REPORTS && read <= MOST_READ {
                shown += 1;
                let text = report::human(problem, files, self.style);
                self.write(&text);
            }
        }
        if errors + warnings > shown {
            let rest = errors + warnings - shown;
            self.write(&format!("{rest} more are not shown; `s6gen check --format json` lists them\n"));
        }
        if errors + warnings > MANY {
            self.summarise(by_code);
        }
        let counts = [(errors, "error"), (warnings, "warning")].into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, noun)| counted(count, noun)).collect();
        if !counts.is_empty() {
            self.write(&format!("{}; `s6gen explain CODE` says more about each\n", counts.join(", ")));
        }
    }
}

impl Streams<'_> {
    /// Prints how many problems there are of each code, the most frequent first.
    fn summarise(&mut self, by_code: BTreeMap<&str, usize>) {
        let mut counts: Vec<(&str, usize)> = by_code.into_iter().collect();
        counts.sort_by_key(|(_, count)| Reverse(*count));
        for (code, count) in counts {
            self.write(&format!("{count:6}  {code}\n"));
        }
    }
}

/// The repository in which the command runs.
pub(super) fn repository() -> Repository {
    let (current, root) = disk::repository();
    Repository { current, root }
}

/// A number and its noun: `1 error`, `2 errors`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
