"""The tab that turns one prompt into one picture, and one picture into more like it."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine, EngineError, ImageRequest, ImageResult, Job
from engine.errors import JobNotFound
from ui import image_stage
from ui.bookmark import build_bookmark
from ui.events import QUIET, told
from ui.image_form import ImageForm, build_image_form, image_request, read_form
from ui.image_stage import ImageStage, build_image_stage, picture_values
from ui.messages import explain_error
from ui.progress import Moment, error_html, follow, make
from ui.running import RunControls, build_run, offer_cancel, offer_return
from ui.visitors import find_job, submit, visitors_job

_MORE = 4
_PRESS_GENERATE = "() => document.querySelector('#image-generate').click()"


def build_image_tab(engine: Engine) -> ImageForm:
    """Lay the tab out and wire it; call inside a tab."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_classes="card"):
            form = build_image_form(engine)
            run = build_run("image", "Generate picture")
        with gr.Column(scale=6, min_width=320, elem_classes=["card", "stage"]):
            stage = build_image_stage()
    _keep_form(form)
    _wire_work(engine, form, run, stage)
    _wire_stage(engine, form, stage)
    return form


def _keep_form(form: ImageForm) -> None:
    """Have what is written outlive a refresh; the browser keeps it by itself."""
    fields, kept = form.inputs(), build_bookmark("image-form")
    gr.on(
        [field.change for field in fields],  # type: ignore[attr-defined]
        None,
        inputs=fields,
        outputs=kept,
        js="(...values) => JSON.stringify(values)",
        **QUIET,
    )

    def restore(event: gr.EventData) -> tuple[Any, ...]:
        return read_form(told(event, "kept"), len(fields)) or (gr.skip(),) * len(fields)

    kept.found(restore, outputs=fields, queue=False, **QUIET)


def _wire_work(engine: Engine, form: ImageForm, run: RunControls, stage: ImageStage) -> None:
    outputs = [*run.outputs(), *stage.outputs()]
    # A disabled button takes no press, so that one tab never follows two things at once.
    form.prompt.submit(None, js=_PRESS_GENERATE, **QUIET)
    draw = run.generate.click(
        partial(_draw, engine),
        inputs=form.inputs(),
        outputs=outputs,
        concurrency_limit=None,
        **QUIET,
    )
    more = stage.more.click(
        partial(_draw_more, engine),
        inputs=stage.shown,
        outputs=outputs,
        concurrency_limit=None,
        **QUIET,
    )
    back = offer_return(engine, run, ImageRequest, partial(_go_on, engine), outputs)
    offer_cancel(engine, run, draw, more, back, others=(stage.more,))


def _wire_stage(engine: Engine, form: ImageForm, stage: ImageStage) -> None:
    async def choose(on_sheet: tuple[str, ...], event: gr.SelectData) -> tuple[Any, ...]:
        return await _choose(engine, on_sheet, event.index)

    # Queued, though nothing waits: of files that other events give, the page forgets its own path.
    stage.sheet.select(
        choose,
        inputs=stage.on_sheet,
        outputs=stage.picture(),
        concurrency_limit=None,
        **QUIET,
    )
    stage.use_seed.click(
        partial(_seed, engine),
        inputs=stage.shown,
        outputs=form.drawing.seed,
        queue=False,
        **QUIET,
    )


async def _draw(engine: Engine, *values: Any) -> AsyncIterator[tuple[Any, ...]]:
    moments = make(engine, partial(image_request, *values), "That cannot be drawn yet.")
    async for shown in image_stage.show(moments):
        yield shown


async def _draw_more(engine: Engine, job_id: str | None) -> AsyncIterator[tuple[Any, ...]]:
    async for shown in image_stage.show(follow_more(engine, job_id)):
        yield shown


async def _go_on(engine: Engine, jobs: list[Job]) -> AsyncIterator[tuple[Any, ...]]:
    async for shown in image_stage.show(follow(engine, jobs)):
        yield shown


async def follow_more(engine: Engine, job_id: str | None) -> AsyncIterator[Moment]:
    """Draw the picture of a job again with other seeds, and follow all of them.

    What the queue does not take is told; what it took is drawn.
    """
    try:
        like = await _find(engine, job_id)
    except JobNotFound:
        yield Moment(error_html("This picture's settings are no longer kept.", "Draw it again."))
        return
    assert isinstance(like.request, ImageRequest)
    request = like.request.model_copy(update={"seed": None})
    jobs, said = [like], ""
    try:
        for _ in range(_MORE):
            jobs.append(await submit(engine, request))
    except EngineError as err:
        happened, advice = explain_error(err)
        some = f"{len(jobs) - 1} of {_MORE} could be taken. " if len(jobs) > 1 else ""
        said = error_html(happened, some + advice)
    if len(jobs) == 1:
        yield Moment(said)
        return
    async for moment in follow(engine, jobs, said):
        yield moment


async def _choose(engine: Engine, on_sheet: tuple[str, ...], index: int) -> tuple[Any, ...]:
    job_id = on_sheet[index]
    try:
        result = engine.result(await _find(engine, job_id))
    except EngineError as err:
        raise gr.Error(" ".join(explain_error(err)), print_exception=False) from err
    assert isinstance(result, ImageResult)
    return picture_values(job_id, result)


def _seed(engine: Engine, job_id: str | None) -> Any:
    job = find_job(engine, job_id)
    return gr.skip() if job is None else str(job.seed)


async def _find(engine: Engine, job_id: str | None) -> Job:
    return await asyncio.to_thread(visitors_job, engine, job_id)
