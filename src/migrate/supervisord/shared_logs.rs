//! Files to which several programs write.

use std::collections::BTreeMap;

use super::super::Fate;
use super::Importer;
use crate::manifest::draft::DraftValue;

impl Importer<'_> {
    /// Programs that write to one file share a logger, which has the settings of the first of them.
    pub(super) fn shared_logs(&mut self) {
        const SETTINGS: &[&str] = &["log.size", "log.keep", "log.timestamp", "log.link", "log.tee"];
        let mut known: BTreeMap<String, Vec<Option<DraftValue>>> = BTreeMap::new();
        let mut kinds: BTreeMap<String, bool> = BTreeMap::new();
        for service in &mut self.services {
            for key in ["log.to", "log.stderr", "log.file"] {
                let Some(DraftValue::Text(path)) = service.get(key).cloned() else { continue };
                if !path.starts_with(['/', '$']) {
                    continue;
                }
                let is_error = key == "log.stderr";
                let path = match kinds.insert(path.clone(), is_error) {
                    // One logger reads either standard outputs or standard errors.
                    Some(other) if other != is_error => {
                        kinds.insert(path.clone(), other);
                        service.remove(key);
                        let path = format!("{path}-{}", if is_error { "err" } else { "out" });
                        service.set(key, path.as_str());
                        path
                    }
                    _ => path,
                };
                let own: Vec<Option<DraftValue>> =
                    SETTINGS.iter().map(|key| service.get(key).cloned()).collect();
                let first = known.entry(path.clone()).or_insert_with(|| own.clone());
                if *first == own {
                    continue;
                }
                for (setting, value) in SETTINGS.iter().zip(first.clone()) {
                    service.remove(setting);
                    if let Some(value) = value {
                        service.set(setting, value);
                    }
                }
                let remark = "another program writes to the same file: both have the limits of the first one";
                self.fates.set(service.section, "stdout_logfile", Fate::Emulated, "log", remark);
                self.fates.set(service.section, "stderr_logfile", Fate::Emulated, "log", remark);
            }
        }
    }
}
