use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::model::Index;

use super::definitions;

/// The longest name that s6-svscan supervises, in bytes.
const LONGEST: usize = 251;

/// Names hold nothing that other programs stumble over.
pub(in crate::validate) fn are_plain(index: &Index<'_>, problems: &mut Problems) {
    for (service, _) in definitions(index) {
        let name = service.name.as_bytes();
        let what = if name.len() > LONGEST && service.longrun().is_some() {
            "is longer than 251 bytes, and s6-svscan supervises nothing with such a name"
        } else if name.contains(&b' ') || name.contains(&b'\t') {
            "has a blank in its name"
        } else if name.starts_with(b"-") {
            "begins with `-`, which programs take for an option"
        } else {
            continue;
        };
        problems.push(
            Diagnostic::new(Code::OddName, format!("`{}` {what}", service.name))
                .at(service.origin, "s6-rc itself does not mind")
                .help("use letters, digits, `_`, `.`, `@` and `-`"),
        );
    }
}
