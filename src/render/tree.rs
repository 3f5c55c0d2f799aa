use serde::Serialize;

use crate::model::{Kind, Longrun, Oneshot, Script, Service, ServiceRef, ServiceSet, Target};
use crate::templates::Templates;
use crate::tree::SourceTree;

/// An empty file in a directory that would be empty, which git does not keep and s6-rc-compile wants. Names that begin
/// with a dot are not members.
const KEEP: &str = ".keep";

/// The directory of the definitions below the root of the image.
pub fn definitions_dir(target: &Target) -> &str {
    target.tree.trim_start_matches('/')
}

/// The source tree of every definition of ours, with the links and the markers through which `/init` finds it.
///
/// # Errors
/// A defect of a template; the text names the template and the line.
pub fn tree(set: &ServiceSet) -> Result<SourceTree, String> {
    tree_with(set, &Templates::default())
}

/// The same with other templates.
///
/// # Errors
/// A defect of a template; the text names the template and the line.
pub fn tree_with(set: &ServiceSet, templates: &Templates) -> Result<SourceTree, String> {
    let mut renderer = Renderer { tree: SourceTree::default(), templates, target: &set.target };
    for service in set.ours() {
        renderer.definition(service)?;
    }
    renderer.links(set);
    renderer.extensions(set);
    renderer.markers(set);
    Ok(renderer.tree)
}

struct Renderer<'a> {
    tree: SourceTree,
    templates: &'a Templates,
    target: &'a Target,
}

/// What a template is filled with: the script's own data and what it needs to know of its surroundings.
#[derive(Serialize)]
struct Filling<'a, T> {
    #[serde(flatten)]
    data: &'a T,
    command_dir: &'a str,
    description: Option<&'a str>,
}

impl Renderer<'_> {
    fn definition(&mut self, service: &Service) -> Result<(), String> {
        let directory = format!("{}/{}", definitions_dir(self.target), service.name);
        self.line(&directory, "type", service.kind.word());
        self.flag(&directory, "flag-essential", service.flag_essential);
        self.flag(&directory, "flag-recommended", service.flag_recommended);
        match &service.kind {
            Kind::Bundle(bundle) => {
                self.tree.directory(format!("{directory}/contents.d"));
                self.names(&directory, "contents.d", &bundle.contents);
                if bundle.contents.is_empty() {
                    self.tree.file(format!("{directory}/contents.d/{KEEP}"), "", false);
                }
            }
            Kind::Oneshot(oneshot) => self.oneshot(&directory, service, oneshot)?,
            Kind::Longrun(longrun) => self.longrun(&directory, service, longrun)?,
            Kind::Unknown => {}
        }
        Ok(())
    }

    fn oneshot(&mut self, directory: &str, service: &Service, oneshot: &Oneshot) -> Result<(), String> {
        self.names(directory, "dependencies.d", &oneshot.dependencies);
        self.limits(directory, oneshot.timeout_up, oneshot.timeout_down);
        self.script(directory, "up", Some(&oneshot.up), service)?;
        self.script(directory, "down", oneshot.down.as_ref(), service)?;
        self.script(directory, "reload", oneshot.reload.as_ref(), service)?;
        for (path, file) in &oneshot.files {
            self.tree.file(format!("{directory}/{path}"), file.content.clone(), file.executable);
        }
        Ok(())
    }

    fn longrun(&mut self, directory: &str, service: &Service, longrun: &Longrun) -> Result<(), String> {
        self.names(directory, "dependencies.d", &longrun.dependencies);
        self.limits(directory, longrun.timeout_up, longrun.timeout_down);
        self.script(directory, "run", Some(&longrun.run), service)?;
        self.script(directory, "finish", longrun.finish.as_ref(), service)?;
        self.script(directory, "data/check", longrun.check.as_ref(), service)?;
        let lists = [
            ("producer-for", longrun.producer_for.as_deref()),
            ("consumer-for", Some(&longrun.consumer_for[..]).filter(|list| !list.is_empty())),
            ("pipeline-name", longrun.pipeline_name.as_deref()),
        ];
        for (file, list) in lists {
            if let Some(list) = list {
                let lines: Vec<String> = list.iter().map(|r| r.name.to_string()).collect();
                self.line(directory, file, lines.join("\n"));
            }
        }
        let numbers = [
            ("notification-fd", longrun.notification_fd.as_ref().map(|fd| fd.value)),
            ("lock-fd", longrun.lock_fd.as_ref().map(|fd| fd.value)),
            ("timeout-kill", longrun.timeout_kill.filter(|ms| *ms > 0)),
            ("timeout-finish", longrun.timeout_finish),
            ("max-death-tally", longrun.max_death_tally),
        ];
        for (file, number) in numbers {
            if let Some(number) = number {
                self.line(directory, file, number.to_string());
            }
        }
        for (file, signal) in
            [("down-signal", &longrun.down_signal), ("reload-signal", &longrun.reload_signal)]
        {
            if let Some(signal) = signal {
                let content = [&signal[..], b"\n"].concat();
                self.tree.file(format!("{directory}/{file}"), content, false);
            }
        }
        self.flag(directory, "flag-timeout-killpg", longrun.flag_timeout_killpg);
        self.flag(directory, "flag-newpidns", longrun.flag_newpidns);
        for (path, file) in &longrun.files {
            self.tree.file(format!("{directory}/{path}"), file.content.clone(), file.executable);
        }
        Ok(())
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
        let executable = matches!(file, "run" | "finish" | "data/check");
        self.tree.file(format!("{directory}/{file}"), content, executable);
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
            description: service.description.as_deref(),
        };
        let name = service.name.to_string();
        self.templates.fill(template, &name, file, filling).map(String::into_bytes)
    }

    fn line(&mut self, directory: &str, file: &str, text: impl Into<String>) {
        self.tree.file(format!("{directory}/{file}"), text.into() + "\n", false);
    }

    fn flag(&mut self, directory: &str, file: &str, is_set: bool) {
        if is_set {
            self.tree.file(format!("{directory}/{file}"), "", false);
        }
    }

    fn limits(&mut self, directory: &str, up: u32, down: u32) {
        for (file, limit) in [("timeout-up", up), ("timeout-down", down)] {
            if limit > 0 {
                self.line(directory, file, limit.to_string());
            }
        }
    }

    fn names(&mut self, directory: &str, list: &str, names: &[ServiceRef]) {
        for reference in names {
            self.tree.file(format!("{directory}/{list}/{}", reference.name), "", false);
        }
    }

    /// One link per definition in the directory that `/init` compiles, unless the definitions lie there themselves.
    fn links(&mut self, set: &ServiceSet) {
        let Some(compiled) = self.target.system.definitions_dir().filter(|dir| *dir != self.target.tree)
        else {
            return;
        };
        let from = relative(compiled, &self.target.tree);
        for service in set.ours() {
            let link = format!("{}/{}", compiled.trim_start_matches('/'), service.name);
            self.tree.link(link, format!("{from}/{}", service.name));
        }
    }

    /// Dependencies that are added to definitions of other layers: one file each, beside what lies there.
    fn extensions(&mut self, set: &ServiceSet) {
        let place = self.target.system.definitions_dir().unwrap_or(&self.target.tree);
        for service in &set.services {
            let directory = format!("{}/{}", place.trim_start_matches('/'), service.name);
            self.names(&directory, "dependencies.d", &service.extended_by);
        }
    }

    /// A marker for every member of ours in the start bundles of the overlay.
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
