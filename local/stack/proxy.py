"""The one plain address in front of everything: passes the API on to the emulator, and serves the dashboard's page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

# API Gateway's own limit and answer.
LIMIT_BYTES = 10 * 1024 * 1024
TOO_LARGE = '{"message":"Request Entity Too Large"}'
NO_STORE = {"Cache-Control": "no-store"}
HOP_BY_HOP = (
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
)
CLIENT: web.AppKey[aiohttp.ClientSession] = web.AppKey("client", aiohttp.ClientSession)


class Proxy:
    """Passes requests on unchanged but for `Host`, by which the emulator knows the API."""

    def __init__(self, emulator_url: str, api_id: str, page: Path, local: dict[str, object]) -> None:
        self._emulator_url = emulator_url
        self._host = f"{api_id}.execute-api.localhost"
        self._page = page
        self._local = local

    def app(self) -> web.Application:
        """`/` is the page, and `/local.json` what it must know; `/api` and `/webhook` are the deployed API."""
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
        if (request.content_length or 0) > LIMIT_BYTES:
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
        async with upstream as answer:
            response = web.StreamResponse(
                status=answer.status, reason=answer.reason, headers=_end_to_end(answer.headers)
            )
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


async def _client(app: web.Application) -> AsyncIterator[None]:
    # Cookies and encodings belong to the two ends; nothing of them is kept or changed here.
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        timeout=aiohttp.ClientTimeout(total=35),
    ) as session:
        app[CLIENT] = session
        yield


def _end_to_end(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    """All headers of a message but those of one connection."""
    kept = CIMultiDict(headers)
    for name in HOP_BY_HOP:
        kept.popall(name, None)
    return kept
