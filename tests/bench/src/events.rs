//! What the functions are given: the sample events, reports of a chosen size, batches of the queue.

use std::{fs, path::Path};

use axum::body::Bytes;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{Failure, workspace::Workspace};

/// Reads a sample event and makes it this workspace's and today's.
pub(crate) fn sample(events: &Path, name: &str, workspace: &Workspace) -> Result<Value, Failure> {
    let path = events.join(format!("{name}.json"));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text.replace("<webhook token>", workspace.token()))?)
}

/// An event of the webhook whose body has about so many bytes: the sample's report, ended just now, with a conversation
/// that is as long as it takes, in each of the forms that Vapi sends it in.
pub(crate) fn report(sample: &Value, bytes: usize) -> Result<Bytes, Failure> {
    let mut event = sample.clone();
    let mut body: Value = serde_json::from_str(event["body"].as_str().ok_or("the sample has no body")?)?;
    let now = Utc::now();
    body["message"]["timestamp"] = json!(now.timestamp_millis());
    body["message"]["startedAt"] = json!((now - TimeDelta::seconds(125)).to_rfc3339());
    body["message"]["endedAt"] = json!(now.to_rfc3339());
    let data = &mut body["message"]["analysis"]["structuredData"];
    if data["appointment_date"].is_string() {
        data["appointment_date"] = json!((now + TimeDelta::days(7)).format("%Y-%m-%d").to_string());
    }
    // A turn stands in the report three times: in the transcript and in two lists.
    let turn =
        "I would like to know whether the offer still stands, and what it would cost for twelve people.";
    let base = body.to_string().len();
    let turns = bytes.saturating_sub(base) / (3 * turn.len() + 190);
    let speaker = |turn: usize| if turn.is_multiple_of(2) { "user" } else { "bot" };
    let lines: Vec<_> = (0..turns)
        .map(|number| format!("{}: {turn}", if speaker(number) == "bot" { "AI" } else { "User" }))
        .collect();
    let messages: Vec<_> = (0..turns)
        .map(|number| {
            let second = 3 * number;
            json!({ "role": speaker(number), "message": turn, "time": now.timestamp_millis(), "endTime": now.timestamp_millis() + 2900,
                    "secondsFromStart": second, "duration": 2900, "source": "" })
        })
        .collect();
    let plain: Vec<_> = (0..turns)
        .map(|number| json!({ "role": if speaker(number) == "bot" { "assistant" } else { "user" }, "content": turn }))
        .collect();
    body["message"]["artifact"]["transcript"] = json!(lines.join("\n"));
    body["message"]["artifact"]["messages"] = json!(messages);
    body["message"]["artifact"]["messagesOpenAIFormatted"] = json!(plain);
    event["body"] = json!(body.to_string());
    Ok(event.to_string().into())
}

/// A person's test of a call that is not known yet, and the id that it is logged under.
pub(crate) fn test(sample: &str, number: usize) -> (Bytes, Vec<String>) {
    let id = format!("bench-try-{number}");
    (sample.replace("try-1", &id).into(), vec![format!("test-{id}")])
}

/// A batch of new calls, made from a message that the webhook put into the queue: `first` numbers the calls.
pub(crate) fn batch(message: &str, first: usize, calls: usize) -> Result<(Bytes, Vec<String>), Failure> {
    let now = Utc::now();
    let mut records = Vec::new();
    let mut ids = Vec::new();
    for number in first..first + calls {
        let id = format!("bench-call-{number}");
        let mut work: Value = serde_json::from_str(message)?;
        work["receivedAt"] = json!(now.timestamp());
        work["call"]["id"] = json!(id);
        work["call"]["customerNumber"]["v"] = json!(format!("+1234555{:04}", 100 + number % 100));
        records.push(json!({
            "messageId": format!("message-{number}"),
            "receiptHandle": "bench",
            "body": work.to_string(),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": now.timestamp_millis().to_string(),
                "SenderId": "bench",
                "ApproximateFirstReceiveTimestamp": now.timestamp_millis().to_string(),
                "MessageGroupId": crate::workspace::ID,
            },
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:calls",
            "awsRegion": "us-east-1",
        }));
        ids.push(id);
    }
    Ok((json!({ "Records": records }).to_string().into(), ids))
}
