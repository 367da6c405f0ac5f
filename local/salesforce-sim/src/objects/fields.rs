//! The fields of an object in an org: the standard ones and those that the org's admins added, and which of them the user
//! can see.

use std::sync::{Mutex, PoisonError};

use super::{
    schema::{Field, Kind, Object, field as writable},
    tables,
};
use crate::settings::{CustomField, CustomKind, Settings};

/// How many definitions a process can hold. A field's name is leaked because it is the key of the field's values; without a
/// limit, a test that kept inventing names would fill the memory.
const MAX_DEFINITIONS: usize = 1_000;
const TEXT_LENGTH: usize = 255;

/// Each definition once, however often the settings name it.
static DEFINITIONS: Mutex<Vec<&'static Field>> = Mutex::new(vec![]);

impl Object {
    /// All its fields.
    pub(crate) fn fields(&self, settings: &Settings) -> impl Iterator<Item = &'static Field> {
        self.standard_fields().chain(settings.custom_fields_of(self.name).filter_map(custom))
    }

    /// A field by its API name, ignoring case.
    pub(crate) fn field(&self, name: &str, settings: &Settings) -> Option<&'static Field> {
        self.fields(settings).find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The fields that a new record must have.
    pub(crate) fn required_fields<'a>(&self, settings: &'a Settings) -> impl Iterator<Item = &'a str> {
        let custom = settings.custom_fields_of(self.name).filter(|field| field.required);
        self.required.iter().copied().chain(custom.map(|field| field.name.as_str()))
    }

    /// A field by its API name, if the user can see it.
    pub(crate) fn visible_field(&self, name: &str, settings: &Settings) -> Option<&'static Field> {
        self.field(name, settings).filter(|field| !settings.hides_field(self.name, field.name))
    }
}

/// An object by its API name, ignoring case, if the user can see it.
pub(crate) fn visible_object(name: &str, settings: &Settings) -> Option<&'static Object> {
    tables::object(name).filter(|object| !settings.hides_object(object.name))
}

