//! Tokens of SOQL, and of SOSL after `FIND {…}`; and how syntax errors are reported.

use crate::error::ApiError;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name, a keyword, a number or a date.
    Word(String),
    /// A quoted string, unescaped.
    Text(String),
    /// `(`, `)`, `,` or an operator.
    Symbol(&'static str),
}

const SYMBOLS: &[&str] = &["<=", ">=", "!=", "<>", "(", ")", ",", "=", "<", ">"];

/// Reads a query token by token.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    source: &'a str,
    /// `MALFORMED_QUERY` or `MALFORMED_SEARCH`.
    code: &'static str,
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Tokenizes `source` from byte `from` on.
    pub(crate) fn new(source: &'a str, from: usize, code: &'static str) -> Result<Self, ApiError> {
        let mut reader = Self { source, code, tokens: vec![], at: 0 };
        let mut offset = from;
        while let Some(rest) = source.get(offset..).filter(|rest| !rest.is_empty()) {
            let (token, length) = reader.next_token(rest, offset)?;
            reader.tokens.extend(token.map(|token| (offset, token)));
            offset += length;
        }
        Ok(reader)
    }

    fn next_token(&self, rest: &str, offset: usize) -> Result<(Option<Token>, usize), ApiError> {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            return Ok((None, blank));
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            return Ok((Some(Token::Symbol(symbol)), symbol.len()));
        }
        if let Some(text) = rest.strip_prefix('\'') {
            let (text, length) = self.text(text, offset)?;
            return Ok((Some(Token::Text(text)), length + 1));
        }
        let in_word = |c: char| c.is_ascii_alphanumeric() || "_.:+-".contains(c);
        let word: String = rest.chars().take_while(|c| in_word(*c)).collect();
        if word.is_empty() {
            let unexpected = rest.chars().next().unwrap_or_default();
            return Err(self.error(offset, &format!("unexpected token: '{unexpected}'")));
        }
        let length = word.len();
        Ok((Some(Token::Word(word)), length))
    }

    /// A string up to its closing quote: its value, and its length in the source including the quote.
    fn text(&self, rest: &str, offset: usize) -> Result<(String, usize), ApiError> {
        let mut text = String::new();
        let mut chars = rest.char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '\'' => return Ok((text, i + 1)),
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some(c @ ('\'' | '"' | '\\' | '_' | '%')) => text.push(c),
                    Some('n' | 'N') => text.push('\n'),
                    Some('r' | 'R') => text.push('\r'),
                    Some('t' | 'T') => text.push('\t'),
                    _ => return Err(self.error(offset, "Illegal string escape")),
                },
                c => text.push(c),
            }
        }
        Err(self.error(offset, "unexpected end of text: a quote is not closed"))
    }

    /// A syntax error at a byte offset, reported as Salesforce does: with the query up to there, and a caret.
    pub(crate) fn error(&self, offset: usize, message: &str) -> ApiError {
        ApiError::new(400, self.code, located(self.source, offset, message))
    }

    /// An error with another code, at the token that was read last.
    pub(crate) fn error_here(&self, code: &str, message: &str) -> ApiError {
        let offset = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |(offset, _)| *offset);
        ApiError::new(400, code, located(self.source, offset, message))
    }

    /// A syntax error at the next token.
    pub(crate) fn unexpected(&self) -> ApiError {
        match self.tokens.get(self.at) {
            None => self.error(self.source.len(), "unexpected token: '<EOF>'"),
            Some((offset, Token::Word(word))) => self.error(*offset, &format!("unexpected token: '{word}'")),
            Some((offset, Token::Text(text))) => self.error(*offset, &format!("unexpected token: '{text}'")),
            Some((offset, Token::Symbol(symbol))) => {
                self.error(*offset, &format!("unexpected token: '{symbol}'"))
            }
        }
    }

    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    pub(crate) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Consumes a keyword, ignoring case, if it comes next.
    pub(crate) fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    /// Consumes a symbol, if it comes next.
    pub(crate) fn takes_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(next)) if *next == symbol);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, keyword: &str) -> Result<(), ApiError> {
        if self.takes(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Result<(), ApiError> {
        if self.takes_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Reads a name. Keywords are not names.
    pub(crate) fn name(&mut self) -> Result<String, ApiError> {
        const KEYWORDS: &[&str] =
            &["select", "from", "where", "order", "by", "limit", "offset", "and", "or", "not", "in", "like"];
        match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Reads an integer.
    pub(crate) fn number(&mut self) -> Result<usize, ApiError> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let number = word.parse().map_err(|_| self.unexpected())?;
                self.at += 1;
                Ok(number)
            }
            _ => Err(self.unexpected()),
        }
    }
}

/// An error message in Salesforce's format, which points at an offset in the query.
fn located(source: &str, offset: usize, message: &str) -> String {
    let column = source.get(..offset).unwrap_or(source).chars().count();
    let shown: String = source.chars().take(column + 12).collect();
    format!("\n{shown}\n{}^\nERROR at Row:1:Column:{}\n{message}", " ".repeat(column), column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<Token> {
        let mut reader = Reader::new(source, 0, "MALFORMED_QUERY").unwrap();
        std::iter::from_fn(|| reader.next()).collect()
    }

    #[test]
    fn dates_and_operators_are_single_tokens() {
        assert_eq!(
            tokens("a<=2026-01-01T00:00:00Z AND b=LAST_N_DAYS:3"),
            [
                Token::Word("a".into()),
                Token::Symbol("<="),
                Token::Word("2026-01-01T00:00:00Z".into()),
                Token::Word("AND".into()),
                Token::Word("b".into()),
                Token::Symbol("="),
                Token::Word("LAST_N_DAYS:3".into()),
            ]
        );
    }

    #[test]
    fn strings_are_unescaped() {
        assert_eq!(tokens(r"'O\'Hara \\ é'"), [Token::Text(r"O'Hara \ é".into())]);
        for source in [r"'O'Hara'", "'open", r"'\x'"] {
            assert!(Reader::new(source, 0, "MALFORMED_QUERY").is_err(), "{source}");
        }
    }

    #[test]
    fn an_error_points_at_its_place() {
        assert_eq!(
            located("SELECT Id, Foo FROM Task", 11, "No such column"),
            "\nSELECT Id, Foo FROM Tas\n           ^\nERROR at Row:1:Column:12\nNo such column"
        );
    }
}
