//! The layout of all pages: self-contained, light and dark.

use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// Fetches the page every two seconds, and updates it if it has changed.
const REFRESH: &str = include_str!("refresh.js");

/// A whole page, which refreshes itself if `live`.
pub(crate) fn document(title: &str, body: &Markup, live: bool) -> Markup {
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
                @if live { script { (PreEscaped(REFRESH)) } }
            }
        }
    }
}
