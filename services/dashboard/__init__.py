"""The pages: an operator's and a trader's, at /ui. They know the venue only through its public API and feeds."""

from services.dashboard.mount import Dashboard, mount_dashboard

__all__ = ["Dashboard", "mount_dashboard"]
