//! The boxes of a graph: one for each service, and one for all instances of a template that have the same waits.

use std::collections::{BTreeMap, BTreeSet};

use super::view::View;
use crate::model::{Bundle, Consequence, Index, Kind, Layer, Node, Script, Service, printable};
use crate::plan::{Awaited, OrderDirection, StartOrder, template_name};

/// The type of a service, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoxKind {
    /// A supervised process.
    Longrun,
    /// A step that is done once.
    Oneshot,
    /// A service of another layer.
    Elsewhere,
}

/// A service, or all instances of a template.
#[derive(Debug, Clone)]
pub struct SceneBox {
    /// Its whole name.
    pub name: String,
    /// Its type.
    pub kind: BoxKind,
    /// The names of the instances, if it is a template.
    pub instances: Option<Vec<String>>,
    /// Whether it does not start at boot.
    pub is_on_demand: bool,
    /// Whether its logger is not shown.
    pub has_logger: bool,
    /// Whether it runs only if a condition holds.
    pub has_condition: bool,
    /// Whether the container stops when it fails or ends.
    pub stops_container: bool,
    /// What the user wrote about it.
    pub description: Option<String>,
    /// The state that others wait for.
    pub awaited: Awaited,
    /// The services that it stands for, by their positions in the order.
    pub services: Vec<usize>,
    /// Its node, or that of the bundle of a template without instances.
    pub(super) rank: Node,
    /// The bundle of all instances, if it is a template.
    pub(super) template: Option<Node>,
}

/// The boxes that show some services of an order, and what each of them waits for. `None` if there are too many.
pub(super) fn boxes(
    order: &StartOrder<'_>,
    is_shown: &[bool],
    has_cycle: bool,
    view: View<'_>,
    most: usize,
) -> Option<(Vec<SceneBox>, Vec<Vec<usize>>)> {
    let index = order.index;
    let mut position = vec![None; index.nodes().count()];
    for (number, service) in order.services.iter().enumerate().filter(|(number, _)| is_shown[*number]) {
        position[service.node.0] = Some(number);
    }
    let templates = templates(index);
    let members = |bundle: &Bundle| -> Vec<usize> {
        bundle.contents.iter().filter_map(|member| position[index.find(&member.name)?.0]).collect()
    };
    // A single instance that someone asked for, or that a service waits for, is no template.
    let is_named = |group: &[usize]| group.iter().any(|one| view.names.contains(&order.services[*one].node));
    let groups: Vec<(Node, Vec<usize>)> = templates
        .iter()
        .map(|(node, bundle)| (*node, bundle.contents.len(), members(bundle)))
        .filter(|(_, whole, group)| !group.is_empty() && group.len() == *whole && !is_named(group))
        .map(|(node, _, group)| (node, group))
        .collect();
    let shown = is_shown.iter().filter(|is_shown| **is_shown).count();
    let collapsed: usize = groups.iter().map(|(_, group)| group.len() - 1).sum();
    if shown - collapsed > most {
        return None;
    }
    let only_shown = |firsts: Vec<usize>| firsts.into_iter().filter(|first| is_shown[*first]).collect();
    let waits: Vec<Vec<usize>> = match (view.shows_all, has_cycle) {
        (true, _) => order.services.iter().map(|service| only_shown(service.after().collect())).collect(),
        // In a cycle, what a logger waits for would be drawn beside what is written, and hide it.
        (false, true) => order.past_own().into_iter().map(only_shown).collect(),
        (false, false) => order.nearest(),
    };
    let mut waiting = vec![Vec::new(); waits.len()];
    for (then, firsts) in waits.iter().enumerate().filter(|(then, _)| is_shown[*then]) {
        firsts.iter().for_each(|first: &usize| waiting[*first].push(then));
    }
    let facts = |number: usize| SceneBox::of_service(order, number, |node| position[node.0].is_some());
    let mut boxes = Vec::new();
    let mut is_boxed = vec![false; waits.len()];
    for (node, group) in groups {
        let mut all = group.iter().map(|number| facts(*number));
        let Some(first) = all.next() else { continue };
        let is_same =
            |number: &usize| waits[*number] == waits[group[0]] && waiting[*number] == waiting[group[0]];
        if group.iter().all(is_same) && all.all(|other| other.looks_like(&first)) {
            group.iter().for_each(|number| is_boxed[*number] = true);
            boxes.push(first.collapsed(node, group, order));
        }
    }
    let others = (0..waits.len()).filter(|number| is_shown[*number] && !is_boxed[*number]);
    boxes.extend(others.map(facts));
    if view.names.is_empty() {
        boxes.extend(templates.iter().filter_map(|(node, bundle)| SceneBox::of_empty(order, *node, bundle)));
    }
    if boxes.len() > most {
        return None;
    }
    boxes.sort_by_key(|one| one.rank);
    let mut box_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, one) in boxes.iter().enumerate() {
        box_of.extend(one.services.iter().map(|service| (*service, number)));
    }
    let mut waits: Vec<Vec<usize>> = boxes
        .iter()
        .map(|one| one.services.first().map(|service| waits[*service].clone()).unwrap_or_default())
        .map(|firsts| of_boxes(firsts, &box_of))
        .collect();
    for (number, one) in boxes.iter().enumerate() {
        let Some(bundle) = templates.get(&one.rank).filter(|_| one.services.is_empty()) else { continue };
        let firsts = of_boxes(stand_in_waits(index, bundle, &position), &box_of);
        match order.direction {
            OrderDirection::Up => waits[number] = firsts,
            OrderDirection::Down => firsts.into_iter().for_each(|first| waits[first].push(number)),
        }
    }
    Some((boxes, waits))
}

