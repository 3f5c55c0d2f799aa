//! Makes large manifests for the measurements.

use std::fmt::Write;

/// A manifest with this many services. Every third one is a oneshot. The others are longruns with readiness
/// notification and an environment, and some of them have a logger.
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
