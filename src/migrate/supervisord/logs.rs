//! The options that say where output goes.

use super::super::Fate;
use super::Importer;
use super::log_places::{Destination, LARGEST, SMALLEST, bytes, destination, destination_is_file, directory};
use super::service::DraftService;
use super::text::Texts;
use crate::supervisord::{ConfigProgram, Logfile, OutputOptions, Piece, Setting};

/// The words for no log, as a pattern of a shell: supervisord does not look at their case.
const NOWHERE: &str = "[Nn][Oo][Nn][Ee] | [Oo][Ff][Ff]";

impl Importer<'_> {
    /// Translates where the output of a program goes. Returns a line of a script that must come first, if a variable decides it.
    pub(super) fn logs(
        &mut self,
        program: &ConfigProgram,
        service: &mut DraftService,
        texts: &mut Texts,
    ) -> Option<String> {
        let options = &program.options;
        let stdout = destination(&options.stdout, texts);
        let is_joined = self.known(program, "redirect_stderr", &options.redirect_stderr, false);
        let stderr = if is_joined { stdout.clone() } else { destination(&options.stderr, texts) };
        let remark = if is_joined { "standard error goes where standard output goes" } else { "" };
        self.fates.set(program.section, "redirect_stderr", Fate::Exact, "", remark);
        let mut first = None;
        self.standard_output(program, (&stdout, &stderr), service, &mut first);
        if is_joined {
            self.all_without_effect(
                program,
                "stderr_",
                "redirect_stderr sends it where standard output goes",
            );
        } else {
            self.standard_error(program, &stdout, &stderr, service, &mut first);
        }
        let writes = |place: &Destination| matches!(place, Destination::Path(_));
        let is_event = |output: &OutputOptions| output.events_enabled == Setting::Known(true);
        let is_shown = is_event(&options.stdout) || is_event(&options.stderr);
        if self.listening.shows_output
            && is_shown
            && (writes(&stdout) || writes(&stderr))
            && !service.has_key("log.file")
        {
            service.set("log.tee", true);
        }
        self.small_fates(program);
        first
    }

    fn standard_output(
        &mut self,
        program: &ConfigProgram,
        (place, stderr): (&Destination, &Destination),
        service: &mut DraftService,
        first: &mut Option<String>,
    ) {
        let output = &program.options.stdout;
        let (fate, becomes, remark) = match place {
            Destination::Container { is_new: false } => (Fate::Exact, "", String::new()),
            Destination::Container { is_new: true } => {
                self.has_new_logs = true;
                (Fate::Emulated, "", new_in_container())
            }
            Destination::Discard if self.listening.shows_output => {
                (Fate::Exact, "", "a listener copied it to the container's log".to_owned())
            }
            Destination::Discard => {
                service.set("log.to", "discard");
                (Fate::Exact, "log.to", String::new())
            }
            Destination::Syslog => {
                service.set("log.to", vec!["logger", "-t", &service.name.clone()]);
                (
                    Fate::Emulated,
                    "log.to",
                    "needs `logger` of util-linux or busybox, and a syslogd".to_owned(),
                )
            }
            Destination::Path(path) => return self.path(program, path, service),
            Destination::Variable(name) => {
                let is_both = *stderr == Destination::Variable(name.clone());
                let both = if is_both { " 2>&1" } else { "" };
                *first = Some(format!("case ${{{name}}} in {NOWHERE}) exec >/dev/null{both} ;; esac"));
                let remark = format!(
                    "NONE and OFF work as before; every other value of {name} is the container's log"
                );
                (Fate::Emulated, "the first line of `run`", remark)
            }
        };
        self.fates.set(program.section, "stdout_logfile", fate, becomes, remark);
        self.rotation_without_effect(program, "stdout", output);
    }

    /// A file: a directory with rotated files and a link, or one plain file that grows.
    fn path(&mut self, program: &ConfigProgram, path: &str, service: &mut DraftService) {
        let output = &program.options.stdout;
        let size = self.known(program, "stdout_logfile_maxbytes", &output.maxbytes, 50 << 20);
        let keep = self.known(program, "stdout_logfile_backups", &output.backups, 10);
        // A program that writes to its own log, too, needs one file that stays.
        let is_in_command = program.options.command.as_written().contains(path);
        if size == 0 || is_in_command {
            service.set("log.file", path);
            let remark = match is_in_command {
                true => "the program names this file itself, so it is one plain file, which is not rotated",
                false => "the file belongs to `nobody`, or to `log.user`; it was root's",
            };
            self.fates.set(program.section, "stdout_logfile", Fate::Emulated, "log.file", remark);
            self.fates.set(program.section, "stdout_logfile_maxbytes", Fate::Exact, "log.file", "");
            self.fates.set(
                program.section,
                "stdout_logfile_backups",
                Fate::NoEffect,
                "",
                "the file is never rotated",
            );
            return;
        }
        let (directory, is_linked) = directory(path);
        service.set("log.to", directory.clone());
        self.rotation(program, size, keep, service);
        service.set("log.timestamp", "none");
        if is_linked {
            service.set("log.link", true);
        }
        let remark = path_remark(is_linked);
        let is_relative = matches!(&output.logfile, Logfile::Path(path) if
            matches!(path.0.first(), Some(Piece::Plain(start)) if !start.starts_with(['/', '~'])));
        let (fate, remark) = match is_relative && self.request.workdir.is_none() {
            true => (
                Fate::Lost,
                "it is relative to the directory in which supervisord was started: --workdir DIR",
            ),
            false => (Fate::Emulated, remark),
        };
        self.fates.set(program.section, "stdout_logfile", fate, "log.to", remark);
    }

    fn rotation(&mut self, program: &ConfigProgram, size: i64, keep: i64, service: &mut DraftService) {
        service.set("log.size", bytes(size.clamp(SMALLEST, LARGEST)));
        service.set("log.keep", keep.clamp(0, 10_000));
        let (fate, remark) = match size {
            size if size > LARGEST => (Fate::Emulated, "255 MB is the largest file of s6-log"),
            size if size < SMALLEST => (Fate::Emulated, "4 KB is the smallest file of s6-log"),
            _ => (Fate::Exact, ""),
        };
        self.fates.set(program.section, "stdout_logfile_maxbytes", fate, "log.size", remark);
        self.fates.set(program.section, "stdout_logfile_backups", Fate::Exact, "log.keep", "");
    }

    fn standard_error(
        &mut self,
        program: &ConfigProgram,
        stdout: &Destination,
        place: &Destination,
        service: &mut DraftService,
        first: &mut Option<String>,
    ) {
        let section = program.section;
        let is_on_container = matches!(stdout, Destination::Container { .. })
            || *stdout == Destination::Discard && self.listening.shows_output;
        let (fate, becomes, remark) = match place {
            Destination::Variable(_) if place == stdout => {
                (Fate::Emulated, "the first line of `run`", "it goes where standard output goes".to_owned())
            }
            // Without a key it goes where standard output goes.
            place if place == stdout => (Fate::Exact, "", String::new()),
            Destination::Container { is_new } => {
                if !is_on_container {
                    service.set("log.stderr", "container");
                }
                let remark = if *is_new { new_in_container() } else { String::new() };
                (if *is_new { Fate::Emulated } else { Fate::Exact }, "log.stderr", remark)
            }
            Destination::Discard if self.listening.shows_output => (Fate::Exact, "", String::new()),
            Destination::Discard => {
                service.set("log.stderr", "discard");
                (Fate::Exact, "log.stderr", String::new())
            }
            Destination::Syslog => {
                service.set("log.stderr", vec!["logger", "-t", &service.name.clone()]);
                (Fate::Emulated, "log.stderr", "needs `logger` and a syslogd".to_owned())
            }
            Destination::Path(path) => {
                let (directory, is_linked) = directory(path);
                service.set("log.stderr", directory.clone());
                self.error_rotation(program, matches!(stdout, Destination::Path(_)), is_linked, service);
                self.fates.set(
                    section,
                    "stderr_logfile",
                    Fate::Emulated,
                    "log.stderr",
                    path_remark(is_linked),
                );
                return;
            }
            Destination::Variable(name) => {
                let line = format!("case ${{{name}}} in {NOWHERE}) exec 2>/dev/null ;; esac");
                *first = Some(first.take().map_or(line.clone(), |first| format!("{first}\n{line}")));
                let remark = format!(
                    "NONE and OFF work as before; every other value of {name} is the container's log"
                );
                (Fate::Emulated, "the first line of `run`", remark)
            }
        };
        self.fates.set(section, "stderr_logfile", fate, becomes, remark);
        match (place, stdout) {
            (Destination::Path(_), _) => self.error_rotation_fates(program),
            _ => self.rotation_without_effect(program, "stderr", &program.options.stderr),
        }
    }

    /// One table has one size, for both outputs.
    fn error_rotation(
        &mut self,
        program: &ConfigProgram,
        is_set: bool,
        is_linked: bool,
        service: &mut DraftService,
    ) {
        let output = &program.options.stderr;
        let size = self.known(program, "stderr_logfile_maxbytes", &output.maxbytes, 50 << 20);
        let keep = self.known(program, "stderr_logfile_backups", &output.backups, 10);
        let is_same = size
            == self.known(program, "stdout_logfile_maxbytes", &program.options.stdout.maxbytes, 50 << 20)
            && keep == self.known(program, "stdout_logfile_backups", &program.options.stdout.backups, 10);
        if !is_set || service.has_key("log.file") {
            service.set("log.size", bytes(if size == 0 { 50 << 20 } else { size.clamp(SMALLEST, LARGEST) }));
            service.set("log.keep", keep.clamp(0, 10_000));
            service.set("log.timestamp", "none");
            if is_linked {
                service.set("log.link", true);
            }
        }
        let (fate, remark) = match (size, is_set && !is_same && !service.has_key("log.file")) {
            (0, _) => (Fate::Emulated, "it grew without limit; now it is rotated"),
            (_, true) => (Fate::Emulated, "both outputs have the limits of standard output"),
            _ => (Fate::Exact, ""),
        };
        self.fates.set(program.section, "stderr_logfile_maxbytes", fate, "log.size", remark);
        self.fates.set(program.section, "stderr_logfile_backups", fate, "log.keep", remark);
    }

    /// Both outputs in one file: the limits of standard output hold.
    fn error_rotation_fates(&mut self, program: &ConfigProgram) {
        for (name, becomes) in
            [("stderr_logfile_maxbytes", "log.size"), ("stderr_logfile_backups", "log.keep")]
        {
            self.fates.set(program.section, name, Fate::Exact, becomes, "both outputs are one file");
        }
    }

    fn rotation_without_effect(&mut self, program: &ConfigProgram, which: &str, output: &OutputOptions) {
        let remark = match &output.logfile {
            Logfile::Automatic => "the container's log has no limit of its own",
            _ => "there is no file to rotate",
        };
        for end in ["maxbytes", "backups"] {
            self.fates.set(program.section, &format!("{which}_logfile_{end}"), Fate::NoEffect, "", remark);
        }
    }

    fn all_without_effect(&mut self, program: &ConfigProgram, start: &str, remark: &str) {
        for option in &self.configuration.sections[program.section].options {
            if option.name.starts_with(start) {
                self.fates.set(program.section, &option.name, Fate::NoEffect, "", remark);
            }
        }
    }

    /// The options for events and for the log of the system.
    fn small_fates(&mut self, program: &ConfigProgram) {
        let section = program.section;
        for (which, output) in [("stdout", &program.options.stdout), ("stderr", &program.options.stderr)] {
            let (events, remark) = match (&output.events_enabled, self.listening.shows_output) {
                (Setting::Known(true), true) => (Fate::Exact, "the output goes to the container's log"),
                (Setting::Known(true), false) if self.listening.reads_output => {
                    (Fate::Lost, "s6 makes no events of lines; `log.to` with a command reads them")
                }
                _ => (Fate::NoEffect, "no listener gets these events"),
            };
            self.fates.set(section, &format!("{which}_events_enabled"), events, "", remark);
            let (captured, remark) = match self.listening.is_there {
                true => (Fate::Lost, "s6 has no communication events"),
                false => (Fate::NoEffect, "no listener gets these events"),
            };
            self.fates.set(section, &format!("{which}_capture_maxbytes"), captured, "", remark);
            let is_copied = output.syslog == Setting::Known(true)
                && matches!(&output.logfile, Logfile::Path(_))
                && destination_is_file(&output.logfile);
            let (fate, remark) = match (&output.syslog, is_copied) {
                (Setting::Known(true), true) => (
                    Fate::Lost,
                    "the copy to the system's log: `log.to = [\"logger\", \"-t\", NAME]` sends it only there",
                ),
                (Setting::Known(true), false) => (Fate::Emulated, "needs `logger` and a syslogd"),
                _ => (Fate::Exact, ""),
            };
            let becomes = if output.syslog == Setting::Known(true) && !is_copied { "log.to" } else { "" };
            self.fates.set(section, &format!("{which}_syslog"), fate, becomes, remark);
        }
    }
}

fn new_in_container() -> String {
    "it was a file in the directory for temporary files; now it is in the container's log".to_owned()
}

/// How a directory differs from the file that it takes the place of.
fn path_remark(is_linked: bool) -> &'static str {
    match is_linked {
        true => {
            "PATH.log is a link to the newest file in the directory PATH; a file of that name is renamed first"
        }
        false => "the newest file is PATH.d/current",
    }
}
