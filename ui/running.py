"""Generate, Cancel, the progress between them, and coming back to it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine, Job, Request
from ui.bookmark import bookmark_value, bookmarked, build_bookmark
from ui.events import QUIET, told
from ui.progress import Moment, find_again
from ui.visitors import find_job

GoOn = Callable[[list[Job]], AsyncIterator[tuple[Any, ...]]]


@dataclass(frozen=True)
class RunControls:
    """The buttons and the bar of one tab, and the bookmark of the jobs it follows."""

    generate: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    bookmark: gr.HTML

    def outputs(self) -> list[gr.components.Component]:
        """In the order in which `show` gives their values."""
        return [self.generate, self.cancel, self.progress, self.bookmark]

    @staticmethod
    def show(moment: Moment, *, begins: bool) -> tuple[Any, ...]:
        """Values for `outputs` at one moment; what `begins` can be cancelled."""
        fresh = {"value": "Cancel", "interactive": True} if begins or not moment.running else {}
        return (
            gr.Button(interactive=not moment.running),
            gr.Button(visible=moment.running, **fresh),
            moment.html,
            bookmark_value(moment.job_ids),
        )


def build_run(tab: str, text: str) -> RunControls:
    """Lay out the bar, Generate (called `text`) and Cancel; call inside a column."""
    return RunControls(*build_actions(tab, text), build_bookmark(tab))


def build_actions(tab: str, text: str) -> tuple[gr.Button, gr.Button, gr.HTML]:
    """The same for a tab that follows its work by itself: Generate, Cancel, the bar."""
    with gr.Column(elem_classes="actions"):
        progress = gr.HTML(elem_id=f"{tab}-progress")
        with gr.Row():
            generate = gr.Button(
                text,
                variant="primary",
                elem_id=f"{tab}-generate",
                elem_classes="generate",
                scale=3,
                min_width=160,
            )
            cancel = gr.Button(
                "Cancel",
                variant="stop",
                visible=False,
                elem_id=f"{tab}-cancel",
                scale=1,
                min_width=100,
            )
    return generate, cancel, progress


def offer_cancel(
    engine: Engine, run: RunControls, *works: Any, others: tuple[gr.Button, ...] = ()
) -> None:
    """Wire the Cancel button, and give the buttons back should the work itself break.

    Args:
        works: the events that follow jobs.
        others: what cannot be pressed either while they do.
    """
    run.cancel.click(
        partial(_cancel, engine), inputs=run.bookmark, outputs=run.cancel, queue=False, **QUIET
    )
    for work in works:
        work.failure(
            lambda: (gr.Button(visible=False), *(gr.Button(interactive=True),) * (1 + len(others))),
            outputs=[run.cancel, run.generate, *others],
            queue=False,
            **QUIET,
        )


def offer_return(
    engine: Engine,
    run: RunControls,
    kind: type[Request],
    go_on: GoOn,
    outputs: list[gr.components.Component],
) -> Any:
    """Have the tab go on with what it followed before it was refreshed or closed.

    Args:
        kind: of the requests that belong to this tab.
        go_on: yields values for `outputs` while it follows the jobs that were found again.

    Returns:
        The event, for `offer_cancel`.
    """

    async def come_back(event: gr.EventData) -> AsyncIterator[tuple[Any, ...]]:
        jobs = await find_again(engine, bookmarked(told(event, "kept")), kind)
        if not jobs:
            yield (gr.skip(),) * len(outputs)  # a generator that yields nothing empties them
            return
        async for values in go_on(jobs):
            yield values

    return run.bookmark.found(come_back, outputs=outputs, concurrency_limit=None, **QUIET)


def _cancel(engine: Engine, bookmark: str | None) -> Any:
    found = (find_job(engine, job_id) for job_id in bookmarked(bookmark))
    states = [job.cancel() for job in found if job is not None]
    cancelling = any(not state.is_terminal for state in states)
    return gr.Button("Cancelling…", interactive=False) if cancelling else gr.skip()
