//! What becomes of each option. At the end every option has a line in the report, also those that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Fate, ImportLine, ImportReport, ImportSection};
use crate::diagnostic::Origin;
use crate::supervisord::{ConfigOption, ConfigSection, Configuration};

/// What became of the options so far.
pub(super) struct Fates<'a> {
    configuration: &'a Configuration,
    /// By the number of the section and of the option in it.
    known: BTreeMap<(usize, usize), Vec<KnownFate>>,
    refused: BTreeSet<Origin>,
    /// By section, the number of the option of each name that counts.
    numbers: Vec<BTreeMap<&'a str, usize>>,
    /// The variables whose values are fixed.
    baked: Vec<String>,
}

/// What became of an option.
struct KnownFate {
    fate: Fate,
    becomes: String,
    remark: String,
}

impl<'a> Fates<'a> {
    pub fn new(configuration: &'a Configuration, baked: Vec<String>) -> Self {
        let counting = |section: &'a ConfigSection| {
            let options =
                section.options.iter().enumerate().filter(|(_, option)| option.replaced_by.is_none());
            options.map(|(number, option)| (option.name.as_str(), number)).collect()
        };
        let numbers = configuration.sections.iter().map(counting).collect();
        Fates { configuration, known: BTreeMap::new(), refused: BTreeSet::new(), numbers, baked }
    }

    /// Says what became of the option `name` of a section, if it is written there.
    pub fn set(&mut self, section: usize, name: &str, fate: Fate, becomes: &str, remark: impl Into<String>) {
        if let Some(number) = self.numbers[section].get(name).copied() {
            let known = KnownFate { fate, becomes: becomes.to_owned(), remark: remark.into() };
            self.known.entry((section, number)).or_default().push(known);
        }
    }

    /// Says what became of an option, in place of what was said before.
    pub fn replace(
        &mut self,
        section: usize,
        name: &str,
        fate: Fate,
        becomes: &str,
        remark: impl Into<String>,
    ) {
        if let Some(number) = self.numbers[section].get(name) {
            self.known.remove(&(section, *number));
        }
        self.set(section, name, fate, becomes, remark);
    }

    /// Whether something was said of an option.
    pub fn is_known(&self, section: usize, option: usize) -> bool {
        self.known.contains_key(&(section, option))
    }

    /// Says that the option at this place does not work any more.
    pub fn lose_at(&mut self, origin: Origin, remark: String) {
        for (number, section) in self.configuration.sections.iter().enumerate() {
            let found = section.options.iter().position(|option| option.origin == origin);
            if let Some(option) = found {
                let known = KnownFate { fate: Fate::Lost, becomes: String::new(), remark: remark.clone() };
                self.known.entry((number, option)).or_default().push(known);
            }
        }
    }

    /// Says that supervisord refuses what is written at this place.
    pub fn refuse(&mut self, origin: Origin) {
        self.refused.insert(origin);
    }

    /// The report.
    pub fn report(self, remarks: Vec<String>) -> ImportReport {
        let sections = self.configuration.sections.iter().enumerate();
        let mut report: Vec<ImportSection> =
            sections.map(|(number, section)| self.section(number, section)).collect();
        if let Some(defaults) = &self.configuration.defaults {
            report.insert(0, defaults_section(defaults));
        }
        ImportReport { sections: report, remarks }
    }

    fn section(&self, number: usize, section: &ConfigSection) -> ImportSection {
        let is_refused = self.refused.contains(&section.origin)
            || section.options.iter().any(|option| self.refused.contains(&option.origin));
        let lines = section.options.iter().enumerate().map(|(place, option)| {
            let known = self.known.get(&(number, place)).map_or(&[][..], Vec::as_slice);
            let mut line = line(section, option, known, is_refused);
            let baked = self.baked.iter().find(|name| option.value.contains(&format!("%(ENV_{name})")));
            if let Some(name) = baked.filter(|_| line.fate == Fate::Exact || line.fate == Fate::Emulated) {
                line.fate = Fate::Emulated;
                let between = if line.remark.is_empty() { "" } else { "; " };
                line.remark = format!("{name} is fixed by --bake{between}{}", line.remark);
            }
            if let Some(placeholder) = placeholder(&option.value) {
                line.fate = Fate::Lost;
                line.remark = rewritten(placeholder);
            }
            line
        });
        ImportSection { heading: format!("[{}]", section.name), lines: lines.collect() }
    }
}

fn line(section: &ConfigSection, option: &ConfigOption, known: &[KnownFate], is_refused: bool) -> ImportLine {
    let made = |fate, becomes: String, remark: String| ImportLine {
        origin: Some(option.origin),
        part: format!("{} = {}", option.name, one_line(&option.value)),
        fate,
        becomes,
        remark,
    };
    if option.replaced_by.is_some() {
        return made(Fate::NoEffect, String::new(), "the same option is written again below".to_owned());
    }
    if let Some(worst) = known.iter().map(|known| known.fate).filter(|fate| *fate != Fate::NoEffect).max() {
        let join = |texts: Vec<&str>, between| {
            let mut known = BTreeSet::new();
            let mut different = texts;
            different.retain(|text| !text.is_empty() && known.insert(*text));
            different.join(between)
        };
        let becomes = join(known.iter().map(|known| known.becomes.as_str()).collect(), ", ");
        let remark = join(known.iter().map(|known| known.remark.as_str()).collect(), "; ");
        return made(worst, becomes, remark);
    }
    if let Some(known) = known.first() {
        return made(Fate::NoEffect, known.becomes.clone(), known.remark.clone());
    }
    match is_refused {
        true => made(
            Fate::Lost,
            String::new(),
            "supervisord refuses this section, so it is not imported".to_owned(),
        ),
        false => {
            let kind = section.name.split(':').next().unwrap_or_default();
            let remark =
                format!("supervisord knows no such option in [{kind}] and ignores it; is it misspelt?");
            made(Fate::NoEffect, String::new(), remark)
        }
    }
}

fn defaults_section(defaults: &ConfigSection) -> ImportSection {
    let lines = defaults.options.iter().map(|option| ImportLine {
        origin: Some(option.origin),
        part: format!("{} = {}", option.name, one_line(&option.value)),
        fate: Fate::NoEffect,
        becomes: String::new(),
        remark: "it holds in every section that does not have this option, and is reported there".to_owned(),
    });
    ImportSection { heading: "[DEFAULT]".to_owned(), lines: lines.collect() }
}

/// A part of a value that is no expansion of supervisord: `%USER%`, `{{ USER }}` or `<% USER %>`.
pub(super) fn placeholder(value: &str) -> Option<&str> {
    let between = |start: &str, end: &str| {
        let at = value.find(start)?;
        let length = value[at + start.len()..].find(end)?;
        let inner = &value[at + start.len()..at + start.len() + length];
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_. -".contains(c);
        let is_plain =
            !inner.is_empty() && inner.chars().all(is_name) && (start != "%" || !inner.contains(' '));
        is_plain.then(|| &value[at..at + start.len() + length + end.len()])
    };
    between("{{", "}}").or_else(|| between("<%", "%>")).or_else(|| between("%", "%"))
}

/// What a placeholder means for an import.
pub(super) fn rewritten(placeholder: &str) -> String {
    format!(
        "`{placeholder}` is not supervisord's: something rewrites this file before supervisord reads it; import the file as it \
         is in a running container"
    )
}

/// A value of several lines in one line.
fn one_line(value: &str) -> String {
    value.split('\n').map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}
