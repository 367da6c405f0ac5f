//! A Lambda runtime of a few lines on bare sockets: what it takes is what the harness takes, and the stubs for the requests
//! that it makes.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use serde_json::json;

use crate::stubs::Stubs;

/// A request as it is sent, and to whom.
pub(crate) struct Request {
    to: SocketAddr,
    text: String,
}

impl Request {
    fn new(to: SocketAddr, line: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self {
            to,
            text: format!(
                "{line} HTTP/1.1\r\nhost: bench\r\n{headers}content-length: {length}\r\n\r\n{body}"
            ),
        }
    }
}

/// The requests of a call that is logged, one after the other as the worker makes them, and about as large.
pub(crate) fn requests_of_a_call(stubs: &Stubs) -> Vec<Request> {
    const ROW: usize = 4_000;
    const TASK: usize = 3_000;
    let dynamo = |operation: &str, body: String| {
        let headers = format!("x-amz-target: DynamoDB_20120810.{operation}\r\n");
        Request::new(stubs.aws, "POST /", &headers, &body)
    };
    let row =
        || json!({ "Item": { "call_id": { "S": "bare" }, "call": { "S": "x".repeat(ROW) } } }).to_string();
    let task =
        json!({ "compositeRequest": [{ "referenceId": "task", "body": "x".repeat(TASK) }] }).to_string();
    vec![
        dynamo("GetItem", json!({ "Key": { "workspace_id": { "S": "bare" } } }).to_string()),
        dynamo("PutItem", row()),
        Request::new(stubs.salesforce, "GET /search?q=FIND%20%7B2345550123%7D", "", ""),
        Request::new(stubs.salesforce, "POST /composite", "", &task),
        dynamo("PutItem", row()),
    ]
}

/// Answers events until the runtime API ends; makes the requests before each answer.
pub(crate) fn run(address: SocketAddr, requests: &[Request]) -> std::io::Result<()> {
    let mut connections = HashMap::new();
    for to in requests.iter().map(|request| request.to).chain([address]) {
        connections.insert(to, connect(to)?);
    }
    let mut ask = |to: SocketAddr, text: &str| match connections.get_mut(&to) {
        Some((stream, reader)) => stream.write_all(text.as_bytes()).and_then(|()| read_answer(reader)),
        None => Ok(false),
    };
    loop {
        if !ask(address, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: bench\r\n\r\n")? {
            return Ok(());
        }
        for request in requests {
            if !ask(request.to, &request.text)? {
                return Ok(());
            }
        }
        if !ask(
            address,
            "POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nhost: bench\r\ncontent-length: 2\r\n\r\n{}",
        )? {
            return Ok(());
        }
    }
}

fn connect(to: SocketAddr) -> std::io::Result<(TcpStream, BufReader<TcpStream>)> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    let reader = BufReader::new(stream.try_clone()?);
    Ok((stream, reader))
}

/// Reads an answer to its end; `false` where there will be no more.
fn read_answer(reader: &mut BufReader<TcpStream>) -> std::io::Result<bool> {
    let mut length = 0;
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 || line.contains("410") {
        return Ok(false);
    }
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
        if line == "\r\n" {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    Ok(true)
}
