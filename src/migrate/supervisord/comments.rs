//! The comments of a configuration, which move along with the options that they explain.

use super::Importer;
use super::service::DraftService;
use crate::manifest::draft::DraftEntry;
use crate::supervisord::{ConfigProgram, ConfigSection};

impl Importer<'_> {
    /// Takes the comments of the configuration along.
    pub(super) fn comments(&mut self, program: &ConfigProgram, service: &mut DraftService) {
        let section = &self.configuration.sections[program.section];
        service.table.comments =
            section.comments.iter().filter(|line| !line.trim().is_empty()).cloned().collect();
        let places = [
            ("command", "run"),
            ("environment", "environment"),
            ("user", "user"),
            ("directory", "workdir"),
            ("stopasgroup", "stop-group"),
            ("stopsignal", "down-signal"),
            ("stopwaitsecs", "timeout-kill"),
            ("stdout_logfile", "log.to"),
            ("stdout_logfile", "log.file"),
            ("stderr_logfile", "log.stderr"),
            ("autostart", "start"),
            ("autorestart", "on-exit"),
        ];
        let is_in_script = |option: &str| {
            let path = section.option(option).map_or("", |option| option.value.as_str());
            path.starts_with("%(ENV_") && path.ends_with(")s") && path.matches('%').count() == 1
        };
        for (option, key) in places {
            let key = if key.starts_with("log") && is_in_script(option) { "run" } else { key };
            let Some(option) = section.option(option) else { continue };
            let is_key = |entry: &&mut DraftEntry| entry.key[0] == key || entry.key.join(".") == key;
            let Some(entry) = service.table.entries.iter_mut().find(is_key) else { continue };
            for line in option.comments.iter().filter(|line| is_remark(line) && !self.is_repeated(line)) {
                if !entry.comments.contains(line) {
                    entry.comments.push(line.clone());
                }
            }
            let comment = option.comment.as_ref().filter(|comment| is_remark(comment));
            entry.comment = entry.comment.take().or_else(|| comment.cloned());
        }
    }

    /// Whether a comment stands in several sections: then it explains an option of supervisord, and no program.
    fn is_repeated(&self, line: &str) -> bool {
        let has = |section: &&ConfigSection| {
            section.options.iter().any(|option| option.comments.iter().any(|other| other == line))
        };
        self.configuration.sections.iter().filter(has).count() > 1
    }
}

/// Whether a comment is a remark of the author, and no line of supervisor's sample file or an option that is switched off.
fn is_remark(comment: &str) -> bool {
    let sample = ["(default", "default:", "def. ", "default "];
    let is_option = comment.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    });
    !comment.trim().is_empty() && !is_option && !sample.iter().any(|part| comment.contains(part))
}
