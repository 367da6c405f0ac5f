//! The routes in the code are those in the template.

use std::collections::BTreeMap;

use platform::routes::{self, Route};
use serde_yaml_ng::Value;

use crate::template;

/// The template's routes, and whether their requests have a verified JWT.
fn deployed() -> BTreeMap<String, bool> {
    let resources = template::resources();
    let events = resources.as_mapping().unwrap().values().filter_map(|resource| {
        resource["Properties"]["Events"]
            .as_mapping()
            .map(|events| events.values().cloned().collect::<Vec<_>>())
    });
    let routes = events.flatten().filter(|event| event["Type"] == "HttpApi");
    routes.map(|event| route(&event["Properties"])).collect()
}

fn route(event: &Value) -> (String, bool) {
    let key = format!("{} {}", event["Method"].as_str().unwrap(), event["Path"].as_str().unwrap());
    (key, event["Auth"]["Authorizer"] != "NONE")
}

fn key(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

#[test]
fn every_route_in_the_code_is_deployed() {
    let deployed = deployed();
    for route in &routes::ALL {
        assert!(deployed.contains_key(&key(route)), "{}", key(route));
    }
}

#[test]
fn every_deployed_route_is_in_the_code() {
    let in_code: Vec<_> = routes::ALL.iter().map(key).collect();
    for route in deployed().keys() {
        assert!(in_code.contains(route), "{route}");
    }
}

#[test]
fn only_the_callback_and_the_webhook_need_no_jwt() {
    let open: Vec<_> =
        deployed().into_iter().filter(|(_, checked)| !checked).map(|(route, _)| route).collect();
    assert_eq!(open, [key(&routes::OAUTH_CALLBACK), key(&routes::WEBHOOK)]);
}
