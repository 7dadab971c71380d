"""The timeline under the storyboard: every hold and every transition to scale, and the figures."""

from html import escape

from engine import VideoPlan, VideoRequest
from ui.film import TRANSITION_LABELS
from ui.progress import words_for_s
from ui.timeline import Span, story_spans


def timeline_html(request: VideoRequest, plan: VideoPlan, unwritten: int) -> str:
    """Draw a story that can be made; `unwritten` of its scenes have no text yet."""
    return (
        f'{_bar_html(request)}<div class="summary">{_figures_html(plan)}'
        f"{_hints_html(plan, unwritten)}</div>"
    )


def _bar_html(request: VideoRequest) -> str:
    spans = "".join(_span_html(span) for span in story_spans(request))
    total_s = request.total_frames / request.fps
    label = f"{len(request.scenes)} scenes in {total_s:.4g} seconds"
    if request.frames_between:
        name = TRANSITION_LABELS[request.transition].lower()
        label += f", {name} of {request.frames_between / request.fps:.3g} seconds between them"
    marks = "".join(f"<span>{total_s * quarter / 4:.3g} s</span>" for quarter in range(5))
    return (
        f'<div class="reel" role="img" aria-label="{escape(label)}">{spans}</div>'
        f'<div class="ruler" aria-hidden="true">{marks}</div>'
    )


def _span_html(span: Span) -> str:
    number = span.scene if span.kind == "hold" else ""
    return f'<i class="{span.kind}" style="flex:{span.frames} 1 0">{number}</i>'


def _figures_html(plan: VideoPlan) -> str:
    figures = (
        (f"{plan.total_duration_seconds:.4g} s", "length"),
        (f"{plan.total_frames:,}", "frames"),
        (plan.resolution.replace("x", " × "), "pixels"),
        (f"about {words_for_s(plan.estimated_generation_time_seconds)}", "to make"),
    )
    return "".join(f"<div><b>{figure}</b><span>{name}</span></div>" for figure, name in figures)


def _hints_html(plan: VideoPlan, unwritten: int) -> str:
    count = plan.scenes_count
    hints = [f"{unwritten} of {count} scenes still to write"] if unwritten else []
    if plan.scenes_to_draw < count:
        left = f"{plan.scenes_to_draw} of {count} scenes are to be drawn; the other"
        hints.append(f"{left if plan.scenes_to_draw else 'All'} pictures are there")
    if plan.scene_tokens and plan.token_window and max(plan.scene_tokens) > plan.token_window:
        number = 1 + plan.scene_tokens.index(max(plan.scene_tokens))
        read = f"read in pieces of {plan.token_window}; nothing is cut"
        if plan.cuts_prompts:
            read = f"of which the model reads {plan.token_window}; the rest is not drawn"
        hints.append(
            f"Scene {number} with its hero is long: {max(plan.scene_tokens)} tokens, {read}"
        )
    return "".join(f"<p>{escape(hint)}</p>" for hint in hints)
