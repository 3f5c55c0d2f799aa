//! Shell scripts that cannot run their trap when they are stopped.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::manifest::SIGNAL_NUMBERS;
use crate::model::Command;
use crate::shell::{Script, Word};

impl Resolver<'_> {
    /// Warns of a `run` with `stop-group` that traps its stop signal and then waits for a program in the foreground.
    pub(super) fn trap_can_run(
        &mut self,
        run: &Command,
        origin: Option<Origin>,
        signal: &str,
        stop_group: Origin,
    ) {
        let Command::Script { interpreter, text } = run else { return };
        let is_shell = interpreter.iter().flat_map(|word| word.split_ascii_whitespace()).any(|word| {
            matches!(word.rsplit('/').next(), Some("sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh"))
        });
        let Some(script) = Script::read(text).filter(|_| is_shell) else { return };
        if !script.traps().into_iter().any(|condition| names(condition, signal)) {
            return;
        }
        let Some(program) = script.last_command().and_then(|command| command.name()).filter(Word::is_program)
        else {
            return;
        };
        let program = program.as_written();
        self.problems.push(
            Diagnostic::new(
                Code::TrapWaits,
                format!("`run` can run its trap only when `{program}` has ended"),
            )
            .at(origin, "a shell waits for a program in the foreground before it runs a trap")
            .at(stop_group, "the group gets its signal only when this shell has ended")
            .help(format!(
                "wait for it in the background: `{program} … & wait $!`; or leave the trap out and `exec` it"
            )),
        );
    }
}

/// Whether a condition of `trap` is this signal.
fn names(condition: &str, signal: &str) -> bool {
    let condition = condition.trim_matches(['"', '\'']).to_ascii_uppercase();
    let numbered = SIGNAL_NUMBERS.iter().find(|(number, _)| number.to_string() == condition);
    numbered.map_or(condition.strip_prefix("SIG").unwrap_or(&condition), |(_, name)| name) == signal
}
