//! Renders the table of the container's variables that the services use.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{ContainerVariable, ServiceSet};

/// A variable with everything that the services say about it.
#[derive(Default)]
struct Row<'s> {
    /// Each default with its services; `None` for services without a default.
    defaults: BTreeMap<Option<&'s str>, Vec<String>>,
    description: Option<&'s str>,
}

impl Row<'_> {
    /// The default for people. Where services differ, the name of each one is added.
    fn default(&self, quote: &str) -> String {
        let text = |default: &Option<&str>| match default {
            Some("") => "empty".to_owned(),
            Some(text) => format!("{quote}{text}{quote}"),
            None => "must be set".to_owned(),
        };
        match self.defaults.len() {
            1 => self.defaults.keys().map(text).collect(),
            _ => {
                let each = self.defaults.iter();
                let each =
                    each.map(|(default, services)| format!("{} ({})", text(default), services.join(", ")));
                each.collect::<Vec<_>>().join("; ")
            }
        }
    }

    fn services(&self) -> Vec<&str> {
        let mut services: Vec<&str> = self.defaults.values().flatten().map(String::as_str).collect();
        services.sort_unstable();
        services
    }
}

fn rows(set: &ServiceSet) -> BTreeMap<&str, Row<'_>> {
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for service in set.ours() {
        for ContainerVariable { name, default, description } in &service.variables {
            let row = rows.entry(name).or_default();
            row.defaults.entry(default.as_deref()).or_default().push(service.name.to_string());
            row.description = row.description.or(description.as_deref());
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
        let uses = row.defaults.iter().flat_map(|(default, services)| {
            services.iter().map(move |service| json!({ "service": service, "default": default }))
        });
        json!({ "name": name, "description": row.description, "uses": uses.collect::<Vec<_>>() })
    });
    json!({ "variables": variables.collect::<Vec<_>>() })
}
