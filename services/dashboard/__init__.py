"""The pages at /ui: operator page, control page and trader page. They use only the venue's public API and its WebSocket."""

from services.dashboard.mount import Dashboard, mount_dashboard

__all__ = ["Dashboard", "mount_dashboard"]
