//! What an image starts, and when: nothing that compiles is refused here.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Files, Problems};
use crate::model::{Index, Layer, Made, Node, NodeKind};

use super::lints;
use super::names::listed;

/// What is known of the image beside the definitions.
#[derive(Default)]
pub struct Around<'a> {
    /// Where the files of lower layers are, which this tree only adds to.
    pub lower: &'a [PathBuf],
    /// Where this tree is, for what has to be added to it.
    pub upper: Option<&'a Path>,
    /// The texts of the scripts that lie elsewhere in the image.
    pub scripts: Option<&'a dyn Fn() -> Vec<String>>,
}

impl Around<'_> {
    /// The lower layer that a service comes from.
    fn below<'p>(&self, index: &Index<'_>, node: Node, files: &'p Files) -> Option<(&Path, &'p Path)> {
        let path = files.path(index.origin(node)?.file);
        let lower = self.lower.iter().map(PathBuf::as_path).filter(|lower| path.starts_with(lower));
        // One directory may lie in another.
        let lower = lower.max_by_key(|lower| lower.as_os_str().len())?;
        let is_upper = self.upper.is_some_and(|upper| upper.starts_with(lower) && path.starts_with(upper));
        (!is_upper).then_some((lower, path))
    }
}

/// Everything that is defined is started by something. Of what belongs together only the outermost is reported.
pub(super) fn reaches_everything(
    index: &Index<'_>,
    around: &Around<'_>,
    files: &Files,
    problems: &mut Problems,
) {
    let Some(top) = index.find(&"top".into()) else { return };
    let started = index.closure([top]);
    // A bundle is started with its members.
    let is_started = |node: Node| match index.kind(node) {
        NodeKind::Bundle => {
            let members = index.atomics(node);
            !members.is_empty() && members.iter().all(|member| started.contains(member))
        }
        _ => started.contains(&node),
    };
    let idle: Vec<Node> = index
        .nodes()
        .filter(|node| index.layer(*node) == Layer::Ours && index.service(*node).is_some())
        .filter(|node| {
            index.find(index.name(*node)) == Some(*node) && !is_start(index, *node) && !is_started(*node)
        })
        .collect();
    let wanted: BTreeSet<Node> =
        idle.iter().flat_map(|node| index.edges(*node)).map(|edge| edge.to).collect();
    let markers = markers(index, around, files);
    let scripts = OnceCell::new();
    for node in idle.into_iter().filter(|node| !wanted.contains(node)) {
        let (name, what) = (index.name(node), described(index, node));
        let is_empty = index.kind(node) == NodeKind::Bundle && index.atomics(node).is_empty();
        if is_empty
            || made(index, node) == Some(Made::Needed)
            || around.below(index, node, files).is_some()
            || is_started_by_a_script(index, node, around, &scripts)
        {
            continue;
        }
        problems.push(
            Diagnostic::new(Code::NotStarted, format!("nothing starts {what} `{name}`"))
                .at(index.origin(node), "it is in neither `user` nor `user2`, and nothing that starts needs it")
                .help(format!(
                    "to start it at boot: `touch {markers}/{name}`; leave it if it is started with `s6-rc start {name}`"
                )),
        );
    }
}

/// What s6gen meant with a service, if it made its definition.
fn made(index: &Index<'_>, node: Node) -> Option<Made> {
    index.service(node)?.definition()?.made
}

/// Whether a script that asks s6-rc to start something, or that edits the definitions before they are compiled, names
/// the service.
fn is_started_by_a_script(
    index: &Index<'_>,
    node: Node,
    around: &Around<'_>,
    elsewhere: &OnceCell<Vec<String>>,
) -> bool {
    let Ok(name) = str::from_utf8(index.name(node).as_bytes()) else { return false };
    let names_it = |text: &str| lints::mentions(text, name) && changes_what_runs(text);
    let mut others = index.set().services.iter().filter(|service| service.name != *index.name(node));
    others.any(|service| lints::texts(service).iter().any(|text| names_it(text)))
        || elsewhere
            .get_or_init(|| around.scripts.map(|read| read()).unwrap_or_default())
            .iter()
            .any(|text| names_it(text))
}

