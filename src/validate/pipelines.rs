//! Checks pipelines: names, and that producers and consumers agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Class, Diagnostic, Problems, Rank};
use crate::model::{Index, Longrun, Node, NodeKind, Service, ServiceRef};

use super::for_rank;
use super::names::{described, listed, taken};

/// A name in a pipeline file that is not the name of a longrun.
pub(super) struct WrongMember<'a> {
    /// The service that the file belongs to.
    pub(super) by: Node,
    /// Whether it is `producer-for`; else it is `consumer-for`.
    pub(super) is_producer: bool,
    /// The mention.
    pub(super) reference: &'a ServiceRef,
    /// What is mentioned, if it exists.
    pub(super) to: Option<Node>,
    /// The class and the rank of the compiler's refusal. If the compiler would refuse it in several places, those of the first
    /// one.
    pub(super) class: Class,
    pub(super) rank: Rank,
}

/// Checks that the name of a pipeline is not the name of another pipeline or service.
pub(super) fn check_names(index: &Index<'_>, problems: &mut Problems) {
    let errors = PipelineErrors::new(index);
    for ((pipeline, consumer), start) in index.pipelines().zip(&errors.starts) {
        let name = index.name(pipeline);
        let first = index.find(name).filter(|first| *first != pipeline);
        let known = index.service(consumer).is_some_and(|service| !service.incomplete);
        if let (Some(first), true, false) = (first, known, name.is_reserved()) {
            problems.push(taken(
                index,
                Class::DupPipeline,
                Rank::PipelineName { step: *start },
                pipeline,
                first,
            ));
        }
    }
}

/// Checks that no pipeline has more members than there are longruns.
pub(super) fn check_length(index: &Index<'_>, problems: &mut Problems) {
    for endless in PipelineErrors::new(index).endless {
        let name = index.name(endless.pipeline);
        let mut problem = Diagnostic::s6rc(
            Class::PipelineLoop,
            Rank::PipelineName { step: endless.step },
            format!("the pipeline `{name}` never ends: a service is in it more than once"),
        )
        .at(index.origin(endless.pipeline), "s6-rc-compile counts more members than there are longruns");
        let mut met = BTreeSet::new();
        for (consumer, producer, reference) in endless.pairs {
            if !met.insert(producer) || producer == endless.consumer {
                let text = format!(
                    "here `{}` comes again, as producer of `{}`",
                    reference.name,
                    index.name(consumer)
                );
                problem = problem.at(reference.origin, text);
            }
        }
        problems.push(
            problem.help("every producer has one consumer: remove it from the other `consumer-for` lists"),
        );
    }
}

/// Checks that pipeline files only name longruns.
pub(super) fn check_members(index: &Index<'_>, problems: &mut Problems) {
    for wrong in wrong_members(index) {
        let Some(to) = wrong.to else { continue };
        let side = if wrong.is_producer { "is a producer for" } else { "is the consumer for" };
        let (by, name) = (index.name(wrong.by), index.name(to));
        let what = described(index, to);
        problems.push(
            Diagnostic::s6rc(wrong.class, wrong.rank, format!("`{by}` {side} `{name}`, which is {what}"))
                .at(wrong.reference.origin, "only a longrun can be in a pipeline")
                .at(index.origin(to), format!("`{name}` is {what}"))
                .help(remedy(index, to)),
        );
    }
}

/// Suggests a longrun to name instead of something that is not one.
fn remedy(index: &Index<'_>, node: Node) -> String {
    let members = index.atomics(node);
    match index.kind(node) {
        NodeKind::Bundle if !members.is_empty() => {
            format!("name longruns, not their bundle: {}", listed(members.iter().map(|n| index.name(*n))))
        }
        _ => "name a longrun, or remove this".to_owned(),
    }
}

