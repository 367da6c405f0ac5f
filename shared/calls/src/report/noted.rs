//! What the agent noted in structured data and structured outputs (docs/contract.md#appointments,
//! docs/vapi-api.md#structured-data).

mod appointment;
mod caller;

use super::{level::Level, tree::Node};
use crate::text::{self, plain_name};

pub(super) use appointment::appointment;
pub(super) use caller::{name, number};

/// Characters kept of a value.
const VALUE: usize = 255;
const SUMMARY: usize = super::level::SUMMARY;

/// What is noted in a report, in its order.
pub(super) struct Noted {
    sources: Vec<(Node, Depth)>,
}

/// How deep a source is: structured data is an object of values, structured outputs are objects of those.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Values,
    Outputs,
}

/// An object with a name, or a value that is an output of its own.
#[derive(Clone, Copy)]
struct Item<'a> {
    name: &'a str,
    node: &'a Node,
}

impl Noted {
    pub(super) fn of(levels: &[&Level<'_>]) -> Self {
        let sources = levels.iter().flat_map(|level| {
            let analysis = level.analysis();
            [
                (analysis.and_then(|analysis| analysis.structured_data), Depth::Values),
                (level.artifact().and_then(|artifact| artifact.structured_outputs), Depth::Outputs),
                (analysis.and_then(|analysis| analysis.structured_outputs), Depth::Outputs),
                (analysis.and_then(|analysis| analysis.structured_data_snake), Depth::Values),
                (level.structured_data, Depth::Values),
                (analysis.and_then(|analysis| analysis.structured_data_multi), Depth::Values),
            ]
        });
        let sources = sources.filter_map(|(raw, depth)| Some((Node::of(raw?), depth)));
        Self { sources: sources.collect() }
    }

    /// What stands at the top: the objects of structured data, and outputs, each as its result. A list counts as its items.
    fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.sources.iter().flat_map(|(source, depth)| {
            source.items().iter().flat_map(move |item| match depth {
                Depth::Values => vec![Item { name: "", node: item }],
                Depth::Outputs => outputs(item),
            })
        })
    }

    /// The summary of tenants that have a structured output of that name instead of Vapi's own.
    pub(super) fn summary(&self) -> Option<String> {
        let outputs = self.sources.iter().filter(|(_, depth)| *depth == Depth::Outputs);
        let outputs = outputs.flat_map(|(source, _)| source.items().iter().flat_map(outputs_and_members));
        let mut summaries =
            outputs.filter(|(name, _)| matches!(plain_name(name).as_str(), "callsummary" | "summary"));
        summaries.find_map(|(_, node)| text::clean(&node.value()?, SUMMARY))
    }
}

fn outputs_and_members(source: &Node) -> Vec<(&str, &Node)> {
    let outputs = outputs(source).into_iter();
    let all = outputs.flat_map(|Item { name, node }| {
        let members = node.items().iter().flat_map(Node::members).map(|(name, node)| (name.as_str(), node));
        std::iter::once((name, node)).chain(members)
    });
    all.collect()
}

/// The outputs of a source: `{"<id>": {"name": …, "result": …}}`, an item of the array form, or results under their names.
fn outputs(source: &Node) -> Vec<Item<'_>> {
    match output("", source) {
        Some(one) => vec![one],
        None => source
            .members()
            .iter()
            .map(|(key, value)| output(key, value).unwrap_or(Item { name: key, node: value }))
            .collect(),
    }
}

/// `{"name": …, "result": …}`, or `{"result": …}` under a name.
fn output<'a>(key: &'a str, node: &'a Node) -> Option<Item<'a>> {
    let result = node.member("result")?;
    let name = match node.member("name") {
        Some(Node::Value(name)) if !name.trim().is_empty() => name,
        _ => key,
    };
    Some(Item { name, node: result })
}
