"""Drop a picture on the form, and the form says what it was made with.

The browser sends the texts inside the file and keeps the pixels, so the page needs no upload:
that door stays closed, nothing is written to the disk, and nobody's picture leaves their machine.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from engine import Engine, ImageRequest
from engine.parameters import FoundSettings, read_settings
from ui.events import QUIET, told
from ui.messages import LABELS, explain_invalid
from ui.progress import error_html, note_html

_SCRIPT = Path(__file__).with_name("picture_drop.js")
_ZONE = """<label class="drop"><input type="file" accept="image/png,image/webp,image/jpeg">
<span>Drop a picture to load its settings, or <u>choose a file</u></span></label>"""
_NAME_MAX = 60


def add_picture_drop(
    engine: Engine,
    fields: list[gr.components.Component],
    values: Callable[[ImageRequest], tuple[Any, ...]],
) -> None:
    """Lay the drop zone out and wire it; call inside the form's card, all of which takes files.

    Args:
        fields: what is filled in.
        values: turns a request into values for `fields`.
    """
    zone = gr.HTML(
        "",
        html_template=_ZONE,
        js_on_load=_SCRIPT.read_text(encoding="utf-8"),
        elem_id="image-drop",
    )
    said = gr.HTML(elem_id="image-dropped")

    def load(event: gr.EventData) -> tuple[Any, ...]:
        found = read_dropped(told(event, "data"))
        name = str(told(event, "name"))[:_NAME_MAX]
        if found is None:
            return (*(gr.skip() for _ in fields), _nothing_html(name))
        return (*values(found.request), found_html(found, name, _drawing_now(engine)))

    zone.dropped(
        load,
        outputs=[*fields, said],
        queue=False,
        **QUIET,
    )


def read_dropped(data: object) -> FoundSettings | None:
    """Read what the browser sent of a picture, in base64; None if there is nothing to read."""
    try:
        return read_settings(b64decode(data)) if isinstance(data, str) else None
    except (NotBase64, ValueError):
        return None


def _drawing_now(engine: Engine) -> str:
    facts = engine.status().facts
    return facts.name if facts else ""


def _nothing_html(name: str) -> str:
    return error_html(
        f"{name} does not say how it was made.",
        "Drop a picture from Storyreel, or one whose PNG, WebP or JPEG file still has the "
        "settings inside; many websites remove them.",
    )


def found_html(found: FoundSettings, name: str, drawing_now: str) -> str:
    """Tell what was loaded, what was not, and why the next picture may be another one."""
    notes = []
    if found.refused is not None:
        notes.append(f"Left out: {' '.join(explain_invalid(found.refused, labels=LABELS))}")
    if found.unused:
        notes.append(f"Not used here: {', '.join(found.unused)}.")
    if found.request.seed is None:
        notes.append("It tells no seed, so Generate draws another picture.")
    if found.model and drawing_now and found.model != drawing_now:
        notes.append(f"It was drawn by {found.model}; {drawing_now} will draw another picture.")
    if not notes:
        return note_html(f"Loaded from {name}.", "Generate draws this picture again.")
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<div class="note" role="status"><strong>Loaded from {escape(name)}.</strong>'
        f"<ul>{items}</ul></div>"
    )
