//! Records the answers of the real programs of s6-rc word for word, and replays them.
//!
//! A transcript is a list of calls:
//!
//! ```text
//! $ s6-rc-db -c SCRATCH/run/s6-rc/compiled list longruns     the call
//! > web                                                      a line of its standard output
//! ! s6-rc-db: fatal: …                                       a line of its standard error
//! = 111                                                      its exit code, if not 0
//! + SCRATCH/run/s6gen/db.1/servicedirs/web/run *             a file that it made or changed, `*`: executable
//! | #!BIN/execlineb -P                                       a line of that
//! + SCRATCH/run/s6gen/db.1/n as SCRATCH/boot/n               a file that equals an earlier one
//! + SCRATCH/run/s6-rc/compiled -> SCRATCH/run/s6gen/db.1     a link that it made or changed
//! ```
//!
//! `SCRATCH` stands for the scratch folder, `BIN` for the folder of the programs. Process ids count from 1001, and every
//! service has run for 1 second. s6gen only compares the contents of `n`, `db` and `resolve.cdb`, so each different content
//! is replaced by a number. `...` below a call means that it was repeated with the same answer.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use s6gen::live::{Call, InstalledPrograms, ProgramAnswer, Programs};

/// The paths for which transcripts have placeholders.
#[derive(Debug, Clone)]
pub struct Places {
    pub scratch: String,
    pub programs: String,
}

impl Places {
    /// A text with placeholders instead of paths.
    pub fn hide(&self, text: &str) -> String {
        text.replace(&self.scratch, "SCRATCH").replace(&self.programs, "BIN")
    }

    /// A text with paths instead of placeholders.
    pub fn fill(&self, text: &str) -> String {
        text.replace("SCRATCH", &self.scratch).replace("BIN", &self.programs)
    }

    pub fn live(&self) -> PathBuf {
        Path::new(&self.scratch).join("run/s6-rc")
    }
}

/// A call, with its answer and the files that it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    words: Vec<String>,
    pub code: i32,
    out: String,
    pub err: String,
    made: Vec<(String, Made)>,
    /// Whether the call was repeated with the same answer.
    is_repeated: bool,
}

/// The entry at a path that s6gen looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    File { content: String, executable: bool },
    Link(String),
}

const AS: &str = " as ";
const LEADS: &str = " -> ";

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:=@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", escaped(word).replace('\'', "'\\''")),
    }
}

/// The words of a line, as a shell reads them, with single quotes only.
pub fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut is_quoted, mut is_word) = (false, false);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c == ' ' && !is_quoted {
            is_word = false;
            continue;
        }
        if !is_word {
            words.push(String::new());
            is_word = true;
        }
        match c {
            '\'' => is_quoted = !is_quoted,
            '\\' if !is_quoted => words.last_mut().unwrap().extend(rest.next()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.iter().map(|word| unescaped(word)).collect()
}

/// A text in which characters that a line cannot show are escaped.
fn escaped(text: &str) -> String {
    let one = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        '\0' => "\\0".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => c.to_string(),
        c if c.is_control() => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

fn unescaped(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('0') => result.push('\0'),
                Some('n') => result.push('\n'),
                Some('u') => {
                    let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    result.push(char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap());
                }
                other => result.extend(other),
            },
            c => result.push(c),
        }
    }
    result
}

/// The lines of a text, each after the mark. A last line without a line end has `~` after its mark.
fn marked(mark: char, text: &str) -> String {
    let line = |line: &str| match line.strip_suffix('\n') {
        Some(line) => format!("{mark} {}", escaped(line)).trim_end_matches(' ').to_owned() + "\n",
        None => format!("{mark}~ {}\n", escaped(line)),
    };
    text.split_inclusive('\n').map(line).collect()
}

fn read_marked(text: &mut String, rest: &str) {
    match rest.strip_prefix("~ ") {
        Some(line) => text.push_str(&unescaped(line)),
        None => {
            text.push_str(&unescaped(rest.strip_prefix(' ').unwrap_or(rest)));
            text.push('\n');
        }
    }
}

