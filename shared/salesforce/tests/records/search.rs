//! Finding records by phone number: by search, and by query while the search index lags.

use chrono::{DateTime, Utc};
use crm::{FaultClass, Omitted, PhoneQuery, RecordType};
use salesforce_sim::{Effect, Fault, NewRecord, Preset, RouteKind, Settings};
use serde_json::json;
use worker::ports::Crm;

use crate::support::world::{World, class_and_code};

#[tokio::test]
async fn a_search_finds_leads_and_contacts_however_their_numbers_are_formatted() {
    let world = World::new().await;
    for (number, record_type, name) in [
        ("2345550123", RecordType::Lead, "Ada Sample"),
        ("2345550150", RecordType::Lead, "Dev Extension"),
        ("2345550147", RecordType::Contact, "Grace Example"),
        ("2345550148", RecordType::Contact, "Hank Dots"),
        ("2345550149", RecordType::Contact, "Jo Plain"),
        ("2345550151", RecordType::Contact, "Kim Assisted"),
        ("2345550160", RecordType::Contact, "Conny Converted"),
    ] {
        assert_eq!(world.search(number).await.unwrap(), [(record_type, Some(name.to_owned()))], "{number}");
    }
    assert_eq!(world.search("2345550199").await.unwrap(), []);
    assert_eq!(world.salesforce.count(RouteKind::Search), 8, "each search is one request");
}

#[tokio::test]
async fn found_records_have_what_matching_needs() {
    let world = World::new().await;
    let query = PhoneQuery {
        national: "2345550123".to_owned(),
        international: "12345550123".to_owned(),
        others: vec![],
    };
    let response =
        world.client.search(&world.connection, &RecordType::ALL, &query, &Omitted::default()).await.unwrap();
    let ada = &response.value.records[0];
    assert_eq!(ada.phones, [("Phone".to_owned(), "(234) 555-0123".to_owned())]);
    assert_eq!(ada.country.as_deref(), Some("United States"));
    assert!(ada.created_at <= ada.modified_at && ada.modified_at <= Utc::now());
    assert_eq!(ada.id.key_prefix(), "00Q");
    let usage = response.api_usage.unwrap();
    assert_eq!((usage.used, usage.limit), (1, 15_000));
}

#[tokio::test]
async fn a_search_leaves_out_what_the_user_may_not_read() {
    let world = World::new().await;
    world
        .salesforce
        .set(|settings| settings.hidden_fields = vec!["Lead.Country".into(), "Contact.HomePhone".into()]);
    assert_eq!(world.search("2345550123").await.unwrap().len(), 1);
    assert_eq!(world.search("2345550147").await.unwrap().len(), 1);
    world.salesforce.set(|settings| settings.hidden_objects = vec!["Lead".into()]);
    assert_eq!(world.search("2345550123").await.unwrap(), []);
    assert_eq!(world.search("2345550147").await.unwrap().len(), 1);
    world.salesforce.set(|settings| settings.hidden_objects = vec!["Lead".into(), "Contact".into()]);
    let error = world.search("2345550123").await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Permanent, "INVALID_TYPE"));
}

/// Adds Contacts with the same number until they fill a page.
fn fill_page(world: &World) -> PhoneQuery {
    for n in 0..200 {
        let fields = json!({ "LastName": format!("Crowd {n}"), "Phone": "(234) 555-0190" });
        let fields = fields.as_object().unwrap().clone();
        let new = NewRecord { object: "Contact".to_owned(), fields, indexed: true, org: None };
        world.salesforce.add_record(&new).unwrap();
    }
    PhoneQuery { national: "2345550190".to_owned(), international: "12345550190".to_owned(), others: vec![] }
}

