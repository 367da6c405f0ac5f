//! A server message of Vapi: authenticate, project, enqueue, answer.

use calls::{
    jobs::Report,
    measure,
    message::Queued as _,
    ports::{Clock, Ledger, Queue, Random, Workspaces},
    report::{self, ServerMessage},
};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{Problem, json},
    webhook_token::{VerifiedToken, WebhookTokens},
};
use serde::Serialize;

/// What the webhook works with. The ledger, the workspaces and randomness only serve when the queue refuses.
pub struct Webhook<T, Q, L, W, K, R> {
    /// Verifies tokens.
    pub tokens: T,
    /// The calls queue.
    pub queue: Q,
    /// Where a call goes if the queue refuses it.
    pub ledger: L,
    /// Whose secrets are revoked, for a call that goes into the ledger.
    pub workspaces: W,
    /// The time.
    pub clock: K,
    /// Randomness.
    pub random: R,
}

#[derive(Serialize)]
struct Received {
    received: bool,
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
    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.receive(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn receive(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let token = self.tokens.verify(request.headers()).await?;
        let message = report::parse(request.body(), self.clock.now())
            .map_err(|error| Problem::bad_request(error.code(), error.to_string()))?;
        match message {
            ServerMessage::Report(call) => {
                let report = Report {
                    workspace_id: token.workspace_id.clone(),
                    secret_version: token.secret_version,
                    received_at: self.clock.now().timestamp(),
                    call,
                };
                self.keep(&token, &report).await?;
            }
            ServerMessage::Informs { kind } => tracing::debug!(message.kind = %kind, "nothing to log"),
            ServerMessage::ExpectsAnswer { kind } => {
                return Err(Problem::new(
                    422,
                    "unsupported_message",
                    "Message type not supported",
                    format!(
                        "Ringlog only takes reports; it cannot answer `{kind}`. Point this server URL at your own \
                         server, and set serverMessages to [\"end-of-call-report\"] where Ringlog's URL is set."
                    ),
                ));
            }
        }
        Ok(json(200, &Received { received: true }))
    }

    /// Puts a call where it cannot be lost: into the queue, or else into the ledger.
    async fn keep(&self, token: &VerifiedToken, report: &Report) -> Result<(), Problem> {
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
        let kept = async {
            let workspace = self.workspaces.load(&token.workspace_id).await?;
            let now = self.clock.now().timestamp();
            report.keep(&self.ledger, &self.random, &workspace, now).await
        };
        kept.await.map_err(|error| {
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
