//! What goes wrong between Ringlog and Salesforce, and is about neither the call nor the org's rules (`salesforce`).

use super::Code;

/// Shown to the admin when no org responds at the connection's login URL.
pub const ADDRESS_GONE: &str = "No Salesforce org responds at this connection's login URL. If the org's My Domain was renamed, connect again with the new one.";

codes! {
    TIMEOUT = "timeout", CONNECTION = "connection" {
        in: [Retrying],
        acts: Nobody,
        means: "Salesforce could not be reached or did not respond in time.",
        remedy: "",
        runbook: "If all workspaces are affected, check Salesforce's status page, and the VPC's outbound route.",
    }
    REQUEST_LIMIT_EXCEEDED = "REQUEST_LIMIT_EXCEEDED" {
        in: [Retrying],
        acts: SalesforceAdmin,
        means: "Salesforce accepts no more API requests from this org for now.",
        remedy: "If this happens often, raise the org's API request limit, or find what uses it up.",
        runbook: "All calls of this workspace pause: for some minutes (too many requests at once), or for an hour at a time (the daily limit). Other workspaces continue.",
    }
    TOO_MANY_NEW_RECORDS = "too_many_new_records" {
        in: [Retrying],
        acts: Nobody,
        means: "No record found so far has the caller's number, and too many were created in the last 15 minutes to check (an import, for example).",
        remedy: "",
        runbook: "It passes once Salesforce's search has indexed them.",
    }
    UNABLE_TO_LOCK_ROW = "UNABLE_TO_LOCK_ROW" {
        in: [Retrying],
        acts: Nobody,
        means: "Another process, such as an import, has locked the record.",
        remedy: "",
    }
    INVALID_SESSION_ID = "INVALID_SESSION_ID", INVALID_AUTH_HEADER = "INVALID_AUTH_HEADER" {
        in: [Retrying, Error],
        acts: SalesforceAdmin,
        means: "The org rejects the app's sessions, new ones included.",
        remedy: "In Setup › Session Settings, turn off “Lock sessions to the IP address from which they originated”. Allow Ringlog's addresses in the user's Login IP Ranges and in the app's OAuth policies. If API Access Control is on, allow the app there. Then connect again and retry.",
    }
    INVALID_GRANT = "invalid_grant" {
        in: [Retrying],
        acts: SalesforceAdmin,
        means: "Salesforce grants no session at the moment. The connection stays.",
        remedy: "If logins are restricted by IP address, allow Ringlog's addresses: in the Login IP Ranges of the connected user's profile, or under Setup › External Client App Manager › the app › Policies › IP Relaxation. If they are restricted by hours, check the profile's Login Hours.",
        runbook: "Ringlog has fixed addresses only in a VPC (`VpcSubnetIds`, `VpcSecurityGroupIds`).",
    }
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded" {
        in: [Retrying],
        acts: Nobody,
        means: "Salesforce received too many login requests at once.",
        remedy: "",
    }
    INVALID_CLIENT = "invalid_client", INVALID_CLIENT_ID = "invalid_client_id" {
        in: [Retrying],
        acts: Operator,
        means: "Salesforce rejects this deployment's client ID or secret.",
        remedy: "Contact support: the operator has to correct them.",
        runbook: "Correct `SalesforceClientId` or `SalesforceClientSecret`, and deploy. Within three days nothing is lost.",
    }
    BAD_SIGNATURE = "bad_signature" {
        in: [Retrying],
        acts: Operator,
        means: "Salesforce's response with new tokens is not signed with this deployment's client secret, so it was not trusted.",
        remedy: "Contact support: the operator has to correct it.",
        runbook: "Correct `SalesforceClientSecret`, and deploy.",
    }
    CLIENT_SECRET_UNAVAILABLE = "client_secret_unavailable" {
        in: [Retrying],
        acts: Operator,
        means: "Ringlog could not read its client secret, which it needs to log in to Salesforce.",
        remedy: "If this continues, contact support.",
        runbook: "Check the function's policy, and Secrets Manager. The line `the client secret could not be read` has the cause.",
    }
    LOGIN_URL_REFUSED = "login_url_refused" {
        in: [Error],
        acts: WorkspaceAdmin,
        means: "The connection's login URL is not a Salesforce address, so no credentials were sent there.",
        remedy: "Connect Salesforce again, then retry. If it fails again, contact support.",
        runbook: "If it fails again, Salesforce may have a new domain.",
    }
    INSTANCE_URL_REFUSED = "instance_url_refused" {
        in: [Error],
        acts: WorkspaceAdmin,
        means: "The org's URL is not a Salesforce address, so no credentials were sent there.",
        remedy: "Connect Salesforce again, then retry. If it fails again, contact support.",
        runbook: "If it fails again, Salesforce may have a new domain.",
    }
    IDENTITY_URL_REFUSED = "identity_url_refused" {
        in: [Error],
        acts: WorkspaceAdmin,
        means: "The connected user's identity URL is not a Salesforce address, so no credentials were sent there.",
        remedy: "Connect Salesforce again, then retry. If it fails again, contact support.",
        runbook: "If it fails again, Salesforce may have a new domain.",
    }
    UNREADABLE_ANSWER = "unreadable_answer" {
        in: [Retrying],
        acts: Operator,
        means: "Salesforce's response is not what its API promises.",
        remedy: "If this continues, contact support.",
        runbook: "If this continues, report it as a bug in Ringlog.",
    }
    UNSENDABLE = "unsendable" {
        in: [Error],
        acts: Operator,
        means: "Ringlog built a request that cannot be sent.",
        remedy: "Contact support and give the error code.",
        runbook: "Report it as a bug in Ringlog.",
    }
    NO_SEARCH_TERM = "no_search_term" {
        in: [Error],
        acts: Operator,
        means: "The caller's number has nothing in it that Salesforce can search for.",
        remedy: "Contact support and give the error code.",
        runbook: "Report it as a bug in Ringlog.",
    }
    HTTP = "http_" {
        in: [Retrying, Error],
        acts: Operator,
        means: "Salesforce responded without an error code, or something between Ringlog and Salesforce responded instead.",
        remedy: "If the call failed, retry. If the problem persists, contact support and give the error code.",
        runbook: "Check what is between Ringlog and Salesforce. The login URL of a renamed My Domain responds like this, too (`http_301`, `http_404`): after six hours, the workspace has to connect again.",
    }
    => ALL
}