/// A call as a line of a transcript.
pub fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The text of a transcript.
pub fn text(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut written: Vec<(&str, &Made)> = Vec::new();
    for entry in entries {
        let _ = writeln!(text, "\n$ {}", line(&entry.words));
        if entry.is_repeated {
            text += "...\n";
        }
        text += &marked('>', &entry.out);
        text += &marked('!', &entry.err);
        match entry.code {
            0 => {}
            code => text += &format!("= {code}\n"),
        }
        for (path, made) in &entry.made {
            match made {
                Made::Link(target) => text += &format!("+ {path}{LEADS}{target}\n"),
                Made::File { content, executable } => {
                    if let Some((before, _)) = written.iter().find(|(_, known)| *known == made) {
                        text += &format!("+ {path}{AS}{before}\n");
                        continue;
                    }
                    written.push((path, made));
                    text += &format!("+ {path}{}\n", if *executable { " *" } else { "" });
                    text += &marked('|', content);
                }
            }
        }
    }
    text
}

/// Reads a text that [`text`] made. Lines before the first call are comments.
pub fn parse(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut written: BTreeMap<String, Made> = BTreeMap::new();
    for line in text.lines() {
        let (mark, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
        if mark == "$" {
            entries.push(Entry {
                words: words(rest.trim_start()),
                code: 0,
                out: String::new(),
                err: String::new(),
                made: Vec::new(),
                is_repeated: false,
            });
            continue;
        }
        let Some(entry) = entries.last_mut() else { continue };
        match mark {
            ">" => read_marked(&mut entry.out, rest),
            "!" => read_marked(&mut entry.err, rest),
            "=" => entry.code = rest.trim_start().parse().unwrap(),
            "." => entry.is_repeated = true,
            "+" => {
                let rest = rest.trim_start();
                let (path, made) = if let Some((path, target)) = rest.split_once(LEADS) {
                    (path, Made::Link(target.to_owned()))
                } else if let Some((path, before)) = rest.split_once(AS) {
                    (path, written[before].clone())
                } else {
                    let path = rest.strip_suffix(" *");
                    let made = Made::File { content: String::new(), executable: path.is_some() };
                    (path.unwrap_or(rest), made)
                };
                written.insert(path.to_owned(), made.clone());
                entry.made.push((path.to_owned(), made));
            }
            "|" => {
                let (path, made) = entry.made.last_mut().unwrap();
                if let Made::File { content, .. } = made {
                    read_marked(content, rest);
                }
                written.insert(path.clone(), made.clone());
            }
            _ => assert!(line.trim().is_empty(), "a transcript has no such line: {line}"),
        }
    }
    entries
}

/// Programs of a test, which also record the calls.
pub trait Witness: Programs {
    /// The calls since the last time that this was called, as lines.
    fn take_calls(&mut self) -> Vec<String>;

    /// What is wrong with the calls, if anything.
    fn complaint(&self) -> Option<String>;
}

/// Calls the real programs, and records their answers.
pub struct Recorder {
    places: Places,
    pub entries: Vec<Entry>,
    taken: usize,
    pids: Vec<String>,
    contents: Vec<Vec<u8>>,
}

impl Recorder {
    pub fn new(places: &Places) -> Self {
        let places = places.clone();
        Recorder { places, entries: vec![], taken: 0, pids: vec![], contents: vec![] }
    }

    /// All files that s6gen looks at.
    fn look(&mut self) -> BTreeMap<String, Made> {
        let mut found = BTreeMap::new();
        let scratch = PathBuf::from(&self.places.scratch);
        let mut databases = vec![scratch.join("boot")];
        databases.extend(s6gen::live::databases(&scratch.join("run/s6gen")).into_values());
        for database in databases {
            for name in ["n", "db", "resolve.cdb"] {
                let Ok(content) = fs::read(database.join(name)) else { continue };
                let number = self.contents.iter().position(|known| *known == content).unwrap_or_else(|| {
                    self.contents.push(content);
                    self.contents.len() - 1
                });
                let file = Made::File { content: format!("{}\n", number + 1), executable: false };
                found.insert(self.places.hide(&database.join(name).to_string_lossy()), file);
            }
            for service in fs::read_dir(database.join("servicedirs")).into_iter().flatten() {
                let service = service.unwrap().path();
                if !service.file_name().unwrap().to_string_lossy().starts_with("s6rc-") {
                    self.look_into(&service, &mut found);
                }
            }
        }
        let compiled = self.places.live().join("compiled");
        if let Ok(target) = fs::read_link(&compiled) {
            let target = self.places.hide(&target.to_string_lossy());
            found.insert(self.places.hide(&compiled.to_string_lossy()), Made::Link(target));
        }
        found
    }

    fn look_into(&self, folder: &Path, found: &mut BTreeMap<String, Made>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.look_into(&path, found);
                continue;
            }
            let executable = fs::metadata(&path).unwrap().permissions().mode() & 0o111 != 0;
            let content = self.places.hide(&String::from_utf8(fs::read(&path).unwrap()).unwrap());
            let path = self.places.hide(&path.to_string_lossy());
            found.insert(path, Made::File { content, executable });
        }
    }

    /// The answer of s6-svstat with a fixed process id and time.
    fn still(&mut self, out: &str) -> String {
        let mut words: Vec<String> = out.split_whitespace().map(str::to_owned).collect();
        if let [_, _, _, pid, seconds, ..] = &mut words[..] {
            if pid.parse::<u32>().is_ok() {
                let known = self.pids.iter().position(|known| known == pid);
                let number = known.unwrap_or_else(|| {
                    self.pids.push(pid.clone());
                    self.pids.len() - 1
                });
                *pid = format!("{}", 1001 + number);
            }
            *seconds = "1".into();
        }
        words.join(" ") + "\n"
    }
}