/// Checks that producer and consumer name each other.
pub(super) fn check_both_sides(index: &Index<'_>, problems: &mut Problems) {
    let in_endless: BTreeSet<(Node, Node)> = PipelineErrors::new(index)
        .endless
        .iter()
        .flat_map(|endless| endless.pairs.iter().map(|(consumer, producer, _)| (*consumer, *producer)))
        .collect();
    let connections = Connections::new(index);
    let mut disagreements: BTreeMap<Node, Disagreement<'_>> = BTreeMap::new();
    for (node, _, longrun) in longruns(index) {
        let consumer = consumer_of(index, longrun);
        if let Some(unaware) = consumer.filter(|consumer| !connections.has(node, *consumer)) {
            disagreements.entry(node).or_default().unaware = Some(unaware);
        }
        // If a name has two definitions, the first one counts. Another check reports the second one.
        if index.find(index.name(node)) != Some(node) {
            continue;
        }
        for (position, reference) in producers(longrun).enumerate() {
            let Some(producer) = index.find(&reference.name) else { continue };
            let Some(service) = index.service(producer).filter(|service| !service.incomplete) else {
                continue;
            };
            let Some(other) = service.longrun() else { continue };
            // The producer may name something that is not a longrun. Another check reports that.
            let is_clear = other.producer_for.is_none() || consumer_of(index, other).is_some();
            let is_mutual = consumer_of(index, other) == Some(node);
            if is_clear
                && !is_mutual
                && !reference.name.is_reserved()
                && !in_endless.contains(&(node, producer))
            {
                disagreements.entry(producer).or_default().claims.push((node, position, reference));
            }
        }
    }
    for (producer, disagreement) in disagreements {
        problems.push(report_disagreement(index, producer, &disagreement));
    }
}

/// The pipeline files that name one producer, or that it has, and that do not agree.
#[derive(Default)]
struct Disagreement<'a> {
    /// The consumer that it names and that does not name it.
    unaware: Option<Node>,
    /// The consumers that name it and that it does not name, and where.
    claims: Vec<(Node, usize, &'a ServiceRef)>,
}

fn report_disagreement(index: &Index<'_>, producer: Node, disagreement: &Disagreement<'_>) -> Diagnostic {
    let (unaware, claims) = (disagreement.unaware, &disagreement.claims[..]);
    let name = index.name(producer);
    let written = index.service(producer).and_then(Service::longrun).and_then(|longrun| {
        let reference = longrun.producer_for.as_deref()?.first()?;
        Some((index.find(&reference.name)?, reference))
    });
    let from_producer = unaware.map(|_| (links(producer, 0, usize::MAX), Class::ProdNotBack));
    let from_consumers =
        claims.iter().map(|(consumer, position, _)| (links(*consumer, 1, *position), Class::ConsNotBack));
    let (rank, class) = from_producer
        .into_iter()
        .chain(from_consumers)
        .min_by_key(|(rank, _)| *rank)
        .unwrap_or((Rank::Unranked, Class::ProdNotBack));
    let (message, help) = disagreement_text(index, producer, disagreement, written.map(|(to, _)| to));
    let mut problem = Diagnostic::s6rc(class, rank, message);
    for (consumer, _, reference) in claims {
        problem = problem
            .at(reference.origin, format!("`{}` expects the output of `{name}`", index.name(*consumer)));
    }
    match written {
        Some((to, reference)) => {
            problem =
                problem.at(reference.origin, format!("`{name}` sends its output to `{}`", index.name(to)));
        }
        None => {
            problem = problem.at(index.origin(producer), format!("`{name}` sends its output to no consumer"))
        }
    }
    if let (Some(unaware), []) = (unaware, claims) {
        let text = format!("`{}` does not expect the output of `{name}`", index.name(unaware));
        problem = problem.at(index.origin(unaware), text);
    }
    problem.help(help)
}

/// The message and the help for a pipeline whose sides disagree. `written` is the consumer that `producer` names, if it exists.
fn disagreement_text(
    index: &Index<'_>,
    producer: Node,
    disagreement: &Disagreement<'_>,
    written: Option<Node>,
) -> (String, String) {
    let name = index.name(producer);
    match (disagreement.unaware, &disagreement.claims[..], written) {
        (Some(unaware), [], _) => {
            let consumer = index.name(unaware);
            (
                format!(
                    "`{name}` is a producer for `{consumer}`, but `{consumer}` is not a consumer for `{name}`"
                ),
                match index.service(unaware).and_then(Service::longrun) {
                    Some(longrun) if longrun.consumer_for.is_empty() => format!(
                        "make a file `consumer-for` in the definition of `{consumer}` that holds the line `{name}`, or remove \
                         `producer-for` of `{name}`"
                    ),
                    _ => format!(
                        "add a line `{name}` to `consumer-for` of `{consumer}`, or remove `producer-for` of `{name}`"
                    ),
                },
            )
        }
        (Some(wrong), [(consumer, ..), ..], _) => {
            let (wrong, consumer) = (index.name(wrong), index.name(*consumer));
            (
                format!(
                    "`{name}` is a producer for `{wrong}`, but it is `{consumer}` that is a consumer for `{name}`"
                ),
                format!("write `{consumer}` into `producer-for` of `{name}`"),
            )
        }
        (None, [(consumer, ..), ..], Some(actual)) => {
            let (actual, consumer) = (index.name(actual), index.name(*consumer));
            (
                format!("`{consumer}` is a consumer for `{name}`, but `{name}` is a producer for `{actual}`"),
                format!("a producer has one consumer: remove `{name}` from `consumer-for` of `{consumer}`"),
            )
        }
        (None, claims, _) => {
            let consumer = claims.first().map_or(name, |(consumer, ..)| index.name(*consumer));
            (
                format!(
                    "`{consumer}` is a consumer for `{name}`, but `{name}` is not a producer for `{consumer}`"
                ),
                match written {
                    None => format!(
                        "make a file `producer-for` in the definition of `{name}` that holds the line `{consumer}`, or remove \
                         `{name}` from `consumer-for` of `{consumer}`"
                    ),
                    Some(_) => format!("write `{consumer}` into `producer-for` of `{name}`"),
                },
            )
        }
    }
}

