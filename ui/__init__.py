"""The page: Gradio Blocks over the engine. It builds requests, shows results, decides nothing."""

from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from engine import Engine
from ui.bookmark import build_bookmark
from ui.endpoints import add_endpoints
from ui.events import QUIET
from ui.gallery_tab import build_gallery_tab
from ui.header import masthead_html, notices_html
from ui.image_tab import build_image_tab
from ui.info_tab import build_info_tab, engine_facts_html
from ui.story_tab import build_story_tab, reopen_story, restore_story
from ui.theme import HEAD, build_theme

PATH = "/ui"
_LOOK_EVERY_S = 3.0
_HOUR_S = 3600


def build_ui(engine: Engine) -> gr.Blocks:
    """Build the page and the endpoints for `gradio_client`."""
    with gr.Blocks(
        title="Storyreel",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(_HOUR_S, 24 * _HOUR_S),
    ) as blocks:
        masthead = gr.HTML(elem_id="masthead")
        notices = gr.HTML(visible=False, elem_id="notices")
        draft = build_bookmark("story")
        with gr.Tabs() as tabs:
            with gr.Tab("Image", id="image"):
                image = build_image_tab(engine)
            with gr.Tab("Video story", id="story"):
                story = build_story_tab(engine, draft)
            with gr.Tab("Gallery", id="gallery") as gallery:
                again = build_gallery_tab(engine, gallery, tabs, image)
            with gr.Tab("Info", id="info") as info:
                facts = build_info_tab(engine, info, story.plan, image)
        restore_story(story)
        reopen_story(story, again)
        clock = gr.Timer(_LOOK_EVERY_S)
        gr.on(
            [blocks.load, clock.tick],
            partial(_look, engine, bool(engine.settings.keys())),
            outputs=[masthead, notices, facts],
            queue=False,
            **QUIET,
        )
        add_endpoints(engine)
    return blocks.queue(default_concurrency_limit=None)


def mount_ui(app: FastAPI, engine: Engine) -> FastAPI:
    """Mount the page at /ui; returns `app`.

    Files of jobs are handed out from where they are: a copy in Gradio's cache would outlive the
    job, and the door of the page, which knows whose job it is, would not know the copy.
    """
    jobs = engine.settings.data_dir.resolve() / "jobs"
    gr.set_static_paths([jobs])
    return gr.mount_gradio_app(
        app,
        build_ui(engine),
        PATH,
        allowed_paths=[str(jobs)],
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        run_history=False,
        footer_links=["api", "settings"],
        theme=build_theme(),
        css_paths=sorted(Path(__file__).parent.glob("*.css")),
        head=HEAD,
    )


def _look(engine: Engine, locked: bool) -> tuple[Any, ...]:
    status = engine.status()
    notices = notices_html(engine, status)
    return (
        masthead_html(status, locked=locked),
        gr.HTML(notices, visible=bool(notices)),
        engine_facts_html(engine),
    )
