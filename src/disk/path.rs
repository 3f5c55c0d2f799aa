//! Paths below a root, as text: `etc/s6-overlay/sv/web/run`. Nothing here looks at a disk.

/// Whether a path stays below the root and fits on one line: no `.`, no `..`, no empty name and no line break.
pub fn is_plain(path: &str) -> bool {
    !path.bytes().any(|byte| matches!(byte, b'\n' | b'\r' | b'\0'))
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

/// The directories above a path, the topmost first.
pub fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The last name of a path.
pub fn file_name(path: &str) -> &str {
    split(path).1
}

/// Splits a path into its directory and its last name.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Whether `path` is equal to `below` or is a directory above it.
pub fn is_at_or_above(path: &str, below: &str) -> bool {
    below.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path to which a link at `link` with this target leads. Other links on that path are not resolved.
pub fn destination(link: &str, target: &str) -> String {
    let start = if target.starts_with('/') { "" } else { split(link).0 };
    let mut at: Vec<&str> = Vec::new();
    for name in start.split('/').chain(target.split('/')) {
        match name {
            "" | "." => {}
            ".." => drop(at.pop()),
            _ => at.push(name),
        }
    }
    at.join("/")
}

/// The relative path from the directory `from` to `to`.
pub fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).count();
    let shared = from.split('/').zip(to.split('/')).take_while(|(a, b)| a == b).count();
    let up = "../".repeat(parts(from) - shared);
    up + &to.split('/').skip(shared).collect::<Vec<_>>().join("/")
}
