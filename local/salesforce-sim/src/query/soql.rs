//! SOQL: `SELECT … FROM …` (docs/salesforce-api.md#queries). One object, its own fields, no aggregate except `COUNT()`.

use serde_json::{Value, json};

use super::{
    clauses::Clauses,
    condition::{Scope, resolve},
    lexer::{Reader, Token},
};
use crate::{
    error::ApiError,
    faults::Operation,
    objects::{fields::visible_object, write::Context},
};

/// Maximum number of records in a response.
const MAX_RECORDS: usize = 2_000;

/// Runs a query. `all` includes deleted and archived records (`queryAll`).
pub(crate) fn query(context: &mut Context<'_>, source: &str, all: bool) -> Result<Value, ApiError> {
    let mut reader = Reader::new(source, 0, "MALFORMED_QUERY")?;
    reader.expect("SELECT")?;
    let names = select_list(&mut reader)?;
    reader.expect("FROM")?;
    let object = reader.name()?;
    let object = visible_object(&object, context.settings).ok_or_else(|| {
        let message = format!(
            "sObject type '{object}' is not supported. If you are attempting to use a custom object, be sure to append \
             the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
        );
        reader.error_here("INVALID_TYPE", &message)
    })?;
    let scope = Scope::new(context, object);
    let mut fields = vec![];
    for name in names.iter().flatten() {
        let field = resolve(&reader, name, scope)?.name;
        if fields.contains(&field) {
            return Err(reader.error_here("MALFORMED_QUERY", &format!("duplicate field selected: {field}")));
        }
        fields.push(field);
    }
    let clauses = read_clauses(&mut reader, scope)?;
    context.record_faults.strike(object.name, Operation::Query)?;
    let mut records = context.org.rows(object, context.settings);
    records.retain(|record| {
        (all || !(record.is("IsDeleted") || record.is("IsArchived"))) && clauses.matches(record)
    });
    let records = clauses.page(records);
    if records.len() > MAX_RECORDS {
        return Err(ApiError::not_simulated("results of more than 2,000 records"));
    }
    let rows = names.iter().flat_map(|_| &records).map(|record| record.to_json(fields.iter().copied()));
    Ok(json!({"totalSize": records.len(), "done": true, "records": rows.collect::<Vec<_>>()}))
}

/// The fields; `None` for `COUNT()`.
fn select_list(reader: &mut Reader<'_>) -> Result<Option<Vec<String>>, ApiError> {
    let mut names = vec![reader.name()?];
    if names[0].eq_ignore_ascii_case("count") && reader.takes_symbol("(") {
        reader.expect_symbol(")")?;
        return Ok(None);
    }
    while reader.takes_symbol(",") {
        names.push(reader.name()?);
    }
    Ok(Some(names))
}