#[tokio::test]
async fn an_object_that_is_not_searched_has_no_effect() {
    let world = World::new().await;
    let query = fill_page(&world);
    let (client, connection) = (&world.client, &world.connection);
    let leads = [RecordType::Lead];
    let found = client.search(connection, &leads, &query, &Omitted::default()).await.unwrap().value;
    assert_eq!((found.records.len(), found.full), (0, None));
    let found = client
        .recent(connection, &leads, &query, DateTime::UNIX_EPOCH, &Omitted::default())
        .await
        .unwrap()
        .value;
    assert_eq!((found.records.len(), found.full), (0, None));
    world.salesforce.set(|settings| settings.hidden_objects = vec!["Contact".into()]);
    world.salesforce.clear_requests();
    client.search(connection, &leads, &query, &Omitted::default()).await.unwrap();
    assert_eq!(world.salesforce.count(RouteKind::Search), 1);
}

/// It is not a miss: the unreadable records may have the number.
#[tokio::test]
async fn a_search_with_nothing_left_to_read_is_an_error() {
    let world = World::new().await;
    let query = PhoneQuery {
        national: "2345550123".to_owned(),
        international: "12345550123".to_owned(),
        others: vec![],
    };
    let (client, connection) = (&world.client, &world.connection);
    world.salesforce.set(|settings| settings.hidden_objects = vec!["Contact".into()]);
    let contacts = [RecordType::Contact];
    let error = client.search(connection, &contacts, &query, &Omitted::default()).await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Permanent, "INVALID_TYPE"));
    let error = client
        .recent(connection, &contacts, &query, DateTime::UNIX_EPOCH, &Omitted::default())
        .await
        .unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Permanent, "INVALID_TYPE"));
}

#[tokio::test]
async fn a_full_page_is_reported() {
    let world = World::new().await;
    let query = fill_page(&world);
    let found = world
        .client
        .search(&world.connection, &RecordType::ALL, &query, &Omitted::default())
        .await
        .unwrap()
        .value;
    assert_eq!((found.records.len(), found.full), (200, Some(RecordType::Contact)));
}

#[tokio::test]
async fn every_failure_of_a_search_has_its_class() {
    let world = World::new().await;
    for (preset, class) in [
        (Preset::SessionExpired, FaultClass::Session),
        (Preset::SessionNotForRest, FaultClass::Permanent),
        (Preset::TotalRequestsLimit, FaultClass::DailyLimit),
        (Preset::ConcurrentRequestsLimit, FaultClass::ConcurrentLimit),
        (Preset::ApiDisabled, FaultClass::Permanent),
        (Preset::UnknownException, FaultClass::Passing),
        (Preset::ServerUnavailable, FaultClass::Passing),
        (Preset::BadGatewayHtml, FaultClass::Passing),
        (Preset::EdgeBusyHtml, FaultClass::Passing),
    ] {
        world.fault(RouteKind::Search, preset);
        assert_eq!(world.search("2345550123").await.unwrap_err().class, class, "{preset:?}");
    }
}

/// Each of the three hidden fields costs one request, and none once it is known.
#[tokio::test]
async fn what_is_known_to_be_hidden_costs_no_request() {
    let world = World::new().await;
    let hidden = ["Lead.MobilePhone", "Contact.HomePhone", "Contact.OtherPhone"];
    world.salesforce.set(|settings| settings.hidden_fields = hidden.map(Into::into).into());
    let query = PhoneQuery {
        national: "2345550123".to_owned(),
        international: "12345550123".to_owned(),
        others: vec![],
    };
    let mut omitted = Omitted::default();
    for requests in [4, 1] {
        world.salesforce.clear_requests();
        let found = world.client.search(&world.connection, &RecordType::ALL, &query, &omitted).await.unwrap();
        assert_eq!(world.salesforce.count(RouteKind::Search), requests);
        assert_eq!(found.value.records.len(), 1);
        omitted = found.value.omitted;
    }
    assert_eq!(omitted.unreadable, hidden.map(str::to_owned).into());
}

