//! The API's description in OpenAPI 3.1: combines the modules' descriptions of their routes with the schemas of the
//! types that they send. The output is `docs/openapi.yaml`.

use std::collections::BTreeMap;

pub(crate) use platform::{http::ProblemCode, routes};
use platform::{http::WrittenProblem, routes::Route};
use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform,
};
use serde::Serialize;
use serde_json::Value;
pub(crate) use serde_json::json;
use serde_yaml_ng::Mapping;

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const PAGE: &str = "text/html";

/// A group of operations.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tag {
    Connection,
    Calls,
    Workspace,
    Vapi,
}

impl Tag {
    const ALL: [Self; 4] = [Self::Connection, Self::Calls, Self::Workspace, Self::Vapi];

    fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Calls => "calls",
            Self::Workspace => "workspace",
            Self::Vapi => "vapi",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Connection => "The workspace's connection to its Salesforce org",
            Self::Calls => "The calls and their outcomes",
            Self::Workspace => "The workspace's settings",
            Self::Vapi => "The webhook, and how to set it up in Vapi",
        }
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Anybody.
    Anybody,
    /// Anybody with a token of a workspace.
    Member,
    /// The workspace's admins.
    Admin,
    /// Vapi, with the workspace's secret.
    Vapi,
}

/// The schemas by name, and the codes that the described responses have.
pub(crate) struct Schemas {
    responses: SchemaGenerator,
    requests: SchemaGenerator,
    refusals: BTreeMap<String, Value>,
    codes: Vec<ProblemCode>,
}

impl Schemas {
    fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        // `uint…` is no format of JSON Schema; `minimum: 0` says the same.
        let signed = RecursiveTransform(|schema: &mut Schema| {
            if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                schema.remove("format");
            }
        });
        settings = settings.with_transform(signed);
        Self {
            requests: settings.clone().for_deserialize().into_generator(),
            responses: settings.for_serialize().into_generator(),
            refusals: BTreeMap::new(),
            codes: Vec::new(),
        }
    }

    /// The schema of a type in responses.
    pub(crate) fn response<T: JsonSchema>(&mut self) -> Value {
        self.responses.subschema_for::<T>().to_value()
    }

    /// The schema of a type in requests.
    pub(crate) fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().to_value()
    }

    /// A response with one of these codes, which share a status; its schema gets this name.
    pub(crate) fn refusal(&mut self, name: &str, codes: &[ProblemCode]) -> Refusal {
        let status = codes[0].status();
        assert!(codes.iter().all(|code| code.status() == status), "{name}: {codes:?}");
        let problem = self.response::<WrittenProblem<'_>>();
        let words: Vec<_> = codes.iter().map(ProblemCode::as_str).collect();
        let schema = json!({
            "allOf": [
                problem,
                { "required": ["code"], "properties": { "code": { "type": "string", "enum": words } } },
            ],
        });
        self.refusals.insert(name.to_owned(), schema);
        self.codes.extend_from_slice(codes);
        let meaning = |code: &ProblemCode| format!("`{}`: {}", code.as_str(), code.meaning());
        let description = match codes {
            [one] => meaning(one),
            several => format!("- {}", several.iter().map(meaning).collect::<Vec<_>>().join("\n- ")),
        };
        Refusal { status, description, schema: reference("schemas", name) }
    }

    /// All schemas by name. A type in both requests and responses has one schema.
    fn by_name(mut self) -> BTreeMap<String, Value> {
        let mut all = self.refusals;
        let sent = self.responses.take_definitions(true).into_iter();
        for (name, schema) in sent.chain(self.requests.take_definitions(true)) {
            let other = all.insert(name.clone(), schema.clone());
            assert!(other.is_none_or(|other| other == schema), "{name} has two schemas");
        }
        all
    }
}

/// A response with a problem.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) description: String,
    pub(crate) schema: Value,
}

impl Refusal {
    fn response(self) -> Value {
        json!({ "description": self.description, "content": { PROBLEM: { "schema": self.schema } } })
    }

    /// One whose status API Gateway itself also returns.
    fn or_gateway(self) -> Value {
        let mut response = self.response();
        response["content"][JSON] = gateway();
        response
    }
}

/// An OpenAPI operation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    #[serde(skip)]
    route: Route,
    #[serde(skip)]
    who: Who,
    #[serde(rename = "operationId")]
    id: &'static str,
    tags: [&'static str; 1],
    summary: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    security: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<Value>,
    responses: BTreeMap<String, Value>,
}

