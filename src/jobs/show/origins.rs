//! Finds out which key of a manifest each line of a definition comes from, by leaving the keys out one at a time: a line that
//! is then missing or different comes from that key.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::compare::lines_only_in_first;
use crate::diagnostic::{FileId, Files, Origin, Problems};
use crate::jobs::compile::ManifestFile;
use crate::manifest::{WrittenKey, written_keys, written_values};
use crate::model::{File, Longrun, Script, Service, ServiceSet};
use crate::templates::Templates;
use crate::{render, resolve};

/// A key of the manifest from which a line comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOrigin {
    /// Where the key is written.
    pub origin: Origin,
    /// The table, as in `defaults.longrun`.
    pub table: String,
    /// The key, as in `log.size`.
    pub key: String,
    /// Whether the table is that of the service itself.
    pub is_own: bool,
}

/// The manifest of one service: the tables that are about it.
pub(super) struct Ablation<'a> {
    files: &'a Files,
    source: &'a ManifestFile,
    service: &'a Service,
    templates: &'a Templates,
    /// The texts of the manifest and of what it includes, without the tables of other services.
    texts: BTreeMap<FileId, String>,
    /// The keys of those tables.
    keys: Vec<(FileId, WrittenKey)>,
    /// The keys of other services.
    others: Vec<(FileId, WrittenKey)>,
    /// The type and the name of the service's own table.
    own: [String; 2],
}

const KINDS: [&str; 3] = ["longrun", "oneshot", "bundle"];

impl<'a> Ablation<'a> {
    /// `None` if the table of the service cannot be found.
    pub(super) fn new(
        files: &'a Files,
        source: &'a ManifestFile,
        service: &'a Service,
        templates: &'a Templates,
    ) -> Option<Self> {
        let mut all = Vec::new();
        each_file(source, &mut |file| {
            let text = str::from_utf8(&files.get(file).text).unwrap_or_default();
            all.extend(written_keys(text).into_iter().map(|key| (file, key)));
        });
        let own = own_table(&all, service)?;
        let is_about = |key: &WrittenKey| {
            let mut path = key.path();
            let kind = path.next().unwrap_or_default();
            !KINDS.contains(&kind) || (kind == own[0] && path.next() == Some(&own[1]))
        };
        let (keys, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, key)| is_about(key));
        let mut texts = BTreeMap::new();
        each_file(source, &mut |file| {
            let text = str::from_utf8(&files.get(file).text).unwrap_or_default();
            let foreign = others.iter().filter(|(of, _)| *of == file).map(|(_, key)| key.span.clone());
            texts.insert(file, blanked(text, foreign));
        });
        Some(Ablation { files, source, service, templates, texts, keys, others, own })
    }

    /// The definition's files, each with the keys that each of its lines comes from.
    pub(super) fn origins(&self) -> BTreeMap<String, Vec<Vec<LineOrigin>>> {
        let Some(whole) = self.files_with(&self.texts) else { return BTreeMap::new() };
        // Of an empty file it counts whether it is there.
        let lines = |content: &[u8]| String::from_utf8_lossy(content).lines().count().max(1);
        let mut found: BTreeMap<String, Vec<Vec<LineOrigin>>> =
            whole.iter().map(|(path, file)| (path.clone(), vec![Vec::new(); lines(&file.content)])).collect();
        let mut add = |without: &BTreeMap<String, File>, origin: LineOrigin, written: &[(String, usize)]| {
            for (path, file) in &whole {
                let Some(lines) = found.get_mut(path) else { continue };
                let different = match without.get(path) {
                    Some(other) => lines_only_in_first(&file.content, &other.content),
                    None => (0..lines.len()).collect(),
                };
                let places = is_copy(written, &file.content).then_some(written);
                for line in different {
                    let mut origin = origin.clone();
                    if let Some((_, at)) = places.and_then(|places| places.get(line)) {
                        origin.origin = Origin::new(origin.origin.file, *at..*at);
                    }
                    lines.get_mut(line).into_iter().for_each(|from| from.push(origin.clone()));
                }
            }
        };
        // Of a template, it is the values of this instance that count.
        let is_of_template =
            |key: &WrittenKey| key.path().nth(2).is_some_and(|key| matches!(key, "instances" | "parameters"));
        for (file, key) in self.keys.iter().filter(|(_, key)| !is_of_template(key)) {
            let Some(without) = self.files_without(*file, key) else { continue };
            let written = self.texts.get(file).and_then(|text| key.lines(text)).unwrap_or_default();
            add(&without, self.line_origin(*file, key), &written);
        }
        for (file, text) in &self.texts {
            let [kind, own] = &self.own;
            let name = self.service.name.to_string();
            for value in written_values(text, kind, own) {
                // The logger of an instance has the name of the instance in front.
                let rest = name.strip_prefix(&format!("{own}-{}", value.instance));
                if rest.is_none_or(|rest| !rest.is_empty() && !rest.starts_with('-')) {
                    continue;
                }
                let Some(without) = self.files_replaced(*file, text, &value.span, &value.other()) else {
                    continue;
                };
                let origin = LineOrigin {
                    origin: Origin::new(*file, value.span),
                    table: self.own.join("."),
                    key: format!("instances.{}.{}", value.instance, value.parameter),
                    is_own: true,
                };
                add(&without, origin, &[]);
            }
        }
        found
    }

    /// The key in which a name is written.
    pub(super) fn key_at(&self, place: Origin) -> Option<LineOrigin> {
        let is_around = |(file, key): &&(FileId, WrittenKey)| {
            *file == place.file && key.span.contains(&place.span().start)
        };
        let (file, key) = self.keys.iter().chain(&self.others).find(is_around)?;
        Some(self.line_origin(*file, key))
    }

    fn line_origin(&self, file: FileId, key: &WrittenKey) -> LineOrigin {
        LineOrigin {
            origin: Origin::new(file, key.span.clone()),
            table: key.table.join("."),
            key: key.key.join("."),
            is_own: key.path().take(2).eq(self.own.iter().map(String::as_str)),
        }
    }

    /// The files of the definition if a key is left out. If there is no such service without it, its
    /// value is another one.
    fn files_without(&self, file: FileId, key: &WrittenKey) -> Option<BTreeMap<String, File>> {
        let text = self.texts.get(&file)?;
        let replaced = |statement: &str| self.files_replaced(file, text, &key.span, statement);
        let is_logger = matches!(self.service.longrun(), Some(Longrun { run: Script::Logger(_), .. }));
        match &key.key.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [command @ ("run" | "up"), ..] => replaced(&format!("{command} = [\"another\"]")),
            ["log"] if is_logger => replaced("log.to = \"/another/{{ name }}\""),
            ["log", output @ ("to" | "stderr")] if is_logger => {
                replaced(&format!("log.{output} = \"/another/{{{{ name }}}}\""))
            }
            _ => replaced(""),
        }
    }

    /// The files of the definition with another text at this place.
    fn files_replaced(
        &self,
        file: FileId,
        text: &str,
        place: &Range<usize>,
        other: &str,
    ) -> Option<BTreeMap<String, File>> {
        let mut texts = self.texts.clone();
        texts.insert(file, format!("{}{other}{}", &text[..place.start], &text[place.end..]));
        self.files_with(&texts)
    }

    /// The files of the definition in a manifest with these texts.
    fn files_with(&self, texts: &BTreeMap<FileId, String>) -> Option<BTreeMap<String, File>> {
        let mut files = Files::default();
        for (id, file) in self.files.with_ids() {
            let text = texts.get(&id).map_or(&file.text[..], String::as_bytes);
            files.add(&file.path, text);
        }
        let mut ignored = Problems::default();
        let manifest = self.source.parse(&files, &mut ignored);
        let set: ServiceSet = resolve::resolve(manifest, &mut ignored);
        let service = set.ours().find(|service| service.name == self.service.name)?;
        let mut rendered = render::definition_files(&[service], &set.target, self.templates).ok()?;
        rendered.remove(&self.service.name)
    }
}

