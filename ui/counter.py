"""How long a text is, under its field: words, and tokens with the text encoder's window."""

from functools import partial
from html import escape

import gradio as gr

from engine import Engine
from engine.prompts import PromptLength
from ui.events import QUIET

HERO_TIP = "15–30 words work best"
_LONG = (
    "More than the {window} that the model reads at once. Nothing is cut: it is read in several "
    "pieces, one after the other."
)
_CUT = "More than the {window} that the model reads: what stands beyond them is not drawn."


def add_counter(engine: Engine, field: gr.Textbox) -> None:
    """Lay a counter out that follows `field`; call where it shall stand."""
    count = gr.HTML(counter_html("", None), elem_id=f"{field.elem_id}-count")
    field.change(
        partial(_count, engine),
        inputs=field,
        outputs=count,
        trigger_mode="always_last",
        queue=False,
        **QUIET,
    )


def counter_html(text: str, length: PromptLength | None, *, tip: str = "") -> str:
    """Say how long a text is, and what it means that it is longer than the window.

    Args:
        length: its tokens; None while there is no model to count them.
        tip: shown after the count, such as `HERO_TIP`.
    """
    words = len(text.split())
    parts = [f"{words} word" if words == 1 else f"{words} words"]
    too_long = length is not None and length.tokens > length.window
    if length is not None and words:
        window = "" if too_long else f" of {length.window}"
        parts.append(f"{length.tokens}{window} tokens")
    if tip:
        parts.append(tip)
    html = f"<span>{escape(' · '.join(parts))}</span>"
    if length is not None and too_long:
        told = (_CUT if length.cuts else _LONG).format(window=length.window)
        html += f'<p role="status">{told}</p>'
    return f'<div class="count">{html}</div>'


def _count(engine: Engine, text: str | None) -> str:
    return counter_html(text or "", engine.prompt_length(text or ""))
