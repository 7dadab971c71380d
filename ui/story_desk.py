"""The story tab as a whole: its components, and how they show what goes on.

A clock ticks, often while anything is on its way, and each tick looks how all of it stands: so a
page that was closed and comes back sees the same as one that stayed. It never stands still, for a
look that was overtaken by a click must not be the last one.
"""

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from pydantic import ValidationError

from engine import Engine, EngineError, Job, VideoRequest, VideoResult
from engine.errors import InvalidRequest, JobCancelled
from ui.counter import HERO_TIP, counter_html
from ui.messages import explain_error, explain_refusal
from ui.progress import bar_html, error_html, note_html, progress_html, words_for_s
from ui.scene_pictures import picture_html
from ui.story_draft import write_draft
from ui.story_form import StoryForm
from ui.story_now import UNWRITTEN, Pictures, Written, read_story, see_pictures, wanted
from ui.story_stage import StoryStage, show_story
from ui.story_work import LATER_S, SOON_S
from ui.storyboard import Board, with_fields
from ui.timeline_bar import timeline_html
from ui.visitors import current_visitor, find_job


@dataclass(frozen=True)
class StoryDesk:
    """The components of the tab, the cards apart, and what happens on it."""

    engine: Engine
    form: StoryForm
    generate: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    draw: gr.Button
    count: gr.HTML
    """How long the hero's words are."""
    timeline: gr.HTML
    stage: StoryStage
    board: gr.State
    sources: gr.State
    job_id: gr.State
    notice: gr.State
    shown: gr.State
    touched: gr.State
    plan: gr.State
    """The story on the page as a VideoRequest in JSON; empty while it cannot be made."""
    draft: gr.HTML
    """The bookmark: what a visitor finds again who comes back."""
    undo: gr.Button
    replaced: gr.State
    """The story before this one, as its bookmark; what `undo` brings back."""
    clock: gr.Timer

    def states(self) -> list[gr.components.Component]:
        """In the order in which they follow the board in `Written`."""
        return [self.sources, self.job_id, self.notice, self.shown, self.touched]

    def inputs(self) -> list[gr.components.Component]:
        """In the order in which `written` takes their values, before the cards' fields."""
        return [*self.form.inputs(), *self.states()]

    def seen(self) -> list[gr.components.Component]:
        """What `read` and `look` tell, before the cards' pictures."""
        return [self.timeline, self.progress, self.generate, self.cancel, self.draw]

    def told(self) -> list[gr.components.Component]:
        """What `read` tells beyond that."""
        return [self.draft, self.plan, self.count]

    def ended(self) -> list[gr.components.Component]:
        """What `look` tells beyond that: whether to go on looking, and the video once it is there.

        Only a queued event may show files: others get addresses that lack the page's folder.
        """
        return [self.clock, self.shown, *self.stage.outputs()]

    def undoing(self) -> list[gr.components.Component]:
        """What a handler tells that puts another story in the place of this one."""
        return [self.replaced, self.undo]

    def started(self) -> list[gr.components.Component]:
        """What a handler tells that begins work."""
        return [self.notice, self.sources, self.job_id, self.clock]

    def written(self, board: Board, values: tuple[Any, ...]) -> Written:
        """Sort what stands on the page."""
        form, states = len(self.form.inputs()), len(self.states())
        fields = values[form + states :]
        return Written(values[:form], with_fields(board, *fields), *values[form : form + states])

    def read(self, now: Written) -> tuple[Any, ...]:
        """Read what is written: values for `told`, `seen` and the cards' pictures."""
        hero = now.form[0] or ""
        count = counter_html(hero, self.engine.prompt_length(hero), tip=HERO_TIP)
        draft = write_draft(now.form, now.board, now.sources, now.job_id) if _is_begun(now) else ""
        pictures = see_pictures(self.engine, now)
        job = find_job(self.engine, now.job_id)
        try:
            request = read_story(now, pictures)
        except (ValidationError, InvalidRequest) as err:
            return draft, "", count, *self._tell(now, pictures, job, None, _fault_html(err))
        return draft, request.model_dump_json(), count, *self._tell(now, pictures, job, request)

    def look(self, board: Board, plan: str, *states: Any) -> tuple[Any, ...]:
        """Look how the work stands: values for `ended`, `seen` and the cards' pictures.

        The story is as it was read last: the inputs must be few and always the same, for a clock
        does not wait until the cards are drawn.

        Args:
            states: those of `Written` that follow the board.
        """
        now = Written((), board, *states)
        request = VideoRequest.model_validate_json(plan) if plan else None
        if request is not None and len(request.scenes) != len(board):
            request = None  # scenes have come or gone, and are about to be read
        pictures = see_pictures(self.engine, now)
        job = find_job(self.engine, now.job_id)
        ended = self._look_at_video(job, now.shown)
        busy = _is_making(job) or _come(pictures)
        told = self._tell(now, pictures, job, request)
        return gr.Timer(SOON_S if busy else LATER_S), *ended, *told

    def _tell(
        self,
        now: Written,
        pictures: Pictures,
        job: Job | None,
        request: VideoRequest | None,
        fault: str = "",
    ) -> tuple[Any, ...]:
        told: Any = fault or gr.skip()
        if request is not None:
            owner = current_visitor().owner
            planned = self.engine.plan(request, owner=owner, reuse=True)
            told = timeline_html(request, planned, request.scenes.count(UNWRITTEN))
        work = self._look_at_work(job, pictures, now.notice)
        return told, *work, *_show(now.board, pictures, request)

    def _look_at_work(self, job: Job | None, pictures: Pictures, notice: str) -> tuple[Any, ...]:
        making, coming = _is_making(job), _come(pictures)
        if job is not None and making:
            snapshot = job.snapshot()
            left_s = snapshot.progress.eta_s
            progress = progress_html(snapshot, self.engine.status(), left_s=left_s)
        elif coming:
            progress = _drawing_html(pictures)
        else:
            progress = "" if job is None or notice else self._end_html(job)
        return (
            notice + progress,
            gr.Button(interactive=not making),
            gr.Button(visible=making or coming),
            gr.Button(interactive=not making),
        )

    def _look_at_video(self, job: Job | None, shown: str | None) -> tuple[Any, ...]:
        kept = (gr.skip(),) * (1 + len(self.stage.outputs()))
        if job is None or job.id == shown or not job.state.is_terminal:
            return kept
        try:
            result = self.engine.result(job)
        except EngineError:  # told beside the buttons
            return kept
        return (job.id, *show_story(result)) if isinstance(result, VideoResult) else kept

    def _end_html(self, job: Job) -> str:
        """Why a job has no result; nothing where it has."""
        try:
            self.engine.result(job)
        except JobCancelled:
            return note_html("Cancelled.", "What was drawn and all you wrote is still here.")
        except EngineError as err:
            return error_html(*explain_error(err))
        return ""


