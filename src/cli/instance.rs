use std::time::Duration;

use clap::{Args, Subcommand};

use super::apply::Apply;
use super::carried::{ADDED, Carried, LOCK};
use super::manifest::{Loaded, additions};
use super::system::{Definitions, System, Trouble, refused, unwritten};
use super::wanted::{Judged, Wanted};
use super::{Outcome, Streams};
use crate::diagnostic::{Code, Diagnostic, Files, did_you_mean};
use crate::disk;
use crate::live::Programs;
use crate::manifest::{Added, Additions, Change, Parameters};
use crate::{Template, templates_of};

/// Adds, removes and lists instances of templates while the system runs
///
/// What is added is written down beside the definitions; `s6gen apply`, or the option `--apply`, makes it so, and then a
/// restart of the container boots with it. Any number of processes may add and remove at once.
#[derive(Debug, Args)]
pub(super) struct Instance {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Add),
    Remove(Remove),
    List(List),
}

/// Adds an instance, or gives the one that is there other parameters
///
/// Adding what is there already, just so, changes nothing. A value may be any text: it reaches the service as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen instance add openvpn office              the service openvpn-office, of the template openvpn\n  \
    s6gen instance add tunnel home --set port=1194 with a value for a parameter\n  \
    s6gen instance add --name echo -- nc -lk 7     a service that runs this command, exactly so\n  \
    s6gen instance add --apply openvpn office      and at once a part of the system that runs")]
struct Add {
    /// The template: a service of the manifest that has `instances`
    #[arg(required_unless_present = "name", requires = "instance")]
    template: Option<String>,
    /// The new instance; its service is TEMPLATE-INSTANCE
    instance: Option<String>,
    /// A value for a parameter of the template
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, requires = "instance", conflicts_with = "name")]
    set: Vec<(String, String)>,
    /// Instead of an instance, a longrun of this name that runs COMMAND
    #[arg(long, value_name = "NAME", conflicts_with_all = ["template", "instance"], requires = "command")]
    name: Option<String>,
    /// When the longrun starts: `on-demand`, or `boot`: also with the container
    #[arg(long, value_name = "WHEN", default_value = "on-demand", value_parser = ["on-demand", "boot"], requires = "name")]
    start: String,
    /// The command of the longrun, after `--`
    #[arg(last = true, requires = "name")]
    command: Vec<String>,
    #[command(flatten)]
    then: Then,
    #[command(flatten)]
    definitions: Definitions,
}

/// What follows on a change.
#[derive(Debug, Args)]
struct Then {
    /// Then do what `s6gen apply` does
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    system: System,
}

/// Removes instances that were added
///
/// Removing what is not there changes nothing.
#[derive(Debug, Args)]
struct Remove {
    /// The service: TEMPLATE-INSTANCE, or the name of a longrun that was added
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    then: Then,
    #[command(flatten)]
    definitions: Definitions,
}

/// Lists the instances of the manifest's templates, and what was added
#[derive(Debug, Args)]
struct List {
    /// For programs; the shape is versioned
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    definitions: Definitions,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write `KEY=VALUE`".into()),
    }
}

/// How long to wait for others that add or remove.
const PATIENCE: Duration = Duration::from_secs(30);

impl Instance {
    /// Whether a program reads what it prints.
    pub(super) fn prints_json(&self) -> bool {
        matches!(&self.command, Command::List(list) if list.json)
    }

    /// Whether it may stop the service that calls it, and does not run apart from that yet.
    pub(super) fn may_stop_caller(&self) -> bool {
        match &self.command {
            Command::Add(Add { then, .. }) | Command::Remove(Remove { then, .. }) => {
                then.apply && then.system.may_stop_caller()
            }
            Command::List(_) => false,
        }
    }

    pub fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let done = match &self.command {
            Command::Add(add) => Ok(add.run(streams, programs)),
            Command::Remove(remove) => remove.run(streams, programs),
            Command::List(list) => list.run(streams),
        };
        done.unwrap_or_else(|problems| refused(streams, problems))
    }
}

