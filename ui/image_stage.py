"""Where a picture is seen: while it is drawn, when it is done, and beside others like it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from engine import ImageResult
from ui.preview import preview_html
from ui.progress import Moment
from ui.running import RunControls

_KEPT = gr.skip()


@dataclass(frozen=True)
class ImageStage:
    """The picture, what can be done with it, and the sheet of pictures like it."""

    preview: gr.HTML
    image: gr.Image
    sheet: gr.Gallery
    actions: gr.Row
    download: gr.DownloadButton
    more: gr.Button
    use_seed: gr.Button
    recipe: gr.Textbox
    shown: gr.State
    """The id of the job whose picture is shown."""
    on_sheet: gr.State
    """The ids of the jobs whose pictures are on the sheet, in their order."""

    def picture(self) -> list[gr.components.Component]:
        """In the order in which `picture_values` gives their values."""
        return [self.image, self.actions, self.download, self.recipe, self.shown]

    def outputs(self) -> list[gr.components.Component]:
        """In the order in which `show` gives their values, after those of `RunControls`."""
        return [self.more, self.preview, *self.picture(), self.sheet, self.on_sheet]


def build_image_stage() -> ImageStage:
    """Lay the stage out; call inside a column."""
    image = gr.Image(
        label="Picture",
        show_label=False,
        type="filepath",
        interactive=False,
        buttons=["fullscreen"],
        elem_id="image-result",
    )
    with gr.Column(elem_classes="sheet"):
        preview = gr.HTML(visible=False, elem_id="image-preview")
        sheet = gr.Gallery(
            label="More like it",
            show_label=False,
            columns=5,
            height="auto",
            object_fit="contain",
            allow_preview=False,
            fit_columns=False,
            interactive=False,
            buttons=[],
            visible=False,
            elem_id="image-sheet",
        )
    with gr.Row(visible=False) as actions:
        download = gr.DownloadButton(
            "Download", variant="primary", elem_id="image-download", min_width=200
        )
        more = gr.Button("More like this", elem_id="image-more", min_width=110)
        use_seed = gr.Button("Keep seed", elem_id="keep-seed", min_width=110)
    recipe = gr.Textbox(
        label="Recipe",
        info="Also inside the file",
        interactive=False,
        lines=2,
        max_lines=10,
        buttons=["copy"],
        visible=False,
        elem_id="image-recipe",
    )
    shown, on_sheet = gr.State(None), gr.State(())
    return ImageStage(
        preview, image, sheet, actions, download, more, use_seed, recipe, shown, on_sheet
    )


def picture_values(job_id: str, result: ImageResult) -> tuple[Any, ...]:
    """Show one picture: its file by the path, so that it stays as written."""
    path = str(result.path)
    return (
        path,
        gr.Row(visible=True),
        gr.DownloadButton(value=path),
        gr.Textbox(value=result.parameters, visible=True),
        job_id,
    )


async def show(moments: AsyncIterator[Moment]) -> AsyncIterator[tuple[Any, ...]]:
    """Turn moments into values for the outputs of the tab, each told once."""
    before = Moment("")
    async for now in moments:
        if now.running and now.preview is None and len(now.results) == len(before.results):
            now = replace(now, preview=before.preview)  # none comes between two of one picture
        begins = now.running and not before.running
        yield (
            *RunControls.show(now, begins=begins),
            gr.Button(interactive=not now.running),
            *_changes(before, now),
        )
        before = now


def _changes(before: Moment, now: Moment) -> tuple[Any, ...]:
    preview, image = _KEPT, {}
    if now.preview is not before.preview:
        beside = len(now.job_ids) > 1
        html = preview_html(now.preview, cell=len(now.results) if beside else None)
        preview = gr.HTML(html, visible=bool(html))
        image = {"visible": beside or not html}
    about: tuple[Any, ...] = (_KEPT,) * 4
    if isinstance(now.result, ImageResult) and before.result is None:
        assert now.job_id is not None
        path, *about = picture_values(now.job_id, now.result)
        image |= {"value": path}
    return preview, gr.Image(**image) if image else _KEPT, *about, *_sheet_changes(before, now)


def _sheet_changes(before: Moment, now: Moment) -> tuple[Any, ...]:
    if (now.job_ids, len(now.results)) == (before.job_ids, len(before.results)) or not now.job_ids:
        return _KEPT, _KEPT
    if len(now.job_ids) == 1:
        return gr.Gallery(value=[], visible=False), ()
    pictures = [
        (str(result.path), f"Seed {result.seed}")
        for result in now.results.values()
        if isinstance(result, ImageResult)
    ]
    return gr.Gallery(value=pictures, visible=True, selected_index=None), tuple(now.results)
