//! The codes of this API's problems. They are for programs, so they never change. One table has each code with its
//! status, title and meaning; [`Problem`](super::Problem) and the API's description are built from it.

/// Declares [`ProblemCode`] by status and title. A code's doc comment is its meaning in the API's description.
macro_rules! codes {
    ($($status:literal $title:literal { $(#[doc = $meaning:literal] $name:ident = $code:literal,)+ })+) => {
        /// Why a request was refused or failed.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum ProblemCode {
            $($(#[doc = $meaning] $name,)+)+
            /// 502: an error of Salesforce, passed on with Salesforce's own code.
            Salesforce(String),
        }

        impl ProblemCode {
            /// All codes except Salesforce's.
            pub const ALL: &[Self] = &[$($(Self::$name),+),+];

            /// The code as it is sent.
            pub fn as_str(&self) -> &str {
                match self {
                    $($(Self::$name => $code,)+)+
                    Self::Salesforce(code) => code,
                }
            }

            /// The HTTP status, which the code determines.
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
        /// The org's edition or the user has no API access. The grant is revoked, and nothing is stored.
        ApiDisabled = "api_disabled",
        /// The app is not installed in the org.
        AppNotInstalled = "app_not_installed",
        /// The body is not JSON, or not what the route expects; `detail` says where.
        InvalidBody = "invalid_body",
        /// The call id is not valid.
        InvalidCallId = "invalid_call_id",
        /// `cursor` is not the `nextCursor` of an earlier page.
        InvalidCursor = "invalid_cursor",
        /// A field of Vapi's message is not valid; `detail` names it.
        InvalidField = "invalid_field",
        /// `limit` is not a number in the allowed range.
        InvalidLimit = "invalid_limit",
        /// The phone number cannot be read.
        InvalidPhoneNumber = "invalid_phone_number",
        /// The Salesforce app does not allow the scopes that Ringlog needs.
        InvalidScope = "invalid_scope",
        /// A setting is not valid; `errors` names each one.
        InvalidSettings = "invalid_settings",
        /// `since` is not a time in Unix seconds.
        InvalidSince = "invalid_since",
        /// `status` is not one of the statuses.
        InvalidStatus = "invalid_status",
        /// There is no org at the login address.
        LoginAddressGone = "login_address_gone",
        /// The login address is not a Salesforce login host.
        LoginUrlRefused = "login_url_refused",
        /// The body is not JSON; `detail` says where.
        MalformedJson = "malformed_json",
        /// A field is missing from Vapi's message; `detail` names it.
        MissingField = "missing_field",
        /// A query parameter is missing.
        MissingParameter = "missing_parameter",
        /// Salesforce refused the connection; `detail` has its reason.
        SalesforceRefused = "salesforce_refused",
        /// The connect flow took longer than ten minutes.
        StateExpired = "state_expired",
        /// The connect flow was never started or has already finished.
        StateUnknown = "state_unknown",
    }
    401 "Not authenticated" {
        /// The webhook secret is missing or wrong. Copy it again from Ringlog into Vapi.
        InvalidWebhookToken = "invalid_webhook_token",
        /// The token is missing or not valid.
        Unauthenticated = "unauthenticated",
    }
    403 "Not allowed" {
        /// Only an admin of the workspace may do this.
        AdminRequired = "admin_required",
        /// The token does not name a workspace.
        NoWorkspace = "no_workspace",
        /// The flow's cookie was not sent. The API and the dashboard are probably not on the same site.
        StateOfAnotherBrowser = "state_of_another_browser",
    }
    404 "Not found" {
        /// There is no call with this id, or no longer one.
        NoSuchCall = "no_such_call",
    }
    409 "Conflict" {
        /// A newer version of Ringlog last processed the call. It stays as it is until that version runs again.
        NewerVersion = "newer_version",
        /// The workspace is not connected to Salesforce.
        NotConnected = "not_connected",
        /// The call with this id has another phone number.
        OtherNumber = "other_number",
        /// The call was reported with a revoked secret, so it is never logged.
        WebhookSecretRevoked = "webhook_secret_revoked",
    }
    412 "Precondition failed" {
        /// Somebody else changed the settings in the meantime. Read them again.
        PreconditionFailed = "precondition_failed",
    }
    422 "Message type not supported" {
        /// Vapi expects a response to this type of message, and Ringlog has none.
        UnsupportedMessage = "unsupported_message",
    }
    428 "Precondition required" {
        /// `If-Match` is missing. Without it, somebody's change could be lost.
        PreconditionRequired = "precondition_required",
    }
    500 "Internal error" {
        /// An error in Ringlog; its log has the details.
        Internal = "internal",
    }
    502 "Salesforce did not do it" {
        /// Salesforce does not accept Ringlog's own credentials.
        OwnConfiguration = "own_configuration",
        /// Salesforce could not be reached or did not respond in time.
        SalesforceUnavailable = "salesforce_unavailable",
    }
    503 "Temporarily unavailable" {
        /// Ringlog could not reach its own storage. Try again.
        Unavailable = "unavailable",
    }
    503 "Too many calls" {
        /// There are too many calls to count in one request. Ask for a shorter period.
        TooManyCalls = "too_many_calls",
    }
}
