"""Deploys the built template to the emulator, with the very command that deploys it to AWS."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .emulator import QUICK, session
from .processes import Processes
from .settings import JWT_AUDIENCE, SALESFORCE_CLIENT_ID, WORKSPACE_CLAIM, Settings

STACK_NAME = "ringlog"
SAM = Path(sys.executable).with_name("sam")
# The simulator is done with a request within milliseconds, or after the delay that a test asks for. Salesforce takes up
# to 600 s, and a call whose write was not answered waits so long.
SETTLE_SECONDS = "5"


@dataclass(frozen=True)
class Deployment:
    """What stands in the emulator now."""

    parameters: dict[str, str]
    resources: dict[str, str]
    """Logical id → physical id."""
    outputs: dict[str, str]
    template: dict[str, Any]
    """As the SAM transform left it."""
    environment: dict[str, str]
    """The variables of the functions; they share them."""


async def deploy(processes: Processes, settings: Settings, template: Path, client_secret: str) -> Deployment:
    """Runs `sam deploy`, and reads what it made."""
    chosen = {
        "SalesforceClientId": SALESFORCE_CLIENT_ID,
        "SalesforceClientSecret": client_secret,
        "SalesforceLoginUrl": settings.simulator_url,
        "SalesforceSettleSeconds": SETTLE_SECONDS,
        "DashboardUrl": settings.public_url,
        "PublicBaseUrl": settings.public_url,
        "JwtIssuer": settings.issuer_url,
        "JwtAudience": JWT_AUDIENCE,
        "WorkspaceClaim": WORKSPACE_CLAIM,
        "AdminClaim": "roles",
        "AdminValue": "admin",
        "Architecture": "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64",
    }
    await processes.run(
        "deploy",
        [
            *(str(SAM), "deploy", "--template-file", str(template), "--stack-name", STACK_NAME),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in chosen.items())),
        ],
        settings.aws_environment,
    )
    return read(settings, chosen)


def read(settings: Settings, chosen: dict[str, str]) -> Deployment:
    """What the stack consists of."""
    client = session().client("cloudformation", endpoint_url=settings.emulator_url, config=QUICK)
    stack = client.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    resources = client.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    physical = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources}
    functions = session().client("lambda", endpoint_url=settings.emulator_url, config=QUICK)
    webhook = functions.get_function_configuration(FunctionName=physical["WebhookFunction"])
    return Deployment(
        parameters={**{p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])}, **chosen},
        resources=physical,
        outputs={o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        template=dict(client.get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]),
        environment=webhook["Environment"]["Variables"],
    )
