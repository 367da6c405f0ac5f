//! The simulator as a program: prints a line for each request; Ctrl-C or SIGTERM stops it.

use std::{
    env,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use salesforce_sim::{Config, Simulator};
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

const USAGE: &str = "\
A strict Salesforce simulator with invented people.

Usage: salesforce-sim [--option value]…

  --port N                     8081; 0 picks a free one       SALESFORCE_SIM_PORT
  --host ADDRESS               127.0.0.1                      SALESFORCE_SIM_HOST
  --public-url URL             the listening address          SALESFORCE_SIM_PUBLIC_URL
  --client-id TEXT             the app's consumer key         SALESFORCE_SIM_CLIENT_ID
  --client-secret TEXT         the app's consumer secret      SALESFORCE_SIM_CLIENT_SECRET
  --redirect-uri URI[,URI…]    the app's callbacks            SALESFORCE_SIM_REDIRECT_URI
  --index-delay SECONDS        120, the search index's lag    SALESFORCE_SIM_INDEX_DELAY

An option overrides its environment variable.";

const OPTIONS: &[&str] =
    &["port", "host", "public-url", "client-id", "client-secret", "redirect-uri", "index-delay"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print(USAGE);
        return ExitCode::SUCCESS;
    }
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "salesforce-sim: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let config = config(arguments, |name| env::var(name).ok())?;
    let (client_id, callbacks) = (config.client_id.clone(), config.redirect_uris.join(", "));
    let mut terminated = signal(SignalKind::terminate())?;
    let simulator = Simulator::start(config).await?;
    print(&format!(
        "Simulated Salesforce: {0}\n  people and timelines  {0}/\n  client id             {client_id}\n  callbacks             {callbacks}",
        simulator.url()
    ));
    tokio::select! {
        interrupted = ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// The configuration from the options or else the environment.
fn config(arguments: &[String], variable: impl Fn(&str) -> Option<String>) -> Result<Config, String> {
    let given = options(arguments)?;
    let value = |option: &str| {
        let name = format!("SALESFORCE_SIM_{}", option.replace('-', "_").to_uppercase());
        let found = given.iter().find(|(name, _)| name == option).map(|(_, value)| value.clone());
        found.or_else(|| variable(&name)).filter(|value| !value.is_empty())
    };
    let number =
        |option: &str, text: String| text.parse().map_err(|_| format!("--{option} {text:?} is not a number"));
    let mut config = Config { log: true, public_url: value("public-url"), ..Config::default() };
    let port = value("port").map_or(Ok(8081), |text| number("port", text))?;
    let port = u16::try_from(port).map_err(|_| format!("--port {port} is not a port"))?;
    let host = value("host").map_or(Ok(Ipv4Addr::LOCALHOST.into()), |text| {
        text.parse().map_err(|_| format!("--host {text:?} is not an IP address"))
    })?;
    config.listen = SocketAddr::new(host, port);
    if let Some(id) = value("client-id") {
        config.client_id = id;
    }
    if let Some(secret) = value("client-secret") {
        config.client_secret = secret;
    }
    if let Some(uris) = value("redirect-uri") {
        config.redirect_uris = uris.split(',').map(|uri| uri.trim().to_owned()).collect();
    }
    if let Some(delay) = value("index-delay") {
        config.settings.index_delay_seconds = i64::from(number("index-delay", delay)?);
    }
    Ok(config)
}

/// Parses `--name value` pairs.
fn options(arguments: &[String]) -> Result<Vec<(String, String)>, String> {
    let pairs = arguments.chunks(2).map(|pair| {
        let name = pair[0].strip_prefix("--").filter(|name| OPTIONS.contains(name));
        let name = name.ok_or_else(|| format!("there is no option {:?}; see --help", pair[0]))?;
        let value = pair.get(1).ok_or_else(|| format!("--{name} needs a value"))?;
        Ok((name.to_owned(), value.clone()))
    });
    pairs.collect()
}

fn print(text: &str) {
    let mut out = io::stdout();
    // Flushed so that a script that reads a pipe sees the address at once. Nothing may be reading.
    writeln!(out, "{text}").and_then(|()| out.flush()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        config(&arguments, variable)
    }

    #[test]
    fn an_option_overrides_its_variable() {
        let variables = [("SALESFORCE_SIM_PORT", "9000"), ("SALESFORCE_SIM_CLIENT_ID", "from-variable")];
        let config = read(&["--port", "9001"], &variables).unwrap();
        assert_eq!(config.listen.port(), 9001);
        assert_eq!(config.client_id, "from-variable");
        assert_eq!(read(&[], &[]).unwrap().listen.port(), 8081);
    }

    #[test]
    fn several_callbacks_are_separated_by_commas() {
        let config = read(&["--redirect-uri", "https://a.example/x, https://b.example/y"], &[]).unwrap();
        assert_eq!(config.redirect_uris, ["https://a.example/x", "https://b.example/y"]);
    }

    #[test]
    fn wrong_options_are_refused() {
        for arguments in
            [&["--prot", "1"][..], &["--port"], &["--port", "x"], &["--port", "70000"], &["--host", "x"]]
        {
            assert!(read(arguments, &[]).is_err(), "{arguments:?}");
        }
    }
}
