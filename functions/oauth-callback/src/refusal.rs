//! Why a connect did not come about, in words that say what to do (salesforce.md §1.3, §1.5, §1.7).

use calls::crm::{CrmError, FaultClass};
use platform::http::Problem;

/// Salesforce sent the user back with an error.
pub fn of_redirect(error: &str, description: Option<&str>) -> Problem {
    let description = description.unwrap_or_default();
    let not_installed = description.contains("installed") || error == "OAUTH_EC_APP_NOT_FOUND";
    let (code, detail) = match error {
        "access_denied" | "access-denied" => (
            "access_denied",
            "Access was denied in Salesforce. Start again and choose Allow to connect.".to_owned(),
        ),
        _ if not_installed => (
            "app_not_installed",
            "The app is not installed in this Salesforce org. A Salesforce admin has to install it, or to approve it \
             under Setup > Connected Apps OAuth Usage, once."
                .to_owned(),
        ),
        "invalid_scope" => (
            "invalid_scope",
            "The Salesforce app does not allow the scopes `api` and `refresh_token`. The operator has to add them."
                .to_owned(),
        ),
        _ => ("salesforce_refused", said(description)),
    };
    Problem::bad_request(code, detail)
}

/// Salesforce did not take the code, or did not say who the user is.
pub fn of_exchange(error: &CrmError) -> Problem {
    match error.class {
        // It passes when an admin changes the ranges or the hours, which Salesforce's words name.
        _ if error.code == "invalid_grant" => {
            Problem::bad_request("salesforce_refused", said(&error.message))
        }
        FaultClass::Passing
        | FaultClass::Ambiguous
        | FaultClass::ConcurrentLimit
        | FaultClass::DailyLimit => Problem::bad_gateway(
            "salesforce_unavailable",
            "Salesforce could not be reached, or did not answer in time. Start again in a moment.",
        ),
        FaultClass::OwnConfiguration => Problem::bad_gateway(
            "own_configuration",
            format!(
                "{} The operator has to check the Salesforce app's client id, client secret and scopes.",
                said(&error.message)
            ),
        ),
        _ => Problem::bad_request("salesforce_refused", said(&error.message)),
    }
}

fn said(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if text.is_empty() {
        "Salesforce refused to connect and did not say why. Start again from the dashboard.".to_owned()
    } else {
        format!("Salesforce refused to connect: {text}.")
    }
}
