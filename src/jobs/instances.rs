//! Adds, removes and lists instances of templates, and other services, while the system runs. The additions are stored
//! in a file beside the definitions, and the next update applies them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::carried::{Carried, additions_path, lock_additions, read_additions, write_additions};
use super::container::Container;
use super::desired::CheckedProject;
use super::error::JobError;
use super::project::{Project, Template};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::manifest::{AddedEntry, AdditionChange, Additions, Parameters};
use crate::model::printable;
use crate::templates::sh_word;

/// How long to wait for another s6gen that adds or removes services.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service to add.
#[derive(Debug, Clone)]
pub enum NewService {
    /// An instance of a template.
    Instance {
        /// The template.
        template: String,
        /// The instance. The name of its service is `TEMPLATE-INSTANCE`.
        instance: String,
        /// Values for parameters of the template.
        parameters: Vec<(String, String)>,
    },
    /// A longrun without a template.
    Longrun {
        /// Its name.
        name: String,
        /// When it starts: `boot` or `on-demand`.
        start: String,
        /// The command that it runs.
        command: Vec<String>,
    },
}

/// A service that was added.
#[derive(Debug)]
pub struct AddedService {
    /// Its name.
    pub service: String,
    /// Whether it is new, changed or as before.
    pub change: AdditionChange,
    /// The manifest together with all additions.
    pub project: CheckedProject,
}

/// Why a service was not added.
#[derive(Debug)]
pub struct NotAdded {
    /// The reason.
    pub error: JobError,
    /// Whether the service was understood and checked. If not, the request itself is wrong or the system refused.
    pub is_judged: bool,
}

impl From<JobError> for NotAdded {
    fn from(error: JobError) -> Self {
        NotAdded { error, is_judged: false }
    }
}

/// The result of removing one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The service.
    pub service: String,
    /// Whether it was among the additions, and is removed now.
    pub is_removed: bool,
}

/// An instance of a template, or another service that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedService {
    /// Its name.
    pub service: String,
    /// Where it is defined: `manifest` or `added`.
    pub from: &'static str,
    /// Its kind, with the details of that kind.
    pub what: ListedKind,
}

/// The kind of a listed service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedKind {
    /// An instance of a template.
    Instance {
        /// The template.
        template: String,
        /// The instance.
        instance: String,
        /// The values of its parameters. `None` for one that becomes part of a variable, which may be a secret.
        parameters: BTreeMap<String, Option<String>>,
    },
    /// A longrun without a template.
    Longrun {
        /// When it starts: `boot` or `on-demand`.
        start: String,
        /// The command that it runs.
        command: Vec<String>,
    },
}

impl ListedService {
    /// The service as JSON.
    pub fn json(&self) -> serde_json::Value {
        match &self.what {
            ListedKind::Instance { template, instance, parameters } => serde_json::json!({
                "service": self.service, "from": self.from, "template": template, "instance": instance,
                "parameters": parameters,
            }),
            ListedKind::Longrun { start, command } => serde_json::json!({
                "service": self.service, "from": self.from, "start": start, "command": command,
            }),
        }
    }
}

/// A table of the services as text, with one line for each.
pub fn text(services: &[ListedService]) -> String {
    let width = services.iter().map(|one| printable(&one.service).chars().count()).max().unwrap_or(0);
    let line = |one: &ListedService| {
        let what = match &one.what {
            ListedKind::Instance { template, parameters, .. } => {
                let values = parameters.iter().map(|(key, value)| {
                    let value = value.as_deref().map_or("…".to_owned(), shown);
                    format!(" {}={value}", printable(key))
                });
                format!("{}{}", printable(template), values.collect::<String>())
            }
            ListedKind::Longrun { start, command } => {
                let words = command.iter().map(|word| format!(" {}", shown(word)));
                let start = if start == "boot" { "--start boot " } else { "" };
                format!("{start}--{}", words.collect::<String>())
            }
        };
        format!("{:width$}  {:8}  {what}\n", printable(&one.service), one.from)
    };
    services.iter().map(line).collect()
}

/// A word quoted for a shell, on one line.
fn shown(word: &str) -> String {
    sh_word(&word.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))
}

/// Adds a service, unless the manifest would then have errors.
///
/// # Errors
/// The template is unknown, the manifest has errors, the name is taken, or the system refuses.
pub fn add(container: &Container, new: &NewService) -> Result<AddedService, NotAdded> {
    let definitions = container.definitions_folder()?;
    let _lock = lock_additions(&definitions, PATIENCE).map_err(JobError::from)?;
    let carried = Carried::read(&definitions)?;
    let mut project = carried.project();
    let mut added = read_additions(&definitions)?;
    let (service, change) = add_to(&mut added, &project.templates(), new).map_err(JobError::from)?;
    project.add(&additions_path(&definitions), &added);
    let write = || -> Result<CheckedProject, JobError> {
        let project = CheckedProject::new(project, carried.templates)?;
        if change == AdditionChange::Added {
            project.refuse_taken(container, &service)?;
        }
        if change != AdditionChange::Unchanged {
            write_additions(&definitions, &added)?;
        }
        Ok(project)
    };
    let project = write().map_err(|error| NotAdded { error, is_judged: true })?;
    Ok(AddedService { service, change, project })
}

