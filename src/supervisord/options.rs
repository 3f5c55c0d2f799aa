//! Reads the options of one section: expands them, gives them their types, and notes what supervisord refuses.

use super::expand::{ExpansionNames, expand};
use super::values::ValueReason;
use super::{ConfigOption, ConfigRefusal, ConfigSection, Expanded, Setting};
use crate::diagnostic::Origin;

/// The options of a section, and what is wrong with them.
pub(super) struct SectionOptions<'c> {
    pub section: &'c ConfigSection,
    pub refusals: Vec<ConfigRefusal>,
}

impl<'c> SectionOptions<'c> {
    pub fn new(section: &'c ConfigSection) -> Self {
        SectionOptions { section, refusals: Vec::new() }
    }

    /// The heading.
    pub fn heading(&self) -> Origin {
        self.section.origin
    }

    /// Notes that supervisord does not start.
    pub fn refuse(&mut self, origin: Origin, reason: impl Into<String>) {
        self.push(ConfigRefusal { origin, reason: reason.into(), is_about_machine: false });
    }

    fn push(&mut self, refusal: ConfigRefusal) {
        if !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }

    pub fn option(&self, name: &str) -> Option<&'c ConfigOption> {
        self.section.option(name)
    }

    /// Where an option is written, or else the heading.
    pub fn origin(&self, name: &str) -> Origin {
        self.option(name).map_or(self.heading(), |option| option.origin)
    }

    /// Expands a text that an option has.
    pub fn expand(&mut self, text: &Expanded, names: &ExpansionNames, origin: Origin) -> Option<Expanded> {
        let result = expand(text, names);
        result.map_err(|error| self.push(error.at(origin))).ok()
    }

    /// The text of an option.
    pub fn text(&mut self, name: &str, names: &ExpansionNames) -> Option<Expanded> {
        let option = self.option(name)?;
        self.expand(&Expanded::plain(&option.value), names, option.origin)
    }

    /// The value of a text. What has to wait for the start is not looked at.
    pub fn parse<T>(
        &mut self,
        text: Expanded,
        origin: Origin,
        read: impl Fn(&str) -> Result<T, ValueReason>,
    ) -> Option<Setting<T>> {
        match text.text().map(|text| read(&text)) {
            None => Some(Setting::AtRunTime(text)),
            Some(Ok(value)) => Some(Setting::Known(value)),
            Some(Err(reason)) => {
                self.refuse(origin, reason);
                None
            }
        }
    }

    /// The value of an option, if it is written.
    pub fn optional<T>(
        &mut self,
        name: &str,
        names: &ExpansionNames,
        read: impl Fn(&str) -> Result<T, ValueReason>,
    ) -> Option<Setting<T>> {
        let text = self.text(name, names)?;
        self.parse(text, self.origin(name), read)
    }

    /// The value of an option.
    pub fn setting<T>(
        &mut self,
        name: &str,
        names: &ExpansionNames,
        default: T,
        read: impl Fn(&str) -> Result<T, ValueReason>,
    ) -> Setting<T> {
        self.optional(name, names, read).unwrap_or(Setting::Known(default))
    }
}

impl<T> Setting<T> {
    /// The value, if no variable decides it.
    pub fn known(&self) -> Option<&T> {
        match self {
            Setting::Known(value) => Some(value),
            Setting::AtRunTime(_) => None,
        }
    }
}
