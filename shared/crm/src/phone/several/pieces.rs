//! Splits a text without notes where a number cannot continue: at words, labels, semicolons and a second plus.

use crate::phone::{written::DESK_MARKS, written::SHORTEST};

/// Digits of the shortest number that may be next to another number or a note.
pub(super) const FULL: usize = 7;
/// The normalized mark of an extension.
pub(super) const EXTENSION: &str = " ext. ";
/// The normalized mark of a German or Austrian direct dial.
pub(super) const DESK: &str = " DW ";

/// Marks of extensions in many languages. As in libphonenumber, only after the first ones may there be more digits
/// than an internal extension has.
const LONG_EXTENSIONS: [&str; 8] =
    ["ext", "extn", "xtn", "extension", "extensi\u{f3}n", "extensao", "anexo", "\u{434}\u{43e}\u{431}"];
const EXTENSIONS: [&str; 24] = [
    "x",
    "int",
    "interno",
    "interne",
    "intern",
    "ramal",
    "poste",
    "wew",
    "wewn",
    "\u{432}\u{43d}",
    "dahili",
    "toestel",
    "tst",
    "ankn",
    "anknytning",
    "lok",
    "lokal",
    "local",
    "loc",
    "apparat",
    "nst",
    "nebenstelle",
    "\u{5206}\u{673a}",
    "\u{5185}\u{7dda}",
];
/// Words before a second number that is written as its last digits, `020 7946 0123 or 4`. Such a text stays unread.
const ALTERNATIVES: [&str; 3] = ["or", "oder", "ou"];

/// Digits of the shortest area code with trunk prefix or in brackets, and of the longest number without an area code.
const AREA_CODE: usize = 3;
const LONGEST_LOCAL: usize = 8;

/// Whether a number starts with a country code or a possible trunk prefix.
pub(super) fn is_full(number: &str) -> bool {
    let first = number.chars().find(|c| c.is_numeric() || *c == '+');
    matches!(first, Some('+' | '0'))
}

/// Whether the text in brackets is an extension.
pub(super) fn is_extension(inner: &[char]) -> bool {
    let first: String =
        inner.iter().skip_while(|c| !c.is_alphabetic()).take_while(|c| c.is_alphabetic()).collect();
    let rest = inner.iter().skip_while(|c| !c.is_alphabetic()).skip_while(|c| c.is_alphabetic());
    let is_number = rest.clone().any(|c| c.is_numeric()) && !rest.clone().any(|c| c.is_alphabetic());
    is_number && mark(&first).is_some()
}

fn mark(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let word = word.as_str();
    if DESK_MARKS.contains(&word) {
        Some(DESK)
    } else {
        (LONG_EXTENSIONS.contains(&word) || EXTENSIONS.contains(&word)).then_some(EXTENSION)
    }
}

/// The pieces with digits, each from its first digit (or a sign before it) to its last.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut scan = Scan {
        text: &chars,
        at: 0,
        piece: String::new(),
        digits: 0,
        is_unread: false,
        is_interrupted: false,
        found: Vec::new(),
    };
    while let Some(c) = scan.text.get(scan.at).copied() {
        scan.step(c);
    }
    scan.cut();
    scan.found
}

struct Scan<'a> {
    text: &'a [char],
    at: usize,
    piece: String,
    digits: usize,
    /// The piece is not a number, and is left out.
    is_unread: bool,
    /// A word precedes the piece, and a possible area code precedes the word.
    is_interrupted: bool,
    found: Vec<String>,
}

