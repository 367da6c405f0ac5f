//! JSON bodies of requests. (`lambda_http` has undone API Gateway's Base64 by then.)

use lambda_http::Request;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The body, which must be JSON of this form.
pub fn json_body<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    serde_json::from_slice(request.body()).map_err(|error| refusal(&error))
}

/// The body, or the default where there is none.
pub fn json_body_or_default<T: DeserializeOwned + Default>(request: &Request) -> Result<T, Problem> {
    if request.body().iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { json_body(request) }
}

/// The text goes back to the sender only; it is not logged.
fn refusal(error: &serde_json::Error) -> Problem {
    let detail = if error.is_data() {
        format!("The body is not what this route takes: {error}.")
    } else {
        format!("The body is not JSON: line {}, column {}.", error.line(), error.column())
    };
    Problem::bad_request("invalid_body", detail)
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
    fn a_good_body_is_read_and_an_absent_one_may_be_the_default() {
        let good = post(r#"{"revokePrevious":true}"#);
        assert_eq!(json_body::<Rotate>(&good).unwrap(), Rotate { revoke_previous: true });
        for absent in ["", " \n"] {
            assert_eq!(json_body_or_default::<Rotate>(&post(absent)).unwrap(), Rotate::default());
        }
    }

    #[test]
    fn a_bad_body_is_a_400_that_says_where() {
        let syntax = json_body::<Rotate>(&post("{\n x")).unwrap_err();
        assert_eq!((syntax.status(), syntax.code()), (400, "invalid_body"));
        assert!(syntax.detail().contains("line 2"), "{}", syntax.detail());
        let field = json_body::<Rotate>(&post("{}")).unwrap_err();
        assert!(field.detail().contains("revokePrevious"), "{}", field.detail());
    }
}
