//! The three tables on DynamoDB (docs/contract.md#tables).
//!
//! Every write that the contract wants exactly once is conditional, carries an id of its own, and reads the item that
//! made it fail: a write of ours whose answer was lost, and which was tried again, is recognised as ours.

mod item;
mod ledger;
mod ledger_item;
mod number_claim_item;
mod oauth_states;
mod rows;
mod settings;
mod settings_item;
mod workspaces;

pub use ledger::{LedgerTable, SHARDS};
pub use oauth_states::OAuthStateTable;
pub use settings::SettingsTable;
#[cfg(any(test, feature = "testing"))]
pub(crate) use settings::rotated;
pub use workspaces::WorkspaceTable;
