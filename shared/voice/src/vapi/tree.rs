//! Structured data as a tree: objects, lists and texts, nested in any way. A text that contains JSON is parsed.

use calls::{
    appointment::key::Key,
    text::{self, present},
};
use serde_json::value::RawValue;

use super::value::{self, Members, Raw};

/// The deepest nesting that is read.
const MAX_DEPTH: u32 = 8;
/// The longest list of values that is kept as text, characters.
const LIST: usize = 255;

/// A value of structured data.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// The members of an object, in order.
    Object(Vec<(String, Node)>),
    /// The items of a list.
    List(Vec<Node>),
    /// A text, or a number or boolean as it is written.
    Value(String),
    /// `null`, and what is nested too deep.
    Nothing,
}

impl Node {
    /// Reads a value.
    pub(super) fn of(raw: Raw<'_>) -> Self {
        read(raw, 0)
    }

    /// The value, if it is present: a list of one item is that item, a list of several is their text.
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

    /// The value that an object wraps: `{"value": …}`, as in some schemas, or a calendar's
    /// `{"dateTime": …, "timeZone": …}`. An object with other fields of an appointment is not a wrapper.
    fn wrapped(&self) -> Option<&Self> {
        let is_only_field = |inner: &str| {
            let is_other =
                |name: &str| name != inner && Key::within(name).is_some_and(|key| key != Key::TimeZone);
            !self.members().iter().any(|(name, _)| is_other(name))
        };
        ["value", "result", "dateTime"]
            .into_iter()
            .filter(|inner| is_only_field(inner))
            .find_map(|inner| self.member(inner))
    }

    /// The items of a list; for anything else, the node itself.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            one => std::slice::from_ref(one),
        }
    }

    /// The members of an object; for anything else, none.
    pub(super) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The member with exactly this name.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

fn read(raw: Raw<'_>, depth: u32) -> Node {
    let json = raw.get();
    match json.as_bytes().first() {
        _ if depth > MAX_DEPTH => Node::Nothing,
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
            parsed(&text, depth).unwrap_or_else(|| Node::Value(text.into_owned()))
        }),
        Some(b'n') | None => Node::Nothing,
        Some(_) => Node::Value(json.to_owned()),
    }
}

/// Parses a text that is JSON.
fn parsed(text: &str, depth: u32) -> Option<Node> {
    let text = text.trim();
    // Models wrap it in a Markdown code block.
    let text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text);
    let text = text.strip_suffix("```").unwrap_or(text).trim();
    let is_json = text.starts_with(['{', '[']);
    let raw: &RawValue = is_json.then(|| serde_json::from_str(text).ok()).flatten()?;
    Some(read(raw, depth + 1))
}
