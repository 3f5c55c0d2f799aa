//! What proves that each key of the language does what its line in the reference says.
//!
//! A proof is a sentence: the name of a test with blanks, or a check of `tests/boot/boot`, which boots a whole container.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use s6gen::manifest::{REFERENCE, TABLES};

/// The keys that may stand at the top of a manifest.
const TOP: &str = "the manifest";

/// For each table of the reference the keys and their proofs; a key with several has several lines.
const PROOFS: &[(&str, &[(&str, &str)])] = &[
    (
        TOP,
        &[
            ("include", "a manifest is laid over those that it includes"),
            ("target", "scripts find their interpreter where the target has it"),
            ("defaults", "a default of a type holds for each service without a value of its own"),
            ("longrun", "an argument vector arrives unchanged"),
            ("oneshot", "a oneshot runs exactly its command or its steps"),
            ("bundle", "a bundle starts and stops its members after what it depends on"),
        ],
    ),
    (
        "[target]",
        &[
            ("s6-overlay", "/init reaches top"),
            ("s6-rc", "scripts find their interpreter where the target has it"),
            ("tree", "scripts find their interpreter where the target has it"),
            ("command-dir", "scripts find their interpreter where the target has it"),
            ("external", "a service of another layer is waited for"),
            ("rootless", "without root and with a read-only root a service comes up"),
            ("read-only", "without root and with a read-only root a service comes up"),
            ("writable", "it runs as the container's account, and its output is logged"),
            ("without", "a manifest can reset the values of an included file"),
        ],
    ),
    (
        "[longrun.NAME]",
        &[
            ("description", "a description stands on top of the script"),
            ("description", "the graph shows the descriptions of services and bundles"),
            ("start", "services of the boot are up and others start on demand"),
            ("start", "early services do not wait for the image's own initialisation"),
            ("dependencies", "a service starts when its dependencies are up"),
            ("required-by", "a service that is required is up before the other"),
            ("only-if", "an unwanted service idles and counts as ready"),
            ("environment", "environment directory and mask are as written"),
            ("with-contenv", "services get the container's environment only if they want it"),
            ("user", "an account brings its groups home and name"),
            ("workdir", "environment directory and mask are as written"),
            ("umask", "environment directory and mask are as written"),
            ("nice", "limits and priority are as written"),
            ("limits", "limits and priority are as written"),
            ("log", "a log is a directory that rotates with a link to its current file"),
            ("timeout-up", "a start that takes too long fails and what depends on it stays down"),
            ("timeout-down", "a stop that takes too long fails"),
            ("flag-essential", "an essential service is stopped only by force"),
            ("flag-recommended", "a new set of the repository takes what is recommended"),
            ("files", "a further file lies beside the script and may be a program"),
            ("instances", "a template is a service for each instance and the bundle of them all"),
            ("parameters", "a template is a service for each instance and the bundle of them all"),
            ("without", "a default that is reset has no effect"),
            ("run", "an argument vector arrives unchanged"),
            ("run", "a script gets the name of its service also with a directory of its own"),
            ("run", "a script without a first line ends at the first step that fails"),
            ("prepare", "prepare runs before each start and fails it"),
            ("finish", "finish learns how it died and may keep it down"),
            ("finish", "a finish script can make a death final"),
            ("ready", "a service counts as up when it reports readiness"),
            ("on-exit", "a final death keeps it down and any other starts it again"),
            ("restart-delay", "a restart waits for the set time and a stop does not wait"),
            ("down-signal", "a service that ignores its stop signal is killed in time"),
            ("timeout-kill", "a service that ignores its stop signal is killed in time"),
            ("timeout-finish", "a finish that takes too long is killed"),
            ("stop-group", "the rest of the process group is stopped with the service"),
            ("flag-timeout-killpg", "the kill goes to the whole group"),
            ("reload-signal", "s6-rc reload sends the reload signal"),
            ("lock-fd", "the process holds the lock open on the descriptor"),
            ("max-death-tally", "s6-supervise remembers at most max-death-tally deaths"),
            ("flag-newpidns", "with flag-newpidns the program is process 1 of its namespace"),
            ("producer-for", "a pipeline passes lines on and has a name"),
            ("consumer-for", "a pipeline passes lines on and has a name"),
            ("pipeline-name", "a pipeline passes lines on and has a name"),
        ],
    ),
    (
        "[oneshot.NAME]",
        &[
            ("description", "a description stands on top of the script"),
            ("description", "the graph shows the descriptions of services and bundles"),
            ("start", "services of the boot are up and others start on demand"),
            ("start", "late services start"),
            ("dependencies", "a service starts when its dependencies are up"),
            ("required-by", "a service that is required is up before the other"),
            ("only-if", "an unwanted step is skipped and succeeds"),
            ("environment", "a oneshot has the surroundings that are written"),
            ("with-contenv", "services get the container's environment only if they want it"),
            ("user", "a oneshot has the surroundings that are written"),
            ("workdir", "a oneshot has the surroundings that are written"),
            ("umask", "a oneshot has the surroundings that are written"),
            ("nice", "a oneshot has the surroundings that are written"),
            ("limits", "a oneshot has the surroundings that are written"),
            ("log", "the output of a oneshot is kept together or apart"),
            ("timeout-up", "a start that takes too long fails and what depends on it stays down"),
            ("timeout-down", "a stop that takes too long fails"),
            ("flag-essential", "an essential service is stopped only by force"),
            ("flag-recommended", "a new set of the repository takes what is recommended"),
            ("files", "a oneshot has the surroundings that are written"),
            ("instances", "a template is a service for each instance and the bundle of them all"),
            ("parameters", "a template is a service for each instance and the bundle of them all"),
            ("without", "a default that is reset has no effect"),
            ("up", "a oneshot runs exactly its command or its steps"),
            ("up", "a failing step fails the oneshot"),
            ("down", "down undoes a oneshot when it stops"),
            ("reload", "s6-rc reload runs the reload script"),
        ],
    ),
    (
        "[bundle.NAME]",
        &[
            ("description", "the graph shows the descriptions of services and bundles"),
            ("contents", "a bundle starts and stops its members after what it depends on"),
            ("dependencies", "a bundle starts and stops its members after what it depends on"),
            ("required-by", "a service that is required is up before the other"),
            ("flag-essential", "an essential service is stopped only by force"),
            ("flag-recommended", "a new set of the repository takes what is recommended"),
            ("without", "a manifest can reset the values of an included file"),
        ],
    ),
    (
        "ready",
        &[
            ("fd", "a service counts as up when it reports readiness"),
            ("check", "a service is ready when its check succeeds"),
            ("tcp", "a service is ready when its socket answers"),
            ("unix", "a service is ready when its socket answers"),
            ("http", "a service is ready when its socket answers"),
            ("interval", "a readiness check respects its number of tries and its limits"),
            ("timeout", "a readiness check respects its number of tries and its limits"),
            ("tries", "a readiness check respects its number of tries and its limits"),
        ],
    ),
    (
        "on-exit",
        &[
            ("codes", "a final death keeps it down and any other starts it again"),
            ("except", "a final death keeps it down and any other starts it again"),
            ("deaths", "a final death keeps it down and any other starts it again"),
            ("within", "deaths that are far apart are not final"),
            ("then", "a final death keeps it down and any other starts it again"),
            ("then", "the container stops with the exit code of its main service"),
        ],
    ),
    (
        "log",
        &[
            ("to", "a log is a directory that rotates with a link to its current file"),
            ("to", "a log has the account and the times that are written"),
            ("to", "a logger starts after what its producers wait for"),
            ("prefix", "a prefix stands in front of each line"),
            ("tee", "a prefix stands in front of each line"),
            ("stderr", "standard error is kept apart and survives the death of its logger"),
            ("size", "a log is a directory that rotates with a link to its current file"),
            ("keep", "a log is a directory that rotates with a link to its current file"),
            ("timestamp", "a log has the account and the times that are written"),
            ("link", "a log is a directory that rotates with a link to its current file"),
            ("link", "a link to a log replaces nothing but a link"),
            ("user", "a log has the account and the times that are written"),
        ],
    ),
    (
        "limits",
        &[
            ("as", "limits and priority are as written"),
            ("core", "limits and priority are as written"),
            ("cpu", "limits and priority are as written"),
            ("data", "limits and priority are as written"),
            ("fsize", "limits and priority are as written"),
            ("memlock", "limits and priority are as written"),
            ("nofile", "limits and priority are as written"),
            ("nofile", "a least limit raises what is lower and leaves the rest"),
            ("nproc", "limits and priority are as written"),
            ("rss", "limits and priority are as written"),
            ("stack", "limits and priority are as written"),
        ],
    ),
];

