//! Writes large source directories for the measurements.

use std::fs;
use std::path::Path;

/// The number of layers. The services of a layer depend on services of the layer before it.
const LAYERS: usize = 20;

/// Writes a valid source directory. Its services are in layers, and each has three dependencies in the layer before its
/// own. Every third one is a oneshot, every twentieth one is a producer with a consumer and a named pipeline, and there
/// is a bundle for every hundred services.
pub fn write(source: &Path, services: usize) {
    let width = services.div_ceil(LAYERS).max(2);
    let name = |number: usize| format!("service-{number:05}");
    let mut number = 0;
    while number < services {
        let own = name(number);
        let place = source.join(&own);
        let below = (number / width) * width;
        let needed: Vec<String> = (0..if below == 0 { 0 } else { 3.min(width) })
            .map(|step| name(below - width + (number * 7 + step * 13) % width))
            .collect();
        list(&place.join("dependencies.d"), &needed);
        if number % 3 == 0 {
            file(&place, "type", "oneshot\n");
            file(&place, "up", "foreground { mkdir -p /run/service } chmod 0755 /run/service\n");
        } else {
            longrun(&place);
            file(&place, "notification-fd", "3\n");
            if number % 20 == 1 && number + 1 < services {
                // Its consumer has the next number and no dependencies.
                number += 1;
                let consumer = source.join(name(number));
                file(&place, "producer-for", &format!("{}\n", name(number)));
                longrun(&consumer);
                file(&consumer, "consumer-for", &format!("{own}\n"));
                file(&consumer, "pipeline-name", &format!("{own}-pipeline\n"));
                list(&consumer.join("dependencies.d"), &[]);
            }
        }
        number += 1;
    }
    for first in (0..services).step_by(100) {
        let place = source.join(format!("bundle-{first:05}"));
        file(&place, "type", "bundle\n");
        let members: Vec<String> = (first..(first + 100).min(services)).map(name).collect();
        list(&place.join("contents.d"), &members);
    }
}

fn longrun(place: &Path) {
    file(place, "type", "longrun\n");
    file(place, "run", "#!/command/execlineb -P\nfdmove -c 2 1\nprogram --in-foreground\n");
}

fn file(place: &Path, name: &str, content: &str) {
    fs::create_dir_all(place).unwrap();
    fs::write(place.join(name), content).unwrap();
}

fn list(place: &Path, names: &[String]) {
    fs::create_dir_all(place).unwrap();
    for name in names {
        fs::write(place.join(name), "").unwrap();
    }
}