/// Every name in a pipeline file that is not a longrun, each once. Services of unknown type are left out.
pub(super) fn wrong_members<'a>(index: &Index<'a>) -> Vec<WrongMember<'a>> {
    let errors = PipelineErrors::new(index);
    // The producers that name each consumer, and the producers that each consumer names, in the order of the compiler.
    let mut declared: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    let mut claimed: BTreeMap<Node, Vec<(Node, usize)>> = BTreeMap::new();
    for (node, _, longrun) in longruns(index) {
        if let Some(consumer) = consumer_of(index, longrun) {
            declared.entry(consumer).or_default().push(node);
        }
        for (position, reference) in producers(longrun).enumerate() {
            if let Some(producer) = index.find(&reference.name) {
                claimed.entry(producer).or_default().push((node, position));
            }
        }
    }
    let mut wrong = Vec::new();
    for (node, _, longrun) in longruns(index) {
        if let Some([reference]) = longrun.producer_for.as_deref()
            && is_wrong_member(index, reference)
        {
            let claims = claimed.get(&node).into_iter().flatten();
            let (rank, class) = claims
                .map(|(consumer, position)| (links(*consumer, 1, *position), Class::ProdDeclType))
                .chain([(links(node, 0, 0), Class::ProdConsumerType)])
                .min_by_key(|(rank, _)| *rank)
                .unwrap_or((Rank::Unranked, Class::ProdConsumerType));
            let to = index.find(&reference.name);
            wrong.push(WrongMember { by: node, is_producer: true, reference, to, class, rank });
        }
        let mut first: BTreeMap<Node, usize> = BTreeMap::new();
        for (position, reference) in producers(longrun).enumerate() {
            if let Some(producer) = index.find(&reference.name) {
                first.entry(producer).or_insert(position);
            }
        }
        for (position, reference) in producers(longrun).enumerate().filter(|(_, r)| is_wrong_member(index, r))
        {
            // For a producer that names this consumer, the compiler reads the list up to that producer.
            let mut declared = declared.get(&node).into_iter().flatten();
            let passed = declared.find(|producer| first.get(producer).is_none_or(|own| position < *own));
            let (rank, class) = passed
                .map(|producer| (links(*producer, 0, position), Class::ConsListType))
                .into_iter()
                .chain([(links(node, 1, position), Class::ConsProducerType)])
                .chain(
                    errors
                        .not_longruns
                        .get(&(node, position))
                        .map(|step| (Rank::PipelineName { step: *step }, Class::PipelineProducerType)),
                )
                .min_by_key(|(rank, _)| *rank)
                .unwrap_or((Rank::Unranked, Class::ConsProducerType));
            let to = index.find(&reference.name);
            wrong.push(WrongMember { by: node, is_producer: false, reference, to, class, rank });
        }
    }
    wrong
}

fn is_wrong_member(index: &Index<'_>, reference: &ServiceRef) -> bool {
    let kind = index.find(&reference.name).map(|node| index.kind(node));
    !reference.name.is_reserved() && !matches!(kind, Some(NodeKind::Longrun | NodeKind::Unknown))
}

fn links(node: Node, step: u8, item: usize) -> Rank {
    Rank::Links { oneshot: false, service: for_rank(node.0), step, item: for_rank(item) }
}

fn longruns<'a>(index: &Index<'a>) -> impl Iterator<Item = (Node, &'a Service, &'a Longrun)> {
    let services = index.set().services.iter().enumerate();
    services.filter_map(|(number, service)| Some((Node(number), service, service.longrun()?)))
}

/// The producers of a consumer in the order in which the compiler reads them: for the last consumer of a pipeline, it
/// reads the first name last.
fn producers(longrun: &Longrun) -> impl Iterator<Item = &ServiceRef> {
    let is_last = longrun.producer_for.is_none() && !longrun.consumer_for.is_empty();
    let (front, back) = longrun.consumer_for.split_at(usize::from(is_last));
    back.iter().chain(front)
}