impl Operation {
    /// A route's operation, with the responses that all routes for its callers have.
    pub(crate) fn new(route: Route, id: &'static str, tag: Tag, who: Who) -> Self {
        let mut responses = BTreeMap::from([
            ("429".to_owned(), reference("responses", "Throttled")),
            ("500".to_owned(), reference("responses", "Internal")),
            ("503".to_owned(), reference("responses", "Unavailable")),
        ]);
        if matches!(route.method.as_str(), "POST" | "PUT") {
            responses.insert("413".to_owned(), reference("responses", "TooLarge"));
        }
        let security = match who {
            Who::Anybody => Some(json!([])),
            Who::Vapi => Some(json!([{ "vapiSecret": [] }, { "vapiBearer": [] }])),
            Who::Member | Who::Admin => {
                let forbidden = if who == Who::Admin { "AdminsOnly" } else { "NoWorkspace" };
                responses.insert("401".to_owned(), reference("responses", "Unauthenticated"));
                responses.insert("403".to_owned(), reference("responses", forbidden));
                None
            }
        };
        Self {
            route,
            who,
            id,
            tags: [tag.name()],
            summary: "",
            description: String::new(),
            security,
            parameters: Vec::new(),
            request_body: None,
            responses,
        }
    }

    /// Sets the summary and the description.
    pub(crate) fn describe(mut self, summary: &'static str, description: &str) -> Self {
        let who = if self.who == Who::Admin { "Admins only." } else { "" };
        self.summary = summary;
        self.description = format!("{who} {description}").trim().to_owned();
        self
    }

    /// Adds an OpenAPI parameter.
    pub(crate) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Adds a body. One that is not JSON or does not match the schema is `invalid_body`.
    pub(crate) fn body(mut self, schema: &Value) -> Self {
        self = self.optional_body(schema);
        if let Some(body) = &mut self.request_body {
            body["required"] = true.into();
        }
        self
    }

    /// Adds an optional body.
    pub(crate) fn optional_body(mut self, schema: &Value) -> Self {
        self.request_body = Some(json!({ "content": { JSON: { "schema": schema } } }));
        self.responses.insert("400".to_owned(), reference("responses", "InvalidBody"));
        self
    }

    /// Adds the response on success.
    pub(crate) fn success(mut self, status: u16, description: &str, schema: &Value) -> Self {
        let response = json!({ "description": description, "content": { JSON: { "schema": schema } } });
        self.responses.insert(status.to_string(), response);
        self.header(status, "Cache-Control", reference("headers", "NoStore"))
    }

    /// Adds a header to a response.
    pub(crate) fn header(mut self, status: u16, name: &str, header: Value) -> Self {
        self.response_entry(status)["headers"][name] = header;
        self
    }

    /// Adds a response with a problem.
    pub(crate) fn refuse(mut self, refusal: Refusal) -> Self {
        self.responses.insert(refusal.status.to_string(), refusal.response());
        self
    }

    /// API Gateway itself may also return this status.
    pub(crate) fn or_gateway(mut self, status: u16) -> Self {
        self.response_entry(status)["content"][JSON] = gateway();
        self
    }

    /// These responses may be an HTML page instead.
    pub(crate) fn or_page(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.response_entry(*status)["content"][PAGE] = json!({ "schema": { "type": "string" } });
        }
        self
    }

    fn response_entry(&mut self, status: u16) -> &mut Value {
        self.responses.entry(status.to_string()).or_default()
    }
}

/// API Gateway's own error response.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "described only")]
struct GatewayMessage {
    message: Option<String>,
}

