//! An AWS emulator for this test binary, on a free port. It stops when the binary ends, even after a crash.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use platform::{aws::Aws, config::Env};

/// Stops the emulator when standard input closes, which happens when this process ends.
const GUARD: &str = r#""$@" >/dev/null 2>&1 & emulator=$!; cat >/dev/null; kill $emulator; wait $emulator"#;

const START_TIMEOUT: Duration = Duration::from_mins(1);

struct Emulator {
    port: u16,
    _guard: ChildStdin,
}

/// The emulator's port. The first caller starts the emulator.
pub(crate) fn port() -> u16 {
    static EMULATOR: OnceLock<Emulator> = OnceLock::new();
    EMULATOR.get_or_init(start).port
}

/// Clients of the emulator.
pub(crate) fn aws() -> Aws {
    aws_at(port())
}

/// Clients of a server on a local port.
pub(crate) fn aws_at(port: u16) -> Aws {
    let endpoint = format!("http://127.0.0.1:{port}");
    Aws::from_env(&[
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ])
    .unwrap()
}

fn start() -> Emulator {
    let program = program();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = Command::new("sh")
        .args(["-c", GUARD, "sh", &program])
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let guard = child.stdin.take().unwrap();
    wait_for(port, &mut child);
    Emulator { port, _guard: guard }
}

fn program() -> String {
    if let Some(program) = platform::config::ProcessEnv.get("RINGLOG_EMULATOR") {
        return program;
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/emulator/bin/ministack");
    assert!(
        installed.exists(),
        "the emulator is not installed: `make test` installs it, or set RINGLOG_EMULATOR to its program"
    );
    installed.to_str().unwrap().to_owned()
}

fn wait_for(port: u16, child: &mut Child) {
    let started = Instant::now();
    while !is_healthy(port) {
        assert!(child.try_wait().unwrap().is_none(), "the emulator stopped immediately");
        assert!(started.elapsed() < START_TIMEOUT, "the emulator does not respond");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_healthy(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut response = Vec::new();
    stream.write_all(request).and_then(|()| stream.read_to_end(&mut response)).is_ok()
        && response.starts_with(b"HTTP/1.1 200")
}
