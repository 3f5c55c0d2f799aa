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
    let mut files = vec![("supervisord.conf".to_owned(), String::new())];
    // Of those that are not to be damaged most values are right, so that not all of them are refused.
    let odd = random.pick(&[0, 0, 0, 2, 10, 40]);
    if random.chance(99) {
        section(random, &mut files[0].1, "supervisord", OF_SUPERVISORD, 15, odd);
    }
    if random.chance(30) {
        for name in ["conf.d/b.conf", "conf.d/a.conf", "other.ini"].into_iter().take(1 + random.below(3)) {
            files.push((name.to_owned(), String::new()));
        }
        let patterns = [
            "conf.d/*.conf",
            "other.ini conf.d/*.conf",
            "%(here)s/conf.d/?.conf",
            "none/*.conf",
            "conf.d/*.conf conf.d/a.conf",
            "%(ENV_A)s",
        ];
        let pattern = random.pick(&patterns);
        files[0].1 += &format!("[include]\nfiles = {pattern}\n");
    }
    let mut names = Vec::new();
    for _ in 0..1 + random.below(4) {
        let file = random.below(files.len());
        names.extend(program(random, &mut files[file].1, odd));
    }
    if random.chance(30) && (!names.is_empty() || random.chance(odd)) {
        let (one, other) = (random.pick(&["a", "b", "c"]), random.pick(&names_or_a(&names)));
        let odd_programs = ["a", "a,b", "a, b ,c", "", one];
        let programs = if random.chance(odd) {
            random.pick(&odd_programs).to_owned()
        } else {
            names_or_a(&names).join(random.pick(&[",", ", "]))
        };
        let programs = if random.chance(20) { format!("{other},{other}") } else { programs };
        let group = if random.chance(odd) {
            random.pick(&["x y", "a:b", "é", "5"])
        } else {
            random.pick(&["g", "a", "h", " g"])
        };
        files[0].1 += &format!("[group:{group}]\nprograms={programs}\n");
        options(random, &mut files[0].1, &[("priority", NUMBERS)], 50, odd);
    }
    if random.chance(15) {
        let name = random.pick(&[
            "DEFAULT",
            "inet_http_server",
            "unix_http_server",
            "unix_http_server:x",
            "rpcinterface:supervisor",
        ]);
        let rows = if name == "DEFAULT" { OPTIONS } else { OF_SERVERS };
        let needs = [
            ("inet", "port=*:9001\n"),
            ("unix", "file=/run/x.sock\n"),
            ("rpc", "supervisor.rpcinterface_factory=a:b\n"),
        ];
        if let Some((_, line)) = needs.iter().find(|(start, _)| name.starts_with(start)) {
            files[0].1 += &format!("[{name}]\n{line}");
        }
        section(random, &mut files[0].1, name, rows, if name == "DEFAULT" { 5 } else { 20 }, odd);
    }
    let mut files: Vec<(String, Vec<u8>)> =
        files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    if random.chance(50) {
        for _ in 0..1 + random.below(3) {
            let file = random.below(files.len());
            damage(random, &mut files[file].1);
        }
    }
    Sample { files, environment: ENVIRONMENT.to_vec() }
}

fn names_or_a(names: &[&'static str]) -> Vec<&'static str> {
    if names.is_empty() { vec!["a"] } else { names.to_vec() }
}

/// Adds a section, and returns its name if a group may have it.
fn program(random: &mut Random, text: &mut String, odd: usize) -> Option<&'static str> {
    let kind = random.pick(&["program", "program", "program", "program", "fcgi-program", "eventlistener"]);
    let name = if random.chance(odd) {
        random.pick(&["a b", " a", "a:b", "", "5", "é"])
    } else {
        random.pick(&["a", "b", "c", "d"])
    };
    *text += &format!("[{kind}:{name}]\n");
    let command = if random.chance(odd) { random.pick(COMMANDS) } else { random.pick(&COMMANDS[..8]) };
    *text += &format!("command = {command}\n");
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
    (kind == "program").then_some(name)
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
