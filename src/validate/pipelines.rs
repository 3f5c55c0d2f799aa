//! Checks pipelines: names, and that producers and consumers agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Class, Diagnostic, Problems, Rank};
use crate::model::{Index, Longrun, Node, NodeKind, Service, ServiceRef};

use super::names::{described, listed, taken};
use super::small;

/// A mention in a pipeline file of something that is not a longrun.
pub(super) struct Stray<'a> {
    /// The service that the file belongs to.
    pub(super) by: Node,
    /// Whether it is `producer-for`; else it is `consumer-for`.
    pub(super) is_producer: bool,
    /// The mention.
    pub(super) reference: &'a ServiceRef,
    /// What is mentioned, if it exists.
    pub(super) to: Option<Node>,
    /// The first of several places in which the compiler refuses it.
    pub(super) class: Class,
    pub(super) rank: Rank,
}

/// Checks that the name of a pipeline is not the name of another pipeline or service.
pub(super) fn have_names_of_their_own(index: &Index<'_>, problems: &mut Problems) {
    let naming = Naming::new(index);
    for ((pipeline, consumer), start) in index.pipelines().zip(&naming.starts) {
        let name = index.name(pipeline);
        let first = index.find(name).filter(|first| *first != pipeline);
        let known = index.service(consumer).is_some_and(|service| !service.incomplete);
        if let (Some(first), true, false) = (first, known, name.is_reserved()) {
            problems.push(taken(index, Class::DupPipeline, Rank::PipelineName(*start), pipeline, first));
        }
    }
}

