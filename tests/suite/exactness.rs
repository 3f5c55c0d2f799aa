//! Runs generated scripts with the real execlineb: words and variables with every special character reach the program
//! unchanged. `S6GEN_VECTORS` is the number of words and variables to try.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use s6gen::diagnostic::Files;
use s6gen::tree::TreeEntry;
use s6gen::{compile, render};

use crate::oracle::number_from;
use crate::require::needs;

/// A small random number generator. A failing case can be repeated with its number.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    pub fn word(&mut self) -> String {
        const PIECES: &[&str] = &[
            "a",
            "B",
            "0",
            " ",
            "\t",
            "\n",
            "\r",
            "\\",
            "\"",
            "'",
            "$",
            "${",
            "}",
            "{",
            "#",
            "$HOME",
            "${here}",
            "`",
            "*",
            "~",
            "&",
            "|",
            ";",
            "<",
            ">",
            "(",
            ")",
            "[",
            "]",
            "!",
            "?",
            "=",
            "%",
            "%s",
            "é",
            "\u{7f}",
            "\u{1}",
            "\u{202e}",
            "\u{1f600}",
            "-",
            "--",
            "/",
            ".",
            "\\n",
            "\\0",
            "\\x41",
            "{{",
            "{%",
            "{#",
            "#}",
        ];
        (0..self.below(6)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

/// A TOML string with exactly these characters.
pub fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}").unwrap(),
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)).unwrap(),
            c => out.push(c),
        }
    }
    out + "\""
}

pub const RECORDER: &str =
    r#"print map { "$_\0" } @ARGV; print map { "$_=$ENV{$_}\0" } grep { /^V/ } sort keys %ENV; print "\1\0""#;

#[test]
fn random_vectors_and_environments_arrive_unchanged() {
    needs!("execline", "perl");
    let count = number_from("S6GEN_VECTORS", 1_000);
    let workers: u64 = 2;
    let threads: Vec<_> = (0..workers)
        .map(|worker| {
            std::thread::spawn(move || {
                (worker..count).step_by(2).collect::<Vec<_>>().chunks(500).for_each(batch)
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    eprintln!("{count} vectors");
}

fn batch(seeds: &[u64]) {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = String::from("[target]\ns6-rc = \"0.7.0.0\"\n");
    let mut expected = String::new();
    for seed in seeds {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (seed + 1));
        let words: Vec<String> = (0..random.below(5)).map(|_| random.word()).collect();
        let variables: Vec<(String, String)> = (0..random.below(3))
            .map(|n| (format!("V{n}{}", random.word().replace('=', "")), random.word()))
            .collect();
        let vector: Vec<String> = ["perl", "-e", RECORDER, "--"]
            .into_iter()
            .chain(words.iter().map(String::as_str))
            .map(toml)
            .collect();
        writeln!(manifest, "[longrun.v{seed}]\nrun = [{}]", vector.join(", ")).unwrap();
        for (name, value) in &variables {
            writeln!(manifest, "environment.{} = {}", toml(name), toml(value)).unwrap();
        }
        let mut variables = variables;
        variables.sort();
        for item in
            words.iter().cloned().chain(variables.iter().map(|(name, value)| format!("{name}={value}")))
        {
            write!(expected, "{item}\0").unwrap();
        }
        expected.push_str("\u{1}\0");
    }
    let mut files = Files::default();
    let file = files.add("services.toml", manifest.as_str());
    let compilation = compile(&files, file);
    let problems: Vec<_> =
        compilation.problems.iter().filter(|p| p.class.is_some()).map(|p| &p.message).collect();
    assert!(!compilation.problems.has_errors(), "{problems:?}");
    let tree = render::tree(&compilation.services).unwrap();
    for seed in seeds {
        let path = format!("etc/s6-rc/source/v{seed}/run");
        let Some(TreeEntry::File { content, .. }) = tree.get(&path) else { panic!("no {path}") };
        fs::write(folder.path().join(seed.to_string()), content).unwrap();
    }
    let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let output = Command::new("sh")
        .args(["-c", "for script ; do execlineb -P \"$script\" || echo \"failed: $script\" ; done", "sh"])
        .args(&list)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let output_text = String::from_utf8_lossy(&output.stderr);
    assert!(output_text.is_empty(), "{output_text}");
    let got = String::from_utf8(output.stdout).unwrap();
    for ((seed, got), expected) in seeds.iter().zip(got.split("\u{1}\0")).zip(expected.split("\u{1}\0")) {
        assert_eq!(got, expected, "vector {seed}");
    }
    assert_eq!(got.len(), expected.len());
}
