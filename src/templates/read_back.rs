//! Recognises what the templates wrote.

use super::{IF_ROOT, JOINED, ONLY_ROOT, SET_VARIABLE, execline_word};

/// The number of words at the beginning of `words` that run the rest only as root, or leave a part of it out without root.
pub fn is_root_wrapper(words: &[String]) -> usize {
    match words {
        [shell, option, script, name, _] if shell == "sh" && option == "-c" && name == "sh" => {
            if script == IF_ROOT {
                5
            } else if script == ONLY_ROOT {
                4
            } else {
                0
            }
        }
        _ => 0,
    }
}

/// Whether a generated script looks whether it runs as root.
pub fn has_root_wrapper(script: &str) -> bool {
    [IF_ROOT, ONLY_ROOT].iter().any(|wrapper| script.contains(&execline_word(wrapper)))
}

/// Whether these words make a variable of the container of the output before them.
pub fn sets_variable(words: &[String]) -> bool {
    matches!(words, [_, _, _, script, _, _] if script == SET_VARIABLE)
}

/// The parts of an argument list that joins texts and secrets: `sh -c … sh TEXT NAME TEXT`. `None` for any other one.
pub fn joined_parts(words: &[String]) -> Option<&[String]> {
    match words {
        [_, _, script, _, parts @ ..] if script == JOINED => Some(parts),
        _ => None,
    }
}

/// The words of which [`sh_word`](super::sh_word) made the beginning of a text, up to the end of their line.
pub fn sh_words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut rest = text;
    loop {
        let end = rest.find(['\'', '\\', ' ', '\n']).unwrap_or(rest.len());
        word.push_str(&rest[..end]);
        let behind = rest.get(end + 1..).unwrap_or_default();
        match rest[end..].chars().next() {
            Some('\'') => {
                let (inside, after) = behind.split_once('\'')?;
                word.push_str(inside);
                rest = after;
            }
            // Between quotes, only a quote has a backslash.
            Some('\\') => {
                word.push('\'');
                rest = behind.strip_prefix('\'')?;
            }
            Some(' ') => {
                words.push(std::mem::take(&mut word));
                rest = behind;
            }
            _ => {
                words.push(word);
                return Some(words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sh_word;
    use super::sh_words;

    #[test]
    fn words_for_a_shell_are_found_again() {
        let words = ["a", "", "it's", "a\nb", "\\", "' '", "$(x)"].map(str::to_owned).to_vec();
        let line: Vec<String> = words.iter().map(|word| sh_word(word)).collect();
        assert_eq!(sh_words(&(line.join(" ") + "\nexit 0\n")), Some(words));
    }
}