/// Every sentence that something proves, with the text that must mention what it is a proof of: a test by itself; a
/// check of the boot script with the whole script, whose manifests stand before the checks.
fn sentences() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut sentences = BTreeMap::new();
    for file in fs::read_dir(folder.join("suite")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for test in text.split("#[test]\nfn ").skip(1) {
            let (name, body) = test.split_once("()").unwrap();
            let body = body.split("\n}\n").next().unwrap();
            sentences.insert(name.replace('_', " "), body.replace("\\n", "\n"));
        }
    }
    let boot = fs::read_to_string(folder.join("boot/boot")).unwrap();
    for line in boot.lines().map(str::trim_start) {
        let check = line.strip_prefix("check \"").or_else(|| line.strip_prefix("dies \""));
        if let Some((sentence, _)) = check.and_then(|check| check.split_once('"')) {
            sentences.insert(sentence.to_owned(), boot.clone());
        }
    }
    sentences
}

/// Whether `text` names `key`, and not only a longer word around it.
fn mentions(text: &str, key: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == key)
}

#[test]
fn every_key_of_the_language_has_a_proof() {
    let sections = REFERENCE
        .iter()
        .map(|(heading, _, keys)| (*heading, keys().iter().map(|key| key.name).collect::<BTreeSet<_>>()));
    let language: BTreeMap<_, _> = sections.chain([(TOP, TABLES.iter().copied().collect())]).collect();
    let proofs: BTreeMap<_, BTreeSet<_>> = PROOFS
        .iter()
        .map(|(heading, proofs)| (*heading, proofs.iter().map(|(key, _)| *key).collect()))
        .collect();
    assert_eq!(language, proofs, "left the keys there are, right those with a proof");
    let sentences = sentences();
    for (heading, proofs) in PROOFS {
        for (key, sentence) in *proofs {
            let text = sentences
                .get(*sentence)
                .unwrap_or_else(|| panic!("`{key}` of {heading}: no test and no check says \"{sentence}\""));
            assert!(mentions(text, key), "`{key}` of {heading} does not occur in \"{sentence}\"");
        }
    }
}
