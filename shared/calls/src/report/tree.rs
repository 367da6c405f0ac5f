//! Structured data as a tree: objects, lists and texts in any nesting. A text that is JSON is opened.

use serde_json::value::RawValue;

use super::value::{self, Members, Raw};
use crate::{
    appointment::key::Key,
    text::{self, present},
};

/// How deep an object may lie in others; what is deeper is not read.
const DEEPEST: u32 = 8;
/// Characters kept of a list of values, as text.
const LIST: usize = 255;

/// A value of structured data.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// The members of an object, in their order.
    Object(Vec<(String, Node)>),
    /// The items of a list.
    List(Vec<Node>),
    /// A text, or a number or flag as it is written.
    Value(String),
    /// `null`, and what lies too deep.
    Nothing,
}

impl Node {
    /// Reads a value.
    pub(super) fn of(raw: Raw<'_>) -> Self {
        read(raw, 0)
    }

    /// The value, if it is present: a list of one counts as its item, one of several as their text.
    pub(super) fn value(&self) -> Option<String> {
        match self {
            Self::Value(text) => present(text).map(str::to_owned),
            Self::List(items) if items.len() == 1 => items[0].value(),
            Self::List(items) => {
                let values: Option<Vec<String>> = items.iter().map(Self::value).collect();
                let values = values.filter(|values| !values.is_empty())?;
                text::clean(&values.join(", "), LIST)
            }
            Self::Object(_) => self.wrapped()?.value(),
            Self::Nothing => None,
        }
    }

    /// The value that an object is made for: `{"value": …}`, as some schemas wrap each, or a calendar's
    /// `{"dateTime": …, "timeZone": …}`. An object that says more of an appointment is none.
    fn wrapped(&self) -> Option<&Self> {
        let is_alone = |inner: &str| {
            let is_other =
                |name: &str| name != inner && Key::within(name).is_some_and(|key| key != Key::TimeZone);
            !self.members().iter().any(|(name, _)| is_other(name))
        };
        ["value", "result", "dateTime"]
            .into_iter()
            .filter(|inner| is_alone(inner))
            .find_map(|inner| self.member(inner))
    }

    /// The items of a list; of anything else, itself.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            one => std::slice::from_ref(one),
        }
    }

    /// The members of an object; of anything else, none.
    pub(super) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The member of exactly this name.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

fn read(raw: Raw<'_>, depth: u32) -> Node {
    let json = raw.get();
    match json.as_bytes().first() {
        _ if depth > DEEPEST => Node::Nothing,
        Some(b'{') => {
            let members =
                serde_json::from_str::<Members<'_>>(json).map(|members| members.0).unwrap_or_default();
            Node::Object(members.into_iter().map(|(name, value)| (name, read(value, depth + 1))).collect())
        }
        Some(b'[') => {
            let items = serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default();
            Node::List(items.into_iter().map(|item| read(item, depth + 1)).collect())
        }
        Some(b'"') => value::string(raw).map_or(Node::Nothing, |text| {
            opened(&text, depth).unwrap_or_else(|| Node::Value(text.into_owned()))
        }),
        Some(b'n') | None => Node::Nothing,
        Some(_) => Node::Value(json.to_owned()),
    }
}

/// What a text says that is JSON.
fn opened(text: &str, depth: u32) -> Option<Node> {
    let text = text.trim();
    // Models put it into a block of Markdown.
    let text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text);
    let text = text.strip_suffix("```").unwrap_or(text).trim();
    let is_json = text.starts_with(['{', '[']);
    let raw: &RawValue = is_json.then(|| serde_json::from_str(text).ok()).flatten()?;
    Some(read(raw, depth + 1))
}
