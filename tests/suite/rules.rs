//! Tests the reports of rules on small trees: each cause is one report, with every place and a remedy.

use s6gen::diagnostic::{Code, Diagnostic, Files, Problems, Severity};
use s6gen::model::{Kind, ServiceRef, System, Target};
use s6gen::tree::SourceTree;
use s6gen::{import, validate};

/// A tree of definitions. Each has a name, a type, and further files as `file` or `file: content`.
fn tree(definitions: &[(&str, &str, &[&str])]) -> SourceTree {
    let mut tree = SourceTree::default();
    for (name, kind, files) in definitions {
        let list = if *kind == "bundle" { "contents.d" } else { "dependencies.d" };
        tree.directory(format!("src/{name}/{list}"));
        tree.file(format!("src/{name}/type"), format!("{kind}\n"), false);
        tree.file(format!("src/{name}/{}", if *kind == "oneshot" { "up" } else { "run" }), "", false);
        for file in *files {
            match file.split_once(": ") {
                Some((file, content)) => {
                    tree.file(format!("src/{name}/{file}"), format!("{content}\n"), false)
                }
                None => tree.file(format!("src/{name}/{list}/{file}"), "", false),
            }
        }
    }
    tree
}

/// The errors of a tree; `overlay` adds the definitions of s6-overlay.
fn problems(tree: &SourceTree, overlay: bool) -> (Files, Vec<Diagnostic>) {
    let (mut files, mut problems) = (Files::default(), Problems::default());
    let mut set = import::tree(vec![tree.source("src")], Target::default(), &mut files, &mut problems);
    if overlay {
        set.services.extend(System::NEWEST_OVERLAY.built_ins());
    }
    validate::validate(&set, true, &mut problems);
    problems.sort_by_rank();
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let errors = errors.cloned().collect();
    (files, errors)
}

/// The only error of a tree as text.
fn only(tree: &SourceTree, overlay: bool) -> String {
    let (files, problems) = problems(tree, overlay);
    let [problem] = &problems[..] else { panic!("not one problem: {problems:#?}") };
    let mut text = format!("{}: {}\n", problem.code, problem.message);
    for label in &problem.labels {
        let place = files.path(label.origin.file).display();
        text.push_str(&format!("  {place}: {}\n", label.text));
    }
    for note in &problem.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
    if let Some(help) = &problem.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    text
}

#[test]
fn a_name_that_is_defined_nowhere_is_one_report_with_every_mention() {
    let tree = tree(&[
        ("avahi", "longrun", &[]),
        ("web", "longrun", &["avhai"]),
        ("mail", "oneshot", &["avhai"]),
        ("all", "bundle", &["avhai"]),
    ]);
    insta::assert_snapshot!(only(&tree, false), @r"
    s6rc::unknown-service: `all` contains `avhai`, which is defined nowhere
      src/all/contents.d/avhai: there is no such service, bundle or pipeline
      src/web/dependencies.d/avhai: `web` depends on it as well
      src/mail/dependencies.d/avhai: `mail` depends on it as well
      help: did you mean `avahi`?
    ");
}

#[test]
fn a_carriage_return_after_a_name_is_reported_as_such() {
    let tree = tree(&[("db", "longrun", &[]), ("web", "longrun", &["producer-for: db\r"])]);
    insta::assert_snapshot!(only(&tree, false), @r"
    s6rc::unknown-service: `web` is a producer for `db\r`, which is defined nowhere
      src/web/producer-for: there is no such service, bundle or pipeline
      help: the file has CR LF line ends, and the CR is a part of the name: save it with LF line ends to mean `db`
    ");
}

#[test]
fn a_definition_without_a_type_is_not_reported_again_where_it_is_mentioned() {
    let mut tree = tree(&[("web", "longrun", &["db", "producer-for: log"])]);
    tree.file("src/db/run", "", false);
    tree.file("src/log/type", "Longrun\n", false);
    let (_, problems) = problems(&tree, false);
    let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::TypeMissing, Code::InvalidType]);
}

