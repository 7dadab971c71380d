"""What the buttons of the story tab begin and end. None waits for its work: the page looks."""

import secrets
from dataclasses import replace
from typing import Any

import gradio as gr
from pydantic import ValidationError

from engine import Engine, EngineError, ImageRequest
from engine.errors import InvalidRequest
from engine.requests import SEED_MAX, ImageTask
from ui.messages import explain_error, explain_refusal
from ui.progress import error_html, note_html
from ui.scene_pictures import look_at_scenes
from ui.story_form import story_request
from ui.story_now import Pictures, Written, choose_seeds, missing, read_story, see_pictures, wanted
from ui.storyboard import Source, Sources
from ui.visitors import find_job, submit_now

SOON_S, LATER_S = 0.5, 3.0
"""How often the page looks: while work goes on, and else."""
Started = tuple[Any, ...]
"""Values for `StoryDesk.started`."""


def make_video(engine: Engine, now: Written) -> Started:
    """Begin the video; it takes the pictures that are there and draws the others."""
    job = find_job(engine, now.job_id)
    if job is not None and not job.state.is_terminal:  # pressed twice
        return (gr.skip(),) * 4
    pictures = see_pictures(engine, now)
    try:
        request = story_request(now.form, now.board, choose_seeds(now.board, pictures))
        job = submit_now(engine, request, reuse=True)
    except (ValidationError, EngineError) as err:
        return _refused("That cannot be made yet.", err)
    coming = {}
    for index in missing(now.board, pictures, wanted(request)):
        id_ = now.board[index].id
        coming[id_] = _source(now, pictures, id_, job.id, index + 1)
    return "", {**now.sources, **coming}, job.id, gr.Timer(SOON_S)


def draw_missing(engine: Engine, now: Written) -> Started:
    """Begin the pictures that are missing or not as they would be drawn now."""
    pictures = see_pictures(engine, now)
    try:
        tasks = wanted(read_story(now, pictures, decided=True))
    except (ValidationError, InvalidRequest) as err:
        return _refused("That cannot be drawn yet.", err)
    coming: dict[int, Source] = {}
    notice = ""
    for index in missing(now.board, pictures, tasks):
        draft = now.board[index]
        if not draft.text.strip():
            continue
        try:
            job = submit_now(engine, _picture(tasks[index]))
        except EngineError as err:
            notice = error_html(*explain_error(err))
            break
        coming[draft.id] = _source(now, pictures, draft.id, job.id)
    if not coming and not notice:
        notice = note_html("Nothing to draw.", "Every scene that has words has its picture.")
    return notice, {**now.sources, **coming}, _still_told(engine, now), gr.Timer(SOON_S)


def redraw(engine: Engine, index: int, now: Written) -> tuple[Any, ...]:
    """Begin one picture anew, with another seed unless its own is kept.

    Returns:
        What stands in its field of the seed, and values for `StoryDesk.started`.
    """
    draft, pictures = now.board[index], see_pictures(engine, now)
    try:
        if not draft.text.strip():
            raise InvalidRequest("This scene has no words yet.", advice="Write what happens.")
        task = wanted(read_story(now, pictures, decided=True))[index]
        if not draft.seed.strip():
            task = replace(task, seed=secrets.randbelow(SEED_MAX + 1))
        job = submit_now(engine, _picture(task))
    except (ValidationError, EngineError) as err:
        return gr.skip(), *_refused("That cannot be drawn yet.", err)
    sources = {**now.sources, draft.id: _source(now, pictures, draft.id, job.id)}
    leave(engine, now.sources, sources)
    # Where the story's seed decides, this scene leaves it.
    redrawn = {**pictures, draft.id: replace(pictures[draft.id], task=task)}
    ruled = wanted(read_story(now, redrawn))[index].seed
    seed = gr.skip() if ruled == task.seed else str(task.seed)
    return seed, "", sources, _still_told(engine, now), gr.Timer(SOON_S)


def keep_seed(engine: Engine, id_: int, sources: Sources, written: str) -> Any:
    """The seed of a scene's picture, for its field; what is written there stays."""
    picture = look_at_scenes(engine, [id_], sources)[id_]
    kept = picture.seed is None or (written or "").strip()
    return gr.skip() if kept else str(picture.seed)


def cancel(engine: Engine, sources: Sources, job_id: str | None) -> None:
    """End all that is on its way here."""
    for id_ in {job_id, *(source.job_id for source in sources.values())}:
        if (job := find_job(engine, id_)) is not None:
            job.cancel()


def leave(engine: Engine, before: Sources, after: Sources) -> None:
    """End the pictures on their way that no scene waits for any more."""
    awaited = {source.job_id for source in after.values()}
    for id_ in {source.job_id for source in before.values()} - awaited:
        job = find_job(engine, id_)
        if job is not None and isinstance(job.request, ImageRequest):
            job.cancel()


def _source(now: Written, pictures: Pictures, id_: int, job_id: str, number: int = 1) -> Source:
    """Where a scene's picture will come from; until it is there, the one before stands in."""
    old = now.sources.get(id_)
    if old is not None and pictures[id_].state != "drawn":
        old = old.before
    return Source(job_id, number, old and replace(old, before=None))


def _still_told(engine: Engine, now: Written) -> Any:
    """The story to follow when only pictures are begun: not one whose end was a failure."""
    job = find_job(engine, now.job_id)
    return None if job is not None and job.error is not None else gr.skip()


def _picture(task: ImageTask) -> ImageRequest:
    # Hero and scene together may be longer than one prompt typed by hand.
    return ImageRequest.model_construct(**vars(task), format="png")


def _refused(what: str, err: ValidationError | EngineError) -> Started:
    return error_html(*explain_refusal(what, err)), gr.skip(), gr.skip(), gr.skip()
