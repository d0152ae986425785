"""A piece of a page that is rendered on the server and changes in place."""

from __future__ import annotations

from nicegui.element import Element


class Fragment(Element, component="static/fragment.js"):
    """Shows trusted HTML (whoever renders it has escaped every text in it); `show` replaces it by the next version."""

    def __init__(self, html: str = "") -> None:
        super().__init__()
        self._props["html"] = html

    def show(self, html: str) -> None:
        """Sends the fragment to the browser if it differs from what is there."""
        if self._props["html"] != html:
            self._props["html"] = html
            self.update()
