"""Generate, Cancel and the progress between them: the same on both tabs."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine
from engine.errors import JobNotFound
from ui.progress import Moment
from ui.visitors import current_visitor


@dataclass(frozen=True)
class RunControls:
    """The buttons and the bar of one tab, and the id of the job it follows."""

    generate: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    job_id: gr.State

    def outputs(self) -> list[gr.components.Component]:
        """In the order in which `show` gives their values."""
        return [self.generate, self.cancel, self.progress, self.job_id]

    @staticmethod
    def show(moment: Moment) -> tuple[Any, ...]:
        """Values for `outputs` at one moment of a job."""
        return (
            gr.Button(interactive=not moment.running),
            gr.Button(visible=True)
            if moment.running
            else gr.Button("Cancel", visible=False, interactive=True),
            moment.html,
            moment.job_id,
        )


def build_run(tab: str, text: str) -> RunControls:
    """Lay out the bar, Generate (called `text`) and Cancel; call inside a column."""
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
    return RunControls(generate, cancel, progress, gr.State(None))


def offer_cancel(engine: Engine, run: RunControls, work: Any) -> None:
    """Wire the Cancel button, and give Generate back should `work` itself break.

    Args:
        work: the event that follows the job.
    """
    run.cancel.click(
        partial(_cancel, engine),
        inputs=run.job_id,
        outputs=run.cancel,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    work.failure(
        lambda: (gr.Button(interactive=True), gr.Button(visible=False)),
        outputs=[run.generate, run.cancel],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


def _cancel(engine: Engine, job_id: str | None) -> Any:
    try:
        engine.job(job_id or "", owner=current_visitor().owner).cancel()
    except JobNotFound:
        return gr.skip()
    return gr.Button("Cancelling…", interactive=False)
