//! The account, the directory and the mask of a program, and whether it starts at boot.

use super::super::Fate;
use super::Importer;
use super::service::DraftService;
use super::text::{Texts, clean_path};
use crate::supervisord::{ConfigProgram, Expanded, Piece, ProgramOptions, Setting};

impl Importer<'_> {
    /// Translates `user`. Returns the account, if the program has one.
    pub(super) fn user(
        &mut self,
        program: &ConfigProgram,
        service: &mut DraftService,
        texts: &mut Texts,
    ) -> Option<String> {
        let supervisord = self.programs.supervisord.as_ref();
        // supervisord gives up its rights before it starts a program.
        let shared = supervisord.and_then(|options| options.user.as_ref());
        let user = program.options.user.as_ref().or(shared)?;
        let of_account = "HOME, USER and LOGNAME are those of the account; supervisord left its own";
        let written = texts.text(user);
        let (text, fate, remark) = match user.text().as_deref() {
            Some("root" | "0") => {
                self.fates.set(program.section, "user", Fate::Exact, "", "services run as root anyway");
                return Some("root".to_owned());
            }
            Some(number) if number.parse::<u32>().is_ok() => {
                let accounts = self.request.accounts.iter().flatten();
                let group = accounts
                    .filter(|(_, account)| account.uid.to_string() == number)
                    .map(|(_, account)| account.gid);
                match group.into_iter().next() {
                    Some(group) => (format!("{number}:{group}"), Fate::Exact, ""),
                    None => (
                        format!("{number}:{number}"),
                        Fate::Emulated,
                        "its group is a guess: supervisord looked it up in /etc/passwd; --root DIR does that here",
                    ),
                }
            }
            Some(name) if !is_account(name) || name.chars().all(|c| c.is_ascii_digit()) => {
                self.fates.set(
                    program.section,
                    "user",
                    Fate::Lost,
                    "",
                    "this cannot be the name of an account",
                );
                return None;
            }
            Some(_) => (written, Fate::Emulated, of_account),
            None => (written, Fate::Emulated, of_account),
        };
        service.set("user", text.clone());
        self.fates.set(program.section, "user", fate, "user", remark);
        Some(text)
    }

    /// Translates `directory` and `umask`.
    pub(super) fn directory(
        &mut self,
        options: &ProgramOptions,
        section: usize,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        if let Some(directory) = &options.directory {
            let text = clean_path(&texts.text(directory));
            let text = match text.starts_with('/') || text.starts_with("${") {
                true => text,
                false => format!("{}/{text}", texts.directory.trim_end_matches('/')),
            };
            if text.rsplit('/').next().is_some_and(|last| last.starts_with('-')) {
                let remark =
                    "a directory whose name begins with `-` cannot be a `workdir`: write `cd` in a script";
                self.fates.set(section, "directory", Fate::Lost, "", remark);
                return;
            }
            service.set("workdir", text);
            let (fate, remark) = match (directory.0.first(), &self.request.workdir) {
                (Some(Piece::Plain(start)), None) if !start.starts_with(['/', '~']) => (
                    Fate::Lost,
                    "it is relative to the directory in which supervisord was started: --workdir DIR",
                ),
                _ if texts.is_ambiguous(directory) => {
                    (Fate::Lost, "`${NAME}` was plain text in it, and is the value of the container now")
                }
                _ if options.user.is_some() => {
                    (Fate::Exact, "`cd` has the rights of the supervisor; it had those of the user")
                }
                _ => (Fate::Exact, ""),
            };
            self.fates.set(section, "directory", fate, "workdir", remark);
        }
        if let Some(umask) = &options.umask {
            match umask {
                Setting::Known(umask) => {
                    service.set("umask", format!("{umask:03o}"));
                    self.fates.set(section, "umask", Fate::Exact, "umask", "");
                }
                Setting::AtRunTime(Expanded(pieces)) if pieces.len() > 1 => {
                    let remark = "only a whole mask can come from the container";
                    self.fates.set(section, "umask", Fate::Lost, "", remark);
                }
                Setting::AtRunTime(text) => {
                    let text = texts.text(text);
                    service.set("umask", text);
                    self.fates.set(section, "umask", Fate::Exact, "umask", "");
                }
            }
        }
    }

    /// Translates `autostart`.
    pub(super) fn autostart(
        &mut self,
        program: &ConfigProgram,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        match &program.options.autostart {
            Setting::Known(true) => self.fates.set(program.section, "autostart", Fate::Exact, "", ""),
            Setting::Known(false) => {
                service.set("start", "on-demand");
                service.is_started = false;
                let remark = "`s6gen start NAME` starts it, in place of `supervisorctl start NAME`";
                self.fates.set(program.section, "autostart", Fate::Exact, "start = \"on-demand\"", remark);
            }
            Setting::AtRunTime(text) => {
                let value = texts.text(text);
                let script = format!(
                    "case \"{value}\" in 1 | [Tt][Rr][Uu][Ee] | [Oo][Nn] | [Yy][Ee][Ss]) ;; *) exit 1 ;; esac\n"
                );
                service.set("only-if", script);
                let remark = "a service that must not run idles, and counts as up";
                self.fates.set(program.section, "autostart", Fate::Emulated, "only-if", remark);
            }
        }
    }
}

/// Whether an account can have this name.
fn is_account(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !name.is_empty() && !name.starts_with(['-', '.']) && name.chars().all(is_letter)
}
