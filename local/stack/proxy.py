"""A single address for everything: forwards API requests to the emulator, and serves the dashboard's page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

# API Gateway's limit and its response.
MAX_BYTES = 10 * 1024 * 1024
TOO_LARGE = '{"message":"Request Entity Too Large"}'
NO_STORE = {"Cache-Control": "no-store"}
HOP_BY_HOP = (
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
)
CLIENT: web.AppKey[aiohttp.ClientSession] = web.AppKey("client", aiohttp.ClientSession)


class Proxy:
    """Forwards requests unchanged except for `Host`, by which the emulator identifies the API."""

    def __init__(self, emulator_url: str, api_id: str, page: Path, local: dict[str, object]) -> None:
        self._emulator_url = emulator_url
        self._host = f"{api_id}.execute-api.localhost"
        self._page = page
        self._local = local

    def app(self) -> web.Application:
        """`/` is the page, `/local.json` its configuration; `/api` and `/webhook` are the deployed API."""
        app = web.Application()
        app.router.add_get("/", self._show_page)
        app.router.add_get("/local.json", self._show_local)
        app.router.add_static("/assets", self._page / "assets")
        app.router.add_route("*", "/api/{rest:.*}", self._forward)
        app.router.add_route("*", "/webhook/{rest:.*}", self._forward)
        app.cleanup_ctx.append(_client)
        return app

    async def _show_page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(self._page / "index.html", headers=NO_STORE)

    async def _show_local(self, _: web.Request) -> web.Response:
        return web.json_response(self._local, headers=NO_STORE)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if (request.content_length or 0) > MAX_BYTES:
            return web.Response(status=413, text=TOO_LARGE, content_type="application/json")
        headers = _end_to_end(request.headers)
        headers["Host"] = self._host
        upstream = request.app[CLIENT].request(
            request.method,
            URL(self._emulator_url + request.raw_path, encoded=True),
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        )
        async with upstream as received:
            response = web.StreamResponse(
                status=received.status, reason=received.reason, headers=_end_to_end(received.headers)
            )
            await response.prepare(request)
            async for chunk in received.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


async def _client(app: web.Application) -> AsyncIterator[None]:
    # Cookies and encodings are the business of client and API; the proxy neither keeps nor changes them.
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        timeout=aiohttp.ClientTimeout(total=35),
    ) as session:
        app[CLIENT] = session
        yield


def _end_to_end(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    """The headers without those that apply to a single connection."""
    kept = CIMultiDict(headers)
    for name in HOP_BY_HOP:
        kept.popall(name, None)
    return kept
