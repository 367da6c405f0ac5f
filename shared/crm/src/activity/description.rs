//! The Description of an activity: paragraphs, cut so that they fit and the last line is always complete
//! (docs/contract.md#task).

use calls::{
    ids::CallId,
    text::{clean, cut, length, salesforce_unit},
};

use crate::journal::BETWEEN_PARAGRAPHS;

/// The length of Salesforce's Description (docs/salesforce-api.md#task).
const DESCRIPTION: usize = 32_000;

/// The order in which paragraphs are cut if not all of them fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The transcript.
    First,
    /// The summary.
    Next,
    /// What somebody has to act on. It is bounded and always fits.
    Last,
}

/// The non-empty paragraphs, and the line by which a look finds the activity.
pub(super) fn describe(call_id: &CallId, paragraphs: &[(Cut, String)]) -> String {
    let last_line = last_line(call_id);
    let mut room = DESCRIPTION - units(&last_line);
    let mut kept = vec![String::new(); paragraphs.len()];
    for turn in [Cut::Last, Cut::Next, Cut::First] {
        for (place, (_, text)) in kept.iter_mut().zip(paragraphs).filter(|(_, (cut, _))| *cut == turn) {
            let text = clean(text, DESCRIPTION).unwrap_or_default();
            let text = cut(&text, room.saturating_sub(units(BETWEEN_PARAGRAPHS)), salesforce_unit);
            if !text.is_empty() {
                room -= units(&text) + units(BETWEEN_PARAGRAPHS);
                *place = text.into_owned();
            }
        }
    }
    kept.push(last_line);
    kept.retain(|text| !text.is_empty());
    kept.join(BETWEEN_PARAGRAPHS)
}

/// The last line of what Ringlog writes into a Description.
pub(crate) fn last_line(call_id: &CallId) -> String {
    format!("Call {call_id}")
}

/// An edited Description, with new paragraphs below the existing text, and the call's line again. The paragraphs are
/// cut to what fits; `None` if nothing fits.
pub(crate) fn add(existing: &str, new: &[&str], last_line: &str) -> Option<String> {
    let existing = existing.trim();
    let taken = units(existing) + 2 * units(BETWEEN_PARAGRAPHS) + units(last_line);
    let new = new.join(BETWEEN_PARAGRAPHS);
    let new = cut(&new, DESCRIPTION.saturating_sub(taken), salesforce_unit);
    let parts = [existing, &new, last_line].into_iter().filter(|part| !part.is_empty());
    (!new.is_empty()).then(|| parts.collect::<Vec<_>>().join(BETWEEN_PARAGRAPHS))
}

fn units(text: &str) -> usize {
    length(text, salesforce_unit)
}
