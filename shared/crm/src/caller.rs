//! The caller, according to the call's reports.

use calls::{
    call::{Call, Direction},
    codes::reasons,
    ids::SalesforceId,
    reason::Reason,
};

use crate::{
    phone::{NoPhoneNumber, PhoneNumber},
    records::Record,
    workspace::Settings,
};

/// How to find the caller's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// By the call's own number.
    Number(PhoneNumber),
    /// By a number that the caller gave in a call without one. It is unverified.
    Given(PhoneNumber),
    /// The record itself, named by whoever started the call.
    Record(Record),
}

impl Caller {
    /// The caller, or why the call is not logged.
    pub fn of(call: &Call, settings: &Settings) -> Result<Self, Reason> {
        let direction = call.direction();
        if !settings.call_types.contains(&direction) {
            let which = if direction == Direction::Inbound { "inbound" } else { "outbound" };
            return Err(Reason::filled(reasons::CALL_TYPE_NOT_LOGGED, &[("which", which)]));
        }
        let raw = call.customer_number.as_ref().map_or("", |number| number.value.as_str());
        let error = match PhoneNumber::parse_caller(raw, &settings.default_country) {
            Ok(number) => return Ok(Self::Number(number)),
            Err(error) => error,
        };
        let record = call.record_id.as_ref().filter(|_| error == NoPhoneNumber::Missing);
        let named = record.map(|id| Self::named(&id.value));
        if let Some(Ok(record)) = named {
            return Ok(record);
        }
        let given = call.given_number.as_ref().filter(|_| settings.use_given_number);
        let has_no_number = matches!(error, NoPhoneNumber::Missing | NoPhoneNumber::Withheld);
        let given = given
            .filter(|_| has_no_number)
            .and_then(|given| PhoneNumber::parse_caller(&given.value, &settings.default_country).ok());
        given.map(Self::Given).ok_or_else(|| match named {
            Some(Err(unreadable)) => unreadable,
            _ => Reason::of(error.code()),
        })
    }

    /// The record with this id. The last three characters of an 18-character id encode which of the others are upper
    /// case, so a mistyped id is noticed.
    fn named(id: &str) -> Result<Self, Reason> {
        let parsed = SalesforceId::parse(id).ok().filter(|parsed| parsed.as_str().starts_with(id));
        let record = parsed.and_then(|id| Record::of(&id)).map(Self::Record);
        record.ok_or_else(|| Reason::of(reasons::RECORD_ID_UNREADABLE))
    }

    /// The number to search for.
    pub fn number(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Number(number) | Self::Given(number) => Some(number),
            Self::Record(_) => None,
        }
    }

    /// Whether the number is one that the caller gave.
    pub fn is_given(&self) -> bool {
        matches!(self, Self::Given(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calls::{call::Fact, ids::CallId};

    const LEAD: &str = "00QA0000006Vm9rMAC";

    fn call(number: Option<&str>, given: Option<&str>, record: Option<&str>) -> Call {
        let fact = |text: &str| Fact { value: text.to_owned(), reported_at: 1 };
        Call {
            customer_number: number.map(fact),
            given_number: given.map(fact),
            record_id: record.map(fact),
            ..Call::new(CallId::parse("call-1").unwrap())
        }
    }

    fn of(call: &Call, use_given_number: bool) -> Result<String, String> {
        let settings = Settings { use_given_number, ..Settings::default() };
        match Caller::of(call, &settings) {
            Ok(Caller::Number(number)) => Ok(number.e164()),
            Ok(Caller::Given(number)) => Ok(format!("given {}", number.e164())),
            Ok(Caller::Record(record)) => Ok(record.id.to_string()),
            Err(reason) => Err(reason.code),
        }
    }

    #[test]
    fn the_calls_own_number_comes_first_then_a_named_record_then_a_given_number() {
        let (own, given) = ("+12345550123", "737-555-0101");
        let code = |code: &str| Err(code.to_owned());
        let ok = |text: &str| Ok(text.to_owned());
        for (number, said, record, allowed, expected) in [
            (Some(own), Some(given), Some(LEAD), true, ok(own)),
            (None, Some(given), Some(LEAD), true, ok(LEAD)),
            (Some("anonymous"), Some(given), None, true, ok("given +17375550101")),
            (None, Some(given), None, true, ok("given +17375550101")),
            (Some("anonymous"), Some(given), None, false, code("phone_number_withheld")),
            (Some("anonymous"), Some("none of them"), None, true, code("phone_number_withheld")),
            (Some("anonymous"), None, Some(LEAD), true, code("phone_number_withheld")),
            (Some("garbage"), Some(given), None, true, code("phone_number_unreadable")),
            (None, None, None, true, code("no_phone_number")),
        ] {
            assert_eq!(of(&call(number, said, record), allowed), expected, "{number:?} {said:?} {record:?}");
        }
    }

    #[test]
    fn a_named_record_must_be_the_exact_id_of_a_lead_or_contact() {
        let id = SalesforceId::parse(&LEAD[..15]).unwrap();
        assert_eq!(of(&call(None, None, Some(&LEAD[..15])), false), Ok(id.to_string()));
        for bad in ["00qa0000006vm9rMAC", "001A0000006Vm9rIAC", "Ada", &LEAD[..17]] {
            assert_eq!(
                of(&call(None, None, Some(bad)), false),
                Err("record_id_unreadable".to_owned()),
                "{bad}"
            );
        }
    }
}
