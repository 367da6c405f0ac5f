//! `/sobjects/…`: one record at a time.

use serde_json::json;

use super::request::DataRequest;
use crate::{
    error::{ApiError, Reply},
    faults::Operation,
    ids::Id,
    objects::{fields::visible_object, schema::Object, store::record_path, write::Context},
};

/// `/sobjects/Task`: create.
pub(super) fn collection(
    context: &mut Context<'_>,
    method: &str,
    object: &str,
    request: &DataRequest,
) -> Result<Reply, ApiError> {
    let object = visible_object(object, context.settings).ok_or_else(ApiError::not_found)?;
    if method != "POST" {
        return Err(ApiError::method_not_allowed(method, "POST"));
    }
    let id = context.create(object, request.object()?, request.headers.allow_duplicates())?;
    Ok(Reply {
        status: 201,
        location: Some(record_path(object, &id)),
        body: Some(json!({"id": id.as_str(), "success": true, "errors": []})),
    })
}

/// `/sobjects/Task/00T…`: read, update, delete.
pub(super) fn record(
    context: &mut Context<'_>,
    method: &str,
    object: &str,
    id: &str,
    request: &DataRequest,
) -> Result<Reply, ApiError> {
    let object = visible_object(object, context.settings).ok_or_else(ApiError::not_found)?;
    let id = Id::parse(id).filter(|id| id.prefix() == object.prefix).ok_or_else(|| {
        let message = "Provided external ID field does not exist or is not accessible: Id";
        ApiError::new(404, "NOT_FOUND", message)
    })?;
    match method {
        "GET" => read(context, object, &id, request.parameter("fields")),
        "PATCH" => {
            let unmodified_since = request.headers.unmodified_since()?;
            context.update(object, &id, request.object()?, unmodified_since).map(|()| Reply::no_content())
        }
        "DELETE" => context.delete(object, &id).map(|()| Reply::no_content()),
        _ => Err(ApiError::method_not_allowed(method, "GET,PATCH,DELETE")),
    }
}

fn read(
    context: &mut Context<'_>,
    object: &'static Object,
    id: &Id,
    fields: Option<&str>,
) -> Result<Reply, ApiError> {
    let rows = context.org.rows(object, context.settings);
    let record = rows.iter().find(|record| record.id == *id).ok_or_else(ApiError::not_found)?;
    if record.is("IsDeleted") {
        return Err(ApiError::new(404, "ENTITY_IS_DELETED", "entity is deleted"));
    }
    context.record_faults.strike(object.name, Operation::Read)?;
    let names = match fields {
        None => object.fields(context.settings).map(|field| field.name).collect(),
        Some(list) => requested_fields(context, object, list)?,
    };
    let is_visible = |name: &&str| !context.settings.hides_field(object.name, name);
    Ok(Reply::ok(record.to_json(names.into_iter().filter(is_visible))))
}

fn requested_fields(
    context: &Context<'_>,
    object: &Object,
    list: &str,
) -> Result<Vec<&'static str>, ApiError> {
    let fields = list.split(',').map(str::trim).map(|name| {
        object.visible_field(name, context.settings).map(|field| field.name).ok_or_else(|| {
            let message = format!("No such column '{name}' on entity '{}'.", object.name);
            ApiError::new(400, "INVALID_FIELD", message)
        })
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Bench, outcome};

    fn read(bench: &mut Bench, path: &str) -> Result<Value, String> {
        outcome(bench.request("GET", &format!("/sobjects/{path}"), None))
    }

    #[test]
    fn a_record_is_read_with_all_visible_fields() {
        let mut bench = Bench::new();
        bench.world.settings.hidden_fields = vec!["Task.Type".into()];
        let id = bench.create("Task", json!({"Subject": "Call"})).unwrap();
        let task = read(&mut bench, &format!("Task/{id}")).unwrap();
        let me = bench.session.user.as_str();
        assert_eq!((task["CreatedById"].as_str(), task["LastModifiedById"].as_str()), (Some(me), Some(me)));
        assert_eq!(
            (&task["CreatedDate"], &task["LastModifiedDate"]),
            (&task["SystemModstamp"], &task["SystemModstamp"])
        );
        assert_eq!(
            (&task["IsDeleted"], &task["Subject"], &task["WhoId"]),
            (&json!(false), &json!("Call"), &Value::Null)
        );
        assert_eq!(task["attributes"]["url"], format!("/services/data/v60.0/sobjects/Task/{id}"));
        assert!(task.get("Type").is_none() && task.get("CallObject").is_some());
    }

    #[test]
    fn a_record_is_read_with_the_requested_fields() {
        let mut bench = Bench::new();
        bench.world.settings.hidden_fields = vec!["Lead.Fax".into()];
        let ada = bench.person("Ada Sample");
        let lead = read(&mut bench, &format!("Lead/{ada}?fields=phone,LastName")).unwrap();
        let mut names: Vec<&str> = lead.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["LastName", "Phone", "attributes"]);
        for field in ["Fax", "Nothing"] {
            let error = read(&mut bench, &format!("Lead/{ada}?fields={field}")).unwrap_err();
            assert!(error.starts_with("400 INVALID_FIELD: No such column"), "{error}");
        }
    }

    #[test]
    fn deleted_and_unknown_records_are_not_found() {
        let mut bench = Bench::new();
        let id = bench
            .create("Event", json!({"StartDateTime": "2026-01-15T19:00:00Z", "DurationInMinutes": 60}))
            .unwrap();
        assert!(read(&mut bench, &format!("Event/{id}")).is_ok());
        bench.request("DELETE", &format!("/sobjects/Event/{id}"), None);
        for (path, expected) in [
            (format!("Event/{id}"), "404 ENTITY_IS_DELETED"),
            ("Event/00USm0019999999AAA".to_owned(), "404 NOT_FOUND"),
            ("Contact/00QSm0019999999AAA".to_owned(), "404 NOT_FOUND"),
        ] {
            let error = read(&mut bench, &path).unwrap_err();
            assert!(error.starts_with(expected), "{path}: {error}");
        }
    }

    #[test]
    fn a_record_can_be_read_in_a_composite_request() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        let part = |reference: &str, id: &str| {
            json!({"method": "GET", "referenceId": reference,
            "url": format!("/services/data/v60.0/sobjects/Lead/{id}?fields=Phone")})
        };
        let body = json!({"compositeRequest": [part("ada", &ada), part("nobody", "00QSm0019999999AAA")]});
        let response = outcome(bench.post("/composite", body)).unwrap();
        let parts = &response["compositeResponse"];
        assert_eq!(parts[0]["body"]["Phone"], "(234) 555-0123");
        assert_eq!(
            (&parts[1]["httpStatusCode"], &parts[1]["body"][0]["errorCode"]),
            (&json!(404), &json!("NOT_FOUND"))
        );
    }
}
