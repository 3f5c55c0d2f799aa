//! Works out tests such as `"$1" -ne 0 -a "$1" -ne 256`, whose values are known.

use crate::shell::{TestWord, plain_number};

/// Whether a test holds. `None` if it asks for anything but texts and numbers.
pub(super) fn holds(words: &[TestWord]) -> Option<bool> {
    let mut test = Test { words, at: 0 };
    let result = test.any()?;
    (test.at == words.len()).then_some(result)
}

struct Test<'w> {
    words: &'w [TestWord],
    at: usize,
}

impl<'w> Test<'w> {
    fn operator(&self, distance: usize) -> &'w str {
        let word = self.words.get(self.at + distance).filter(|word| !word.is_value);
        word.map_or("", |word| word.text.as_str())
    }

    fn take(&mut self, operators: &[&str]) -> bool {
        let fits = operators.contains(&self.operator(0));
        self.at += usize::from(fits);
        fits
    }

    fn any(&mut self) -> Option<bool> {
        let mut result = self.all()?;
        while self.take(&["-o", "||"]) {
            result |= self.all()?;
        }
        Some(result)
    }

    fn all(&mut self) -> Option<bool> {
        let mut result = self.one()?;
        while self.take(&["-a", "&&"]) {
            result &= self.one()?;
        }
        Some(result)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take(&["!"]) {
            return self.one().map(|result| !result);
        }
        if self.take(&["("]) {
            let result = self.any()?;
            return self.take(&[")"]).then_some(result);
        }
        let text = |distance: usize| self.words.get(self.at + distance).map(|word| word.text.as_str());
        let (result, length) = match (self.operator(0), self.operator(1)) {
            (_, operator @ ("=" | "==" | "!=")) => ((text(0)? == text(2)?) == (operator != "!="), 3),
            (_, operator @ ("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge")) => {
                let number = |distance| plain_number(text(distance)?);
                let (left, right) = (number(0)?, number(2)?);
                let result = match operator {
                    "-eq" => left == right,
                    "-ne" => left != right,
                    "-lt" => left < right,
                    "-le" => left <= right,
                    "-gt" => left > right,
                    _ => left >= right,
                };
                (result, 3)
            }
            ("-n", _) => (!text(1)?.is_empty(), 2),
            ("-z", _) => (text(1)?.is_empty(), 2),
            _ => return None,
        };
        self.at += length;
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::holds;
    use crate::shell::TestWord;

    #[test]
    fn tests_of_texts_and_numbers_have_a_result() {
        let result = |text: &str| {
            let word = |text: &str| TestWord { text: text.to_owned(), is_value: false };
            holds(&text.split(' ').map(word).collect::<Vec<_>>())
        };
        for (text, expected) in [
            ("3 -ne 0 -a 3 -ne 256", Some(true)),
            ("256 -ne 0 && 256 -ne 256", Some(false)),
            ("1 -eq 2 -o 1 -lt 2 -a 2 -ge 2", Some(true)),
            ("! ( a = b || a == a )", Some(false)),
            ("-n x -a ! -z x", Some(true)),
            ("-e /x", None),
            ("x -ne 0", None),
            ("8 -eq 010", None),
            ("1 -eq 1 1", None),
        ] {
            assert_eq!(result(text), expected, "{text}");
        }
    }
}
