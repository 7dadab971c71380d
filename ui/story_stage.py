"""Where a finished story video stands, with its poster."""

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from engine import VideoResult


@dataclass(frozen=True)
class StoryStage:
    """The video and what can be done with it."""

    video: gr.Video
    facts: gr.HTML
    actions: gr.Row
    download: gr.DownloadButton
    poster: gr.DownloadButton

    def outputs(self) -> list[gr.components.Component]:
        """In the order in which `show_story` gives their values."""
        return [self.video, self.facts, self.actions, self.download, self.poster]


def build_story_stage() -> StoryStage:
    """Lay the stage out; call inside a column."""
    video = gr.Video(
        label="Story video",
        show_label=False,
        interactive=False,
        buttons=[],
        autoplay=True,
        elem_id="story-result",
    )
    facts = gr.HTML(elem_id="story-facts")
    with gr.Row(visible=False) as actions:
        download = gr.DownloadButton("Download", elem_id="story-download", min_width=120)
        poster = gr.DownloadButton("Poster", elem_id="story-poster", min_width=120)
    return StoryStage(video, facts, actions, download, poster)


def show_story(result: VideoResult) -> tuple[Any, ...]:
    """Values for the stage's outputs: files by their paths, so that they stay as written."""
    path, poster = str(result.path), str(result.poster)
    return (
        path,
        story_facts_html(result),
        gr.Row(visible=True),
        gr.DownloadButton(value=path),
        gr.DownloadButton(value=poster),
    )


def story_facts_html(result: VideoResult) -> str:
    """What the video is, with the seed that makes it again."""
    words = (
        f"{result.scenes} scenes · {result.total_frames} frames · {result.duration_s:.4g} s at "
        f"{result.fps} fps · seed {result.seed} · guidance {result.guidance_scale:g}"
    )
    return f'<div class="note quiet">{escape(words)}</div>'
