//! Handles a server message from Vapi: authenticate, parse, enqueue, respond.

use calls::{
    measure,
    message::Work,
    ports::{Clock, Ledger, Queue, Random, Workspaces},
    report::{self, ServerMessage},
    sync::{self, Report},
};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{Problem, json},
    webhook_token::{VerifiedToken, WebhookTokens},
};
use serde::Serialize;

/// The webhook's dependencies. The ledger, the workspaces and randomness are only used if the queue fails.
pub struct Webhook<T, Q, L, W, K, R> {
    /// Verifies tokens.
    pub tokens: T,
    /// The calls queue.
    pub queue: Q,
    /// The ledger, for calls that the queue refuses.
    pub ledger: L,
    /// The workspaces, whose revoked secrets matter for calls that go into the ledger.
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
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.receive(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn receive(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let token = self.tokens.verify(request.headers()).await?;
        let message = report::parse(request.body(), self.clock.now())
            .map_err(|error| Problem::bad_request(error.code(), error.to_string()))?;
        match message {
            ServerMessage::Report(call) => {
                let work = Work::Report {
                    workspace_id: token.workspace_id.clone(),
                    secret_version: token.secret_version,
                    received_at: self.clock.now().timestamp(),
                    call,
                };
                self.store(&token, work).await?;
            }
            ServerMessage::Informs { kind } => tracing::debug!(message.kind = %kind, "nothing to log"),
            ServerMessage::ExpectsAnswer { kind } => {
                return Err(Problem::new(
                    422,
                    "unsupported_message",
                    "Message type not supported",
                    format!(
                        "Ringlog only accepts reports and cannot respond to `{kind}`. Point this server URL at your own \
                         server, and set serverMessages to [\"end-of-call-report\"] where Ringlog's URL is set."
                    ),
                ));
            }
        }
        Ok(json(200, &Received { received: true }))
    }

    /// Stores a call safely: in the queue, or else in the ledger.
    async fn store(&self, token: &VerifiedToken, work: Work) -> Result<(), Problem> {
        let sent = self.queue.send(&work).await;
        let Work::Report { call, received_at, .. } = work else { return Ok(()) };
        let Err(queue_error) = sent else {
            measure::received();
            tracing::info!(
                workspace.id = %token.workspace_id, call.id = %call.id, secret.key = %token.key_id,
                "report taken"
            );
            return Ok(());
        };
        tracing::error!(
            workspace.id = %token.workspace_id, call.id = %call.id, error = %queue_error,
            "the queue refused a call; it goes into the ledger"
        );
        let report = Report { call: &call, secret_version: token.secret_version, received_at };
        let stored = async {
            let workspace = self.workspaces.load(&token.workspace_id).await?;
            let now = self.clock.now().timestamp();
            sync::accept(&self.ledger, &self.random, &workspace, &report, now).await
        };
        stored.await.map_err(|error| {
            tracing::error!(
                workspace.id = %token.workspace_id, call.id = %call.id, error = %error,
                "the ledger refused the call too; it is not kept"
            );
            Problem::unavailable("The call could not be kept. Send the report again.")
        })?;
        measure::received();
        measure::kept_in_ledger();
        Ok(())
    }
}
