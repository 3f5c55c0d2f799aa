//! A tree as readable text: an introduction of a few lines, and then a heading and the content of each file.
//!
//! ```text
//! A finish script that leads nowhere.
//!
//! -- src/web/type --
//! longrun
//! -- src/web/run (mode 755) --
//! #!/bin/sh
//! exec web
//! -- src/web/finish -> ../gone --
//! -- src/web/data/ --
//! ```
//!
//! A heading ends with the path of a file, with `PATH -> TARGET` for a link, or with `PATH/` for a directory. Marks in
//! brackets may follow: `mode 755`, `fifo`, `CR LF` for a file with these line ends, `BOM` for a file that begins with a
//! byte order mark, and `UTF-16`. In a path `\n` is a newline. The introduction may have the lines `sources: DIR …`, if the
//! source directories are not `src`, and `run as: UID`.

use std::collections::BTreeMap;

use crate::case::{Case, Content};

/// Reads a tree. The error says what is wrong with the text.
pub fn parse(text: &str) -> Result<Case, String> {
    let mut case = Case::default();
    let mut doc = Vec::new();
    let mut parts: Vec<(&str, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let heading = line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (heading, parts.last_mut()) {
            (Some(heading), _) => parts.push((heading, String::new())),
            (None, Some((_, content))) => content.push_str(line),
            (None, None) => match line.trim().split_once(": ") {
                Some(("sources", names)) => {
                    case.sources = Some(names.split(' ').map(str::to_owned).collect());
                }
                Some(("run as", uid)) => {
                    case.run_as = Some(uid.parse().map_err(|_| format!("`{uid}` is not a user id"))?);
                }
                _ => doc.push(line.trim()),
            },
        }
    }
    case.doc = Some(doc.join(" ").trim().to_owned()).filter(|doc| !doc.is_empty());
    for (heading, content) in parts {
        add(&mut case, heading, content)?;
    }
    Ok(case)
}

/// Adds the entry of one heading and the lines below it.
fn add(case: &mut Case, heading: &str, content: String) -> Result<(), String> {
    let (path, marks) = match heading.strip_suffix(')').and_then(|rest| rest.split_once(" (")) {
        Some((path, marks)) => (path, marks.split(", ").collect()),
        None => (heading, Vec::new()),
    };
    let path = path.replace("\\n", "\n");
    let mode = marks.iter().find_map(|mark| mark.strip_prefix("mode ")).map(str::to_owned);
    let unknown = marks
        .iter()
        .find(|mark| !mark.starts_with("mode ") && !["fifo", "CR LF", "BOM", "UTF-16"].contains(mark));
    if let Some(mark) = unknown {
        return Err(format!("`{mark}` in the heading of `{path}` is not a mark"));
    }
    let has = |mark: &str| marks.contains(&mark);
    if let Some((path, target)) = path.split_once(" -> ") {
        case.symlinks.insert(path.to_owned(), target.to_owned());
    } else if let Some(directory) = path.strip_suffix('/') {
        case.dirs.push(directory.to_owned());
        case.modes.extend(mode.map(|mode| (directory.to_owned(), mode)));
    } else if has("fifo") {
        case.fifos.push(path);
    } else {
        let content = if has("CR LF") { content.replace('\n', "\r\n") } else { content };
        let content = if has("BOM") || has("UTF-16") { format!("\u{feff}{content}") } else { content };
        let file = if has("UTF-16") {
            let bytes: Vec<u8> = content.encode_utf16().flat_map(u16::to_le_bytes).collect();
            Content { content_b64: Some(crate::case::to_base64(&bytes)), mode, ..Content::default() }
        } else {
            Content { content: Some(content), mode, ..Content::default() }
        };
        if case.files.insert(path.clone(), file).is_some() {
            return Err(format!("`{path}` stands there twice"));
        }
    }
    Ok(())
}

#[test]
fn a_tree_is_read_with_its_links_directories_modes_and_encodings() {
    let text = "What it shows\nin two lines.\n\nsources: a b\nrun as: 7\n\n-- a/x/type (CR LF) --\nlongrun\n\
                -- a/x/run (mode 755) --\n#!/bin/sh\n\nexec x\n-- a/x/finish -> ../gone --\n-- a/x/env/ (mode 000) --\n\
                -- a/x/data (fifo) --\n-- a/x/up (BOM) --\nu\n-- a/x/down (UTF-16, CR LF) --\nd\n-- a/x/two\\nlines --\n";
    let case = parse(text).unwrap();
    assert_eq!(case.doc.as_deref(), Some("What it shows in two lines."));
    assert_eq!((case.sources(), case.run_as), (vec!["a".to_owned(), "b".to_owned()], Some(7)));
    let files: BTreeMap<&str, Vec<u8>> =
        case.files.iter().map(|(path, file)| (path.as_str(), file.bytes())).collect();
    let expected: [(&str, &[u8]); 5] = [
        ("a/x/down", b"\xff\xfed\0\r\0\n\0"),
        ("a/x/run", b"#!/bin/sh\n\nexec x\n"),
        ("a/x/two\nlines", b""),
        ("a/x/type", b"longrun\r\n"),
        ("a/x/up", b"\xef\xbb\xbfu\n"),
    ];
    assert_eq!(files, expected.map(|(path, bytes)| (path, bytes.to_vec())).into());
    assert_eq!(case.files["a/x/run"].mode.as_deref(), Some("755"));
    assert_eq!(case.symlinks["a/x/finish"], "../gone");
    assert_eq!((case.dirs, case.fifos), (vec!["a/x/env".to_owned()], vec!["a/x/data".to_owned()]));
    assert_eq!(case.modes["a/x/env"], "000");
}

#[test]
fn a_mark_that_does_not_exist_and_a_path_that_comes_twice_are_errors() {
    assert_eq!(parse("-- a (crlf) --\n").unwrap_err(), "`crlf` in the heading of `a` is not a mark");
    assert_eq!(parse("-- a --\n-- a --\n").unwrap_err(), "`a` stands there twice");
}