/// The longrun that a producer names as its consumer.
fn consumer_of(index: &Index<'_>, longrun: &Longrun) -> Option<Node> {
    let [reference] = longrun.producer_for.as_deref()? else { return None };
    let node = index.find(&reference.name)?;
    (index.kind(node) == NodeKind::Longrun && !reference.name.is_reserved()).then_some(node)
}

/// The producers that each consumer names in `consumer-for`.
pub(super) struct Connections<'a> {
    index: &'a Index<'a>,
    /// Each pair is a consumer and one of its producers.
    pairs: BTreeSet<(Node, Node)>,
}

impl<'a> Connections<'a> {
    pub(super) fn new(index: &'a Index<'a>) -> Self {
        let named = longruns(index).flat_map(|(consumer, _, longrun)| {
            let producers = longrun.consumer_for.iter().filter_map(|reference| index.find(&reference.name));
            producers.map(move |producer| (consumer, producer))
        });
        Connections { index, pairs: named.collect() }
    }

    /// Whether `consumer` names `producer`. True also if the list of `consumer` could not be read.
    pub(super) fn has(&self, producer: Node, consumer: Node) -> bool {
        let Some(service) = self.index.service(consumer) else { return false };
        service.incomplete || self.pairs.contains(&(consumer, producer))
    }
}

/// The errors that s6-rc-compile finds while it collects the members of named pipelines, each with the step at which it finds it.
/// A step is one name that it looks up. It searches depth first, counts a member as often as it is named, and stops when there are
/// more members than longruns.
struct PipelineErrors<'a> {
    /// The step at which it begins with each pipeline.
    starts: Vec<u32>,
    /// The first step at which it reads each name that is not a longrun. The key is the consumer and the position among its
    /// producers, in the order of the compiler.
    not_longruns: BTreeMap<(Node, usize), u32>,
    endless: Vec<EndlessPipeline<'a>>,
}

/// A pipeline with more members than there are longruns.
struct EndlessPipeline<'a> {
    pipeline: Node,
    consumer: Node,
    /// The step at which the compiler gives up.
    step: u32,
    /// Every pair of consumer and producer in it.
    pairs: Vec<(Node, Node, &'a ServiceRef)>,
}

impl<'a> PipelineErrors<'a> {
    fn new(index: &Index<'a>) -> Self {
        let most = longruns(index).count();
        let mut errors =
            PipelineErrors { starts: Vec::new(), not_longruns: BTreeMap::new(), endless: Vec::new() };
        let mut step = 0;
        for (pipeline, consumer) in index.pipelines() {
            errors.starts.push(step);
            step += 1;
            let mut members = 1;
            let mut path = vec![(consumer, 0)];
            while let Some((member, position)) = path.last_mut() {
                let Some(longrun) = index.service(*member).and_then(Service::longrun) else { break };
                let Some(reference) = nth_producer(longrun, *position) else {
                    path.pop();
                    continue;
                };
                let mention = (*member, *position);
                *position += 1;
                match index.find(&reference.name) {
                    Some(producer) if index.kind(producer) == NodeKind::Longrun => {
                        if members == most {
                            let pairs = pairs(index, consumer);
                            errors.endless.push(EndlessPipeline { pipeline, consumer, step, pairs });
                            step += 1;
                            break;
                        }
                        members += 1;
                        path.push((producer, 0));
                    }
                    _ => {
                        errors.not_longruns.entry(mention).or_insert(step);
                        step += 1;
                    }
                }
            }
        }
        errors
    }
}

fn nth_producer(longrun: &Longrun, position: usize) -> Option<&ServiceRef> {
    let count = longrun.consumer_for.len();
    let is_last = longrun.producer_for.is_none();
    let place = if is_last { (position + 1) % count.max(1) } else { position };
    if position < count { longrun.consumer_for.get(place) } else { None }
}

/// Every pair of consumer and producer from the last consumer on.
fn pairs<'a>(index: &Index<'a>, consumer: Node) -> Vec<(Node, Node, &'a ServiceRef)> {
    let mut pairs = Vec::new();
    let mut seen = BTreeSet::from([consumer]);
    let mut todo = vec![consumer];
    while let Some(member) = todo.pop() {
        let longrun = index.service(member).and_then(Service::longrun);
        for reference in longrun.map(|longrun| &longrun.consumer_for).into_iter().flatten() {
            let Some(producer) = index.find(&reference.name) else { continue };
            if index.kind(producer) == NodeKind::Longrun {
                pairs.push((member, producer, reference));
                if seen.insert(producer) {
                    todo.push(producer);
                }
            }
        }
    }
    pairs
}
