//! What the agent noted: structured data and structured outputs (docs/contract.md#appointments,
//! docs/vapi-api.md#structured-data).

use calls::text::{self, plain_name};

use super::{
    payload::{Payload, SUMMARY},
    tree::Node,
};

/// The longest value that is kept, characters.
pub(super) const VALUE: usize = 255;

/// A report's structured data and outputs, in order.
pub(super) struct StructuredData {
    sources: Vec<(Node, Shape)>,
}

/// The shape of a source: structured data is an object of values, structured outputs are objects of outputs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Object,
    Outputs,
}

/// A named object, or an output that is a single value.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) name: &'a str,
    pub(super) node: &'a Node,
}

impl StructuredData {
    pub(super) fn of(payloads: &[&Payload<'_>]) -> Self {
        let sources = payloads.iter().flat_map(|payload| {
            let analysis = payload.analysis();
            [
                (analysis.and_then(|analysis| analysis.structured_data), Shape::Object),
                (payload.artifact().and_then(|artifact| artifact.structured_outputs), Shape::Outputs),
                (analysis.and_then(|analysis| analysis.structured_outputs), Shape::Outputs),
                (analysis.and_then(|analysis| analysis.structured_data_snake), Shape::Object),
                (payload.structured_data, Shape::Object),
                (analysis.and_then(|analysis| analysis.structured_data_multi), Shape::Object),
            ]
        });
        let sources = sources.filter_map(|(raw, shape)| Some((Node::of(raw?), shape)));
        Self { sources: sources.collect() }
    }

    /// The top-level items: the objects of structured data, and the result of each output. Lists are flattened.
    pub(super) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.sources.iter().flat_map(|(source, shape)| {
            source.items().iter().flat_map(move |item| match shape {
                Shape::Object => vec![Item { name: "", node: item }],
                Shape::Outputs => outputs(item),
            })
        })
    }

    /// The summary, for workspaces that have a structured output with that name instead of Vapi's own.
    pub(super) fn summary(&self) -> Option<String> {
        let outputs = self.sources.iter().filter(|(_, shape)| *shape == Shape::Outputs);
        let outputs = outputs.flat_map(|(source, _)| source.items().iter().flat_map(outputs_with_members));
        let mut summaries =
            outputs.filter(|(name, _)| matches!(plain_name(name).as_str(), "callsummary" | "summary"));
        summaries.find_map(|(_, node)| text::clean(&node.value()?, SUMMARY))
    }
}

fn outputs_with_members(source: &Node) -> Vec<(&str, &Node)> {
    let outputs = outputs(source).into_iter();
    let all = outputs.flat_map(|Item { name, node }| {
        let members = node.items().iter().flat_map(Node::members).map(|(name, node)| (name.as_str(), node));
        std::iter::once((name, node)).chain(members)
    });
    all.collect()
}

/// The outputs of a source: `{"<id>": {"name": …, "result": …}}`, an element of the array form, or results by name.
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

/// `{"name": …, "result": …}`, or `{"result": …}` with the key as its name.
fn output<'a>(key: &'a str, node: &'a Node) -> Option<Item<'a>> {
    let result = node.member("result")?;
    let name = match node.member("name") {
        Some(Node::Value(name)) if !name.trim().is_empty() => name,
        _ => key,
    };
    Some(Item { name, node: result })
}
