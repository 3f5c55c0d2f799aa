//! The key `without`: a table ignores values that `[defaults]` or an included file has set.

use toml::Spanned;
use toml::de::DeValue;

use super::keys::{BundleKeys, Table, TargetKeys};
use super::values::{Names, Reader};
use super::{ServiceTable, read_table};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};

/// A table with the key `without`.
pub trait HasWithout: Table {
    /// The value of `without`.
    fn without(&mut self) -> &mut Option<Names>;

    /// Merges this table into a farther one, without the values that `without` names. Names of values that nothing has set stay in
    /// `without`, to be reported.
    #[must_use]
    fn over(mut self, mut farther: Self) -> Self {
        if let Some(names) = self.without() {
            names.list.retain(|path| !farther.remove(&path.value));
        }
        self.without().take_if(|names| names.list.is_empty());
        farther.merge(self)
    }
}

impl HasWithout for TargetKeys {
    fn without(&mut self) -> &mut Option<Names> {
        &mut self.without
    }
}

impl HasWithout for BundleKeys {
    fn without(&mut self) -> &mut Option<Names> {
        &mut self.without
    }
}

impl<K: Table> HasWithout for ServiceTable<K> {
    fn without(&mut self) -> &mut Option<Names> {
        &mut self.common.without
    }
}

/// Reads a table, and reports parts of `without` that are not keys.
pub(super) fn read_with_without<T: HasWithout>(
    value: &Spanned<DeValue<'_>>,
    reader: &mut Reader<'_>,
    place: &str,
) -> Option<T> {
    let mut table = read_table::<T>(value, reader, place)?;
    let Some(names) = table.without() else { return Some(table) };
    if reader.in_defaults {
        reader.problems.push(
            Diagnostic::new(Code::ConflictingKeys, format!("`without` has no effect in `{place}`"))
                .at(names.origin, "only the defaults of s6gen are farther away")
                .help("write `without` in the service that must ignore a default"),
        );
        names.list.clear();
    }
    names.list.retain(|path| {
        let key = path.value.split('.').next().unwrap_or_default();
        let is_known = key != "without" && T::knows(&path.value);
        if !is_known {
            let message = format!("`{place}` has no key `{}`", path.value.escape_debug());
            let near = did_you_mean(key, T::keys().iter().map(|key| key.name));
            reader.problems.push(
                Diagnostic::new(Code::UnknownKey, message).at(path.origin, "this is not a key").help(
                    near.map_or(
                        "name a key, or a part of a key with a dot, as in `log.size`".into(),
                        |near| format!("did you mean `{near}`?"),
                    ),
                ),
            );
        }
        is_known
    });
    Some(table)
}
