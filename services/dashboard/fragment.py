"""A part of a page that the server renders as HTML and replaces in place."""

from __future__ import annotations

from nicegui.element import Element


class Fragment(Element, component="static/fragment.js"):
    """Shows trusted HTML: the caller must have escaped every text in it. `show` replaces it."""

    def __init__(self, html: str = "") -> None:
        super().__init__()
        self._props["html"] = html

    def show(self, html: str) -> None:
        """Sends the HTML to the browser if it has changed."""
        if self._props["html"] != html:
            self._props["html"] = html
            self.update()
