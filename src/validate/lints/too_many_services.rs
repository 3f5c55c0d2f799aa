//! Finds sets with so many services that s6-rc-compile runs out of stack, which kills it without a message.

use crate::diagnostic::{Confidence, FixKind, Group, Lint, Severity};
use crate::model::{NodeKind, Why};
use crate::validate::rule::{Check, Findings, Rule, Subject};

pub(super) static RULE: Rule = Rule {
    lint: Lint {
        slug: "lint::too-many-services",
        level: Severity::Warning,
        confidence: Confidence::Certain,
        group: Group::Files,
        fix: FixKind::Without("which of them to leave out is not known"),
        page: include_str!("too_many_services.md"),
    },
    check: Check::Services(check),
};

/// How many bytes of the usual stack of 8 MiB are left for the tables of `s6-rc-compile`, measured with an empty
/// environment.
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
    // Without the two services that s6-rc adds itself.
    let shown = match bundles {
        0 => format!("{} services", services - 2),
        1 => format!("{} services and 1 bundle", services - 2),
        _ => format!("{} services and {bundles} bundles", services - 2),
    };
    found.push(
        found.report(format!("{shown} are too many for s6-rc-compile with the usual stack"))
            .note("its tables are on its stack and grow with the square of the number of services: if 8 MiB are too small, a segmentation fault kills it without a message")
            .help("run it under `ulimit -s unlimited` (in Docker `--ulimit stack=-1`), or use fewer services"),
    );
}

/// How many bytes of stack the real compiler needs: one bit for each pair of services and for each pair of a service and a
/// bundle, and a fixed number of bytes for each service, bundle and name. The numbers are measured. A very long chain of
/// dependencies needs a little more, which is left out.
fn needed(services: usize, bundles: usize, dependencies: usize, contents: usize) -> usize {
    let tables = services.saturating_mul(services.div_ceil(8) + bundles.div_ceil(8));
    tables.saturating_add(60 * services + 20 * bundles + 8 * dependencies + 4 * contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured: the largest size that the real compiler accepts, for services without dependencies, with four each, and
    /// with 300 bundles that are empty or have 100 members.
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
