//! This API's public address.

use lambda_http::{Request, RequestExt as _, request::RequestContext};

use super::problem::Problem;
use crate::config::Env;

/// `PUBLIC_BASE_URL`, or else API Gateway's domain name, which each request contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress(Option<String>);

impl PublicAddress {
    /// Reads the optional `PUBLIC_BASE_URL`.
    pub fn from_env(env: &impl Env) -> Self {
        Self(env.get("PUBLIC_BASE_URL").map(|url| url.trim_end_matches('/').to_owned()))
    }

    /// The origin, without a trailing slash.
    pub fn of(&self, request: &Request) -> Result<String, Problem> {
        let own = || match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                context.domain_name.as_deref().map(|name| format!("https://{name}"))
            }
            _ => None,
        };
        self.0.clone().or_else(own).ok_or_else(|| {
            Problem::internal().because("neither PUBLIC_BASE_URL nor the request says where this API is")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request::ApiRequest;

    #[test]
    fn the_configured_address_takes_precedence_over_the_gateways() {
        let request = ApiRequest::get("/").domain_name("a1.execute-api.us-east-1.amazonaws.com").build();
        let configured = PublicAddress::from_env(&[("PUBLIC_BASE_URL", "https://api.example.com/")]);
        assert_eq!(configured.of(&request).unwrap(), "https://api.example.com");
        let unset = PublicAddress::from_env(&[("PUBLIC_BASE_URL", "")]);
        assert_eq!(unset.of(&request).unwrap(), "https://a1.execute-api.us-east-1.amazonaws.com");
    }

    #[test]
    fn without_either_it_is_an_internal_error() {
        let address = PublicAddress::from_env(&[("PUBLIC_BASE_URL", "")]);
        assert_eq!(address.of(&Request::default()).unwrap_err().status(), 500);
    }
}
