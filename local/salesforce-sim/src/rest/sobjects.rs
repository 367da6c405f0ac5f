//! `/sobjects/…`: one record at a time.

use serde_json::json;

use super::{DataRequest, not_allowed, record_path};
use crate::{
    error::{ApiError, Reply},
    faults::Operation,
    ids::Id,
    objects::{
        schema::{Object, visible_object},
        write::Context,
    },
};

/// `/sobjects/Task`: creates.
pub(super) fn collection(
    context: &mut Context<'_>,
    method: &str,
    object: &str,
    request: &DataRequest,
) -> Result<Reply, ApiError> {
    let object = visible_object(object, context.settings).ok_or_else(ApiError::not_found)?;
    if method != "POST" {
        return Err(not_allowed(method, "POST"));
    }
    let id = context.create(object, request.object()?, request.headers.allow_duplicates())?;
    Ok(Reply {
        status: 201,
        location: Some(record_path(object, &id)),
        body: Some(json!({"id": id.as_str(), "success": true, "errors": []})),
    })
}

/// `/sobjects/Task/00T…`: reads, changes, deletes.
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
        _ => Err(not_allowed(method, "GET,PATCH,DELETE")),
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
        Some(list) => named(context, object, list)?,
    };
    let seen = |name: &&str| !context.settings.hides_field(object.name, name);
    Ok(Reply::ok(record.answer(names.into_iter().filter(seen))))
}

fn named(context: &Context<'_>, object: &Object, list: &str) -> Result<Vec<&'static str>, ApiError> {
    let fields = list.split(',').map(str::trim).map(|name| {
        object.visible_field(name, context.settings).map(|field| field.name).ok_or_else(|| {
            let message = format!("No such column '{name}' on entity '{}'.", object.name);
            ApiError::new(400, "INVALID_FIELD", message)
        })
    });
    fields.collect()
}