/// Adds a service to `added`. Returns its name, and whether it is new, changed or as before.
fn add_to(
    added: &mut Additions,
    templates: &[Template],
    new: &NewService,
) -> Result<(String, AdditionChange), Diagnostic> {
    let (template, instance, values) = match new {
        NewService::Longrun { name, start, command } => {
            return Ok((name.clone(), added.add_service(name, start, command.clone())));
        }
        NewService::Instance { template, instance, parameters } => (template, instance, parameters),
    };
    let mut parameters = Parameters::new();
    for (key, value) in values {
        if parameters.insert(key.clone(), value.clone()).is_some() {
            return Err(unknown(format!("`{key}` is set twice")).help("keep one of the two"));
        }
    }
    let Some(found) = templates.iter().find(|known| known.name == *template) else {
        let names = || templates.iter().map(|known| known.name.as_str());
        let help = match did_you_mean(template, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if templates.is_empty() => {
                "to make a service a template, write `instances = []` in its table".into()
            }
            None => format!("the templates are {}", names().collect::<Vec<_>>().join(", ")),
        };
        return Err(unknown(format!("the manifest has no template `{}`", template.escape_debug())).help(help));
    };
    if found.instances.iter().any(|(name, _)| name == instance) {
        let service = format!("{template}-{instance}").escape_debug().to_string();
        return Err(unknown(format!("`{service}` is an instance of the manifest itself"))
            .help("choose another name, or change the manifest and build the image again"));
    }
    let change = added.add_instance(found.kind, template, instance, parameters);
    Ok((format!("{template}-{instance}"), change))
}

/// Removes services from the additions. It works even if the manifest has errors, because the removal may correct them.
///
/// # Errors
/// One of the names is a service of the manifest itself, and nothing was removed; or the system refuses.
pub fn remove(container: &Container, names: &[String]) -> Result<Vec<Removal>, JobError> {
    let definitions = container.definitions_folder()?;
    let _lock = lock_additions(&definitions, PATIENCE)?;
    let mut project = Carried::read(&definitions)?.project();
    let mut added = read_additions(&definitions)?;
    let before = added.clone();
    let remove = |name: &String| Removal { service: name.clone(), is_removed: added.remove(name) };
    let removals: Vec<Removal> = names.iter().map(remove).collect();
    if let Some(name) = find_in_manifest(&mut project, removals.iter().filter(|removal| !removal.is_removed))
    {
        return Err(unknown(format!("`{name}` is part of the manifest, and was not added to it"))
            .note("nothing was changed")
            .help("remove it from the manifest and build the image again")
            .into());
    }
    if added != before {
        write_additions(&definitions, &added)?;
    }
    Ok(removals)
}

/// The first of the names that is a service of the manifest.
fn find_in_manifest<'a>(
    project: &mut Project,
    mut removals: impl Iterator<Item = &'a Removal>,
) -> Option<&'a str> {
    let first = removals.next()?;
    let services = project.compile().services;
    let is_there = |name: &str| services.services.iter().any(|service| service.name == *name);
    std::iter::once(first).chain(removals).map(|removal| removal.service.as_str()).find(|name| is_there(name))
}

/// Lists the instances of the manifest's templates, and the additions.
///
/// # Errors
/// The manifest that the container carries, or the additions, cannot be read.
pub fn list(container: &Container) -> Result<Vec<ListedService>, JobError> {
    let definitions = container.definitions_folder()?;
    let project = Carried::read(&definitions)?.project();
    let added = read_additions(&definitions)?;
    let templates = project.templates();
    let own = templates.iter().flat_map(|template| {
        template.instances.iter().map(|(instance, parameters)| {
            let entry = AddedEntry::Instance { template: &template.name, instance, parameters };
            listed(&entry, "manifest", &templates)
        })
    });
    Ok(own.chain(added.list().iter().map(|one| listed(one, "added", &templates))).collect())
}

fn listed(one: &AddedEntry<'_>, from: &'static str, templates: &[Template]) -> ListedService {
    let what = match one {
        AddedEntry::Instance { template, instance, parameters } => {
            let found = templates.iter().find(|known| known.name == *template);
            let is_hidden = |key: &String| found.is_none_or(|found| found.in_variables.contains(key));
            let shown =
                parameters.iter().map(|(key, value)| (key.clone(), (!is_hidden(key)).then(|| value.clone())));
            ListedKind::Instance {
                template: (*template).to_owned(),
                instance: (*instance).to_owned(),
                parameters: shown.collect(),
            }
        }
        AddedEntry::Service { start, command, .. } => {
            ListedKind::Longrun { start: (*start).to_owned(), command: command.to_vec() }
        }
    };
    ListedService { service: one.service(), from, what }
}

fn unknown(message: String) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, message)
}
