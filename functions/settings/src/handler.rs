//! The rules of a workspace, as people see and change them. Who changes them has seen them: a PUT names the entity
//! tag of what it replaces, a digest of the settings alone, so that a reconnect or a refresh does not get in its way.

use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, ETag, FieldError, IfMatch, Problem, ProblemCode, json_body, tagged_json},
    routes,
    stores::{Replaced, SettingsStore},
};
use salesforce::hosts::Hosts;

use crate::form;

/// What settings are shown and replaced with.
pub struct WorkspaceSettings<S> {
    /// Who may look, and who may change them.
    pub callers: CallerRules,
    /// Where users may log in.
    pub hosts: Hosts,
    /// The settings table.
    pub store: S,
}

impl<S: SettingsStore> WorkspaceSettings<S> {
    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.answer(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn answer(&self, request: &Request) -> Result<Response<Body>, Problem> {
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

    /// A PUT is the whole: a field that is left out is an error. With a default it would be reset behind the sender's
    /// back, and appointments be booked in another time zone.
    async fn replace(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.admin(request)?.workspace_id;
        let seen = IfMatch::required(request)?;
        let sent = json_body(request)?;
        let now = self.store.settings(&id).await?;
        let new = form::parse(sent, &now, &self.hosts).map_err(invalid)?;
        match self.store.replace(&id, &new, |now| seen.allows(&ETag::of(now))).await? {
            Replaced::Done => tracing::info!(workspace.id = %id, "settings changed"),
            // They are what was asked for: most likely by this same PUT, whose answer was lost (RFC 9110 §13.1.1).
            Replaced::Refused(now) if *now == new => {}
            Replaced::Refused(_) => return Err(changed_meanwhile()),
        }
        Ok(tagged_json(200, &new))
    }
}

fn changed_meanwhile() -> Problem {
    Problem::new(
        ProblemCode::PreconditionFailed,
        "The settings are not those that you changed: somebody else, or a connect, changed them meanwhile. Read them \
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
