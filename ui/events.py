"""What scripts of ours in the browser tell with an event; anybody may send anything there."""

import gradio as gr


def told(event: gr.EventData, name: str) -> object:
    """One value that came with an event; None if it did not."""
    return event._data.get(name) if isinstance(event._data, dict) else None
