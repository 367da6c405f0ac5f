//! A workspace's settings, as people see and change them. Whoever changes them has seen them: a PUT contains the
//! entity tag of what it replaces. The tag is a digest of only the settings, so that reconnects and refreshes do not
//! interfere.

use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, ETag, FieldError, IfMatch, Problem, ProblemCode, json_body, tagged_json},
    routes,
    stores::{Replaced, SettingsStore},
};
use salesforce::hosts::Hosts;

use crate::form;

/// The handler's dependencies.
pub struct WorkspaceSettings<S> {
    /// Who may read them, and who may change them.
    pub callers: CallerRules,
    /// Where users may log in.
    pub hosts: Hosts,
    /// The settings table.
    pub store: S,
}

impl<S: SettingsStore> WorkspaceSettings<S> {
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.respond(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn respond(&self, request: &Request) -> Result<Response<Body>, Problem> {
        if routes::SETTINGS_REPLACE.is(request) {
            self.replace(request).await
        } else {
            self.show(request).await
        }
    }

    async fn show(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.caller(request)?.workspace_id;
        Ok(tagged_json(200, &self.store.settings(&id).await?))
    }

    /// A PUT replaces all settings, so a missing field is an error. A default would silently reset it, and
    /// appointments would be booked in another time zone.
    async fn replace(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.admin(request)?.workspace_id;
        let seen = IfMatch::required(request)?;
        let sent = json_body(request)?;
        let now = self.store.settings(&id).await?;
        let new = form::parse(sent, &now, &self.hosts).map_err(invalid)?;
        match self.store.replace(&id, &new, |now| seen.allows(&ETag::of(now))).await? {
            Replaced::Done => tracing::info!(workspace.id = %id, "settings changed"),
            // They already have the requested values: probably from this same PUT, whose response was lost (RFC 9110
            // §13.1.1).
            Replaced::Refused(now) if *now == new => {}
            Replaced::Refused(_) => return Err(changed_since_read()),
        }
        Ok(tagged_json(200, &new))
    }
}

fn changed_since_read() -> Problem {
    Problem::new(
        ProblemCode::PreconditionFailed,
        "The settings have changed since you read them: by somebody else, or by a connect. Read them \
         again, and send your change with their new ETag.",
    )
}

fn invalid(errors: Vec<FieldError>) -> Problem {
    let first = errors.first().map(|error| error.detail.as_str()).unwrap_or_default();
    let detail = match errors.len() {
        0 | 1 => first.to_owned(),
        count => format!("{first} ({count} fields are wrong; `errors` names all.)"),
    };
    Problem::new(ProblemCode::InvalidSettings, detail).with_errors(errors)
}
