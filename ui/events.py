"""Events of the page: how ours are wired, and what scripts in the browser tell with one."""

from typing import Any

import gradio as gr

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""For all events of the page itself: nothing spins, and the API does not list them."""


def told(event: gr.EventData, name: str) -> object:
    """One value that came with an event, None if it did not; anybody may send anything there."""
    return event._data.get(name) if isinstance(event._data, dict) else None
