//! The search term in `FIND {…}` (words, phrases, wildcards, `OR`, `AND`, `AND NOT`), and what it matches.

use crate::error::ApiError;

/// A search term.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Term {
    All(Vec<Term>),
    Any(Vec<Term>),
    Not(Box<Term>),
    /// A word or a phrase. Unescaped `*` and `?` are wildcards.
    Word(Vec<Piece>),
    /// Matches nothing: Salesforce returns no rows for an unescaped `+`.
    Nothing,
}

/// A character or a wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Char(char),
    Many,
    One,
}

/// Characters that must be escaped because they have a meaning. So does `+`, which returns no rows.
const RESERVED: &str = "&|![]^~:'-";

/// Parses a search term. `start` is its offset in `source`, for messages.
pub(crate) fn read(source: &str, start: usize, text: &str) -> Result<Term, ApiError> {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    let mut reader = TermReader { source, start, chars: text.char_indices().collect(), at: 0, plus: false };
    let term = reader.any()?;
    if reader.at < reader.chars.len() {
        return Err(reader.mismatch());
    }
    if letters < 2 {
        let message = format!("search term must be longer than one character: {}", text.trim());
        return Err(ApiError::new(400, "INVALID_SEARCH", message));
    }
    Ok(if reader.plus { Term::Nothing } else { term })
}

struct TermReader<'a> {
    source: &'a str,
    start: usize,
    chars: Vec<(usize, char)>,
    at: usize,
    plus: bool,
}

impl TermReader<'_> {
    fn any(&mut self) -> Result<Term, ApiError> {
        let mut parts = vec![self.all()?];
        while self.operator("OR") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Term::Any(parts) })
    }

    fn all(&mut self) -> Result<Term, ApiError> {
        let mut parts = vec![];
        loop {
            self.blanks();
            if self.at_end() || self.peek() == Some(')') || self.is_next("OR") {
                break;
            }
            if !parts.is_empty() && self.operator("AND") && self.operator("NOT") {
                parts.push(Term::Not(Box::new(self.one()?)));
                continue;
            }
            parts.push(self.one()?);
        }
        match parts.len() {
            // An operator without a right side, or nothing at all. The length is checked later.
            0 => Ok(Term::Nothing),
            1 => Ok(parts.remove(0)),
            _ => Ok(Term::All(parts)),
        }
    }

    fn one(&mut self) -> Result<Term, ApiError> {
        self.blanks();
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.any()?;
                if self.peek() != Some(')') {
                    return Err(self.mismatch());
                }
                self.at += 1;
                Ok(inner)
            }
            Some('"') => self.phrase(),
            _ => self.word(),
        }
    }

    fn phrase(&mut self) -> Result<Term, ApiError> {
        self.at += 1;
        let mut pieces = vec![];
        loop {
            match self.peek() {
                None => return Err(self.mismatch()),
                Some('"') => {
                    self.at += 1;
                    return Ok(Term::Word(pieces));
                }
                Some(' ') => {
                    pieces.push(Piece::Char(' '));
                    self.at += 1;
                }
                Some(_) => pieces.push(self.piece()?),
            }
        }
    }

    fn word(&mut self) -> Result<Term, ApiError> {
        let mut pieces = vec![];
        while !self.at_end() && !matches!(self.peek(), Some(' ' | '(' | ')' | '"')) {
            // A wildcard may be in the middle of a word or at its end.
            if pieces.is_empty() && matches!(self.peek(), Some('*' | '?')) {
                return Err(self.mismatch());
            }
            pieces.push(self.piece()?);
        }
        if pieces.is_empty() { Err(self.mismatch()) } else { Ok(Term::Word(pieces)) }
    }

    fn piece(&mut self) -> Result<Piece, ApiError> {
        let Some(c) = self.peek() else { return Err(self.mismatch()) };
        if RESERVED.contains(c) || c == '{' {
            return Err(self.mismatch());
        }
        self.at += 1;
        Ok(match c {
            '*' => Piece::Many,
            '?' => Piece::One,
            '\\' => {
                let Some(escaped) = self.peek() else { return Err(self.mismatch()) };
                self.at += 1;
                Piece::Char(escaped)
            }
            '+' => {
                self.plus = true;
                Piece::Char('+')
            }
            c => Piece::Char(c),
        })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|(_, c)| *c)
    }

    fn at_end(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Whether an operator comes next, as a word of its own.
    fn is_next(&self, name: &str) -> bool {
        let word: String =
            self.chars[self.at..].iter().map(|(_, c)| *c).take_while(char::is_ascii_alphabetic).collect();
        let next = self.chars.get(self.at + name.len()).map(|(_, c)| *c);
        word.eq_ignore_ascii_case(name) && next.is_none_or(|c| c == ' ' || c == '(' || c == '"')
    }

    fn operator(&mut self, name: &str) -> bool {
        self.blanks();
        let found = self.is_next(name);
        self.at += if found { name.len() } else { 0 };
        found
    }

    /// The parser's error at the next character (simple-salesforce#415). Its columns count from 0.
    fn mismatch(&self) -> ApiError {
        let (offset, shown) = match self.chars.get(self.at) {
            Some((offset, c)) => (self.start + offset, format!("mismatched character '{c}' expecting '}}'")),
            None => (self.source.len(), "mismatched character '<EOF>' expecting '}'".to_owned()),
        };
        let column = self.source.get(..offset).unwrap_or(self.source).chars().count();
        let message = format!(
            "\n{}\n{}^\nERROR at Row:1:Column:{column}\nline 1:{column} {shown}",
            self.source,
            " ".repeat(column)
        );
        ApiError::new(400, "MALFORMED_SEARCH", message)
    }
}

