//! Compiles a manifest of any bytes: it is reported as wrong, or gives a valid tree.

#![no_main]

use libfuzzer_sys::fuzz_target;
use s6gen::diagnostic::{Files, Problems};
use s6gen::model::{Database, Index, Layer, ServiceSet};
use s6gen::picture::{self, PictureSource, View};
use s6gen::plan::{OrderDirection, StartOrder};
use s6gen::render;
use s6gen::report::{self, Style};
use s6gen::{compile, import, validate};

fuzz_target!(|bytes: &[u8]| {
    let mut files = Files::default();
    let file = files.add("services.toml", bytes);
    let compilation = compile(&files, file);
    for problem in compilation.problems.iter() {
        report::human(problem, &files, Style::Coloured);
        report::json(problem, &files);
    }
    draw(&compilation.services);
    if !compilation.problems.has_errors() {
        accepted(&compilation.services);
    }
});

/// Draws the graph in every form.
fn draw(set: &ServiceSet) {
    let index = Index::new(set);
    let first: Vec<_> = index.nodes().take(1).collect();
    for direction in [OrderDirection::Up, OrderDirection::Down] {
        for names in [&[][..], &first] {
            render::text(&index, names, direction, false);
            let (order, view) = (StartOrder::new(&index, names, direction), View { names, shows_all: false });
            let source = PictureSource { name: String::new(), names: Vec::new(), place: &|_| String::new() };
            picture::svg(&order, view, &source);
            picture::mermaid(&order, view);
            picture::dot(&order, view);
            render::json(&index, names, direction);
        }
    }
}

/// Checks that the tree, together with the services of other layers, has no errors. It may have warnings.
fn accepted(set: &ServiceSet) {
    let tree = render::tree(set).expect("the templates are well-formed");
    let (mut files, mut problems) = (Files::default(), Problems::default());
    let source = tree.source(render::definitions_dir(&set.target));
    let mut read = import::tree(vec![source], set.target.clone(), &mut files, &mut problems);
    let others = set.services.iter().filter(|s| matches!(s.layer, Layer::Overlay | Layer::External));
    read.services.extend(others.cloned());
    validate::validate(&read, true, &mut problems);
    assert!(!problems.has_errors(), "{:#?}", problems.iter().collect::<Vec<_>>());
    assert_eq!(Database::of(&Index::new(set)).bundles, Database::of(&Index::new(&read)).bundles);
}
