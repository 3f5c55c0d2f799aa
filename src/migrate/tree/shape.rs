//! Recognises whole scripts that keys stand for. A script with anything else in it is not recognised.

use super::script::{plain_shell, without_contenv};
use crate::execline::{self, TokenKind};
use crate::manifest::draft::DraftValue;
use crate::shell::{PlainStep, ShellScript, as_the_kernel_splits, first_line, is_pure_condition};

/// Variables that mean something to a shell itself.
const OF_SHELLS: &[&str] = &[
    "BASHOPTS",
    "BASH_ENV",
    "ENV",
    "EUID",
    "GROUPS",
    "HISTCMD",
    "IFS",
    "LINENO",
    "OLDPWD",
    "OPTIND",
    "PATH",
    "PPID",
    "PWD",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "UID",
    "_",
];

/// What a `run` becomes.
pub(super) struct RunShape {
    /// The words of the program that the script becomes.
    pub(super) words: Vec<String>,
    /// Further keys.
    pub(super) keys: Vec<(String, DraftValue)>,
    /// The comments of the script, without `# `.
    pub(super) comments: Vec<String>,
    /// Whether the script loads the environment of the container.
    pub(super) with_contenv: bool,
    /// The difference, if there is one.
    pub(super) remark: String,
    /// Whether the script ends at the first failure.
    stops_at_failure: bool,
}

/// The shape of a `run`, if keys stand for the whole script. `is_overlay` says whether there is a `with-contenv`.
pub(super) fn run(text: &str, is_overlay: bool) -> Option<RunShape> {
    match plain_shell(text) {
        Some(_) if is_overlay || without_contenv(text).is_none() => {
            let with_contenv = without_contenv(text).is_some();
            if !with_contenv && first_line(text).contains("with-contenv") {
                return None;
            }
            shell_run(text, with_contenv)
        }
        Some(_) => None,
        None => execline_run(text, is_overlay),
    }
}

/// A script of a shell: `exec` of plain words, after commands for the surroundings of the program.
fn shell_run(text: &str, with_contenv: bool) -> Option<RunShape> {
    let script = ShellScript::read(text)?;
    let steps = script.plain_steps()?;
    if let [PlainStep::If { condition, then, otherwise }] = &steps[..] {
        let condition = (&text[condition.clone()], first_line(text));
        let mut shape = conditional_run(condition, then, otherwise)?;
        shape.comments = comments(&script);
        shape.with_contenv = with_contenv;
        return Some(shape);
    }
    let (last, before) = steps.split_last()?;
    let mut shape = RunShape {
        words: Vec::new(),
        keys: Vec::new(),
        comments: comments(&script),
        with_contenv,
        remark: String::new(),
        stops_at_failure: false,
    };
    let mut environment = Vec::new();
    let mut joins = false;
    for step in before {
        shape.surroundings(step, &mut environment, &mut joins)?;
    }
    let PlainStep::Command { words, redirections } = last else { return None };
    let (exec, program) = words.split_first()?;
    if exec != "exec" || program.first().is_none_or(|word| word.is_empty() || word.starts_with('-')) {
        return None;
    }
    joins |= is_join(redirections)?;
    shape.words = program.to_vec();
    for (name, value) in environment {
        shape.keys.push((format!("environment.{name}"), DraftValue::Text(value)));
    }
    if joins {
        shape.keys.push(("log.stderr".to_owned(), "stdout".into()));
    }
    Some(shape)
}

/// A program that runs only under a condition, while otherwise something idles. The condition comes with the first line of its
/// script.
fn conditional_run(
    (condition, first_line): (&str, &str),
    then: &[PlainStep],
    otherwise: &[PlainStep],
) -> Option<RunShape> {
    let sees_arguments = condition.contains(['`', '\n']) || super::script::sees_itself(condition);
    let (words, is_mirrored) = match (is_idle(then), is_idle(otherwise)) {
        (false, true) => (plain_exec(then)?, false),
        (true, false) => (plain_exec(otherwise)?, true),
        _ => return None,
    };
    if sees_arguments || !is_pure_condition(condition) {
        return None;
    }
    let condition = match is_mirrored {
        true => format!("! {{ {condition}; }}"),
        false => condition.to_owned(),
    };
    let is_plain =
        condition.starts_with("[ ") || condition.starts_with("test ") || condition.starts_with("! { [ ");
    let is_sh = matches!(interpreter_line(first_line).as_str(), "#!/bin/sh" | "#!/usr/bin/env sh");
    let is_for_sh = is_plain && is_sh && !condition.contains("==");
    let only_if = match is_for_sh {
        true => condition,
        false => format!("{}\n{condition}\n", interpreter_line(first_line)),
    };
    Some(RunShape {
        words,
        keys: vec![("only-if".to_owned(), only_if.into())],
        comments: Vec::new(),
        with_contenv: false,
        remark: "where the condition is false, no process idles any more; a line on the log says so"
            .to_owned(),
        stops_at_failure: false,
    })
}

