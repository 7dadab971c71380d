"""What the benchmarks compute from what they measured; and that the same work is asked of all."""

import importlib
import json
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks import concurrency, limits, plots, workloads
from benchmarks.__main__ import BENCHMARKS, keep
from benchmarks.checks import NotTheSame, check_picture
from benchmarks.estimates import (
    Outcome,
    first_requests,
    mixed_requests,
    steadiness,
    summary_of,
)
from benchmarks.extents import extent, is_full, told_extents
from benchmarks.fairness import Pace, alike, round_robin_s, unlike
from benchmarks.offered_load import Answer, arrivals_s, summary
from benchmarks.targets import judge, judge_on, line
from benchmarks.turns import compared, percentile, ratio, take_turns
from engine import ImageRequest, VideoRequest

PAGE = "page"  # imports playwright, which not everybody has


def test_sides_take_turns_and_checking_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    now, order = [0.0], list[str]()
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def work(name: str, seconds: float) -> str:
        now[0] += seconds
        return name

    def check(made: str) -> None:
        now[0] += 100
        order.append(made)

    sides = {"ours": lambda: work("ours", 1), "peer": lambda: work("peer", 4)}
    assert take_turns(sides, 2, check) == {"ours": [1, 1], "peer": [4, 4]}
    assert order == ["ours", "peer", "ours", "peer"]


def test_what_is_not_the_same_is_refused() -> None:
    def check(made: object) -> None:
        raise NotTheSame("nothing")

    with pytest.raises(NotTheSame):
        take_turns({"ours": lambda: None}, 1, check)


def test_ratio_is_taken_round_by_round() -> None:
    told = ratio([1.0, 2.0, 9.0], [2.0, 2.0, 3.0])
    assert told == {"median": 1.0, "spread": [0.5, 3.0], "of_least": 0.5}


def test_comparison_tells_every_side() -> None:
    told = compared({"ours": [1.0, 3.0, 2.0], "peer": [4.0, 4.0, 4.0]})
    assert told["rounds"] == 3
    assert told["seconds"]["ours"] == {"median": 2.0, "spread": [1.0, 3.0]}
    assert told["ratio_of_ours_to"]["peer"]["median"] == 0.5


@pytest.mark.parametrize(
    ("on", "name"),
    [
        ({"device": "cpu", "bf16": True}, "film.json"),
        ({"device": "cpu", "bf16": False}, "film-float32.json"),
        ({"device": "cuda", "bf16": True}, "film-cuda.json"),
    ],
)
def test_each_kind_of_device_keeps_results_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, on: dict[str, Any], name: str
) -> None:
    monkeypatch.setattr("benchmarks.__main__.machine", lambda: on)
    monkeypatch.setattr("benchmarks.film.measure", lambda: {"seconds": {}})
    keep("film", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert json.loads((tmp_path / name).read_text("utf-8"))["machine"] == on


@pytest.mark.parametrize(
    ("share", "value"), [(0, 1), (0.5, 2), (0.51, 3), (0.75, 3), (0.95, 4), (1, 4)]
)
def test_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert percentile([4, 2, 1, 3], share) == value


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 1.1), ([1.0], -0.1)])
def test_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, share)


def test_turns_step_by_step() -> None:
    pace = Pace(step_s=1.0, rest_s=0.0)
    assert round_robin_s([[3], [3]], pace) == [5.0, 6.0]
    assert round_robin_s([[1], [5]], pace) == [1.0, 6.0]
    assert round_robin_s([[2, 2], [1]], pace) == [5.0, 2.0]


def test_what_follows_the_steps_belongs_to_a_turn() -> None:
    assert round_robin_s([[1, 1], [1]], Pace(step_s=1.0, rest_s=0.5)) == [4.5, 3.0]


def test_nobody_finishes_later_than_all_the_work_takes() -> None:
    steps = [[request.num_inference_steps for request in one] for one in unlike(8)]
    pace = Pace(step_s=0.07, rest_s=0.1)
    finished = round_robin_s(steps, pace)
    total = sum(map(sum, steps)) * pace.step_s + 32 * pace.rest_s
    assert max(finished) == pytest.approx(total)
    assert finished == sorted(finished)
    assert finished[0] < 0.6 * total


