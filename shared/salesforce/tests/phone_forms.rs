//! Numbers in the forms that people store them in, against the simulator, which compares digits as strictly as Salesforce
//! may.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use crm::{Omitted, RecordType, matching, phone::PhoneNumber, workspace::Settings};
use salesforce::Timeouts;
use salesforce_sim::{NewRecord, RouteKind, Settings as Behaviour};
use serde_json::json;
use worker::ports::Crm;

use support::world::World;

/// The caller's number, the workspace's country, and the number as a record has it.
type Form = (&'static str, &'static str, &'static str);

/// Found by a search that compares digits from the start of the field.
const FORMS: &[Form] = &[
    ("+442079460123", "GB", "+442079460123"),
    ("+442079460123", "GB", "+44 (0)20 7946 0123"),
    ("+442079460123", "US", "0044 20 7946 0123"),
    ("+442079460123", "US", "011 44 20 7946 0123"),
    ("+442079460123", "GB", "020 7946 0123"),
    ("+442079460123", "GB", "(020) 7946-0123 x12"),
    ("+442079460123", "GB", "20.7946.0123"),
    ("+79123456789", "RU", "8 (912) 345-67-89"),
    ("+3612345678", "HU", "06 1 234 5678"),
    ("+390612345678", "IT", "06 1234 5678"),
    ("+525512345678", "MX", "+52 1 55 1234 5678"),
    ("+5491123456789", "AR", "011 15-2345-6789"),
    ("+375291234567", "BY", "8 029 123-45-67"),
    ("+12345550123", "US", "1-234-555-0123 ext. 5"),
    ("+12345550104", "US", "234-555-0104 / 234-555-0105"),
    ("+12345550104", "US", "234-555-0104; 234-555-0105"),
    ("+12345550104", "US", "T: 234-555-0104 F: 234-555-0105"),
    ("+12345550104", "US", "234-555-0104 ext. 5, cell 234-555-0105"),
    ("+12345550104", "US", "234-555-0104 (3rd shift)"),
    ("+12345550104", "US", "234-555-0104 24h"),
    ("+12345550104", "US", "234-555-0104 (since 2019)"),
    ("+12345550104", "US", "2345550104.0"),
    ("+49301234567", "DE", "030 1234567/8"),
    ("+49301234567", "DE", "030 1234567 / 0171 2345678"),
    ("+33123456789", "FR", "01 23 45 67 89 - 06 12 34 56 78"),
];

/// Not found by it: the field does not begin with the number.
const NOT_FIRST: &[Form] = &[
    ("+12345550105", "US", "234-555-0104 / 234-555-0105"),
    ("+12345550105", "US", "234-555-0104; 234-555-0105"),
    ("+12345550105", "US", "T: 234-555-0104 F: 234-555-0105"),
    ("+12345550105", "US", "234-555-0104 ext. 5, cell 234-555-0105"),
    ("+12345550104", "US", "No. 1: 234-555-0104"),
    ("+12345550104", "US", "(2nd floor) 234-555-0104"),
    ("+491712345678", "DE", "030 1234567 / 0171 2345678"),
    ("+33612345678", "FR", "01 23 45 67 89 - 06 12 34 56 78"),
];

#[tokio::test]
async fn every_stored_form_is_found_by_one_search_and_matched() {
    assert_found(&World::new().await, FORMS).await;
}

/// A search that matches inside a field, as Salesforce's may, also finds records whose field begins with something else.
#[tokio::test]
async fn a_number_that_is_not_first_is_matched_if_search_finds_the_record() {
    let settings = Behaviour { suffix_match: true, ..Behaviour::default() };
    assert_found(&World::with(settings, Timeouts::default()).await, NOT_FIRST).await;
}

async fn assert_found(world: &World, forms: &[Form]) {
    for (place, &(number, country, stored)) in forms.iter().enumerate() {
        let name = format!("Form {place}");
        let fields = json!({ "LastName": name, "Company": "Sample", "Phone": stored });
        let fields = fields.as_object().unwrap().clone();
        let new = NewRecord { object: "Lead".to_owned(), fields, indexed: true, org: None };
        world.salesforce.add_record(&new).unwrap();

        let caller = PhoneNumber::parse_caller(number, country).unwrap();
        let before = world.salesforce.count(RouteKind::Search);
        let found = world
            .client
            .search(&world.connection, &RecordType::ALL, &caller.query(), &Omitted::default())
            .await
            .unwrap()
            .value;
        assert_eq!(world.salesforce.count(RouteKind::Search), before + 1, "one request");
        let settings = Settings { default_country: country.to_owned(), ..Settings::default() };
        let decision = matching::decide(&caller, &found.records, &settings);
        let names: Vec<_> =
            decision.candidates.iter().filter_map(|candidate| candidate.name.as_deref()).collect();
        assert!(names.contains(&name.as_str()), "{number} as {stored:?}: {names:?} of {found:?}");
    }
}
