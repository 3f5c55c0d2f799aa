//! Reads the `type` file of a definition, and helps if it is missing or wrong.

use super::definition::DefinitionReader;
use super::encoding::{LINE_ENDS, NO_MARK, encoding};
use super::reason;
use crate::diagnostic::{Class, Diagnostic, Fix, Origin, did_you_mean};
use crate::model::{CompilerStep, DefinitionFile};
use crate::source::Directory;

impl<D: Directory> DefinitionReader<'_, D> {
    /// The place of the `type` file, and the type if it is valid.
    pub(super) fn type_file(&mut self) -> (Origin, Option<&'static str>) {
        let content = match self.content("type", 64) {
            Some(Ok(content)) => content,
            failure => {
                let origin = self.context.origin("", "", 0..0);
                let name = &self.context.name;
                let message = match failure {
                    Some(Err(error)) => format!("cannot read `type` of `{name}`: {}", reason(&error)),
                    _ if self.entry("type").is_some() => {
                        format!("`type` of `{name}` is a symbolic link that leads nowhere")
                    }
                    _ => format!("`{name}` has no `type` file"),
                };
                let (help, note) = self.help_without_type();
                let mut problem =
                    Diagnostic::s6rc(Class::TypeRead, self.reading(CompilerStep::Type, 0), message)
                        .at(origin, "every directory in a source directory is a service definition")
                        .help(help);
                problem.notes.extend(note);
                self.push(problem);
                return (origin, None);
            }
        };
        // The compiler reads only 8 bytes, so it accepts `longrun` and a newline with any text after it.
        let (head, rest) = content.split_at(content.len().min(8));
        let origin = self.context.origin("type", content.as_slice(), 0..content.trim_ascii_end().len());
        let kind = type_of(head);
        if kind.is_some() && !rest.trim_ascii().is_empty() {
            self.facts.text_after_type = Some(Origin::new(origin.file, 8..content.trim_ascii_end().len()));
        }
        if kind.is_none() {
            self.invalid_type(origin, &content);
        }
        (origin, kind)
    }

    /// The help for a definition without a type, and a note on what it probably is.
    pub(super) fn help_without_type(&self) -> (String, Option<String>) {
        let name = &self.context.name;
        if let Some(link) = self.source.hidden_link(name.as_bytes()) {
            let link = link.display();
            let note = format!(
                "it replaces `{link}` of a lower layer, which is a symbolic link: a directory adds only to a directory"
            );
            let help = "where s6gen made the link, `include` the manifest of that layer and build both together; otherwise add \
                        to the directory that the link leads to";
            return (help.into(), Some(note));
        }
        let has = |file: &str| self.entry(file).is_some();
        let lists = ["dependencies.d", "dependencies", "contents.d", "contents"];
        let visible = self.entries.iter().filter(|entry| !entry.name.starts_with(b"."));
        let extends = visible.clone().count() > 0
            && visible.clone().all(|entry| lists.iter().any(|list| entry.name == list.as_bytes()));
        let wanted = match (has("run"), has("up"), has("contents.d") || has("contents")) {
            (true, false, false) => Some("longrun"),
            (false, true, false) => Some("oneshot"),
            (false, false, true) => Some("bundle"),
            _ => None,
        };
        if extends && self.is_in_an_image() {
            let help = "no layer of this image has the rest of it: remove it, or write `longrun`, `oneshot` or `bundle` into \
                        `type`";
            return (help.into(), None);
        }
        if extends && (*name == *"user" || *name == *"user2") {
            let help = "check the tree as /init compiles it, with `--overlay VERSION`: s6-overlay has the rest of it";
            return (help.into(), None);
        }
        if extends {
            let note = format!(
                "it probably adds to `{name}` of a base image, which has the rest of this definition and is not here"
            );
            let help = "check it with `--overlay VERSION`, together with the files of that image (`--layer`)";
            return (help.into(), Some(note));
        }
        if let Some(wanted) = wanted {
            let only = visible.clone().count() == 1 && !self.is_in_an_image();
            let write = format!("write `{wanted}` into `type`");
            return match only {
                true => (
                    format!(
                        "check it together with the image that has the rest of it (`--layer`); if no image has it, {write}"
                    ),
                    Some("a single file may add to a definition of a base image".into()),
                ),
                false => (write, None),
            };
        }
        if visible.clone().any(|entry| DefinitionFile::find(&entry.name).is_some()) {
            return ("write `longrun`, `oneshot` or `bundle` into `type`".into(), None);
        }
        let help =
            "move it out of the source directory: scripts and other files can lie anywhere else in the image";
        (help.into(), None)
    }

    pub(super) fn invalid_type(&mut self, origin: Origin, content: &[u8]) {
        let name = &self.context.name;
        let text = String::from_utf8_lossy(content);
        let word = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
        let types = ["longrun", "oneshot", "bundle"];
        let first = word.lines().next().unwrap_or_default().trim();
        let exact = types.into_iter().find(|known| first.to_lowercase() == *known);
        let (label, help) = match (exact, did_you_mean(word, types)) {
            _ if let Some(mark) = encoding(content) => (mark, NO_MARK.to_owned()),
            (Some(exact), _)
                if content.starts_with(exact.as_bytes()) && content[exact.len()..].starts_with(b"\r") =>
            {
                ("the line ends with CR LF, as Windows writes it", LINE_ENDS.to_owned())
            }
            (Some(exact), _) if word.starts_with(exact) && word.len() > exact.len() => (
                "there is more text than the type",
                format!("write `{exact}` and a newline, and nothing else"),
            ),
            (Some(exact), _) => (
                "this is not a type",
                format!(
                    "write `{exact}` and a newline: no blanks, no CR, no capital letters, no second line"
                ),
            ),
            (None, Some(close)) => ("this is not a type", format!("did you mean `{close}`?")),
            (None, None) if content.is_empty() => {
                let (help, _) = self.help_without_type();
                ("this file is empty", help)
            }
            (None, None) => ("this is not a type", "write `longrun`, `oneshot` or `bundle`".into()),
        };
        // Marks and blanks around the right word are what the compiler does not accept.
        let word = word.trim_matches('\u{feff}');
        let fix = match exact.filter(|exact| word.eq_ignore_ascii_case(exact)) {
            Some(exact) => Some(Fix::rewrite(origin.file, format!("{exact}\n"))),
            None => exact
                .or_else(|| did_you_mean(word, types))
                .map(|near| Fix::rewrite(origin.file, format!("{near}\n")).likely()),
        };
        let problem = Diagnostic::s6rc(
            Class::TypeInvalid,
            self.reading(CompilerStep::Type, 1),
            format!("the type of `{name}` is not exactly `longrun`, `oneshot` or `bundle`"),
        )
        .at(origin, label)
        .help(help)
        .fix(fix);
        self.push(problem);
    }
}

/// The type that the first 8 bytes of a `type` file name.
fn type_of(head: &[u8]) -> Option<&'static str> {
    if head.len() < 6 {
        return None;
    }
    let word = head.strip_suffix(b"\n").unwrap_or(head);
    if word.len() == 8 {
        return None;
    }
    match word.split(|byte| *byte == 0).next()? {
        b"oneshot" => Some("oneshot"),
        b"longrun" => Some("longrun"),
        b"bundle" => Some("bundle"),
        _ => None,
    }
}
