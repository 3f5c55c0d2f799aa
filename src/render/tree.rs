//! Makes the source tree: the definitions, and the links and markers with which `/init` finds them.

use serde::Serialize;

use super::health::{HEALTH, health};
use crate::model::{
    Content, DefinitionFile, DefinitionFiles, File, Kind, Script, Service, ServiceRef, ServiceSet, Target,
};
use crate::parallel;
use crate::progress::{self, Stage};
use crate::templates::Templates;
use crate::tree::{SourceTree, TreeEntry};

/// The name of a file in otherwise empty directories, because git does not keep empty directories and s6-rc-compile needs them.
/// Names that begin with a dot are not members.
const KEEP: &str = ".keep";

/// The directory of the definitions below the root of the image.
pub fn definitions_dir(target: &Target) -> &str {
    target.tree.trim_start_matches('/')
}

/// The source tree of every definition of this manifest, with the links and markers with which `/init` finds them.
///
/// # Errors
/// An error in a template. The text names the template and the line.
pub fn tree(set: &ServiceSet) -> Result<SourceTree, String> {
    tree_with(set, &Templates::default())
}

/// The same with other templates.
///
/// # Errors
/// An error in a template. The text names the template and the line.
pub fn tree_with(set: &ServiceSet, templates: &Templates) -> Result<SourceTree, String> {
    let services: Vec<&Service> = set.ours().collect();
    progress::begin(Stage::Rendering, services.len());
    let parts: Vec<&[&Service]> = services.chunks(parallel::MANY_FILES).collect();
    let parts = parallel::map(&parts, 2, |part| Renderer::of(part, &set.target, templates));
    let parts: Vec<Renderer<'_>> = parts.into_iter().collect::<Result<_, String>>()?;
    let mut renderer = Renderer::of(&[], &set.target, templates)?;
    // A large system has hundreds of thousands of entries.
    renderer
        .entries
        .reserve_exact(parts.iter().map(|part| part.entries.len()).sum::<usize>() + 2 * services.len());
    parts.into_iter().for_each(|part| renderer.entries.extend(part.entries));
    renderer.links(set);
    renderer.extensions(set);
    renderer.markers(set);
    if set.target.has_health {
        renderer.add_file(HEALTH.trim_start_matches('/').to_owned(), health(set, templates)?, true);
    }
    Ok(renderer.entries.into_iter().collect())
}

/// The files of the definitions of some services.
///
/// # Errors
/// An error in a template. The text names the template and the line.
pub fn definition_files(
    services: &[&Service],
    target: &Target,
    templates: &Templates,
) -> Result<DefinitionFiles, String> {
    let mut found = DefinitionFiles::new();
    for service in services {
        let start = format!("{}/{}/", definitions_dir(target), service.name).len();
        let entries = Renderer::of(&[service], target, templates)?.entries.into_iter();
        let files = entries.filter_map(|(path, entry)| match entry {
            TreeEntry::File { content, executable } => {
                Some((path[start..].to_owned(), File { content, executable }))
            }
            TreeEntry::Directory | TreeEntry::Link(_) => None,
        });
        found.insert(service.name.clone(), files.collect());
    }
    Ok(found)
}

struct Renderer<'a> {
    entries: Vec<(Box<str>, TreeEntry)>,
    templates: &'a Templates,
    target: &'a Target,
}

/// The data for a template: that of the script, and facts about its service and target.
#[derive(Serialize)]
struct Filling<'a, T> {
    #[serde(flatten)]
    data: &'a T,
    command_dir: &'a str,
    detects_root: bool,
    description: Option<&'a str>,
}

impl<'a> Renderer<'a> {
    /// A renderer with the definitions of some services.
    fn of(services: &[&Service], target: &'a Target, templates: &'a Templates) -> Result<Self, String> {
        let mut renderer = Renderer { entries: Vec::new(), templates, target };
        services.iter().try_for_each(|service| renderer.definition(service))?;
        renderer.entries.shrink_to_fit();
        Ok(renderer)
    }

    fn add(&mut self, path: String, entry: TreeEntry) {
        self.entries.push((path.into(), entry));
    }

    fn add_file(&mut self, path: String, content: impl Into<Vec<u8>>, executable: bool) {
        self.add(path, TreeEntry::file(content, executable));
    }

    fn definition(&mut self, service: &Service) -> Result<(), String> {
        progress::advance();
        let directory = format!("{}/{}", definitions_dir(self.target), service.name);
        for file in DefinitionFile::of(service.kind.word()) {
            self.file(&directory, file, service)?;
        }
        let further = match &service.kind {
            Kind::Oneshot(oneshot) => {
                self.script(&directory, "data/check", oneshot.check.as_ref(), service)?;
                &oneshot.files
            }
            Kind::Longrun(longrun) => {
                self.script(&directory, "data/check", longrun.check.as_ref(), service)?;
                self.script(&directory, "data/check-alive", longrun.check_alive.as_ref(), service)?;
                &longrun.files
            }
            Kind::Bundle(_) | Kind::Unknown => return Ok(()),
        };
        for (path, file) in further {
            let entry = TreeEntry::File { content: file.content.clone(), executable: file.executable };
            self.add(format!("{directory}/{path}"), entry);
        }
        Ok(())
    }