impl Term {
    /// Whether the term matches, given which words do.
    pub(crate) fn matches(&self, word: &impl Fn(&[Piece]) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(word)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(word)),
            Self::Not(part) => !part.matches(word),
            Self::Word(pieces) => word(pieces),
            Self::Nothing => false,
        }
    }
}

/// Whether a word matches a phone number: the digits are the same, whatever is between them.
pub(crate) fn finds_phone(word: &[Piece], stored: &str, suffix: bool) -> bool {
    let digits: Vec<char> = stored.chars().filter(char::is_ascii_digit).collect();
    let pattern: Vec<Piece> = word
        .iter()
        .copied()
        .filter(|piece| !matches!(piece, Piece::Char(c) if !c.is_ascii_digit()))
        .collect();
    let length = pattern.iter().filter(|piece| matches!(piece, Piece::Char(_))).count();
    if length == 0 {
        return false;
    }
    let starts = if suffix && length >= 4 { 0..digits.len().max(1) } else { 0..1 };
    starts.into_iter().any(|start| digits.get(start..).is_some_and(|tail| matches(tail, &pattern)))
}

/// Whether a word matches a word of the text, ignoring case. A phrase matches consecutive words.
pub(crate) fn finds_text(word: &[Piece], stored: &str) -> bool {
    let tokens: Vec<String> = tokens(stored);
    let patterns: Vec<Vec<Piece>> = word
        .split(|piece| matches!(piece, Piece::Char(c) if !c.is_alphanumeric()))
        .filter(|part| !part.is_empty())
        .map(<[Piece]>::to_vec)
        .collect();
    let fits = |(token, part): (&String, &Vec<Piece>)| {
        let chars: Vec<char> = token.chars().collect();
        let lower: Vec<Piece> = part
            .iter()
            .map(|piece| match piece {
                Piece::Char(c) => Piece::Char(c.to_lowercase().next().unwrap_or(*c)),
                wildcard => *wildcard,
            })
            .collect();
        matches(&chars, &lower)
    };
    !patterns.is_empty()
        && tokens.windows(patterns.len()).any(|window| window.iter().zip(&patterns).all(fits))
}

