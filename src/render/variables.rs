//! Renders the table of the container's variables that the services use.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{ContainerVariable, Kind, ServiceSet};

/// Where a service gets a variable from.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum VariableSource<'s> {
    /// From the container alone.
    Container,
    /// From the container, or else this default.
    Default(&'s str),
    /// From the container, or a file that it names.
    Secret,
}

/// A variable with everything that the services say about it.
struct Row<'s> {
    name: &'s str,
    /// Each source with its services.
    sources: BTreeMap<VariableSource<'s>, Vec<String>>,
    /// The oneshots that set it.
    set_by: Vec<String>,
    description: Option<&'s str>,
}

impl Row<'_> {
    /// The default for people. Where services differ, the name of each one is added.
    fn default(&self, quote: &str) -> String {
        let quoted = |text: &str| format!("{quote}{text}{quote}");
        let set_by = self.set_by.iter().map(|oneshot| quoted(oneshot)).collect::<Vec<_>>().join(", ");
        let text = |source: &VariableSource<'_>| match source {
            VariableSource::Default("") => "empty".to_owned(),
            VariableSource::Default(text) => quoted(text),
            VariableSource::Secret if set_by.is_empty() => {
                format!("secret: this or {} must be set", quoted(&format!("{}_FILE", self.name)))
            }
            VariableSource::Secret => format!("secret, set by {set_by}"),
            VariableSource::Container if set_by.is_empty() => "must be set".to_owned(),
            VariableSource::Container => format!("set by {set_by}"),
        };
        match self.sources.len() {
            1 => self.sources.keys().map(text).collect(),
            _ => {
                let each = self.sources.iter();
                let each =
                    each.map(|(source, services)| format!("{} ({})", text(source), services.join(", ")));
                each.collect::<Vec<_>>().join("; ")
            }
        }
    }

    fn services(&self) -> Vec<&str> {
        let mut services: Vec<&str> = self.sources.values().flatten().map(String::as_str).collect();
        services.sort_unstable();
        services
    }
}

fn rows(set: &ServiceSet) -> BTreeMap<&str, Row<'_>> {
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for service in set.ours() {
        for ContainerVariable { name, default, description, is_secret } in &service.variables {
            let empty = || Row { name, sources: BTreeMap::new(), set_by: Vec::new(), description: None };
            let row = rows.entry(name).or_insert_with(empty);
            let source = match default {
                _ if *is_secret => VariableSource::Secret,
                Some(default) => VariableSource::Default(default),
                None => VariableSource::Container,
            };
            row.sources.entry(source).or_default().push(service.name.to_string());
            row.description = row.description.or(description.as_deref());
        }
    }
    for service in set.ours() {
        if let Kind::Oneshot(oneshot) = &service.kind
            && let Some(row) = oneshot.sets.as_ref().and_then(|sets| rows.get_mut(&*sets.value))
        {
            row.set_by.push(service.name.to_string());
        }
    }
    rows
}

/// The variables as columns for a terminal.
pub fn variables_text(set: &ServiceSet) -> String {
    let rows: Vec<[String; 4]> = rows(set)
        .iter()
        .map(|(name, row)| {
            let description = row.description.unwrap_or_default().to_owned();
            [(*name).to_owned(), row.default(""), row.services().join(", "), description]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let line = |row: &[String; 4]| {
        let [name, default, services, description] = row;
        let line =
            format!("{name:0$}  {default:1$}  {services:2$}  {description}", widths[0], widths[1], widths[2]);
        line.trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The variables as a table in Markdown, for the README of an image.
pub fn variables_markdown(set: &ServiceSet) -> String {
    let mut table = "| variable | default | services | purpose |\n|---|---|---|---|\n".to_owned();
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for (name, row) in rows(set) {
        let services: Vec<String> = row.services().iter().map(|service| format!("`{service}`")).collect();
        let description = cell(row.description.unwrap_or_default());
        table += &format!(
            "| `{name}` | {} | {} | {description} |\n",
            cell(&row.default("`")),
            services.join(", ")
        );
    }
    table
}

/// The variables for programs.
pub fn variables_json(set: &ServiceSet) -> Value {
    let rows = rows(set);
    let variables = rows.iter().map(|(name, row)| {
        let uses = row.sources.iter().flat_map(|(source, services)| {
            let default = match source {
                VariableSource::Default(text) => Some(text),
                VariableSource::Container | VariableSource::Secret => None,
            };
            let is_secret = *source == VariableSource::Secret;
            let object =
                move |service| json!({ "service": service, "default": default, "secret": is_secret });
            services.iter().map(object)
        });
        let uses = uses.collect::<Vec<_>>();
        json!({ "name": name, "description": row.description, "set_by": row.set_by, "uses": uses })
    });
    json!({ "variables": variables.collect::<Vec<_>>() })
}
