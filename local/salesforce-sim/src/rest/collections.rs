//! `POST /composite/sobjects`: up to 200 records in one request (docs/salesforce-api.md#composite).

use serde_json::{Map, Value, json};

use super::DataRequest;
use crate::{
    error::{ApiError, Reply},
    ids::Id,
    objects::{schema::visible_object, write::Context},
};

/// The most records of a request, and the most runs of records of one type.
const MOST_RECORDS: usize = 200;
const MOST_CHUNKS: usize = 10;

/// Creates records.
pub(super) fn create(context: &mut Context<'_>, request: &DataRequest) -> Result<Reply, ApiError> {
    let (body, allow_duplicates) = (request.object()?, request.headers.allow_duplicates());
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or_default();
    let records = records(body)?;
    let before = context.org.records.clone();
    let mut results: Vec<Result<Id, ApiError>> =
        records.iter().map(|record| create_one(context, record, allow_duplicates)).collect();
    if all_or_none && results.iter().any(Result::is_err) {
        context.org.records = before;
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
            *result = Err(ApiError::of_record("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, &[]));
        }
    }
    let entries = results.iter().map(|result| match result {
        Ok(id) => json!({"id": id.as_str(), "success": true, "errors": []}),
        Err(error) => json!({"success": false, "errors": [error.collection_entry()]}),
    });
    Ok(Reply::ok(entries.collect()))
}

fn records(body: &Map<String, Value>) -> Result<Vec<&Map<String, Value>>, ApiError> {
    let list = body.get("records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let records: Vec<_> = list.iter().filter_map(Value::as_object).collect();
    if records.is_empty() || records.len() != list.len() {
        return Err(ApiError::new(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required"));
    }
    let types: Vec<_> = records.iter().map(|record| type_of(record)).collect();
    let chunks = 1 + types.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if records.len() > MOST_RECORDS || chunks > MOST_CHUNKS {
        let message = format!(
            "record limit reached. cannot submit more than {MOST_RECORDS} records in {MOST_CHUNKS} chunks"
        );
        return Err(ApiError::new(400, "INVALID_OPERATION", message));
    }
    Ok(records)
}

fn type_of(record: &Map<String, Value>) -> Option<&str> {
    record.get("attributes")?.get("type")?.as_str()
}

fn create_one(
    context: &mut Context<'_>,
    record: &Map<String, Value>,
    allow_duplicates: bool,
) -> Result<Id, ApiError> {
    let name = type_of(record).unwrap_or_default();
    let object = visible_object(name, context.settings).ok_or_else(|| {
        ApiError::of_record("INVALID_TYPE", format!("sObject type '{name}' is not supported."), &[])
    })?;
    context.create(object, record, allow_duplicates)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Bench, outcome};

    fn run(bench: &mut Bench, all_or_none: bool, records: &[Value]) -> Result<Value, String> {
        outcome(bench.post("/composite/sobjects", json!({"allOrNone": all_or_none, "records": records})))
    }

    fn task() -> Value {
        json!({"attributes": {"type": "Task"}, "Subject": "T"})
    }

    #[test]
    fn errors_have_a_status_code_of_their_own() {
        let mut bench = Bench::new();
        let bad = json!({"attributes": {"type": "Event"}});
        let answer = run(&mut bench, false, &[task(), bad]).unwrap();
        assert_eq!(answer[0]["success"], true);
        assert_eq!(answer[1]["success"], false);
        assert_eq!(answer[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
        assert_eq!(bench.count("Task"), 1);
    }

    #[test]
    fn all_or_none_rolls_back() {
        let mut bench = Bench::new();
        let bad = json!({"attributes": {"type": "Task"}, "Foo": 1});
        let answer = run(&mut bench, true, &[task(), bad]).unwrap();
        assert_eq!(answer[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
        assert_eq!(answer[1]["errors"][0]["statusCode"], "INVALID_FIELD");
        assert_eq!(bench.count("Task"), 0);
    }

    #[test]
    fn there_are_one_to_two_hundred_records() {
        let mut bench = Bench::new();
        assert_eq!(
            run(&mut bench, false, &[]).unwrap_err(),
            "400 REQUIRED_FIELD_MISSING: At least 1 record is required []"
        );
        assert!(run(&mut bench, false, &vec![task(); 201]).is_err());
        assert!(run(&mut bench, false, &vec![task(); 200]).is_ok());
    }
}
