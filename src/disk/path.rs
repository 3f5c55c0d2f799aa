//! Paths below a root, as text: `etc/s6-overlay/sv/web/run`. Nothing here looks at a disk.

/// Whether a path stays below the root and fits on a line.
pub fn is_plain(path: &str) -> bool {
    !path.contains(['\n', '\r', '\0']) && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

/// The directories above a path, from the top.
pub fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The last name of a path.
pub fn file_name(path: &str) -> &str {
    split(path).1
}

/// The directory of a path, and its name there.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Whether `path` is `below`, or a directory above it.
pub fn is_at_or_above(path: &str, below: &str) -> bool {
    below.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where the target of the link at `link` leads, without looking whether there are more links on the way.
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
