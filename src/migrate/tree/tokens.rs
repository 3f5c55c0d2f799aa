//! Reads the tokens of generated execline scripts, without what only the target adds.

use crate::execline::{self, Token, TokenKind};
use crate::templates::{is_root_wrapper, sets_variable, unescaped};

/// The tokens of a generated script.
pub(super) struct GeneratedTokens {
    pub(super) tokens: Vec<Token>,
    /// Where the last line begins, which is the command itself.
    pub(super) last_line: usize,
    /// The variable of the container that gets the output of the command.
    pub(super) sets: Option<String>,
}

/// The word of a token, which has a blank before it for each block around it.
pub(super) fn word(token: &Token) -> Option<&str> {
    match &token.kind {
        TokenKind::Word(word) => str::from_utf8(word.get(token.depth..)?).ok(),
        TokenKind::Open | TokenKind::Close => None,
    }
}

/// The words of all these tokens.
pub(super) fn words(tokens: &[Token]) -> Vec<String> {
    tokens.iter().filter_map(word).map(str::to_owned).collect()
}

impl GeneratedTokens {
    /// Reads a script behind its first line. `None` if it is not execline.
    pub(super) fn of(text: &str) -> Option<Self> {
        let body =
            text.strip_prefix("#!").and_then(|rest| rest.split_once('\n')).map_or(text, |(_, body)| body);
        let mut tokens = execline::tokens(body.as_bytes()).ok()?;
        let mut end = body.len();
        let sets = take_sets(&mut tokens, &mut end);
        // A word may have line ends in it.
        let is_between = |at: &usize| !tokens.iter().any(|token| token.span.contains(at));
        let mut line_ends = body[..end].trim_end().rmatch_indices('\n').map(|(at, _)| at);
        let last_line = line_ends.find(is_between).map_or(0, |at| at + 1);
        remove_root_wrappers(&mut tokens);
        unescape(&mut tokens);
        Some(GeneratedTokens { tokens, last_line, sets })
    }

    /// The words of the last line.
    pub(super) fn command(&self) -> Vec<String> {
        let start = self.tokens.iter().take_while(|token| token.span.start < self.last_line).count();
        words(&self.tokens[start..])
    }
}

/// Takes out what makes a variable of the output of the command: `backtick -N NAME { COMMAND } sh -e -c … sh NAME`.
fn take_sets(tokens: &mut Vec<Token>, end: &mut usize) -> Option<String> {
    let close = tokens.len().checked_sub(7)?;
    let behind = words(&tokens[close + 1..]);
    if tokens[close].kind != TokenKind::Close || !sets_variable(&behind) {
        return None;
    }
    let depth = tokens[close].depth;
    let is_open = |token: &Token| token.kind == TokenKind::Open && token.depth == depth;
    let open = tokens[..close].iter().rposition(is_open)?;
    *end = tokens[close].span.start;
    tokens.truncate(close);
    tokens.drain(open.checked_sub(3)?..=open);
    behind.into_iter().next_back()
}

/// Removes the words that let a start without root leave out what needs root.
fn remove_root_wrappers(tokens: &mut Vec<Token>) {
    let mut at = 0;
    while at < tokens.len() {
        let length = is_root_wrapper(&words(&tokens[at..tokens.len().min(at + 5)]));
        match length {
            0 => at += 1,
            _ => drop(tokens.drain(at..at + length)),
        }
    }
}

/// Gives the words behind the values of variables the form that they have in the manifest.
fn unescape(tokens: &mut [Token]) {
    let is_start = |token: &Token| word(token) == Some("multisubstitute");
    let Some(start) = tokens.iter().position(is_start) else { return };
    let block = tokens[start + 1..].iter().take_while(|token| token.kind != TokenKind::Close).count();
    let (block, behind) = tokens[start + 1..].split_at_mut(block);
    let block = words(block);
    let is_import = |option: &str| ["-D", "-i"].contains(&option);
    let imports =
        block.windows(2).enumerate().filter(|(_, pair)| pair[0] == "importas" && is_import(&pair[1]));
    let names = imports.filter_map(|(at, pair)| block.get(at + if pair[1] == "-D" { 3 } else { 2 }));
    let names: Vec<String> = names.cloned().collect();
    for token in behind {
        let depth = token.depth;
        let Some(text) = word(token).map(|text| unescaped(text, &names)) else { continue };
        if let TokenKind::Word(word) = &mut token.kind {
            word.truncate(depth);
            word.extend(text.into_bytes());
        }
    }
}
