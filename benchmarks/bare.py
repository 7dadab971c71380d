"""A bare Gradio page with the components of ours: what Gradio itself costs, and what it lacks.

Its theme, its CSS and its events are Gradio's defaults, and every component has a label. Scenes,
which our page draws once it stands, are not in it.
"""

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block, BlockContext
from gradio.components.api_component import Api
from gradio.layouts import Form

_KEPT = {
    *("choices", "columns", "equal_height", "id", "interactive", "label", "language", "lines"),
    *("maximum", "min_width", "minimum", "open", "scale", "size", "step", "value", "variant"),
    "visible",
}
_LABELLED_BY_VALUE = (gr.Button,)
_WITH_VALUES_OF_OURS = (gr.HTML, gr.State, gr.Markdown)


def bare_page(page: gr.Blocks, media: Mapping[type[Block], Any] | None = None) -> gr.Blocks:
    """Build a bare page with the components of `page`.

    Args:
        media: values by kind of component. Such components stand there twice, empty and filled,
            and nothing is hidden.
    """
    with gr.Blocks(title="Bare", analytics_enabled=False, fill_width=True) as bare:
        for block in page.children:
            _copy(block, media or {})
    return bare


def _copy(block: Block, media: Mapping[type[Block], Any]) -> None:
    given = _given(block)
    if media:
        given.pop("visible", None)
    if isinstance(block, Form):  # Gradio puts fields that stand together into one by itself
        _copy_all(block, media)
    elif isinstance(block, BlockContext):
        with type(block)(**given):
            _copy_all(block, media)
    elif not isinstance(block, Api):  # what only scripts see
        type(block)(**given)
        if type(block) in media:
            type(block)(**{**given, "value": media[type(block)]})


def _copy_all(parent: BlockContext, media: Mapping[type[Block], Any]) -> None:
    for child in parent.children:
        _copy(child, media)


def _given(block: Block) -> dict[str, Any]:
    """What the block was made with, of that which a bare page would say too."""
    given = {name: value for name, value in block.constructor_args.items() if name in _KEPT}
    if isinstance(block, _WITH_VALUES_OF_OURS):
        return {"value": "Some text"}
    if isinstance(block, _LABELLED_BY_VALUE):
        given["value"] = given.get("value") or "A button"
    elif not isinstance(block, BlockContext | gr.Timer):
        given["label"] = given.get("label") or "A label"
    return given


def serve_bare() -> None:
    """Serve the bare page by uvicorn, set up as app.py sets it up."""
    import argparse
    from pathlib import Path

    import uvicorn
    from fastapi import FastAPI

    from engine import Engine, Settings
    from ui import build_ui

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--data-dir", type=Path)
    told = parser.parse_args()
    # The page is only read; a model that is not there costs nothing while it is served.
    engine = Engine(Settings(model=str(told.data_dir / "none"), data_dir=told.data_dir))
    bare = bare_page(build_ui(engine))
    engine.close()
    app = gr.mount_gradio_app(FastAPI(), bare, "/ui", ssr_mode=False)
    uvicorn.run(app, port=told.port, log_config=None, access_log=False)


if __name__ == "__main__":
    serve_bare()