def _is_begun(now: Written) -> bool:
    """Whether there is anything to keep: an untouched page must not replace an older story."""
    return now.touched or bool(now.form[0]) or any(draft.text for draft in now.board)


def _is_making(job: Job | None) -> bool:
    return job is not None and not job.state.is_terminal


def _come(pictures: Pictures) -> bool:
    """Whether any is on its way."""
    return any(picture.comes for picture in pictures.values())


def _show(board: Board, pictures: Pictures, request: VideoRequest | None) -> list[str]:
    """The cards' pictures; without a request, none is told to be another than it would be now."""
    tasks = [] if request is None else wanted(request)
    texts = [] if request is None else request.scenes
    shown = []
    for index, draft in enumerate(board):
        picture = pictures[draft.id]
        changed = bool(tasks) and picture.task not in (None, tasks[index])
        words = texts[index] if texts else draft.text
        shown.append(picture_html(picture, index + 1, words, changed=changed))
    return shown


def _drawing_html(pictures: Pictures) -> str:
    """How far the storyboard is, while no video is made."""
    there = sum(picture.state == "drawn" for picture in pictures.values())
    share = sum(picture.share for picture in pictures.values()) / len(pictures)
    etas = [pic.eta_s for pic in pictures.values() if pic.comes and pic.eta_s is not None]
    left = f"about {words_for_s(max(etas))} left" if etas else ""
    return bar_html(f"{there} of {len(pictures)} pictures drawn", share, left)


def _fault_html(err: ValidationError | InvalidRequest) -> str:
    """Why the story on the page cannot be made as it stands."""
    words = " ".join(explain_refusal("", err)).strip()
    return f'<div class="summary"><p>{escape(words)}</p></div>'