/// Whether a file has the lines of a string of the manifest. In the first line s6gen may have changed the beginning.
fn is_copy(written: &[(String, usize)], content: &[u8]) -> bool {
    let content = String::from_utf8_lossy(content);
    // s6gen may have added `exec` to the only command.
    let is_same = |((written, _), line): (&(String, usize), &str)| {
        written == line || written.contains("{{") || *written == line.replacen("exec ", "", 1)
    };
    written.len() == content.lines().count() && written.iter().zip(content.lines()).skip(1).all(is_same)
}

fn each_file(source: &ManifestFile, each: &mut impl FnMut(FileId)) {
    each(source.file);
    source.included.iter().for_each(|included| each_file(included, each));
}

/// The type and the name of the table of a service.
fn own_table(keys: &[(FileId, WrittenKey)], service: &Service) -> Option<[String; 2]> {
    let path = |kind: &str, name: &str| KINDS.contains(&kind).then(|| [kind.to_owned(), name.to_owned()]);
    if let Some(Script::Logger(logger)) = service.longrun().map(|longrun| &longrun.run) {
        let (kind, name) = logger.table.split_once('.')?;
        return path(kind, name);
    }
    // A service begins at the name in its header, at a key below the header of another table, or at an instance.
    let place = service.origin?;
    let of_file = keys.iter().filter(|(file, _)| *file == place.file).map(|(_, key)| key);
    let around = of_file.clone().find(|key| key.span.contains(&place.span().start));
    let key = around.or_else(|| of_file.clone().find(|key| key.span.start > place.span().start))?;
    let mut parts = key.path();
    path(parts.next()?, parts.next()?)
}

/// A text with blanks in place of some of its parts. Everything else keeps its place.
fn blanked(text: &str, parts: impl IntoIterator<Item = Range<usize>>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for part in parts {
        bytes[part].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