/// The field of a definition; `None` if there are too many.
fn custom(definition: &CustomField) -> Option<&'static Field> {
    let kind = match definition.kind {
        CustomKind::Phone => Kind::Phone,
        CustomKind::Text => Kind::Text(TEXT_LENGTH),
    };
    let mut known = DEFINITIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.iter().find(|field| field.name == definition.name && field.kind == kind) {
        return Some(found);
    }
    if known.len() >= MAX_DEFINITIONS {
        return None;
    }
    let name: &'static str = definition.name.clone().leak();
    let label: &'static str = name.trim_end_matches("__c").replace('_', " ").leak();
    let field: &'static Field = Box::leak(Box::new(writable(name, label, kind)));
    known.push(field);
    Some(field)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Bench;

    fn definition(object: &str, name: &str, kind: CustomKind) -> CustomField {
        CustomField { object: object.into(), name: name.into(), kind, required: false, encrypted: false }
    }

    fn with(fields: Vec<CustomField>) -> Bench {
        let mut bench = Bench::new();
        bench.world.settings.custom_fields = fields;
        bench
    }

    fn found(bench: &mut Bench, group: &str) -> Value {
        let search = format!(
            "FIND {{2345550190}} IN {group} FIELDS RETURNING Contact(Name, Direct_Line__c WHERE Direct_Line__c != null)"
        );
        bench.get("/search", &search).unwrap()["searchRecords"].clone()
    }

    #[test]
    fn a_definition_is_kept_once() {
        let one = definition("Contact", "Kept_Once__c", CustomKind::Phone);
        assert!(std::ptr::eq(custom(&one).unwrap(), custom(&one.clone()).unwrap()));
        assert_eq!(custom(&one).unwrap().label, "Kept Once");
    }

    #[test]
    fn a_custom_phone_can_be_read_searched_and_queried() {
        let mut bench = with(vec![definition("Contact", "Direct_Line__c", CustomKind::Phone)]);
        let id = bench.add("Contact", json!({"LastName": "Direct", "Direct_Line__c": "(234) 555-0190"}));
        let hits = found(&mut bench, "PHONE");
        assert_eq!(hits[0]["Name"], "Direct");
        assert_eq!(hits[0]["Direct_Line__c"], "(234) 555-0190");
        let query =
            "SELECT direct_line__C FROM Contact WHERE Direct_Line__c LIKE '%0190' ORDER BY Direct_Line__c";
        assert_eq!(bench.get("/query", query).unwrap()["records"][0]["Direct_Line__c"], "(234) 555-0190");
        let read = bench.request("GET", &format!("/sobjects/Contact/{id}"), None).body.unwrap();
        assert_eq!(read["Direct_Line__c"], "(234) 555-0190");
        bench.update("Contact", &id, json!({"Direct_Line__c": "2345550191"})).unwrap();
        assert_eq!(bench.record(&id).text("Direct_Line__c"), Some("2345550191"));
    }

    #[test]
    fn a_number_in_a_text_field_is_not_a_phone_number() {
        let mut bench = with(vec![definition("Contact", "Direct_Line__c", CustomKind::Text)]);
        bench.add("Contact", json!({"LastName": "Direct", "Direct_Line__c": "2345550190"}));
        assert_eq!(found(&mut bench, "PHONE"), json!([]));
        assert_eq!(found(&mut bench, "ALL")[0]["Name"], "Direct");
    }

    #[test]
    fn a_custom_field_belongs_to_its_object_only() {
        let mut bench = with(vec![definition("Contact", "Direct_Line__c", CustomKind::Phone)]);
        let lead = json!({"LastName": "L", "Company": "C", "Direct_Line__c": "1"});
        let error = bench.create("Lead", lead).unwrap_err();
        assert!(error.starts_with("400 INVALID_FIELD: No such column 'Direct_Line__c'"), "{error}");
        bench.world.settings.custom_fields.clear();
        let error = bench.get("/query", "SELECT Direct_Line__c FROM Contact").unwrap_err();
        assert!(error.starts_with("400 INVALID_FIELD"), "{error}");
    }

    #[test]
    fn no_record_is_saved_without_a_required_custom_field() {
        for object in ["Task", "Event", "Lead", "Contact"] {
            let required =
                CustomField { required: true, ..definition(object, "Cost_Centre__c", CustomKind::Text) };
            let mut bench = with(vec![required]);
            let mut body = match object {
                "Task" => json!({}),
                "Event" => json!({"StartDateTime": "2026-01-15T19:00:00Z", "DurationInMinutes": 60}),
                _ => json!({"LastName": "L"}),
            };
            if object == "Lead" {
                body["Company"] = json!("C");
            }
            assert_eq!(
                bench.create(object, body.clone()).unwrap_err(),
                r#"400 REQUIRED_FIELD_MISSING: Required fields are missing: [Cost_Centre__c] ["Cost_Centre__c"]"#
            );
            body["Cost_Centre__c"] = json!("42");
            let id = bench.create(object, body).unwrap();
            let error = bench.update(object, &id, json!({"Cost_Centre__c": null})).unwrap_err();
            assert!(error.starts_with("400 REQUIRED_FIELD_MISSING"), "{error}");
        }
    }

    #[test]
    fn an_encrypted_phone_can_be_searched_but_not_filtered_by() {
        let encrypted =
            CustomField { encrypted: true, ..definition("Contact", "Direct_Line__c", CustomKind::Phone) };
        let mut bench = with(vec![encrypted]);
        bench.world.settings.unfilterable_fields = vec!["Lead.Phone".into()];
        bench.add("Contact", json!({"LastName": "Direct", "Direct_Line__c": "2345550190"}));
        let search = "FIND {2345550190} IN PHONE FIELDS RETURNING Contact(Direct_Line__c)";
        assert_eq!(bench.get("/search", search).unwrap()["searchRecords"][0]["Direct_Line__c"], "2345550190");
        let search = "FIND {2345550123} IN PHONE FIELDS RETURNING Lead(Phone)";
        assert_eq!(bench.get("/search", search).unwrap()["searchRecords"][0]["Phone"], "(234) 555-0123");
        for (path, query, expected) in [
            (
                "/query",
                "SELECT Phone FROM Lead WHERE Phone LIKE '%0123'",
                "field 'Phone' can not be filtered in a query call",
            ),
            (
                "/query",
                "SELECT Phone FROM Lead WHERE (FirstName = 'A' OR NOT Phone = null)",
                "field 'Phone' can not be filtered in a query call",
            ),
            (
                "/query",
                "SELECT Id FROM Lead ORDER BY Phone",
                "field 'Phone' can not be sorted in a query call",
            ),
            (
                "/search",
                "FIND {2345550190} RETURNING Lead(Id WHERE Phone != null)",
                "field 'Phone' can not be filtered in a query call",
            ),
            (
                "/query",
                "SELECT Id FROM Contact WHERE Direct_Line__c = '2345550190'",
                "field 'Direct_Line__c' can not be filtered in a query call",
            ),
        ] {
            let error = bench.get(path, query).unwrap_err();
            assert!(error.starts_with("400 INVALID_FIELD: \n") && error.contains("\nERROR at Row:1:Column:"));
            assert!(error.contains(expected), "{query}: {error}");
        }
        assert!(
            bench.get("/query", "SELECT Id FROM Contact WHERE Phone = '1'").is_ok(),
            "only the Phone of Lead is encrypted"
        );
    }
}
