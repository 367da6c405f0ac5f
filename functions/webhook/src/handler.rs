//! Handles a server message from Vapi: authenticate, parse, enqueue, respond.

use api::webhook::Received;
use lambda_http::{Body, Request, Response};
use platform::{
    http::{Problem, ProblemCode, json},
    webhook_token::{VerifiedToken, WebhookTokens},
};
use voice::vapi::{self, ReportError, ServerMessage};
use worker::{
    jobs::Report,
    measure,
    message::Queued as _,
    ports::{Clock, Ledger, Queue, Random, Workspaces},
};

/// The webhook's dependencies. The ledger, the workspaces and randomness are used only if the queue fails.
pub struct Webhook<T, Q, L, W, K, R> {
    /// Verifies tokens.
    pub tokens: T,
    /// The calls queue.
    pub queue: Q,
    /// The ledger, for calls that the queue refuses.
    pub ledger: L,
    /// The workspaces, whose secrets are checked for calls that go into the ledger.
    pub workspaces: W,
    /// The time.
    pub clock: K,
    /// Randomness.
    pub random: R,
}

impl<T, Q, L, W, K, R> Webhook<T, Q, L, W, K, R>
where
    T: WebhookTokens,
    Q: Queue,
    L: Ledger,
    W: Workspaces,
    K: Clock,
    R: Random,
{
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.receive(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn receive(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let token = self.tokens.verify(vapi::secret(request.headers())).await?;
        let message = vapi::parse(request.body(), self.clock.now()).map_err(|error| malformed(&error))?;
        match message {
            ServerMessage::Report(call) => {
                let report = Report {
                    workspace_id: token.workspace_id.clone(),
                    secret_version: token.secret_version,
                    received_at: self.clock.now().timestamp(),
                    call,
                };
                self.store(&token, &report).await?;
            }
            ServerMessage::Informs { kind } => tracing::debug!(message.kind = %kind, "nothing to log"),
            ServerMessage::ExpectsAnswer { kind } => {
                return Err(Problem::new(
                    ProblemCode::UnsupportedMessage,
                    format!(
                        "Ringlog only accepts reports and cannot respond to `{kind}`. Point this server URL at your own \
                         server, and set serverMessages to [\"end-of-call-report\"] where Ringlog's URL is set."
                    ),
                ));
            }
        }
        Ok(json(200, &Received::ANSWER))
    }

    /// Stores a call safely: in the queue, or else in the ledger.
    async fn store(&self, token: &VerifiedToken, report: &Report) -> Result<(), Problem> {
        let call_id = &report.call.id;
        let Err(queue_error) = self.queue.send(&report.message()).await else {
            measure::received();
            tracing::info!(
                workspace.id = %token.workspace_id, call.id = %call_id, secret.key = %token.key_id,
                "report taken"
            );
            return Ok(());
        };
        tracing::error!(
            workspace.id = %token.workspace_id, call.id = %call_id, error = %queue_error,
            "the queue refused a call; it goes into the ledger"
        );
        let stored = async {
            let workspace = self.workspaces.load(&token.workspace_id).await?;
            let now = self.clock.now().timestamp();
            report.keep(&self.ledger, &self.random, &workspace, now).await
        };
        stored.await.map_err(|error| {
            tracing::error!(
                workspace.id = %token.workspace_id, call.id = %call_id, error = %error,
                "the ledger refused the call too; it is not kept"
            );
            Problem::unavailable("The call could not be kept. Send the report again.")
        })?;
        measure::received();
        measure::kept_in_ledger();
        Ok(())
    }
}

fn malformed(error: &ReportError) -> Problem {
    let code = match error {
        ReportError::Malformed { .. } => ProblemCode::MalformedJson,
        ReportError::Missing { .. } => ProblemCode::MissingField,
        ReportError::Invalid { .. } => ProblemCode::InvalidField,
    };
    Problem::new(code, error.to_string())
}
