//! Writes the table of a bundle.

use super::lines::FileLines;
use super::{heading, names};
use crate::manifest::draft::DraftTable;
use crate::migrate::Fate;
use crate::model::{Bundle, Service};

/// The table of a bundle.
pub(super) fn table(service: &Service, bundle: &Bundle, lines: &mut FileLines<'_>) -> DraftTable {
    let mut table = heading("bundle", service);
    table.set("contents", names(&bundle.contents));
    lines.note("type", Fate::Exact, "`[bundle]`", "");
    lines.list("contents.d", "contents", "`contents`");
    super::longrun::flags((service.flag_essential, service.flag_recommended), &mut table, lines);
    lines.rest_is_ignored();
    table
}
