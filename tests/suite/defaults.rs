//! Checks that a service that resets a default is the same as without the default. The tests try every key, and a part of each key
//! that has parts.

use std::collections::BTreeSet;

use s6gen::diagnostic::{Files, Severity};
use s6gen::manifest::REFERENCE;
use s6gen::{compile, render};

/// The tree of a manifest, or its problems.
fn outcome(text: &str) -> String {
    let mut files = Files::default();
    let file = files.add("services.toml", text);
    let compilation = compile(&files, file);
    let errors = compilation.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<&str> = errors.map(|problem| problem.message.as_str()).collect();
    match errors.is_empty() {
        true => render::tree(&compilation.services).unwrap().to_string(),
        false => errors.join("\n"),
    }
}

/// A manifest with the service `a`, which has the lines `own`, and the services in `mentions`, which the default does not
/// affect.
fn manifest(kind: &str, default: &str, own: &str, mentions: &str) -> String {
    let keys: BTreeSet<&str> = default.lines().map(|line| line.split(['.', ' ']).next().unwrap()).collect();
    let keys: Vec<String> = keys.into_iter().map(|key| format!("\"{key}\"")).collect();
    let without = format!("without = [{}]", keys.join(", "));
    let mut text = format!("[defaults.{kind}]\n{default}\n[{kind}.a]\n{own}\n");
    for (other, table) in [("\"b\"", "[oneshot.b]"), ("\"c\"", "[longrun.c]\nrun = [\"c\"]")] {
        if mentions.contains(other) {
            text += &format!("{table}\n{}\n", if table[1..].starts_with(kind) { &without } else { "" });
        }
    }
    text
}

