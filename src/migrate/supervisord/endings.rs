//! How the text of a shell ends: with a program that the shell only waits for, or with the end of supervisord.

use crate::shell::{EndingKind, ShellScript, SimpleCommand, StepRole};

/// Whether a command names supervisord's own programs and files, or its process.
pub(super) fn speaks_with_supervisord(text: &str) -> bool {
    ["supervisorctl", "supervisord.pid", "supervisord_pid", "ppid"]
        .iter()
        .any(|word| text.to_lowercase().contains(word))
}

/// The places of the programs with which a script ends, if the shell only waits for them.
pub(super) fn last_programs(script: &ShellScript<'_>) -> Vec<usize> {
    if !script.traps().is_empty() || script.steps().iter().any(|step| step.role == StepRole::Background) {
        return Vec::new();
    }
    let functions = script.functions();
    let endings =
        script.endings().into_iter().filter(|ending| ending.is_last && ending.kind == EndingKind::Foreground);
    let commands = endings.map(|ending| ending.command).filter(|command| !command.has_assignments());
    let is_function = |command: &SimpleCommand<'_>| {
        command.name().is_some_and(|name| functions.contains(name.as_written()))
    };
    let mut places: Vec<usize> =
        commands.filter(|command| !is_function(command)).map(|command| command.span().start).collect();
    places.sort_unstable();
    places
}

/// The program in a text that runs it and then ends supervisord: `P; kill -15 $(cat supervisord.pid)`.
pub(super) fn before_the_end(text: &str) -> Option<&str> {
    let (program, rest) = text.split_once([';', '\n'])?;
    let mut steps: Vec<&str> =
        rest.split([';', '\n']).map(str::trim).filter(|step| !step.is_empty()).collect();
    // `E=$?` before it and `exit $E` after it keep the code.
    if steps.first().is_some_and(|step| step.ends_with("=$?")) {
        steps.remove(0);
    }
    if steps.last().is_some_and(|step| step.starts_with("exit")) {
        steps.pop();
    }
    let [end] = steps[..] else { return None };
    let kills =
        end.starts_with("kill ") && (end.to_lowercase().contains("supervisord") || end.ends_with(" 1"));
    let stops = end.contains("supervisorctl") && end.ends_with("shutdown");
    let program = program.trim_end();
    let is_simple = !program.is_empty() && !program.ends_with('&') && !program.contains(['|', '\'', '"']);
    ((kills || stops) && is_simple).then_some(program)
}
