//! The plan of a start and a stop for programs.

use serde::{Serialize, Serializer};

use crate::model::{NodeKind, json_text};
use crate::plan::{
    Bound, ChainLink, ChainPart, Grace, Moment, OverlayLimits, PlanRow, Span, Timeline, Unlimited, Whole,
    if_it_dies,
};

/// The plan for programs: the fields of the answer, each with its value as JSON. `why` is the service whose chain is asked for.
pub fn plan_json(
    timeline: &Timeline<'_>,
    grace: Option<Grace>,
    why: Option<usize>,
) -> Vec<(&'static str, String)> {
    let whole = |whole: &Whole, chain: &[ChainPart], limit: Option<u64>| WholeShape {
        end: MomentShape::of(whole.end),
        limit,
        longest_chain: chain.iter().map(ChainShape::of).collect(),
        unlimited: timeline.unlimited(whole).into_iter().map(UnlimitedShape::of).collect(),
        within: None,
    };
    let start = WholeShape {
        within: timeline.start_within(),
        ..whole(&timeline.start, &timeline.start_chain(), timeline.start_limit())
    };
    let stop = WholeShape {
        within: timeline.stop_within(),
        ..whole(&timeline.stop, &timeline.stop_chain(), grace.map(|grace| grace.milliseconds))
    };
    let mut fields = vec![
        ("overlay", json_value(&timeline.overlay.as_ref().map(OverlayShape::of))),
        ("services", json_value(&RowsShape(timeline))),
        ("start", json_value(&start)),
        ("stop", json_value(&stop)),
    ];
    if let Some(row) = why {
        let links = timeline.chain_to(row);
        let links: Vec<LinkShape> = links.iter().map(|link| LinkShape::of(timeline, link)).collect();
        fields.push(("why", json_value(&links)));
    }
    fields
}

/// A value as JSON. This cannot fail, because every key is a string.
fn json_value(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn name(timeline: &Timeline<'_>, row: usize) -> String {
    json_text(timeline.name(row).as_bytes())
}

#[derive(Serialize)]
struct MomentShape {
    milliseconds: u64,
    steps_without_limit: u32,
}

impl MomentShape {
    fn of(moment: Moment) -> Self {
        MomentShape { milliseconds: moment.milliseconds, steps_without_limit: moment.steps }
    }
}

#[derive(Serialize)]
struct SpanShape {
    begin: MomentShape,
    end: MomentShape,
}

impl SpanShape {
    fn of(span: Span) -> Self {
        SpanShape { begin: MomentShape::of(span.begin), end: MomentShape::of(span.end) }
    }
}

#[derive(Serialize)]
struct WholeShape {
    end: MomentShape,
    limit: Option<u64>,
    longest_chain: Vec<ChainShape>,
    unlimited: Vec<UnlimitedShape>,
    within: Option<u64>,
}

#[derive(Serialize)]
struct ChainShape {
    limit: Option<u64>,
    names: Vec<String>,
}

impl ChainShape {
    fn of(part: &ChainPart) -> Self {
        ChainShape { limit: part.bound.milliseconds(), names: part.names.clone() }
    }
}

#[derive(Serialize)]
struct UnlimitedShape {
    missing: &'static str,
    names: Vec<String>,
}

impl UnlimitedShape {
    fn of((why, names): (Unlimited, Vec<String>)) -> Self {
        UnlimitedShape { missing: why.missing(), names }
    }
}

#[derive(Serialize)]
struct OverlayShape {
    kill_finish_maxtime: u64,
    kill_gracetime: u64,
    services_gracetime: u64,
    stops_if_failed: bool,
    wait_for_services_maxtime: u64,
}

impl OverlayShape {
    fn of(limits: &OverlayLimits) -> Self {
        OverlayShape {
            kill_finish_maxtime: limits.old_stop,
            kill_gracetime: limits.last,
            services_gracetime: limits.old_services,
            stops_if_failed: limits.stops_if_failed,
            wait_for_services_maxtime: limits.start,
        }
    }
}

#[derive(Serialize)]
struct LinkShape {
    after: Vec<String>,
    name: String,
    start: SpanShape,
}

impl LinkShape {
    fn of(timeline: &Timeline<'_>, link: &ChainLink) -> Self {
        LinkShape {
            after: link.from.iter().map(|first| name(timeline, *first)).collect(),
            name: name(timeline, link.row),
            start: SpanShape::of(timeline.rows[link.row].start),
        }
    }
}

#[derive(Serialize)]
struct RowShape {
    after: Vec<String>,
    at_boot: bool,
    if_it_dies: Option<String>,
    if_it_fails: String,
    name: String,
    needed_by: usize,
    start: SpanShape,
    start_limit: Option<u64>,
    stays_until_the_end: bool,
    stop: SpanShape,
    stop_finish: Option<u64>,
    stop_has_finish: bool,
    stop_kill: Option<u64>,
    stop_limit: Option<u64>,
    r#type: &'static str,
    until: &'static str,
    wave: Option<usize>,
}

impl RowShape {
    fn of(timeline: &Timeline<'_>, row: usize) -> Self {
        let plan: &PlanRow = &timeline.rows[row];
        RowShape {
            after: plan.nearest.iter().map(|first| name(timeline, *first)).collect(),
            at_boot: plan.is_at_boot,
            if_it_dies: timeline.service(row).and_then(if_it_dies),
            if_it_fails: timeline.if_it_fails(row),
            name: name(timeline, row),
            needed_by: plan.needed_by,
            start: SpanShape::of(plan.start),
            start_limit: plan.bound.milliseconds(),
            stays_until_the_end: plan.stays,
            stop: SpanShape::of(plan.stop),
            stop_finish: plan.limits.finish.and_then(Bound::milliseconds),
            stop_has_finish: plan.limits.finish.is_some(),
            stop_kill: plan.limits.kill.milliseconds(),
            stop_limit: plan.limits.whole().milliseconds(),
            r#type: match timeline.order.index.kind(timeline.order.services[row].node) {
                NodeKind::Longrun => "longrun",
                NodeKind::Oneshot => "oneshot",
                NodeKind::Bundle | NodeKind::Unknown => "unknown",
            },
            until: plan.awaited.word(),
            wave: (plan.wave > 0).then_some(plan.wave),
        }
    }
}

/// The rows, each of which is written as soon as it is made.
struct RowsShape<'t>(&'t Timeline<'t>);

impl Serialize for RowsShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..self.0.rows.len()).map(|row| RowShape::of(self.0, row)))
    }
}
