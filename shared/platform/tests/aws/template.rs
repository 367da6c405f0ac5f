//! The deployed template: tables are created from it, so that the tests use what is deployed.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use serde::Deserialize;
use serde_yaml_ng::Value;

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The template's resources. CloudFormation's tags are kept.
pub(crate) fn resources() -> Value {
    let template: Value = serde_yaml_ng::from_str(TEMPLATE).unwrap();
    template["Resources"].clone()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<Key>,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    #[serde(rename = "IndexName")]
    name: String,
    key_schema: Vec<Key>,
    projection: Projected,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Projected {
    projection_type: String,
    non_key_attributes: Option<Vec<String>>,
}

/// Creates a table like `resource`, with a unique name.
pub(crate) async fn create_table(client: &aws_sdk_dynamodb::Client, resource: &str) -> String {
    let table: Table = serde_yaml_ng::from_value(resources()[resource]["Properties"].clone()).unwrap();
    let name = format!("{resource}-{}", worker::ports::Random::id(&platform::random::SystemRandom));
    let indexes: Vec<_> = table.global_secondary_indexes.into_iter().map(index).collect();
    client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(table.attribute_definitions.into_iter().map(attribute).collect()))
        .set_key_schema(Some(table.key_schema.into_iter().map(key).collect()))
        .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
        .send()
        .await
        .unwrap();
    name
}

fn attribute(attribute: Attribute) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(attribute.attribute_name)
        .attribute_type(ScalarAttributeType::from(attribute.attribute_type.as_str()))
        .build()
        .unwrap()
}

fn key(key: Key) -> KeySchemaElement {
    KeySchemaElement::builder()
        .attribute_name(key.attribute_name)
        .key_type(KeyType::from(key.key_type.as_str()))
        .build()
        .unwrap()
}

fn index(index: Index) -> GlobalSecondaryIndex {
    let projection = Projection::builder()
        .projection_type(ProjectionType::from(index.projection.projection_type.as_str()))
        .set_non_key_attributes(index.projection.non_key_attributes)
        .build();
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .set_key_schema(Some(index.key_schema.into_iter().map(key).collect()))
        .projection(projection)
        .build()
        .unwrap()
}
