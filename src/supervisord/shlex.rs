//! Splits texts into words as Python's shlex does: a command as a POSIX shell would, and `environment` in its other mode.

use super::text::Unit;
use super::{Expanded, Piece};

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandWord {
    /// Its parts. An empty word has none.
    pub pieces: Vec<WordPiece>,
    /// The number of the line of the command, from 0, in which it begins.
    pub line: usize,
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordPiece {
    /// The part. Quotes and backslashes that have done their work are gone.
    pub piece: Piece,
    /// Whether it stands in quotes, so that supervisord does not split the value of a variable at blanks.
    pub is_quoted: bool,
}

impl CommandWord {
    /// The word as one text.
    pub fn text(&self) -> Expanded {
        let mut text = Expanded::default();
        for part in &self.pieces {
            text.push(part.piece.clone());
        }
        text
    }

    /// The variable, if the word is nothing but a variable without quotes. supervisord makes no, one or several words of it.
    pub fn bare_variable(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [WordPiece { piece: Piece::Variable(name), is_quoted: false }] => Some(name),
            _ => None,
        }
    }

    fn push(&mut self, unit: Unit, is_quoted: bool) {
        match (unit, self.pieces.last_mut()) {
            (Unit::Letter(letter), Some(WordPiece { piece: Piece::Plain(text), is_quoted: before }))
                if *before == is_quoted =>
            {
                text.push(letter);
            }
            (Unit::Letter(letter), _) => {
                self.pieces.push(WordPiece { piece: Piece::Plain(letter.to_string()), is_quoted });
            }
            (Unit::Open(piece), _) => self.pieces.push(WordPiece { piece: piece.clone(), is_quoted }),
        }
    }
}

/// What the next character of a command belongs to.
#[derive(Clone, Copy)]
enum Within {
    /// No word.
    Blanks,
    Word,
    Quotes(char),
    /// What follows a backslash, within quotes or not.
    Escape(Option<char>),
}

/// The most words of a command. With some more the system does not start it.
const MOST_WORDS: usize = 50_000;

/// Splits a command into words. supervisord does so when it starts the program.
///
/// # Errors
/// The reason why supervisord cannot start the program.
pub fn words(command: &Expanded) -> Result<Vec<CommandWord>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<CommandWord> = None;
    let mut within = Within::Blanks;
    let mut line = 0;
    for unit in command.units() {
        let letter = if let Unit::Letter(letter) = unit { Some(letter) } else { None };
        let open = |word: &mut Option<CommandWord>| {
            word.get_or_insert_with(|| CommandWord { pieces: Vec::new(), line });
        };
        within = match (within, letter) {
            (Within::Blanks | Within::Word, Some(' ' | '\t' | '\r' | '\n')) => {
                words.extend(word.take());
                if words.len() > MOST_WORDS {
                    return Err("the command has more than 50000 words, and s6gen reads no more");
                }
                Within::Blanks
            }
            (Within::Blanks | Within::Word, Some('\\')) => Within::Escape(None),
            (Within::Blanks | Within::Word, Some(quote @ ('"' | '\''))) => {
                open(&mut word);
                Within::Quotes(quote)
            }
            (Within::Blanks | Within::Word, _) => {
                open(&mut word);
                word.iter_mut().for_each(|word| word.push(unit, false));
                Within::Word
            }
            (Within::Quotes(quote), Some(letter)) if letter == quote => Within::Word,
            (Within::Quotes('"'), Some('\\')) => Within::Escape(Some('"')),
            (Within::Quotes(quote), _) => {
                word.iter_mut().for_each(|word| word.push(unit, true));
                Within::Quotes(quote)
            }
            (Within::Escape(quote), letter) => {
                open(&mut word);
                let is_kept = quote.is_some() && letter != quote && letter != Some('\\');
                let backslash = is_kept.then_some(Unit::Letter('\\'));
                for unit in backslash.into_iter().chain([unit]) {
                    word.iter_mut().for_each(|word| word.push(unit, quote.is_some() || letter.is_some()));
                }
                quote.map_or(Within::Word, Within::Quotes)
            }
        };
        line += usize::from(letter == Some('\n'));
    }
    match within {
        Within::Quotes(_) => return Err("a quotation mark has no second one"),
        Within::Escape(_) => return Err("there is nothing after the last `\\`"),
        Within::Blanks | Within::Word => words.extend(word),
    }
    if words.is_empty() { Err("the command is empty") } else { Ok(words) }
}

/// A token of `environment`.
pub(super) type EnvironmentToken<'t> = Vec<Unit<'t>>;

/// Splits the value of `environment` into tokens. Quotes stay, and what has to wait for the start counts as a letter.
pub(super) fn tokens<'t>(units: &[Unit<'t>]) -> Result<Vec<EnvironmentToken<'t>>, &'static str> {
    let mut tokens = Vec::new();
    let mut rest = units.iter().copied();
    let mut token: EnvironmentToken = Vec::new();
    let mut quote = None;
    while let Some(unit) = rest.next() {
        let letter = if let Unit::Letter(letter) = unit { letter } else { 'x' };
        if let Some(end) = quote {
            token.push(unit);
            if letter == end {
                quote = None;
                tokens.push(std::mem::take(&mut token));
            }
            continue;
        }
        match letter {
            ' ' | '\t' | '\r' | '\n' => tokens.extend(taken(&mut token)),
            // A comment does not end the word before it.
            '#' => drop(rest.by_ref().find(|unit| matches!(unit, Unit::Letter('\n')))),
            '"' | '\'' => {
                quote = Some(letter).filter(|_| token.is_empty());
                token.push(unit);
            }
            letter if letter.is_ascii_alphanumeric() || "_/.+-():".contains(letter) => token.push(unit),
            _ => {
                tokens.extend(taken(&mut token));
                tokens.push(vec![unit]);
            }
        }
    }
    if quote.is_some() {
        return Err("a quotation mark has no second one");
    }
    tokens.extend(taken(&mut token));
    Ok(tokens)
}

fn taken<'t>(token: &mut EnvironmentToken<'t>) -> Option<EnvironmentToken<'t>> {
    Some(std::mem::take(token)).filter(|token| !token.is_empty())
}
