//! Makes random supervisord configurations: some that are right, and some that were damaged.

use crate::oracle::Random;
use crate::supervisord_values::*;

/// A configuration: files with their names, the main one first, and the environment.
#[derive(Debug, Clone)]
pub struct Sample {
    pub files: Vec<(String, Vec<u8>)>,
    pub environment: Vec<(&'static str, &'static str)>,
}

/// Makes a configuration.
pub fn sample(random: &mut Random) -> Sample {
    // In most samples most values are right, so that not all of them are refused.
    let odd = random.pick(&[0, 0, 0, 2, 10, 40]);
    let mut texts = vec![("supervisord.conf".to_owned(), String::new())];
    if random.chance(99) {
        section(random, &mut texts[0].1, "supervisord", OF_SUPERVISORD, 15, odd);
    }
    if random.chance(30) {
        let count = 1 + random.below(3);
        let others = ["conf.d/b.conf", "conf.d/a.conf", "other.ini"].into_iter().take(count);
        texts.extend(others.map(|name| (name.to_owned(), String::new())));
        texts[0].1 += &format!("[include]\nfiles = {}\n", random.pick(PATTERNS));
    }
    let mut names = Vec::new();
    for _ in 0..1 + random.below(4) {
        let file = random.below(texts.len());
        names.extend(program(random, &mut texts[file].1, odd));
    }
    if random.chance(30) && (!names.is_empty() || random.chance(odd)) {
        group(random, &mut texts[0].1, &names, odd);
    }
    if random.chance(20) {
        let file = random.below(texts.len());
        other_section(random, &mut texts[file].1, odd);
    }
    let mut files: Vec<(String, Vec<u8>)> =
        texts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    if random.chance(50) {
        for _ in 0..1 + random.below(3) {
            let file = random.below(files.len());
            damage(random, &mut files[file].1);
        }
    }
    Sample { files, environment: ENVIRONMENT.to_vec() }
}

fn group(random: &mut Random, text: &mut String, names: &[&str], odd: usize) {
    let programs = match names {
        _ if random.chance(odd) => random.pick(&["a", "a,b", "a, b ,c", "", "d"]).to_owned(),
        [name, ..] if random.chance(20) => format!("{name},{name}"),
        names => names.join(random.pick(&[",", ", "])),
    };
    let names = if random.chance(odd) { &["x y", "a:b", "é", "5"] } else { &["g", "a", "h", " g"] };
    *text += &format!("[group:{}]\nprograms={programs}\n", random.pick(names));
    options(random, text, &[("priority", NUMBERS)], 50, odd);
}

/// Adds `[DEFAULT]`, or a section of which it only matters whether it is refused.
fn other_section(random: &mut Random, text: &mut String, odd: usize) {
    let (name, line) = random.pick(&[
        ("DEFAULT", "directory=%(here)s/x"),
        ("DEFAULT", "stdout_logfile=%(here)s/y"),
        ("DEFAULT", "user = root"),
        ("inet_http_server", "port=*:9001"),
        ("unix_http_server", "file=/run/x.sock"),
        ("unix_http_server:x", "file=%(here)s/s"),
        ("rpcinterface:supervisor", "supervisor.rpcinterface_factory=a:b"),
    ]);
    *text += &format!("[{name}]\n{line}\n");
    let (rows, percent) = if name == "DEFAULT" { (OPTIONS, 5) } else { (OF_SERVERS, 20) };
    section(random, text, name, rows, percent, odd);
}

