"""Which model and which decoder serve, and where they come from."""

import socket
import time
from pathlib import Path

import pytest

from engine import choice as choices
from engine.choice import ModelChoice, choose_decoder, choose_model
from engine.errors import ModelUnavailable
from engine.models import load_model
from tests.hub_server import COMMIT, Hub, lay_out_cache, serve_hub, use_cache, use_hub
from tests.loaded import make_settings

REPO = choices.DEFAULT_HUB_MODEL
DECODER = "somebody/tiny-decoder"


def nothing(done: int, total: int) -> None:
    pass


def choose(name: str) -> ModelChoice:
    return choose_model(make_settings(model=name), nothing)


def decoder(name: str | None) -> ModelChoice | None:
    return choose_decoder(make_settings(decoder=name), nothing)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache in use; the hub stays offline."""
    use_cache(monkeypatch, tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def bundled(tiny_flow_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(choices, "BUNDLED", tiny_flow_model)
    return tiny_flow_model


def test_auto_without_a_cache_takes_the_bundled_model_and_says_why(
    cache: Path, bundled: Path
) -> None:
    choice = choose("auto")
    assert (choice.folder, choice.name, choice.revision) == (bundled, "bundled", "local")
    assert REPO in choice.reason and "not in the local hub cache" in choice.reason


def test_auto_takes_the_default_model_from_the_cache(
    cache: Path, bundled: Path, tiny_model: Path
) -> None:
    snapshot = lay_out_cache(cache, REPO, tiny_model)
    choice = choose("auto")
    assert (choice.folder, choice.name, choice.revision) == (snapshot, REPO, COMMIT)
    assert load_model(choice, make_settings()).choice is choice


@pytest.mark.parametrize(
    "lost", ["unet/diffusion_pytorch_model.safetensors", "model_index.json", "vae/config.json"]
)
def test_auto_does_not_take_an_incomplete_cache(
    cache: Path, bundled: Path, tiny_model: Path, lost: str
) -> None:
    (lay_out_cache(cache, REPO, tiny_model) / lost).unlink()
    assert choose("auto").folder == bundled


def test_auto_does_not_take_a_broken_cache(cache: Path, bundled: Path, tiny_model: Path) -> None:
    (lay_out_cache(cache, REPO, tiny_model) / "model_index.json").write_text("{")
    assert choose("auto").folder == bundled


def test_bundled_is_taken_even_if_the_cache_has_more(
    cache: Path, bundled: Path, tiny_model: Path
) -> None:
    lay_out_cache(cache, REPO, tiny_model)
    assert choose("bundled").folder == bundled


def test_a_folder_is_taken_as_it_is(cache: Path, tiny_model: Path) -> None:
    choice = choose(str(tiny_model))
    assert (choice.folder, choice.name) == (tiny_model, tiny_model.name)


def test_a_hub_id_is_found_in_the_cache(cache: Path, tiny_model: Path) -> None:
    snapshot = lay_out_cache(cache, "somebody/else", tiny_model)
    choice = choose("somebody/else")
    assert (choice.folder, choice.name, choice.revision) == (snapshot, "somebody/else", COMMIT)


@pytest.mark.parametrize(
    "name",
    ["/nowhere/at/all", "./nowhere", "../nowhere", "~/nowhere", "nowhere", "a/b/c", "a\0b/c", "/"],
)
def test_a_folder_that_is_not_there_is_told_with_a_remedy(cache: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        load_model(choose(name), make_settings())
    assert caught.value.advice
    assert "nowhere" not in caught.value.message


def test_a_named_model_never_falls_back(cache: Path, bundled: Path) -> None:
    with pytest.raises(ModelUnavailable, match="HF_HUB_OFFLINE") as caught:
        choose("somebody/else")
    assert "while online" in caught.value.advice


def test_a_silent_hub_is_given_up_soon(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.hub.PROBE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(ModelUnavailable, match="did not answer"):
            choose(REPO)
    assert time.monotonic() - start < 10 * 0.2


def test_auto_asks_no_hub(
    cache: Path, bundled: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_hub(Hub(REPO, tiny_model)) as hub:
        use_hub(monkeypatch, hub.url)
        assert choose("auto").folder == bundled
    assert hub.asked == []


def test_a_named_model_is_fetched_from_the_hub_and_loads(
    cache: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    with serve_hub(Hub("somebody/else", tiny_model)) as hub:
        use_hub(monkeypatch, hub.url)
        wanted = make_settings(model="somebody/else")
        choice = choose_model(wanted, lambda done, total: told.append((done, total)))
    assert (choice.name, choice.revision) == ("somebody/else", COMMIT)
    assert "fetched from the hub" in choice.reason and told[-1][0] == told[-1][1]
    assert load_model(choice, wanted).native_side == 64
    assert choose("somebody/else").folder == choice.folder  # and offline from now on


def test_the_models_own_decoder_serves_where_no_other_is_named(cache: Path) -> None:
    assert decoder(None) is None


def test_a_decoder_in_a_folder_is_taken(tiny_decoder: Path) -> None:
    found = decoder(str(tiny_decoder))
    assert found is not None
    assert (found.folder, found.name, found.revision) == (tiny_decoder, "tiny-decoder", "local")
    assert "--decoder" in found.reason


def test_a_decoder_is_found_in_the_cache(cache: Path, tiny_decoder: Path) -> None:
    snapshot = lay_out_cache(cache, DECODER, tiny_decoder)
    found = decoder(DECODER)
    assert found is not None
    assert (found.folder, found.name, found.revision) == (snapshot, DECODER, COMMIT)


def test_a_decoder_is_fetched_from_the_hub(
    cache: Path, tiny_decoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_hub(Hub(DECODER, tiny_decoder)) as hub:
        use_hub(monkeypatch, hub.url)
        found = decoder(DECODER)
    assert found is not None and "fetched from the hub" in found.reason
    assert decoder(DECODER) == ModelChoice(
        found.folder, DECODER, COMMIT, "named with --decoder, found in the local hub cache"
    )


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nowhere", "~/nowhere", "nowhere", "a/b/c"])
def test_a_decoder_that_is_not_there_is_told_with_a_remedy(cache: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable, match="--decoder does not exist") as caught:
        decoder(name)
    assert "--decoder" in caught.value.advice and "--model" not in caught.value.advice


def test_a_decoder_that_cannot_be_fetched_is_told_with_a_remedy(cache: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"The decoder is not .*HF_HUB_OFFLINE") as caught:
        decoder(DECODER)
    assert "--decoder" in caught.value.advice


def test_a_pipeline_is_not_fetched_as_a_decoder(
    cache: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_hub(Hub("somebody/else", tiny_model)) as hub:
        use_hub(monkeypatch, hub.url)
        with pytest.raises(ModelUnavailable, match=r"no config\.json"):
            decoder("somebody/else")
    assert not [line for line in hub.asked if "resolve" in line]