/// The first line for a condition in a script of its own.
fn interpreter_line(first_line: &str) -> String {
    let text = format!("#!{first_line}\n");
    let line = without_contenv(&text).unwrap_or(text);
    line.trim_end().to_owned()
}

/// Whether steps only say something and then idle for ever.
fn is_idle(steps: &[PlainStep]) -> bool {
    let Some((last, before)) = steps.split_last() else { return false };
    let words = |step: &PlainStep| match step {
        PlainStep::Command { words, redirections } if redirections.is_empty() => words.join(" "),
        _ => String::new(),
    };
    before.iter().all(|step| words(step).starts_with("echo ")) && words(last) == "exec sleep infinity"
}

/// The words of a program, if the only step is `exec` of it.
fn plain_exec(steps: &[PlainStep]) -> Option<Vec<String>> {
    let [PlainStep::Command { words, redirections }] = steps else { return None };
    let (exec, program) = words.split_first()?;
    let is_program = program.first().is_some_and(|word| !word.is_empty() && !word.starts_with('-'));
    (exec == "exec" && redirections.is_empty() && is_program).then(|| program.to_vec())
}

/// Whether redirections only send standard error to standard output. `None` for others.
fn is_join(redirections: &[String]) -> Option<bool> {
    match redirections {
        [] => Some(false),
        [one] if one == "2>&1" => Some(true),
        _ => None,
    }
}

impl RunShape {
    /// Reads a command before the program. `None` if no key stands for it.
    fn surroundings(
        &mut self,
        step: &PlainStep,
        environment: &mut Vec<(String, String)>,
        joins: &mut bool,
    ) -> Option<()> {
        match step {
            PlainStep::Export(variables) => {
                for (name, value) in variables {
                    // A shell looks for the program in the new PATH. A value of these would change the shell itself.
                    let is_plain = !OF_SHELLS.contains(&name.as_str())
                        && !value.is_empty()
                        && !value.contains(['$', '\n']);
                    if !is_plain {
                        return None;
                    }
                    environment.retain(|(known, _)| known != name);
                    environment.push((name.clone(), value.clone()));
                }
                Some(())
            }
            PlainStep::Command { words, redirections } => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                match (&words[..], &redirections[..]) {
                    (["exec"], [join]) if join == "2>&1" => *joins = true,
                    (["set", "-u"], []) => {}
                    (["set", "-e" | "-eu" | "-ue"], []) => self.stops_at_failure = true,
                    (["cd", directory], []) if is_plain_path(directory) && !self.has("workdir") => {
                        self.keys.push(("workdir".to_owned(), (*directory).into()));
                        if !self.stops_at_failure {
                            "if the directory is missing, the start fails".clone_into(&mut self.remark);
                        }
                    }
                    (["umask", mask], []) if is_mask(mask) && !self.has("umask") => {
                        self.keys.push(("umask".to_owned(), (*mask).into()));
                    }
                    _ => return None,
                }
                Some(())
            }
            PlainStep::If { .. } => None,
        }
    }

    /// Whether it has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|(known, _)| known == key)
    }
}

fn is_plain_path(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    let is_option = path.rsplit('/').next().is_some_and(|last| last.starts_with('-'));
    path.starts_with('/')
        && !is_option
        && !path.contains(['$', '\n'])
        && parts.all(|part| !matches!(part, "." | ".." | ""))
}

fn is_mask(mask: &str) -> bool {
    (mask.len() == 3 || mask.len() == 4 && mask.starts_with('0'))
        && mask.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
}

/// The comments of a script that are for people.
fn comments(script: &ShellScript<'_>) -> Vec<String> {
    let text = |comment: &str| comment.trim_start_matches('#').trim().to_owned();
    let comments = script.comments().into_iter().map(text);
    comments
        .filter(|text| text.chars().any(char::is_alphanumeric) && !text.starts_with("shellcheck "))
        .collect()
}

/// A script of execline: one program of plain words, after commands for its surroundings.
fn execline_run(text: &str, is_overlay: bool) -> Option<RunShape> {
    let words = as_the_kernel_splits(text.starts_with("#!").then(|| first_line(text))?);
    let [program, option] = &words[..] else { return None };
    if execline::base_name(program) != "execlineb" || option != "-P" {
        return None;
    }
    let body = text.split_once('\n')?.1;
    let tokens = execline::tokens(body.as_bytes()).ok()?;
    let words = tokens.into_iter().map(|token| match token.kind {
        TokenKind::Word(word) => String::from_utf8(word).ok(),
        TokenKind::Open | TokenKind::Close => None,
    });
    let words: Vec<String> = words.collect::<Option<_>>()?;
    let mut words = &words[..];
    let mut shape = RunShape {
        words: Vec::new(),
        keys: Vec::new(),
        comments: Vec::new(),
        with_contenv: false,
        remark: String::new(),
        stops_at_failure: false,
    };
    loop {
        let texts: Vec<&str> = words.iter().take(4).map(String::as_str).collect();
        match &texts[..] {
            [first, _, ..]
                if is_overlay
                    && execline::base_name(first) == "with-contenv"
                    && !shape.with_contenv
                    && shape.keys.is_empty() =>
            {
                shape.with_contenv = true;
                words = &words[1..];
            }
            ["fdmove", "-c", "2", "1"] if words.len() > 4 && shape.keys.is_empty() => {
                shape.keys.push(("log.stderr".to_owned(), "stdout".into()));
                words = &words[4..];
            }
            _ => break,
        }
    }
    // A chain of several programs stays a script, which has a line for each.
    let lines = body.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let asks = words.first().is_some_and(|word| execline::base_name(word) == "s6-notifyoncheck");
    let others = usize::from(shape.with_contenv) + shape.keys.len() + usize::from(asks);
    let has_comments = body.lines().any(|line| line.trim_start().starts_with('#'));
    if lines.count() > others + 1 || has_comments || words.first().is_none_or(String::is_empty) {
        return None;
    }
    shape.words = words.to_vec();
    Some(shape)
}

