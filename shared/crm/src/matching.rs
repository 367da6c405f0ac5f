//! Matching: which of the records that Salesforce found is the caller's (docs/contract.md#matching).

use std::cmp::Reverse;

use calls::ids::SalesforceId;
use serde::{Deserialize, Serialize};

use crate::{
    phone::{self, Exactness, PhoneNumber},
    records::{FoundRecord, Record, RecordType},
    workspace::{MultipleMatches, Settings},
};

/// A record that has the caller's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Its id.
    pub id: SalesforceId,
    /// Its object.
    pub record_type: RecordType,
    /// Its name, for people.
    pub name: Option<String>,
    /// The field with the number.
    #[cfg_attr(feature = "openapi", schemars(example = &"MobilePhone"))]
    pub field: String,
    /// How exactly the number matches.
    pub exactness: Exactness,
}

/// The rule that made the decision. A listed call may have another rule, set by a newer version of Ringlog:
/// show it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// There was one candidate.
    OnlyCandidate,
    /// Its object comes first in `matchOrder`, and it was the only candidate of that object.
    MatchOrder,
    /// Of several, the most recently modified one.
    MostRecent,
    /// Of several, the one created first.
    FirstCreated,
    /// None of several: `multipleMatches` is `skip`.
    SkipMultiple,
    /// There was no candidate.
    #[default]
    NoCandidate,
    /// An earlier attempt chose the record.
    Earlier,
    /// The chosen Lead was converted to this Contact.
    Converted,
    /// There was no candidate, so a Lead was created.
    NewLead,
    /// There was no candidate, and Salesforce reported this record as a duplicate of the Lead to be created.
    Duplicate,
}

/// A record that was considered and rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnedDown {
    /// Its id.
    pub id: SalesforceId,
    /// Its object.
    pub record_type: RecordType,
    /// Its name, for people.
    pub name: Option<String>,
    /// Why. `number_not_read`: Salesforce found the record by the caller's number, and no field that Ringlog reads has
    /// it. `other_number`: a duplicate rule named the record, and it lacks the number. Otherwise the error
    /// code with which Salesforce refused a write to the record.
    #[cfg_attr(
        feature = "openapi",
        schemars(example = NUMBER_NOT_READ, example = OTHER_NUMBER, example = &"ENTITY_IS_DELETED")
    )]
    pub why: String,
}

/// Salesforce found the record by the caller's number, but no field that Ringlog reads has it.
pub const NUMBER_NOT_READ: &str = "number_not_read";
/// A duplicate rule named the record, but it does not have the caller's number.
pub const OTHER_NUMBER: &str = "other_number";

impl TurnedDown {
    /// A record, and why it was turned down.
    pub fn record(record: &FoundRecord, why: &str) -> Self {
        let FoundRecord { id, record_type, name, .. } = record;
        Self { id: id.clone(), record_type: *record_type, name: name.clone(), why: why.to_owned() }
    }
}

/// How the record was chosen. Kept in the row and shown to people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The rule that decided.
    pub rule: Rule,
    /// The choice.
    pub chosen: Option<Record>,
    /// All records with the number, best first.
    pub candidates: Vec<Candidate>,
    /// Records that look like the caller's, and why they are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turned_down: Vec<TurnedDown>,
}

impl Decision {
    /// Changes the choice and keeps the candidates.
    pub fn choose(&mut self, rule: Rule, record: Option<Record>) {
        self.rule = rule;
        self.chosen = record;
    }
}

/// Decides which record the call belongs to. `found` are unconverted Leads and Contacts. A record counts if
/// it has `number` in a phone field other than Fax and its object is [searched](Settings::searched).
pub fn decide(number: &PhoneNumber, found: &[FoundRecord], settings: &Settings) -> Decision {
    let order = settings.searched();
    let mut ranked: Vec<(usize, &FoundRecord, Candidate)> = found
        .iter()
        .filter_map(|record| {
            let place = order.iter().position(|kind| *kind == record.record_type)?;
            Some((place, record, candidate(number, record, &settings.default_country)?))
        })
        .collect();
    ranked.sort_by_key(|(place, record, _)| {
        (*place, age(record, settings.multiple_matches), record.id.clone())
    });
    ranked.dedup_by(|a, b| a.1.id == b.1.id);

    let best_place = ranked.first().map(|(place, ..)| *place);
    let of_best_object = ranked.iter().filter(|(place, ..)| Some(*place) == best_place).count();
    let candidates: Vec<Candidate> = ranked.into_iter().map(|(_, _, candidate)| candidate).collect();
    let rule = match (candidates.len(), of_best_object, settings.multiple_matches) {
        (0, ..) => Rule::NoCandidate,
        (1, ..) => Rule::OnlyCandidate,
        (_, 1, _) => Rule::MatchOrder,
        (_, _, MultipleMatches::MostRecent) => Rule::MostRecent,
        (_, _, MultipleMatches::FirstCreated) => Rule::FirstCreated,
        (_, _, MultipleMatches::Skip) => Rule::SkipMultiple,
    };
    let best = candidates.first().filter(|_| rule != Rule::SkipMultiple);
    let chosen = best.map(|best| Record { record_type: best.record_type, id: best.id.clone() });
    Decision { rule, chosen, candidates, turned_down: Vec::new() }
}

