//! The three DynamoDB tables (docs/contract.md#tables).
//!
//! Every write that must happen exactly once is conditional, has its own id, and returns the item that made the
//! condition fail: if the response to our own write was lost and the SDK retried it, it is recognised as ours.

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
pub(crate) use settings::next_versions;
pub use workspaces::WorkspaceTable;