/// The messages of s6-rc on services that it stops or starts at the same time, in a fixed order.
fn settled(err: &str) -> String {
    let mut lines: Vec<&str> = err.split_inclusive('\n').collect();
    for side_by_side in
        lines.chunk_by_mut(|a, b| [a, b].iter().all(|l| l.starts_with("s6-rc: info: service ")))
    {
        side_by_side.sort_unstable();
    }
    lines.concat()
}

impl Programs for Recorder {
    fn run(&mut self, call: &Call) -> io::Result<ProgramAnswer> {
        let words: Vec<String> = call.words().iter().map(|word| self.places.hide(word)).collect();
        let before = self.look();
        // If a replaced supervisor has lost its command, s6-rc waits for ever. s6gen would notice that in the messages, but here
        // it gets them only after s6-rc has ended.
        let limited = Call::new("timeout").args(["60", call.program]).args(&call.arguments);
        let answer = InstalledPrograms.run(&limited)?;
        let text = |bytes: &[u8]| self.places.hide(str::from_utf8(bytes).unwrap());
        let (mut out, err) = (text(&answer.out), settled(&text(&answer.err)));
        if call.program == "s6-svstat" && answer.code == 0 {
            out = self.still(&out);
        }
        let made = self.look().into_iter().filter(|(path, made)| before.get(path) != Some(made)).collect();
        let entry = Entry { words, code: answer.code, out, err, made, is_repeated: false };
        let result = Ok(entry.answer(&self.places));
        let is_new = self.taken < self.entries.len();
        match self.entries.last_mut().filter(|last| Entry { is_repeated: false, ..(*last).clone() } == entry)
        {
            Some(last) if is_new && answer.code == 111 => last.is_repeated = true,
            _ => self.entries.push(entry),
        }
        result
    }
}

impl Witness for Recorder {
    fn take_calls(&mut self) -> Vec<String> {
        let calls = lines(&self.entries[self.taken..]);
        self.taken = self.entries.len();
        calls
    }

    fn complaint(&self) -> Option<String> {
        None
    }
}

fn lines(entries: &[Entry]) -> Vec<String> {
    let again = |entry: &Entry| if entry.is_repeated { "   again and again" } else { "" };
    entries.iter().map(|entry| line(&entry.words) + again(entry)).collect()
}

impl Entry {
    fn answer(&self, places: &Places) -> ProgramAnswer {
        let bytes = |text: &str| places.fill(text).into_bytes();
        ProgramAnswer { code: self.code, out: bytes(&self.out), err: bytes(&self.err) }
    }
}

/// Gives the recorded answers, but only to the recorded calls in their order.
pub struct Replayer {
    places: Places,
    entries: Vec<Entry>,
    /// The number of answered calls.
    done: usize,
    /// How often the last call was answered.
    times: usize,
    taken: usize,
    /// The first call that differs from the recorded one.
    wrong: Option<String>,
}

/// How often a repeated call gets the same answer before the next answer comes.
const AGAIN: usize = 3;

impl Replayer {
    pub fn new(places: &Places, entries: Vec<Entry>) -> Self {
        Replayer { places: places.clone(), entries, done: 0, times: 0, taken: 0, wrong: None }
    }