/// The records found by `number` that may be the caller's although no field shows it: either no field that Ringlog
/// reads explains the match (a custom phone field may have the number), or the one that does cannot be parsed as a
/// number.
pub fn unread<'a>(
    number: &PhoneNumber,
    found: &'a [FoundRecord],
    settings: &Settings,
) -> impl Iterator<Item = &'a FoundRecord> {
    let is_someone_elses = |record: &FoundRecord| {
        let country = record.country.as_deref();
        let explains = |stored: &str| {
            number.resembles(stored) && phone::reads(stored, country, &settings.default_country)
        };
        record.phones.iter().any(|(_, stored)| explains(stored))
    };
    let order = settings.searched();
    found.iter().filter(move |record| {
        order.contains(&record.record_type)
            && candidate(number, record, &settings.default_country).is_none()
            && !is_someone_elses(record)
    })
}

/// The sort key of records of one object, best first. (If none is chosen, people see the most recently
/// modified first.)
fn age(record: &FoundRecord, multiple_matches: MultipleMatches) -> Reverse<i64> {
    match multiple_matches {
        MultipleMatches::MostRecent | MultipleMatches::Skip => Reverse(record.modified_at.timestamp_millis()),
        MultipleMatches::FirstCreated => Reverse(-record.created_at.timestamp_millis()),
    }
}

