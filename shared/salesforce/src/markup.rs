//! Turns Salesforce's error messages into plain text: those of flows are HTML.

/// Elements that occur within a sentence. Any other element ends a word.
const INLINE: [&str; 9] = ["a", "b", "code", "em", "font", "i", "span", "strong", "u"];
/// Maximum length of an entity that is decoded, without `&` and `;`.
const MAX_ENTITY: usize = 8;

/// Decodes entities and removes tags, but not the text between them.
pub(crate) fn plain(text: &str) -> String {
    without_tags(&decoded(text))
}

fn decoded(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        kept.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        let entity = rest.find(';').filter(|end| *end <= MAX_ENTITY);
        match entity.and_then(|end| Some((end, character(&rest[..end])?))) {
            Some((end, character)) => {
                kept.push(character);
                rest = &rest[end + 1..];
            }
            None => kept.push('&'),
        }
    }
    kept + rest
}

/// The character that an entity (`amp`, `#39`, `#x27`) stands for.
fn character(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}

fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        kept.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        match tag(rest) {
            Some(tag) => {
                if !is_inline(tag) {
                    kept.push(' ');
                }
                rest = &rest[tag.len() + 1..];
            }
            None => kept.push('<'),
        }
    }
    kept + rest
}

/// The text before `>`, if it is a tag or a comment.
fn tag(text: &str) -> Option<&str> {
    let tag = &text[..text.find(['<', '>'])?];
    let opens = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    (opens && text[tag.len()..].starts_with('>')).then_some(tag)
}

fn is_inline(tag: &str) -> bool {
    let name = tag.trim_start_matches('/');
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    INLINE.iter().any(|inline| name.eq_ignore_ascii_case(inline))
}