/// Checks that no pipeline has more members than there are longruns.
pub(super) fn end(index: &Index<'_>, problems: &mut Problems) {
    for endless in Naming::new(index).endless {
        let name = index.name(endless.pipeline);
        let mut problem = Diagnostic::s6rc(
            Class::PipelineLoop,
            Rank::PipelineName(endless.rank),
            format!("the pipeline `{name}` comes to no end: a service is in it more than once"),
        )
        .at(index.origin(endless.pipeline), "s6-rc-compile counts more members than there are longruns");
        let mut met = BTreeSet::new();
        for (consumer, producer, reference) in endless.pairs {
            if !met.insert(producer) || producer == endless.consumer {
                let text = format!(
                    "here `{}` is met again, as producer of `{}`",
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
pub(super) fn consist_of_longruns(index: &Index<'_>, problems: &mut Problems) {
    for stray in strays(index) {
        let Some(to) = stray.to else { continue };
        let side = if stray.is_producer { "is a producer for" } else { "is the consumer for" };
        let (by, name) = (index.name(stray.by), index.name(to));
        let what = described(index, to);
        problems.push(
            Diagnostic::s6rc(stray.class, stray.rank, format!("`{by}` {side} `{name}`, which is {what}"))
                .at(stray.reference.origin, "only a longrun can be in a pipeline")
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
pub(super) fn agree(index: &Index<'_>, problems: &mut Problems) {
    let in_endless: BTreeSet<(Node, Node)> = Naming::new(index)
        .endless
        .iter()
        .flat_map(|endless| endless.pairs.iter().map(|(consumer, producer, _)| (*consumer, *producer)))
        .collect();
    let connections = Connections::new(index);
    let mut quarrels: BTreeMap<Node, Quarrel<'_>> = BTreeMap::new();
    for (node, _, longrun) in longruns(index) {
        let consumer = consumer_of(index, longrun);
        if let Some(unaware) = consumer.filter(|consumer| !connections.has(node, *consumer)) {
            quarrels.entry(node).or_default().unaware = Some(unaware);
        }
        // Of two definitions of one name the first is the one that others mean; that there are two is said elsewhere.
        if index.find(index.name(node)) != Some(node) {
            continue;
        }
        for (position, reference) in producers(longrun).enumerate() {
            let Some(producer) = index.find(&reference.name) else { continue };
            let Some(service) = index.service(producer).filter(|service| !service.incomplete) else {
                continue;
            };
            let Some(other) = service.longrun() else { continue };
            // What the producer names instead may itself be the problem, which is reported there.
            let is_clear = other.producer_for.is_none() || consumer_of(index, other).is_some();
            let is_mutual = consumer_of(index, other) == Some(node);
            if is_clear
                && !is_mutual
                && !reference.name.is_reserved()
                && !in_endless.contains(&(node, producer))
            {
                quarrels.entry(producer).or_default().claims.push((node, position, reference));
            }
        }
    }
    for (producer, quarrel) in quarrels {
        problems.push(disagreement(index, producer, &quarrel));
    }
}

/// The mentions of one producer that do not fit together.
#[derive(Default)]
struct Quarrel<'a> {
    /// The consumer that it names and that does not name it.
    unaware: Option<Node>,
    /// The consumers that name it and that it does not name, and where.
    claims: Vec<(Node, usize, &'a ServiceRef)>,
}

fn disagreement(index: &Index<'_>, producer: Node, quarrel: &Quarrel<'_>) -> Diagnostic {
    let (unaware, claims) = (quarrel.unaware, &quarrel.claims[..]);
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
    let (message, help) = match (unaware, claims, written) {
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
        (None, [(consumer, ..), ..], Some((actual, _))) => {
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
    };
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
        None => problem = problem.at(index.origin(producer), format!("`{name}` sends its output to nobody")),
    }
    if let (Some(unaware), []) = (unaware, claims) {
        let text = format!("`{}` does not expect the output of `{name}`", index.name(unaware));
        problem = problem.at(index.origin(unaware), text);
    }
    problem.help(help)
}

/// Every mention in a pipeline file of something that is not a longrun, each once. Services of unknown type are left out.
pub(super) fn strays<'a>(index: &Index<'a>) -> Vec<Stray<'a>> {
    let naming = Naming::new(index);
    // Who says that it produces for a consumer, and who is said to produce for it, in the compiler's order.
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
    let mut strays = Vec::new();
    for (node, _, longrun) in longruns(index) {
        if let Some([reference]) = longrun.producer_for.as_deref()
            && is_stray(index, reference)
        {
            let claims = claimed.get(&node).into_iter().flatten();
            let (rank, class) = claims
                .map(|(consumer, position)| (links(*consumer, 1, *position), Class::ProdDeclType))
                .chain([(links(node, 0, 0), Class::ProdConsumerType)])
                .min_by_key(|(rank, _)| *rank)
                .unwrap_or((Rank::Unranked, Class::ProdConsumerType));
            let to = index.find(&reference.name);
            strays.push(Stray { by: node, is_producer: true, reference, to, class, rank });
        }
        let mut first: BTreeMap<Node, usize> = BTreeMap::new();
        for (position, reference) in producers(longrun).enumerate() {
            if let Some(producer) = index.find(&reference.name) {
                first.entry(producer).or_insert(position);
            }
        }
        for (position, reference) in producers(longrun).enumerate().filter(|(_, r)| is_stray(index, r)) {
            // A producer that says so itself makes the compiler look through the list up to that producer.
            let mut declared = declared.get(&node).into_iter().flatten();
            let passed = declared.find(|producer| first.get(producer).is_none_or(|own| position < *own));
            let (rank, class) = passed
                .map(|producer| (links(*producer, 0, position), Class::ConsListType))
                .into_iter()
                .chain([(links(node, 1, position), Class::ConsProducerType)])
                .chain(
                    naming
                        .strays
                        .get(&(node, position))
                        .map(|rank| (Rank::PipelineName(*rank), Class::PipelineProducerType)),
                )
                .min_by_key(|(rank, _)| *rank)
                .unwrap_or((Rank::Unranked, Class::ConsProducerType));
            let to = index.find(&reference.name);
            strays.push(Stray { by: node, is_producer: false, reference, to, class, rank });
        }
    }
    strays
}

fn is_stray(index: &Index<'_>, reference: &ServiceRef) -> bool {
    let kind = index.find(&reference.name).map(|node| index.kind(node));
    !reference.name.is_reserved() && !matches!(kind, Some(NodeKind::Longrun | NodeKind::Unknown))
}

fn links(node: Node, step: u8, item: usize) -> Rank {
    Rank::Links { oneshot: false, service: small(node.0), step, item: small(item) }
}

fn longruns<'a>(index: &Index<'a>) -> impl Iterator<Item = (Node, &'a Service, &'a Longrun)> {
    let services = index.set().services.iter().enumerate();
    services.filter_map(|(number, service)| Some((Node(number), service, service.longrun()?)))
}

/// The producers of a consumer in the order in which the compiler looks at them: on the last consumer of a pipeline
/// the first name comes last.
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

/// The pairs of `consumer-for`. One consumer may have any number of producers.
pub(super) struct Connections<'a> {
    index: &'a Index<'a>,
    /// Consumer and producer.
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

    /// Whether `consumer` names `producer`, as far as is known.
    pub(super) fn has(&self, producer: Node, consumer: Node) -> bool {
        let Some(service) = self.index.service(consumer) else { return false };
        service.incomplete || self.pairs.contains(&(consumer, producer))
    }
}

/// How the compiler collects the members of named pipelines: depth first, each as often as it is mentioned, until
/// there are more of them than longruns.
struct Naming<'a> {
    /// When the compiler comes to each pipeline.
    starts: Vec<u32>,
    /// When it first comes to each mention of something that is no longrun: the consumer and the position in the
    /// compiler's order of its producers.
    strays: BTreeMap<(Node, usize), u32>,
    endless: Vec<Endless<'a>>,
}

struct Endless<'a> {
    pipeline: Node,
    consumer: Node,
    /// When the compiler gives up.
    rank: u32,
    /// Every consumer and producer in it.
    pairs: Vec<(Node, Node, &'a ServiceRef)>,
}

impl<'a> Naming<'a> {
    fn new(index: &Index<'a>) -> Self {
        let most = longruns(index).count();
        let mut naming = Naming { starts: Vec::new(), strays: BTreeMap::new(), endless: Vec::new() };
        let mut clock = 0;
        for (pipeline, consumer) in index.pipelines() {
            naming.starts.push(clock);
            clock += 1;
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
                            naming.endless.push(Endless { pipeline, consumer, rank: clock, pairs });
                            clock += 1;
                            break;
                        }
                        members += 1;
                        path.push((producer, 0));
                    }
                    _ => {
                        naming.strays.entry(mention).or_insert(clock);
                        clock += 1;
                    }
                }
            }
        }
        naming
    }
}

fn nth_producer(longrun: &Longrun, position: usize) -> Option<&ServiceRef> {
    let count = longrun.consumer_for.len();
    let is_last = longrun.producer_for.is_none();
    let place = if is_last { (position + 1) % count.max(1) } else { position };
    if position < count { longrun.consumer_for.get(place) } else { None }
}

/// Every pair of consumer and producer that can be reached from the last consumer.
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
