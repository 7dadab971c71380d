"""A bookmark in the visitor's browser: after a refresh or in a new tab, work is found again.

`gr.BrowserState` would be one value for all tabs of a browser, and two tabs would swap their
pictures at the next refresh; the session storage used here is each tab's own. The ids open
nothing by themselves: only the owner of a job finds it.
"""

import re
from pathlib import Path

import gradio as gr

_SCRIPT = Path(__file__).with_name("bookmark.js")
_JOB_ID = re.compile(r"[0-9a-f]{32}")
_IDS_MAX = 8


def build_bookmark(tab: str) -> gr.HTML:
    """An unseen component whose value is kept; `.found` tells it to a page that is back.

    Call it where the page is visible when it loads: what other tabs hold is made when they open.
    """
    return gr.HTML(
        "",
        html_template="",
        js_on_load=_SCRIPT.read_text(encoding="utf-8"),
        tab=tab,
        elem_classes="unseen",
        elem_id=f"{tab}-bookmark",
    )


def bookmark_value(job_ids: tuple[str, ...]) -> str:
    return " ".join(job_ids)


def bookmarked(value: object) -> tuple[str, ...]:
    """The ids in a bookmark's value; the browser may send anything."""
    return tuple(_JOB_ID.findall(value)[:_IDS_MAX]) if isinstance(value, str) else ()
