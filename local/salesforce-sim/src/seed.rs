//! Two orgs of invented people: Leads and Contacts, with phone numbers in the many ways that people type them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::{
    ids::Id,
    objects::{
        schema::Object,
        store::{Fields, Org},
        tables::{ACCOUNT, CONTACT, LEAD},
        value::instant_text,
    },
};

/// The orgs in their initial state.
pub(crate) fn orgs(now: DateTime<Utc>) -> Vec<Org> {
    let mut sample = Org::new(1, "Ringlog Sample Company");
    sample.add_user("Sam Admin", "sam.admin@ringlog.example", "America/New_York");
    sample.add_user("Uma User", "uma.user@ringlog.example", "Europe/London");
    people(&mut sample, now);
    let mut other = Org::new(2, "Other Example Company");
    other.add_user("Otto Other", "otto.other@other.example", "America/Los_Angeles");
    other.add_user("Olive Other", "olive.other@other.example", "America/Los_Angeles");
    put(
        &mut other,
        &CONTACT,
        now,
        json!({"FirstName": "Olga", "LastName": "Elsewhere", "Phone": "(234) 555-0123"}),
    );
    vec![sample, other]
}

fn people(org: &mut Org, now: DateTime<Utc>) {
    let account = put(org, &ACCOUNT, now, json!({"Name": "Example Industries", "Phone": "(234) 555-0100"}));
    for lead in [
        json!({"FirstName": "Ada", "LastName": "Sample", "Company": "Sample Bakery", "Phone": "(234) 555-0123",
            "Country": "United States"}),
        json!({"FirstName": "Ben", "LastName": "Twin", "Company": "Twin Cycles", "Phone": "234-555-0130"}),
        json!({"FirstName": "Bea", "LastName": "Twin", "Company": "Twin Cycles", "MobilePhone": "+1 (234) 555-0130"}),
        json!({"FirstName": "Cleo", "LastName": "Faxonly", "Company": "Paper Works", "Fax": "(234) 555-0140"}),
        json!({"FirstName": "Dev", "LastName": "Extension", "Company": "Switchboard Ltd", "Phone": "(234) 555-0150 x12"}),
    ] {
        put(org, &LEAD, now, lead);
    }
    let converted = put(
        org,
        &LEAD,
        now,
        json!({"FirstName": "Conny", "LastName": "Converted", "Company": "Grown Up Inc", "Phone": "(234) 555-0160",
            "Status": "Closed - Converted"}),
    );
    for contact in [
        json!({"FirstName": "Grace", "LastName": "Example", "MobilePhone": "+1 234-555-0147", "Title": "Buyer"}),
        json!({"FirstName": "Hank", "LastName": "Dots", "HomePhone": "234.555.0148"}),
        json!({"FirstName": "Iris", "LastName": "London", "Phone": "020 7946 0123", "MailingCountry": "United Kingdom"}),
        json!({"FirstName": "Jo", "LastName": "Plain", "OtherPhone": "12345550149"}),
        json!({"FirstName": "Kim", "LastName": "Assisted", "AssistantPhone": "1-234-555-0151"}),
    ] {
        let contact = put(org, &CONTACT, now, contact);
        set(org, &contact, json!({"AccountId": account.as_str()}));
    }
    let contact = put(
        org,
        &CONTACT,
        now,
        json!({"FirstName": "Conny", "LastName": "Converted", "Phone": "(234) 555-0160"}),
    );
    set(org, &contact, json!({"AccountId": account.as_str()}));
    set(
        org,
        &converted,
        json!({"IsConverted": true, "ConvertedContactId": contact.as_str(), "ConvertedAccountId": account.as_str(),
            "ConvertedDate": now.date_naive().to_string()}),
    );
}

/// Adds a record some weeks old, each a day newer than the one before, so that their order is known.
fn put(org: &mut Org, object: &'static Object, now: DateTime<Utc>, fields: Value) -> Id {
    let age = TimeDelta::days(60 - i64::try_from(org.records.len()).unwrap_or_default());
    add(org, object, by_name(object, fields), now - age, now - age)
}

fn set(org: &mut Org, id: &Id, fields: Value) {
    if let Some(record) = org.records.get_mut(id) {
        let object = record.object;
        record.fields.extend(by_name(object, fields));
    }
}

fn by_name(object: &Object, fields: Value) -> Fields {
    let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    fields.into_iter().filter_map(|(name, value)| Some((object.standard_field(&name)?.name, value))).collect()
}

/// Adds a record owned by the org's first user, which search knows from `indexed` on.
pub(crate) fn add(
    org: &mut Org,
    object: &'static Object,
    mut fields: Fields,
    created: DateTime<Utc>,
    indexed: DateTime<Utc>,
) -> Id {
    let owner = org.users.first().map_or_else(|| org.id.clone(), |user| user.id.clone());
    if object.standard_field("OwnerId").is_some() {
        fields.entry("OwnerId").or_insert_with(|| json!(owner.as_str()));
    }
    if object.standard_field("FirstName").is_some() {
        let name = ["FirstName", "LastName"].map(|field| fields.get(field).and_then(Value::as_str));
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
        fields.entry("Name").or_insert_with(|| json!(name));
    }
    if object.name == LEAD.name {
        fields.entry("Status").or_insert_with(|| json!("Open - Not Contacted"));
    }
    let modified = fields.get("CreatedDate").cloned().unwrap_or_else(|| json!(instant_text(created)));
    fields.entry("LastModifiedDate").or_insert(modified);
    let id = org.insert(object, fields, &owner, created);
    if let Some(record) = org.records.get_mut(&id) {
        record.index_from(indexed);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_people_are_the_same_every_time() {
        let ids = || orgs(Utc::now())[0].records.keys().cloned().collect::<Vec<_>>();
        assert_eq!(ids(), ids());
        assert_eq!(orgs(Utc::now())[0].of(&LEAD).count(), 6);
        assert_eq!(orgs(Utc::now())[0].of(&CONTACT).count(), 6);
    }
}
