//! The instances and services that were added to a manifest while its system runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The additions to a manifest while its system runs: instances of its templates, and services that consist of a command.
/// They are stored as a second manifest beside the definitions. [`Manifest::with`] adds it to the first one.
///
/// [`Manifest::with`]: super::Manifest::with
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Additions {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    longrun: BTreeMap<String, Addition>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    oneshot: BTreeMap<String, Addition>,
}

/// The values of an instance's parameters.
pub type Parameters = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Addition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    instances: BTreeMap<String, Parameters>,
}

/// What an addition changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdditionChange {
    /// It is new.
    Added,
    /// It existed, with other values.
    Changed,
    /// It existed already, with the same values.
    Unchanged,
}

/// One addition, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AddedEntry<'a> {
    /// An instance of a template.
    Instance {
        /// The template.
        template: &'a str,
        /// The instance; its service is `TEMPLATE-INSTANCE`.
        instance: &'a str,
        /// Its parameters.
        parameters: &'a Parameters,
    },
    /// A service without a template.
    Service {
        /// Its name.
        name: &'a str,
        /// When it starts: `boot` or `on-demand`.
        start: &'a str,
        /// Its command.
        command: &'a [String],
    },
}

impl AddedEntry<'_> {
    /// The name of its service.
    pub fn service(&self) -> String {
        match self {
            AddedEntry::Instance { template, instance, .. } => format!("{template}-{instance}"),
            AddedEntry::Service { name, .. } => (*name).to_owned(),
        }
    }
}

const TITLE: &str =
    "# Added while the system runs, by `s6gen instance add`. `s6gen apply` puts it into effect.\n";

impl Additions {
    /// Reads a text that [`text`](Additions::text) made.
    ///
    /// # Errors
    /// The text is not such a manifest. The error says what is wrong, and where.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(text).map_err(|_| "it is not UTF-8 text")?;
        // The text is not quoted: the file may be another one than it should be.
        toml::from_str(text).map_err(|error| {
            let end = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(end).filter(|byte| *byte == b'\n').count();
            format!("line {line} is not what `s6gen instance add` writes")
        })
    }

    /// The text of a manifest with only these additions.
    pub fn text(&self) -> String {
        // A table of strings can always be serialized.
        TITLE.to_owned() + &toml::to_string(self).unwrap_or_default()
    }

    fn kind(&mut self, kind: &str) -> &mut BTreeMap<String, Addition> {
        if kind == "oneshot" { &mut self.oneshot } else { &mut self.longrun }
    }

    /// Adds an instance of the template `template`, a longrun or oneshot, or gives it these parameters.
    pub fn add_instance(
        &mut self,
        kind: &str,
        template: &str,
        instance: &str,
        parameters: Parameters,
    ) -> AdditionChange {
        let instances = &mut self.kind(kind).entry(template.to_owned()).or_default().instances;
        change(instances.insert(instance.to_owned(), parameters.clone()), &parameters)
    }

    /// Adds the longrun `name`, or gives it this command.
    pub fn add_service(&mut self, name: &str, start: &str, command: Vec<String>) -> AdditionChange {
        let service =
            Addition { start: Some(start.to_owned()), run: Some(command), instances: BTreeMap::new() };
        change(self.longrun.insert(name.to_owned(), service.clone()), &service)
    }

    /// Removes the service `name`, an instance or not. Returns whether it existed.
    pub fn remove(&mut self, name: &str) -> bool {
        for kind in [&mut self.longrun, &mut self.oneshot] {
            if kind.get(name).is_some_and(|service| service.run.is_some()) {
                kind.remove(name);
                return true;
            }
            let template = kind.iter().find_map(|(template, service)| {
                let instance = name.strip_prefix(template)?.strip_prefix('-')?;
                service.instances.contains_key(instance).then(|| (template.clone(), instance.to_owned()))
            });
            let Some((template, instance)) = template else { continue };
            if let Some(service) = kind.get_mut(&template) {
                service.instances.remove(&instance);
                if service.instances.is_empty() && service.run.is_none() {
                    kind.remove(&template);
                }
            }
            return true;
        }
        false
    }

    /// Everything that was added, in byte order of kinds and names.
    pub fn list(&self) -> Vec<AddedEntry<'_>> {
        let mut list = Vec::new();
        for (name, service) in self.longrun.iter().chain(&self.oneshot) {
            if let Some(command) = &service.run {
                let start = service.start.as_deref().unwrap_or("boot");
                list.push(AddedEntry::Service { name, start, command });
            }
            list.extend(service.instances.iter().map(|(instance, parameters)| AddedEntry::Instance {
                template: name,
                instance,
                parameters,
            }));
        }
        list
    }
}

fn change<T: PartialEq>(before: Option<T>, now: &T) -> AdditionChange {
    match before {
        None => AdditionChange::Added,
        Some(before) if before == *now => AdditionChange::Unchanged,
        Some(_) => AdditionChange::Changed,
    }
}
