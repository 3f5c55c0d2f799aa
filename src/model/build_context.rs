//! The files around the definitions of a tree that decide what becomes of it in the image.

use std::collections::{BTreeMap, BTreeSet};

use super::Name;

/// The files around the definitions of a tree: the Dockerfiles that put it into the image, and scripts elsewhere in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildContext {
    /// The texts of the Dockerfiles above the tree. Empty if none was found.
    pub dockerfiles: Vec<String>,
    /// The texts of the scripts that are no part of a definition, and of the files beside a Dockerfile that may contain commands.
    pub scripts: Vec<String>,
    /// The names of the definitions that lower layers have.
    pub lower: BTreeSet<Name>,
    /// Those of [`OLD_PLACES`](Self::OLD_PLACES) that exist in the image. `None` if the image is not known as a whole.
    pub old_places: Option<Vec<&'static str>>,
    /// What s6-overlay runs apart from the definitions. `None` if the image is not known as a whole.
    pub old_scripts: Option<OldScripts>,
}

/// How many scripts and services s6-overlay runs in the way of its version 2, apart from the definitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OldScripts {
    /// The files in `fix-attrs.d`.
    pub attributes: usize,
    /// The scripts in `cont-init.d`.
    pub start: usize,
    /// The scripts in `cont-finish.d`.
    pub stop: usize,
    /// The services in `services.d`.
    pub services: usize,
}

