//! The caller: the workspace, from the JWT that API Gateway's authorizer has verified, and from nothing else.

use std::collections::HashMap;

use calls::ids::WorkspaceId;
use lambda_http::{Request, RequestExt as _, request::RequestContext};

use crate::config::{ConfigError, Env, required};

use super::{problem::Problem, problem_code::ProblemCode};

/// A member of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The workspace.
    pub workspace_id: WorkspaceId,
}

/// Which claim names the workspace, and which one identifies admins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRules {
    workspace_claim: String,
    admin: Option<Admin>,
    #[cfg(debug_assertions)]
    local_workspace: Option<WorkspaceId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Admin {
    claim: String,
    value: String,
}

impl CallerRules {
    /// Reads `WORKSPACE_CLAIM` and the optional pair `ADMIN_CLAIM` and `ADMIN_VALUE`. Debug builds also read
    /// `LOCAL_WORKSPACE_ID`, for `cargo lambda watch`, which has no authorizer.
    pub fn from_env(env: &impl Env) -> Result<Self, ConfigError> {
        let workspace_claim =
            required(env, "WORKSPACE_CLAIM", "the name of the claim that names the workspace")?;
        let missing = |variable, expected| ConfigError::Missing { variable, expected };
        let admin = match (env.get("ADMIN_CLAIM"), env.get("ADMIN_VALUE")) {
            (Some(claim), Some(value)) => Some(Admin { claim, value }),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(missing("ADMIN_CLAIM", "the name of a claim, since ADMIN_VALUE is set"));
            }
            (Some(_), None) => return Err(missing("ADMIN_VALUE", "what the claim ADMIN_CLAIM must contain")),
        };
        Ok(Self {
            workspace_claim,
            admin,
            #[cfg(debug_assertions)]
            local_workspace: env.get("LOCAL_WORKSPACE_ID").and_then(|id| WorkspaceId::parse(id).ok()),
        })
    }

    /// The caller: 401 without a JWT, 403 if it does not name a workspace.
    pub fn caller(&self, request: &Request) -> Result<Caller, Problem> {
        let Some(claims) = claims(request) else { return self.without_authorizer() };
        let no_workspace = || {
            Problem::new(
                ProblemCode::NoWorkspace,
                format!(
                    "Your token does not name a workspace: its claim `{}` is missing or not one.",
                    self.workspace_claim
                ),
            )
        };
        let claim = claims.get(&self.workspace_claim).ok_or_else(no_workspace)?;
        let workspace_id = WorkspaceId::parse(claim.as_str()).map_err(|_| no_workspace())?;
        Ok(Caller { workspace_id })
    }

    /// The caller, who must be an admin if the deployment defines admins; otherwise 403.
    pub fn admin(&self, request: &Request) -> Result<Caller, Problem> {
        let caller = self.caller(request)?;
        match (&self.admin, claims(request)) {
            (Some(admin), Some(claims)) if !admin.is(claims) => Err(Problem::new(
                ProblemCode::AdminRequired,
                "Only an admin of your workspace may do this. Ask an admin to do it, or to make you one.",
            )),
            _ => Ok(caller),
        }
    }

    #[cfg(debug_assertions)]
    fn without_authorizer(&self) -> Result<Caller, Problem> {
        let local = self.local_workspace.clone().map(|workspace_id| Caller { workspace_id });
        local.ok_or_else(unauthenticated)
    }

    #[cfg(not(debug_assertions))]
    #[expect(clippy::unused_self, reason = "a debug build has a setting for it")]
    fn without_authorizer(&self) -> Result<Caller, Problem> {
        Err(unauthenticated())
    }
}

fn unauthenticated() -> Problem {
    Problem::new(ProblemCode::Unauthenticated, "Send your dashboard's token as `Authorization: Bearer`.")
}

impl Admin {
    fn is(&self, claims: &HashMap<String, String>) -> bool {
        claims
            .get(&self.claim)
            .is_some_and(|claim| *claim == self.value || elements(claim).any(|e| e == self.value))
    }
}

/// The elements of a list claim. API Gateway writes a list as `[a b]`, others as JSON. A plain string has no elements,
/// so a name that happens to contain the right word does not make somebody an admin.
fn elements(claim: &str) -> impl Iterator<Item = &str> {
    let list = claim.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    let separator = if list.contains(',') { ',' } else { ' ' };
    list.split(separator)
        .map(|element| element.trim().trim_matches('"'))
        .filter(|element| !element.is_empty())
}