/// With Shield encryption, a query cannot filter by an encrypted field, but a search finds it.
#[tokio::test]
async fn new_records_are_queried_without_fields_that_cannot_be_filtered_by() {
    let world = World::new().await;
    let leads = ["Lead.Phone".to_owned(), "Lead.MobilePhone".to_owned()];
    world.salesforce.set(|settings| settings.unfilterable_fields = leads.to_vec());
    let query = PhoneQuery {
        national: "2345550171".to_owned(),
        international: "12345550171".to_owned(),
        others: vec![],
    };
    for object in ["Lead", "Contact"] {
        let record = NewRecord::indexed(object, json!({ "LastName": "New", "Phone": "2345550171" }));
        world.salesforce.add_record(&record.unindexed()).unwrap();
    }
    let mut omitted = Omitted::default();
    for requests in [3, 1] {
        world.salesforce.clear_requests();
        let since = Utc::now() - chrono::TimeDelta::minutes(15);
        let found = world.client.recent(&world.connection, &RecordType::ALL, &query, since, &omitted).await;
        let found = found.unwrap().value;
        let kinds: Vec<_> = found.records.iter().map(|record| record.record_type).collect();
        assert_eq!(
            (kinds, world.salesforce.count(RouteKind::Composite)),
            (vec![RecordType::Contact], requests)
        );
        omitted = found.omitted;
    }
    assert_eq!(omitted.unfilterable, leads.into());
}

#[tokio::test]
async fn a_search_survives_one_lost_connection() {
    let world = World::new().await;
    world.fault(RouteKind::Search, Effect::DropBefore);
    assert_eq!(world.search("2345550123").await.unwrap().len(), 1);
    world.salesforce.add_fault(Fault::once(RouteKind::Search, Effect::DropBefore).times(2));
    let error = world.search("2345550123").await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Passing, "connection"));
}

#[tokio::test]
async fn new_records_are_found_before_they_are_indexed() {
    let world = World::new().await;
    for (object, field, number) in [
        ("Lead", "Phone", "(234) 555-0171"),
        ("Contact", "HomePhone", "+1 234.555.01 71 x5"),
        ("Lead", "Fax", "2345550171"),
        ("Lead", "Phone", "2345550172"),
    ] {
        let fields = json!({ "LastName": "New", "Company": "Sample", field: number });
        let fields = fields.as_object().unwrap().clone();
        let fields = fields.into_iter().filter(|(name, _)| object == "Lead" || name != "Company").collect();
        world
            .salesforce
            .add_record(&NewRecord { object: object.into(), fields, indexed: false, org: None })
            .unwrap();
    }
    assert_eq!(world.search("2345550171").await.unwrap(), []);
    let query = PhoneQuery {
        national: "2345550171".to_owned(),
        international: "12345550171".to_owned(),
        others: vec![],
    };
    let since = Utc::now() - chrono::TimeDelta::minutes(15);
    let found = world
        .client
        .recent(&world.connection, &RecordType::ALL, &query, since, &Omitted::default())
        .await
        .unwrap()
        .value;
    let kinds: Vec<_> = found.records.iter().map(|record| record.record_type).collect();
    assert_eq!((kinds, found.full), (vec![RecordType::Lead, RecordType::Contact], None));
    let later = Utc::now() + chrono::TimeDelta::minutes(1);
    assert_eq!(
        world
            .client
            .recent(&world.connection, &RecordType::ALL, &query, later, &Omitted::default())
            .await
            .unwrap()
            .value
            .records,
        []
    );
}

#[tokio::test]
async fn new_contacts_are_found_for_a_user_who_may_not_see_leads() {
    let world = World::new().await;
    world.salesforce.set(|settings: &mut Settings| settings.hidden_objects = vec!["Lead".into()]);
    let query =
        PhoneQuery { national: "2345550171".into(), international: "12345550171".into(), others: vec![] };
    assert!(
        world
            .client
            .recent(&world.connection, &RecordType::ALL, &query, DateTime::UNIX_EPOCH, &Omitted::default())
            .await
            .is_ok()
    );
}