fn tokens(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

fn matches(text: &[char], pattern: &[Piece]) -> bool {
    // Each wildcard is encoded as a character that no text contains.
    let pattern: Vec<char> = pattern
        .iter()
        .map(|piece| match piece {
            Piece::Char(c) => *c,
            Piece::Many => '\u{0}',
            Piece::One => '\u{1}',
        })
        .collect();
    wildcard(text, &pattern, '\u{0}', '\u{1}')
}

/// Whether text matches a pattern in which `many` matches any text and `one` a single character.
pub(crate) fn wildcard(text: &[char], pattern: &[char], many: char, one: char) -> bool {
    let Some((head, rest)) = pattern.split_first() else { return text.is_empty() };
    if *head == many {
        return (0..=text.len()).any(|skip| wildcard(&text[skip..], rest, many, one));
    }
    let Some((first, tail)) = text.split_first() else { return false };
    (*head == one || head == first) && wildcard(tail, rest, many, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> Result<Term, ApiError> {
        let source = format!("FIND {{{text}}}");
        read(&source, 6, text)
    }

    fn phone(text: &str, stored: &str) -> bool {
        term(text).unwrap().matches(&|word| finds_phone(word, stored, false))
    }

    #[test]
    fn the_formatting_of_a_stored_number_is_ignored() {
        assert!(phone("2345550123", "(234) 555-0123"));
        assert!(phone("2345550123", "234.555.0123"));
        assert!(phone("12345550123", "+1 234-555-0123"));
    }

    #[test]
    fn a_country_code_is_neither_added_nor_removed() {
        assert!(!phone("12345550123", "(234) 555-0123"));
        assert!(!phone("2345550123", "+1 234-555-0123"));
        assert!(!phone("442079460123", "020 7946 0123"));
    }

    #[test]
    fn a_number_is_found_by_its_end_only_if_that_is_switched_on() {
        let Term::Word(word) = term("5550123").unwrap() else { panic!() };
        assert!(!finds_phone(&word, "(234) 555-0123", false));
        assert!(finds_phone(&word, "(234) 555-0123", true));
        let Term::Word(word) = term("123").unwrap() else { panic!() };
        assert!(!finds_phone(&word, "(234) 555-0123", true));
    }

    #[test]
    fn a_star_matches_stored_extensions() {
        assert!(!phone("2345550123", "(234) 555-0123 x12"));
        assert!(phone("2345550123*", "(234) 555-0123 x12"));
        assert!(phone("2345550123*", "(234) 555-0123"));
        assert!(!phone("2345550123*", "(234) 555-0124"));
        assert!(phone("23455501?3", "(234) 555-0123"));
    }

    #[test]
    fn operators_join_words() {
        assert!(phone("9999999999 OR 2345550123 OR 2345550123*", "234 555 0123 ext. 9"));
        assert!(!phone("2345550123 AND 9999999999", "2345550123"));
        assert!(phone("2345550123 AND NOT 9999999999", "2345550123"));
        assert!(!phone("234 555 0123", "(234) 555-0123"), "words are joined by AND");
        assert!(phone("\"234 555 0123\"", "(234) 555-0123"));
        assert!(phone("(1111111111 OR 2345550123)", "2345550123"));
    }

    #[test]
    fn an_unescaped_hyphen_is_malformed() {
        let error = term("Marie-Pier Martin").unwrap_err();
        assert_eq!(error.code, "MALFORMED_SEARCH");
        assert_eq!(
            error.message,
            "\nFIND {Marie-Pier Martin}\n           ^\nERROR at Row:1:Column:11\nline 1:11 mismatched character '-' expecting '}'"
        );
        assert!(term(r"Marie\-Pier Martin").is_ok());
    }

    #[test]
    fn reserved_characters_must_be_escaped_even_in_quotes() {
        for text in
            ["(234) 555-0123", "a&b", "a|b", "a!b", "a^b", "a~b", "a:b", "o'hara", "\"555-0123\"", "[ab]"]
        {
            assert!(term(text).is_err(), "{text}");
        }
        assert!(phone(r#""\(234\) 555\-0123""#, "2345550123"));
    }

    #[test]
    fn an_unescaped_plus_matches_nothing() {
        assert!(!phone("+12345550123", "+12345550123"));
        assert!(phone(r"\+12345550123", "+12345550123"));
    }

    #[test]
    fn a_leading_wildcard_is_malformed() {
        assert!(term("*5550123").is_err());
        assert!(term("?5550123").is_err());
    }

    #[test]
    fn a_term_needs_two_characters() {
        for text in ["", "g", " ", "g*", "\\-"] {
            let error = term(text).unwrap_err();
            assert_eq!(error.code, "INVALID_SEARCH", "{text}");
        }
        assert_eq!(term("g").unwrap_err().message, "search term must be longer than one character: g");
    }

    #[test]
    fn text_is_matched_by_whole_words() {
        let finds = |text: &str| term(text).unwrap().matches(&|word| finds_text(word, "Ada Sample-Smith"));
        assert!(finds("ada"));
        assert!(finds("sam*"));
        assert!(!finds("sam"));
        assert!(finds("\"sample smith\""));
        assert!(!finds("\"ada smith\""));
    }
}
