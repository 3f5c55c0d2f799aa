//! Makes large manifests for the measurements.

use std::fmt::Write;

/// What people write into `run`.
const SCRIPT: &str = "
set -e
mkdir -p /run/program
if ! test -e /data/config; then
  cp /defaults/config /data/config
fi
chown -R daemon /data /run/program
exec program --notify=3 --config /data/config
";

/// A manifest with this many services. Every third one is a oneshot. The others are longruns with readiness
/// notification and an environment, some of them have a logger, and some a script.
pub fn text(services: usize) -> String {
    let mut text = String::new();
    for number in 0..services {
        let needed: Vec<String> =
            (1..=3.min(number)).map(|step| format!("\"service-{}\"", number - step)).collect();
        let needed = needed.join(", ");
        if number % 3 == 0 {
            let _ = writeln!(text, "[oneshot.service-{number}]\nup = ['mkdir', '-p', '/run/{number}']");
        } else {
            let _ = writeln!(text, "[longrun.service-{number}]");
            let _ = match number % 5 {
                2 => writeln!(text, "run = \"\"\"{SCRIPT}\"\"\""),
                _ => writeln!(text, "run = ['program', '--notify=3', '--id={number}']"),
            };
            let _ = writeln!(text, "ready.fd = 3\nuser = 'daemon'\nenvironment.MODE = 'production'");
            if number % 4 == 1 {
                let _ = writeln!(text, "log.to = '/var/log/service-{number}'");
            }
        }
        let _ = writeln!(text, "dependencies = [{needed}]\n");
    }
    text
}
