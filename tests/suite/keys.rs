//! Checks that each key of the manifest has a test that proves its line in the reference.
//!
//! A proof is the name of a test, with blanks for `_`, or the sentence of a check in `tests/boot/boot`, which boots a whole
//! container.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use s6gen::manifest::{REFERENCE, TABLES};

/// The name of the table for the keys at the top of a manifest.
const TOP: &str = "the manifest";

/// The keys of each table of the reference with their proofs. A key with several proofs has several lines.
const PROOFS: &[(&str, &[(&str, &str)])] = &[
    (
        TOP,
        &[
            ("include", "a manifest overrides those that it includes"),
            ("target", "scripts find their interpreter in the directory of the target"),
            ("lints", "the lints of a manifest win over those of the files that it includes"),
            ("defaults", "a default of a type applies to each service without its own value"),
            ("longrun", "an argument vector arrives unchanged"),
            ("oneshot", "a oneshot runs exactly its command or its steps"),
            ("bundle", "a bundle starts and stops its members after what it depends on"),
        ],
    ),
    ("[lints]", &[]),
    (
        "[target]",
        &[
            ("s6-overlay", "/init reaches top"),
            ("s6-rc", "scripts find their interpreter in the directory of the target"),
            ("tree", "scripts find their interpreter in the directory of the target"),
            ("command-dir", "scripts find their interpreter in the directory of the target"),
            ("external", "a service waits for a service of another layer"),
            ("rootless", "one tree runs with root and without by rootless detect"),
            ("rootless", "without root and with a read-only root a service comes up"),
            ("read-only", "without root and with a read-only root a service comes up"),
            ("health", "the health script names what is not up not ready or not done"),
            ("health", "the health script agrees with s6 svstat"),
            ("writable", "it runs as the container's account, and its output is logged"),
            ("without", "a manifest can reset the values of an included file"),
        ],
    ),
    (
        "[longrun.NAME]",
        &[
            ("description", "a description is at the top of the script"),
            ("description", "the graph shows the descriptions of services and bundles"),
            ("start", "services of the boot are up and others start on demand"),
            ("start", "early services do not wait for the image's own initialisation"),
            ("dependencies", "a service starts when its dependencies are up"),
            ("required-by", "a service with required by is up before the named one"),
            ("only-if", "a service whose only if fails idles and counts as ready"),
            ("environment", "environment directory and mask are those of the manifest"),
            ("variables", "a value of the container arrives as exactly one word"),
            ("variables", "a value of the container can be in every place that the reference names"),
            ("variables", "a variable that the container must set fails the start for good"),
            ("secrets", "a secret is in the environment and in no command line"),
            ("secrets", "secrets arrive byte for byte"),
            ("secrets", "a secret that cannot be read fails the start for good"),
            ("environment-files", "files of variables are read at each start before the environment"),
            ("environment-files", "a file of variables that cannot be read fails the start for good"),
            ("with-contenv", "services get the container's environment only if they want it"),
            ("user", "an account sets its groups home and name"),
            ("workdir", "environment directory and mask are those of the manifest"),
            ("umask", "environment directory and mask are those of the manifest"),
            ("nice", "limits and priority are those of the manifest"),
            ("limits", "limits and priority are those of the manifest"),
            ("log", "a log is a directory that rotates with a link to its current file"),
            ("timeout-up", "a start that takes too long fails and what depends on it stays down"),
            ("timeout-down", "a stop that takes too long fails"),
            ("flag-essential", "an essential service is stopped only by force"),
            ("flag-recommended", "a new set of a repository includes recommended services"),
            ("files", "a further file is in the definition and may be a program"),
            ("instances", "a template is a service for each instance and the bundle of them all"),
            ("parameters", "a template is a service for each instance and the bundle of them all"),
            ("without", "a default that is reset has no effect"),
            ("run", "an argument vector arrives unchanged"),
            ("run", "a script gets the name of its service even with a workdir"),
            ("run", "a script without a first line ends at the first step that fails"),
            ("prepare", "prepare runs before each start and fails it"),
            ("finish", "finish gets the exit code and signal and may keep the service down"),
            ("finish", "a finish script can make a death final"),
            ("ready", "a service counts as up when it reports readiness"),
            ("alive", "a service that no longer works is started again"),
            ("on-exit", "a service stays down after a final death and starts again after any other"),
            ("restart-delay", "a restart waits for the set time and a stop does not wait"),
            ("restart-delay", "the time before a restart doubles up to its limit"),
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
            ("description", "a description is at the top of the script"),
            ("description", "the graph shows the descriptions of services and bundles"),
            ("start", "services of the boot are up and others start on demand"),
            ("start", "late services start"),
            ("dependencies", "a service starts when its dependencies are up"),
            ("required-by", "a service with required by is up before the named one"),
            ("only-if", "a oneshot whose only if fails is skipped and succeeds"),
            ("environment", "a oneshot has the environment account and limits of its manifest"),
            ("variables", "a oneshot and a check get values of the container"),
            ("secrets", "a oneshot gets secrets and files of variables"),
            ("environment-files", "a oneshot gets secrets and files of variables"),
            ("with-contenv", "services get the container's environment only if they want it"),
            ("user", "a oneshot has the environment account and limits of its manifest"),
            ("workdir", "a oneshot has the environment account and limits of its manifest"),
            ("umask", "a oneshot has the environment account and limits of its manifest"),
            ("nice", "a oneshot has the environment account and limits of its manifest"),
            ("limits", "a oneshot has the environment account and limits of its manifest"),
            ("log", "standard error of a oneshot is logged with its output or separately"),
            ("timeout-up", "a start that takes too long fails and what depends on it stays down"),
            ("timeout-down", "a stop that takes too long fails"),
            ("flag-essential", "an essential service is stopped only by force"),
            ("flag-recommended", "a new set of a repository includes recommended services"),
            ("files", "a oneshot has the environment account and limits of its manifest"),
            ("instances", "a template is a service for each instance and the bundle of them all"),
            ("parameters", "a template is a service for each instance and the bundle of them all"),
            ("without", "a default that is reset has no effect"),
            ("up", "a oneshot runs exactly its command or its steps"),
            ("up", "a failing step fails the oneshot"),
            ("down", "down undoes a oneshot when it stops"),
            ("reload", "s6-rc reload runs the reload script"),
            ("on-failure", "a oneshot is tried again until it succeeds"),
            ("wait-for", "a oneshot waits for something outside"),
            ("sets", "the output of a oneshot becomes a variable byte for byte"),
            ("sets", "a oneshot that fails or is skipped sets nothing"),
            ("sets", "the log of a oneshot that sets a variable has its errors"),
        ],
    ),
    (
        "[bundle.NAME]",
        &[
            ("description", "the graph shows the descriptions of services and bundles"),
            ("contents", "a bundle starts and stops its members after what it depends on"),
            ("dependencies", "a bundle starts and stops its members after what it depends on"),
            ("required-by", "a service with required by is up before the named one"),
            ("flag-essential", "an essential service is stopped only by force"),
            ("flag-recommended", "a new set of a repository includes recommended services"),
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
            ("on-timeout", "a service that is not ready in time can count as ready"),
            ("on-timeout", "a service that is not ready in time can stop the container"),
        ],
    ),
    (
        "alive",
        &[
            ("check", "a service that no longer works is started again"),
            ("check", "an idle or starting service is not asked whether it works"),
            ("tcp", "a service is asked over its sockets whether it works"),
            ("unix", "a service is asked over its sockets whether it works"),
            ("http", "a service is asked over its sockets whether it works"),
            ("interval", "a service that no longer works is started again"),
            ("timeout", "a check that hangs is killed and has failed"),
            ("failures", "a service that no longer works is started again"),
            ("then", "a service that no longer works can stop the container"),
        ],
    ),
    (
        "wait-for",
        &[
            ("tcp", "a oneshot waits for a server"),
            ("unix", "a oneshot waits for a server"),
            ("http", "a oneshot waits for a server"),
            ("path", "a oneshot waits for something outside"),
            ("interval", "a oneshot waits for something outside"),
            ("timeout", "a oneshot waits for a server"),
            ("limit", "a oneshot waits for something outside"),
        ],
    ),
    (
        "on-failure",
        &[
            ("tries", "a oneshot is tried again until it succeeds"),
            ("tries", "exit code 100 ends all tries"),
            ("pause", "a oneshot is tried again until it succeeds"),
            ("then", "a failure can be ignored"),
        ],
    ),
    (
        "on-exit",
        &[
            ("codes", "a service stays down after a final death and starts again after any other"),
            ("except", "a service stays down after a final death and starts again after any other"),
            ("deaths", "a service stays down after a final death and starts again after any other"),
            ("within", "deaths that are far apart are not final"),
            ("early", "early deaths in a row are final and later ones follow the codes"),
            ("early", "an ordered stop ends the row of early deaths"),
            ("then", "the first table of on exit that applies counts"),
            ("then", "a service stays down after a final death and starts again after any other"),
            ("then", "the container stops with the exit code of its main service"),
        ],
    ),
    (
        "log",
        &[
            ("to", "a log is a directory that rotates with a link to its current file"),
            ("to", "a log has the account and the timestamps of its manifest"),
            ("to", "a logger starts after what its producers wait for"),
            ("to", "a command gets each line of a log and its end loses none"),
            ("file", "a file grows and its logger follows no link of others"),
            ("format", "each line on the log of the container has the format json"),
            ("show", "files of a service are shown on the log of the container"),
            ("filter", "a filter is between a service and its log"),
            ("filter", "a oneshot has a filter and commands for its output"),
            ("prefix", "each line of a log begins with the prefix"),
            ("tee", "each line of a log begins with the prefix"),
            ("stderr", "standard error has its own log and survives the death of the logger"),
            ("stderr", "a script gets standard error alone"),
            ("size", "a log is a directory that rotates with a link to its current file"),
            ("keep", "a log is a directory that rotates with a link to its current file"),
            ("timestamp", "a log has the account and the timestamps of its manifest"),
            ("link", "a log is a directory that rotates with a link to its current file"),
            ("link", "a link to a log replaces only a link"),
            ("user", "a log has the account and the timestamps of its manifest"),
            ("user", "a command gets each line of a log and its end loses none"),
        ],
    ),
    (
        "limits",
        &[
            ("as", "limits and priority are those of the manifest"),
            ("core", "limits and priority are those of the manifest"),
            ("cpu", "limits and priority are those of the manifest"),
            ("data", "limits and priority are those of the manifest"),
            ("fsize", "limits and priority are those of the manifest"),
            ("memlock", "limits and priority are those of the manifest"),
            ("nofile", "limits and priority are those of the manifest"),
            ("nofile", "a lower bound raises a lower limit and leaves a higher one"),
            ("nproc", "limits and priority are those of the manifest"),
            ("rss", "limits and priority are those of the manifest"),
            ("stack", "limits and priority are those of the manifest"),
        ],
    ),
];

/// Every possible proof, each with a text that must mention the key: the body of the test, or the whole boot script, whose
/// manifests are not next to its checks.
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

/// Whether `text` contains `key` as a whole word.
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
