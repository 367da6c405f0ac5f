"""Registers the HTTP API's routes, authorizer and CORS, because the emulator ignores the OpenAPI body that has them."""

from __future__ import annotations

import re
from typing import Any

from .deploy import Deployment
from .emulator import NO_RETRIES, session
from .settings import Settings, StackError

FUNCTION = re.compile(r"functions/\$\{(\w+)\.Arn\}/invocations")


def register(settings: Settings, deployment: Deployment) -> str:
    """Configures the API in the emulator as the transformed template says. Returns its id."""
    name, api = _only(deployment, "AWS::ApiGatewayV2::Api")
    body = _resolve(api["Properties"]["Body"], deployment)
    api_id = deployment.resources[name]
    client = session().client("apigatewayv2", endpoint_url=settings.emulator_url, config=NO_RETRIES)

    authorizers = {
        name: client.create_authorizer(ApiId=api_id, Name=name, AuthorizerType="JWT", **_authorizer(scheme))[
            "AuthorizerId"
        ]
        for name, scheme in body["components"]["securitySchemes"].items()
    }
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            integration = operation["x-amazon-apigateway-integration"]
            integration_id = client.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=_function(integration["uri"], deployment),
                PayloadFormatVersion=integration["payloadFormatVersion"],
            )["IntegrationId"]
            # The scheme of an open route is called `NONE` and is not defined.
            names = [name for scheme in operation["security"] for name in scheme if name in authorizers]
            client.create_route(
                ApiId=api_id,
                RouteKey=f"{method.upper()} {path}",
                Target=f"integrations/{integration_id}",
                AuthorizationType="JWT" if names else "NONE",
                AuthorizerId=authorizers[names[0]] if names else "",
            )
    client.update_api(ApiId=api_id, CorsConfiguration=_capitalised(body["x-amazon-apigateway-cors"]))
    return api_id


def _authorizer(scheme: dict[str, Any]) -> Any:
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    return {
        "IdentitySource": [authorizer["identitySource"]],
        "JwtConfiguration": _capitalised(authorizer["jwtConfiguration"]),
    }


def _function(uri: str, deployment: Deployment) -> str:
    found = FUNCTION.search(uri)
    if found is None:
        raise StackError(f"an integration does not invoke a function: {uri}")
    return deployment.resources[found[1]]


def _capitalised(document: dict[str, Any]) -> Any:
    """Capitalises the keys: `allowOrigins` in OpenAPI is `AllowOrigins` in API Gateway's API."""
    return {name[0].upper() + name[1:]: value for name, value in document.items()}


def _only(deployment: Deployment, kind: str) -> tuple[str, dict[str, Any]]:
    found = [(name, one) for name, one in deployment.template["Resources"].items() if one["Type"] == kind]
    if len(found) != 1:
        raise StackError(f"the template has {len(found)} resources of type {kind}; the local stack expects one")
    return found[0]


def _resolve(value: Any, deployment: Deployment) -> Any:
    """Resolves references to parameters, and replaces each `Fn::Sub` by its text."""
    match value:
        case {"Ref": str(name)}:
            return deployment.parameters.get(name, name)
        case {"Fn::Sub": text}:
            return text
        case dict():
            return {name: _resolve(one, deployment) for name, one in value.items()}
        case list():
            return [_resolve(one, deployment) for one in value]
    return value