fn changes_what_runs(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let is_change = |word: &str| matches!(word, "change" | "start");
    lines.into_iter().any(|line| {
        let mut words = line.split(|c: char| c.is_whitespace() || ";|&(){}\"'`$".contains(c));
        let calls = words.any(|word| matches!(word.rsplit('/').next(), Some("s6-rc" | "s6gen")));
        (calls && words.any(is_change)) || line.contains("/contents.d/") || line.contains("/dependencies.d/")
    })
}

/// What is in `user` waits for `base`, and what is in `user2` for `legacy-services`. What waits for something early is
/// early as well; only the first of each chain is reported.
pub(super) fn waits_for_the_image(
    index: &Index<'_>,
    around: &Around<'_>,
    files: &Files,
    problems: &mut Problems,
) {
    let mut seen = BTreeSet::new();
    for (bundle, target, effect) in [
        ("user2", "legacy-services", "it is in `user2`, but starts beside everything else"),
        ("user", "base", "it starts beside the image's own initialisation, not after it"),
    ] {
        if !index.set().target.system.start_bundles().contains(&bundle) {
            continue;
        }
        let (Some(bundle), Some(goal)) = (index.find(&bundle.into()), index.find(&target.into())) else {
            continue;
        };
        let (mut below, mut behind) = (Vec::new(), 0);
        for Chain { root, followers } in chains(index, bundle, goal, &mut seen) {
            if around.below(index, root, files).is_some() {
                below.push(index.name(root));
                behind += followers.len();
                continue;
            }
            let name = index.name(root);
            let mut problem =
                Diagnostic::new(Code::StartsEarly, format!("`{name}` does not wait for `{target}`"))
                    .at(index.origin(root), effect);
            if !followers.is_empty() {
                let names = listed(followers.iter().map(|node| index.name(*node)));
                problem = problem.note(format!("what waits for it is as early: {names}"));
            }
            problems.push(problem.help(format!(
                "add the dependency, unless it is meant to be early: `{}`",
                adding(index, root, target, files)
            )));
        }
        if !below.is_empty() {
            let (them, wait) = if below.len() == 1 { ("it", "does") } else { ("them", "do") };
            let behind = match behind {
                0 => String::new(),
                1 => format!(", nor does the service that waits for {them}"),
                _ => format!(", nor do the {behind} services that wait for {them}"),
            };
            let message =
                format!("of the layers below, {} {wait} not wait for `{target}`{behind}", listed(below));
            problems.push(Diagnostic::new(Code::StartsEarly, message));
        }
    }
}

/// A service that waits for nothing of its own, and what waits for it.
struct Chain {
    root: Node,
    followers: BTreeSet<Node>,
}

