//! Renders the script that says whether the services of the boot are up.

use serde::Serialize;

use crate::model::{Index, Kind, Layer, Name, Script, ServiceSet};
use crate::templates::Templates;

/// The path of the script in the image.
pub const HEALTH: &str = "/etc/s6-overlay/scripts/health";

/// What its first comment says, by which it is recognised.
pub const HEALTH_QUESTION: &str = "# Are these services up, and ready if they tell so?";

/// The bundles of the services that start at boot.
const START_BUNDLES: [&str; 3] = ["default", "user", "user2"];

/// The data of the script.
#[derive(Serialize)]
struct Health {
    path: &'static str,
    command_dir: String,
    /// The services that start at boot, without loggers.
    boot: Vec<String>,
    /// All oneshots.
    oneshots: Vec<String>,
    /// The longruns that tell when they are ready.
    tell: Vec<String>,
}

/// The text of the script.
///
/// # Errors
/// An error in a template. The text names the template and the line.
pub(super) fn health(set: &ServiceSet, templates: &Templates) -> Result<String, String> {
    let index = Index::new(set);
    let boot = index.closure(START_BUNDLES.iter().filter_map(|name| index.find(&Name::from(*name))));
    let mut data = Health {
        path: HEALTH,
        command_dir: set.target.command_dir.clone(),
        boot: Vec::new(),
        oneshots: Vec::new(),
        tell: Vec::new(),
    };
    for node in index.nodes().filter(|node| index.layer(*node) == Layer::Ours) {
        let Some(service) = index.service(node) else { continue };
        let name = service.name.to_string();
        match &service.kind {
            // The death of a logger is no failure of its service, and each one would cost the start of a program.
            Kind::Longrun(longrun) if matches!(longrun.run, Script::Logger(_)) => continue,
            Kind::Longrun(longrun) => {
                data.tell.extend(longrun.notification_fd.as_ref().map(|_| name.clone()))
            }
            Kind::Oneshot(_) => data.oneshots.push(name.clone()),
            Kind::Bundle(_) | Kind::Unknown => continue,
        }
        if boot.contains(&node) {
            data.boot.push(name);
        }
    }
    // The order of the tables in a manifest has no effect on what is built.
    for names in [&mut data.boot, &mut data.oneshots, &mut data.tell] {
        names.sort();
    }
    templates.fill("health", "", "health", &data)
}
