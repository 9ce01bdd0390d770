"""Everything below /v1 as an OpenAPI document (3.0.3), for programs and for those who test it: GET /v1/openapi.json."""

import re
from collections.abc import Sequence
from typing import Any

from pimains.web.routes import Described

_JSON = "application/json"
_ERROR = {_JSON: {"schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}}}
_REFUSED = {
    "400": "No such request",
    "401": "It needs a login",
    "403": "A page of another site asked",
    "409": "It cannot be done now, and why",
}
_REFUSED_TO_POST = {"408": "Too slow", "413": "Too much", "415": "No JSON"}


def document(operations: Sequence[Described], cookie: str) -> dict[str, Any]:
    """All of it; `cookie` is the name of the session's."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method] = _operation(each)
    return {
        "openapi": "3.0.3",
        "info": {"title": "pimains web", "version": "1", "description": "What the pages show and do."},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "The cookie that POST /v1/login sets"},
                "token": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "The csrf that POST /v1/login answers"},
            }
        },
    }


def _operation(each: Described) -> dict[str, Any]:
    operation = each.operation
    parameters = [
        *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in re.findall(r"{(\w+)", each.path)),
        *({"name": name, "in": "query", "schema": {"type": "string"}} for name in operation.query),
    ]
    words = {**operation.query, **operation.path}
    for parameter in parameters:
        if text := words.get(str(parameter["name"])):
            parameter["description"] = text
    refused = {
        **_REFUSED,
        **(_REFUSED_TO_POST if each.method == "post" else {}),
        "404": "No such thing",
        "429": "Too often",
        "503": "Try later",
    }
    described: dict[str, Any] = {
        "summary": operation.summary,
        "security": [{"session": [], "token": []}] if each.needs_session else [{}, {"session": []}],
        "parameters": parameters,
        "responses": {
            "200": {"description": "Here it is", "content": {operation.kind: {"schema": {}}}},
            **{status: {"description": text, "content": _ERROR} for status, text in sorted(refused.items())},
        },
    }
    if each.method == "post":
        properties = {name: {"description": text} for name, text in operation.body.items()}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    return described
