"""What the buttons of the story tab begin and end. Each returns at once; the page looks later."""

import secrets
from dataclasses import replace
from typing import Any

import gradio as gr
from pydantic import ValidationError

from engine import Engine, EngineError, ImageRequest
from engine.errors import InvalidRequest
from engine.requests import SEED_MAX, ImageTask
from engine.story import plan_scenes
from ui.messages import LABELS, explain_error, explain_invalid
from ui.progress import error_html, note_html
from ui.scene_pictures import ScenePicture, look_at_scenes
from ui.story_form import story_request
from ui.story_now import Written, choose_seeds, missing, read_story, see_pictures
from ui.storyboard import Source, Sources
from ui.visitors import current_visitor, find_job, submit

SOON_S, LATER_S = 0.5, 3.0
"""How often the page looks: while work goes on, and else."""
Started = tuple[Any, ...]
"""Values for `StoryDesk.started`."""


async def make_video(engine: Engine, now: Written) -> Started:
    """Begin the video; it takes the pictures that are there and draws the others."""
    pictures = see_pictures(engine, now)
    try:
        request = story_request(now.form, now.board, choose_seeds(now.board, pictures))
        job = await submit(engine, request, reuse=True)
    except (ValidationError, EngineError) as err:
        return _refused("That cannot be made yet.", err)
    places = missing(now.board, pictures, plan_scenes(request, job.seed))
    coming = {now.board[index].id: Source(job.id, index + 1) for index in places}
    return "", {**now.sources, **coming}, job.id, gr.Timer(SOON_S)


async def draw_missing(engine: Engine, now: Written) -> Started:
    """Begin the pictures that are missing or not as they would be drawn now."""
    pictures = see_pictures(engine, now)
    try:
        tasks = plan_scenes(read_story(now, pictures, decided=True), 0)
    except (ValidationError, InvalidRequest) as err:
        return _refused("That cannot be drawn yet.", err)
    coming: dict[int, Source] = {}
    notice = ""
    for index in missing(now.board, pictures, tasks):
        draft = now.board[index]
        if not draft.text.strip():
            continue
        try:
            job = await submit(engine, _picture(tasks[index]))
        except EngineError as err:
            notice = error_html(*explain_error(err))
            break
        coming[draft.id] = Source(job.id)
    if not coming and not notice:
        notice = note_html("Nothing to draw.", "Every scene that has words has its picture.")
    return notice, {**now.sources, **coming}, gr.skip(), gr.Timer(SOON_S)


async def redraw(engine: Engine, index: int, now: Written) -> tuple[Any, ...]:
    """Begin one picture anew, with another seed unless its own is kept.

    Returns:
        What stands in its field of the seed, and values for `StoryDesk.started`.
    """
    draft, pictures = now.board[index], see_pictures(engine, now)
    try:
        if not draft.text.strip():
            raise InvalidRequest("This scene has no words yet.", advice="Write what happens.")
        request = read_story(now, pictures, decided=True)
        task = plan_scenes(request, 0)[index]
        if not draft.seed.strip():
            task = replace(task, seed=secrets.randbelow(SEED_MAX + 1))
        _cancel_picture(engine, now.sources.get(draft.id), pictures[draft.id])
        job = await submit(engine, _picture(task))
    except (ValidationError, EngineError) as err:
        return gr.skip(), *_refused("That cannot be drawn yet.", err)
    # Where one seed decides for the whole story, this scene leaves it.
    seed = gr.skip() if request.seed is None else str(task.seed)
    sources = {**now.sources, draft.id: Source(job.id)}
    return seed, "", sources, gr.skip(), gr.Timer(SOON_S)


def keep_seed(engine: Engine, id_: int, sources: Sources, written: str) -> Any:
    """The seed of a scene's picture, for its field; what is written there stays."""
    picture = look_at_scenes(engine, current_visitor().owner, [id_], sources)[id_]
    kept = picture.seed is None or (written or "").strip()
    return gr.skip() if kept else str(picture.seed)


def cancel(engine: Engine, sources: Sources, job_id: str | None) -> None:
    """End all that is on its way here."""
    for id_ in {job_id, *(source.job_id for source in sources.values())}:
        if (job := find_job(engine, id_)) is not None:
            job.cancel()


def _cancel_picture(engine: Engine, source: Source | None, picture: ScenePicture) -> None:
    """End a picture that is on its way, unless others come with it."""
    job = find_job(engine, source.job_id) if source is not None and picture.comes else None
    if job is not None and isinstance(job.request, ImageRequest):
        job.cancel()


def _picture(task: ImageTask) -> ImageRequest:
    return ImageRequest(**vars(task))


def _refused(what: str, err: ValidationError | EngineError) -> Started:
    if isinstance(err, ValidationError):
        told = error_html(what, " ".join(explain_invalid(err, labels=LABELS)))
    else:
        told = error_html(*explain_error(err))
    return told, gr.skip(), gr.skip(), gr.skip()
