"""Deploys the built template to the emulator, with the same command that deploys it to AWS."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .emulator import NO_RETRIES, session
from .processes import Processes
from .settings import JWT_AUDIENCE, SALESFORCE_CLIENT_ID, WORKSPACE_CLAIM, Settings

STACK_NAME = "ringlog"
SAM = Path(sys.executable).with_name("sam")
# After a write without a response, a call waits this long before the write may be repeated: 600 s for Salesforce. The
# simulator finishes a request within milliseconds, or after the delay that a test has set.
SETTLE_SECONDS = "5"


@dataclass(frozen=True)
class Deployment:
    """The stack as it is deployed in the emulator."""

    parameters: dict[str, str]
    resources: dict[str, str]
    """Logical id → physical id."""
    outputs: dict[str, str]
    template: dict[str, Any]
    """After the SAM transform."""
    environment: dict[str, str]
    """The environment variables, which are the same for all functions."""


async def deploy(processes: Processes, settings: Settings, template: Path, client_secret: str) -> Deployment:
    """Runs `sam deploy`, and reads the result."""
    parameters = {
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
            *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
        ],
        settings.aws_environment,
    )
    return read(settings, parameters)


def read(settings: Settings, parameters: dict[str, str]) -> Deployment:
    """Reads the deployed stack."""
    client = session().client("cloudformation", endpoint_url=settings.emulator_url, config=NO_RETRIES)
    stack = client.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    resources = client.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    physical = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources}
    functions = session().client("lambda", endpoint_url=settings.emulator_url, config=NO_RETRIES)
    webhook = functions.get_function_configuration(FunctionName=physical["WebhookFunction"])
    return Deployment(
        parameters={**{p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])}, **parameters},
        resources=physical,
        outputs={o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        template=dict(client.get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]),
        environment=webhook["Environment"]["Variables"],
    )
