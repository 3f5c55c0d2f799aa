//! Adds an instance whose parameter has any value to templates that use it in every kind of place. The value is refused, or it
//! is data: the commands keep their words.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use s6gen::diagnostic::Files;
use s6gen::jobs::Project;
use s6gen::manifest::{Additions, Parameters};
use s6gen::model::ServiceSet;
use s6gen::tree::TreeEntry;
use s6gen::{ManifestFile, execline, render};

/// Uses of the parameter; a byte selects one.
const USES: &[&str] = &[
    "run = [\"program\", \"{{ p }}\"]",
    "run = [\"sh\", \"-c\", \"echo {{ p }}\"]",
    "run = [\"program\", \"--name={{ p }}\", \"-x\"]",
    "run = 'exec program {{ p }}'",
    "run = [\"program\"]\nenvironment.P = \"a {{ p }} b\"",
    "run = [\"program\"]\nuser = \"{{ p }}\"",
    "run = [\"program\"]\nworkdir = \"/srv/{{ p }}\"",
    "run = [\"program\"]\nlog.to = \"/var/log/{{ p }}\"",
    "run = [\"program\"]\nfiles.\"data/x\" = \"{{ p }}\"",
    "run = [\"program\"]\nready.check = [\"ask\", \"{{ p }}\"]",
    "run = [\"program\"]\nready.tcp = \"{{ p }}:80\"",
    "run = [\"program\"]\nprepare = [\"mkdir\", \"-p\", \"/run/{{ p }}\"]",
    "run = [\"program\"]\ndescription = \"for {{ p }}\"",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, value)) = bytes.split_first() else { return };
    let Ok(value) = str::from_utf8(value) else { return };
    let used = USES[usize::from(*choice) % USES.len()];
    let with = |value: &str| {
        let text = format!("[longrun.t]\nparameters = [\"p\"]\ninstances = []\n{used}\n");
        let mut files = Files::default();
        let file = files.add("services.toml", text);
        let mut project = Project::of(files, ManifestFile::from(file));
        let mut additions = Additions::default();
        additions.add_instance("longrun", "t", "x", Parameters::from([("p".to_owned(), value.to_owned())]));
        project.add(Path::new(".s6gen.added.toml"), &additions);
        project.compile()
    };
    let compilation = with(value);
    if !compilation.problems.has_errors() {
        assert_eq!(shape(&compilation.services), shape(&with("x").services), "{value:?} in {used}");
    }
});

/// The number of words of every execline script of the tree.
fn shape(set: &ServiceSet) -> Vec<usize> {
    let tree = render::tree(set).expect("the templates are well-formed");
    let scripts = tree.entries().filter_map(|(path, entry)| match entry {
        TreeEntry::File { content, .. } if path.ends_with("/run") || path.ends_with("/check") => Some(content),
        _ => None,
    });
    scripts.map(|script| execline::words(script).map_or(0, |words| words.len())).collect()
}
