"""Evaluation: prompts that state everything, honest counting, and a run that can be cut."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image

from engine import ImageRequest
from training import evaluate
from training.__main__ import main
from training.evaluate import SMOKE, Illustrator, digest_weights, evaluate_model, sweep_guidance
from training.full_captions import Case, list_cases, list_stories
from training.judge import load_judge
from training.labels import GARMENT, HAIR, SETTING, SUBJECT, TIME
from training.looks import CLOTH_WORDS, HAIR_WORDS
from training.phrases import SETTING_PHRASES, VIEW_PHRASES
from training.scoring import (
    Row,
    Score,
    count_right,
    count_stories,
    format_table,
    name_misread,
    row_facts,
)
from training.sheet import COLUMNS, LARGEST_FILE, SIDE, Entry, write_sheet
from training.world import held_out_scene

THINGS = 20


def reading(**changes: str) -> dict[str, str]:
    read = {
        "setting": "beach",
        "time": "noon",
        "weather": "clear",
        "subject": "woman",
        "hair colour": "red",
        "garment colour": "blue",
    }
    return read | {name.replace("_", " "): value for name, value in changes.items()}


def test_prompts_state_what_they_expect() -> None:
    cases = list_cases(120, THINGS)
    for case, scene in cases:
        assert scene.held_out
        where = (*SETTING_PHRASES[scene.setting], *VIEW_PHRASES[scene.setting])
        assert any(words in case.prompt for words in where), case
        if HAIR in case.expected:
            assert HAIR_WORDS[case.expected[HAIR]][0] in case.prompt
        if GARMENT in case.expected:
            assert CLOTH_WORDS[case.expected[GARMENT]][0] in case.prompt
        if scene.thing:
            assert scene.thing in case.prompt
    assert len({case.prompt for case, _ in cases}) > 110
    assert [case.seed for case, _ in cases] == list(range(120))
    assert list_cases(5, THINGS) == cases[:5]


def test_templates_differ() -> None:
    prompts = [case.prompt for case, _ in list_cases(120, THINGS)]
    assert any(prompt.startswith("a picture of") for prompt in prompts)
    assert any(", " in prompt for prompt in prompts)
    assert any(", " not in prompt for prompt in prompts)


def test_a_story_keeps_its_hero_and_changes_its_scene() -> None:
    for story in list_stories(6, THINGS):
        assert len(story.cases) == 4
        assert len({case.expected[SETTING] for case in story.cases}) == 4
        assert len({(case.expected[HAIR], case.expected[GARMENT]) for case in story.cases}) == 1
        first = story.cases[0].seed
        assert [case.seed for case in story.cases] == [first, first + 1, first + 2, first + 3]
        assert {case.seed for case in story.one_seed} == {first}
        assert [case.prompt for case in story.one_seed] == [case.prompt for case in story.cases]
        heads = {case.prompt.rsplit(", ", 1)[0] for case in story.cases}
        assert len(heads) == 1, heads


def test_only_what_a_prompt_states_is_counted() -> None:
    expected = [{SETTING: "beach", HAIR: "red"}, {SETTING: "cave"}, {TIME: "noon"}]
    read = [reading(), reading(setting="forest"), reading()]
    scores = count_right(expected, read)
    assert scores[SETTING] == Score(1, 2)
    assert scores[HAIR] == Score(1, 1)
    assert scores[TIME] == Score(1, 1)
    assert scores[SUBJECT] == Score(0, 0)
    assert scores[SUBJECT].share == 0


def test_a_story_counts_when_all_of_its_pictures_have_hair_and_garment_right() -> None:
    wanted = [{HAIR: "red", GARMENT: "blue", SETTING: "cave"}] * 4
    good = [reading()] * 4  # another setting does no harm
    bad = [*good[:3], reading(garment_colour="green")]
    assert count_stories([wanted, wanted], [good, bad]) == Score(1, 2)


def test_misread_attributes_are_named() -> None:
    assert name_misread({HAIR: "red", SETTING: "beach"}, reading()) == []
    assert name_misread({HAIR: "red"}, reading(hair_colour="brown")) == ["hair: red -> brown"]


def test_the_table_shows_the_figures() -> None:
    rows = [
        Row(SETTING, Score(437, 500), 0.85, Score(500, 500), Score(499, 500)),
        Row("weather", Score(3, 8)),
    ]
    lines = format_table(rows).splitlines()
    assert lines[2] == "| setting | 437 | 500 | 87.4% | 85% | 100.0% | 99.8% |"
    assert lines[3] == "| weather | 3 | 8 | 37.5% |  |  |  |"
    assert row_facts(rows[0]) == {
        "attribute": "setting",
        "right": 437,
        "of": 500,
        "share": 0.874,
        "target": 0.85,
        "judge_drawings": 1.0,
        "judge_round_trips": 0.998,
    }
    assert row_facts(rows[1])["target"] is None


def test_the_sheet_is_small_enough_to_commit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    noise = torch.randint(0, 256, (256, 256, 3), dtype=torch.uint8).numpy()
    prompt = "a woman with long red hair, wearing a blue jacket, standing on a beach at noon " * 2
    entry = Entry(Image.fromarray(noise), prompt, {HAIR: "red"}, reading(hair_colour="brown"))
    write_sheet([entry] * (COLUMNS + 1), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == COLUMNS * SIDE
        assert sheet.height > 2 * SIDE
    assert (tmp_path / "sheet.png").stat().st_size <= LARGEST_FILE


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """An illustrator that draws grey squares and breaks off at the third picture."""
    drawn: list[str] = []

    def generate(self: Illustrator, case: Case, guidance_scale: float | None) -> Image.Image:
        if len(drawn) == 2:
            drawn.append("cut")
            raise RuntimeError("cut")
        drawn.append(case.prompt)
        return Image.new("RGB", (512, 512), (case.seed, 128, 128))

    monkeypatch.setattr(Illustrator, "_generate", generate)
    yield drawn


def test_a_cut_run_goes_on_where_it_stopped(tmp_path: Path, cut_off: list[str]) -> None:
    cases = [Case(prompt, seed, {}) for seed, prompt in enumerate("abcd")]
    with (
        pytest.raises(RuntimeError, match="cut"),
        Illustrator(tmp_path, tmp_path / "kept") as illustrator,
    ):
        illustrator.draw_all(cases)
    with Illustrator(tmp_path, tmp_path / "kept") as illustrator:
        pictures = illustrator.draw_all(cases)
        illustrator.draw(cases[0], guidance_scale=5.0)
    assert cut_off == ["a", "b", "cut", "c", "d", "a"]
    assert [picture.getpixel((0, 0)) for picture in pictures] == [(i, 128, 128) for i in range(4)]


def test_other_weights_are_drawn_anew(tmp_path: Path) -> None:
    (tmp_path / "unet.safetensors").write_bytes(b"first")
    before = digest_weights(tmp_path)
    (tmp_path / "README.md").write_text("words change nothing")
    assert digest_weights(tmp_path) == before
    (tmp_path / "unet.safetensors").write_bytes(b"second")
    assert digest_weights(tmp_path) != before


def test_held_out_prompts_stay_within_the_judges_world() -> None:
    for index in range(30):
        scene = held_out_scene(5, index, THINGS)
        assert scene.held_out


@dataclass(frozen=True)
class Run:
    run_dir: Path
    bundle: Path


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    run = Run(tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("target") / "bundled")
    threads = torch.get_num_threads()
    main(["--preset", "smoke", "--run-dir", str(run.run_dir), "--target", str(run.bundle)])
    yield run
    torch.set_num_threads(threads)


def test_the_whole_way_ends_in_a_table_and_a_sheet(smoke: Run) -> None:
    results = smoke.run_dir / "results"
    facts = json.loads((results / "evaluation.json").read_text())
    rows = {row["attribute"]: row for row in facts["rows"]}
    assert rows["setting"]["of"] == SMOKE.prompts
    assert rows["setting"]["judge_drawings"] is not None
    assert rows["setting"]["judge_round_trips"] is not None
    assert sum(row["of"] for name, row in rows.items() if "four scenes" in name) == 2
    table = (results / "evaluation.md").read_text()
    assert "| setting |" in table and "seed + k" in table
    with Image.open(results / "contact-sheet.png") as sheet:
        assert sheet.width == COLUMNS * SIDE


def test_a_second_evaluation_draws_nothing(smoke: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the engine is not needed")

    monkeypatch.setattr(evaluate, "Engine", refuse)
    judge = load_judge(smoke.run_dir / "judge")
    results = smoke.run_dir / "again"
    evaluate_model(smoke.bundle, judge, SMOKE, smoke.run_dir, results, "smoke")
    first = (smoke.run_dir / "results" / "evaluation.json").read_text()
    assert (results / "evaluation.json").read_text() == first


def test_a_sweep_asks_the_engine_for_each_guidance(
    smoke: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float | None] = []

    def generate(self: Illustrator, case: Case, guidance_scale: float | None) -> Image.Image:
        request = ImageRequest(prompt=case.prompt, guidance_scale=guidance_scale)
        asked.append(request.guidance_scale)
        return Image.new("RGB", (512, 512))

    monkeypatch.setattr(Illustrator, "_generate", generate)
    judge = load_judge(smoke.run_dir / "judge")
    table = sweep_guidance(smoke.bundle, judge, SMOKE, smoke.run_dir, (3.0, 7.5))
    assert asked == [3.0] * SMOKE.sweep + [7.5] * SMOKE.sweep
    assert table.count("\n") == 4
    assert (smoke.run_dir / "sweep.md").read_text() == table
