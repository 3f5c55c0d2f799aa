//! Resolves the key `sets` of oneshots, and reports services that use its variable without waiting for it.

use std::collections::{BTreeMap, BTreeSet};

use super::Resolver;
use super::log::OneshotOutput;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::{OneshotKeys, ServiceTable};
use crate::model::{Index, Kind, Node, Service, Stderr, Written};

impl Resolver<'_> {
    /// The variable of the container that a oneshot sets.
    pub(super) fn sets(
        &mut self,
        keys: &ServiceTable<OneshotKeys>,
        scope: &Scope,
    ) -> Option<Written<String>> {
        let text = keys.own.sets.as_ref()?;
        let name = self.text(text, scope)?;
        let origin = text.origin();
        if !self.names_a_variable(&name, origin) {
            return None;
        }
        let problem = match () {
            () if name == "PATH" => Diagnostic::new(Code::InvalidValue, "`sets` cannot be `PATH`")
                .at(origin, "without the right value no later service finds its programs")
                .help("set it in the image, with `ENV PATH` of its Dockerfile"),
            () if !self.system().is_overlay() => Diagnostic::new(
                Code::ConflictingKeys,
                "`sets` needs s6-overlay",
            )
            .at(origin, format!("the target is {}, which has no container environment", self.system()))
            .help("let `up` write a file that later services read, for example with `environment-files`"),
            () if keys.own.up.is_none() && keys.own.gives_way("sets") => return None,
            () if keys.own.up.is_none() => Diagnostic::new(Code::ConflictingKeys, "`sets` without `up`")
                .at(origin, "there is no `up`, whose output would be the value")
                .help("add `up`, a command that writes the value"),
            () => return Some(Written { value: name, origin: Some(origin) }),
        };
        self.problems.push(problem);
        None
    }

    /// The output of a oneshot whose standard output is the value of a variable: `log` is for its standard error.
    pub(super) fn output_of_setter(
        &mut self,
        keys: &ServiceTable<OneshotKeys>,
        written: &OneshotOutput,
    ) -> OneshotOutput {
        let log = keys.common.log.as_deref();
        let to = log.and_then(|log| log.to.as_ref().filter(|_| !log.gives_way("to")));
        if let (Some(to), Some(stderr)) = (to, log.and_then(|log| log.stderr.as_ref()))
            && written.stderr != Stderr::Stdout
        {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.to` has no effect here")
                    .at(to.origin(), "the output of `up` becomes the value of a variable")
                    .at(keys.own.sets.as_ref().map(|text| text.origin()), "by this key")
                    .at(stderr.origin(), "and standard error goes elsewhere")
                    .help("leave `log.to` out"),
            );
        }
        if let Some(filter) = log.and_then(|log| log.filter.as_ref().filter(|_| !log.gives_way("filter"))) {
            self.problems.push(
                Diagnostic::new(Code::ConflictingKeys, "`log.filter` has no effect here")
                    .at(filter.origin(), "the output of `up` becomes the value of a variable")
                    .at(keys.own.sets.as_ref().map(|text| text.origin()), "by this key")
                    .help("leave `log.filter` out"),
            );
        }
        let to_output = written.stderr == Stderr::Stdout;
        let errors = written.output.clone().filter(|_| to_output);
        let stderr = match &written.stderr {
            Stderr::Stdout if written.discard_stdout => Stderr::Discard,
            Stderr::Stdout => Stderr::Container,
            other => other.clone(),
        };
        OneshotOutput {
            discard_stdout: false,
            stderr,
            output: None,
            filter: None,
            errors: errors.or(written.errors.clone()),
        }
    }

    /// Reports services that use a variable without waiting for the oneshot that sets it.
    pub(super) fn check_results(&mut self) {
        let index = Index::new(&self.set);
        let mut setters: BTreeMap<&str, Vec<Node>> = BTreeMap::new();
        for node in index.nodes() {
            if let Some((_, sets)) = setter(&index, node) {
                setters.entry(&sets.value).or_default().push(node);
            }
        }
        if setters.is_empty() {
            return;
        }
        let mut users: BTreeMap<&str, Vec<Node>> = BTreeMap::new();
        for node in index.nodes() {
            let variables = index.service(node).into_iter().flat_map(|service| &service.variables);
            for variable in variables.filter(|variable| setters.contains_key(&*variable.name)) {
                users.entry(&variable.name).or_default().push(node);
            }
        }
        let edges: Vec<Vec<Node>> =
            index.nodes().map(|node| index.edges(node).iter().map(|edge| edge.to).collect()).collect();
        let mut reversed = vec![Vec::new(); edges.len()];
        for (from, to) in index.nodes().flat_map(|node| edges[node.0].iter().map(move |to| (node, *to))) {
            reversed[to.0].push(from);
        }
        let mut problems = Vec::new();
        for (name, users) in users.into_iter().take(MOST_NAMES) {
            let setters = &setters[name];
            // What a setter waits for uses the variable as the container sets it, on purpose.
            let (before, after) = (reached(&edges, setters), reached(&reversed, setters));
            let early = users.into_iter().filter(|user| !before.contains(user) && !after.contains(user));
            problems.extend(early.filter_map(|user| too_early(&index, name, user, setters[0])));
        }
        self.problems.extend(problems);
    }
}

/// The number of variables for which to look for services that start too early, because a hostile manifest may have thousands.
const MOST_NAMES: usize = 100;

/// The oneshot of a node and the variable that it sets.
fn setter<'s>(index: &Index<'s>, node: Node) -> Option<(&'s Service, &'s Written<String>)> {
    let service = index.service(node)?;
    let Kind::Oneshot(oneshot) = &service.kind else { return None };
    Some((service, oneshot.sets.as_ref()?))
}

/// The nodes `start`, and all that edges lead to from them.
fn reached(edges: &[Vec<Node>], start: &[Node]) -> BTreeSet<Node> {
    let (mut reached, mut todo) = (BTreeSet::new(), start.to_vec());
    while let Some(node) = todo.pop() {
        if reached.insert(node) {
            todo.extend(&edges[node.0]);
        }
    }
    reached
}

fn too_early(index: &Index<'_>, name: &str, user: Node, setter_node: Node) -> Option<Diagnostic> {
    let (user, (oneshot, sets)) = (index.service(user)?, setter(index, setter_node)?);
    let (user_name, oneshot_name) = (&user.name, &oneshot.name);
    let message =
        format!("`{user_name}` uses `{name}`, and does not wait for `{oneshot_name}`, which sets it");
    Some(
        Diagnostic::new(Code::ConflictingKeys, message)
            .at(user.origin, "this service may start before the variable has its value")
            .at(sets.origin, "this oneshot sets the variable")
            .help(format!("add the dependency: `dependencies = [\"{oneshot_name}\"]`")),
    )
}
