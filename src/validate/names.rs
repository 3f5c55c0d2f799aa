//! Checks that no name is reserved, and that no name is defined twice.

use crate::diagnostic::{Class, Code, Diagnostic, Problems, Rank};
use crate::model::{CompilerStep, Index, Kind, Layer, Name, Node, NodeKind, Script, Service, ServiceRef};

use super::for_rank;

/// Checks that no list mentions a name with a prefix that s6-rc reserves.
pub(super) fn check_not_reserved(index: &Index<'_>, problems: &mut Problems) {
    for service in &index.set().services {
        let mut check = |references: &[ServiceRef], step: CompilerStep, what: &str| {
            for (position, reference) in references.iter().enumerate().filter(|(_, r)| r.name.is_reserved()) {
                problems.push(
                    Diagnostic::s6rc(
                        Class::NameReservedInList,
                        Rank::reading(service.place, step, for_rank(position + 1)),
                        format!(
                            "`{}` {what} `{}`, a name that s6-rc keeps for itself",
                            service.name, reference.name
                        ),
                    )
                    .at(reference.origin, "names that begin with `s6rc-` or `s6-rc-` must not be mentioned")
                    .help("remove it: s6-rc adds what it needs of its own services itself"),
                );
            }
        };
        match &service.kind {
            Kind::Bundle(bundle) => check(&bundle.contents, CompilerStep::List, "contains"),
            Kind::Oneshot(oneshot) => check(&oneshot.dependencies, CompilerStep::List, "depends on"),
            Kind::Longrun(longrun) => {
                check(&longrun.dependencies, CompilerStep::List, "depends on");
                let producer_for = longrun.producer_for.as_deref().unwrap_or_default();
                check(producer_for, CompilerStep::ProducerFor, "is a producer for");
                check(&longrun.consumer_for, CompilerStep::ConsumerFor, "is a consumer for");
                let pipeline_name = longrun.pipeline_name.as_deref().unwrap_or_default();
                check(pipeline_name, CompilerStep::PipelineName, "calls its pipeline");
            }
            Kind::Unknown => {}
        }
    }
}

/// Checks that every name is defined once, except the names of pipelines.
pub(super) fn check_unique(index: &Index<'_>, problems: &mut Problems) {
    for (number, service) in index.set().services.iter().enumerate() {
        let Some(first) = index.find(&service.name).filter(|first| first.0 < number) else { continue };
        if service.name.is_reserved() {
            continue;
        }
        let rank = Rank::reading(service.place, CompilerStep::Name, 0);
        // If one of the two is in another layer, the report is about the one that the user can change.
        let (ours, other) = match (service.layer, index.layer(first)) {
            (Layer::Overlay | Layer::External, Layer::Ours) => (first, Node(number)),
            _ => (Node(number), first),
        };
        problems.push(taken(index, Class::DupService, rank, ours, other));
    }
}

/// The report that the name of `ours` is taken by `other`.
pub(super) fn taken(index: &Index<'_>, class: Class, rank: Rank, ours: Node, other: Node) -> Diagnostic {
    let name = index.name(ours);
    let is_pipeline = index.service(ours).is_none();
    let subject = if is_pipeline { "a pipeline" } else { "a service" };
    if index.layer(other) == Layer::Overlay {
        let problem = Diagnostic::s6rc(class, rank, format!("{subject} is called `{name}`, but s6-overlay has a definition of that name"))
            .at(index.origin(ours), "this name is taken")
            .note("/init compiles these definitions together with those of s6-overlay, and each name may exist only once")
            .help("rename it");
        return Diagnostic { code: Code::BuiltInName, ..problem };
    }
    let other_is = match index.layer(other) {
        Layer::External => "declared as external".to_owned(),
        _ => format!("defined as {}", described(index, other)),
    };
    let same_pipeline = is_pipeline && index.service(other).is_none();
    let (first, second) = (maker_note(index, other), maker_note(index, ours));
    let help = match (is_pipeline, same_pipeline) {
        _ if first.is_some() || second.is_some() => {
            "rename the one that you wrote, or log to another service's directory"
        }
        (true, false) => "give the pipeline a name of its own",
        (true, true) => "give each pipeline a name of its own",
        (false, _) => "rename one of them, or remove it",
    };
    Diagnostic::s6rc(class, rank, format!("{subject} is called `{name}`, which is already {other_is}"))
        .at(index.origin(ours), second.unwrap_or("second definition".into()))
        .at(index.origin(other), first.unwrap_or("first definition".into()))
        .note("services, bundles and pipelines share one name space, over all source directories")
        .help(help)
}

/// Describes a logger or pipeline that s6gen made for a `log`; `None` for what the user wrote.
fn maker_note(index: &Index<'_>, node: Node) -> Option<String> {
    let name = index.name(node);
    let is_logger =
        |service: &Service| service.longrun().is_some_and(|longrun| matches!(longrun.run, Script::Logger(_)));
    let names_it = |service: &&Service| {
        let names = service.longrun().and_then(|longrun| longrun.pipeline_name.as_ref());
        names.is_some_and(|names| names.iter().any(|reference| reference.name == *name))
    };
    match index.service(node) {
        Some(service) => is_logger(service).then(|| format!("s6gen makes the logger `{name}` for this log")),
        None => index
            .set()
            .services
            .iter()
            .find(names_it)
            .filter(|service| is_logger(service))
            .map(|_| format!("s6gen makes the pipeline `{name}` for this log")),
    }
}

/// What a node is, with its article.
pub(super) fn described(index: &Index<'_>, node: Node) -> &'static str {
    match index.kind(node) {
        NodeKind::Longrun => "a longrun",
        NodeKind::Oneshot => "a oneshot",
        NodeKind::Bundle if index.service(node).is_none() => "the bundle of a pipeline",
        NodeKind::Bundle => "a bundle",
        NodeKind::Unknown => "a service of unknown type",
    }
}

/// Several names for a message: all of them, or the first few and how many more.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    let names: Vec<&Name> = names.into_iter().collect();
    let shown = if names.len() > 6 { 5 } else { names.len() };
    let mut text = names[..shown].iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if shown < names.len() {
        text.push_str(&format!(" and {} more", names.len() - shown));
    }
    text
}