#[test]
fn a_definition_that_cannot_be_read_is_unknown_and_not_empty() {
    let mut tree = tree(&[("web", "longrun", &["producer-for: log"]), ("log", "longrun", &[])]);
    tree.link("src/log/consumer-for", "consumer-for");
    let (_, problems) = problems(&tree, false);
    assert_eq!(problems.len(), 1, "{problems:#?}");
}

#[test]
fn a_pipeline_that_only_one_side_names_is_one_report() {
    let one_sided = tree(&[("web", "longrun", &["producer-for: log"]), ("log", "longrun", &[])]);
    insta::assert_snapshot!(only(&one_sided, false), @r"
    s6rc::one-sided-pipeline: `web` is a producer for `log`, but `log` is not a consumer for `web`
      src/web/producer-for: `web` sends its output to `log`
      src/log/type: `log` does not expect the output of `web`
      help: make a file `consumer-for` in the definition of `log` that holds the line `web`, or remove `producer-for` of `web`
    ");
    let crossed = tree(&[
        ("web", "longrun", &["producer-for: other"]),
        ("other", "longrun", &[]),
        ("log", "longrun", &["consumer-for: web"]),
    ]);
    insta::assert_snapshot!(only(&crossed, false), @r"
    s6rc::one-sided-pipeline: `web` is a producer for `other`, but it is `log` that is a consumer for `web`
      src/log/consumer-for: `log` expects the output of `web`
      src/web/producer-for: `web` sends its output to `other`
      help: write `log` into `producer-for` of `web`
    ");
}

#[test]
fn a_logger_that_waits_for_its_producer_is_a_dependency_cycle() {
    let tree = tree(&[
        ("web", "longrun", &["producer-for: web-log"]),
        ("web-log", "longrun", &["consumer-for: web", "web"]),
    ]);
    insta::assert_snapshot!(only(&tree, false), @r"
    s6rc::dependency-cycle: services wait for each other in a cycle: `web` → `web-log` → `web`
      src/web/producer-for: `web` sends its output to `web-log`
      src/web-log/dependencies.d/web: `web-log` waits for `web`
      note: `web` waits for `web-log`: a producer waits for its consumer
      help: remove the dependency of `web-log` on `web`
    ");
}

#[test]
fn cycles_that_share_services_are_one_report_with_a_shortest_path() {
    let tree = tree(&[
        ("a", "oneshot", &["b"]),
        ("b", "oneshot", &["c", "d"]),
        ("c", "oneshot", &["a"]),
        ("d", "oneshot", &["b"]),
        ("e", "oneshot", &["e"]),
        ("f", "oneshot", &["all"]),
        ("all", "bundle", &["inner"]),
        ("inner", "bundle", &["f"]),
    ]);
    let (_, problems) = problems(&tree, false);
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    insta::assert_snapshot!(messages.join("\n"), @r"
    services wait for each other in a cycle: `b` → `d` → `b`
    `e` depends on itself
    services wait for each other in a cycle: `f` → `all` → `inner` → `f`
    ");
    assert_eq!(problems[0].notes, ["2 more services are in cycles with these"]);
    assert_eq!(problems[2].notes, ["`f` waits for bundle `all`, which contains `inner`, which contains `f`"]);
}

#[test]
fn a_service_in_user_must_not_wait_for_the_legacy_services() {
    let (mut files, mut problems) = (Files::default(), Problems::default());
    let tree = tree(&[("web", "longrun", &["legacy-services"])]);
    let mut set = import::tree(vec![tree.source("src")], Target::default(), &mut files, &mut problems);
    set.services.extend(System::NEWEST_OVERLAY.built_ins());
    for service in &mut set.services {
        if let (true, Kind::Bundle(bundle)) = (service.name == *"user", &mut service.kind) {
            bundle.contents.push(ServiceRef { name: "web".into(), origin: None });
        }
    }
    validate::validate(&set, true, &mut problems);
    let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    let [problem] = &errors[..] else { panic!("{problems:#?}") };
    assert_eq!(
        problem.message,
        "services wait for each other in a cycle: `web` → `legacy-services` → `user` → `web`"
    );
    assert_eq!(
        problem.notes,
        ["`legacy-services` waits for bundle `user`, as s6-overlay defines it, which contains `web`"]
    );
    assert_eq!(problem.help.as_deref(), Some("remove the dependency of `web` on `legacy-services`"));
}

#[test]
fn a_name_of_s6_overlay_is_reserved() {
    let tree = tree(&[("base", "bundle", &[])]);
    insta::assert_snapshot!(only(&tree, true), @r"
    overlay::built-in-name: a service is called `base`, but s6-overlay has a definition of that name
      src/base/type: this name is taken
      note: /init compiles these definitions together with those of s6-overlay, and each name may exist only once
      help: rename it
    ");
}

#[test]
fn two_definitions_of_a_name_show_both_places() {
    let tree = tree(&[
        ("web", "longrun", &["producer-for: log"]),
        ("log", "longrun", &["consumer-for: web", "pipeline-name: all"]),
        ("all", "bundle", &[]),
    ]);
    insta::assert_snapshot!(only(&tree, false), @r"
    s6rc::duplicate-service: a pipeline is called `all`, which is already defined as a bundle
      src/log/pipeline-name: second definition
      src/all/type: first definition
      note: services, bundles and pipelines share one name space, over all source directories
      help: give the pipeline a name of its own
    ");
}

#[test]
fn a_script_without_the_environment_of_the_container_gets_advice_only_where_it_needs_it() {
    let advice = |up: &str, first: &str| {
        let mut tree = SourceTree::default();
        tree.file("src/a/type", "oneshot\n", false);
        tree.file("src/a/up", format!("{up}\n"), false);
        tree.file("src/a/script", format!("{first}\nexec web \"$WEB_PORT\"\n"), true);
        let (mut files, mut problems) = (Files::default(), Problems::default());
        let set = import::tree(vec![tree.source("src")], Target::default(), &mut files, &mut problems);
        validate::validate(&set, true, &mut problems);
        problems.advice().filter(|problem| problem.code.slug() == "lint::no-contenv").count()
    };
    let script = "/etc/s6-overlay/s6-rc.d/a/script";
    assert_eq!(advice(script, "#!/bin/sh"), 1);
    assert_eq!(advice(&format!("with-contenv {script}"), "#!/bin/sh"), 0);
    assert_eq!(advice(script, "#!/command/with-contenv sh"), 0);
    // The command line itself takes a variable from the environment.
    for (up, expected) in [
        ("importas -i WEB_PORT WEB_PORT web ${WEB_PORT}", 1),
        ("if { importas -S WEB_PORT web ${WEB_PORT} } true", 1),
        ("with-contenv importas -i WEB_PORT WEB_PORT web ${WEB_PORT}", 0),
        ("importas -D 80 WEB_PORT WEB_PORT web ${WEB_PORT}", 0),
        ("importas -i HOME HOME web ${HOME}", 0),
    ] {
        assert_eq!(advice(up, "#!/command/with-contenv sh"), expected, "{up}");
    }
}

#[test]
fn in_a_manifest_only_a_service_without_with_contenv_lacks_the_environment_of_the_container() {
    let advice = |keys: &str| {
        let mut files = Files::default();
        let file = files.add("services.toml", format!("[oneshot.a]\n{keys}\n"));
        let problems = s6gen::compile(&files, file).problems;
        problems.advice().filter(|problem| problem.code.slug() == "lint::no-contenv").count()
    };
    let up = "up = ['importas', '-i', 'WEB_PORT', 'WEB_PORT', 'web', '$WEB_PORT']";
    for (keys, expected) in [
        (up.to_owned(), 0),
        (format!("{up}\nwith-contenv = false"), 1),
        (format!("{up}\nwith-contenv = false\nenvironment.WEB_PORT = '80'"), 0),
        (up.replace("'importas'", "'with-contenv', 'importas'") + "\nwith-contenv = false", 0),
        ("up = 'web \"$WEB_PORT\"'\nwith-contenv = false".to_owned(), 1),
        ("up = 'web \"$WEB_PORT\"'".to_owned(), 0),
    ] {
        assert_eq!(advice(&keys), expected, "{keys}");
    }
}