/// The record as a candidate, with the field that matches most exactly; `None` if no field has the number.
fn candidate(number: &PhoneNumber, record: &FoundRecord, default_country: &str) -> Option<Candidate> {
    let same = record.phones.iter().filter(|(field, _)| field != "Fax").filter_map(|(field, stored)| {
        let exactness = number.same_as(stored, record.country.as_deref(), default_country)?;
        Some((field, exactness))
    });
    let (field, exactness) = same.min_by_key(|(_, exactness)| *exactness == Exactness::National)?;
    Some(Candidate {
        id: record.id.clone(),
        record_type: record.record_type,
        name: record.name.clone(),
        field: field.clone(),
        exactness,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    const NUMBER: &str = "+12345550123";

    fn number() -> PhoneNumber {
        PhoneNumber::parse_caller(NUMBER, "US").unwrap()
    }

    /// A record by its name: `L1` is a Lead, `C1` a Contact.
    fn record(name: &str, created: i64, modified: i64) -> FoundRecord {
        let (prefix, record_type) =
            if name.starts_with('L') { ("00Q", RecordType::Lead) } else { ("003", RecordType::Contact) };
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        FoundRecord {
            id: SalesforceId::parse(format!("{prefix}0000000000{name}")).unwrap(),
            record_type,
            name: Some(name.to_owned()),
            phones: vec![("Phone".to_owned(), "(234) 555-0123".to_owned())],
            country: None,
            created_at: at(created),
            modified_at: at(modified),
        }
    }

    fn with_phones(mut record: FoundRecord, phones: &[(&str, &str)]) -> FoundRecord {
        record.phones =
            phones.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect();
        record
    }

    fn names(decision: &Decision) -> Vec<&str> {
        decision.candidates.iter().filter_map(|candidate| candidate.name.as_deref()).collect()
    }

    type Case<'a> =
        (&'a [FoundRecord], &'a [RecordType], MultipleMatches, Rule, Option<&'a str>, &'a [&'a str]);

    #[test]
    fn match_order_decides_before_the_rule_for_several() {
        use MultipleMatches::{FirstCreated, MostRecent, Skip};
        use RecordType::{Contact, Lead};
        let found = [
            record("C1", 2, 9),
            record("C2", 1, 8),
            record("L1", 5, 5),
            record("L2", 4, 7),
            record("L3", 3, 6),
        ];
        let lead = &found[2..3];
        let contacts = &found[..2];
        let one_lead = &found[..3];
        let cases: [Case<'_>; 10] = [
            (&[], &[Lead, Contact], MostRecent, Rule::NoCandidate, None, &[]),
            (lead, &[Lead, Contact], Skip, Rule::OnlyCandidate, Some("L1"), &["L1"]),
            (contacts, &[Lead, Contact], MostRecent, Rule::MostRecent, Some("C1"), &["C1", "C2"]),
            (one_lead, &[Lead, Contact], Skip, Rule::MatchOrder, Some("L1"), &["L1", "C1", "C2"]),
            (one_lead, &[Contact, Lead], FirstCreated, Rule::FirstCreated, Some("C2"), &["C2", "C1", "L1"]),
            (one_lead, &[Contact], MostRecent, Rule::MostRecent, Some("C1"), &["C1", "C2"]),
            (lead, &[Contact], MostRecent, Rule::NoCandidate, None, &[]),
            (
                &found,
                &[Lead, Contact],
                MostRecent,
                Rule::MostRecent,
                Some("L2"),
                &["L2", "L3", "L1", "C1", "C2"],
            ),
            (
                &found,
                &[Lead, Contact],
                FirstCreated,
                Rule::FirstCreated,
                Some("L3"),
                &["L3", "L2", "L1", "C2", "C1"],
            ),
            (&found, &[Lead, Contact], Skip, Rule::SkipMultiple, None, &["L2", "L3", "L1", "C1", "C2"]),
        ];
        for (found, match_order, multiple_matches, rule, chosen, order) in cases {
            let settings =
                Settings { match_order: match_order.to_vec(), multiple_matches, ..Settings::default() };
            let decision = decide(&number(), found, &settings);
            let chosen_id = chosen.and_then(|name| found.iter().find(|r| r.name.as_deref() == Some(name)));
            assert_eq!(decision.rule, rule, "{match_order:?} {multiple_matches:?}");
            let chosen = chosen_id.map(|r| Record { record_type: r.record_type, id: r.id.clone() });
            assert_eq!(decision.chosen, chosen);
            assert_eq!(names(&decision), order);
        }
    }

    #[test]
    fn ties_are_broken_by_id() {
        for multiple_matches in [MultipleMatches::MostRecent, MultipleMatches::FirstCreated] {
            let settings = Settings { multiple_matches, ..Settings::default() };
            let decision =
                decide(&number(), &[record("L2", 1, 1), record("L1", 1, 1), record("L1", 1, 1)], &settings);
            assert_eq!(names(&decision), ["L1", "L2"]);
        }
    }

    #[test]
    fn a_number_without_a_country_code_is_read_in_the_records_country() {
        let british = PhoneNumber::parse_caller("+442345550130", "US").unwrap();
        let mut of_country = with_phones(record("C1", 1, 1), &[("Phone", "234-555-0130")]);
        let candidates = |record: &FoundRecord| {
            names(&decide(&british, std::slice::from_ref(record), &Settings::default())).len()
        };
        for (country, count) in [(None, 0), (Some("United Kingdom"), 1), (Some("US"), 0)] {
            of_country.country = country.map(str::to_owned);
            assert_eq!(candidates(&of_country), count, "{country:?}");
        }
    }

    #[test]
    fn a_record_is_unread_if_no_field_explains_why_it_was_found() {
        for (phones, is_unread) in [
            (&[][..], true),
            (&[("Phone", "(234) 555-0199")], true),
            (&[("Phone", "call 0123 or mail")], true),
            (&[("Phone", "234-555-0123")], false),
            (&[("Phone", "+44 20 7946 0123")], false),
            (&[("Phone", "(234) 555-0199"), ("Fax", NUMBER)], false),
            (&[("Phone", "(212) 555-0123")], false),
        ] {
            let found = [with_phones(record("L1", 1, 1), phones)];
            let unread = unread(&number(), &found, &Settings::default()).count();
            assert_eq!(unread == 1, is_unread, "{phones:?}");
        }
        let contacts = Settings { match_order: vec![RecordType::Contact], ..Settings::default() };
        let found = [with_phones(record("L1", 1, 1), &[])];
        assert_eq!(unread(&number(), &found, &contacts).count(), 0, "Leads are not searched");
    }

    #[test]
    fn only_a_record_with_the_number_is_a_candidate() {
        let found = [
            with_phones(record("L1", 1, 1), &[("Phone", "(234) 555-0199"), ("Fax", NUMBER)]),
            with_phones(record("L2", 1, 1), &[]),
            with_phones(record("C1", 1, 1), &[("Phone", "234 555 0123"), ("MobilePhone", "+1 234 555 0123")]),
        ];
        let decision = decide(&number(), &found, &Settings::default());
        assert_eq!(decision.rule, Rule::OnlyCandidate);
        let best = &decision.candidates[0];
        assert_eq!((best.field.as_str(), best.exactness), ("MobilePhone", Exactness::Exact));
    }

    proptest! {
        #[test]
        fn the_order_of_found_records_does_not_matter(
            times in proptest::collection::vec((0_i64..3, 0_i64..3, any::<bool>()), 0..6),
            turn in 0_usize..6,
        ) {
            let mut found: Vec<FoundRecord> = times
                .iter()
                .enumerate()
                .map(|(i, (created, modified, lead))| {
                    record(&format!("{}{i}", if *lead { 'L' } else { 'C' }), *created, *modified)
                })
                .collect();
            let decision = decide(&number(), &found, &Settings::default());
            let turn = turn.min(found.len());
            found.rotate_left(turn);
            prop_assert_eq!(&decide(&number(), &found, &Settings::default()), &decision);
            prop_assert_eq!(decision.chosen.is_some(), !found.is_empty());
        }
    }

    #[test]
    fn the_card_has_a_text_for_each_reason_to_turn_a_record_down() {
        let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboard/src/texts.ts");
        let texts = fs::read_to_string(texts).unwrap();
        let (_, why_not) = texts.split_once("whyNot: (why: string) =>").unwrap();
        let (why_not, _) = why_not.split_once("})[why]").unwrap();
        for why in [NUMBER_NOT_READ, OTHER_NUMBER] {
            assert!(why_not.contains(&format!("\n      {why}: \"")), "{why}");
        }
    }
}