/// What came of writing it down.
#[derive(Default)]
struct Written {
    told: String,
    is_done: bool,
}

/// When what was written down is not a part of the system yet.
const STAYS: &str = "what was added or removed stays written down\n";

impl Then {
    fn applied(&self, definitions: &Definitions) -> Apply {
        Apply::new(definitions.clone(), self.system.clone())
    }

    /// What to say of a change that was written down.
    fn told(&self, service: &str, change: &str) -> String {
        match self.apply {
            // Which says it.
            true => String::new(),
            false => format!("{service}: {change}; `s6gen apply` makes it so\n"),
        }
    }
}

impl Add {
    fn run(&self, streams: &mut Streams<'_>, programs: &mut dyn Programs) -> Outcome {
        let mut written = Written::default();
        let outcome = if self.then.apply {
            let wanted = || self.write_down(&mut written).and_then(Wanted::of);
            self.then.applied(&self.definitions).run_with(streams, programs, wanted)
        } else {
            match self.write_down(&mut written) {
                Ok(_) => Outcome::Fine,
                Err(trouble) => trouble.report(streams),
            }
        };
        streams.tell(&written.told);
        if written.is_done && outcome != Outcome::Fine {
            streams.tell(STAYS);
        }
        outcome
    }

    /// Writes it down, unless the manifest has errors with it.
    fn write_down(&self, written: &mut Written) -> Result<Judged, Trouble> {
        let directory = self.definitions.directory()?;
        let _lock = disk::lock(&directory.join(LOCK), PATIENCE, || {}).map_err(unwritten)?;
        let carried = Carried::read(&directory)?;
        let loaded = carried.load();
        let mut added = additions(&directory)?;
        let (service, change) = self.change(&loaded, &mut added).map_err(|problem| vec![problem])?;
        let path = directory.join(ADDED);
        written.told = "nothing was changed\n".into();
        let judged = Judged::new(loaded.with(&path, &added), carried.templates)?;
        if change == Change::Added {
            judged.refuse_taken(&self.definitions, &service)?;
        }
        if change != Change::Unchanged {
            disk::replace(&path, added.text().as_bytes()).map_err(unwritten)?;
        }
        *written = Written {
            told: match change {
                Change::Added => self.then.told(&service, "added"),
                Change::Changed => self.then.told(&service, "changed"),
                Change::Unchanged => format!("{service}: is there already, just so\n"),
            },
            is_done: change != Change::Unchanged,
        };
        Ok(judged)
    }

    /// Writes it down; returns the service and what that changed.
    fn change(&self, loaded: &Loaded, added: &mut Additions) -> Result<(String, Change), Diagnostic> {
        if let Some(name) = &self.name {
            return Ok((name.clone(), added.add_service(name, &self.start, self.command.clone())));
        }
        let (template, instance) =
            (self.template.as_deref().unwrap_or_default(), self.instance.as_deref().unwrap_or_default());
        let mut parameters = Parameters::new();
        for (key, value) in &self.set {
            if parameters.insert(key.clone(), value.clone()).is_some() {
                return Err(unknown(format!("`{key}` is set twice")).help("keep one of the two"));
            }
        }
        let templates = templates(loaded);
        let Some(found) = templates.iter().find(|known| known.name == template) else {
            let names = || templates.iter().map(|known| known.name.as_str());
            let help = match did_you_mean(template, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if templates.is_empty() => "a service becomes a template with `instances = []`".into(),
                None => format!("the templates are {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(
                unknown(format!("the manifest has no template `{}`", template.escape_debug())).help(help)
            );
        };
        if found.instances.iter().any(|(name, _)| name == instance) {
            let service = format!("{template}-{instance}").escape_debug().to_string();
            return Err(unknown(format!("`{service}` is an instance of the manifest itself"))
                .help("choose another name, or change the manifest and build the image anew"));
        }
        let change = added.add_instance(found.kind, template, instance, parameters);
        Ok((format!("{template}-{instance}"), change))
    }
}

impl Remove {
    fn run(
        &self,
        streams: &mut Streams<'_>,
        programs: &mut dyn Programs,
    ) -> Result<Outcome, Vec<Diagnostic>> {
        let Some(is_done) = self.write_down(streams)? else { return Ok(Outcome::Problems) };
        if !self.then.apply {
            return Ok(Outcome::Fine);
        }
        let outcome = self.then.applied(&self.definitions).run(streams, programs);
        if is_done && outcome != Outcome::Fine {
            streams.tell(STAYS);
        }
        Ok(outcome)
    }

