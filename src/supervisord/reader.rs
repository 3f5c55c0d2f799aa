//! Reads files into a [`Configuration`], as Python's RawConfigParser does with the arguments that supervisord passes.

use std::path::{Path, PathBuf};

use super::expand::{ExpansionNames, expand};
use super::lines::{BYTE_ORDER_MARK, ConfigLine, decode};
use super::python::{is_space, strip};
use super::{ConfigOption, ConfigRefusal, ConfigSection, Configuration, Expanded, Known};
use crate::diagnostic::{FileId, Files, Origin};

/// A file to read.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// The path, as reports show it.
    pub path: PathBuf,
    /// The absolute directory in which supervisord finds it: `%(here)s`.
    pub directory: String,
    /// Its bytes.
    pub text: Vec<u8>,
}

/// A pattern of `[include]` that no file matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedInclude {
    /// The option `files`.
    pub origin: Origin,
    /// The pattern. A variable whose value is not known stands in it as written.
    pub pattern: String,
}

/// What [`Configuration::read`] makes of files.
#[derive(Debug, Clone, Default)]
pub struct ConfigReading {
    /// The configuration, without the parts that Python refuses.
    pub configuration: Configuration,
    /// What Python refuses.
    pub refusals: Vec<ConfigRefusal>,
    /// The patterns that no file matches.
    pub unmatched: Vec<UnmatchedInclude>,
}

impl Configuration {
    /// Reads the files `main`, and then those that the option `files` of the section `[include]` names. `include` gets each pattern
    /// and the path of the file in which it is written, and returns the files that match; their order does not matter.
    pub fn read(
        files: &mut Files,
        main: Vec<ConfigFile>,
        known: &Known,
        include: &mut dyn FnMut(&str, &Path) -> Vec<ConfigFile>,
    ) -> ConfigReading {
        let mut parser = Parser::default();
        parser.configuration.directory = main.first().map(|file| file.directory.clone()).unwrap_or_default();
        let is_one = main.len() == 1;
        for file in main {
            parser.add(files, &file);
            if !is_one || parser.configuration.section("include").is_some() {
                parser.expand_here(&file.directory);
            }
        }
        let unmatched = parser.include(files, known, include);
        parser.copy_defaults(|_| true);
        ConfigReading { configuration: parser.configuration, refusals: parser.refusals, unmatched }
    }

    /// The section with this name.
    pub fn section(&self, name: &str) -> Option<&ConfigSection> {
        self.sections.iter().find(|section| section.name == name)
    }
}

impl ConfigSection {
    /// The option with this name that counts.
    pub fn option(&self, name: &str) -> Option<&ConfigOption> {
        self.options.iter().find(|option| option.name == name && option.replaced_by.is_none())
    }
}

/// The name of the section whose options all others have.
const DEFAULT: &str = "DEFAULT";

#[derive(Default)]
struct Parser {
    configuration: Configuration,
    refusals: Vec<ConfigRefusal>,
    /// How many sections, options and patterns of `[include]` there are, with copies.
    count: usize,
    /// How many bytes the files have.
    size: usize,
}

/// The most sections and options that are read. Those of `[DEFAULT]` count once for each section.
const MOST: usize = 10_000;

/// The most bytes of all files together.
pub const LARGEST_OF_ALL: usize = 16 << 20;

/// Where options go.
#[derive(Clone, Copy)]
enum Home {
    Defaults,
    /// The section with this number.
    Section(usize),
}

/// What the lines of a file before the current one mean for it.
#[derive(Default)]
struct LineContext {
    /// The section.
    section: Option<Home>,
    /// Whether the last option of the section may go on in this line.
    is_open: bool,
    /// How far the last heading or option is indented, in characters.
    indent: usize,
    /// The comment lines directly above.
    comments: Vec<String>,
    /// Whether text before the first section was refused.
    is_headless: bool,
}

impl Parser {
    fn add(&mut self, files: &mut Files, file: &ConfigFile) {
        self.size += file.text.len();
        let id = files.add(&file.path, file.text.clone());
        if self.size > LARGEST_OF_ALL {
            let reason = "all files together are larger than 16 MB; s6gen reads no more".to_owned();
            return self.refusals.push(ConfigRefusal {
                origin: Origin::whole(id),
                reason,
                is_about_machine: true,
            });
        }
        let (text, error) = decode(&file.text);
        if let Some(span) = error {
            self.refuse(Origin::new(id, span), "the file is not UTF-8 text");
        }
        let mut context = LineContext::default();
        let mut start = 0;
        if text.starts_with(BYTE_ORDER_MARK) {
            start = BYTE_ORDER_MARK.len_utf8();
            let reason =
                "the file begins with a byte order mark, which counts as text before the first section";
            self.refuse(Origin::new(id, 0..start), reason);
        }
        while start < text.len() {
            if self.count > MOST {
                self.refuse_size(Origin::whole(id));
                break;
            }
            let (line, next) = ConfigLine::at(&text, start);
            self.read_line(id, &line, &mut context);
            start = next;
        }
        self.close(&context);
    }

