"""/asyncapi.json, and /docs/websocket: the same as a page, which loads nothing. Cached bytes, as all of the documentation."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi import FastAPI

from services.gateway.http.cached_answer import CachedAnswer, Content, OpenAnswer
from services.gateway.http.documentation import PAGE_POLICY, json_content, marked, refuse_others
from services.gateway.http.openapi import SCOPES
from services.gateway.websocket.asyncapi import Json, asyncapi_document

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.5 sans-serif;max-width:60em;margin:3em auto;padding:0 1em}}code,pre{{background:#eee}}
pre{{padding:.6em;overflow:auto}}table{{border-collapse:collapse}}
td,th{{border:1px solid #ccc;padding:.2em .6em;text-align:left}}nav a{{margin-right:.8em}}</style>
<h1>{title}</h1>{description}
<p>The same for programs: <a href="/asyncapi.json">/asyncapi.json</a>. The REST API: <a href="/docs">/docs</a>.</p>
<h2>Requests</h2><nav>{requests_links}</nav>{requests}
<h3 id="error">Every error</h3>{error}
<h2>Pushes</h2><nav>{pushes_links}</nav>{pushes}
<h2>Models</h2>{models}</html>
"""


def websocket_documentation(app: FastAPI) -> dict[str, OpenAnswer]:
    """The answers by path. Adds routes for their paths, see `refuse_others`."""
    pages: dict[str, OpenAnswer] = {
        "/asyncapi.json": CachedAnswer(lambda: json_content(asyncapi_document())),
        "/docs/websocket": CachedAnswer(_page),
    }
    refuse_others(app, *pages)
    return pages


def _page() -> Content:
    document = asyncapi_document()
    operations, info = document["operations"], document["info"]
    asked = {name: one for name, one in operations.items() if one["action"] == "receive"}
    pushed = {name: one for name, one in operations.items() if one["action"] == "send"}
    page = _PAGE.format(
        title=escape(info["title"]),
        description="".join(f"<p>{marked(part)}</p>" for part in info["description"].split("\n\n")),
        requests_links=_links(asked),
        requests="".join(_operation(document, name, one) for name, one in asked.items()),
        error=_part(document["components"]["messages"]["error"]),
        pushes_links=_links(pushed),
        pushes="".join(_operation(document, name, one) for name, one in pushed.items()),
        models="".join(_model(name, schema) for name, schema in document["components"]["schemas"].items()),
    )
    return Content("text/html; charset=utf-8", page.encode(), PAGE_POLICY)


def _links(names: dict[str, Json]) -> str:
    return "".join(f'<a href="#{name}"><code>{name}</code></a> ' for name in names)


def _operation(document: Json, name: str, operation: Json) -> str:
    needs = (
        f" Scope: {' or '.join(f'<code>{scope}</code>' for scope in operation[SCOPES])}." if SCOPES in operation else ""
    )
    replies = operation.get("reply", {}).get("messages", [])
    messages = [_named(document, one) for one in (*operation["messages"], *replies)]
    parts = "".join(_part(message) for message in messages[: 2 if replies else 1])
    types = [message["payload"]["properties"]["type"]["const"] for message in messages if not replies]
    said = f" Types: {', '.join(f'<code>{kind}</code>' for kind in types)}." if types else ""
    return f'<h3 id="{name}"><code>{name}</code></h3><p>{escape(operation["summary"])}.{needs}{said}</p>{parts}'


def _named(document: Json, reference: Json) -> Json:
    message: Json = document["components"]["messages"][reference["$ref"].rpartition("/")[2]]
    return message


def _part(message: Json) -> str:
    """What differs from message to message, and an example."""
    properties = message["payload"]["properties"]
    (part,) = (field for field in ("params", "result", "error", "data") if field in properties)
    example = json.dumps(message["examples"][0]["payload"], ensure_ascii=False, indent=1)
    return f"<p><code>{part}</code>: {_type(properties[part])}</p><pre>{escape(example)}</pre>"


def _model(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{field}</code></td><td>{_type(said)}</td><td>{'' if field in required else 'optional'}</td>"
        f"<td>{marked(said.get('description', ''))}</td></tr>"
        for field, said in schema.get("properties", {}).items()
    )
    table = f"<table>{rows}</table>" if rows else ""
    return f'<h3 id="model-{name}"><code>{name}</code></h3><p>{marked(schema.get("description", ""))}</p>{table}'


def _type(schema: dict[str, Any]) -> str:
    """The type of a field in a few words; models are links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#model-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " ".join(f"<code>{escape(json.dumps(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("type", "any")))
