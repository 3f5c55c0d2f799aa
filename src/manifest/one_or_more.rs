//! The type of keys that hold one table or several.

use toml::Spanned;
use toml::de::DeValue;

use super::shape::Shape;
use super::values::{ManifestCommand, Reader, Value};
use crate::diagnostic::Origin;

/// One table, or several in order, each with its place. A merge replaces all of them.
#[derive(Debug, Clone)]
pub struct OneOrMore<T> {
    /// The tables that are not empty.
    pub list: Vec<(T, Origin)>,
}

impl<T: Value> Value for OneOrMore<T> {
    const EXPECTED: &'static str = "a table, or an array of tables";
    const SHAPE: Shape = match T::SHAPE {
        Shape::Table(keys) => Shape::Tables(keys),
        other => other,
    };

    fn read(key: &str, value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let tables = value.get_ref().as_array();
        let tables = tables.filter(|array| array.iter().any(|item| item.get_ref().is_table()));
        let mut read =
            |item: &Spanned<DeValue<'_>>| T::read(key, item, reader).map(|table| (table, item.span()));
        let list: Vec<_> = match tables {
            Some(array) => array.iter().filter_map(&mut read).collect(),
            None => vec![read(value)?],
        };
        let list = list.into_iter().filter(|(table, _)| !table.is_blank());
        Some(OneOrMore { list: list.map(|(table, span)| (table, reader.origin(span))).collect() })
    }

    fn is_blank(&self) -> bool {
        self.list.is_empty()
    }

    fn each_command(&mut self, visit: &mut dyn FnMut(&mut ManifestCommand)) {
        self.list.iter_mut().for_each(|(table, _)| table.each_command(visit));
    }

    fn knows(part: &str) -> bool {
        T::knows(part)
    }

    fn remove(&mut self, part: &str) -> bool {
        let removed = self.list.iter_mut().fold(false, |removed, (table, _)| table.remove(part) || removed);
        self.list.retain(|(table, _)| !table.is_blank());
        removed
    }
}
