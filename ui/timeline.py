"""A story's timeline to scale: every hold and every transition on an axis of seconds.

matplotlib takes most of a second to import, so it is imported when the first picture is drawn.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import VideoRequest
from engine.story import scene_spans
from ui.film import TRANSITION_LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABELLED = 14
_HALF_HEIGHT = 0.5


@dataclass(frozen=True)
class Span:
    """One stretch of a video, in frames; scenes count from 1."""

    kind: str
    """"hold" or "transition"."""
    scene: int
    first_frame: int
    frames: int


@dataclass(frozen=True)
class Inks:
    """The colours of a timeline, as they stand on the page's own ground."""

    paper: str
    ink: str
    faint: str
    holds: tuple[str, str]
    fade: str
    on_hold: str


LIGHT = Inks("#ffffff", "#2a2420", "#6a6059", ("#f0c4ae", "#f6dccf"), "#a9442a", "#4f231a")
DARK = Inks("#211d1a", "#f2ebe3", "#b3a89e", ("#6b3a29", "#52301f"), "#efac90", "#fbe8de")


def story_spans(request: VideoRequest) -> list[Span]:
    """The holds and transitions of a story in the order they are seen."""
    spans: list[Span] = []
    between = request.frames_between
    for scene, (first, end) in enumerate(scene_spans(request), start=1):
        if scene > 1 and between:
            spans.append(Span("transition", scene, first - between, between))
        spans.append(Span("hold", scene, first, end - first))
    return spans


def draw_timeline(request: VideoRequest, *, dark: bool = False) -> "Figure":
    """Draw the timeline of a story."""
    from matplotlib.figure import Figure

    inks = DARK if dark else LIGHT
    figure = Figure(figsize=(5.2, 1.6), dpi=200, facecolor=inks.paper, layout="constrained")
    axes = figure.add_subplot()
    for span in story_spans(request):
        _draw_span(axes, span, request, inks)
    _finish(axes, request, inks)
    return figure


def _draw_span(axes: "Axes", span: Span, request: VideoRequest, inks: Inks) -> None:
    left, width = span.first_frame / request.fps, span.frames / request.fps
    right, top = left + width, _HALF_HEIGHT
    before, here = inks.holds[(span.scene - 1) % 2], inks.holds[span.scene % 2]
    if span.kind == "transition":
        axes.fill([left, right, left], [top, -top, -top], color=before, linewidth=0)
        axes.fill([left, right, right], [top, top, -top], color=here, linewidth=0)
        axes.plot([left, right], [top, -top], color=inks.fade, linewidth=1.2)
        return
    axes.fill([left, right, right, left], [top, top, -top, -top], color=here, linewidth=0)
    if len(request.scenes) <= _LABELLED or span.scene % 5 == 0 or span.scene == 1:
        middle = left + width / 2
        size = 11 if len(request.scenes) <= _LABELLED else 7
        axes.text(
            middle, 0, str(span.scene), ha="center", va="center", color=inks.on_hold, fontsize=size
        )


def _finish(axes: "Axes", request: VideoRequest, inks: Inks) -> None:
    total_s = request.total_frames / request.fps
    axes.set_xlim(0, total_s)
    axes.set_ylim(-0.62, 0.62)
    axes.set_yticks([])
    axes.set_facecolor(inks.paper)
    axes.set_xlabel("seconds", color=inks.faint, fontsize=8)
    axes.tick_params(axis="x", colors=inks.faint, labelsize=8)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(inks.faint)
    lengths = sorted({frames / request.fps for frames in request.scene_frames})
    held = f"{lengths[0]:.4g} s" if len(lengths) == 1 else f"{lengths[0]:.4g}-{lengths[-1]:.4g} s"
    parts = [f"{len(request.scenes)} scenes of {held}"]
    if request.frames_between:
        name = TRANSITION_LABELS[request.transition].lower()
        parts.append(f"{name}, {request.frames_between / request.fps:.3g} s each")
    parts.append(f"{total_s:.4g} s in all")
    axes.set_title("  ·  ".join(parts), color=inks.ink, fontsize=9, loc="left")