    /// Writes it down, also where the manifest has errors: it may be what mends them. Returns whether there was anything to
    /// remove; none, and a report, if that cannot be.
    fn write_down(&self, streams: &mut Streams<'_>) -> Result<Option<bool>, Vec<Diagnostic>> {
        let directory = self.definitions.directory()?;
        let _lock = disk::lock(&directory.join(LOCK), PATIENCE, || {}).map_err(unwritten)?;
        let loaded = Carried::read(&directory)?.load();
        let mut added = additions(&directory)?;
        let mut told = String::new();
        let before = added.clone();
        for name in &self.names {
            if added.remove(name) {
                told += &self.then.told(name, "removed");
                continue;
            }
            let services = loaded.compile().services;
            if services.services.iter().any(|service| service.name == **name) {
                let problem = unknown(format!("`{name}` was not added, it is a part of the manifest"))
                    .note("nothing was changed")
                    .help("take it out of the manifest and build the image anew");
                streams.report([&problem], &Files::default());
                return Ok(None);
            }
            told += &format!("{}: is not there\n", name.escape_debug());
        }
        if added != before {
            disk::replace(&directory.join(ADDED), added.text().as_bytes()).map_err(unwritten)?;
        }
        streams.tell(&told);
        Ok(Some(added != before))
    }
}

impl List {
    fn run(&self, streams: &mut Streams<'_>) -> Result<Outcome, Vec<Diagnostic>> {
        let directory = self.definitions.directory()?;
        let loaded = Carried::read(&directory)?.load();
        let added = additions(&directory)?;
        let templates = templates(&loaded);
        let own = templates.iter().flat_map(|template| {
            template.instances.iter().map(|(instance, parameters)| {
                (Added::Instance { template: &template.name, instance, parameters }, "manifest")
            })
        });
        let all: Vec<(Added<'_>, &str)> =
            own.chain(added.list().into_iter().map(|one| (one, "added"))).collect();
        if self.json {
            let list: Vec<_> = all
                .iter()
                .map(|(one, from)| match one {
                    Added::Instance { template, instance, parameters } => serde_json::json!({
                        "service": one.service(), "from": from, "template": template, "instance": instance,
                        "parameters": parameters,
                    }),
                    Added::Service { start, command, .. } => serde_json::json!({
                        "service": one.service(), "from": from, "start": start, "command": command,
                    }),
                })
                .collect();
            streams.say(&format!("{}\n", serde_json::json!({ "version": 1, "instances": list })));
            return Ok(Outcome::Fine);
        }
        let width = all.iter().map(|(one, _)| one.service().len()).max().unwrap_or(0);
        for (one, from) in &all {
            let what = match one {
                Added::Instance { template, parameters, .. } => {
                    let values = parameters.iter().map(|(key, value)| format!(" {key}={}", shown(value)));
                    format!("{template}{}", values.collect::<String>())
                }
                Added::Service { start, command, .. } => {
                    let words = command.iter().map(|word| format!(" {}", shown(word)));
                    let start = if *start == "boot" { "--start boot " } else { "" };
                    format!("{start}--{}", words.collect::<String>())
                }
            };
            streams.say(&format!("{:width$}  {from:8}  {what}\n", one.service()));
        }
        Ok(Outcome::Fine)
    }
}

/// A word as a shell would take it, on one line.
fn shown(word: &str) -> String {
    crate::templates::sh_word(&word.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))
}

fn templates(loaded: &Loaded) -> Vec<Template> {
    loaded.manifest.as_ref().map(|manifest| templates_of(&loaded.files, manifest)).unwrap_or_default()
}

fn unknown(message: String) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, message)
}
