//! execline: its lexer, with which `s6-rc-compile` reads `up`, `down` and `reload` and `execlineb` reads scripts, and the way
//! in which its programs use the rest of their command line.
//!
//! It is not a shell: there are only words, double quotes, escapes, comments, and blocks in braces. In the result a word
//! inside blocks begins with one space for each level. The end of a block is a word of only spaces, those of the level around
//! it.

mod programs;
mod variables;

pub use programs::{
    CallPlace, ENDS, ExeclineCall, SHELLS, SUBSTITUTES, Swallowed, base_name, calls, code_words,
    is_assignment, is_redirection, runs_its_arguments, runs_scripts, script_words, swallowed,
};
pub use variables::imported;

use std::ops::Range;

/// Why a text is not a valid command line, with the place of the error.
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
    /// The last byte, at this offset, needs something after it.
    CutShort(usize),
    /// With the word that ends at this offset, the words are more than s6gen keeps.
    TooMuch(usize),
}

/// The largest size of the words of a command line, in bytes. A word gets one more for every block around it, so without a
/// limit a short text can fill the memory.
pub const MOST_BYTES: usize = 64 << 20;
/// The approximate size of a word without its bytes.
const WORD_BYTES: usize = 64;

impl Refusal {
    /// The bytes of the error.
    pub fn span(self) -> Range<usize> {
        match self {
            Refusal::NumericEscape(at) => at..at + 4,
            Refusal::UnmatchedClose(at)
            | Refusal::UnmatchedOpen(at)
            | Refusal::OpenQuote(at)
            | Refusal::CutShort(at)
            | Refusal::TooMuch(at) => at..at + 1,
        }
    }

    /// The error as the end of a sentence, and the text for its place.
    pub fn explained(self) -> (&'static str, &'static str) {
        match self {
            Refusal::UnmatchedClose(_) => {
                ("closes a block that was never opened", "there is no `{` for this")
            }
            Refusal::UnmatchedOpen(_) => ("opens a block and never closes it", "there is no `}` for this"),
            Refusal::OpenQuote(_) => ("ends inside a quoted text", "this quote is never closed"),
            Refusal::NumericEscape(_) => (
                "has a numeric escape that is not a byte from 1 to 255",
                "`\\65`, `\\0101` and `\\0x41` are the letter A",
            ),
            Refusal::CutShort(_) => ("ends too early", "something must follow this"),
            Refusal::TooMuch(_) => ("has more words or deeper blocks than s6gen reads", "up to here"),
        }
    }
}

/// A word of a command line, or a brace around a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The bytes of the text that it comes from, with quotes and escapes.
    pub span: Range<usize>,
    /// The number of blocks around it. A brace is outside of its own block.
    pub depth: usize,
    /// Its kind.
    pub kind: TokenKind,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// A word, as the program gets it, without the spaces for its depth.
    Word(Vec<u8>),
    /// The brace that begins a block.
    Open,
    /// The brace that ends one.
    Close,
}

/// The tokens of the command line `text`, up to its end or its first NUL.
///
/// # Errors
/// The first error in it.
pub fn tokens(text: &[u8]) -> Result<Vec<Token>, Refusal> {
    limited_tokens(text, &mut MOST_BYTES.clone())
}

/// The tokens of a command line. Subtracts their size from `left`, the bytes that the words may still take.
fn limited_tokens(text: &[u8], left: &mut usize) -> Result<Vec<Token>, Refusal> {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    let mut lexer = Lexer {
        text: &text[..end],
        at: 0,
        start: 0,
        word: Vec::new(),
        tokens: Vec::new(),
        open: Vec::new(),
        left,
    };
    lexer.run()?;
    match lexer.open.last() {
        Some(brace) => Err(Refusal::UnmatchedOpen(*brace)),
        None => Ok(lexer.tokens),
    }
}

/// The words that `s6-rc-compile` makes of the command line `text`.
///
/// # Errors
/// The first error in it.
pub fn words(text: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    words_within(text, &mut MOST_BYTES.clone())
}

