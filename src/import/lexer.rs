//! execline's lexer, by which `s6-rc-compile` turns `up`, `down` and `reload` into words.
//!
//! There is no shell in it: words, double quotes, escapes, comments, and blocks in braces. A word inside blocks is
//! marked by one space in front per level, and the end of a block by a word that has nothing but the spaces of the
//! level around it.

/// Why a text is no command line, and the bytes to point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A `}` at this offset closes nothing.
    UnmatchedClose(usize),
    /// The block that opens at this offset is never closed.
    UnmatchedOpen(usize),
    /// The double quote at this offset is never closed.
    OpenQuote(usize),
    /// The numeric escape that starts at this offset has no digits, or its value is not a byte from 1 to 255.
    NumericEscape(usize),
    /// The last byte, at this offset, needs something behind it.
    CutShort(usize),
}

/// The words of the command line `text`, up to its end or its first NUL.
///
/// # Errors
/// The first thing that makes it invalid.
pub fn words(text: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    let mut lexer =
        Lexer { text: &text[..end], at: 0, word: Vec::new(), words: Vec::new(), open: Vec::new() };
    lexer.run()?;
    match lexer.open.last() {
        Some(brace) => Err(Refusal::UnmatchedOpen(*brace)),
        None => Ok(lexer.words),
    }
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// The word that is being read. Between words it is empty, or a brace that a backslash and a newline follow.
    word: Vec<u8>,
    words: Vec<Vec<u8>>,
    /// Offsets of the braces that are open.
    open: Vec<usize>,
}