#[cfg(test)]
mod tests {
    use super::run;

    fn words(text: &str) -> Option<(Vec<String>, bool)> {
        run(text, true).map(|shape| (shape.words, shape.with_contenv))
    }

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn one_program_is_an_array() {
        assert_eq!(
            words("#!/command/with-contenv bash\nexec web -p 80\n").unwrap(),
            (list(&["web", "-p", "80"]), true)
        );
        assert_eq!(
            words("#!/bin/sh\nexec s6-setuidgid app web").unwrap(),
            (list(&["s6-setuidgid", "app", "web"]), false)
        );
        let execline = "#!/command/execlineb -P\nwith-contenv\nfdmove -c 2 1\nweb -p 80\n";
        assert_eq!(words(execline).unwrap(), (list(&["web", "-p", "80"]), true));
    }

    #[test]
    fn surroundings_are_keys() {
        let text =
            "#!/bin/sh -e\n# The web server.\nexec 2>&1\ncd /srv/web\numask 027\nexport A='1 2'\nexec web\n";
        let shape = run(text, true).unwrap();
        let keys: Vec<&str> = shape.keys.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["workdir", "umask", "environment.A", "log.stderr"]);
        assert_eq!(shape.comments, ["The web server."]);
    }

    #[test]
    fn a_program_with_a_condition_has_only_if() {
        let only_if = |text: &str| {
            let shape = run(text, true)?;
            let (key, value) = shape.keys.into_iter().next()?;
            Some((key, format!("{value:?}"), shape.words.join(" ")))
        };
        let text =
            "#!/bin/sh\nif [ -n \"$A\" ]; then\n  exec web\nelse\n  echo no\n  exec sleep infinity\nfi\n";
        let expected = ("only-if".to_owned(), "Text(\"[ -n \\\"$A\\\" ]\")".to_owned(), "web".to_owned());
        assert_eq!(only_if(text).unwrap(), expected);
        let text =
            "#!/command/with-contenv bash\nif [[ -z $A ]]; then exec sleep infinity; else exec web; fi\n";
        let expected = (
            "only-if".to_owned(),
            "Text(\"#!/usr/bin/env bash\\n! { [[ -z $A ]]; }\\n\")".to_owned(),
            "web".to_owned(),
        );
        assert_eq!(only_if(text).unwrap(), expected);
        for other in [
            "#!/bin/sh\nif [ -n \"$1\" ]; then exec web; else exec sleep infinity; fi\n",
            "#!/bin/sh\nif [ -n \"$A\" ]; then web; else exec sleep infinity; fi\n",
            "#!/bin/sh\nif [ -n \"$A\" ]; then exec web; else exec other; fi\n",
            "#!/bin/sh\nif [ -n \"$A\" ]; then exec web; else rm x; exec sleep infinity; fi\n",
            "#!/bin/sh\nif [ -n \"$A\" ]; then exec web; fi\n",
        ] {
            assert!(run(other, true).is_none(), "{other}");
        }
    }

    #[test]
    fn other_scripts_stay() {
        for text in [
            "#!/bin/bash\nweb\n",
            "#!/bin/bash\nexec web $PORT\n",
            "#!/bin/bash\nexec -a x web\n",
            "#!/bin/bash\nexec web >/dev/null\n",
            "#!/bin/bash -l\nexec web\n",
            "#!/bin/bash\nset -o pipefail\nexec web\n",
            "#!/bin/bash\nexport PATH=/x\nexec web\n",
            "#!/bin/bash\nexport A=\nexec web\n",
            "#!/bin/bash\ncd srv\nexec web\n",
            "#!/bin/bash\ncd /a\ncd /b\nexec web\n",
            "#!/usr/bin/env bashio\nexec web\n",
            "#!/command/execlineb -S0\nweb\n",
            "#!/command/execlineb -P\nforeground { a } web\n",
            "#!/command/execlineb -P\nimportas A A\ncd $A\nweb\n",
            "#!/usr/bin/python3\nexec(web)\n",
            "exec web\n",
        ] {
            assert!(run(text, true).is_none(), "{text}");
        }
    }
}