/// The words of a command line like [`words`]. Subtracts their size from `left`, which begins at
/// [`MOST_BYTES`] and may be shared by many command lines.
///
/// # Errors
/// The first error in it.
pub fn words_within(text: &[u8], left: &mut usize) -> Result<Vec<Vec<u8>>, Refusal> {
    limited_tokens(text, left).map(arguments)
}

/// Turns the tokens of a whole command line into arguments, as `s6-rc-compile` stores them.
pub fn arguments(tokens: Vec<Token>) -> Vec<Vec<u8>> {
    let argument = |token: Token| match token.kind {
        TokenKind::Word(word) => Some(word),
        TokenKind::Open => None,
        TokenKind::Close => Some(vec![b' '; token.depth]),
    };
    tokens.into_iter().filter_map(argument).collect()
}

/// A token as written, with its position on the line.
#[derive(Debug, Clone, Copy)]
pub struct ExeclineWord<'a> {
    /// Offset in the text.
    pub start: usize,
    /// As written, quotes included; a brace of a block is `{` or `}`.
    pub text: &'a str,
    /// The number of blocks around it.
    pub depth: usize,
    /// Whether it is the first word of its line.
    pub first_of_line: bool,
    /// Whether its line begins with blanks, or the line before ends with a backslash.
    pub continues: bool,
}

impl ExeclineWord<'_> {
    /// Its bytes.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The word as the program gets it. `None` if something may be put into it when the script runs.
    pub fn plain(&self) -> Option<String> {
        let inner = self.text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(self.text);
        (!inner.contains(['"', '\\', '$'])).then(|| inner.to_owned())
    }

    /// Whether something in it is quoted.
    pub fn is_quoted(&self) -> bool {
        self.text.contains(['"', '\\'])
    }

    /// The last component of a path: the name of the program.
    pub fn program(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or(self.text)
    }
}

