//! Reads the key `variables`: what a service takes from the environment of the container.

use toml::Spanned;
use toml::de::DeValue;

use super::shape::Shape;
use super::values::{ManifestText, RawText, Reader, StringValue, VARIABLES, Value, put, remove_from};
use crate::diagnostic::{Code, Diagnostic};

/// The variables of the container that a service uses. A merge joins those of two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredVariables {
    /// The variables, in order.
    pub list: Vec<DeclaredVariable>,
}

/// A variable of the container that a service uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredVariable {
    /// Its name.
    pub name: ManifestText,
    /// Its value if the container does not set it. Without one the container must set it.
    pub default: Option<RawText>,
    /// What it is for.
    pub description: Option<RawText>,
}

impl DeclaredVariable {
    /// Reads what stands behind the name of a variable: its default, or a table.
    fn read(
        key: &str,
        name: ManifestText,
        value: &Spanned<DeValue<'_>>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let mut variable = DeclaredVariable { name, default: None, description: None };
        let Some(table) = value.get_ref().as_table() else {
            variable.default = Some(RawText::read_as(&format!("`{key}`"), value, reader)?);
            return Some(variable);
        };
        for (inner, value) in table {
            let field = match inner.get_ref().as_ref() {
                "default" => &mut variable.default,
                "description" => &mut variable.description,
                unknown => {
                    let message = format!("`{key}` has no key `{}`", unknown.escape_debug());
                    reader.problems.push(
                        Diagnostic::new(Code::UnknownKey, message)
                            .at(reader.origin(inner.span()), "unknown key")
                            .help("a variable has the keys `default` and `description`"),
                    );
                    continue;
                }
            };
            *field = Some(RawText::read_as(&format!("`{key}.{}`", inner.get_ref()), value, reader)?);
        }
        Some(variable)
    }
}

impl Value for DeclaredVariables {
    const EXPECTED: &'static str = VARIABLES;
    const SHAPE: Shape = Shape::Variables;

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            return reader.wrong_type(key, value, Self::EXPECTED);
        };
        let mut list = Vec::new();
        for (name, value) in table {
            let path = format!("{key}.{}", name.get_ref());
            let origin = reader.origin(name.span());
            let text = name.get_ref().to_string();
            let name = ManifestText { value: text, origin, from_defaults: reader.in_defaults };
            list.extend(DeclaredVariable::read(&path, name, value, reader));
        }
        Some(DeclaredVariables { list })
    }

    fn merge(mut self, nearer: Self) -> Self {
        for variable in nearer.list {
            put(&mut self.list, variable, |variable| &variable.name.value);
        }
        self
    }

    fn is_blank(&self) -> bool {
        self.list.is_empty()
    }

    fn knows(part: &str) -> bool {
        !part.is_empty()
    }

    fn remove(&mut self, part: &str) -> bool {
        remove_from(&mut self.list, |variable| variable.name.value == part)
    }
}
