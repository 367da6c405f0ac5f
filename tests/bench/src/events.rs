//! The events: samples from `events/`, reports of a chosen size, batches from the queue.

use std::{fs, path::Path};

use axum::body::Bytes;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::Failure;

/// A sample event.
pub(crate) fn sample(name: &str) -> Result<Bytes, Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(format!("{name}.json"));
    Ok(fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?.into())
}

/// A sample of the webhook as a call that ended just now, under this token, in about so many bytes: the conversation
/// fills them, in each of the forms in which Vapi sends it.
pub(crate) fn report(sample: &str, token: &str, bytes: usize) -> Result<Bytes, Failure> {
    let mut event: Value = serde_json::from_slice(&self::sample(sample)?)?;
    let mut body: Value = serde_json::from_str(event["body"].as_str().ok_or("the sample has no body")?)?;
    let message = &mut body["message"];
    let now = Utc::now();
    message["timestamp"] = json!(now.timestamp_millis());
    message["startedAt"] = json!((now - TimeDelta::seconds(125)).to_rfc3339());
    message["endedAt"] = json!(now.to_rfc3339());
    if let Some(date) = message.pointer_mut("/analysis/structuredData/appointment_date") {
        *date = json!((now + TimeDelta::days(7)).format("%Y-%m-%d").to_string());
    }
    // A turn is in the report three times: in the transcript and in two lists.
    let turn =
        "I would like to know whether the offer still stands, and what it would cost for twelve people.";
    let turns = 0..bytes.saturating_sub(message.to_string().len()) / (3 * turn.len() + 190);
    let speaker = |number: usize, user, bot| if number.is_multiple_of(2) { user } else { bot };
    let lines = turns.clone().map(|number| format!("{}: {turn}", speaker(number, "User", "AI")));
    let messages = turns.clone().map(|number| {
        json!({
            "role": speaker(number, "user", "bot"), "message": turn, "secondsFromStart": 3 * number, "duration": 2900,
            "time": now.timestamp_millis(), "endTime": now.timestamp_millis() + 2900, "source": "",
        })
    });
    let plain =
        turns.clone().map(|number| json!({ "role": speaker(number, "user", "assistant"), "content": turn }));
    message["artifact"]["transcript"] = json!(lines.collect::<Vec<_>>().join("\n"));
    message["artifact"]["messages"] = messages.collect();
    message["artifact"]["messagesOpenAIFormatted"] = plain.collect();
    event["body"] = json!(body.to_string());
    event["headers"]["x-vapi-secret"] = json!(token);
    Ok(event.to_string().into())
}

/// A batch of so many calls, made from a message that the webhook queued.
pub(crate) fn batch(message: &str, calls: usize) -> Result<Bytes, Failure> {
    let now = Utc::now();
    let sent = now.timestamp_millis().to_string();
    let mut work: Value = serde_json::from_str(message)?;
    work["receivedAt"] = json!(now.timestamp());
    let records = (0..calls).map(|number| {
        work["call"]["id"] = json!(format!("bench-call-{number}"));
        json!({
            "messageId": format!("message-{number}"),
            "receiptHandle": "bench",
            "body": work.to_string(),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": sent,
                "SenderId": "bench",
                "ApproximateFirstReceiveTimestamp": sent,
                "MessageGroupId": "acme",
            },
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:calls",
            "awsRegion": "us-east-1",
        })
    });
    Ok(json!({ "Records": records.collect::<Value>() }).to_string().into())
}
