"""The page's head: the name, what is loaded, and whatever a visitor should know about it."""

from html import escape

from engine import Engine, EngineStatus
from ui.messages import explain_error
from ui.progress import error_html, note_html

PHOTOGRAPHS = (
    "It draws storybook pictures; for photographs, start Storyreel with another Stable Diffusion "
    "model, such as --model segmind/tiny-sd or a folder in diffusers layout."
)


_LEAVE = (
    '<form class="leave" method="post" action="../logout" '
    'onsubmit="localStorage.clear(); sessionStorage.clear()"><button>Log out</button></form>'
)


def masthead_html(status: EngineStatus, *, locked: bool = False) -> str:
    """The name, a pill that says what is loaded and how busy it is, and the way out if locked."""
    return (
        '<div class="masthead"><h1>Storyreel</h1><p>Pictures and story videos from your words</p>'
        f'<span class="pill {status.model_state}" role="status"><i></i>'
        f"{escape(state_words(status))}</span>{_LEAVE if locked else ''}</div>"
    )


def state_words(status: EngineStatus) -> str:
    """The model, the device and the queue in one line."""
    if status.model_state == "unavailable":
        return "No model"
    if status.facts is None:
        return "Loading the model…"
    words = [status.facts.name, status.device.upper() if status.device else ""]
    if status.waiting_tasks:
        words.append(f"{status.waiting_tasks} waiting")
    elif status.running:
        words.append("drawing")
    return " · ".join(word for word in words if word)


def notices_html(engine: Engine, status: EngineStatus) -> str:
    """What a visitor should know before asking for a picture; empty when all is well."""
    if status.problem is not None:
        return error_html(*explain_error(status.problem))
    if status.facts is None:
        waiting = "You can write and press Generate already: your work starts when it is ready."
        return note_html("The model is loading.", f"{download_words(status)} {waiting}".strip())
    if is_bundled(engine, status):
        text = escape(f"{status.facts.description} {PHOTOGRAPHS}".strip())
        return f'<div class="note quiet">{text}</div>'
    return ""


def is_bundled(engine: Engine, status: EngineStatus) -> bool:
    """Whether the small model that ships with Storyreel draws."""
    named = engine.settings.model in {"auto", "bundled"}
    return named and status.facts is not None and "/" not in status.facts.name


def download_words(status: EngineStatus) -> str:
    """How far a download is, in words; empty when there is none."""
    download = status.download
    if download is None:
        return ""
    if download.note:
        return download.note
    done, total = download.done / 1e6, download.total / 1e6
    return f"Fetching {download.repo_id}: {done:,.0f} of {total:,.0f} MB."
