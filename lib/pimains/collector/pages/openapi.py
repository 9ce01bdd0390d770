"""The collector's API as an OpenAPI document (3.0.3), for programs and for those who test it: GET /v1/openapi.json."""

from typing import Any

from pimains.collector.graphs.pictures import FORMS, NAMES, RANGES, SIZES, THEMES
from pimains.shared.plan import delivery
from pimains.shared.readings.plan.energy import KINDS

_JSON = "application/json"
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_WHOLE = {"type": "integer", "minimum": 0, "maximum": delivery.COUNT_MAX}
_NAME = {"type": "string", "minLength": 1, "maxLength": delivery.NAME_LENGTH_MAX}
_UNIT = {"type": "string", "enum": list(delivery.UNITS)}
_AMOUNTS = ("today", "yesterday", "this_month", "last_month", "this_year", "last_year", "yesterday_by_this_time")


def document() -> dict[str, Any]:
    """All of it."""
    shown: list[dict[str, list[str]]] = [{}, {"password": []}]
    return {
        "openapi": "3.0.3",
        "info": {"title": "pimains collector", "version": "1", "description": "Readings of meters in; numbers and pictures of them out."},
        "paths": {
            delivery.PATH: {"post": _readings()},
            "/": {"get": _get("The page, for people", "text/html", _TEXT, shown, _views())},
            "/v1/sources": {"get": _get("What each source shows", _JSON, {"type": "array", "items": _source()}, shown)},
            "/v1/export": {"get": _export(shown)},
            "/v1/openapi.json": {"get": _get("This document", _JSON, {"type": "object"}, shown)},
            "/graphs/{source}/{name}.{form}": {"get": _graph(shown)},
            "/get.php": {"get": _old_pis()},
            "/metrics": {"get": _get("For Prometheus: its text format 0.0.4", "text/plain", _TEXT, shown)},
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The token of the source that the readings are of"},
                "password": {"type": "http", "scheme": "basic", "description": "Any user name and PASSWORD, where there is one"},
                "login": {"type": "http", "scheme": "basic", "description": "A name and its password in POWERPI_LOGINS"},
            }
        },
    }


def _readings() -> dict[str, Any]:
    impulses = {"type": "number", "minimum": 0, "exclusiveMinimum": True}
    boot = _object(
        {
            "offset": {**_NUMBER, "nullable": True},
            "synchronised": {"type": "boolean"},
            "boot": _NAME,
            "acknowledged": _WHOLE,
            "impulses_per_unit": impulses,
        },
        (),
    )
    row = {"type": "array", "minItems": 5, "maxItems": 5, "items": {}, "description": "run, sequence, wall or null, uptime, count"}
    batch = {
        "source": _NAME,
        "unit": _UNIT,
        "impulses_per_unit": impulses,
        "face": {**_object({"count": _WHOLE, "total": _NUMBER}), "nullable": True},
        "run": _NAME,
        "host": _NAME,
        "boots": {"type": "object", "additionalProperties": boot, "description": "By the names of runs"},
        "rows": {"type": "array", "maxItems": delivery.ROWS_MAX, "items": row},
    }
    required = ("source", "unit", "impulses_per_unit", "boots", "rows")
    by_run = {"type": "object", "additionalProperties": _WHOLE}
    accepted = _object({"accepted": by_run, "known": by_run})
    refused = {"400": "No such request", "401": "No token of a source", "403": "Another source's", "408": "Too slow", "413": "Too much"}
    refused["409"] = "Another meter sends as this source, or it has counted in another unit"
    return {
        "summary": "Store readings; sent twice they are stored once",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": {_JSON: {"schema": _object(batch, required)}}},
        "responses": {
            "200": {"description": "All of it would survive a power cut", "content": {_JSON: {"schema": accepted}}},
            **_refusals({**refused, "503": "Try later"}),
        },
    }


def _old_pis() -> dict[str, Any]:
    asked = [_query("val", _TEXT, "<seconds since 1970>;<watts>")]
    refused = {"400": "No time and watts", "404": "There is no COMPAT=powerpi", "503": "Try later"}
    return _get("What POWERPI's power.py sends", "text/plain", _TEXT, [{"login": []}], asked, refused)


