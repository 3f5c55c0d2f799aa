use clap::Args;

use super::{Outcome, Streams};
use crate::diagnostic::{Code, did_you_mean};
use crate::manifest::REFERENCE;
use crate::render;

/// Says more about a kind of problem, or about a key of the manifest
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen explain s6rc::dependency-cycle\n  \
    s6gen explain timeout-up          what a key means\n  \
    s6gen explain manifest            the whole reference of the language\n  \
    s6gen explain                     lists every code")]
pub(super) struct Explain {
    /// The code, as a report prints it; a key; or `manifest`
    #[arg(value_name = "CODE|KEY|manifest")]
    code: Option<String>,
}

impl Explain {
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let Some(wanted) = &self.code else {
            for code in Code::ALL {
                let first = code.explanation().lines().next().unwrap_or_default();
                streams.say(&format!("{:30} {}\n", code.slug(), first.trim()));
            }
            return Outcome::Fine;
        };
        if let Some(code) = Code::ALL.iter().find(|code| code.slug() == wanted) {
            streams.say(&format!("{}\n\n", code.slug()));
            for line in code.explanation().lines() {
                streams.say(&format!("{}\n", line.strip_prefix(' ').unwrap_or(line)));
            }
            return Outcome::Fine;
        }
        if wanted == "manifest" {
            streams.say(&render::reference());
            return Outcome::Fine;
        }
        let key = wanted.rsplit('.').next().unwrap_or(wanted);
        let mut found = false;
        for (heading, _, keys) in REFERENCE {
            for known in keys().into_iter().filter(|known| known.name == key) {
                found = true;
                let doc = known.doc.lines().map(str::trim).collect::<Vec<_>>().join("\n  ");
                streams.say(&format!("`{key}` in `{heading}`: {}\n  {doc}\n", known.expected));
            }
        }
        if found {
            return Outcome::Fine;
        }
        let near = did_you_mean(wanted, Code::ALL.iter().map(|code| code.slug()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`s6gen explain` lists them".into(),
        };
        streams.tell(&format!("s6gen: there is no code and no key `{wanted}`; {help}\n"));
        Outcome::Problems
    }
}
