//! Finds the variables that `importas` takes from the environment although nothing before it has set them.

use super::base_name;

/// Programs after which any variable may be set.
const SETS_ANYTHING: &[&str] = &[
    "elgetopt",
    "env",
    "envfile",
    "export-array",
    "homeof",
    "s6-env",
    "s6-envdir",
    "s6-envuidgid",
    "with-contenv",
];
/// Programs that set the variable that they name, in the first word after their options or in the value of `-i`.
const SETS_ONE: &[&str] =
    &["backtick", "export", "forbacktickx", "forstdin", "forx", "getcwd", "getpid", "withstdinas"];

/// The positions of the names that an `importas` without a default takes and that nothing in the text sets. `None` stands for a
/// word that is known only at run time.
pub fn imported(words: &[Option<&str>]) -> Vec<usize> {
    let mut set = Vec::new();
    let mut taken = Vec::new();
    for (number, word) in words.iter().enumerate() {
        let Some(program) = word.map(base_name) else { continue };
        if SETS_ANYTHING.contains(&program) {
            return Vec::new();
        }
        if SETS_ONE.contains(&program) {
            set.extend(words[number + 1..].iter().find(|word| !is_option(word)).copied().flatten());
        }
        if program == "importas" {
            taken.extend(name_of(words, number + 1));
        }
    }
    taken.retain(|number| words[*number].is_some_and(|name| !set.contains(&name)));
    taken
}

/// The position of the name of the variable, if there is no default. `-S` stands for a name that is the same on both sides.
fn name_of(words: &[Option<&str>], mut at: usize) -> Option<usize> {
    let mut is_short = false;
    while let Some(option) = words.get(at)?.filter(|word| is_option(&Some(word))) {
        at += 1 + usize::from(option.ends_with('d'));
        is_short |= option.contains('S');
        if option.contains('D') {
            return None;
        }
    }
    let number = if is_short { at } else { at + 1 };
    words.get(number)?.map(|_| number)
}

fn is_option(word: &Option<&str>) -> bool {
    word.is_some_and(|word| word.starts_with('-') && word.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execline::{ExeclineWord, written};

    fn names(text: &str) -> Vec<String> {
        let words = written(text);
        let plain: Vec<Option<String>> = words.iter().map(ExeclineWord::plain).collect();
        let texts: Vec<Option<&str>> = plain.iter().map(Option::as_deref).collect();
        imported(&texts).into_iter().map(|number| texts[number].unwrap().to_owned()).collect()
    }

    #[test]
    fn importas_takes_what_nothing_sets() {
        assert_eq!(names("importas -i port WEB_PORT web ${port}"), ["WEB_PORT"]);
        assert_eq!(names("importas -iS A multisubstitute { importas -d , B B } x"), ["A", "B"]);
        for text in [
            "importas -D 80 A A x",
            "importas -uD 80 A A x",
            "with-contenv importas -i A A x",
            "s6-envdir /run/env importas -i A A x",
            "backtick -n A { date } importas -i A A x",
            "export A b importas -i A A x",
            "forx A { b c } importas -i A A x",
        ] {
            assert_eq!(names(text), [] as [&str; 0], "{text}");
        }
    }
}