def test_clients_ask_for_the_same_pictures_in_both_mixes() -> None:
    both = [sorted(r.seed or 0 for one in mix for r in one) for mix in (alike(8), unlike(8))]
    assert both[0] == both[1] == list(range(32))


def test_arrivals_are_open_loop() -> None:
    moments = arrivals_s(20.0, 500.0, seed=1)
    assert moments == sorted(moments) == arrivals_s(20.0, 500.0, seed=1)
    assert moments != arrivals_s(20.0, 500.0, seed=2)
    assert moments[0] > 0 and moments[-1] < 500
    assert len(moments) == pytest.approx(10_000, rel=0.05)
    gaps = [b - a for a, b in pairwise(moments)]
    assert sum(gap > 2 / 20 for gap in gaps) / len(gaps) == pytest.approx(0.135, abs=0.02)


def test_load_tells_refused_apart() -> None:
    answers = [Answer(0, 1, 200), Answer(1, 3, 200), Answer(2, 0.1, 503), Answer(3, 0.1, 500)]
    told = summary(answers, window_s=2.0)
    assert (told["made"], told["refused"], told["failed"]) == (2, 1, 1)
    assert (told["offered_per_s"], told["pictures_per_s"]) == (2.0, 0.5)
    assert (told["p50_s"], told["p95_s"]) == (1.0, 3.0)
    assert summary([Answer(0, 0.1, 503)], window_s=2.0)["p50_s"] is None


def test_promises_are_held_against_what_jobs_took() -> None:
    request = ImageRequest(prompt="a fox")
    pairs = [(1.0, 1.0), (1.14, 1.0), (0.84, 1.0), (30.0, 20.0)]
    told = summary_of([Outcome(request, promised_s, took_s) for promised_s, took_s in pairs])
    assert (told["jobs"], told["share_within"]) == (4, 0.5)
    assert told["share_within_as_whole_seconds"] == 0.75
    assert (told["error_worst"], told["bias_median"]) == (0.5, 0.07)


def test_jobs_whose_promises_are_judged_are_mixed_and_always_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BENCH_SMOKE", raising=False)
    assert [type(one) for one in first_requests()] == [ImageRequest, ImageRequest, VideoRequest]
    mixed = mixed_requests(30)
    assert mixed == mixed_requests(30)
    images = [one for one in mixed if isinstance(one, ImageRequest)]
    films = [one for one in mixed if isinstance(one, VideoRequest)]
    assert (len(images), len(films)) == (23, 7)
    assert {one.format for one in images} == {"png", "webp", "jpeg"}
    assert {one.guidance_scale for one in images} == {None, 1.0}
    assert len({(one.width, one.height) for one in images}) >= 3
    assert {one.moves for one in films} == {True, False}
    assert len({one.transition for one in films}) > 1


def test_targets_are_judged() -> None:
    assert judge("a", 1.0, at_most=1.0)["state"] == "met"
    assert judge("a", 1.1, at_most=1.0)["state"] == "missed"
    assert judge("a", 4.0, at_least=4.0)["state"] == "met"
    assert judge("a", 3.9, at_least=4.0)["state"] == "missed"
    assert judge("a", None, at_least=4.0)["state"] == "unmeasured"
    with pytest.raises(ValueError, match="one limit"):
        judge("a", 1.0, at_most=1.0, at_least=1.0)


def test_what_a_gpu_must_do_is_unmeasured_on_a_cpu() -> None:
    target = judge_on("cuda", "cpu", "one image", 20.0, at_most=0.15)
    assert (target["state"], target["value"]) == ("unmeasured", None)
    assert line(target).startswith("unmeasured")
    assert judge_on("cuda", "cuda", "one image", 0.1, at_most=0.15)["state"] == "met"


