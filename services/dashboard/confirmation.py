"""Confirmation dialogs for actions that cannot be undone."""

from __future__ import annotations

from nicegui import ui


async def confirmed(question: str, action: str) -> bool:
    """Asks in a dialog. True if the button named `action` was clicked, False if the dialog ended in any other way."""
    return await _asked(question, action, None) is not None


async def reason_for(question: str, action: str) -> str | None:
    """Asks in a dialog for a reason, which must not be empty. None if the dialog ended without the button `action`."""
    return await _asked(question, action, "Reason")


async def _asked(question: str, action: str, label: str | None) -> str | None:
    with ui.dialog() as dialog, ui.element("div").classes("confirm panel").props("data-testid=confirm"):
        ui.label(question)
        reason = None if label is None else ui.input(label).props("dense outlined dark data-testid=confirm-reason")
        with ui.element("div").classes("row2"):
            no = ui.button("No, leave it", color=None, on_click=lambda: dialog.submit(None)).classes("side")
            text = (lambda: "") if reason is None else (lambda: reason.value.strip() or None)
            yes = ui.button(action, color=None, on_click=lambda: dialog.submit(text())).classes("send buy")
    for button in (no, yes):
        button.props("unelevated no-caps")
    yes.props("data-testid=confirm-yes")
    try:
        answer: str | None = await dialog
    finally:
        dialog.delete()
    return answer
