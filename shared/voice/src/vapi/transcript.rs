//! Transcripts: a text, a list of turns, or messages.

use serde::Deserialize;

use super::value::{self, Object, Raw};

/// A turn of the conversation, in the shapes of `transcript`, `messages` and `messagesOpenAIFormatted`.
#[derive(Deserialize)]
struct Turn<'a> {
    #[serde(borrow)]
    role: Option<Raw<'a>>,
    #[serde(borrow)]
    message: Option<Raw<'a>>,
    #[serde(borrow)]
    content: Option<Raw<'a>>,
    #[serde(borrow)]
    text: Option<Raw<'a>>,
}

/// A transcript from a text or a list of turns, of at most `longest` characters.
pub(super) fn of_transcript(raw: Raw<'_>, longest: usize) -> Option<String> {
    value::text(raw, longest).or_else(|| of_turns(raw, longest, true))
}

/// A transcript from messages: what agent and caller said, without the prompt and without tool results.
pub(super) fn of_messages(raw: Raw<'_>, longest: usize) -> Option<String> {
    of_turns(raw, longest, false)
}

fn of_turns(raw: Raw<'_>, longest: usize, any_role: bool) -> Option<String> {
    let turns: Vec<Raw<'_>> = serde_json::from_str(raw.get()).ok()?;
    let mut transcript = String::new();
    for line in turns.into_iter().filter_map(|turn| line(turn, longest, any_role)) {
        transcript.push_str(&line);
        transcript.push('\n');
        // A character has at most four bytes, so nothing more would be kept.
        if transcript.len() > 4 * longest {
            break;
        }
    }
    calls::text::clean(&transcript, longest)
}

fn line(turn: Raw<'_>, longest: usize, any_role: bool) -> Option<String> {
    if !turn.get().starts_with('{') {
        return value::text(turn, longest).filter(|_| any_role);
    }
    let turn = serde_json::from_str::<Object<Turn<'_>>>(turn.get()).ok()?.0?;
    let mut said = [turn.message, turn.content, turn.text].into_iter().flatten();
    let said = said.find_map(|raw| value::text(raw, longest).or_else(|| parts(raw, longest)))?;
    let role = turn.role.and_then(|role| value::line(role, 20)).map(|role| role.to_lowercase());
    match role.as_deref() {
        Some("bot" | "assistant" | "ai" | "agent") => Some(format!("AI: {said}")),
        Some("user" | "customer" | "caller") => Some(format!("User: {said}")),
        // The prompt and tool results.
        Some(role) if role.starts_with("system") || role.starts_with("tool") => None,
        _ => any_role.then_some(said),
    }
}

/// A message in parts: `[{"type": "text", "text": …}]`.
fn parts(raw: Raw<'_>, longest: usize) -> Option<String> {
    let parts: Vec<Object<Turn<'_>>> = serde_json::from_str(raw.get()).ok()?;
    let texts = parts.into_iter().filter_map(|part| value::text(part.0?.text?, longest));
    calls::text::clean(&texts.collect::<Vec<_>>().join(" "), longest)
}
