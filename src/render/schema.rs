//! The JSON Schema of the manifest language, for editors. It is made from the same table as the reference.
//!
//! It knows names, types and words, and nothing that depends on another key, on another file or on the system: `s6gen check` does.
//! It uses only what editors of TOML understand of draft 7, and says everything in place: they show no description beside a `$ref`.

use serde_json::{Map, Value, json};

use crate::manifest::{Key, REFERENCE, Shape};
use crate::model::SIGNALS;

/// Matches a text with an expression, which stands for any value.
const EXPRESSION: &str = r"\{\{";

/// The JSON Schema of a manifest. `rules` are the names that `[lints]` takes, each with its meaning.
pub fn schema(rules: &[(&str, String)]) -> Value {
    let mut definitions = Map::new();
    let mut tables = Map::new();
    for kind in ["longrun", "oneshot", "bundle"] {
        let (about, keys) = section(&format!("[{kind}.NAME]"));
        let mut definition = table("", &keys);
        definition["description"] = about.into();
        definitions.insert(kind.to_owned(), definition);
        let service = json!({
            "type": "object",
            "description": about,
            "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9_.@-]*$" },
            "additionalProperties": { "$ref": format!("#/definitions/{kind}") },
        });
        tables.insert(kind.to_owned(), service);
    }
    let (about, keys) = section("[target]");
    let mut target = table("target", &keys);
    target["description"] = about.into();
    tables.insert("target".to_owned(), target);
    tables.insert("lints".to_owned(), lints(rules));
    tables.insert(
        "include".to_owned(),
        json!({
            "type": "array",
            "items": { "type": "string" },
            "description": "Further manifests that belong to this one, by their paths relative to it. `*` stands for characters of one name.",
            "examples": [["vpn.toml", "services.d/*.toml"]],
        }),
    );
    tables.insert(
        "defaults".to_owned(),
        json!({
            "type": "object",
            "description": "Values for every longrun or oneshot of the file that does not set the key itself.",
            "properties": {
                "longrun": { "$ref": "#/definitions/longrun" },
                "oneshot": { "$ref": "#/definitions/oneshot" },
            },
            "additionalProperties": false,
        }),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "s6gen manifest",
        "description": concat!("The services.toml of s6gen ", env!("CARGO_PKG_VERSION"), "; `s6gen schema` makes this file."),
        "type": "object",
        "properties": tables,
        "additionalProperties": false,
        "definitions": definitions,
    })
}

/// The introduction and the keys of a table of the reference.
fn section(heading: &str) -> (&'static str, Vec<Key>) {
    REFERENCE
        .iter()
        .find(|(known, ..)| *known == heading)
        .map_or(("", Vec::new()), |(_, about, keys)| (about, keys()))
}

fn lints(rules: &[(&str, String)]) -> Value {
    let mut names = Map::new();
    for (name, meaning) in rules {
        // The long name is valid too, but an editor need not offer both.
        let short = name.rsplit("::").next().unwrap_or(name);
        let level = json!({ "enum": ["allow", "warn", "deny"], "description": meaning });
        names.insert(short.to_owned(), level);
    }
    json!({
        "type": "object",
        "description": section("[lints]").0,
        "properties": names,
        // A rule of another version of s6gen is a warning.
        "additionalProperties": { "type": "string" },
    })
}

/// The schema of a table. `name` is its key in a service, or empty for a service itself.
fn table(name: &str, keys: &[Key]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(name, key))).collect();
    closed(properties.into())
}

/// The schema of a key in the table `table`.
fn property(table: &str, key: &Key) -> Value {
    let mut schema = value(table, key);
    schema["description"] = key.meaning().into();
    if let Some(default) = key.default_text().and_then(|text| typed(key.shape, text)) {
        schema["default"] = default;
    }
    let example = key.example_text().map(Value::from).or_else(|| example(key.shape));
    if let (Some(example), true) = (example, key.words(table).is_empty()) {
        schema["examples"] = json!([example]);
    }
    schema
}

/// A default as a value of this shape.
fn typed(shape: Shape, text: String) -> Option<Value> {
    match shape {
        Shape::Flag | Shape::FlagOrDetect => text.parse::<bool>().ok().map(Value::from),
        Shape::Number => text.parse::<i64>().ok().map(Value::from),
        Shape::Text | Shape::LogPlace => Some(text.into()),
        _ => None,
    }
}

/// An example of a value of this shape.
fn example(shape: Shape) -> Option<Value> {
    Some(match shape {
        Shape::Command => json!(["nginx", "-g", "daemon off;"]),
        Shape::Numbers => json!([0, 2]),
        Shape::Limit => json!(65536),
        Shape::TextTable => json!({ "NAME": "text" }),
        Shape::Variables => json!({ "PORT": "8080", "DATABASE_URL": {} }),
        Shape::Instances => json!({ "home": { "port": "1194" } }),
        Shape::Parameters => json!({ "port": { "pattern": "[0-9]+" } }),
        _ => return None,
    })
}

/// What a key in the table `name` takes.
fn value(name: &str, key: &Key) -> Value {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    let words = key.words(name);
    match key.shape {
        Shape::Text if words.is_empty() => match key.form().pattern(SIGNALS) {
            Some(pattern) => json!({ "type": "string", "pattern": format!("^({pattern})$|{EXPRESSION}") }),
            None => text,
        },
        Shape::Text => json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": EXPRESSION }] }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::FlagOrDetect => json!({ "enum": [true, false, "detect"] }),
        Shape::Number => number,
        Shape::Limit => {
            let least = r"^(>=\s*[-+]?[0-9]+|(>=\s*)?\$\{.*\})\s*$";
            one_of(vec![number, json!({ "type": "string", "pattern": least })])
        }
        Shape::Command => {
            let mut file = closed(json!({ "file": text }));
            file["required"] = json!(["file"]);
            one_of(vec![list(&text, key), text, file])
        }
        Shape::LogPlace => {
            let other = format!(r"^(/|#!|\$)|{EXPRESSION}");
            json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": other }, list(&text, key)] })
        }
        Shape::Texts => list(&text, key),
        Shape::Numbers => list(&number, key),
        Shape::TextTable => table_of(text),
        Shape::Variables => {
            let inner = closed(json!({ "default": text, "description": text }));
            table_of(one_of(vec![text, inner]))
        }
        Shape::Instances => one_of(vec![number, list(&text, key), table_of(table_of(text))]),
        Shape::Parameters => one_of(vec![list(&text, key), table_of(closed(json!({ "pattern": text })))]),
        Shape::Table(keys) => table(key.name, &keys()),
        Shape::Tables(keys) => {
            let mut several = list(&table(key.name, &keys()), key);
            several["minItems"] = 1.into();
            one_of(vec![table(key.name, &keys()), several])
        }
    }
}

/// A value of one of several types. The list of their names makes a better message than `anyOf` alone.
fn one_of(schemas: Vec<Value>) -> Value {
    let types: Vec<&Value> = schemas.iter().map(|schema| &schema["type"]).collect();
    json!({ "type": types, "anyOf": schemas })
}

/// An array. Editors with Taplo show the description of its items in place of its own.
fn list(item: &Value, key: &Key) -> Value {
    let mut item = item.clone();
    item["description"] = key.meaning().into();
    json!({ "type": "array", "items": item })
}

/// A table with any names, each with such a value.
fn table_of(value: Value) -> Value {
    json!({ "type": "object", "additionalProperties": value })
}

/// A table with these keys and no others.
fn closed(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
