//! Translates the lines of `fix-attrs.d` into commands of a shell.

use std::fmt::Write;

/// What becomes of the lines of a file.
#[derive(Default)]
pub(super) struct AttributeCommands {
    /// The commands, for a shell.
    pub(super) commands: String,
    /// The lines for which there are none.
    pub(super) others: Vec<String>,
    /// Whether a line is for everything below a path.
    pub(super) recurses: bool,
}

impl AttributeCommands {
    /// The commands for the lines of a file.
    pub(super) fn new(text: &str) -> Self {
        let mut found = AttributeCommands::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match commands(line) {
                Some((commands, recurses)) => {
                    found.commands += &commands;
                    found.recurses |= recurses;
                }
                None => found.others.push(line.to_owned()),
            }
        }
        found
    }
}

/// The commands for a line `PATH RECURSES ACCOUNT MODE_OF_FILES MODE_OF_DIRECTORIES`, and whether it is for everything below the path.
///
/// Version 2 follows links, and skips names with a dot at their beginning below the path.
fn commands(line: &str) -> Option<(String, bool)> {
    let [path, recurses, account, files, directories, ..] =
        line.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "/._:@+-*?[]".contains(c));
    let is_mode = |text: &str| text == "-" || text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    if !path.starts_with('/') || !is_plain(path) || !is_mode(files) || !is_mode(directories) {
        return None;
    }
    let (recurses, below) = match recurses {
        "true" => (true, " -name '.*' ! -path \"$path\" -prune -o"),
        "false" => (false, " -maxdepth 0"),
        _ => return None,
    };
    let mut out = owner(account)?;
    let find = format!("find -L \"$path\"{below}");
    let _ = writeln!(out, "for path in {path}; do\n  test -e \"$path\" || continue");
    let _ = writeln!(out, "  {find} ! -type l -exec chown \"$owner\" {{}} +");
    for (kind, mode) in [("! -type l ! -type d", files), ("-type d", directories)] {
        if mode != "-" {
            let _ = writeln!(out, "  {find} {kind} -exec chmod {mode} {{}} +");
        }
    }
    Some((out + "done\n", recurses))
}

/// The command that finds out the owner. An account may have ids behind a comma, for images that do not know it.
fn owner(account: &str) -> Option<String> {
    let (account, ids) = match account.split_once(',') {
        Some((account, ids)) => (account, Some(ids)),
        None => (account, None),
    };
    let (user, group) = match account.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (account, None),
    };
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_numbers = |text: &str| text.split(':').all(|part| is_name(part) && is_number(part));
    if !is_name(user) || !group.is_none_or(is_name) || !ids.is_none_or(is_numbers) {
        return None;
    }
    // A number counts as an account of that name if it has no group.
    if group.is_none() && is_number(user) {
        return ids.map(|ids| format!("owner={ids}\n"));
    }
    let mut out = format!("owner={user}:{}\n", group.unwrap_or_default());
    if let Some(ids) = ids {
        let users = (!is_number(user)).then(|| format!("id -u {user} >/dev/null 2>&1"));
        let groups = group.filter(|group| !is_number(group));
        let groups = groups.map(|group| format!("grep -q '^{group}:' /etc/group"));
        for test in users.into_iter().chain(groups) {
            let _ = writeln!(out, "{test} || owner={ids}");
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{AttributeCommands, owner};

    #[test]
    fn owners_have_their_group_and_their_fallback() {
        assert_eq!(owner("mysql").unwrap(), "owner=mysql:\n");
        assert_eq!(owner("1000:1001").unwrap(), "owner=1000:1001\n");
        assert_eq!(
            owner("app:web,1000:1001").unwrap(),
            "owner=app:web\nid -u app >/dev/null 2>&1 || owner=1000:1001\ngrep -q '^web:' /etc/group || owner=1000:1001\n"
        );
        for other in ["", "a b", "app,x:y", "1000", "app:"] {
            assert_eq!(owner(other), None, "{other}");
        }
    }

    #[test]
    fn lines_that_no_command_stands_for_are_kept() {
        let found = AttributeCommands::new("# x\n\n/a b\n/b maybe app 600 700\n/c* false root - 0700\n");
        assert_eq!(found.others, ["/a b", "/b maybe app 600 700"]);
        assert!(found.commands.contains("for path in /c*; do"));
        assert!(!found.commands.contains("! -type d") && !found.recurses);
    }
}
