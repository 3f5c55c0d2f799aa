//! The key `run`, from the command of a program and what must stand before it.

use super::super::Fate;
use super::command::{DraftCommand, RunForm};
use super::service::DraftService;
use super::text::Texts;
use super::{Importer, shell_text};
use crate::supervisord::{ConfigProgram, ProgramKind};

impl Importer<'_> {
    /// Writes the command. The lines `first` come before it, in a script.
    pub(super) fn run(
        &mut self,
        program: &ConfigProgram,
        command: DraftCommand,
        first: Vec<String>,
        service: &mut DraftService,
        texts: &mut Texts,
    ) {
        if let Some(nice) = command.nice {
            service.set("nice", nice);
        }
        let (mut run, mut fate) = (command.run, command.fate);
        let mut remarks = command.remarks;
        if let (ProgramKind::FastCgi, RunForm::Words(words)) = (program.kind, &run) {
            let (words, remark) = self.fast_cgi(program, words, texts);
            (run, fate) = (RunForm::Words(words), Fate::Emulated);
            remarks.push(remark);
        }
        if !first.is_empty() {
            let first = first.join("\n");
            run = RunForm::Script(match run {
                RunForm::Words(words) => {
                    let words: Vec<String> =
                        words.iter().map(|word| shell_text::argument(word, texts)).collect();
                    format!("{first}\nexec {}\n", words.join(" "))
                }
                RunForm::Script(script) => {
                    match script.strip_prefix("#!").and_then(|rest| rest.split_once('\n')) {
                        Some((line, rest)) => format!("#!{line}\n{first}\n{rest}"),
                        None => format!("{first}\n{script}"),
                    }
                }
            });
        }
        match run {
            RunForm::Words(words) => {
                service.words.clone_from(&words);
                service.set("run", words);
            }
            RunForm::Script(script) => match script.trim_end().contains('\n') {
                true => drop(service.set("run", script)),
                false => drop(service.set("run", script.trim_end())),
            },
        }
        if program.options.directory.is_none()
            && self.request.workdir.is_none()
            && is_relative(&service.words)
        {
            let remark =
                "a word of it is a path relative to the directory of supervisord: give it with --workdir DIR";
            remarks.push(remark.to_owned());
            fate = Fate::Lost;
        }
        self.fates.set(program.section, "command", fate, "run", remarks.join("; "));
    }

    /// A program that gets its socket as standard input.
    fn fast_cgi(
        &mut self,
        program: &ConfigProgram,
        words: &[String],
        texts: &mut Texts,
    ) -> (Vec<String>, String) {
        let socket = program.socket.as_ref().map(|socket| texts.text(socket)).unwrap_or_default();
        let section = &self.configuration.sections[program.section];
        let mode = section.option("socket_mode").map_or("0700", |option| option.value.as_str()).to_owned();
        let mut run: Vec<String> = Vec::new();
        if let Some(path) = socket.strip_prefix("unix://") {
            run.extend(["s6-ipcserver-socketbinder", "-B", "-a", &mode, path].map(str::to_owned));
        } else if let Some((host, port)) =
            socket.strip_prefix("tcp://").and_then(|address| address.rsplit_once(':'))
        {
            // The program takes no names.
            let address = match host.trim_matches(['[', ']']) {
                "localhost" => "127.0.0.1",
                "" | "*" => "0.0.0.0",
                address => address,
            };
            run.extend(["s6-tcpserver-socketbinder", "-B", "--", address, port].map(str::to_owned));
        }
        run.extend(words.iter().cloned());
        for name in ["socket", "socket_mode"] {
            self.fates.set(program.section, name, Fate::Exact, "run", "");
        }
        let owner = "the socket belongs to the account of the service, so `user` decides: write the owner there, as ACCOUNT:GROUP";
        self.fates.set(program.section, "socket_owner", Fate::Lost, "", owner);
        self.fates.set(
            program.section,
            "socket_backlog",
            Fate::Lost,
            "",
            "the option -b of the socket binder sets it",
        );
        (run, "a program of s6 opens the socket, anew at each start; supervisord kept it open".to_owned())
    }
}

/// Whether a word of a command looks like a relative path.
fn is_relative(words: &[String]) -> bool {
    words.iter().any(|word| {
        let is_path = word.starts_with("./") || word.starts_with("../");
        is_path || word.contains('/') && !word.starts_with(['/', '-', '$']) && !word.contains([':', '=', ' '])
    })
}