/// A key or a part of one, a default for it, and the other lines that a service needs for it.
type Sample = (&'static str, &'static str, &'static str);

const COMMON: &[Sample] = &[
    ("description", "description = \"x\"", ""),
    ("start", "start = \"on-demand\"", ""),
    ("dependencies", "dependencies = [\"b\"]", ""),
    ("dependencies.b", "dependencies = [\"b\"]", ""),
    ("required-by", "required-by = [\"b\"]", ""),
    ("required-by.b", "required-by = [\"b\"]", ""),
    ("only-if", "only-if = [\"x\"]", ""),
    ("environment", "environment.A = \"1\"", ""),
    ("environment.A", "environment.A = \"1\"", "environment.B = \"2\""),
    ("variables", "variables.A = \"1\"", ""),
    ("variables.A", "variables.A = \"1\"", "variables.B = \"2\""),
    ("secrets", "secrets = [\"A\"]", ""),
    ("secrets.A", "secrets = [\"A\"]", "secrets = [\"B\"]"),
    ("environment-files", "environment-files = [\"/x\"]", ""),
    ("environment-files./x", "environment-files = [\"/x\"]", "environment-files = [\"/y\"]"),
    ("with-contenv", "with-contenv = false", ""),
    ("user", "user = \"x\"", ""),
    ("workdir", "workdir = \"/x\"", ""),
    ("umask", "umask = \"077\"", ""),
    ("nice", "nice = 3", ""),
    ("limits", "limits.nofile = 3", ""),
    ("log", "log.to = \"discard\"", ""),
    ("timeout-up", "timeout-up = \"3s\"", ""),
    ("timeout-down", "timeout-down = \"3s\"", ""),
    ("flag-essential", "flag-essential = true", ""),
    ("flag-recommended", "flag-recommended = true", ""),
    ("files", "files.\"data/x\" = \"x\"", ""),
    ("files.data/x.y", "files.\"data/x.y\" = \"x\"", "files.\"data/z\" = \"z\""),
    ("instances", "instances = 2", ""),
    ("instances.i", "instances = [\"i\"]", "instances = [\"j\"]"),
    ("parameters", "parameters = [\"p\"]", "instances = { i = { p = \"1\" } }"),
    ("parameters.p", "parameters = [\"p\"]", "instances = { i = { p = \"1\" } }"),
    ("limits.as", "limits.as = 3", ""),
    ("limits.core", "limits.core = 3", ""),
    ("limits.cpu", "limits.cpu = 3", ""),
    ("limits.data", "limits.data = 3", ""),
    ("limits.fsize", "limits.fsize = 3", ""),
    ("limits.memlock", "limits.memlock = 3", ""),
    ("limits.nofile", "limits.nofile = 3", ""),
    ("limits.nproc", "limits.nproc = 3", ""),
    ("limits.rss", "limits.rss = 3", ""),
    ("limits.stack", "limits.stack = 3", ""),
    ("log.to", "log.to = \"discard\"", ""),
    ("log.file", "log.file = \"/x\"", ""),
    ("log.format", "log.format = \"json\"", ""),
    ("log.show", "log.show = [\"/x\"]", ""),
    ("log.filter", "log.filter = [\"x\"]", ""),
    ("log.prefix", "log.prefix = \"x\"", ""),
    ("log.tee", "log.tee = true", "log.to = \"/x\""),
    ("log.stderr", "log.stderr = \"discard\"", ""),
    ("log.size", "log.size = \"2MB\"", "log.to = \"/x\""),
    ("log.keep", "log.keep = 3", "log.to = \"/x\""),
    ("log.timestamp", "log.timestamp = \"none\"", "log.to = \"/x\""),
    ("log.link", "log.link = true", "log.to = \"/x\""),
    ("log.user", "log.user = \"x\"", "log.to = \"/x\""),
];

const LONGRUN: &[Sample] = &[
    ("log.show./x", "log.show = [\"/x\"]", "log.show = [\"/y\"]"),
    ("run", "run = [\"y\"]", ""),
    ("prepare", "prepare = [\"y\"]", ""),
    ("finish", "finish = [\"y\"]", ""),
    ("ready", "ready.tcp = \"127.0.0.1:1\"", ""),
    ("on-exit", "on-exit.then = \"stop-container\"", ""),
    ("restart-delay", "restart-delay = \"3s\"", ""),
    ("down-signal", "down-signal = \"INT\"", ""),
    ("timeout-kill", "timeout-kill = \"3s\"", ""),
    ("timeout-finish", "timeout-finish = \"3s\"", ""),
    ("stop-group", "stop-group = true", ""),
    ("flag-timeout-killpg", "flag-timeout-killpg = true", ""),
    ("reload-signal", "reload-signal = \"USR1\"", ""),
    ("lock-fd", "lock-fd = 7", ""),
    ("max-death-tally", "max-death-tally = 7", ""),
    ("flag-newpidns", "flag-newpidns = true", ""),
    ("producer-for", "producer-for = \"c\"", ""),
    ("consumer-for", "consumer-for = [\"c\"]", ""),
    ("consumer-for.c", "consumer-for = [\"c\"]", ""),
    ("pipeline-name", "pipeline-name = \"p\"", "consumer-for = [\"c\"]"),
    ("ready.fd", "ready.fd = 7", ""),
    ("ready.check", "ready.check = [\"x\"]", ""),
    ("ready.tcp", "ready.tcp = \"127.0.0.1:1\"", ""),
    ("ready.unix", "ready.unix = \"/x\"", ""),
    ("ready.http", "ready.http = \"http://127.0.0.1:1/\"", ""),
    ("ready.interval", "ready.interval = \"3s\"", "ready.check = [\"x\"]"),
    ("ready.timeout", "ready.timeout = \"3s\"", "ready.check = [\"x\"]"),
    ("ready.tries", "ready.tries = 3", "ready.check = [\"x\"]"),
    ("ready.on-timeout", "ready.on-timeout = \"go-on\"", "ready.check = [\"x\"]"),
    ("alive", "alive.tcp = \"127.0.0.1:1\"", ""),
    ("alive.check", "alive.check = [\"x\"]", ""),
    ("alive.tcp", "alive.tcp = \"127.0.0.1:1\"", ""),
    ("alive.unix", "alive.unix = \"/x\"", ""),
    ("alive.http", "alive.http = \"http://127.0.0.1:1/\"", ""),
    ("alive.interval", "alive.interval = \"3s\"", "alive.check = [\"x\"]"),
    ("alive.timeout", "alive.timeout = \"3s\"", "alive.check = [\"x\"]"),
    ("alive.failures", "alive.failures = 7", "alive.check = [\"x\"]"),
    ("alive.then", "alive.then = \"stop-container\"", "alive.check = [\"x\"]"),
    ("on-exit.codes", "on-exit.codes = [1]", ""),
    ("on-exit.except", "on-exit.except = [1]", ""),
    ("on-exit.deaths", "on-exit = { deaths = 3, within = \"1m\" }", ""),
    ("on-exit.within", "on-exit = { deaths = 3, within = \"1m\" }", ""),
    ("on-exit.early", "on-exit = { early = \"10s\", deaths = 3 }", ""),
    ("on-exit.then", "on-exit.then = \"stop-container\"", ""),
];

const ONESHOT: &[Sample] = &[
    ("up", "up = [\"y\"]", ""),
    ("down", "down = [\"y\"]", ""),
    ("reload", "reload = [\"y\"]", ""),
    ("sets", "sets = \"A\"", ""),
    ("wait-for", "wait-for.path = \"/x\"", ""),
    ("wait-for.path", "wait-for.path = \"/x\"", ""),
    ("wait-for.tcp", "wait-for.tcp = \"127.0.0.1:1\"", ""),
    ("wait-for.unix", "wait-for.unix = \"/x\"", ""),
    ("wait-for.http", "wait-for.http = \"http://127.0.0.1:1/\"", ""),
    ("wait-for.interval", "wait-for.interval = \"3s\"", "wait-for.path = \"/x\""),
    ("wait-for.timeout", "wait-for.timeout = \"3s\"", "wait-for.tcp = \"127.0.0.1:1\""),
    ("wait-for.limit", "wait-for.limit = \"3s\"", "wait-for.path = \"/x\""),
    ("on-failure", "on-failure.then = \"ignore\"", ""),
    ("on-failure.tries", "on-failure.tries = 3", ""),
    ("on-failure.pause", "on-failure.pause = \"3s\"", "on-failure.tries = 3"),
    ("on-failure.then", "on-failure.then = \"ignore\"", ""),
];

/// Each sample for the kinds of services that have the key.
fn samples() -> impl Iterator<Item = (&'static str, Sample)> {
    let of = |kind, samples: &'static [Sample]| samples.iter().map(move |sample| (kind, *sample));
    of("longrun", COMMON)
        .chain(of("longrun", LONGRUN))
        .chain(of("oneshot", COMMON))
        .chain(of("oneshot", ONESHOT))
}

/// The lines that a service needs besides its sample.
fn own(kind: &str, path: &str, extra: &str) -> String {
    match (kind, path) {
        ("longrun", "run") | ("oneshot", "up") => extra.to_owned(),
        ("longrun", _) => format!("run = [\"x\"]\n{extra}"),
        _ => format!("up = [\"x\"]\n{extra}"),
    }
}

#[test]
fn a_default_that_is_reset_has_no_effect() {
    for (kind, (path, default, extra)) in samples() {
        let own = own(kind, path, extra);
        let mentions = format!("{default} {extra}");
        let none = outcome(&manifest(kind, "", &own, &mentions));
        let with = outcome(&manifest(kind, default, &own, &mentions));
        assert_ne!(with, none, "{kind} {path}: the default says nothing");
        // A limit of deaths consists of two keys.
        let pair = [
            ("on-exit.deaths", "on-exit.within"),
            ("on-exit.within", "on-exit.deaths"),
            ("on-exit.early", "on-exit.deaths"),
        ];
        let other = pair.iter().find(|(key, _)| *key == path).map(|(_, other)| format!(", \"{other}\""));
        let without = format!("{own}\nwithout = [\"{path}\"{}]", other.unwrap_or_default());
        assert_eq!(outcome(&manifest(kind, default, &without, &mentions)), none, "{kind} {path}");
        // The key that it is a part of.
        let whole = path.split('.').next().unwrap();
        if !extra.contains(&format!("{whole}.")) && !extra.contains(&format!("{whole} =")) {
            let without = format!("{own}\nwithout = [\"{whole}\"]");
            assert_eq!(
                outcome(&manifest(kind, default, &without, &mentions)),
                none,
                "{kind} {path} by {whole}"
            );
        }
    }
}

#[test]
fn an_empty_list_or_table_resets_its_default() {
    for (kind, (path, default, extra)) in samples() {
        let blank = match path {
            "dependencies" | "required-by" | "parameters" | "consumer-for" | "instances" => "[]",
            "environment" | "limits" | "log" | "files" | "ready" | "on-exit" | "on-failure" | "alive"
            | "wait-for" => "{}",
            _ => continue,
        };
        let mentions = format!("{default} {extra}");
        let own = format!("{}\n{path} = {blank}", own(kind, path, extra));
        assert_eq!(
            outcome(&manifest(kind, default, &own, &mentions)),
            outcome(&manifest(kind, "", &own, &mentions)),
            "{kind} {path} = {blank}"
        );
        let own = own.replace(&format!("\n{path} = {blank}"), "");
        if path != "parameters" && path != "instances" {
            assert_eq!(
                outcome(&manifest(kind, default, &format!("{own}\n{path} = {blank}"), &mentions)),
                outcome(&manifest(kind, "", &own, &mentions))
            );
            let empty = format!("{path} = {blank}");
            assert_eq!(
                outcome(&manifest(kind, &empty, &own, &mentions)),
                outcome(&manifest(kind, "", &own, &mentions)),
                "an empty default {path}"
            );
        }
    }
}

#[test]
fn every_key_is_tried() {
    let tried: BTreeSet<(&str, &str)> = samples().map(|(kind, (path, ..))| (kind, path)).collect();
    for (heading, _, keys) in REFERENCE {
        for key in keys() {
            let (kinds, path): (&[&str], String) = match *heading {
                "[target]" | "[bundle.NAME]" => continue,
                "[longrun.NAME]" => (&["longrun"], key.name.into()),
                "[oneshot.NAME]" => (&["oneshot"], key.name.into()),
                "ready" | "on-exit" | "alive" => (&["longrun"], format!("{heading}.{}", key.name)),
                "on-failure" | "wait-for" => (&["oneshot"], format!("{heading}.{}", key.name)),
                _ => (&["longrun", "oneshot"], format!("{heading}.{}", key.name)),
            };
            for kind in kinds.iter().filter(|_| key.name != "without") {
                assert!(tried.contains(&(*kind, path.as_str())), "{kind} {path} is not tried");
            }
        }
    }
}

/// Defaults, the lines of a service that replace them, and the lines that give the same service without the defaults.
const DISPLACED: &[(&str, &str, &str)] = &[
    ("log.size = \"2MB\"\nlog.tee = true\nlog.user = \"x\"", "", ""),
    (
        "log.to = \"/x\"\nlog.size = \"2MB\"\nlog.link = true\nlog.prefix = \"p\"",
        "log.to = \"discard\"",
        "log.to = \"discard\"",
    ),
    (
        "log.to = \"/x\"\nlog.keep = 3\nlog.timestamp = \"none\"",
        "log.to = \"container\"",
        "log.to = \"container\"",
    ),
    ("log.to = \"/x\"\nlog.size = \"2MB\"", "producer-for = \"c\"", "producer-for = \"c\""),
    ("log.file = \"/x/y\"\nlog.timestamp = \"iso\"", "log.to = \"discard\"", "log.to = \"discard\""),
    ("log.to = \"/x\"\nlog.link = true", "log.file = \"/x/y\"", "log.file = \"/x/y\""),
    ("log.file = \"/x/y\"", "producer-for = \"c\"", "producer-for = \"c\""),
    ("log.format = \"json\"", "log.to = \"discard\"", "log.to = \"discard\""),
    ("log.format = \"json\"", "producer-for = \"c\"", "producer-for = \"c\""),
    ("log.prefix = \"p\"", "log.format = \"json\"", "log.format = \"json\""),
    ("log.filter = [\"f\"]", "log.to = \"discard\"", "log.to = \"discard\""),
    ("log.filter = [\"f\"]\nlog.to = [\"l\"]", "producer-for = \"c\"", "producer-for = \"c\""),
    ("log.to = \"/x\"\nlog.keep = 3\nlog.tee = true", "log.to = [\"l\"]", "log.to = [\"l\"]"),
    ("log.prefix = \"p\"", "producer-for = \"c\"", "producer-for = \"c\""),
    ("ready.interval = \"3s\"\nready.tries = 4", "", ""),
    ("ready.interval = \"3s\"", "ready.fd = 3", "ready.fd = 3"),
    (
        "ready.tcp = \"127.0.0.1:1\"",
        "ready.http = \"http://127.0.0.1:1/\"",
        "ready.http = \"http://127.0.0.1:1/\"",
    ),
    ("timeout-up = \"never\"", "ready.tcp = \"127.0.0.1:1\"", "ready.tcp = \"127.0.0.1:1\""),
    (
        "max-death-tally = 3",
        "on-exit = { deaths = 5, within = \"1m\" }",
        "on-exit = { deaths = 5, within = \"1m\" }",
    ),
    ("on-exit = { deaths = 5, within = \"1m\" }", "on-exit.then = \"give-up\"", "on-exit.then = \"give-up\""),
    ("on-exit = { codes = [1], then = \"stop-container\" }", "on-exit.except = [2]", "on-exit.except = [2]"),
    ("on-exit.then = \"stop-container\"", "on-exit.then = \"restart\"", ""),
    ("ready.on-timeout = \"go-on\"", "", ""),
    ("alive.interval = \"3s\"\nalive.then = \"stop-container\"", "", ""),
    ("alive.tcp = \"127.0.0.1:1\"", "alive.check = [\"x\"]", "alive.check = [\"x\"]"),
    ("dependencies = [\"a\"]", "", ""),
    ("dependencies = [\"{{ name }}\"]", "", ""),
    ("required-by = [\"a\"]", "", ""),
    ("dependencies = [\"a\"]", "instances = [\"i\"]", "instances = [\"i\"]"),
    ("producer-for = \"a\"", "", ""),
    ("consumer-for = [\"a\"]", "", ""),
    ("parameters = [\"p\"]", "", ""),
    ("parameters = []", "", ""),
];

#[test]
fn a_value_of_a_service_removes_defaults_that_it_makes_meaningless() {
    for (defaults, own, same) in DISPLACED {
        let (own, same) = (format!("run = [\"x\"]\n{own}"), format!("run = [\"x\"]\n{same}"));
        let (with, plain) = (manifest("longrun", defaults, &own, &own), manifest("longrun", "", &same, &own));
        assert_eq!(outcome(&with), outcome(&plain), "{defaults} / {own}");
    }
}

#[test]
fn a_value_that_overrides_a_default_is_still_an_error_where_it_means_nothing() {
    for (own, mistake) in [
        ("log.size = \"2MB\"", "`log.size` has no effect here"),
        ("log.to = \"container\"\nlog.keep = 3", "`log.keep` has no effect here"),
        ("ready.interval = \"3s\"", "`ready.interval` has no effect here"),
        ("on-exit.codes = []", "`on-exit.codes` has no exit code"),
        ("on-exit.except = []", "`on-exit.except` has no exit code"),
        ("dependencies = [\"a\"]", "`a` depends on itself"),
        ("without = [\"nice\"]", "`without` names `nice`, which is set nowhere else"),
        ("without = [\"environment.X\"]", "`without` names `environment.X`, which is set nowhere else"),
        ("without = [\"nize\"]", "`[longrun.a]` has no key `nize`"),
        ("without = [\"log.nize\"]", "`[longrun.a]` has no key `log.nize`"),
        ("without = [\"nice.x\"]", "`[longrun.a]` has no key `nice.x`"),
        ("without = [\"without\"]", "`[longrun.a]` has no key `without`"),
    ] {
        let found = outcome(&format!("[longrun.a]\nrun = [\"x\"]\n{own}\n"));
        assert!(found.contains(mistake), "{own}: {found}");
    }
}

#[test]
fn a_manifest_can_reset_the_values_of_an_included_file() {
    let tree = |outer: &str, inner: Option<&str>| {
        let mut files = Files::default();
        let file = files.add("services.toml", outer);
        let included = inner.map(|inner| files.add("inner.toml", inner).into()).into_iter().collect();
        let compilation = compile(&files, s6gen::ManifestFile { included, ..file.into() });
        let problems: Vec<&String> = compilation.problems.iter().map(|problem| &problem.message).collect();
        assert_eq!(problems, [""; 0]);
        render::tree(&compilation.services).unwrap().to_string()
    };
    let inner = "[target]\nwritable = [\"/x\"]\nread-only = true\nexternal = [\"e\"]\n[longrun.a]\nrun = [\"x\"]\nnice = 3\n\
                 log.size = \"2MB\"\nlog.to = \"/x/a\"\n[bundle.z]\ncontents = [\"a\"]\nflag-essential = true\n";
    let outer = "[target]\nwithout = [\"external.e\"]\nread-only = false\n[longrun.a]\nwithout = [\"nice\"]\nlog.to = \"discard\"\n\
                 [bundle.z]\nwithout = [\"contents.a\", \"flag-essential\"]\n";
    let plain = "[longrun.a]\nrun = [\"x\"]\nlog.to = \"discard\"\n[bundle.z]\ncontents = []\n";
    assert_eq!(tree(outer, Some(inner)), tree(plain, None));
}
