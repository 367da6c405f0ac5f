"""Starts the whole stack in order, and stops all of it."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from . import build, emulator, routes, sample, template
from .deploy import Deployment, deploy
from .function_logs import FunctionLogs
from .health import wait_until_up
from .identity import Issuer
from .processes import Processes
from .progress import step
from .proxy import Proxy
from .settings import SALESFORCE_CLIENT_ID, SAMPLE_WORKSPACE, WORKSPACE_CLAIM, Settings


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    settings: Settings
    deployment: Deployment
    api_id: str
    client_secret: str
    token: str
    """A dashboard token for an admin of the sample workspace."""


@asynccontextmanager
async def running(settings: Settings, processes: Processes) -> AsyncIterator[Stack]:
    """Starts everything, and stops it when the context exits, however that happens."""
    settings.ports.require_free()
    shutil.rmtree(settings.logs, ignore_errors=True)
    async with AsyncExitStack() as cleanup:
        cleanup.push_async_callback(processes.stop)
        source = template.load()

        async with step("building the functions and the simulator", processes.log("cargo")):
            simulator = await build.build(processes, settings, sorted(template.binaries(source).values()))

        async with step("building the dashboard's page", processes.log("npm")):
            page = await build.dashboard(processes)

        async with step("starting the emulator, the simulator and the identity provider"):
            issuer = Issuer(settings.issuer_url)
            await _serve(cleanup, issuer.app(), settings.ports.identity)
            client_secret = secrets.token_urlsafe(32)
            await processes.start("simulator", _simulator(str(simulator), settings, client_secret))
            await emulator.start(processes, settings)
            await wait_until_up("the simulator", f"{settings.simulator_url}/")

        async with step("deploying template.yaml", processes.log("deploy")):
            built = settings.state / "template.json"
            template.write_built(source, built, settings)
            deployment = await deploy(processes, settings, built, client_secret)
            api_id = await asyncio.to_thread(routes.register, settings, deployment)

        token = issuer.token(**{WORKSPACE_CLAIM: SAMPLE_WORKSPACE, "roles": "admin"})
        local = {
            "token": token,
            "simulatorUrl": settings.simulator_url,
            "sampleReport": json.loads(sample.report()),
        }
        proxy = Proxy(settings.emulator_url, api_id, page, local)
        await _serve(cleanup, proxy.app(), settings.ports.public)
        logs = asyncio.create_task(FunctionLogs(settings, deployment, source).follow())
        cleanup.callback(logs.cancel)
        yield Stack(settings, deployment, api_id, client_secret, token)


def _simulator(binary: str, settings: Settings, client_secret: str) -> list[str]:
    return [
        *(binary, "--port", str(settings.ports.simulator), "--public-url", settings.simulator_url),
        *("--client-id", SALESFORCE_CLIENT_ID, "--client-secret", client_secret),
        *("--redirect-uri", settings.callback_url),
    ]


async def _serve(cleanup: AsyncExitStack, app: web.Application, port: int) -> None:
    """Serves an application on the loopback address until the stack stops."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    cleanup.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
