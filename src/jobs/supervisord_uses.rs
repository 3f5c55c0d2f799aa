//! Finds the places of an image that speak with supervisord, and says what they do instead.

use std::path::{Path, PathBuf};

use crate::disk;

/// The largest file that is looked at, in bytes.
const LARGEST: usize = 256 << 10;
/// How many names are looked at.
const MOST_NAMES: usize = 200_000;

/// Directories without scripts of the image's own, relative to its root.
const SKIPPED: &[&str] =
    &["dev", "proc", "sys", "usr/include", "usr/lib", "usr/lib64", "usr/share", "var/lib/dpkg"];

/// Words that only supervisord's users write.
const WORDS: &[&str] = &["supervisorctl", "supervisord.pid", "pidproxy"];

/// The variables that supervisord gives to its programs.
const VARIABLES: &[&str] =
    &["SUPERVISOR_ENABLED", "SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME", "SUPERVISOR_SERVER_URL"];

/// The lines of text files below `root` that speak with supervisord, each with what takes its place. `skipped` are the
/// configuration files themselves, `listeners` the scripts of event listeners.
pub(super) fn supervisord_uses(root: &Path, skipped: &[PathBuf], listeners: &[&str]) -> Vec<String> {
    let skipped: Vec<PathBuf> = skipped.iter().filter_map(|path| disk::real_path(path).ok()).collect();
    let mut found = Vec::new();
    let (mut open, mut left) = (vec![root.to_owned()], MOST_NAMES);
    while let Some(folder) = open.pop() {
        let mut below = Vec::new();
        for name in disk::names(&folder).unwrap_or_default() {
            let path = folder.join(name);
            let inside = path.strip_prefix(root).unwrap_or(&path).to_owned();
            if left == 0 || disk::is_link(&path) || SKIPPED.iter().any(|skipped| inside == Path::new(skipped))
            {
                continue;
            }
            left -= 1;
            if disk::is_directory(&path) {
                below.push(path);
            } else if !disk::real_path(&path).is_ok_and(|real| skipped.contains(&real)) {
                let is_listener =
                    listeners.iter().any(|listener| Path::new(listener.trim_start_matches('/')) == inside);
                look_at(&path, &inside, is_listener, &mut found);
            }
        }
        open.extend(below.into_iter().rev());
    }
    found
}

fn look_at(path: &Path, inside: &Path, is_listener: bool, found: &mut Vec<String>) {
    let Ok(content) = disk::read_regular(path, LARGEST) else { return };
    let Ok(text) = String::from_utf8(content) else { return };
    for (number, line) in (1..).zip(text.lines()) {
        let is_comment = line.trim_start().starts_with('#') && !line.starts_with("#!");
        let first = line.split_whitespace().next().unwrap_or_default();
        let calls_other = first != "if" && OTHER_PROGRAMS.contains(&first);
        let is_use =
            WORDS.iter().chain(VARIABLES).any(|word| line.contains(word)) || starts_supervisord(line);
        if !is_comment && !calls_other && is_use {
            if is_listener {
                found.push(format!(
                    "/{}: it belongs to an event listener, and is not needed any more",
                    inside.display()
                ));
                return;
            }
            let shown: String = line.trim().chars().take(80).collect();
            found.push(format!("/{}:{number}: `{shown}`: {}", inside.display(), instead(line)));
        }
    }
}

/// Programs that are called with the name of supervisord, and do not start it.
const OTHER_PROGRAMS: &[&str] = &[
    "apk",
    "apt",
    "apt-get",
    "cat",
    "chmod",
    "chown",
    "command",
    "cp",
    "echo",
    "if",
    "install",
    "kill",
    "killall",
    "ln",
    "mkdir",
    "mv",
    "pgrep",
    "pip",
    "pip3",
    "pkill",
    "printf",
    "rm",
    "sed",
    "service",
    "systemctl",
    "test",
    "touch",
    "type",
    "which",
    "[",
    "[[",
];

/// Whether a line runs supervisord.
fn starts_supervisord(line: &str) -> bool {
    let is_program =
        |word: &str| word.trim_matches(['"', '\'', '[', ',']).rsplit('/').next() == Some("supervisord");
    let words: Vec<&str> = line.split_whitespace().collect();
    let place = words.iter().position(|word| is_program(word));
    // `which supervisord` and `apt-get install supervisord` do not.
    place.is_some_and(|place| words[..place].iter().all(|word| !OTHER_PROGRAMS.contains(word)))
}

/// What takes the place of a line.
fn instead(line: &str) -> String {
    let after =
        |word: &str| line.split_once(word).map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
    if let Some(words) = after("supervisorctl") {
        let mut words = words.into_iter().skip_while(|word| word.starts_with('-'));
        let command = words.next().unwrap_or_default();
        let clean = |name: &str| {
            let name = name.trim_matches([';', '"', '\'', ')', '`', '&']);
            name.rsplit(':').find(|part| !part.is_empty() && *part != "*").unwrap_or(name).to_owned()
        };
        let is_name = |name: &&str| !name.starts_with(['|', '>', '<', '&', '#', '2', '-']);
        let names: Vec<String> = words.take_while(is_name).map(clean).collect();
        let name = match names.iter().any(|name| name == "all") || names.is_empty() {
            true => "NAME …".to_owned(),
            false => names.join(" "),
        };
        return match command {
            "start" | "stop" | "restart" => format!("now `s6gen {command} {name}`"),
            "status" => "now `s6gen status`, which prints other columns; for a health check there is `[target] health`".to_owned(),
            "signal" => "now `s6-svc` with the option of the signal, such as `s6-svc -h /run/service/NAME` for HUP".to_owned(),
            "update" | "reread" | "add" | "remove" => {
                "programs that are added while the container runs are instances now: `s6gen instance add TEMPLATE NAME --apply`"
                    .to_owned()
            }
            "shutdown" => "now `/run/s6/basedir/bin/halt`".to_owned(),
            "reload" => "now `s6gen restart NAME` for each service, or a restart of the container".to_owned(),
            "tail" | "fg" => "the logs are where `log` says".to_owned(),
            _ => "now `s6gen status`, `start`, `stop` or `restart`".to_owned(),
        };
    }
    if starts_supervisord(line) {
        return "now `exec /init`: what the entry point exports reaches every service, as before".to_owned();
    }
    if line.contains("supervisord.pid") && !line.contains("kill") {
        return "there is no such file any more".to_owned();
    }
    if line.contains("supervisord.pid") {
        return "there is no such file: `/run/s6/basedir/bin/halt` stops the container".to_owned();
    }
    if line.contains("pidproxy") {
        return "pidproxy is a part of supervisor and goes with it".to_owned();
    }
    "programs have no variables SUPERVISOR_… any more".to_owned()
}