    fn refuse(&mut self, origin: Origin, reason: &str) {
        self.refusals.push(ConfigRefusal { origin, reason: reason.to_owned(), is_about_machine: false });
    }

    fn refuse_size(&mut self, origin: Origin) {
        let reason = format!("there are more than {MOST} sections and options; s6gen reads no more");
        self.refusals.push(ConfigRefusal { origin, reason, is_about_machine: true });
    }

    fn read_line(&mut self, file: FileId, line: &ConfigLine, context: &mut LineContext) {
        if line.value.is_empty() {
            match line.comment {
                Some(comment) => context.comments.push(comment.to_owned()),
                None => {
                    context.comments.clear();
                    if let Some(option) = self.open_option(context) {
                        option.value.push('\n');
                    }
                }
            }
            return;
        }
        if line.indent > context.indent && self.open_option(context).is_some() {
            context.comments.clear();
            if let Some(option) = self.open_option(context) {
                option.value.push('\n');
                option.value.push_str(line.value);
                option.origin = Origin::new(file, option.origin.span().start..line.span().end);
            }
            return;
        }
        context.indent = line.indent;
        match (line.heading(), context.section) {
            (Some(name), _) => self.open_section(file, line, name, context),
            (None, Some(section)) => self.open_option_line(file, line, section, context),
            (None, None) => {
                if !context.is_headless {
                    self.refuse(Origin::new(file, line.span()), "there is text before the first section");
                }
                context.is_headless = true;
            }
        }
        context.comments.clear();
    }

    /// The option whose value goes on.
    fn open_option(&mut self, context: &LineContext) -> Option<&mut ConfigOption> {
        let home = context.section.filter(|_| context.is_open)?;
        self.section(home)?.options.last_mut()
    }

    fn section(&mut self, home: Home) -> Option<&mut ConfigSection> {
        match home {
            Home::Defaults => self.configuration.defaults.as_mut(),
            Home::Section(number) => self.configuration.sections.get_mut(number),
        }
    }

    /// Removes the empty lines at the end of a value.
    fn close(&mut self, context: &LineContext) {
        if let Some(option) = self.open_option(context) {
            option.value.truncate(option.value.trim_end_matches(is_space).len());
        }
    }

    fn open_section(&mut self, file: FileId, line: &ConfigLine, name: &str, context: &mut LineContext) {
        self.close(context);
        self.count += 1;
        let comments = context.comments.drain(..).chain(line.comment.map(str::to_owned));
        let new = ConfigSection {
            name: name.to_owned(),
            origin: Origin::new(file, line.span()),
            comments: comments.collect(),
            options: Vec::new(),
        };
        let sections = &mut self.configuration.sections;
        let found = sections.iter().position(|section| section.name == name);
        let (home, section) = match found {
            _ if name == DEFAULT => (Home::Defaults, self.configuration.defaults.as_mut()),
            Some(number) => (Home::Section(number), sections.get_mut(number)),
            None => (Home::Section(sections.len()), None),
        };
        match (home, section) {
            (_, Some(section)) => section.comments.extend(new.comments),
            (Home::Defaults, None) => self.configuration.defaults = Some(new),
            (Home::Section(_), None) => self.configuration.sections.push(new),
        }
        context.section = Some(home);
        context.is_open = false;
    }

    fn open_option_line(
        &mut self,
        file: FileId,
        line: &ConfigLine,
        section: Home,
        context: &mut LineContext,
    ) {
        let Some(equals) = line.value.find(['=', ':']) else {
            return self.refuse(Origin::new(file, line.span()), "this line has no `=`");
        };
        self.close(context);
        self.count += 1;
        let name = line.value[..equals].trim_end_matches(is_space).to_lowercase();
        if name.is_empty() {
            context.is_open = false;
            return self.refuse(Origin::new(file, line.span()), "there is no name before the `=`");
        }
        let origin = Origin::new(file, line.span());
        let option = ConfigOption {
            name,
            value: strip(&line.value[equals + 1..]).to_owned(),
            origin,
            comments: std::mem::take(&mut context.comments),
            comment: line.comment.map(str::to_owned),
            replaced_by: None,
            is_default: false,
        };
        if let Some(section) = self.section(section) {
            section.add(option);
        }
        context.is_open = true;
    }

