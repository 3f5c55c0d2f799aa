//! Tests the reader of shell scripts.

use std::iter::repeat_n;

use s6gen::shell::ShellScript;

/// A text with deeply nested parts.
fn nested(open: &str, inner: &str, close: &str) -> String {
    let times = 2_000;
    repeat_n(open, times).chain([inner]).chain(repeat_n(close, times)).collect()
}

#[test]
fn the_program_of_a_simple_command_is_found_with_its_place() {
    let text = "# first\n< in >out 'my server' \"$A\"; # last\n";
    let script = ShellScript::read(text).unwrap();
    let command = script.only_command().unwrap();
    assert!(!command.has_assignments());
    let name = command.name().unwrap();
    assert_eq!(&text[name.span()], "'my server'");
    assert!(!name.is_program(), "a blank in a name is no common thing");
}

#[test]
fn a_word_is_certainly_the_name_of_a_program_or_not() {
    let programs = [
        "web",
        "./web",
        "~/bin/web",
        "'web'",
        "\"web\"",
        "$HOME/web",
        "\"$A\"/b",
        "\"$A/b\"",
        "${A}/b",
        "cat",
        "g++",
    ];
    let anything = [
        "$web",
        "\"$web\"",
        "${A:-/bin/web}",
        "$(which /bin/web)",
        "`/bin/web`",
        "cd",
        "'cd'",
        "c\\d",
        "c''d",
        "time",
        "test",
        ":",
        "coproc",
        "$'cd'",
        "*",
    ];
    let is_program = |word: &str| {
        let text = format!("{word} argument");
        let script = ShellScript::read(&text).unwrap_or_else(|| panic!("{text}"));
        script.only_command().and_then(|command| command.name()).is_some_and(|name| name.is_program())
    };
    assert_eq!(programs.iter().filter(|word| !is_program(word)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(anything.iter().filter(|word| is_program(word)).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn a_here_document_in_the_middle_of_a_list_does_not_end_it() {
    for list in ["&& exec web", "|| exec web", "2>/dev/null && web", "| grep x"] {
        let text = format!("cat > /etc/web.conf <<EOF {list}\nlisten 80\nEOF\n");
        let script = ShellScript::read(&text).unwrap();
        assert!(script.only_command().is_none() && script.endings().is_empty(), "{text}");
    }
    let text = "web --config - <<EOF 2>&1\nlisten 80\nEOF\n";
    assert!(ShellScript::read(text).unwrap().only_command().is_some());
}

#[test]
fn a_script_that_is_made_to_be_slow_is_read_or_refused() {
    for (open, inner, close) in [
        ("a=(", "", ""),
        ("(", "a", ")"),
        ("(", "", ""),
        ("a $(", "b", ")"),
        ("\"$(", "b", ")\""),
        ("{ ", "a", "; }"),
        ("if ", "a", "; then b; fi"),
        ("echo ${a:-", "b", "}"),
        ("`", "", ""),
        ("case x in a) ", "", ""),
        ("[[ ! ", "", ""),
        ("((", "1", "))"),
        ("a | ", "b", ""),
        ("cat <<A\n", "", ""),
    ] {
        let text = nested(open, inner, close);
        let _ = ShellScript::read(&text)
            .and_then(|script| script.only_command().map(|command| command.has_assignments()));
    }
}

/// The parser looks large characters behind a `{` up in a table of the C library, beyond its end.
#[test]
fn characters_of_every_size_are_read_in_every_place() {
    for large in ['é', '→', '\u{20000}', '\u{10fffd}'] {
        for script in [
            format!("{{{large}"),
            format!("echo {{{large}}} a{large}b"),
            format!("echo {{1..{large}}}; x={large}"),
        ] {
            let _ = ShellScript::read(&script);
        }
        let text = format!("exec a{large}b --c");
        let script = ShellScript::read(&text).unwrap();
        assert_eq!(script.only_command().unwrap().name().unwrap().as_written(), "exec");
        assert!(
            ShellScript::read(&format!("{large}=1")).unwrap().only_command().is_some(),
            "this is no assignment"
        );
    }
}
