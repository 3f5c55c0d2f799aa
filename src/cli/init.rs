//! `s6gen init`: writes a first manifest, or the shipped templates.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::streams::{Outcome, Streams};
use crate::diagnostic::Files;
use crate::disk::{self, DiskError};
use crate::jobs;
use crate::templates::{self, Templates};

/// Writes a first manifest that builds, with comments
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    s6gen init                    services.toml\n  \
    s6gen init --schema           also services.schema.json, by which editors know the keys\n  \
    s6gen init --templates DIR    the shipped templates, for `build --templates DIR`")]
pub(super) struct InitArguments {
    /// The file to write, `-` for standard output; an existing file is not overwritten
    #[arg(value_name = "FILE", default_value = "services.toml")]
    file: PathBuf,
    /// Write the shipped templates instead, for `build --templates DIR`
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    templates: Option<PathBuf>,
    /// Also write the schema of the language beside the manifest, and the line by which editors find it. `s6gen schema` writes
    /// it anew after an update of s6gen
    #[arg(long, conflicts_with = "templates")]
    schema: bool,
}

impl InitArguments {
    pub(super) fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        if let Some(folder) = &self.templates {
            for (name, text) in Templates::shipped() {
                if let Err(error) = disk::create_new(&folder.join(name), text) {
                    return refused(&error, streams);
                }
            }
            streams.tell(&format!(
                "wrote the templates to {}; remove those you do not change",
                folder.display()
            ));
            return Outcome::Success;
        }
        let is_to_output = self.file.as_os_str() == "-";
        match is_to_output {
            true if self.schema => {
                streams
                    .tell("s6gen: `--schema` writes a file beside the manifest: name a file instead of `-`");
                return Outcome::Misused;
            }
            true => {
                streams.say(templates::STARTER);
                return Outcome::Success;
            }
            false => {}
        }
        match self.write() {
            Ok(wrote) => {
                let usual = self.file == Path::new("services.toml");
                let named = if usual { String::new() } else { format!(" -m {}", self.file.display()) };
                streams.tell(&format!("wrote {wrote}; `s6gen graph{named}` shows what it starts"));
                Outcome::Success
            }
            Err(error) => refused(&error, streams),
        }
    }

    /// Writes the manifest and its schema, and returns their names.
    fn write(&self) -> Result<String, DiskError> {
        if !self.schema {
            disk::create_new(&self.file, templates::STARTER)?;
            return Ok(self.file.display().to_string());
        }
        let schema = self.file.with_extension("schema.json");
        // Nothing is written if one of the two is there.
        if let Some(known) =
            [&self.file, &schema].into_iter().find(|path| disk::is_there(path) || disk::is_link(path))
        {
            return Err(DiskError::Exists(known.clone()));
        }
        let name = in_address(schema.file_name().unwrap_or_default());
        disk::create_new(&schema, &jobs::schema())?;
        disk::create_new(&self.file, &format!("#:schema ./{name}\n\n{}", templates::STARTER))?;
        Ok(format!("{} and {}", self.file.display(), schema.display()))
    }
}

/// The name of a file in an address, where only letters, digits and a few signs stand for themselves.
fn in_address(name: &OsStr) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let write = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    name.as_encoded_bytes().iter().map(write).collect()
}

/// Reports an error of a write. A file that exists is a mistake of the user, and not an error of the system.
fn refused(error: &DiskError, streams: &mut Streams<'_>) -> Outcome {
    streams.report(&[error.diagnostic()], &Files::default());
    match error {
        DiskError::Exists(_) => Outcome::Misused,
        _ => Outcome::Refused,
    }
}