fn read_clauses(reader: &mut Reader<'_>, scope: Scope<'_>) -> Result<Clauses, ApiError> {
    let clauses = Clauses::read(reader, scope)?;
    for keyword in ["GROUP", "HAVING", "FOR", "WITH", "USING", "ALL"] {
        if matches!(reader.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword)) {
            return Err(ApiError::not_simulated(&format!("{keyword} in a query")));
        }
    }
    if reader.at_end() { Ok(clauses) } else { Err(reader.unexpected()) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use crate::testing::Bench;

    fn names(bench: &mut Bench, query: &str) -> Vec<String> {
        let response = bench.get("/query/", query).unwrap();
        let records = response["records"].as_array().unwrap();
        assert_eq!(response["totalSize"], records.len());
        records.iter().map(|record| record["Name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_task_is_found_by_its_call_id() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"CallObject": "call-1", "Subject": "Call"})).unwrap();
        bench.create("Task", json!({"CallObject": "call-2"})).unwrap();
        let response = bench.get("/query", "SELECT Id, WhoId FROM Task WHERE CallObject = 'call-1'").unwrap();
        assert_eq!(
            response,
            json!({"totalSize": 1, "done": true, "records": [{
                "attributes": {"type": "Task", "url": format!("/services/data/v60.0/sobjects/Task/{id}")},
                "Id": id, "WhoId": null,
            }]})
        );
    }

    #[test]
    fn archived_and_deleted_tasks_need_query_all() {
        let mut bench = Bench::new();
        let archived = bench.create("Task", json!({"CallObject": "call-1"})).unwrap();
        let fields = json!({"IsArchived": true});
        bench.world.change_record(&archived, fields.as_object().unwrap().clone()).unwrap();
        let deleted = bench.create("Task", json!({"CallObject": "call-1"})).unwrap();
        bench.request("DELETE", &format!("/sobjects/Task/{deleted}"), None);
        let query = "SELECT Id FROM Task WHERE CallObject = 'call-1'";
        assert_eq!(bench.get("/query", query).unwrap()["totalSize"], 0);
        assert_eq!(bench.get("/queryAll", query).unwrap()["totalSize"], 2);
        let query = "SELECT Id FROM Task WHERE CallObject = 'call-1' AND IsDeleted = false";
        assert_eq!(bench.get("/queryAll", query).unwrap()["totalSize"], 1);
    }

    #[test]
    fn events_are_found_by_who_id_and_time() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        let given = json!({"WhoId": ada, "StartDateTime": "2026-01-16T03:00:00Z", "DurationInMinutes": 30});
        bench.create("Event", given).unwrap();
        let now = bench.world.clock.now();
        let mut count = |since: chrono::DateTime<chrono::Utc>| {
            let since = since.format("%Y-%m-%dT%H:%M:%SZ");
            let query = format!(
                "SELECT Id, Description FROM Event WHERE WhoId = '{ada}' AND CreatedDate >= {since} ORDER BY CreatedDate"
            );
            bench.get("/query", &query).unwrap()["totalSize"].clone()
        };
        assert_eq!(count(now - TimeDelta::minutes(1)), 1);
        assert_eq!(count(now + TimeDelta::minutes(1)), 0);
    }

    #[test]
    fn description_cannot_be_filtered_or_sorted_by() {
        for clause in ["WHERE Description LIKE '%x%'", "ORDER BY Description"] {
            let error = Bench::new().get("/query", &format!("SELECT Id FROM Task {clause}")).unwrap_err();
            assert!(
                error.starts_with("400 INVALID_FIELD") && error.contains("field 'Description' can not be"),
                "{error}"
            );
        }
    }

    #[test]
    fn conditions_can_be_combined() {
        let mut bench = Bench::new();
        for (clause, expected) in [
            ("WHERE Phone LIKE '%234%555%0123%'", &["Ada Sample"][..]),
            ("WHERE lastname = 'TWIN' ORDER BY FirstName", &["Bea Twin", "Ben Twin"]),
            ("WHERE LastName = 'Twin' ORDER BY FirstName DESC LIMIT 1", &["Ben Twin"]),
            ("WHERE FirstName IN ('Ada', 'Cleo') ORDER BY Name", &["Ada Sample", "Cleo Faxonly"]),
            (
                "WHERE FirstName NOT IN ('Ada', 'Cleo', 'Dev') AND IsConverted = false ORDER BY Name",
                &["Bea Twin", "Ben Twin"],
            ),
            ("WHERE IsConverted = true", &["Conny Converted"]),
            ("WHERE Phone = null AND Fax != null", &["Cleo Faxonly"]),
            ("WHERE (FirstName = 'Ada' OR FirstName = 'Ben') AND Company <> 'Twin Cycles'", &["Ada Sample"]),
            ("WHERE NOT LastName LIKE '_____%'", &["Ben Twin", "Bea Twin"]),
            ("WHERE CreatedDate > TODAY", &[]),
            ("WHERE CreatedDate < LAST_N_DAYS:58", &["Ada Sample"]),
        ] {
            assert_eq!(names(&mut bench, &format!("SELECT Name FROM Lead {clause}")), expected, "{clause}");
        }
    }

    #[test]
    fn mixing_and_and_or_needs_parentheses() {
        let query = "SELECT Id FROM Lead WHERE Phone = 'a' AND Fax = 'b' OR Email = 'c'";
        let error = Bench::new().get("/query", query).unwrap_err();
        assert!(
            error.starts_with("400 MALFORMED_QUERY") && error.contains("unexpected token: 'OR'"),
            "{error}"
        );
    }

    #[test]
    fn values_must_be_of_the_fields_type() {
        for (clause, code, part) in [
            (
                "IsClosed = 'true'",
                "INVALID_FIELD",
                "must be of type boolean and should not be enclosed in quotes",
            ),
            (
                "CreatedDate > '2026-01-01T00:00:00Z'",
                "INVALID_FIELD",
                "must be of type dateTime and should not",
            ),
            ("CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
            ("ActivityDate = 2026-01-01T00:00:00Z", "INVALID_FIELD", "must be of type date "),
            ("Subject = Call", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"),
            ("WhoId = 'nobody'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nobody"),
            ("IsClosed > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
            ("Foo = 'x'", "INVALID_FIELD", "No such column 'Foo' on entity 'Task'"),
            ("Subject = 'O'Hara'", "MALFORMED_QUERY", ""),
            ("Subject =", "MALFORMED_QUERY", "<EOF>"),
        ] {
            let error =
                Bench::new().get("/query", &format!("SELECT Id FROM Task WHERE {clause}")).unwrap_err();
            assert!(error.starts_with(&format!("400 {code}")) && error.contains(part), "{clause}: {error}");
        }
    }

    #[test]
    fn an_id_of_15_characters_identifies_the_same_record() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        assert_eq!(
            names(&mut bench, &format!("SELECT Name FROM Lead WHERE Id = '{}'", &ada[..15])),
            ["Ada Sample"]
        );
    }

    #[test]
    fn setup_objects_can_be_read() {
        let mut bench = Bench::new();
        let response = bench
            .get("/query", "SELECT MasterLabel FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder")
            .unwrap();
        assert_eq!(response["records"][0]["MasterLabel"], "Completed");
        let response = bench.get("/query", "SELECT TimeZoneSidKey FROM Organization LIMIT 1").unwrap();
        assert_eq!(response["records"][0]["TimeZoneSidKey"], "America/New_York");
        let query = format!("SELECT TimeZoneSidKey FROM User WHERE Id = '{}'", bench.session.user);
        assert_eq!(bench.get("/query", &query).unwrap()["totalSize"], 1);
    }

    #[test]
    fn records_can_be_counted() {
        let response = Bench::new().get("/query", "SELECT COUNT() FROM Contact").unwrap();
        assert_eq!(response, json!({"totalSize": 6, "done": true, "records": Value::Array(vec![])}));
    }

    #[test]
    fn malformed_queries_are_refused() {
        for query in [
            "",
            "SELECT FROM Task",
            "SELECT Id FROM Task WHERE",
            "SELECT Id Task",
            "SELECT Id FROM Task LIMIT x",
            "SELECT Id, Id FROM Task",
        ] {
            assert!(
                Bench::new().get("/query", query).unwrap_err().starts_with("400 MALFORMED_QUERY"),
                "{query}"
            );
        }
        let error = Bench::new().get("/query", "SELECT Id FROM Nothing").unwrap_err();
        assert!(error.starts_with("400 INVALID_TYPE"), "{error}");
    }
}
