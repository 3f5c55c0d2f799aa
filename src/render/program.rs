//! Renders what is known of a well-known program, with the lines of a manifest that run it.

use super::reference::wrapped;
use crate::programs::{Alone, Checked, KnownProgram, KnownReadiness};

/// The facts about a program as text, for a terminal of this width.
pub fn program(known: &KnownProgram, width: usize) -> String {
    let mut text = format!("{}: {}\n\n", known.names.join(", "), known.about);
    for (label, fact) in facts(known) {
        let lines = wrapped(&fact, width, &" ".repeat(14));
        text += &format!("{label:14}{}", lines.trim_start());
    }
    match known.alone == Alone::Leaves && known.stays_with().is_none() {
        true => text + "\nIt cannot be the process of a longrun.\n",
        false => text + "\nAs a manifest:\n\n" + &manifest(known),
    }
}

fn facts(known: &KnownProgram) -> Vec<(&'static str, String)> {
    let quoted = |list: &[&str]| list.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ");
    let stays: Vec<&str> = known.foreground.iter().chain(known.foreground_commands).copied().collect();
    let leaves: Vec<&str> = known.background.iter().chain(known.background_commands).copied().collect();
    let alone = match known.alone {
        Alone::Stays => "it stays in the foreground",
        Alone::Leaves => "it goes into the background",
        Alone::Configured { stays: true } => {
            "its configuration decides; by default it stays in the foreground"
        }
        Alone::Configured { stays: false } => {
            "its configuration decides; by default it goes into the background"
        }
    };
    let ready = match known.ready {
        KnownReadiness::Nothing => "it does not tell".to_owned(),
        KnownReadiness::Systemd => "it tells systemd only".to_owned(),
        KnownReadiness::Descriptor(option) => format!("it writes a line with `{option}`"),
        KnownReadiness::Check(command) => format!("ask it with `{command}`"),
    };
    let join = |fact: String, note: &str| if note.is_empty() { fact } else { format!("{fact}; {note}") };
    let mut facts = vec![("by itself", alone.to_owned())];
    facts.extend((!stays.is_empty()).then(|| ("stays with", quoted(&stays))));
    facts.extend((!leaves.is_empty()).then(|| ("leaves with", quoted(&leaves))));
    facts.push(("ready", join(ready, known.ready_note)));
    facts.extend(
        known
            .is_needed
            .then(|| ("needed", "what depends on it often fails if it starts too early".to_owned())),
    );
    facts.push(("stop", join(format!("SIG{}", known.stop_signal), known.stop_reason)));
    facts.extend(
        (!known.drops_rights.is_empty())
            .then(|| ("rights", format!("it drops them itself: {}", known.drops_rights))),
    );
    facts.extend((!known.advice.is_empty()).then(|| ("advice", known.advice.to_owned())));
    let checked = match known.checked {
        Checked::Tried => "tried, as under s6",
        Checked::Manual => "from its manual",
        Checked::Code => "from its code",
    };
    facts.push(("source", format!("{} ({checked})", known.source)));
    facts
}

/// The table of a longrun for it.
fn manifest(known: &KnownProgram) -> String {
    let tells = match known.ready {
        KnownReadiness::Descriptor(option) => option.split(' ').collect(),
        _ => Vec::new(),
    };
    let words = known.foreground_command().into_iter().chain(tells);
    let words: Vec<String> = words.map(|word| format!("{word:?}")).collect();
    let mut text = format!("[longrun.{:?}]\nrun = [{}]\n", known.names[0], words.join(", "));
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if known.names[0].chars().all(plain) {
        text = text.replacen(&format!("{:?}", known.names[0]), known.names[0], 1);
    }
    if known.stop_signal != "TERM" {
        text += &format!("down-signal = {:?}\n", known.stop_signal);
    }
    match known.ready {
        KnownReadiness::Check(command) => text += &format!("ready.check = {command:?}\n"),
        KnownReadiness::Descriptor(_) => text += "ready.fd = 3\n",
        KnownReadiness::Nothing | KnownReadiness::Systemd => {}
    }
    text
}
