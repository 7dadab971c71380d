"""Results as plots: `python -m benchmarks.plots [FOLDER]` draws anew what a folder's JSON says.

Seconds of each side with their spread, latency against offered load, clients against their fair
turn, and how every target stands. SVG without a ground of its own, in tones between light and
dark, so that they are read on both.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Results = Mapping[str, Mapping[str, Any]]

INK, GRID = "#7c7c7c", "#7c7c7c55"
OURS, OTHER = "#cc5f3c", "#4a86b8"
SIDES = {"tuned": "#5c9a6a", "reference": "#9a74b8", "ours": OURS, "first": OURS}
"""By the first word of a side's name; the others have the colour of all others."""
STATES = {"met": "#4f9a5f", "missed": "#c8503c", "unmeasured": "#8a8a8a"}
_WIDTH, _LONGEST = 8.0, 2.6


def read_results(folder: Path) -> dict[str, dict[str, Any]]:
    """Every result in a folder by its name."""
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    }


def draw_all(results: Results, folder: Path) -> list[Path]:
    """Draw whatever these results hold; returns the files."""
    drawn = []
    for name, result in results.items():
        figure = draw(name, result)
        if figure is not None:
            drawn.append(_save(figure, folder / f"{name}.svg"))
    judged = [(name, one) for name, result in results.items() for one in result.get("targets", ())]
    if judged:
        drawn.append(_save(draw_targets(judged), folder / "targets.svg"))
    return drawn


def draw(name: str, result: Mapping[str, Any]) -> "Figure | None":
    """Draw one result; None where there is nothing to compare."""
    if "loads" in result:
        return draw_loads(result)
    if "mixes" in result:
        return draw_mixes(result["mixes"])
    if "pictures" in result:
        sides = {
            f"{side}, {count} at once": told
            for count, size in result["pictures"].items()
            for side, told in size["seconds"].items()
        }
        return draw_sides(name, sides)
    return draw_sides(name, result["seconds"]) if "seconds" in result else None


def draw_sides(name: str, sides: Mapping[str, Mapping[str, Any]]) -> "Figure":
    """Seconds of each side as bars from 0, with their spread."""
    figure, axes = _figure(0.9 + 0.42 * len(sides))
    labels = [label.replace("_", " ") for label in sides]
    for row, (label, told) in enumerate(sides.items()):
        middle, (least, most) = told["median"], told["spread"]
        color = SIDES.get(re.split("[ ,_]", label)[0], OTHER)
        axes.barh(row, middle, height=0.62, color=color)
        axes.plot([least, most], [row, row], color=INK, linewidth=1.6, marker="|")
        _note(axes, f"{middle:.3g} s", most, row)
    axes.set_yticks(range(len(sides)), labels)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.18 * max(told["spread"][1] for told in sides.values()))
    _finish(axes, f"{name.replace('_', ' ')}: seconds, median and spread", "seconds")
    return figure


def draw_loads(result: Mapping[str, Any]) -> "Figure":
    """Latency and what was made, against what was asked for."""
    figure, (left, right) = _figure(3.0, columns=2)
    offered = [load["offered_per_s"] for load in result["loads"]]
    for key, color, label in (("p50_s", OTHER, "half within"), ("p95_s", OURS, "95% within")):
        seen = [float("nan") if one[key] is None else one[key] for one in result["loads"]]
        left.plot(offered, seen, color=color, marker="o", label=label)
    left.set_ylim(bottom=0)
    left.legend(frameon=False, labelcolor=INK, fontsize=9)
    _finish(left, "latency", "pictures asked for a second", "seconds")
    made = [load["pictures_per_s"] for load in result["loads"]]
    right.plot(offered, made, color=OURS, marker="o")
    right.axhline(result["capacity_pictures_per_s"], color=INK, linewidth=1, linestyle="--")
    right.set_ylim(bottom=0)
    _finish(right, "made a second; dashed: never idle", "pictures asked for a second")
    return figure


def draw_mixes(mixes: Mapping[str, Mapping[str, Any]]) -> "Figure":
    """Each client's finishing time over that of turns step by step; 1 is the fair turn."""
    figure, axes = _figure(2.6)
    for index, (name, mix) in enumerate(mixes.items()):
        clients = range(1, len(mix["ratio"]) + 1)
        middle = [told["median"] for told in mix["ratio"]]
        color = (OURS, OTHER)[index % 2]
        axes.plot(clients, middle, color=color, marker="o", linestyle="", label=f"{name} pictures")
        for client, told in zip(clients, mix["ratio"], strict=True):
            axes.plot([client, client], told["spread"], color=color, linewidth=1.4)
    axes.axhline(1.0, color=INK, linewidth=1, linestyle="--")
    axes.set_xticks(list(clients))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, labelcolor=INK, fontsize=9)
    _finish(axes, "finished, against turns step by step", "client", "ratio")
    return figure


def draw_targets(judged: list[tuple[str, Mapping[str, Any]]]) -> "Figure":
    """Every target: how far it is from its limit, which stands at 1; longer is worse."""
    figure, axes = _figure(0.9 + 0.5 * len(judged))
    for row, (name, target) in enumerate(judged):
        color, value, limit = STATES[target["state"]], target["value"], target["limit"]
        what = f"{target['what']}: {target['is']} {limit:g} ({name})"
        axes.text(0, row - 0.28, what, va="bottom", color=INK, fontsize=8)
        share = 0.0
        if target["state"] != "unmeasured" and value:
            share = min(_LONGEST, value / limit if target["is"] == "at most" else limit / value)
            axes.barh(row, share, height=0.42, color=color)
        told = target["state"] if value is None else f"{value:.3g} {target['state']}"
        _note(axes, told, share, row, color)
    axes.axvline(1.0, color=INK, linewidth=1, linestyle="--")
    axes.set_yticks([])
    axes.set_ylim(len(judged) - 0.5, -0.8)
    axes.set_xlim(0, _LONGEST + 0.4)
    _finish(axes, "targets", "of the limit, which is the dashed line")
    return figure


def _note(axes: "Axes", text: str, x: float, y: float, color: str = INK) -> None:
    """Write beside the end of a bar."""
    axes.annotate(
        text, (x, y), (6, 0), textcoords="offset points", va="center", color=color, fontsize=9
    )


def _figure(height: float, columns: int = 1) -> "tuple[Figure, Any]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, max(height, 1.4)), layout="constrained")
    figure.patch.set_alpha(0)
    return figure, figure.subplots(1, columns)


def _finish(axes: "Axes", title: str, x: str, y: str = "") -> None:
    axes.patch.set_alpha(0)
    axes.set_title(title, color=INK, fontsize=10, loc="left")
    axes.set_xlabel(x, color=INK, fontsize=9)
    axes.set_ylabel(y, color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelcolor=INK, length=0)
    axes.grid(axis="x" if not y else "both", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _save(figure: "Figure", path: Path) -> Path:
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "storyreel", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})
    return path


if __name__ == "__main__":
    told = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "results"
    draw_all(read_results(told), told)