impl Scan<'_> {
    fn step(&mut self, c: char) {
        match c {
            c if c.is_numeric() => {
                self.digits += 1;
                self.keep(c);
            }
            c if c.is_alphabetic() => self.word(),
            '+' => self.plus(),
            ':' => self.colon(),
            ',' | ';' => self.comma(c),
            '#' if self.digits >= SHORTEST && self.run(self.at + 1) > 0 => {
                self.extension(EXTENSION, self.at + 1);
            }
            // `1) 234-555-0104`
            ')' if self.digits <= 1 && !self.piece.contains('(') && !is_full(&self.piece) => self.label(),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\n' | '~' => self.keep(c),
            _ => {
                self.cut();
                self.at += 1;
            }
        }
    }

    fn keep(&mut self, c: char) {
        self.piece.push(c);
        self.at += 1;
    }

    /// Ends the piece.
    fn cut(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        let piece = trimmed(&piece);
        let is_remainder = self.is_interrupted && self.digits <= LONGEST_LOCAL && !is_full(piece);
        if self.digits > 0 && !self.is_unread && !is_remainder {
            self.found.push(piece.to_owned());
        }
        self.digits = 0;
        self.is_unread = false;
        self.is_interrupted = false;
    }

    /// Drops what was read: it is a label.
    fn label(&mut self) {
        self.piece.clear();
        self.digits = 0;
        self.at += 1;
    }

    fn char(&self, at: usize) -> Option<char> {
        self.text.get(at).copied()
    }

    fn is_digit(&self, at: usize) -> bool {
        self.char(at).is_some_and(char::is_numeric)
    }

    /// The length of the run of digits at a position.
    fn run(&self, from: usize) -> usize {
        self.text[from.min(self.text.len())..].iter().take_while(|c| c.is_numeric()).count()
    }

    /// The number of digits from a position up to a word or a sign that ends a number.
    fn ahead(&self, from: usize) -> usize {
        let rest = self.text[from.min(self.text.len())..].iter();
        let piece = rest.take_while(|c| !c.is_alphabetic() && !matches!(c, ',' | ';' | '|' | '&' | ':'));
        piece.filter(|c| c.is_numeric()).count()
    }

    /// The position after a run of matching characters.
    fn after(&self, from: usize, is_mark: impl Fn(char) -> bool) -> usize {
        from + self.text[from.min(self.text.len())..].iter().take_while(|c| is_mark(**c)).count()
    }

    fn word(&mut self) {
        let (start, end) = (self.at, self.after(self.at, char::is_alphabetic));
        let word: String = self.text[start..end].iter().collect();
        let digits = self.after(end, |c| matches!(c, ' ' | '.' | ':' | '=' | '#' | '-'));
        let is_attached = |at: usize| {
            self.is_digit(at) || matches!(self.char(at), Some('-' | '.')) && self.is_digit(at + 1)
        };
        let before = start.checked_sub(1).is_some_and(|at| {
            self.is_digit(at) || matches!(self.char(at), Some('-' | '.')) && at > 0 && self.is_digit(at - 1)
        });
        let is_inside = self.digits > 0 && before && is_attached(end);
        let continues = self.digits < FULL || is_inside || self.ahead(digits) < FULL;
        if let Some(mark) = mark(&word).filter(|_| self.is_extension(&word, digits)) {
            self.extension(mark, digits);
        } else if word.eq_ignore_ascii_case("e") && self.is_exponent(end) {
            // `2.345550104E+09`
            self.is_unread = true;
            self.at = end + 1;
        } else if end - start == 1 && self.digits > 0 && continues && self.ahead(digits) > 0 {
            // A letter among digits, perhaps a typo: libphonenumber ignores it.
            self.keep(self.text[start]);
        } else if is_inside && self.digits < FULL {
            // `1-800-CALL-5550105`
            self.is_unread = true;
            self.at = end;
        } else {
            let is_end = (1..SHORTEST).contains(&self.ahead(digits));
            self.is_unread |= is_end && ALTERNATIVES.contains(&word.to_lowercase().as_str());
            let is_interrupted = if self.digits > 0 { self.is_area_code() } else { self.is_interrupted };
            self.cut();
            self.is_interrupted = is_interrupted;
            self.at = end;
        }
    }

    /// Whether the piece may be the start of a number that a word interrupts: `030 Berlin 1234567`.
    fn is_area_code(&self) -> bool {
        self.digits < FULL
            && (self.digits >= AREA_CODE
                || self.digits > 0 && (self.piece.contains('(') || is_full(&self.piece)))
    }

    fn is_exponent(&self, end: usize) -> bool {
        self.digits > 0 && self.char(end) == Some('+') && self.is_digit(end + 1)
    }

    /// Whether the digits after a mark are an extension of the piece, and not a number, as in `x 234-555-0105`.
    fn is_extension(&self, word: &str, digits: usize) -> bool {
        let run = self.run(digits);
        let end = digits + run;
        let continues = matches!(self.char(end), Some('-' | '.')) && self.is_digit(end + 1);
        let is_long = LONG_EXTENSIONS.contains(&word.to_lowercase().as_str());
        self.digits >= SHORTEST && run > 0 && !continues && (run < FULL || is_long)
    }

    /// Ends the piece with its extension, whose digits start at a position.
    fn extension(&mut self, mark: &str, digits: usize) {
        let end = digits + self.run(digits);
        self.piece.truncate(self.piece.trim_end_matches(|c: char| !c.is_numeric()).len());
        self.piece.push_str(mark);
        self.piece.extend(&self.text[digits..end]);
        self.at = end;
        self.cut();
    }

    /// A plus precedes a country code, or separates two numbers.
    fn plus(&mut self) {
        if self.digits == 0 {
            return self.keep('+');
        }
        self.cut();
        if self.is_digit(self.at + 1) || self.char(self.at + 1) == Some('(') {
            self.keep('+');
        } else {
            self.at += 1;
        }
    }

    /// A colon ends a label: `No. 1: 234-555-0104 2: 234-555-0105`.
    fn colon(&mut self) {
        let next = self.after(self.at + 1, |c| matches!(c, ' ' | '(' | '+'));
        let mut words = self.piece.rsplit([' ', '\n']);
        let last = words.find(|word| !word.is_empty()).unwrap_or_default();
        if self.digits > FULL && last.len() == 1 && last.chars().all(char::is_numeric) && self.is_digit(next)
        {
            self.piece.truncate(self.piece.trim_end().len() - 1);
        }
        if self.digits < FULL && self.is_digit(next) {
            return self.label();
        }
        self.cut();
        self.at += 1;
    }

    /// A comma or semicolon separates two numbers, precedes an extension (`,,,123#`), or is in between digits.
    fn comma(&mut self, c: char) {
        let marks = self.after(self.at, |other| other == c);
        let digits = self.after(marks, |c| c == ' ');
        let run = self.run(digits);
        let ahead = self.ahead(digits);
        let is_last = !self.text[digits + run..].iter().any(|c| c.is_numeric());
        let is_code = marks - self.at > 1 || self.char(digits + run) == Some('#');
        let ends = is_last || self.digits >= FULL && (is_code || ahead == run);
        let has_number = self.digits >= FULL || self.digits >= SHORTEST && is_last;
        if has_number && run > 0 && ends && (is_code || run < FULL) {
            return self.extension(EXTENSION, digits);
        }
        self.at = marks;
        if ahead >= FULL || ahead > 0 && self.digits >= FULL {
            self.cut();
        } else {
            // A mark of an extension may follow, `;ext=5`, or the rest of the number.
            self.piece.push(' ');
        }
    }
}

/// Trims everything around the number, except signs that a number starts with.
pub(super) fn trimmed(part: &str) -> &str {
    let begins = |c: char| c.is_numeric() || matches!(c, '+' | '(');
    part.trim_start_matches(|c| !begins(c)).trim_end_matches(|c: char| !c.is_numeric())
}
