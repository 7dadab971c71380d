"""How readings become figures: pure counting, and the table that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.labels import ATTRIBUTES, GARMENT, HAIR, SETTING, SUBJECT, TIME

Reading = Mapping[str, str]
FOUR_SCENES = "hair and garment in all four scenes"
TARGETS: Mapping[str, Mapping[str, float]] = {
    "cpu": {SETTING: 0.85, TIME: 0.92, SUBJECT: 0.7, HAIR: 0.7, GARMENT: 0.8, FOUR_SCENES: 0.15},
    "gpu": {SETTING: 0.95, TIME: 0.97, SUBJECT: 0.9, HAIR: 0.93, GARMENT: 0.93, FOUR_SCENES: 0.5},
}


@dataclass(frozen=True)
class Score:
    """So many right of so many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """The right part, 0 where nothing was counted."""
        return self.right / self.of if self.of else 0.0


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        target: The share to reach; None where none is set.
        drawings: How well the judge reads this attribute from drawings of the same scenes.
        round_trips: The same through the model's autoencoder.
    """

    name: str
    score: Score
    target: float | None = None
    drawings: Score | None = None
    round_trips: Score | None = None


def count_right(expected: Sequence[Reading], read: Sequence[Reading]) -> dict[str, Score]:
    """Count, for each attribute, the pictures that show what their prompts state.

    Args:
        expected: What each prompt states; an attribute that is absent is not counted.
        read: What the judge reads from each picture.
    """
    scores = {}
    for name in ATTRIBUTES:
        pairs = zip(expected, read, strict=True)
        hits = [wanted[name] == seen[name] for wanted, seen in pairs if name in wanted]
        scores[name] = Score(sum(hits), len(hits))
    return scores


def count_stories(
    expected: Sequence[Sequence[Reading]], read: Sequence[Sequence[Reading]]
) -> Score:
    """Count the stories whose every picture has the hero's hair and garment right."""
    right = 0
    for wanted, seen in zip(expected, read, strict=True):
        scores = count_right(wanted, seen)
        right += all(scores[name].right == len(wanted) for name in (HAIR, GARMENT))
    return Score(right, len(expected))


def name_misread(expected: Reading, read: Reading) -> list[str]:
    """Say what a picture shows otherwise than asked, as in "hair: red -> brown"."""
    return [
        f"{name.removesuffix(' colour')}: {wanted} -> {read[name]}"
        for name, wanted in expected.items()
        if read[name] != wanted
    ]


def _percent(score: Score | None) -> str:
    return f"{100 * score.share:.1f}%" if score is not None and score.of else ""


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    head = ("attribute", "right", "of", "share", "target", "judge: drawings", "judge: round trips")
    lines = [head, ("---",) + ("---:",) * (len(head) - 1)]
    for row in rows:
        target = f"{100 * row.target:.0f}%" if row.target is not None else ""
        figures = (str(row.score.right), str(row.score.of), _percent(row.score), target)
        lines.append((row.name, *figures, _percent(row.drawings), _percent(row.round_trips)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def row_facts(row: Row) -> dict[str, str | int | float | None]:
    """Return a row as JSON holds it."""

    def share(score: Score | None) -> float | None:
        return round(score.share, 4) if score is not None and score.of else None

    return {
        "attribute": row.name,
        "right": row.score.right,
        "of": row.score.of,
        "share": share(row.score),
        "target": row.target,
        "judge_drawings": share(row.drawings),
        "judge_round_trips": share(row.round_trips),
    }
