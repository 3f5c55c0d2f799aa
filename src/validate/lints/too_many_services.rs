//! More services than the real compiler has room for on its stack. Where it has not it dies without a message.

use crate::diagnostic::{Confidence, Lint, Severity};
use crate::model::{NodeKind, Why};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::too-many-services",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        has_fix: false,
        page: include_str!("too_many_services.md"),
    },
    check: Check::Services(check),
};

/// What is left of the usual stack of 8 MiB for the tables of `s6-rc-compile`, as measured with an empty environment.
const STACK: usize = 8_275_000;

fn check(subject: &Subject<'_>, found: &mut Findings<'_>) {
    let index = &subject.index;
    let (mut services, mut bundles, mut dependencies, mut contents) = (0usize, 0usize, 0usize, 0usize);
    for node in index.nodes() {
        match index.kind(node) {
            NodeKind::Bundle => bundles += 1,
            _ => services += 1,
        }
    }
    if needed(services, bundles, 0, 0) > STACK / 2 {
        for edge in index.nodes().flat_map(|node| index.edges(node)) {
            match edge.why {
                Why::Member => contents += 1,
                Why::Dependency | Why::Consumer | Why::FdHolder => dependencies += 1,
                Why::OneshotRunner => {}
            }
        }
    }
    if needed(services, bundles, dependencies, contents) <= STACK {
        return;
    }
    // Those of s6-rc itself are none that anybody counts.
    let shown = match bundles {
        0 => format!("{} services", services - 2),
        1 => format!("{} services and 1 bundle", services - 2),
        _ => format!("{} services and {bundles} bundles", services - 2),
    };
    found.push(
        found.report(format!("{shown} are too many for s6-rc-compile with the usual stack"))
            .note("its tables grow with the square of the services and lie on its stack: where 8 MiB do not suffice it dies of a segmentation fault, without a message")
            .help("run it under `ulimit -s unlimited` (in Docker `--ulimit stack=-1`), or make them fewer"),
    );
}

/// How many bytes of stack the real compiler needs: a bit for every two services and for every service and bundle,
/// and a little for each thing by itself. Found by experiment; that a very long chain of dependencies takes somewhat
/// more is left out.
fn needed(services: usize, bundles: usize, dependencies: usize, contents: usize) -> usize {
    let tables = services.saturating_mul(services.div_ceil(8) + bundles.div_ceil(8));
    tables.saturating_add(60 * services + 20 * bundles + 8 * dependencies + 4 * contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last size that the real compiler took and the first over which it died, of services without dependencies,
    /// with four each, and with 300 bundles of nothing and of 100.
    #[test]
    fn the_limit_is_where_the_real_compiler_dies() {
        for (most, bundles, each, contents) in
            [(7894, 0, 0, 0), (7774, 0, 4, 0), (7747, 300, 0, 0), (7689, 300, 0, 30_000)]
        {
            let fits = |services: usize| needed(services + 2, bundles, each * services, contents) <= STACK;
            assert!(fits(most - 3), "{most} services");
            assert!(!fits(most + 3), "{most} services");
        }
    }
}
