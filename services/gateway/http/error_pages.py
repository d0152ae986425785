"""A page for each problem code and each reason of the engine, as HTML and as JSON; and docs/errors.md, from the same texts."""

from __future__ import annotations

import re
import sys
from html import escape
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from matching_engine.records import Reason
from services.gateway.browser_headers import POLICY
from services.gateway.http.cached_answer import Content
from services.gateway.problem_codes import CODES
from services.gateway.problems import TYPE
from services.venue_state.reasons import REASONS

DECLINED_STATUS = 409
"""The status of a reason that is a problem's code: of a declined amend or administrative command."""

PAGE_POLICY = (POLICY, b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
"""The content security policy of a page that loads nothing and runs nothing."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.5 sans-serif;max-width:44em;margin:3em auto;padding:0 1em}}code{{background:#eee}}</style>
<h1><code>{code}</code></h1><p>HTTP status {status}, {title}.</p>{paragraphs}<p><a href="/docs">The API</a></p></html>
"""

_MARKDOWN = """\
# Problem codes

Every error of the venue is a problem document (RFC 9457). Its `type` is the address of a page about its code:
`/errors/{{code}}`, as HTML for browsers and as JSON for programs. [The API](api.md#problems) describes the document.
The JSON has `type`, `code`, `title`, `status`, `meaning`, `next_step` and `reason`; the last three are the texts below, empty
where there is none. `make records` writes this page from the texts that the venue shows.

| code | status | meaning | what to do |
|---|---|---|---|
{codes}

## Reasons as codes

Where the engine declines an amend or an administrative command, the code is the reason. An order that the engine declines is no
problem: it is an order in state `rejected` with the same `reason`. [The API](api.md#reasons) lists them in their order of
precedence.

| reason | meaning |
|---|---|
{reasons}
"""


class ErrorText(NamedTuple):
    """What a code means. A code may be a problem's, a reason's, or both."""

    status: int
    meaning: str
    """Of the problem; empty where the code is a reason only."""
    next_step: str
    reason: str
    """The reason's sentence; empty where the code is none."""


def error_texts() -> dict[str, ErrorText]:
    """The texts by code: problems first."""
    reasons = {Reason(number).name.lower(): sentence for number, sentence in REASONS.items()}
    texts = {
        code: ErrorText(known.status, known.meaning, known.next_step or "", reasons.get(code, ""))
        for code, known in CODES.items()
    }
    return texts | {
        code: ErrorText(DECLINED_STATUS, "", "", sentence) for code, sentence in reasons.items() if code not in CODES
    }


def error_pages() -> dict[str, tuple[Content, Content]]:
    """For each code its page as HTML and as JSON."""
    return {code: (_html(code, text), _json(code, text)) for code, text in error_texts().items()}


def _html(code: str, text: ErrorText) -> Content:
    meaning = f"{text.meaning[:1].upper()}{text.meaning[1:]}." if text.meaning else ""
    sentences = [meaning, text.reason and f"As a reason of the engine: {text.reason}", text.next_step]
    paragraphs = "".join(f"<p>{marked(sentence)}</p>" for sentence in sentences if sentence)
    page = _PAGE.format(code=code, status=text.status, title=HTTPStatus(text.status).phrase, paragraphs=paragraphs)
    return Content("text/html; charset=utf-8", page.encode(), PAGE_POLICY)


def marked(sentence: str) -> str:
    """A text as HTML; what stands in backticks is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(sentence))


def _json(code: str, text: ErrorText) -> Content:
    document = {"type": TYPE.format(code=code), "code": code, "title": HTTPStatus(text.status).phrase, **text._asdict()}
    return Content("application/json", msgspec.json.encode(document))


def errors_markdown() -> str:
    """docs/errors.md."""
    texts = error_texts()
    codes = [
        f"| `{code}` | {text.status} | {_cell(text.meaning)} | {_cell(text.next_step)} |"
        for code, text in texts.items()
        if text.meaning
    ]
    reasons = [f"| `{code}` | {_cell(text.reason)} |" for code, text in texts.items() if text.reason]
    return _MARKDOWN.format(codes="\n".join(codes), reasons="\n".join(reasons))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(errors_markdown())