    /// Replaces `%(here)s` in every option that has no other directory yet. It does so also in options of `[DEFAULT]`, once for
    /// each section that has them, and after a `%`, as supervisord does.
    fn expand_here(&mut self, directory: &str) {
        self.copy_defaults(|option| option.value.contains(HERE));
        for option in self.configuration.sections.iter_mut().flat_map(|section| &mut section.options) {
            option.value = option.value.replace(HERE, directory);
        }
    }

    /// Gives every section the options of `[DEFAULT]` that it has not itself.
    fn copy_defaults(&mut self, is_wanted: impl Fn(&ConfigOption) -> bool) {
        let defaults = self.configuration.defaults.iter().flat_map(|defaults| &defaults.options);
        let defaults = defaults.filter(|option| option.replaced_by.is_none() && is_wanted(option));
        let defaults: Vec<ConfigOption> =
            defaults.map(|option| ConfigOption { is_default: true, ..option.clone() }).collect();
        self.count += defaults.len() * self.configuration.sections.len();
        if let Some(origin) = defaults.first().map(|option| option.origin).filter(|_| self.count > MOST) {
            return self.refuse_size(origin);
        }
        for section in &mut self.configuration.sections {
            for option in &defaults {
                if section.option(&option.name).is_none() {
                    section.options.push(option.clone());
                }
            }
        }
    }

    /// Reads the files that `[include]` names.
    fn include(
        &mut self,
        files: &mut Files,
        known: &Known,
        include: &mut dyn FnMut(&str, &Path) -> Vec<ConfigFile>,
    ) -> Vec<UnmatchedInclude> {
        let mut unmatched = Vec::new();
        let Some(section) = self.configuration.section("include") else { return unmatched };
        let heading = section.origin;
        let defaults = self.configuration.defaults.as_ref();
        let option = section.option("files").or_else(|| defaults?.option("files")).cloned();
        let Some(option) = option else {
            self.refuse(heading, "`[include]` has no option `files`");
            return unmatched;
        };
        let names = ExpansionNames::new(known, &self.configuration.directory).with_host(known);
        let patterns = match expand(&Expanded::plain(&option.value), &names) {
            Ok(patterns) => patterns.as_written(),
            Err(error) => {
                self.refusals.push(error.at(option.origin));
                return unmatched;
            }
        };
        let mut patterns: Vec<&str> =
            patterns.split(is_space).filter(|pattern| !pattern.is_empty()).collect();
        // To read the same files again at once changes nothing.
        patterns.dedup();
        for pattern in patterns {
            self.count += 1;
            if self.count > MOST {
                self.refuse_size(option.origin);
                break;
            }
            if scans_impossible_directory(pattern) {
                self.refuse(option.origin, "the path of a directory contains a NUL byte");
                continue;
            }
            let mut found = include(pattern, files.path(option.origin.file));
            found.sort_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
            if found.is_empty() {
                unmatched.push(UnmatchedInclude { origin: option.origin, pattern: pattern.to_owned() });
            }
            for file in found {
                self.add(files, &file);
                if self.size > LARGEST_OF_ALL {
                    return unmatched;
                }
                self.expand_here(&file.directory);
            }
        }
        unmatched
    }
}

/// Whether Python would list a directory whose path contains a NUL byte: that is an error, unlike one that does not exist.
fn scans_impossible_directory(pattern: &str) -> bool {
    let magic = pattern.find(['*', '?', '[']).unwrap_or(0);
    pattern[..magic].rfind('/').is_some_and(|end| pattern[..end].contains('\0'))
}

/// What supervisord replaces with the directory of a file as soon as it has read the file, if there is an `[include]`.
const HERE: &str = "%(here)s";

impl ConfigSection {
    /// Adds an option, and marks those that it replaces. One from `[DEFAULT]` was only a copy.
    fn add(&mut self, option: ConfigOption) {
        self.options.retain(|old| !old.is_default || old.name != option.name);
        for old in &mut self.options {
            if old.name == option.name && old.replaced_by.is_none() {
                old.replaced_by = Some(option.origin);
            }
        }
        self.options.push(option);
    }
}