    fn make(&self, path: &str, made: &Made) {
        let path = PathBuf::from(self.places.fill(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.ends_with("n") {
            // A database has this directory even without longruns.
            fs::create_dir_all(path.with_file_name("servicedirs")).unwrap();
        }
        match made {
            Made::File { content, executable } => {
                fs::write(&path, self.places.fill(content)).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            Made::Link(target) => {
                let _ = fs::remove_file(&path);
                symlink(self.places.fill(target), &path).unwrap();
            }
        }
    }
}

impl Programs for Replayer {
    fn run(&mut self, call: &Call) -> io::Result<ProgramAnswer> {
        let called: Vec<String> = call.words().iter().map(|word| self.places.hide(word)).collect();
        if let Some(last) = self.done.checked_sub(1).map(|last| &self.entries[last]) {
            let is_last = self.entries.get(self.done).is_none_or(|next| next.words != last.words);
            if last.is_repeated && last.words == called && (is_last || self.times < AGAIN) {
                self.times += 1;
                return Ok(last.answer(&self.places));
            }
        }
        let entry = self.entries.get(self.done).cloned();
        let entry = entry.filter(|entry| entry.words == called && self.wrong.is_none());
        let Some(entry) = entry else {
            let recorded = self.entries.get(self.done).map_or("nothing".into(), |entry| line(&entry.words));
            let called = line(&called);
            let wrong = format!("call {}: recorded\n  {recorded}\ncalled\n  {called}", self.done + 1);
            self.wrong.get_or_insert(wrong);
            return Ok(ProgramAnswer {
                code: 99,
                out: vec![],
                err: b"this call was not recorded\n".to_vec(),
            });
        };
        for (path, made) in &entry.made {
            self.make(path, made);
        }
        self.done += 1;
        self.times = 1;
        Ok(entry.answer(&self.places))
    }
}

impl Witness for Replayer {
    fn take_calls(&mut self) -> Vec<String> {
        let calls = lines(&self.entries[self.taken..self.done]);
        self.taken = self.done;
        calls
    }

    fn complaint(&self) -> Option<String> {
        let rest = lines(&self.entries[self.done..]);
        let rest = (!rest.is_empty()).then(|| format!("recorded, but not called: {rest:#?}"));
        self.wrong.clone().or(rest)
    }
}

#[test]
fn a_transcript_is_read_back_unchanged() {
    let file = |content: &str, executable| Made::File { content: content.into(), executable };
    let entry = |words: &[&str]| Entry {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        code: 0,
        out: String::new(),
        err: String::new(),
        made: Vec::new(),
        is_repeated: false,
    };
    let entries = [
        Entry {
            out: "one\n\ntwo\\\0\t\u{7}\n  three".into(),
            err: "\né\n".into(),
            made: vec![
                ("SCRATCH/a".into(), file("x\n\ny", true)),
                ("SCRATCH/b".into(), file("x\n\ny", true)),
                ("SCRATCH/c".into(), file("", false)),
                ("SCRATCH/d".into(), Made::Link("SCRATCH/a".into())),
            ],
            ..entry(&["s6-rc", "", "it's", "a b", "\\n\n"])
        },
        Entry { code: 111, is_repeated: true, ..entry(&["s6-rc"]) },
        Entry { made: vec![("SCRATCH/e".into(), file("x\n\ny", true))], ..entry(&["s6-rc"]) },
    ];
    assert_eq!(parse(&text(&entries)), entries, "{}", text(&entries));
}

#[test]
fn a_replay_answers_only_the_recorded_calls_in_their_order() {
    let recorded = parse(
        "$ s6-rc -u change web\n...\n= 111\n\n$ s6-rc -u change web\n\n$ s6-rc-db list all\n> SCRATCH\n",
    );
    let places = Places { scratch: "/scratch".into(), programs: "/bin".into() };
    let (up, list) =
        (Call::new("s6-rc").args(["-u", "change", "web"]), Call::new("s6-rc-db").args(["list", "all"]));
    let mut replay = Replayer::new(&places, recorded.clone());
    let codes: Vec<i32> = (0..4).map(|_| replay.run(&up).unwrap().code).collect();
    assert_eq!(codes, [111, 111, 111, 0]);
    assert!(replay.complaint().unwrap().contains("not called"));
    assert_eq!(replay.run(&list).unwrap().out, b"/scratch\n");
    assert_eq!(replay.complaint(), None);
    assert_ne!(replay.run(&list).unwrap().code, 0);
    assert!(replay.complaint().unwrap().contains("recorded\n  nothing"));

    let mut replay = Replayer::new(&places, recorded);
    assert_ne!(replay.run(&list).unwrap().code, 0);
    assert_ne!(replay.run(&up).unwrap().code, 0, "after the first wrong call nothing is right");
    assert!(
        replay.complaint().unwrap().contains("recorded\n  s6-rc -u change web\ncalled\n  s6-rc-db list all")
    );
}
