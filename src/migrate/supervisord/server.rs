//! The sections that are no programs: `[supervisord]` itself, its servers, `[supervisorctl]` and `[include]`.

use super::super::Fate;
use super::Importer;
use crate::supervisord::Setting;

/// Options of programs that people write into `[supervisord]`, where they mean nothing.
const OF_PROGRAMS: &[&str] = &[
    "autorestart",
    "autostart",
    "command",
    "exitcodes",
    "killasgroup",
    "priority",
    "redirect_stderr",
    "startretries",
    "startsecs",
    "stderr_logfile",
    "stderr_logfile_backups",
    "stderr_logfile_maxbytes",
    "stdout_logfile",
    "stdout_logfile_backups",
    "stdout_logfile_maxbytes",
    "stopasgroup",
    "stopsignal",
    "stopwaitsecs",
];

impl Importer<'_> {
    /// Reports every section that is no program and no group.
    pub(super) fn server(&mut self) {
        let configuration = self.configuration;
        for (number, section) in configuration.sections.iter().enumerate() {
            let kind = section.name.split(':').next().unwrap_or_default();
            for (place, option) in section.options.iter().enumerate() {
                if self.fates.is_known(number, place) {
                    continue;
                }
                let (fate, becomes, remark) = match kind {
                    "supervisord" => match self.of_supervisord(&option.name) {
                        Some(known) => known,
                        None => continue,
                    },
                    "include" if option.name == "files" => (Fate::Exact, "", "the files are imported, too"),
                    "unix_http_server" | "inet_http_server" | "rpcinterface" | "ctlplugin" => (
                        Fate::Lost,
                        "",
                        "there is no server: `s6gen status`, `start`, `stop` and `restart` do its work",
                    ),
                    "supervisorctl" => {
                        (Fate::Lost, "", "`s6gen status`, `start`, `stop` and `restart` take its place")
                    }
                    "program" | "group" | "eventlistener" | "fcgi-program" => continue,
                    _ => (Fate::NoEffect, "", "supervisord knows no such section"),
                };
                self.fates.set(number, &option.name, fate, becomes, remark);
            }
        }
    }

    fn of_supervisord(&self, option: &str) -> Option<(Fate, &'static str, &'static str)> {
        let options = self.programs.supervisord.as_ref();
        let is_root = options
            .and_then(|options| options.user.as_ref()?.text())
            .is_some_and(|user| user == "root" || user == "0");
        Some(match option {
            "nodaemon" => (Fate::Exact, "", "/init stays in the foreground"),
            "user" if is_root => (Fate::Exact, "", "/init runs as root anyway"),
            "user" => (Fate::Emulated, "user", "the supervisor itself runs as root"),
            // Programs have their own lines for it.
            "environment" => return None,
            "umask" | "directory" => (
                Fate::NoEffect,
                "",
                "supervisord uses it only when it becomes a daemon, which it does not in a container",
            ),
            "minfds" => (Fate::Exact, "limits.nofile", ""),
            "minprocs" => (Fate::Exact, "limits.nproc", ""),
            "strip_ansi" if options.is_some_and(|options| options.strip_ansi == Setting::Known(true)) => {
                (Fate::Lost, "", "colours stay in the logs; `log.filter` can remove them")
            }
            "childlogdir" => (Fate::NoEffect, "", "logs without a path are in the container's log"),
            "logfile" | "logfile_maxbytes" | "logfile_backups" | "loglevel" | "pidfile" | "identifier"
            | "nocleanup" | "strip_ansi" | "silent" => {
                (Fate::NoEffect, "", "it is about supervisord itself, which is gone")
            }
            option if OF_PROGRAMS.contains(&option) => {
                (Fate::NoEffect, "", "it is an option of programs: here supervisord ignores it")
            }
            _ => return None,
        })
    }
}
