//! Reads the settings of services from a compiled database with s6-rc-db.

use std::path::Path;

use super::{Call, DatabaseList, Direction, Failure, Live, os, s6_rc_db};
use crate::model::{FDHOLDER, Name, NodeKind, ONESHOT_RUNNER, Settings, Snapshot, Words};

impl Live<'_> {
    /// The settings of the services in a compiled database, without the files of longruns.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn snapshot(&mut self, database: &Path) -> Result<Snapshot, Failure> {
        let mut snapshot = Snapshot::default();
        for name in self.list(database, DatabaseList::Bundles)? {
            let contents = self.contents(database, &name.to_string())?;
            snapshot.services.insert(name, Settings { contents, ..Settings::new(NodeKind::Bundle) });
        }
        for (list, kind) in
            [(DatabaseList::Longruns, NodeKind::Longrun), (DatabaseList::Oneshots, NodeKind::Oneshot)]
        {
            for name in self.list(database, list)? {
                if !is_internal(&name) {
                    let settings = self.settings(database, &name, kind)?;
                    snapshot.services.insert(name, settings);
                }
            }
        }
        Ok(snapshot)
    }

    /// The command lines of a oneshot, without its other settings.
    ///
    /// # Errors
    /// The database cannot be read, or does not have the oneshot.
    pub fn oneshot(&mut self, database: &Path, name: &Name) -> Result<Settings, Failure> {
        let up = words(&self.script(database, Direction::Up, name)?);
        let down = words(&self.script(database, Direction::Down, name)?);
        Ok(Settings { up: up.into(), down: down.into(), ..Settings::new(NodeKind::Oneshot) })
    }

    fn settings(&mut self, database: &Path, name: &Name, kind: NodeKind) -> Result<Settings, Failure> {
        let mut settings = Settings::new(kind);
        settings.dependencies = self.dependencies(database, name)?;
        settings.timeout_up = self.number(s6_rc_db(database).arg("timeout").arg(os(name)), 10)?;
        settings.timeout_down = self.number(s6_rc_db(database).args(["-d", "timeout"]).arg(os(name)), 10)?;
        let flags = self.number(s6_rc_db(database).arg("flags").arg(os(name)), 16)?;
        settings.flag_essential = flags & 1 != 0;
        settings.flag_recommended = flags & 2 != 0;
        if kind == NodeKind::Oneshot {
            let Settings { up, down, .. } = self.oneshot(database, name)?;
            (settings.up, settings.down) = (up, down);
        } else {
            let out = self.run(s6_rc_db(database).arg("pipeline").arg(os(name)))?;
            for line in out.split(|byte| *byte == b'\n') {
                let Some(slash) = line.iter().position(|byte| *byte == b'/') else { continue };
                let (producer, consumer) = (Name::new(&line[..slash]), Name::new(&line[slash + 1..]));
                if producer == *name {
                    settings.producer_for = Some(consumer);
                } else if consumer == *name {
                    settings.consumer_for.insert(producer);
                }
            }
        }
        // s6-rc adds these dependencies itself: a producer needs its consumer, and both need s6rc-fdholder.
        let consumer = settings.producer_for.clone();
        settings.dependencies.retain(|needed| !is_internal(needed) && Some(needed) != consumer.as_ref());
        Ok(settings)
    }

    fn number(&mut self, call: Call, radix: u32) -> Result<u32, Failure> {
        let out = self.run(call.clone())?;
        let text = String::from_utf8_lossy(&out);
        u32::from_str_radix(text.trim(), radix).map_err(|_| Failure::Unexpected(call, out))
    }
}

/// Whether s6-rc adds this service to every database.
fn is_internal(name: &Name) -> bool {
    *name == *FDHOLDER || *name == *ONESHOT_RUNNER
}

/// Splits a list of words. A NUL follows each word.
fn words(out: &[u8]) -> Words {
    let mut words: Vec<Vec<u8>> = out.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    // The last part is not a word: it is empty or the final newline.
    words.pop();
    words
}
