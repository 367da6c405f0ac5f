"""A small identity provider: signs dashboard tokens for any workspace, and publishes the key that verifies them."""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from .settings import JWT_AUDIENCE, WORKSPACE_CLAIM

LIFETIME_SECONDS = 12 * 3600


class Issuer:
    """Issues RS256 tokens with a key that lasts for this run."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._key_id = uuid.uuid4().hex

    def token(self, **claims: Any) -> str:
        """A signed token with the default claims, overridden by these."""
        now = int(time.time())
        defaults = {
            "iss": self._url,
            "aud": JWT_AUDIENCE,
            "sub": "local-user",
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        return jwt.encode({**defaults, **claims}, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def app(self) -> web.Application:
        """Its endpoints."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/.well-known/jwks.json", self._keys)
        app.router.add_post("/token", self._token)
        return app

    async def _configuration(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self._url,
                "jwks_uri": f"{self._url}/.well-known/jwks.json",
                "token_endpoint": f"{self._url}/token",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return web.json_response({"keys": [{**public, "kid": self._key_id, "alg": "RS256", "use": "sig"}]})

    async def _token(self, request: web.Request) -> web.Response:
        """Turns every form field into a claim: `curl -d workspace_id=acme -d roles=admin …/token`."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        claims: dict[str, Any] = {**form, **{name: int(form[name]) for name in ("exp", "nbf", "iat") if name in form}}
        claims.setdefault(WORKSPACE_CLAIM, "")
        return web.json_response(
            {"access_token": self.token(**claims), "token_type": "Bearer", "expires_in": LIFETIME_SECONDS}
        )
