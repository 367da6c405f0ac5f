//! The frame and the look of all pages: self-contained, light and dark, renewed quietly.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// Fetches the page every two seconds, and changes it only where something is new.
const RENEW: &str = include_str!("renew.js");

/// A whole page.
pub(crate) fn document(title: &str, body: &Markup, renewed: bool) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) " · Simulated Salesforce" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                @if renewed { script { (PreEscaped(RENEW)) } }
            }
        }
    }
}