fn is_blank(byte: u8) -> bool {
    (1..=32).contains(&byte)
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn finish_word(&mut self) {
        let mut word = vec![b' '; self.open.len()];
        word.append(&mut self.word);
        self.words.push(word);
    }

    /// Between words.
    fn run(&mut self) -> Result<(), Refusal> {
        while let Some(byte) = self.next() {
            match byte {
                byte if is_blank(byte) => {}
                b'#' => {
                    let rest = &self.text[self.at..];
                    self.at +=
                        rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |newline| newline + 1);
                }
                b'\\' => match self.next() {
                    None | Some(b'\n') => {}
                    Some(byte) => {
                        self.word.push(byte);
                        self.inside_word()?;
                    }
                },
                b'{' | b'}' => self.brace(byte)?,
                _ => {
                    self.at -= 1;
                    self.inside_word()?;
                }
            }
        }
        Ok(())
    }

    /// Behind a brace that stands where a word could begin.
    fn brace(&mut self, brace: u8) -> Result<(), Refusal> {
        let start = self.at - 1;
        match self.peek() {
            Some(byte) if !is_blank(byte) => {
                if byte == b'\\' {
                    match self.text.get(self.at + 1) {
                        None => {
                            self.at += 1;
                            return Ok(());
                        }
                        Some(b'\n') => {
                            self.word.push(brace);
                            self.at += 2;
                            return Ok(());
                        }
                        Some(_) => {}
                    }
                }
                self.word.push(brace);
                self.inside_word()
            }
            None if brace == b'{' => Err(Refusal::CutShort(start)),
            _ if brace == b'{' => {
                self.open.push(start);
                Ok(())
            }
            _ => {
                self.open.pop().ok_or(Refusal::UnmatchedClose(start))?;
                self.finish_word();
                Ok(())
            }
        }
    }

    fn inside_word(&mut self) -> Result<(), Refusal> {
        loop {
            match self.next() {
                None => break,
                Some(byte) if is_blank(byte) => break,
                Some(b'\\') => {
                    let escaped = self.next().ok_or(Refusal::CutShort(self.at - 1))?;
                    self.word.push(escaped);
                }
                Some(b'"') => self.inside_quotes()?,
                Some(byte) => self.word.push(byte),
            }
        }
        self.finish_word();
        Ok(())
    }

    fn inside_quotes(&mut self) -> Result<(), Refusal> {
        let start = self.at - 1;
        loop {
            match self.next().ok_or(Refusal::OpenQuote(start))? {
                b'"' => return Ok(()),
                b'\\' => match self.next().ok_or(Refusal::OpenQuote(start))? {
                    b'\n' => {}
                    b'a' => self.word.push(7),
                    b'b' => self.word.push(8),
                    b't' => self.word.push(9),
                    b'n' => self.word.push(10),
                    b'v' => self.word.push(11),
                    b'f' => self.word.push(12),
                    b'r' => self.word.push(13),
                    digit @ b'0'..=b'9' => {
                        self.numeric_escape(digit)?;
                        // A text that ends right behind a numeric escape counts as quoted to its end.
                        if self.peek().is_none() {
                            return Ok(());
                        }
                    }
                    byte => self.word.push(byte),
                },
                byte => self.word.push(byte),
            }
        }
    }

    fn numeric_escape(&mut self, first: u8) -> Result<(), Refusal> {
        let start = self.at - 2;
        let (radix, most) = match (first, self.peek()) {
            (b'0', Some(b'x')) => {
                self.at += 1;
                (16, 2)
            }
            (b'0', _) => (8, 3),
            _ => {
                self.at -= 1;
                (10, 3)
            }
        };
        let mut digits = 0;
        let mut value: u32 = 0;
        while digits < most {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(radix)) else { break };
            value = value * radix + digit;
            digits += 1;
            self.at += 1;
        }
        match u8::try_from(value) {
            Ok(byte) if byte != 0 => {
                self.word.push(byte);
                Ok(())
            }
            _ => Err(Refusal::NumericEscape(start)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(text: &str) -> Vec<String> {
        words(text.as_bytes()).unwrap().into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    fn refusal(text: &str) -> Refusal {
        words(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn words_in_blocks_are_marked_by_spaces() {
        assert_eq!(lex("if { if { true } echo } x\n"), ["if", " if", "  true", " ", " echo", "", "x"]);
        assert_eq!(lex("{ }"), [""]);
    }

    #[test]
    fn a_shebang_is_a_comment_and_lines_do_not_matter() {
        assert_eq!(
            lex("#!/bin/sh\n/usr/bin/thing --x\necho \"a b\"\n"),
            ["/usr/bin/thing", "--x", "echo", "a b"]
        );
        assert!(lex("").is_empty());
        assert!(lex("# only a comment").is_empty());
    }

    #[test]
    fn a_brace_needs_a_blank_behind_it() {
        assert_eq!(lex("{foo bar} {} }b {# \\{"), ["{foo", "bar}", "{}", "}b", "{#", "{"]);
        assert_eq!(lex("{\\\nfoo"), ["{foo"]);
        assert!(lex("{\\").is_empty());
        assert_eq!(refusal("if {"), Refusal::CutShort(3));
    }

    #[test]
    fn quotes_know_escapes() {
        assert_eq!(lex(r#""\65\066\10x" "\0101" "\0x41" "\q""#), ["A6\nx", "A", "A", "q"]);
        assert_eq!(lex("a\"b\\\nc\"\"\""), ["abc"]);
        assert_eq!(lex("\"\\65"), ["A"]);
        assert_eq!(words(b"\"\\255\""), Ok(vec![vec![255]]));
    }

    #[test]
    fn a_refusal_says_where() {
        assert_eq!(refusal("true }\n"), Refusal::UnmatchedClose(5));
        assert_eq!(refusal("if { true\n"), Refusal::UnmatchedOpen(3));
        assert_eq!(refusal("echo \"abc"), Refusal::OpenQuote(5));
        assert_eq!(refusal("echo \"\\256\""), Refusal::NumericEscape(6));
        assert_eq!(refusal("echo \"\\0\""), Refusal::NumericEscape(6));
        assert_eq!(refusal("echo a\\"), Refusal::CutShort(6));
    }

    #[test]
    fn the_text_ends_at_the_first_nul() {
        assert_eq!(lex("echo a\0 } \""), ["echo", "a"]);
    }
}
