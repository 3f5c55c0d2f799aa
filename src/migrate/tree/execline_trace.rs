//! Follows a script of execline with known arguments, to find the commands that it runs. Nothing is started.

use super::test_result::holds;
use crate::execline::{self, Token, TokenKind, base_name};
use crate::shell::{TestWord, TracedCommand, as_the_kernel_splits, first_line};

/// A word of a command line, or a block.
#[derive(Debug, Clone)]
enum Item {
    Word(String),
    Block(Vec<Item>),
}

/// The commands that a script runs with these arguments, in order, if none of them fails. `None` if something else may decide
/// what it does.
pub(super) fn trace(text: &str, arguments: &[&str]) -> Option<Vec<TracedCommand>> {
    let words = as_the_kernel_splits(text.starts_with("#!").then(|| first_line(text))?);
    let [program, option] = &words[..] else { return None };
    let (has_arguments, is_plain) = (option.starts_with("-S"), option == "-P");
    if base_name(program) != "execlineb" || !has_arguments && !is_plain {
        return None;
    }
    let tokens = execline::tokens(text.split_once('\n')?.1.as_bytes()).ok()?;
    let arguments = if has_arguments { arguments } else { &[] };
    let items = items(&mut tokens.into_iter(), arguments)?;
    let mut commands = Vec::new();
    follow(&items, None, &mut commands)?;
    Some(commands)
}

/// The items up to the end of a block, with the arguments in their places.
fn items(tokens: &mut dyn Iterator<Item = Token>, arguments: &[&str]) -> Option<Vec<Item>> {
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        match token.kind {
            TokenKind::Open => found.push(Item::Block(items(tokens, arguments)?)),
            TokenKind::Close => break,
            TokenKind::Word(word) => {
                // A word has a blank before it for each block around it.
                let mut word = String::from_utf8(word.get(token.depth..)?.to_vec()).ok()?;
                for (number, argument) in (1..).zip(arguments) {
                    word = word
                        .replace(&format!("${{{number}}}"), argument)
                        .replace(&format!("${number}"), argument);
                }
                // Any other value is not known.
                (!word.contains('$')).then(|| found.push(Item::Word(word)))?;
            }
        }
    }
    Some(found)
}

/// Follows a command line whose output goes to a file, or where it went before. Returns whether it succeeds.
fn follow(items: &[Item], output: Option<&str>, commands: &mut Vec<TracedCommand>) -> Option<bool> {
    let Some((first, rest)) = items.split_first() else { return Some(true) };
    let Item::Word(program) = first else { return None };
    match (base_name(program), rest) {
        ("with-contenv" | "exec", rest) => follow(rest, output, commands),
        ("foreground", [Item::Block(block), rest @ ..]) => {
            follow(block, output, commands)?;
            follow(rest, output, commands)
        }
        ("if" | "ifelse", [Item::Word(option), rest @ ..]) if option == "-n" => {
            branch(base_name(program) == "if", false, rest, output, commands)
        }
        (name @ ("if" | "ifelse"), rest) => branch(name == "if", true, rest, output, commands),
        ("redirfd", [Item::Word(how), Item::Word(number), Item::Word(path), rest @ ..])
            if how == "-w" && number == "1" =>
        {
            follow(rest, Some(path), commands)
        }
        ("fdmove", [Item::Word(how), Item::Word(one), Item::Word(two), rest @ ..])
            if how == "-c" && one == "1" && two == "2" =>
        {
            follow(rest, output, commands)
        }
        ("eltest" | "s6-test" | "test", rest) if output.is_none() => {
            let word = |text: String| TestWord { text, is_value: false };
            let words = texts(rest).filter(|words| !words.iter().any(|word| word == "=="))?;
            holds(&words.into_iter().map(word).collect::<Vec<_>>())
        }
        ("true", _) if output.is_none() => Some(true),
        ("false", _) if output.is_none() => Some(false),
        _ => {
            let redirections = output.map(|path| (">".to_owned(), path.to_owned())).into_iter().collect();
            commands.push(TracedCommand { words: texts(items)?, redirections, is_end: true });
            Some(true)
        }
    }
}

/// Follows `if { … } …` or `ifelse { … } { … } …`.
fn branch(
    is_if: bool,
    expected: bool,
    rest: &[Item],
    output: Option<&str>,
    commands: &mut Vec<TracedCommand>,
) -> Option<bool> {
    let [Item::Block(condition), rest @ ..] = rest else { return None };
    // Its child would crash.
    (!condition.is_empty()).then_some(())?;
    let is_met = follow(condition, output, commands)? == expected;
    match (is_if, rest) {
        (true, rest) => {
            if is_met {
                follow(rest, output, commands)
            } else {
                Some(false)
            }
        }
        (false, [Item::Block(then), rest @ ..]) => follow(if is_met { then } else { rest }, output, commands),
        (false, _) => None,
    }
}

fn texts(items: &[Item]) -> Option<Vec<String>> {
    let text = |item: &Item| match item {
        Item::Word(word) => Some(word.clone()),
        Item::Block(_) => None,
    };
    items.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::trace;

    fn shown(body: &str, arguments: &[&str]) -> Option<Vec<String>> {
        let text = format!("#!/command/execlineb -S1\n{body}\n");
        let commands = trace(&text, arguments)?.into_iter().map(|command| {
            let to: String = command.redirections.iter().map(|(_, to)| format!(" >{to}")).collect();
            command.words.join("|") + &to
        });
        Some(commands.collect())
    }

    #[test]
    fn a_script_is_followed_with_its_arguments() {
        let body =
            "foreground { redirfd -w 1 /file echo ${1} }\nif { eltest ${1} -ne 0 -a $1 -ne 256 }\nhalt";
        assert_eq!(shown(body, &["3", "0"]).unwrap(), ["echo|3 >/file", "halt"]);
        assert_eq!(shown(body, &["256", "9"]).unwrap(), ["echo|256 >/file"]);
        let body = "ifelse { test $1 -eq 0 } { echo fine } if -n { eltest $1 -eq 256 } halt";
        assert_eq!(shown(body, &["0"]).unwrap(), ["echo|fine"]);
        assert_eq!(shown(body, &["7"]).unwrap(), ["halt"]);
        assert_eq!(shown(body, &["256"]).unwrap(), [""; 0]);
        for unknown in [
            "importas A { B } halt",
            "if { eltest -e /x } halt",
            "halt $A",
            "if { eltest $1 == 0 } halt",
            "if { } halt",
            "if { eltest $3 = web } halt",
            "ifthenelse { } { } { } halt $1 {",
        ] {
            assert_eq!(shown(unknown, &["0"]), None, "{unknown}");
        }
    }
}