/// Adds a section, and returns its name if a group may have it.
fn program(random: &mut Random, text: &mut String, odd: usize) -> Option<&'static str> {
    let kind = random.pick(&["program", "program", "program", "program", "fcgi-program", "eventlistener"]);
    let is_odd = random.chance(odd);
    let name = random.pick(if is_odd { &["a b", " a", "a:b", "", "5", "é"] } else { &["a", "b", "c", "d"] });
    *text += &format!("[{kind}:{name}]\n");
    let commands = if random.chance(odd) { COMMANDS } else { &COMMANDS[..8] };
    *text += &match random.below(10) {
        0 => format!("command = {}\n", composed(random, PIECES_OF_COMMANDS)),
        1 => format!("command = x {}\n", conversion(random)),
        _ => format!("command = {}\n", random.pick(commands)),
    };
    if random.chance(30) {
        *text += "numprocs=2\nprocess_name=%(program_name)s_%(process_num)02d\n";
    }
    match kind {
        "eventlistener" => *text += "events=TICK_5\n",
        "fcgi-program" => *text += "socket=unix:///run/x.sock\n",
        _ => {}
    }
    options(random, text, OPTIONS, 18, odd);
    options(random, text, SPECIAL, if kind == "program" { 2 } else { 15 }, odd);
    match random.below(20) {
        0 => *text += &format!("environment = A={}\n", composed(random, PIECES_OF_ENVIRONMENTS)),
        1 => *text += &format!("environment = A=\"{}\"\n", conversion(random)),
        2 => *text += &format!("directory = {}\n", conversion(random)),
        3 => *text += &format!("stderr_logfile = %{}\n", conversion(random)),
        _ => {}
    }
    (kind == "program").then_some(name)
}

/// Some pieces in a row.
fn composed(random: &mut Random, pieces: &[&str]) -> String {
    (0..1 + random.below(9)).map(|_| random.pick(pieces)).collect()
}

/// A conversion such as `%(process_num)02d`.
fn conversion(random: &mut Random) -> String {
    [PIECES_OF_FORMATS, FLAGS, WIDTHS, PRECISIONS, CONVERSIONS]
        .iter()
        .map(|pieces| random.pick(pieces))
        .collect()
}

fn section(random: &mut Random, text: &mut String, name: &str, rows: &[Row], percent: usize, odd: usize) {
    *text += &format!("[{name}]\n");
    options(random, text, rows, percent, odd);
}

/// Adds each option with the chance `percent`. The first half of the values of a row is right, and `odd` in a hundred values may be
/// one of the others.
fn options(random: &mut Random, text: &mut String, rows: &[Row], percent: usize, odd: usize) {
    for (name, values) in rows {
        if random.chance(percent) {
            let right = values.len().div_ceil(2);
            let values = if random.chance(odd) { values } else { &values[..right] };
            let equals = random.pick(&["=", " = ", ": ", "=", " =  "]);
            let comment = if random.chance(5) { " ; a comment" } else { "" };
            *text += &format!("{name}{equals}{}{comment}\n", random.pick(values));
        }
    }
}

fn damage(random: &mut Random, text: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    let place = random.below(text.len());
    match random.below(12) {
        0 => text[place] ^= 1 << random.below(8),
        1 => drop(text.remove(place)),
        2 => text.truncate(place),
        3 => drop(text.splice(place..place, random.below(256).to_le_bytes()[..1].to_vec())),
        4 => {
            let end = random.pick(&["\r\n", "\r", "\n\n", "\n ", " \n", "\u{b}\n"]);
            *text = String::from_utf8_lossy(text).replace('\n', end).into_bytes();
        }
        5 => {
            let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            let (one, other) = (random.below(lines.len()), random.below(lines.len()));
            if random.chance(50) {
                lines.swap(one, other);
            } else {
                lines.insert(one, lines[other]);
            }
            *text = lines.concat();
        }
        6 => {
            let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            let line = random.below(lines.len());
            let start = lines[..line].concat().len();
            let blanks = random.pick(&[" ", "  ", "\t", "\u{a0}", "#", ";", "\u{feff}", "\u{1c}"]);
            text.splice(start..start, blanks.bytes());
        }
        _ => {
            let surprise = random.pick(SURPRISES);
            text.splice(place..place, surprise.bytes());
        }
    }
}