    fn file(&mut self, directory: &str, file: &DefinitionFile, service: &Service) -> Result<(), String> {
        let name = file.name;
        let longrun = service.longrun();
        match file.content {
            Content::Type => self.line(directory, name, service.kind.word()),
            Content::Flag(is_set) if is_set(service) => {
                self.add_file(format!("{directory}/{name}"), "", false)
            }
            Content::Limit(limit) => match limit(service) {
                0 => {}
                limit => self.line(directory, name, limit.to_string()),
            },
            Content::Number(number) => {
                if let Some(number) = longrun.and_then(number) {
                    self.line(directory, name, number.to_string());
                }
            }
            Content::Signal(signal) => {
                if let Some(signal) = longrun.and_then(signal) {
                    self.add_file(format!("{directory}/{name}"), [signal, b"\n"].concat(), false);
                }
            }
            Content::Lines(names) => {
                if let Some(names) = longrun.and_then(names) {
                    let lines: Vec<String> = names.iter().map(|r| r.name.to_string()).collect();
                    self.line(directory, name, lines.join("\n"));
                }
            }
            Content::Directory(names) => self.list(directory, name, names(service), &service.kind),
            Content::CommandLine(script) => {
                if let Kind::Oneshot(oneshot) = &service.kind {
                    self.script(directory, name, script(oneshot), service)?;
                }
            }
            Content::Program(script) => self.script(directory, name, longrun.and_then(script), service)?,
            Content::Flag(_) | Content::OldList | Content::Folder | Content::Unread => {}
        }
        Ok(())
    }

    /// Writes a directory of names. Without names, only a bundle gets one.
    fn list(&mut self, directory: &str, list: &str, names: &[ServiceRef], kind: &Kind) {
        self.names(directory, list, names);
        if let Kind::Bundle(_) = kind {
            self.add(format!("{directory}/{list}"), TreeEntry::Directory);
            if names.is_empty() {
                self.add_file(format!("{directory}/{list}/{KEEP}"), "", false);
            }
        }
    }

    fn script(
        &mut self,
        directory: &str,
        file: &str,
        script: Option<&Script>,
        service: &Service,
    ) -> Result<(), String> {
        let Some(script) = script else { return Ok(()) };
        let content = match script {
            Script::Verbatim(content) => content.clone(),
            Script::Words(words) => {
                let words = words.iter().map(|word| String::from_utf8_lossy(word));
                let words: Vec<String> = words.map(|word| crate::templates::execline_word(&word)).collect();
                (words.join(" ") + "\n").into_bytes()
            }
            Script::Run(run) => self.fill("longrun/run", file, &**run, service)?,
            Script::Logger(logger) => self.fill("longrun/log/run", file, &**logger, service)?,
            Script::Step(step) => self.fill("oneshot/up", file, &**step, service)?,
            Script::Finish(finish) => self.fill("longrun/finish", file, &**finish, service)?,
            Script::Check(check) => self.fill("longrun/data/check", file, &**check, service)?,
        };
        let executable = matches!(file, "run" | "finish" | "data/check" | "data/check-alive");
        self.add_file(format!("{directory}/{file}"), content, executable);
        Ok(())
    }

    fn fill(
        &self,
        template: &str,
        file: &str,
        data: &impl Serialize,
        service: &Service,
    ) -> Result<Vec<u8>, String> {
        let filling = Filling {
            data,
            command_dir: &self.target.command_dir,
            detects_root: self.target.detects_root,
            description: service.description.as_deref(),
        };
        let name = service.name.to_string();
        Ok(self.templates.fill(template, &name, file, filling)?.into_bytes())
    }

    fn line(&mut self, directory: &str, file: &str, text: impl Into<String>) {
        self.add_file(format!("{directory}/{file}"), text.into() + "\n", false);
    }

    fn names(&mut self, directory: &str, list: &str, names: &[ServiceRef]) {
        for reference in names {
            self.add_file(format!("{directory}/{list}/{}", reference.name), "", false);
        }
    }

    /// Makes a link to each definition in the directory that `/init` compiles, unless the definitions are in that directory.
    fn links(&mut self, set: &ServiceSet) {
        let Some(compiled) = self.target.system.definitions_dir().filter(|dir| *dir != self.target.tree)
        else {
            return;
        };
        let from = relative(compiled, &self.target.tree);
        for service in set.ours() {
            let link = format!("{}/{}", compiled.trim_start_matches('/'), service.name);
            self.add(link, TreeEntry::Link(format!("{from}/{}", service.name)));
        }
    }

    /// Adds dependencies to definitions of other layers: one file for each.
    fn extensions(&mut self, set: &ServiceSet) {
        let place = self.target.system.definitions_dir().unwrap_or(&self.target.tree);
        for service in &set.services {
            let directory = format!("{}/{}", place.trim_start_matches('/'), service.name);
            self.names(&directory, "dependencies.d", &service.extended_by);
        }
    }

    /// Makes a marker in the start bundles of s6-overlay for every member of this manifest.
    fn markers(&mut self, set: &ServiceSet) {
        let Some(user) = self.target.system.start_markers() else { return };
        let Some(bundles) = user.trim_start_matches('/').strip_suffix("/user/contents.d") else { return };
        for service in &set.services {
            let Kind::Bundle(bundle) = &service.kind else { continue };
            if service.layer == crate::model::Layer::Overlay && service.name.as_bytes().starts_with(b"user") {
                self.names(&format!("{bundles}/{}", service.name), "contents.d", &bundle.contents);
            }
        }
    }
}

/// The path from the directory `from` to `to`, both absolute.
fn relative(from: &str, to: &str) -> String {
    let parts =
        |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    up.chain(to[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}
