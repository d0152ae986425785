"""The files that the pages load, as cached bytes below an address that names their version, so browsers keep them.

The one that is no file is the font of Chinese characters (cjk_font.py).
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from services.gateway.http.cached_answer import CachedAnswer, Content, OpenAnswer
from services.pages import cjk_font

_STATIC = Path(__file__).with_name("static")
_FOREVER = b"public, max-age=31536000, immutable"
_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


def static_files(root: str) -> tuple[str, Mapping[str, OpenAnswer]]:
    """The address below which the files lie, and the answers by path."""
    files = sorted(path for path in _STATIC.rglob("*") if path.is_file())
    digest = hashlib.sha256(cjk_font.characters().encode())
    for path in files:
        digest.update(path.relative_to(_STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    address = f"{root}/{digest.hexdigest()[:12]}"
    answers: dict[str, OpenAnswer] = {
        f"{address}/{path.relative_to(_STATIC).as_posix()}": CachedAnswer(partial(_file, path)) for path in files
    }
    answers[f"{address}/{cjk_font.NAME}"] = CachedAnswer(_font)
    return address, answers


def _font() -> Content:
    return Content("font/woff", cjk_font.font(), cache_control=_FOREVER)


def _file(path: Path) -> Content:
    kind = _KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Content(kind, path.read_bytes(), cache_control=_FOREVER)
