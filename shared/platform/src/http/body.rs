//! JSON request bodies. (`lambda_http` has already decoded API Gateway's Base64.)

use lambda_http::Request;
use serde::de::DeserializeOwned;

use super::{problem::Problem, problem_code::ProblemCode};

/// Parses the body, which must be JSON of this type.
pub fn json_body<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    serde_json::from_slice(request.body()).map_err(|error| refusal(&error))
}

/// Parses the body; the default if there is none.
pub fn json_body_or_default<T: DeserializeOwned + Default>(request: &Request) -> Result<T, Problem> {
    if request.body().iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { json_body(request) }
}

/// The message goes only to the sender; it is not logged.
fn refusal(error: &serde_json::Error) -> Problem {
    let detail = if error.is_data() {
        format!("The body does not match what this route expects: {error}.")
    } else {
        format!("The body is not JSON: line {}, column {}.", error.line(), error.column())
    };
    Problem::new(ProblemCode::InvalidBody, detail)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::testing::request::ApiRequest;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Rotate {
        revoke_previous: bool,
    }

    fn post(body: &str) -> Request {
        ApiRequest::post("/", body).build()
    }

    #[test]
    fn a_valid_body_is_parsed_and_a_missing_one_may_be_the_default() {
        let good = post(r#"{"revokePrevious":true}"#);
        assert_eq!(json_body::<Rotate>(&good).unwrap(), Rotate { revoke_previous: true });
        for absent in ["", " \n"] {
            assert_eq!(json_body_or_default::<Rotate>(&post(absent)).unwrap(), Rotate::default());
        }
    }

    #[test]
    fn an_invalid_body_is_a_400_that_says_where() {
        let syntax = json_body::<Rotate>(&post("{\n x")).unwrap_err();
        assert_eq!((syntax.status(), syntax.code()), (400, "invalid_body"));
        assert!(syntax.detail().contains("line 2"), "{}", syntax.detail());
        let field = json_body::<Rotate>(&post("{}")).unwrap_err();
        assert!(field.detail().contains("revokePrevious"), "{}", field.detail());
    }
}
