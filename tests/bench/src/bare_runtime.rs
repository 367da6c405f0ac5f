//! A Lambda runtime of a few lines on a bare socket: what it takes is what the harness takes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// Answers events until the runtime API ends.
pub(crate) fn run(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        stream.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: bench\r\n\r\n")?;
        if !read_answer(&mut reader)? {
            return Ok(());
        }
        stream.write_all(
            b"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nhost: bench\r\ncontent-length: 2\r\n\r\n{}",
        )?;
        if !read_answer(&mut reader)? {
            return Ok(());
        }
    }
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