/// Everything that `bundle` starts and that does not wait for `goal`, by what it begins with.
fn chains(index: &Index<'_>, bundle: Node, goal: Node, seen: &mut BTreeSet<Node>) -> Vec<Chain> {
    // The last of a chain is enough: what waits for all of `base` waits for this.
    let last = match *index.name(goal) == *"base" {
        true => index.find(&"legacy-cont-init".into()).unwrap_or(goal),
        false => goal,
    };
    let mut dependents: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    // Of what waits for something unknown nobody can tell.
    let mut waiting = index.atomics(last);
    for node in index.nodes() {
        match index.kind(node) {
            NodeKind::Bundle => continue,
            NodeKind::Unknown => waiting.extend([node]),
            _ => {}
        }
        for needed in index.dependencies(node) {
            dependents.entry(needed).or_default().push(node);
        }
    }
    let waiting = reached(waiting, |node| dependents.get(&node).into_iter().flatten().copied());
    // What members of `user2` need is early on purpose: it may be in `user` as well.
    let started = match *index.name(goal) == *"base" {
        true => index.closure([bundle]),
        false => index.atomics(bundle),
    };
    let early: BTreeSet<Node> = started
        .into_iter()
        .filter(|node| index.kind(*node) != NodeKind::Bundle && index.layer(*node) == Layer::Ours)
        .filter(|node| !waiting.contains(node) && !is_logger(index, *node) && !seen.contains(node))
        .collect();
    seen.extend(early.iter().copied());
    // A manifest says when its services start.
    let roots = early
        .iter()
        .filter(|node| index.dependencies(**node).is_disjoint(&early) && made(index, **node).is_none());
    let mut told = BTreeSet::new();
    roots
        .map(|root| {
            let next = |node| {
                dependents.get(&node).into_iter().flatten().copied().filter(|node| early.contains(node))
            };
            let mut followers = reached(BTreeSet::from([*root]), next);
            followers.retain(|node| node != root && told.insert(*node));
            Chain { root: *root, followers }
        })
        .collect()
}

/// Everything that `next` leads to, from `known` on.
fn reached<I: Iterator<Item = Node>>(mut known: BTreeSet<Node>, next: impl Fn(Node) -> I) -> BTreeSet<Node> {
    let mut todo: Vec<Node> = known.iter().copied().collect();
    while let Some(node) = todo.pop() {
        todo.extend(next(node).filter(|node| known.insert(*node)));
    }
    known
}

/// The command that makes a service wait for `target`.
fn adding(index: &Index<'_>, node: Node, target: &str, files: &Files) -> String {
    let first = index.service(node).and_then(|service| service.dependencies().first()?.origin);
    if let Some(list) =
        first.map(|origin| files.path(origin.file)).filter(|path| path.ends_with("dependencies"))
    {
        return format!("echo {target} >> {}", list.display());
    }
    let definition = index.origin(node).and_then(|origin| files.path(origin.file).parent());
    let list = definition.unwrap_or(Path::new(".")).join("dependencies.d");
    match first {
        Some(_) => format!("touch {}/{target}", list.display()),
        None => format!("mkdir -p {list} && touch {list}/{target}", list = list.display()),
    }
}

/// The directory of markers for `user`.
fn markers(index: &Index<'_>, around: &Around<'_>, files: &Files) -> String {
    let shipped = index.set().target.system.start_markers().unwrap_or("user/contents.d");
    let Some(user) = index.find(&"user".into()).filter(|user| index.layer(*user) != Layer::Overlay) else {
        return shipped.to_owned();
    };
    if let Some((lower, path)) = around.below(index, user, files) {
        // The same place in this tree.
        let definition = path.strip_prefix(lower).ok().and_then(Path::parent);
        return match (around.upper, definition) {
            (Some(upper), Some(definition)) => {
                upper.join(definition).join("contents.d").display().to_string()
            }
            _ => shipped.to_owned(),
        };
    }
    match index.origin(user).and_then(|origin| files.path(origin.file).parent()) {
        Some(definition) => definition.join("contents.d").display().to_string(),
        None => shipped.to_owned(),
    }
}

fn is_start(index: &Index<'_>, node: Node) -> bool {
    index.set().target.system.start_bundles().iter().any(|bundle| *index.name(node) == **bundle)
}

/// Loggers may start before everything else, as long as they have what they need.
fn is_logger(index: &Index<'_>, node: Node) -> bool {
    index
        .service(node)
        .and_then(|service| service.longrun())
        .is_some_and(|longrun| !longrun.consumer_for.is_empty())
}

fn described(index: &Index<'_>, node: Node) -> &'static str {
    match index.kind(node) {
        NodeKind::Longrun => "longrun",
        NodeKind::Oneshot => "oneshot",
        NodeKind::Bundle => "bundle",
        NodeKind::Unknown => "service",
    }
}