impl BuildContext {
    /// The programs that s6-overlay 2 has in these places, and version 3 only with its optional links. They are files of `usr/bin`.
    pub const OLD_PLACES: &'static [&'static str] = &["/usr/bin/execlineb", "/usr/bin/with-contenv"];

    /// Whether the image has a program in one of the old places, by a link, a file of its own or a package.
    pub fn has_program(&self, path: &str) -> bool {
        let is_there = self.old_places.as_ref().is_some_and(|places| places.contains(&path));
        // Distributions have a package `execline`, whose programs are in `/usr/bin`. That of s6 brings it along.
        let installs = |text: &String| {
            instructions(text).iter().any(|instruction| {
                instruction.split([' ', '\t']).any(|word| matches!(word, "execline" | "s6"))
            })
        };
        let adds = |text: &String| text.contains(path);
        is_there
            || self.dockerfiles.iter().any(adds)
            || path.ends_with("/execlineb") && self.dockerfiles.iter().any(installs)
    }

    /// Every text.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.dockerfiles.iter().chain(&self.scripts).map(String::as_str)
    }

    /// The value that a Dockerfile gives to a variable of the container.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.dockerfiles.iter().filter_map(|text| value_in_image(text, name)).next_back()
    }

    /// Whether a Dockerfile sets the modes of scripts, with `COPY --chmod` or with a command.
    pub fn sets_modes(&self) -> bool {
        let sets_mode = |instruction: String| {
            let copies = instruction.starts_with("COPY ") || instruction.starts_with("ADD ");
            match copies {
                true => instruction.contains("--chmod=") && !instruction.contains("://"),
                false => instruction.contains("chmod ") && is_about_services(&instruction),
            }
        };
        self.dockerfiles.iter().flat_map(|text| instructions(text)).any(sets_mode)
    }

    /// Whether the image has the optional links of s6-overlay, such as `/usr/bin/with-contenv`. `None` if that depends on its
    /// base image.
    pub fn has_links(&self) -> Option<bool> {
        let mentions = |what: &str| self.dockerfiles.iter().any(|text| text.contains(what));
        if self.old_places.is_some() {
            // Each place was looked for by itself.
            return Some(false);
        }
        match (mentions("s6-overlay-symlinks"), mentions("s6-overlay-noarch")) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

/// Whether a command with `chmod` may concern the scripts of services: it names their directory, or many files at once.
fn is_about_services(command: &str) -> bool {
    ["s6-rc", "s6-overlay/", "find ", "chmod -R", "xargs"].iter().any(|word| command.contains(word))
}

/// The value of a variable at the end of a Dockerfile: that of its last stage, which has those of the stage from which it begins.
fn value_in_image(text: &str, name: &str) -> Option<String> {
    let mut stages = BTreeMap::new();
    let (mut stage, mut value) = (String::new(), None);
    for instruction in instructions(text) {
        let Some((keyword, rest)) = instruction.split_once(char::is_whitespace) else { continue };
        match keyword.to_ascii_uppercase().as_str() {
            "FROM" => {
                stages.insert(stage, value);
                let is_option = |word: &&str| word.starts_with("--");
                let mut words = rest.split_whitespace().skip_while(is_option).map(str::to_ascii_lowercase);
                value = words.next().and_then(|base| stages.get(&base).cloned()).flatten();
                // The word between them is `AS`.
                stage = words.nth(1).unwrap_or_default();
            }
            "ENV" => value = assigned(rest, name).or(value),
            _ => {}
        }
    }
    value
}

/// The value that an instruction `ENV` gives to a variable, if it gives one.
fn assigned(text: &str, name: &str) -> Option<String> {
    // The old form has one variable: `ENV NAME VALUE`.
    if let Some((first, value)) = text.trim().split_once(char::is_whitespace)
        && !first.contains('=')
    {
        return (first == name).then(|| value.trim().to_owned());
    }
    let mut words = shlex::split(text)?.into_iter().rev();
    words.find_map(|word| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// The instructions of a Dockerfile, each on one line, without comments. The lines of a here-document belong to its instruction.
fn instructions(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        let Some(last) = found.last_mut() else { continue };
        *last += part;
        *last += " ";
        if !goes_on {
            for end in here_documents(last) {
                for line in lines.by_ref().map(str::trim).take_while(|line| **line != *end) {
                    *last += line;
                    *last += " ";
                }
            }
            found.push(String::new());
        }
    }
    found
}

/// The lines that end the here-documents of an instruction, one after the other.
fn here_documents(instruction: &str) -> Vec<String> {
    let keyword = instruction.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !["RUN", "COPY", "ADD"].contains(&keyword.as_str()) {
        return Vec::new();
    }
    let end = |rest: &str| {
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches(['"', '\'']);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())].to_owned()
    };
    instruction.split("<<").skip(1).map(end).filter(|end| !end.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> BuildContext {
        BuildContext { dockerfiles: vec![text.to_owned()], ..BuildContext::default() }
    }

    #[test]
    fn a_dockerfile_sets_the_modes_of_the_tree_or_of_other_files() {
        for text in [
            "COPY --chmod=755 root/ /",
            "COPY root/ /\nRUN apt-get update \\\n  # comment\n  && chmod 755 \\\n  /etc/s6-overlay/s6-rc.d/*/run",
            "RUN find /etc -name run -exec chmod +x {} +",
            "RUN chmod -R +x /etc",
        ] {
            assert!(of(text).sets_modes(), "{text}");
        }
        for text in [
            "COPY root/ /",
            "RUN chmod +x /usr/local/bin/tool",
            "ADD --chmod=755 https://example.org/tool /usr/bin/tool",
            "# COPY --chmod=755 root/ /",
        ] {
            assert!(!of(text).sets_modes(), "{text}");
        }
    }

    #[test]
    fn a_dockerfile_sets_variables_in_both_forms() {
        let text = "ENV A=1 S6_KILL_GRACETIME=500 \\\n  B=2\nENV OLD 7 8\nENV Q=\"9\"\n# ENV B=3\n";
        for (name, value) in [
            ("S6_KILL_GRACETIME", Some("500")),
            ("B", Some("2")),
            ("OLD", Some("7 8")),
            ("Q", Some("9")),
            ("C", None),
        ] {
            assert_eq!(of(text).variable(name).as_deref(), value, "{name}");
        }
    }

    #[test]
    fn the_variables_of_an_image_are_those_of_its_last_stage() {
        for (text, value) in [
            ("FROM a AS one\nENV V=1\nFROM b\nENV W=2", None),
            ("FROM a AS One\nENV V=1\nFROM --platform=linux/amd64 one as two\nENV W=2", Some("1")),
            ("FROM a AS one\nENV V=1\nFROM one AS two\nENV V=2\nFROM one", Some("1")),
            ("env V=1", Some("1")),
            ("ENV\tV=1", Some("1")),
            ("ENV W=\"a V=1\"", None),
            ("ENV W=\"a b\" V='c d'", Some("c d")),
            ("ENV W V=1", None),
            ("RUN <<EOF\nENV V=1\nEOF\nENV W=2", None),
            ("COPY <<-\"A\" <<B /x/\nENV V=1\nA\nENV V=2\nB\nENV V=3", Some("3")),
            ("ENV V=1\nENV V=", Some("")),
        ] {
            assert_eq!(of(text).variable("V").as_deref(), value, "{text}");
        }
    }

    #[test]
    fn a_dockerfile_installs_the_links_or_leaves_them_out_or_its_base_decides() {
        let noarch = "ADD https://example.org/s6-overlay-noarch.tar.xz /tmp\n";
        assert_eq!(of(noarch).has_links(), Some(false));
        let links = "ADD https://example.org/s6-overlay-symlinks-noarch.tar.xz /tmp";
        assert_eq!(of(&format!("{noarch}{links}")).has_links(), Some(true));
        assert_eq!(of("FROM example/base\n").has_links(), None);
    }
}