/// The tokens of `text` as written. An invalid text has none.
pub fn written(text: &str) -> Vec<ExeclineWord<'_>> {
    let mut before = 0;
    let word = |token: Token| {
        // A word that begins with a brace may begin before the end of the last token.
        let gap = text.get(before..token.span.start).unwrap_or_default();
        let newline = gap.rfind('\n');
        let continues = newline.is_some_and(|at| {
            gap[..at].trim_end_matches('\r').ends_with('\\') || gap[at + 1..].starts_with([' ', '\t'])
        });
        let first_of_line = before == 0 || newline.is_some();
        before = token.span.end;
        let (start, depth) = (token.span.start, token.depth);
        text.get(token.span).map(|text| ExeclineWord { start, text, depth, first_of_line, continues })
    };
    tokens(text.as_bytes()).unwrap_or_default().into_iter().filter_map(word).collect()
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// The offset of the word that is being read.
    start: usize,
    /// The word that is being read. Between words it is empty, or a brace before a backslash and a newline.
    word: Vec<u8>,
    tokens: Vec<Token>,
    /// The offsets of the open braces.
    open: Vec<usize>,
    /// How many bytes the tokens may still take.
    left: &'a mut usize,
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

    /// Begins a word at `start`. After a brace with a backslash and a newline, this is called twice for one word.
    fn begin_word(&mut self, start: usize) {
        if self.word.is_empty() {
            self.start = start;
        }
        self.word.extend(std::iter::repeat_n(b' ', self.open.len()));
    }

    fn finish_word(&mut self, end: usize) -> Result<(), Refusal> {
        let kind = TokenKind::Word(std::mem::take(&mut self.word));
        self.add(self.start..end, kind)
    }

    fn add(&mut self, span: Range<usize>, kind: TokenKind) -> Result<(), Refusal> {
        // The end of a block becomes a word as well.
        let length = if let TokenKind::Word(word) = &kind { word.len() } else { self.open.len() };
        let left = self.left.checked_sub(WORD_BYTES + length).ok_or(Refusal::TooMuch(span.end - 1))?;
        *self.left = left;
        self.tokens.push(Token { span, depth: self.open.len(), kind });
        Ok(())
    }

    /// Reads from a place between two words.
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
                        self.begin_word(self.at - 2);
                        self.word.push(byte);
                        self.inside_word()?;
                    }
                },
                b'{' | b'}' => self.brace(byte)?,
                _ => {
                    self.at -= 1;
                    self.begin_word(self.at);
                    self.inside_word()?;
                }
            }
        }
        Ok(())
    }

    /// Reads on after a brace at a place where a word can begin.
    fn brace(&mut self, brace: u8) -> Result<(), Refusal> {
        let start = self.at - 1;
        match self.peek() {
            Some(b'\\') => {
                self.at += 1;
                self.begin_word(start);
                self.word.push(brace);
                match self.next() {
                    None => self.word.clear(),
                    Some(b'\n') => {}
                    Some(byte) => {
                        self.begin_word(start);
                        self.word.push(byte);
                        self.inside_word()?;
                    }
                }
                Ok(())
            }
            Some(byte) if !is_blank(byte) => {
                self.begin_word(start);
                self.word.push(brace);
                self.inside_word()
            }
            None if brace == b'{' => Err(Refusal::CutShort(start)),
            _ if brace == b'{' => {
                self.add(start..start + 1, TokenKind::Open)?;
                self.open.push(start);
                Ok(())
            }
            _ => {
                self.open.pop().ok_or(Refusal::UnmatchedClose(start))?;
                if self.word.is_empty() {
                    self.add(start..start + 1, TokenKind::Close)
                } else {
                    self.begin_word(start);
                    self.finish_word(self.at)
                }
            }
        }
    }

    fn inside_word(&mut self) -> Result<(), Refusal> {
        let end = loop {
            match self.next() {
                None => break self.at,
                Some(byte) if is_blank(byte) => break self.at - 1,
                Some(b'\\') => {
                    let escaped = self.next().ok_or(Refusal::CutShort(self.at - 1))?;
                    self.word.push(escaped);
                }
                Some(b'"') => self.inside_quotes()?,
                Some(byte) => self.word.push(byte),
            }
        };
        self.finish_word(end)
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
                        // A text that ends directly after a numeric escape is accepted, although its quotes are open.
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
        let words = arguments(tokens(text.as_bytes()).unwrap());
        words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    fn refusal(text: &str) -> Refusal {
        tokens(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn words_in_blocks_are_marked_by_spaces() {
        assert_eq!(lex("if { if { true } echo } x\n"), ["if", " if", "  true", " ", " echo", "", "x"]);
        assert_eq!(lex("{ }"), [""]);
    }

    #[test]
    fn tokens_have_a_place_and_a_depth() {
        let text = "if { test -e \"/a b\" } # no\nx é\\\n y";
        let tokens: Vec<_> = tokens(text.as_bytes())
            .unwrap()
            .into_iter()
            .map(|token| (&text[token.span], token.depth))
            .collect();
        let words = [
            ("if", 0),
            ("{", 0),
            ("test", 1),
            ("-e", 1),
            ("\"/a b\"", 1),
            ("}", 0),
            ("x", 0),
            ("é\\\n", 0),
            ("y", 0),
        ];
        assert_eq!(tokens, words);
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
    fn a_brace_needs_a_blank_after_it() {
        assert_eq!(lex("{foo bar} {} }b {# \\{"), ["{foo", "bar}", "{}", "}b", "{#", "{"]);
        assert_eq!(lex("{\\\nfoo"), ["{foo"]);
        assert!(lex("{\\").is_empty());
        assert_eq!(refusal("if {"), Refusal::CutShort(3));
    }

    #[test]
    fn escapes_work_in_quotes() {
        assert_eq!(lex(r#""\65\066\10x" "\0101" "\0x41" "\q""#), ["A6\nx", "A", "A", "q"]);
        assert_eq!(lex("a\"b\\\nc\"\"\""), ["abc"]);
        assert_eq!(lex("\"\\65"), ["A"]);
        assert_eq!(arguments(tokens(b"\"\\255\"").unwrap()), [[255]]);
    }

    #[test]
    fn an_error_has_its_offset() {
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