def _export(shown: list[dict[str, list[str]]]) -> dict[str, Any]:
    when = "A date, a date and time, or seconds since 1970"
    asked = [
        _query("source", _TEXT, required=True),
        _query("from", _TEXT, when),
        _query("to", _TEXT, when),
        _query(
            "every",
            {"oneOf": [{"type": "number"}, _one_of(KINDS)]},
            "Seconds, at least 1: the count then; of a value, its average until the next row (86400 at most). 0: each reading as it is."
            " Or each local day, month or year: the amount, and what it cost, where it has a price; of a value its average of a day",
        ),
        _query("format", {"type": "string", "enum": ["csv", "json"]}),
    ]
    said = _get("Readings", "text/csv", _TEXT, shown, asked, {"400": "No such range", "404": "No such source"})
    said["responses"]["200"]["content"][_JSON] = {"schema": {"type": "object"}}
    return said


def _graph(shown: list[dict[str, list[str]]]) -> dict[str, Any]:
    asked = [
        *({"name": "source", "in": "path", "required": True, "schema": _TEXT},),
        *({"name": name, "in": "path", "required": True, "schema": _one_of(words)} for name, words in (("name", NAMES), ("form", FORMS))),
        *(_query("theme", _one_of(THEMES)), _query("size", _one_of(SIZES))),
    ]
    said = _get("A picture", "image/svg+xml", _TEXT, shown, asked, {"404": "No such picture", "503": "Cannot be drawn now"})
    said["responses"]["200"]["content"]["image/png"] = {"schema": {"type": "string", "format": "binary"}}
    said["responses"]["304"] = {"description": "It is the one that If-None-Match names"}
    return said


def _views() -> list[dict[str, Any]]:
    return [_query("range", _one_of(RANGES)), _query("in", _one_of(["cost"])), _query("table", _one_of(["1"]))]


def _source() -> dict[str, Any]:
    """Of a value that is recorded the unit is any text and nothing adds up; what is derived has no total; without a price, no cost."""
    flow = _object({"value": _NUMBER, "unit": _TEXT, "is_upper_bound": {"type": "boolean"}})
    return _object(
        {
            "source": _NAME,
            "unit": _TEXT,
            "impulses_per_unit": _NUMBER,
            "last_reading": _NUMBER,
            "total": {**_NUMBER, "nullable": True},
            "counted": {**_NUMBER, "nullable": True},
            "counts_anew_since": {**_NUMBER, "nullable": True},
            "parts": {"type": "array", "items": _object({"source": _NAME, "sign": {"type": "integer"}})},
            "flow": {**flow, "nullable": True},
            "amounts": _object({name: {**_NUMBER, "nullable": True} for name in _AMOUNTS}, ()),
            "currency": {**_TEXT, "nullable": True},
            "price": {**_NUMBER, "nullable": True},
            "costs": _object(dict.fromkeys(_AMOUNTS, _object({"total": _NUMBER, "standing_charge": _NUMBER})), ()),
            "amounts_kWh": _object(dict.fromkeys(_AMOUNTS, _NUMBER), ()),
        }
    )


def _get(
    summary: str,
    kind: str,
    schema: dict[str, Any],
    security: list[dict[str, list[str]]],
    parameters: list[dict[str, Any]] | None = None,
    refused: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "summary": summary,
        "security": security,
        "parameters": parameters or [],
        "responses": {
            "200": {"description": "Here it is", "content": {kind: {"schema": schema}}},
            **_refusals({"401": "It needs the password", "429": "Too many wrong passwords", **(refused or {})}),
        },
    }


def _refusals(words: dict[str, str]) -> dict[str, Any]:
    error = {_JSON: {"schema": _object({"error": _TEXT})}}
    return {status: {"description": text, "content": error} for status, text in words.items()}


def _query(name: str, schema: dict[str, Any], description: str = "", *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema, **({"description": description} if description else {})}


def _one_of(words: Any) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


def _object(properties: dict[str, Any], required: tuple[str, ...] | None = None) -> dict[str, Any]:
    wanted = list(properties) if required is None else list(required)
    return {"type": "object", "properties": properties, **({"required": wanted} if wanted else {})}
