"""What is printed once the stack is up: addresses, a token, and the commands of the main path."""

from __future__ import annotations

import json
from pathlib import Path

from . import sample
from .settings import ROOT, SAMPLE_WORKSPACE, Settings
from .stack import Stack


def write(stack: Stack) -> None:
    """Writes the sample report, and a description of the stack for the end-to-end tests."""
    state = stack.settings.state
    _sample_report(state).write_text(sample.report())
    _write_environment(stack)
    description = {
        "public_url": stack.settings.public_url,
        "emulator_url": stack.settings.emulator_url,
        "simulator_url": stack.settings.simulator_url,
        "issuer_url": stack.settings.issuer_url,
        "api_id": stack.api_id,
        "client_secret": stack.client_secret,
        "token": stack.token,
        "resources": stack.deployment.resources,
        "outputs": stack.deployment.outputs,
        "commands": commands(stack),
    }
    # Written under another name first, so that nothing that waits for this file reads half of it.
    new = state / "stack.json.new"
    new.write_text(json.dumps(description, indent=1))
    new.replace(_description(state))


def _write_environment(stack: Stack) -> None:
    """Writes what a function needs to run on its own next to this stack (CONTRIBUTING.md, "One function alone")."""
    aws = {name: value for name, value in stack.settings.aws_environment.items() if name.startswith("AWS_")}
    functions = {**stack.deployment.environment, "AWS_ENDPOINT_URL": stack.settings.emulator_url}
    # Without an authorizer, a debug build takes its workspace from here.
    alone = {**functions, **aws, "LOCAL_WORKSPACE_ID": SAMPLE_WORKSPACE}
    lines = [f"{name}={value}\n" for name, value in sorted(alone.items())]
    (stack.settings.state / "functions.env").write_text("".join(lines))
    in_container = {**functions, "AWS_ENDPOINT_URL": f"http://host.docker.internal:{stack.settings.ports.emulator}"}
    (stack.settings.state / "functions.json").write_text(json.dumps({"Parameters": in_container}, indent=1))


def remove_description(settings: Settings) -> None:
    """Removes the description once the stack has stopped."""
    _description(settings.state).unlink(missing_ok=True)


def commands(stack: Stack) -> dict[str, str]:
    """The main path without a browser, as commands for a POSIX shell in the repository's folder."""
    url = stack.settings.public_url
    state = relative(stack.settings.state)
    bearer = '-H "Authorization: Bearer $TOKEN"'
    field = "python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])'"
    activities = (
        """python3 -c 'import json, sys; records = json.load(sys.stdin)["orgs"][0]["records"]; """
        """print(json.dumps({kind: records[kind] for kind in ("Task", "Event")}, indent=1))'"""
    )
    return {
        "set the dashboard token": f"TOKEN={stack.token}",
        f"connect the workspace {SAMPLE_WORKSPACE} (or, in a browser, with the button on {url})": (
            f"AUTH_URL=$(curl -sS -c {state}/cookies {bearer} {url}/api/salesforce/oauth/initiate | {field} authUrl)\n"
            f'curl -sS -L -b {state}/cookies -d decision=allow "$AUTH_URL"'
        ),
        "get the webhook token": f"SECRET=$(curl -sS {bearer} {url}/api/salesforce/webhook | {field} secret)",
        "post a sample call": (
            f'curl -sS -H "X-Vapi-Secret: $SECRET" -H "Content-Type: application/json"'
            f" --data @{relative(_sample_report(stack.settings.state))} {url}/webhook/vapi"
        ),
        f"show its Task and Event (or, in a browser, {stack.settings.simulator_url}, Ada Sample)": (
            f"curl -sS {stack.settings.simulator_url}/_sim/state | {activities}"
        ),
    }


def text(stack: Stack) -> str:
    """The whole guide."""
    settings = stack.settings
    steps = "\n\n".join(f"  # {what}\n{_indent(command)}" for what, command in commands(stack).items())
    return f"""
Ringlog is running. Ctrl-C stops it.

  {settings.public_url:<24} start here: API, webhook, and a page with the Connect button
  {settings.simulator_url:<24} Salesforce: its people and their timelines
  {settings.issuer_url:<24} dashboard tokens: curl -d workspace_id=globex -d roles=admin {settings.issuer_url}/token
  {settings.emulator_url:<24} AWS (AWS_ENDPOINT_URL; access key and secret: test)

The main path, for pasting into a shell:

{steps}
"""


def relative(path: Path) -> str:
    """A path, relative to the repository if it is in it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _description(state: Path) -> Path:
    return state / "stack.json"


def _sample_report(state: Path) -> Path:
    return state / "sample-call.json"


def _indent(command: str) -> str:
    return "\n".join(f"  {line}" for line in command.splitlines())
