"""The query parameters of a list in pages, the same for every route: `limit` and `cursor`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import WithJsonSchema

from services.values.cursors import PATTERN

Limit = Annotated[int, Query(ge=1, le=500, description="Page size.")]
_CursorText = Annotated[str, WithJsonSchema({"type": "string", "pattern": PATTERN})]
Cursor = Annotated[_CursorText | None, Query(description="`next_cursor` of the previous page. Absent: the first page.")]
