//! The caller's name and number, as the agent noted them.

use calls::{
    appointment::key::is_about_appointment,
    text::{clean_line, plain_name},
};

use crate::vapi::tree::Node;

use super::structured_data::{Item, StructuredData, VALUE};

/// The longest number that is kept, characters.
const NUMBER: usize = 60;

/// The names of objects about the caller.
const CALLERS: [&str; 7] =
    ["caller", "callerinfo", "customer", "customerinfo", "contact", "contactinfo", "lead"];

const NAMES: [&str; 4] = ["customername", "callername", "fullname", "contactname"];
const FIRST_NAMES: [&str; 3] = ["firstname", "customerfirstname", "callerfirstname"];
const LAST_NAMES: [&str; 3] = ["lastname", "customerlastname", "callerlastname"];
const NUMBERS: [&str; 14] = [
    "phonenumber",
    "callbacknumber",
    "phone",
    "callbackphone",
    "callbackphonenumber",
    "callerphone",
    "callernumber",
    "callerphonenumber",
    "customerphone",
    "customernumber",
    "customerphonenumber",
    "contactnumber",
    "contactphone",
    "contactphonenumber",
];

/// The caller's name.
pub(super) fn name(data: &StructuredData) -> Option<String> {
    let values = values(data);
    let first_of = |names: &[&str]| {
        values.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.clone())
    };
    let apart = || {
        let parts: Vec<_> = [first_of(&FIRST_NAMES), first_of(&LAST_NAMES)].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let is_name =
        |name: &String| name.contains(char::is_alphabetic) && !name.to_lowercase().starts_with("unknown");
    first_of(&NAMES).or_else(apart).and_then(|name| clean_line(&name, VALUE)).filter(is_name)
}

/// The number that the caller gave.
pub(super) fn number(data: &StructuredData) -> Option<String> {
    let values = values(data);
    let is_number = |text: &&String| text.chars().filter(char::is_ascii_digit).count() >= 5;
    let numbers = NUMBERS.iter().flat_map(|name| values.iter().filter(move |(known, _)| known == name));
    numbers.map(|(_, value)| value).find(is_number).and_then(|number| clean_line(number, NUMBER))
}

/// The values at the top level, in single-value outputs, and in objects about the caller or an appointment. In
/// objects about the caller, a bare `name` is the caller's.
fn values(data: &StructuredData) -> Vec<(String, String)> {
    let mut values = Vec::new();
    for Item { name, node } in data.items() {
        if let Some(value) = node.value() {
            values.push((plain_name(name), value));
        }
        for object in node.items() {
            let is_caller = CALLERS.contains(&plain_name(name).as_str());
            add(&mut values, object, is_caller);
            for (name, node) in object.members() {
                let is_caller = CALLERS.contains(&plain_name(name).as_str());
                if is_caller || is_about_appointment(name) {
                    node.items().iter().for_each(|object| add(&mut values, object, is_caller));
                }
            }
        }
    }
    values
}

fn add(values: &mut Vec<(String, String)>, object: &Node, is_caller: bool) {
    for (name, node) in object.members() {
        let name = plain_name(name);
        let name = if is_caller && name == "name" { "fullname".to_owned() } else { name };
        values.extend(node.value().map(|value| (name, value)));
    }
}
