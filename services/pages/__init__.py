"""The pages: HTML from templates, and ES modules that use the venue's public REST and WebSocket API like any other client.

The HTML is the same for everybody: who looks at it, and what that person may see, the scripts ask the API.
"""

from services.pages.mount import Pages, mount_pages

__all__ = ["Pages", "mount_pages"]
