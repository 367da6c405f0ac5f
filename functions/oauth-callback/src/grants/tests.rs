//! Tests against the Salesforce simulator.

use calls::ids::WorkspaceId;
use platform::stores::OAuthFlow;
use salesforce::{
    Config, Timeouts,
    hosts::Hosts,
    oauth::{self, authorize_url},
};
use salesforce_sim::{Effect, Fault, RouteKind, Simulator};
use secrecy::SecretString;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;

struct World {
    salesforce: Simulator,
    client: Client,
}

impl World {
    async fn new() -> Self {
        let salesforce = Simulator::start(salesforce_sim::Config::default()).await.unwrap();
        let config = salesforce.config();
        let client = Client::new(Config {
            client_id: config.client_id.clone(),
            client_secret: SecretString::from(config.client_secret.clone()),
            hosts: Hosts::of_deployment(salesforce.url()).unwrap(),
            timeouts: Timeouts::default(),
        });
        Self { client: client.unwrap(), salesforce }
    }

    /// A user allows access, and the code is exchanged.
    async fn connect(&self) -> Result<NewConnection, CrmError> {
        let config = self.salesforce.config();
        let verifier = Verifier::generate().unwrap();
        let redirect_uri = config.redirect_uris[0].clone();
        let flow =
            oauth::Flow { redirect_uri: &redirect_uri, state: "state", challenge: &verifier.challenge() };
        let page = authorize_url(&config.client_id, self.client.hosts().deployment(), &flow);
        let code = allow(&page).await;
        let flow = OAuthFlow {
            workspace_id: WorkspaceId::parse("acme").unwrap(),
            code_verifier: verifier.secret().clone(),
            redirect_uri,
            login_url: self.salesforce.url().to_owned(),
        };
        self.client.grant(&flow, &code).await
    }

    /// Makes reading the org fail.
    fn refuse_organization(&self, status: u16, code: &str) {
        let body = json!([{ "errorCode": code, "message": "No." }]);
        let response =
            Effect::Answer { status, body, content_type: None, headers: std::collections::BTreeMap::new() };
        self.salesforce.add_fault(Fault::once(RouteKind::Sobject, response));
    }

    fn revocations(&self) -> usize {
        self.salesforce.count(RouteKind::Revoke)
    }
}

/// Submits “Allow” on the page, as a browser does. Returns the code in the redirect.
async fn allow(page: &str) -> String {
    let (host, path) = page.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let form = "decision=allow";
    let request = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let location = response.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    let location = lambda_http::http::Uri::try_from(location).unwrap();
    let code = location.query().unwrap().split('&').find_map(|pair| pair.strip_prefix("code="));
    code.unwrap().replace("%3D", "=")
}

#[tokio::test]
async fn a_grant_has_the_users_name_and_the_orgs_country() {
    let world = World::new().await;
    let connection = world.connect().await.unwrap();
    assert_eq!(connection.login_url, world.salesforce.url());
    assert_eq!(connection.user_name.as_deref(), Some("Sam Admin"));
    assert_eq!(connection.country.as_deref(), Some("US"));
    assert_eq!(world.revocations(), 0);
}

#[tokio::test]
async fn a_grant_without_the_api_is_revoked() {
    for code in ["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"] {
        let world = World::new().await;
        world.refuse_organization(403, code);
        let error = world.connect().await.unwrap_err();
        assert_eq!(error.code, code);
        assert_eq!(world.revocations(), 1, "{code}");
    }
}

#[tokio::test]
async fn any_other_failure_to_read_the_country_does_not_stop_the_connect() {
    for (status, code) in [
        (404, "NOT_FOUND"),
        (403, "INSUFFICIENT_ACCESS"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (500, "UNKNOWN_EXCEPTION"),
    ] {
        let world = World::new().await;
        world.refuse_organization(status, code);
        let connection = world.connect().await.unwrap();
        assert_eq!((connection.country, world.revocations()), (None, 0), "{code}");
    }
}

#[tokio::test]
async fn a_grant_whose_user_cannot_be_read_is_revoked() {
    let world = World::new().await;
    let response = Effect::Answer {
        status: 403,
        body: json!("Bad_OAuth_Token"),
        content_type: None,
        headers: std::collections::BTreeMap::new(),
    };
    world.salesforce.add_fault(Fault::once(RouteKind::Identity, response));
    assert_eq!(world.connect().await.unwrap_err().code, "Bad_OAuth_Token");
    assert_eq!(world.revocations(), 1);
}