fn claims(request: &Request) -> Option<&HashMap<String, String>> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            Some(&context.authorizer.as_ref()?.jwt.as_ref()?.claims)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request::ApiRequest;

    fn rules(env: &[(&str, &str)]) -> CallerRules {
        let mut map: HashMap<String, String> =
            env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        map.entry("WORKSPACE_CLAIM".to_owned()).or_insert_with(|| "workspace_id".to_owned());
        CallerRules::from_env(&map).unwrap()
    }

    fn refused(result: Result<Caller, Problem>) -> (u16, String) {
        let problem = result.unwrap_err();
        (problem.status(), problem.code().to_owned())
    }

    #[test]
    fn the_workspace_is_the_claim_that_the_deployment_names() {
        let request = ApiRequest::get("/").claim("workspace_id", "acme").claim("org", "globex").build();
        assert_eq!(rules(&[]).caller(&request).unwrap().workspace_id.as_str(), "acme");
        let by_org = rules(&[("WORKSPACE_CLAIM", "org")]);
        assert_eq!(by_org.caller(&request).unwrap().workspace_id.as_str(), "globex");
    }

    #[test]
    fn without_a_jwt_it_is_401_whatever_the_request_contains() {
        let request = ApiRequest::get("/?workspace_id=acme").header("x-workspace-id", "acme").build();
        assert_eq!(refused(rules(&[]).caller(&request)), (401, "unauthenticated".into()));
        assert_eq!(refused(rules(&[]).caller(&Request::default())), (401, "unauthenticated".into()));
    }

    #[test]
    fn a_jwt_without_a_usable_workspace_is_403() {
        let without = ApiRequest::get("/").claim("sub", "user-1").build();
        assert_eq!(refused(rules(&[]).caller(&without)), (403, "no_workspace".into()));
        for bad in ["", "a b", "a/b", "../x", &"x".repeat(65)] {
            let request = ApiRequest::get("/").claim("workspace_id", bad).build();
            assert_eq!(refused(rules(&[]).caller(&request)), (403, "no_workspace".into()), "{bad:?}");
        }
    }

    #[test]
    fn an_admin_has_the_value_or_a_list_that_contains_it() {
        let rules = rules(&[("ADMIN_CLAIM", "roles"), ("ADMIN_VALUE", "admin")]);
        let with =
            |roles: &str| ApiRequest::get("/").claim("workspace_id", "acme").claim("roles", roles).build();
        for good in ["admin", "[admin]", "[user admin]", "[user, admin]", r#"["user","admin"]"#] {
            assert!(rules.admin(&with(good)).is_ok(), "{good}");
        }
        for bad in ["", "user", "not admin", "administrator", "[user administrator]", "[]", "[admin"] {
            assert_eq!(refused(rules.admin(&with(bad))), (403, "admin_required".into()), "{bad}");
        }
        let without = ApiRequest::get("/").claim("workspace_id", "acme").build();
        assert_eq!(refused(rules.admin(&without)), (403, "admin_required".into()));
    }

    #[test]
    fn without_an_admin_definition_every_member_is_allowed() {
        let request = ApiRequest::get("/").claim("workspace_id", "acme").build();
        assert!(rules(&[("ADMIN_CLAIM", ""), ("ADMIN_VALUE", "")]).admin(&request).is_ok());
    }

    #[test]
    fn half_an_admin_definition_is_an_error() {
        for (set, missing) in [("ADMIN_CLAIM", "ADMIN_VALUE"), ("ADMIN_VALUE", "ADMIN_CLAIM")] {
            let error =
                CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id"), (set, "x")]).unwrap_err();
            assert!(error.to_string().starts_with(missing), "{error}");
        }
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_debug_build_may_take_the_workspace_from_a_setting_but_a_jwt_wins() {
        let rules = rules(&[("LOCAL_WORKSPACE_ID", "local")]);
        assert_eq!(rules.caller(&Request::default()).unwrap().workspace_id.as_str(), "local");
        let request = ApiRequest::get("/").claim("workspace_id", "acme").build();
        assert_eq!(rules.caller(&request).unwrap().workspace_id.as_str(), "acme");
        let without = ApiRequest::get("/").claim("sub", "user-1").build();
        assert_eq!(refused(rules.caller(&without)), (403, "no_workspace".into()));
    }
}