fn gateway() -> Value {
    json!({ "schema": reference("schemas", "GatewayMessage") })
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The responses that many operations have.
fn shared_responses(schemas: &mut Schemas) -> Value {
    schemas.response::<GatewayMessage>();
    let only_by_gateway =
        |description: &str| json!({ "description": description, "content": { JSON: gateway() } });
    let unauthenticated = schemas.refusal("UnauthenticatedProblem", &[ProblemCode::Unauthenticated]);
    let no_workspace = schemas.refusal("NoWorkspaceProblem", &[ProblemCode::NoWorkspace]);
    let admins_only =
        schemas.refusal("AdminRequired", &[ProblemCode::AdminRequired, ProblemCode::NoWorkspace]);
    json!({
        "InvalidBody": schemas.refusal("InvalidBody", &[ProblemCode::InvalidBody]).response(),
        "Unauthenticated": unauthenticated.or_gateway(),
        "NoWorkspace": no_workspace.or_gateway(),
        "AdminsOnly": admins_only.or_gateway(),
        "TooLarge": only_by_gateway("API Gateway refuses bodies of more than 10 MB."),
        "Throttled": only_by_gateway("API Gateway refuses too many requests at once. Try again."),
        "Internal": schemas.refusal("InternalProblem", &[ProblemCode::Internal]).or_gateway(),
        "Unavailable": schemas.refusal("UnavailableProblem", &[ProblemCode::Unavailable]).or_gateway(),
    })
}

fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let modules = [
        crate::oauth_initiate::operations,
        crate::oauth_callback::operations,
        crate::status::operations,
        crate::disconnect::operations,
        crate::settings::operations,
        crate::webhook_setup::operations,
        crate::sync_logs::operations,
        crate::test_sync::operations,
        crate::webhook::operations,
    ];
    modules.into_iter().flat_map(|operations| operations(schemas)).collect()
}

#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    security: Value,
    tags: Vec<Value>,
    paths: Mapping,
    components: Value,
}

fn document() -> Document {
    let mut schemas = Schemas::new();
    let responses = shared_responses(&mut schemas);
    let mut paths = Mapping::new();
    for operation in operations(&mut schemas) {
        let Route { method, path } = operation.route.clone();
        let methods = paths.entry(path.into()).or_insert_with(|| Mapping::new().into());
        methods[method.as_str().to_lowercase()] = serde_yaml_ng::to_value(operation).unwrap();
    }
    let described = |tag: Tag| json!({ "name": tag.name(), "description": tag.meaning() });
    Document {
        openapi: "3.1.0",
        info: json!({
            "title": "Ringlog",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Every call of a Vapi voice agent on the Salesforce timeline.",
            "description": "The routes of Ringlog's dashboard and webhook. JSON is camelCase; times are Unix \
                seconds; every response of a function is `Cache-Control: no-store`. An error is \
                `application/problem+json` (RFC 9457) with a stable `code`. What API Gateway itself refuses \
                (401, 404, 413, 429 and its own 5xx) is a small JSON object with a `message`.\n\nRoutes \
                marked *admins only* need the claim `AdminClaim` of the deployment to be, or to contain, \
                `AdminValue`, where the deployment sets them.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        }),
        servers: json!([
            { "url": "https://api.example.com", "description": "PublicBaseUrl of your deployment" }
        ]),
        security: json!([{ "dashboard": [] }]),
        tags: Tag::ALL.map(described).into(),
        paths,
        components: json!({
            "headers": { "NoStore": { "required": true, "schema": { "type": "string", "const": "no-store" } } },
            "responses": responses,
            "schemas": schemas.by_name(),
            "securitySchemes": {
                "dashboard": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Your dashboard's token; its claim `WorkspaceClaim` names the workspace.",
                },
                "vapiSecret": { "type": "apiKey", "in": "header", "name": voice::vapi::SECRET_HEADER },
                "vapiBearer": { "type": "http", "scheme": "bearer" },
            },
        }),
    }
}

/// Compares `docs/openapi.yaml` with the code. If the environment variable `UPDATE` is set (`make openapi`), writes
/// it first.
#[test]
fn the_committed_description_matches_the_code() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.yaml");
    let text = format!(
        "# Made from the code (shared/api) by `make openapi`.\n{}",
        serde_yaml_ng::to_string(&document()).unwrap()
    );
    assert!(!text.contains("[`"), "a link that only works in rustdoc");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    let is_same = std::fs::read_to_string(file).unwrap() == text;
    assert!(is_same, "docs/openapi.yaml is out of date: run `make openapi` and commit it");
}

#[test]
fn every_route_is_described_once() {
    let described = operations(&mut Schemas::new());
    let sorted = |routes: &mut dyn Iterator<Item = &Route>| {
        let mut keys: Vec<_> = routes.map(|route| format!("{} {}", route.method, route.path)).collect();
        keys.sort();
        keys
    };
    assert_eq!(
        sorted(&mut described.iter().map(|operation| &operation.route)),
        sorted(&mut routes::ALL.iter())
    );
}

#[test]
fn every_code_is_described() {
    let mut schemas = Schemas::new();
    shared_responses(&mut schemas);
    operations(&mut schemas);
    for code in ProblemCode::ALL {
        assert!(schemas.codes.contains(code), "{code:?}");
    }
}
