//! Writes large manifests to measure with.

use std::fmt::Write;

/// A manifest of that many services: longruns with readiness and environment, some with a logger, every third a oneshot.
pub fn text(services: usize) -> String {
    let mut text = String::new();
    for number in 0..services {
        let needed: Vec<String> =
            (1..=3.min(number)).map(|step| format!("\"service-{}\"", number - step)).collect();
        let needed = needed.join(", ");
        if number % 3 == 0 {
            let _ = writeln!(text, "[oneshot.service-{number}]\nup = ['mkdir', '-p', '/run/{number}']");
        } else {
            let _ = writeln!(
                text,
                "[longrun.service-{number}]\nrun = ['program', '--notify=3', '--id={number}']"
            );
            let _ = writeln!(text, "ready.fd = 3\nuser = 'daemon'\nenvironment.MODE = 'production'");
            if number % 4 == 1 {
                let _ = writeln!(text, "log.to = '/var/log/service-{number}'");
            }
        }
        let _ = writeln!(text, "dependencies = [{needed}]\n");
    }
    text
}
