"""What the engine is and does, as rows of a table."""

from html import escape

from engine import Engine, EngineStatus
from ui.header import download_words, is_bundled, state_words
from ui.messages import explain_error

Row = tuple[str, str]
_SPEEDS = {
    "step": "One denoising step",
    "decode": "Decoding a picture",
    "rest": "Reading prompts and the like, a picture",
    "png": "Saving a PNG",
    "webp": "Saving a WebP",
    "jpeg": "Saving a JPEG",
    "frame": "Writing a held video frame",
    "moving frame": "Writing a video frame, camera moving",
    "film": "Beginning and checking a video",
}


def engine_rows(engine: Engine, status: EngineStatus) -> list[Row]:
    """Everything the page tells of the engine: name and value of each row."""
    rows = [("State", state_words(status))]
    if status.problem is not None:
        rows.append(("Why", " ".join(explain_error(status.problem))))
    rows += _model_rows(engine, status)
    rows.append(("Queue", _queue_words(status)))
    for work, seconds in status.measured_s.items():
        rows.append((_SPEEDS.get(work, work), _duration_words(seconds)))
    if programs := status.programs:
        told = f"{programs.ready} ready, {programs.pending} to come"
        rows.append(("Compiled for the sizes in use", told))
    if download := download_words(status):
        rows.append(("Download", download))
    versions = ", ".join(f"{name} {version}" for name, version in status.versions.items())
    rows.append(("Versions", versions))
    return rows


def table_html(rows: list[Row]) -> str:
    """Rows as a table; every text is escaped here."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table class="facts"><tbody>{body}</tbody></table>'


def _model_rows(engine: Engine, status: EngineStatus) -> list[Row]:
    facts = status.facts
    if facts is None:
        return [("Asked for", engine.settings.model), ("Device", status.device)]
    rows = [
        ("Model", f"{facts.name}, revision {facts.revision[:12]}"),
        ("Chosen because", facts.reason),
        ("Device", f"{facts.device}, {facts.dtype}"),
        ("Scheduler", facts.scheduler),
        ("Own best guidance", f"{facts.guidance_scale:g}"),
        ("Trained at", f"{facts.native_size} × {facts.native_size}"),
    ]
    if facts.decoder is not None:
        revision = (facts.decoder_revision or "")[:12]
        rows.append(("Decoder", f"{facts.decoder}, revision {revision}"))
    if facts.description:
        rows.append(("About it", facts.description))
    if is_bundled(engine, status):
        rows.append(("For photographs", "start with --model segmind/tiny-sd, or another model"))
    return rows


def _queue_words(status: EngineStatus) -> str:
    if not status.running and not status.waiting_tasks:
        return "Nothing to do"
    waiting = f"{status.waiting_tasks} picture(s) wait" if status.waiting_tasks else "nothing waits"
    return f"{'Drawing' if status.running else 'Not drawing'}, {waiting}"


def _duration_words(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
