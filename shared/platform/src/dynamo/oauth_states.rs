//! Connect flows in progress, each taken exactly once by one conditional delete.

use aws_sdk_dynamodb::{
    Client,
    operation::delete_item::DeleteItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use worker::ports::StoreError;

use crate::{
    aws::{Aws, LazyClient, store_error},
    config::{ConfigError, Env, OAuthStatesTable},
    hashed::Hashed,
    sealing::{Field, Sealed, Sealer},
    secrets::KeySource,
    stores::{NewState, OAuthFlow, OAuthStates, TakeError},
};

use super::item::{ColumnError, Item, ItemBuilder, attribute, required};

const PUT: &str = "DynamoDB PutItem (connect flows)";
const DELETE: &str = "DynamoDB DeleteItem (connect flows)";

/// The connect flows on DynamoDB.
#[derive(Debug, Clone)]
pub struct OAuthStateTable<K> {
    client: LazyClient<Client>,
    table: String,
    sealer: Sealer<K>,
}

impl<K: KeySource> OAuthStateTable<K> {
    /// Uses this table and client, and seals verifiers with these keys.
    pub fn new(client: LazyClient<Client>, table: impl Into<String>, keys: K) -> Self {
        Self { client, table: table.into(), sealer: Sealer::new(keys) }
    }

    /// The table that `OAUTH_STATES_TABLE` names.
    pub fn from_env(env: &impl Env, aws: &Aws, keys: K) -> Result<Self, ConfigError> {
        let OAuthStatesTable(table) = OAuthStatesTable::from_env(env)?;
        Ok(Self::new(aws.dynamodb(), table, keys))
    }

    async fn flow(&self, item: &Item) -> Result<OAuthFlow, StoreError> {
        let column = |error: ColumnError| error.during(DELETE);
        let workspace_id = required(item, "workspace_id").map_err(column)?;
        let sealed: String = required(item, Field::CodeVerifier.column()).map_err(column)?;
        let sealed = Sealed::stored(sealed);
        let opened = self.sealer.open(&workspace_id, Field::CodeVerifier, &sealed).await;
        let code_verifier = opened.map_err(|error| StoreError {
            operation: "opening a sealed verifier",
            cause: error.to_string(),
        })?;
        Ok(OAuthFlow {
            workspace_id,
            code_verifier,
            redirect_uri: required(item, "redirect_uri").map_err(column)?,
            login_url: required(item, "login_url").map_err(column)?,
        })
    }
}

impl<K: KeySource> OAuthStates for OAuthStateTable<K> {
    async fn put(&self, state: &NewState) -> Result<(), StoreError> {
        let flow = &state.flow;
        let sealed = self.sealer.seal(&flow.workspace_id, Field::CodeVerifier, &flow.code_verifier).await;
        let sealed = sealed
            .map_err(|error| StoreError { operation: "sealing a verifier", cause: error.to_string() })?;
        let item = ItemBuilder::default()
            .set("state_hash", state.state_hash.as_str())
            .set("cookie_hash", state.cookie_hash.as_str())
            .set("workspace_id", &flow.workspace_id)
            .set(Field::CodeVerifier.column(), sealed.as_str())
            .set("redirect_uri", &flow.redirect_uri)
            .set("login_url", &flow.login_url)
            .set("expires_at", state.expires_at)
            .build();
        // No condition is needed: the same 256 random bits never occur twice, and a retry writes the same item.
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| store_error(PUT, &error))
    }

    /// If the response to the delete is lost, its retry finds nothing and returns [`TakeError::Unknown`]: the user
    /// has to connect again, which is safer than a state that can be used twice.
    async fn take(
        &self,
        state_hash: &Hashed,
        cookie_hash: &Hashed,
        now: i64,
    ) -> Result<OAuthFlow, TakeError> {
        let taken = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("state_hash", attribute(state_hash.as_str()))
            .condition_expression("cookie_hash = :cookie_hash AND expires_at > :now")
            .expression_attribute_values(":cookie_hash", attribute(cookie_hash.as_str()))
            .expression_attribute_values(":now", attribute(now))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match taken {
            Ok(taken) => {
                let item = taken.attributes.ok_or(TakeError::Unknown)?;
                Ok(self.flow(&item).await?)
            }
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                    Err(refusal(failed.item(), cookie_hash))
                }
                _ => Err(store_error(DELETE, &error).into()),
            },
        }
    }
}

fn refusal(found: Option<&Item>, cookie_hash: &Hashed) -> TakeError {
    let Some(found) = found.filter(|item| !item.is_empty()) else { return TakeError::Unknown };
    match required::<String>(found, "cookie_hash") {
        Ok(cookie) if cookie == cookie_hash.as_str() => TakeError::Expired,
        Ok(_) => TakeError::WrongBrowser,
        Err(error) => error.during(DELETE).into(),
    }
}
