//! The table of errors, row by row.

use serde_json::json;

use super::*;
use FaultClass::{DailyLimit, FieldRefused, GrantDoubtful};

fn error_of(status: u16, code: &str, message: &str, effect: Effect) -> CrmError {
    let body = json!([{ "errorCode": code, "message": message }]).to_string();
    rest(StatusCode::from_u16(status).unwrap(), body.as_bytes(), effect)
}

/// Status, code, message, class for a read, class for a create.
type Row = (u16, &'static str, &'static str, FaultClass, FaultClass);

const DOCUMENTED: &[Row] = &[
    (401, "INVALID_SESSION_ID", "Session expired or invalid", Session, Session),
    (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API", Permanent, Permanent),
    (401, "INVALID_SESSION_ID", "Connected app is not attached to Agent", Permanent, Permanent),
    (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", Session, Session),
    (401, "SOMETHING_NEW", "", Session, Session),
    (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", Permanent, Permanent),
    (403, "API_CURRENTLY_DISABLED", "API is disabled for this User", Permanent, Permanent),
    (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", DailyLimit, DailyLimit),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ConcurrentLimit,
        ConcurrentLimit,
    ),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentPerOrgLongTxn Limit exceeded",
        ConcurrentLimit,
        ConcurrentLimit,
    ),
    (403, "INSUFFICIENT_ACCESS", "insufficient access rights on object id", Permanent, Permanent),
    (400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", Permanent, Permanent),
    (404, "NOT_FOUND", "The requested resource does not exist", Permanent, Permanent),
    (404, "ENTITY_IS_DELETED", "entity is deleted", RecordGone, RecordGone),
    (400, "ENTITY_IS_DELETED", "entity is deleted", RecordGone, RecordGone),
    (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", Permanent, Permanent),
    (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Calls need a campaign", Permanent, Permanent),
    (400, "STRING_TOO_LONG", "Subject: data value too large: x (max length=255)", Permanent, Permanent),
    (400, "MALFORMED_ID", "Related To ID: id value of incorrect type", Permanent, Permanent),
    (400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", RecordGone, RecordGone),
    (
        400,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "insufficient access rights on cross-reference id",
        Permanent,
        Permanent,
    ),
    (
        400,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "bad value for restricted picklist field: Call",
        FieldRefused,
        FieldRefused,
    ),
    (400, "INVALID_FIELD", "No such column 'Type' on sobject of type Task", FieldRefused, FieldRefused),
    (
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "Unable to create/update fields: Type.",
        FieldRefused,
        FieldRefused,
    ),
    (400, "FIELD_INTEGRITY_EXCEPTION", "…", Permanent, Permanent),
    (400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", RecordGone, RecordGone),
    (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Calls: execution of BeforeInsert", Permanent, Permanent),
    (
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "Calls: execution of AfterInsert caused by: UNABLE_TO_LOCK_ROW",
        Passing,
        Passing,
    ),
    (400, "DUPLICATES_DETECTED", "Use one of these records?", Permanent, Permanent),
    (400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", Passing, Passing),
    (500, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", Passing, Passing),
    (400, "JSON_PARSER_ERROR", "Unexpected character", Permanent, Permanent),
    (400, "MALFORMED_QUERY", "unexpected token", Permanent, Permanent),
    (400, "MALFORMED_SEARCH", "No search term found.", Permanent, Permanent),
    (400, "INVALID_SEARCH", "search term must be longer than one character", Permanent, Permanent),
    (400, "INVALID_TYPE", "sObject type 'Lead' is not supported.", Permanent, Permanent),
    (400, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", Permanent, Permanent),
    (400, "ENTITY_IS_LOCKED", "entity is locked", Permanent, Permanent),
    (400, "TXN_SECURITY_NO_ACCESS", "no access", Permanent, Permanent),
    (400, "QUERY_TIMEOUT", "Your query request was running for too long.", Passing, FaultClass::Ambiguous),
    (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.", Passing, FaultClass::Ambiguous),
    (503, "SERVER_UNAVAILABLE", "server too busy", Passing, FaultClass::Ambiguous),
    (503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "read-only mode", Passing, Passing),
    (400, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "read-only mode", Passing, Passing),
    (400, "PROCESSING_HALTED", "The transaction was rolled back", Passing, Passing),
    (410, "GONE", "version retired", Permanent, Permanent),
    (415, "UNSUPPORTED_MEDIA_TYPE", "", Permanent, Permanent),
];

#[test]
fn every_documented_error_of_the_rest_api_has_its_class() {
    for &(status, code, message, read, create) in DOCUMENTED {
        assert_eq!(
            error_of(status, code, message, Effect::Nothing).class,
            read,
            "read: {status} {code} {message}"
        );
        assert_eq!(
            error_of(status, code, message, Effect::Creates).class,
            create,
            "create: {status} {code} {message}"
        );
    }
}

#[test]
fn responses_without_a_list_of_errors_are_classified_by_status() {
    use FaultClass::Ambiguous;
    let html = "<html><body>Sorry, 00Dxx!token</body></html>";
    for (status, body, read, create, code) in [
        (301, "", Session, Session, "http_301"),
        (302, html, Session, Session, "http_302"),
        (403, "Bad_OAuth_Token", Session, Session, "Bad_OAuth_Token"),
        (403, "Wrong_Org", Session, Session, "Wrong_Org"),
        (404, "NotFound", Session, Session, "NotFound"),
        (400, "", Session, Session, "http_400"),
        (403, html, Session, Session, "http_403"),
        (404, html, Session, Session, "http_404"),
        (408, "", Passing, Ambiguous, "http_408"),
        (412, "", Stale, Stale, "http_412"),
        (414, "", Session, Session, "http_414"),
        (420, html, Passing, Passing, "http_420"),
        (429, "", ConcurrentLimit, ConcurrentLimit, "http_429"),
        (431, "", Session, Session, "http_431"),
        (500, "", Passing, Ambiguous, "http_500"),
        (502, html, Passing, Ambiguous, "http_502"),
        (503, "[]", Passing, Ambiguous, "http_503"),
        (504, "{}", Passing, Ambiguous, "http_504"),
    ] {
        let status_code = StatusCode::from_u16(status).unwrap();
        let error = rest(status_code, body.as_bytes(), Effect::Nothing);
        assert_eq!(
            (error.class, error.code.as_str(), error.status),
            (read, code, Some(status)),
            "read: {status}"
        );
        assert!(!error.message.contains("token!") && !error.message.is_empty(), "{}", error.message);
        assert_eq!(rest(status_code, body.as_bytes(), Effect::Creates).class, create, "create: {status}");
    }
}

/// If a trigger sets a missing owner or record type, the caller's record still exists.
#[test]
fn a_record_is_gone_only_if_the_error_names_who_id_or_no_field() {
    for code in ["INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "CANNOT_UPDATE_CONVERTED_LEAD"] {
        for (fields, class) in [
            (json!(null), RecordGone),
            (json!([]), RecordGone),
            (json!(["WhoId"]), RecordGone),
            (json!(["OwnerId"]), Permanent),
            (json!(["RecordTypeId"]), Permanent),
            (json!(["Campaign__c", "WhatId"]), Permanent),
        ] {
            let body =
                json!([{ "errorCode": code, "message": "invalid cross reference id", "fields": fields }]);
            let error = rest(StatusCode::BAD_REQUEST, body.to_string().as_bytes(), Effect::Creates);
            assert_eq!(error.class, class, "{body}");
        }
    }
}

#[test]
fn an_address_is_gone_only_if_no_token_endpoint_responds_there() {
    for (status, body, gone) in [
        (301, "", true),
        (307, "<html>moved</html>", true),
        (404, "<html>URL No Longer Exists</html>", true),
        (404, r#"{"error":"invalid_grant"}"#, false),
        (400, "<html></html>", false),
        (503, "<html></html>", false),
    ] {
        let status_code = StatusCode::from_u16(status).unwrap();
        assert_eq!(is_address_gone(status_code, body.as_bytes()), gone, "{status} {body}");
    }
}

#[test]
fn an_activity_that_an_update_does_not_find_is_gone() {
    let message = "Provided external ID field does not exist or is not accessible";
    assert_eq!(error_of(404, "NOT_FOUND", message, Effect::Changes).class, RecordGone);
    assert_eq!(error_of(500, "UNKNOWN_EXCEPTION", "", Effect::Changes).class, FaultClass::Ambiguous);
}

#[test]
fn refused_fields_are_taken_from_the_list_or_the_text() {
    for (entry, fields) in [
        (
            json!({"errorCode": "INVALID_FIELD", "message": "No such column 'Type' on sobject of type Task"}),
            vec!["Type"],
        ),
        (
            json!({
                "errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE",
                "message": "Unable to create/update fields: Type, CallType. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
            }),
            vec!["Type", "CallType"],
        ),
        (
            json!({
                "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "message": "bad value for restricted picklist field: Inbound", "fields": ["CallType"],
            }),
            vec!["CallType"],
        ),
        (json!({"errorCode": "INVALID_FIELD", "message": "?", "fields": null}), vec![]),
        (json!({"errorCode": "INVALID_FIELD", "message": "?", "fields": ["not a field; 5550123"]}), vec![]),
    ] {
        let error = rest(StatusCode::BAD_REQUEST, json!([entry]).to_string().as_bytes(), Effect::Creates);
        assert_eq!(
            (error.class, error.fields),
            (FieldRefused, fields.into_iter().map(str::to_owned).collect())
        );
    }
}

#[test]
fn the_fields_of_all_errors_of_the_same_class_are_collected() {
    let body = json!([
        {"errorCode": "INVALID_FIELD", "message": "No such column 'Type' on sobject of type Task"},
        {"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required", "fields": ["Budget__c"]},
        {"errorCode": "INVALID_FIELD", "message": "No such column 'CallType' on sobject of type Task"},
    ]);
    let error = rest(StatusCode::BAD_REQUEST, body.to_string().as_bytes(), Effect::Creates);
    assert_eq!(error.fields, ["Type", "CallType"]);
}

#[test]
fn errors_of_the_collections_resource_are_parsed() {
    let body =
        json!([{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required", "fields": ["Subject"]}]);
    let error = rest(StatusCode::BAD_REQUEST, body.to_string().as_bytes(), Effect::Creates);
    assert_eq!(error.code, "REQUIRED_FIELD_MISSING");
}

#[test]
fn messages_contain_no_phone_number_and_nothing_that_was_sent() {
    let error = error_of(
        400,
        "MALFORMED_SEARCH",
        "\nFIND {2345550123}\n ^\nERROR at Row:1:Column:11\nline 1:11",
        Effect::Nothing,
    );
    assert_eq!(error.message, "ERROR at Row:1:Column:11 line 1:11");
    let error =
        error_of(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "(234) 555-0123 is blocked", Effect::Creates);
    assert!(!error.message.contains("0123"), "{}", error.message);
}

fn refused(status: u16, body: &str) -> CrmError {
    oauth(StatusCode::from_u16(status).unwrap(), body.as_bytes(), Effect::Creates)
}

#[test]
fn every_documented_error_of_the_token_endpoint_has_its_class() {
    for (error, description, class) in [
        ("invalid_grant", "expired access/refresh token", GrantEnded),
        ("invalid_grant", "expired authorization code", GrantEnded),
        ("invalid_grant", "inactive user", GrantEnded),
        ("invalid_grant", "inactive organization", GrantEnded),
        ("invalid_grant", "authentication failure", GrantDoubtful),
        ("invalid_grant", "user hasn't approved this consumer", GrantEnded),
        ("invalid_grant", "", GrantEnded),
        ("invalid_grant", "ip restricted", Passing),
        ("invalid_grant", "IP restricted or invalid login hours", Passing),
        ("invalid_grant", "token request is already being processed", Passing),
        ("invalid_request", "token request is already being processed", Passing),
        ("invalid_grant", "login rate exceeded", Passing),
        ("rate_limit_exceeded", "", Passing),
        ("inactive_user", "user is inactive", GrantEnded),
        ("inactive_org", "organization is locked, closed, or suspended", GrantEnded),
        ("invalid_client", "invalid client credentials", OwnConfiguration),
        ("invalid_client_id", "client identifier invalid", OwnConfiguration),
        ("unsupported_grant_type", "grant type not supported", OwnConfiguration),
        ("invalid_request", "bad request", OwnConfiguration),
        ("redirect_uri_mismatch", "redirect_uri must match configuration", OwnConfiguration),
        ("invalid_scope", "the requested scope is invalid", OwnConfiguration),
        ("OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org", OwnConfiguration),
    ] {
        let body = json!({ "error": error, "error_description": description }).to_string();
        let fault = refused(400, &body);
        assert_eq!((fault.class, fault.code.as_str()), (class, error), "{error} {description}");
        assert!(!fault.message.is_empty());
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("error", error), ("error_description", description)])
            .finish();
        assert_eq!(refused(400, &form).class, class, "form-encoded: {form}");
        assert_eq!(refused(503, &body).class, FaultClass::Ambiguous, "5xx: {error} {description}");
    }
}

#[test]
fn only_a_400_ends_a_grant() {
    for status in [401, 403, 429] {
        assert_eq!(refused(status, r#"{"error":"invalid_grant"}"#).class, Passing, "{status}");
    }
    assert_eq!(refused(500, r#"{"error":"invalid_grant"}"#).class, FaultClass::Ambiguous);
    assert_eq!(refused(401, r#"{"error":"invalid_client"}"#).class, OwnConfiguration);
}

#[test]
fn an_error_without_a_description_is_parsed() {
    let error = refused(400, r#"{"error":"invalid_grant"}"#);
    assert_eq!((error.message.as_str(), error.status), ("invalid_grant", Some(400)));
}

#[test]
fn an_error_from_elsewhere_than_the_token_endpoint_ends_no_grant() {
    for body in ["", "<html>blocked</html>", "[]", "null"] {
        assert_eq!(refused(400, body).class, Passing, "{body}");
        assert_eq!(refused(420, body).class, Passing, "{body}");
        assert_eq!(refused(502, body).class, FaultClass::Ambiguous, "{body}");
    }
}

#[test]
fn a_failed_revocation_is_a_passing_fault() {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(oauth(status, b"", Effect::Nothing).class, Passing);
}
