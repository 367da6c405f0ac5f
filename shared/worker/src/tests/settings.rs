//! How an attempt uses the workspace's settings.

use calls::{status::SyncStatus, time_zone::TimeZone};
use crm::{phone::Exactness, workspace::Settings};

use crate::worker::Worker;

use super::{appointment, booked_call, world::*};

const BRITISH: &str = "+442079460123";

/// A workspace whose settings are not the defaults.
fn world_with(change: impl FnOnce(&mut Settings)) -> Worker<World> {
    let world = world();
    change(&mut world.edit_workspace().settings);
    world
}

#[tokio::test]
async fn a_callers_number_without_a_country_code_belongs_to_the_workspaces_country() {
    let world = world_with(|settings| settings.default_country = "GB".to_owned());
    world.salesforce.state().records = vec![lead(LEAD, BRITISH)];
    let mut national = call(0);
    national.customer_number = Some(fact(0, "020 7946 0123".to_owned()));
    world.reported(&national).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.phone_number.as_deref()), (SyncStatus::Success, Some(BRITISH)));
}

/// In the United States, the same digits are another number, in Maine.
#[tokio::test]
async fn a_stored_number_without_a_country_code_belongs_to_the_workspaces_country() {
    for (country, status) in [("GB", SyncStatus::Success), ("US", SyncStatus::NotFound)] {
        let world = world_with(|settings| settings.default_country = country.to_owned());
        world.salesforce.state().records = vec![lead(LEAD, "207 946 0123")];
        let mut british = call(0);
        british.customer_number = Some(fact(0, BRITISH.to_owned()));
        world.reported(&british).await.unwrap();
        let row = world.ledger.row("call-1");
        assert_eq!(row.status, status, "{country}");
        let candidates = row.decision.unwrap().candidates;
        assert!(candidates.iter().all(|candidate| candidate.exactness == Exactness::National));
    }
}

#[tokio::test]
async fn an_appointment_has_the_workspaces_time_zone_and_duration() {
    let world = world_with(|settings| {
        settings.time_zone = "America/New_York".parse().unwrap();
        settings.appointment_duration_minutes = 45;
    });
    let booked = booked_call();
    world.reported(&booked).await.unwrap();
    let (_, event) = world.salesforce.state().events[0].clone();
    assert_eq!(event.start_date_time, "2027-01-20T19:00:00Z");
    assert_eq!(event.end_date_time, "2027-01-20T19:45:00Z");
}

/// At 3 a.m. on the 21st in UTC, it is still the 20th in New York.
#[tokio::test]
async fn today_depends_on_the_workspaces_time_zone() {
    let late = 1_800_500_400 - START;
    for (zone, events) in [("America/New_York".parse().unwrap(), 1), (TimeZone::UTC, 0)] {
        let world = world_with(|settings| settings.time_zone = zone);
        world.pass(late);
        let mut booked = call(late);
        booked.appointment = Some(fact(late, appointment()));
        world.reported(&booked).await.unwrap();
        assert_eq!(world.salesforce.state().events.len(), events, "{zone}");
    }
}
