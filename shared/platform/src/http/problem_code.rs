//! The codes of this API's problems: for programs, so a code never changes. One table has each with its status, its
//! title and what it means; [`Problem`](super::Problem) is made of them, and the API's description too.

/// Declares [`ProblemCode`] by status and title. The line above a code says in the API's description what it means.
macro_rules! codes {
    ($($status:literal $title:literal { $(#[doc = $meaning:literal] $name:ident = $word:literal,)+ })+) => {
        /// Why a request was refused or failed.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum ProblemCode {
            $($(#[doc = $meaning] $name,)+)+
            /// 502: Salesforce's own code, of an error that is passed on.
            Salesforce(String),
        }

        impl ProblemCode {
            /// All but Salesforce's.
            pub const ALL: &[Self] = &[$($(Self::$name),+),+];

            /// The code as it is sent.
            pub fn as_str(&self) -> &str {
                match self {
                    $($(Self::$name => $word,)+)+
                    Self::Salesforce(code) => code,
                }
            }

            /// The HTTP status: each code has one.
            pub fn status(&self) -> u16 {
                match self {
                    $($(Self::$name)|+ => $status,)+
                    Self::Salesforce(_) => 502,
                }
            }

            /// The problem's title.
            pub fn title(&self) -> &'static str {
                match self {
                    $($(Self::$name)|+ => $title,)+
                    Self::Salesforce(_) => Self::SalesforceUnavailable.title(),
                }
            }

            /// What the code means, in a sentence.
            pub fn meaning(&self) -> &'static str {
                match self {
                    $($(Self::$name => $meaning.trim_start(),)+)+
                    Self::Salesforce(_) => "Salesforce's own code.",
                }
            }
        }
    };
}

codes! {
    400 "Bad request" {
        /// The user denied access in Salesforce.
        AccessDenied = "access_denied",
        /// The org's edition or the user has no API. The grant is revoked, and nothing is stored.
        ApiDisabled = "api_disabled",
        /// The app is not installed in the org.
        AppNotInstalled = "app_not_installed",
        /// The body is not JSON, or not what the route takes; `detail` says where.
        InvalidBody = "invalid_body",
        /// The call id breaks its rule.
        InvalidCallId = "invalid_call_id",
        /// `cursor` is not the `nextCursor` of an earlier page.
        InvalidCursor = "invalid_cursor",
        /// A field of Vapi's message is not what it must be; `detail` names it.
        InvalidField = "invalid_field",
        /// `limit` is not a number in its range.
        InvalidLimit = "invalid_limit",
        /// The phone number cannot be read.
        InvalidPhoneNumber = "invalid_phone_number",
        /// The Salesforce app does not allow the scopes that Ringlog needs.
        InvalidScope = "invalid_scope",
        /// `errors` names every field that is wrong.
        InvalidSettings = "invalid_settings",
        /// `since` is not a time in Unix seconds.
        InvalidSince = "invalid_since",
        /// `status` is not one of the statuses.
        InvalidStatus = "invalid_status",
        /// No org answers at the login address.
        LoginAddressGone = "login_address_gone",
        /// The login address is not a host where users of Salesforce log in.
        LoginUrlRefused = "login_url_refused",
        /// The body is not JSON; `detail` says where.
        MalformedJson = "malformed_json",
        /// A field is missing from Vapi's message; `detail` names it.
        MissingField = "missing_field",
        /// A query parameter is missing.
        MissingParameter = "missing_parameter",
        /// Salesforce refused to connect; `detail` has its reason.
        SalesforceRefused = "salesforce_refused",
        /// The connect flow took longer than ten minutes.
        StateExpired = "state_expired",
        /// The connect flow was never begun, or is finished.
        StateUnknown = "state_unknown",
    }
    401 "Not authenticated" {
        /// The webhook secret is missing or wrong. Copy it again from Ringlog into Vapi.
        InvalidWebhookToken = "invalid_webhook_token",
        /// There is no token, or not a valid one.
        Unauthenticated = "unauthenticated",
    }
    403 "Not allowed" {
        /// Only an admin of the workspace may do this.
        AdminRequired = "admin_required",
        /// The token does not name a workspace.
        NoWorkspace = "no_workspace",
        /// The flow's cookie did not come along. API and dashboard are probably not on one site.
        StateOfAnotherBrowser = "state_of_another_browser",
    }
    404 "Not found" {
        /// There is no call with this id, or no longer.
        NoSuchCall = "no_such_call",
    }
    409 "Conflict" {
        /// A newer version of Ringlog worked on the call last. It is left as it is until that version runs again.
        NewerVersion = "newer_version",
        /// The workspace is not connected to Salesforce.
        NotConnected = "not_connected",
        /// The call with this id has another phone number.
        OtherNumber = "other_number",
        /// The call was reported with a revoked secret, and is never logged.
        WebhookSecretRevoked = "webhook_secret_revoked",
    }
    412 "Precondition failed" {
        /// Somebody else changed the settings in the meantime. Read them again.
        PreconditionFailed = "precondition_failed",
    }
    422 "Message type not supported" {
        /// Vapi expects an answer to this type of message, and Ringlog has none.
        UnsupportedMessage = "unsupported_message",
    }
    428 "Precondition required" {
        /// `If-Match` is missing. Without it, somebody's change could be lost.
        PreconditionRequired = "precondition_required",
    }
    500 "Internal error" {
        /// A fault of Ringlog; its log says what.
        Internal = "internal",
    }
    502 "Salesforce did not do it" {
        /// Salesforce does not accept Ringlog's own credentials.
        OwnConfiguration = "own_configuration",
        /// Salesforce could not be reached, or did not answer in time.
        SalesforceUnavailable = "salesforce_unavailable",
    }
    503 "Temporarily unavailable" {
        /// Ringlog could not reach its own storage. Try again.
        Unavailable = "unavailable",
    }
    503 "Too many calls" {
        /// There are too many calls to count in one request. Ask for a shorter time.
        TooManyCalls = "too_many_calls",
    }
}