@pytest.mark.parametrize(
    ("device", "share", "state"),
    [("cuda", 0.46, "met"), ("cuda", 0.44, "missed"), ("cpu", 0.46, "unmeasured")],
)
def test_many_at_once_are_held_against_what_arithmetic_allows(
    monkeypatch: pytest.MonkeyPatch, device: str, share: float, state: str
) -> None:
    for name in told_extents():
        monkeypatch.delenv(f"BENCH_{name.upper()}")
    flop = sum(
        2 * 485e9 * request.num_inference_steps + 2.5e12 for request in workloads.mixed_images(32)
    )
    rates = {"ours": share * 32 * 790e12 / flop, "plain": 1.0}
    measured = {"device": device}, {"32": {"pictures_per_s": rates}}
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(concurrency, "saved_tiny_sd", nullcontext)
    monkeypatch.setattr(concurrency, "_measure", lambda *work: measured)
    targets = concurrency.measure_tiny_sd()["targets"]
    (told,) = [target for target in targets if "arithmetic" in target["what"]]
    assert (told["state"], told["limit"], told["is"]) == (state, 0.45, "at least")
    assert told["value"] == (None if device == "cpu" else pytest.approx(share))


def test_extents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_SMOKE", raising=False)
    assert extent("rounds", 5, 1) == 5
    monkeypatch.setenv("BENCH_SMOKE", "1")
    assert extent("rounds", 5, 1) == 1
    monkeypatch.setenv("BENCH_ROUNDS", "3")
    assert extent("rounds", 5, 1) == 3
    assert extent("rounds", 5.0, 1.0) == 3.0


def test_targets_are_for_the_whole_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in told_extents():
        monkeypatch.delenv(f"BENCH_{name.upper()}")
    assert is_full()
    monkeypatch.setenv("BENCH_ROUNDS", "1")
    assert is_full()
    monkeypatch.setenv("BENCH_SIDE", "128")
    assert not is_full()
    assert told_extents() == {"rounds": "1", "side": "128"}


def test_full_extents_are_those_of_the_issue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_SMOKE", raising=False)
    assert workloads.documented_story().total_frames == 240
    film = workloads.one_minute()
    assert (film.total_frames, film.fps, film.width) == (3600, 60, 1024)
    story = workloads.ten_scenes()
    assert (len(story.scenes), story.width, story.num_inference_steps) == (10, 768, 25)
    steps = {request.num_inference_steps for request in workloads.mixed_images(32)}
    assert len(steps) > 8 and min(steps) >= 10 and max(steps) <= 50
    assert limits.picture_flop(25) == pytest.approx(26.8e12, rel=0.01)


def test_flat_or_wrong_pictures_are_refused() -> None:
    request = workloads.one_image().model_copy(update={"width": 64, "height": 64})
    picture = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    check_picture(picture, request)
    with pytest.raises(NotTheSame, match="one colour"):
        check_picture(Image.new("RGB", (64, 64)), request)
    with pytest.raises(NotTheSame, match="32"):
        check_picture(picture.resize((32, 32)), request)


def test_every_benchmark_is_there() -> None:
    for name, place in BENCHMARKS.items():
        module, function = place.split(":")
        if module != PAGE:
            assert callable(getattr(importlib.import_module(f"benchmarks.{module}"), function)), (
                name
            )


def test_results_are_drawn(tmp_path: Path) -> None:
    seconds = compared({"ours": [1.0, 2.0], "plain": [3.0, 4.0]})
    loads = [
        {"offered_per_s": 1.0, "pictures_per_s": 1.0, "p50_s": 1.0, "p95_s": 2.0},
        {"offered_per_s": 9.0, "pictures_per_s": 0.0, "p50_s": None, "p95_s": None},
    ]
    client = {"median": 1.2, "spread": [1.0, 1.4]}
    targets = [judge("a", 0.5, at_most=1.0), judge("b", None, at_least=4.0)]
    results: dict[str, dict[str, Any]] = {
        "image": {**seconds, "targets": targets},
        "concurrency": {"pictures": {"8": seconds}},
        "offered_load": {"loads": loads, "capacity_pictures_per_s": 1.1},
        "fairness": {"mixes": {"alike": {"ratio": [client] * 4}}},
        "film": {"512x512": {}},
    }
    for name, result in results.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(result), "utf-8")
    drawn = {path.stem for path in plots.draw_all(plots.read_results(tmp_path), tmp_path)}
    assert drawn == {"image", "concurrency", "offered_load", "fairness", "targets"}
    assert all((tmp_path / f"{name}.svg").read_text("utf-8").count("<svg") for name in drawn)


def test_a_machine_is_as_steady_as_its_repeats_are_near_their_median() -> None:
    assert steadiness([1.0, 1.1, 1.0, 0.9]) == 1.0
    assert steadiness([1.0, 1.0, 2.0, 0.5]) == 0.5
