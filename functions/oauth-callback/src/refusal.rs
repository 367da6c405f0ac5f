//! Why a connect failed, and what to do (docs/salesforce-api.md#the-redirect-back).

use crm::{CrmError, FaultClass};
use platform::http::{Problem, ProblemCode};

/// Salesforce redirected the user back with an error.
pub fn of_redirect(error: &str, description: Option<&str>) -> Problem {
    let description = description.unwrap_or_default();
    let not_installed = description.contains("installed") || error == "OAUTH_EC_APP_NOT_FOUND";
    let (code, detail) = match error {
        "access_denied" | "access-denied" => (
            ProblemCode::AccessDenied,
            "Access was denied in Salesforce. Start again and choose Allow to connect.".to_owned(),
        ),
        _ if not_installed => (
            ProblemCode::AppNotInstalled,
            "The app is not installed in this Salesforce org. A Salesforce admin has to install it, or to approve it \
             under Setup > Connected Apps OAuth Usage, once."
                .to_owned(),
        ),
        "invalid_scope" => (
            ProblemCode::InvalidScope,
            "The Salesforce app does not allow the scopes `api` and `refresh_token`. The operator has to add them."
                .to_owned(),
        ),
        _ => (ProblemCode::SalesforceRefused, quoted(description)),
    };
    Problem::new(code, detail)
}

/// Salesforce's error codes if the org's edition, or the user, has no API.
const NO_API_OF_ORG: &str = "API_DISABLED_FOR_ORG";
const NO_API_OF_USER: &str = "API_CURRENTLY_DISABLED";

/// Whether the org or the user has no API.
pub fn lacks_api(error: &CrmError) -> bool {
    [NO_API_OF_ORG, NO_API_OF_USER].contains(&error.code.as_str())
}

/// Salesforce did not accept the code, did not return the user, or gives no access to the API.
pub fn of_exchange(error: &CrmError) -> Problem {
    match error.class {
        _ if error.code == NO_API_OF_ORG => Problem::new(
            ProblemCode::ApiDisabled,
            "This Salesforce edition has no API, or the user lacks “API Enabled”, so no call could be logged. A \
             Salesforce admin has to give the user the permission “API Enabled”. If the user has it: Professional \
             Edition can buy the API from Salesforce, Essentials and Group Edition need an upgrade. Then start again.",
        ),
        _ if error.code == NO_API_OF_USER => Problem::new(
            ProblemCode::ApiDisabled,
            "The user lacks the permission “API Enabled”, so no call could be logged. A Salesforce admin has to give \
             it, in the user's profile or a permission set. Then start again.",
        ),
        // An admin has to change IP ranges or login hours, which Salesforce's message names.
        _ if error.code == "invalid_grant" => {
            Problem::new(ProblemCode::SalesforceRefused, quoted(&error.message))
        }
        FaultClass::Passing
        | FaultClass::Ambiguous
        | FaultClass::ConcurrentLimit
        | FaultClass::DailyLimit => Problem::new(
            ProblemCode::SalesforceUnavailable,
            "Salesforce could not be reached, or did not respond in time. Start again in a moment.",
        ),
        FaultClass::AddressGone => Problem::new(
            ProblemCode::LoginAddressGone,
            "No Salesforce org responds at this login address. Check the My Domain under Settings, or its new name in \
             Salesforce under Setup > My Domain; then start again.",
        ),
        FaultClass::OwnConfiguration => Problem::new(
            ProblemCode::OwnConfiguration,
            format!(
                "{} The operator has to check the Salesforce app's client id, client secret and scopes.",
                quoted(&error.message)
            ),
        ),
        _ => Problem::new(ProblemCode::SalesforceRefused, quoted(&error.message)),
    }
}

fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if text.is_empty() {
        "Salesforce refused to connect and did not say why. Start again from the dashboard.".to_owned()
    } else {
        format!("Salesforce refused to connect: {text}.")
    }
}