/// The boxes of some services, sorted, each once.
fn of_boxes(services: Vec<usize>, box_of: &BTreeMap<usize, usize>) -> Vec<usize> {
    let boxes: BTreeSet<usize> = services.iter().filter_map(|service| box_of.get(service).copied()).collect();
    boxes.into_iter().collect()
}

/// The bundles of all instances of a template, by their nodes.
fn templates<'a>(index: &Index<'a>) -> BTreeMap<Node, &'a Bundle> {
    let bundle = |node: Node| match &index.service(node)?.kind {
        Kind::Bundle(bundle) if bundle.template.is_some() => Some((node, bundle)),
        _ => None,
    };
    index.nodes().filter_map(bundle).collect()
}

/// What the instances of a template without instances would wait for.
fn stand_in_waits(index: &Index<'_>, bundle: &Bundle, position: &[Option<usize>]) -> Vec<usize> {
    let service = bundle.template.as_ref().and_then(|template| template.stand_in.as_ref());
    let names = service.into_iter().flat_map(Service::dependencies);
    let nodes = names.filter_map(|name| index.find(&name.name)).flat_map(|node| index.atomics(node));
    nodes.filter_map(|node| position[node.0]).collect()
}

impl SceneBox {
    fn of_service(order: &StartOrder<'_>, number: usize, is_drawn: impl Fn(Node) -> bool) -> Self {
        let ordered = &order.services[number];
        let service = order.index.service(ordered.node);
        let edges = order.index.edges(ordered.node).iter();
        let has_logger = edges.clone().any(|edge| order.is_logger_at(edge.to) && !is_drawn(edge.to));
        SceneBox {
            name: order.name(ordered).to_string(),
            is_on_demand: !order.is_at_boot(ordered),
            has_logger,
            awaited: order.awaited(ordered),
            services: vec![number],
            rank: ordered.node,
            ..SceneBox::of(service)
        }
    }

    /// What a definition says by itself.
    fn of(service: Option<&Service>) -> Self {
        let kind = match service {
            Some(service) if service.layer != Layer::Ours => BoxKind::Elsewhere,
            Some(Service { kind: Kind::Longrun(_), .. }) => BoxKind::Longrun,
            Some(Service { kind: Kind::Oneshot(_), .. }) => BoxKind::Oneshot,
            _ => BoxKind::Elsewhere,
        };
        SceneBox {
            name: String::new(),
            kind,
            instances: None,
            is_on_demand: false,
            has_logger: false,
            has_condition: service.is_some_and(has_condition),
            stops_container: service.is_some_and(stops_container),
            description: service
                .and_then(|service| service.description.as_deref())
                .map(|text| printable(text).into_owned()),
            awaited: Awaited::Up,
            services: Vec::new(),
            rank: Node(0),
            template: None,
        }
    }

    /// The box of a template without instances.
    fn of_empty(order: &StartOrder<'_>, node: Node, bundle: &Bundle) -> Option<Self> {
        let template = bundle.template.as_deref()?;
        let service = template.stand_in.as_ref().filter(|_| bundle.contents.is_empty())?;
        Some(SceneBox {
            name: template_name(order.index.name(node), &[], 0),
            instances: Some(Vec::new()),
            is_on_demand: !template.starts_at_boot,
            has_logger: service.longrun().is_some_and(|longrun| longrun.producer_for.is_some()),
            awaited: match order.direction {
                OrderDirection::Up => Awaited::Up,
                OrderDirection::Down => Awaited::Down,
            },
            rank: node,
            template: Some(node),
            ..SceneBox::of(Some(service))
        })
    }

    fn looks_like(&self, other: &SceneBox) -> bool {
        let looks = |one: &SceneBox| {
            (one.kind, one.is_on_demand, one.has_logger, one.has_condition, one.stops_container, one.awaited)
        };
        looks(self) == looks(other)
    }

    /// The box of all instances, from that of the first one.
    fn collapsed(self, node: Node, group: Vec<usize>, order: &StartOrder<'_>) -> Self {
        let bundle = order.index.name(node);
        let prefix = format!("{bundle}-");
        let instance = |number: &usize| {
            let name = order.name(&order.services[*number]).to_string();
            name.strip_prefix(&prefix).map_or(name.clone(), str::to_owned)
        };
        let instances: Vec<String> = group.iter().map(instance).collect();
        SceneBox {
            name: template_name(bundle, &instances, 0),
            instances: Some(instances),
            services: group,
            template: Some(node),
            ..self
        }
    }
}

fn has_condition(service: &Service) -> bool {
    match &service.kind {
        Kind::Longrun(longrun) => {
            matches!(&longrun.run, Script::Run(run) if run.surroundings.only_if.is_some())
        }
        Kind::Oneshot(oneshot) => {
            matches!(&oneshot.up, Script::Step(step) if step.surroundings.only_if.is_some())
        }
        _ => false,
    }
}

/// Whether the container stops when a service ends for good, fails, does not become ready in time or no longer works.
fn stops_container(service: &Service) -> bool {
    match &service.kind {
        Kind::Longrun(longrun) => {
            let at_death = matches!(&longrun.finish, Some(Script::Finish(finish))
                if finish.on_exit.as_ref().is_some_and(|rules| rules.stops_container || rules.otherwise == Consequence::StopContainer));
            let while_up = matches!(&longrun.run, Script::Run(run)
                if run.late.is_some_and(|late| !late.goes_on) || run.alive.is_some_and(|alive| alive.stops_container));
            at_death || while_up
        }
        Kind::Oneshot(oneshot) => matches!(&oneshot.up, Script::Step(step)
            if step.on_failure.as_ref().is_some_and(|failure| failure.then == "stop-container")),
        _ => false,
    }
}
