import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import hub
from engine.hub import (
    COMPONENT_CONFIG,
    HubUnreachable,
    RemoteFile,
    choose_files,
    download,
    find_cached,
    missing_parts,
)
from tests.hub_server import COMMIT, Hub, lay_out_cache, serve_hub, use_cache, use_hub

REPO = "segmind/tiny-sd"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache in use; the hub stays offline."""
    folder = tmp_path / "cache"
    use_cache(monkeypatch, folder)
    return folder


@pytest.fixture
def snapshot(cache: Path, tiny_model: Path) -> Path:
    return lay_out_cache(cache, REPO, tiny_model)


def nothing(done: int, total: int) -> None:
    pass


def test_a_complete_snapshot_is_found_offline(snapshot: Path) -> None:
    assert find_cached(REPO) == snapshot


def test_an_empty_cache_holds_nothing(cache: Path) -> None:
    assert find_cached(REPO) is None


def test_another_models_cache_does_not_count(snapshot: Path) -> None:
    assert find_cached("segmind/small-sd") is None


def test_the_cache_of_hf_home_is_the_one_looked_at(tmp_path: Path, tiny_model: Path) -> None:
    snapshot = lay_out_cache(tmp_path / "home" / "hub", REPO, tiny_model)
    home = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    home |= {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    script = f"from engine.hub import find_cached; print(find_cached({REPO!r}), end='')"
    found = subprocess.run([sys.executable, "-c", script], env=home, capture_output=True, text=True)
    assert found.stdout == str(snapshot), found.stderr


@pytest.mark.parametrize("repo_id", ["a/b/c", "..", "a/..", "", "with space/x", "x" * 200])
def test_an_invalid_id_is_refused(cache: Path, repo_id: str) -> None:
    with pytest.raises(HubUnreachable):
        find_cached(repo_id)


REQUIRED = [
    "unet/diffusion_pytorch_model.safetensors",
    "unet/config.json",
    "vae/config.json",
    "text_encoder/model.safetensors",
    "scheduler/scheduler_config.json",
    "tokenizer",
    "unet",
    "vae",
    "text_encoder",
    "scheduler",
]


@pytest.mark.parametrize("name", REQUIRED)
def test_an_incomplete_snapshot_is_not_taken(snapshot: Path, name: str) -> None:
    lost = snapshot / name
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    assert len(missing_parts(snapshot)) == 1
    assert missing_parts(snapshot)[0].startswith(name.split("/")[0])
    assert find_cached(REPO) is None


def test_a_tokenizer_without_words_is_incomplete(snapshot: Path) -> None:
    for path in (snapshot / "tokenizer").iterdir():
        if path.name != "tokenizer_config.json":
            path.unlink()
    assert missing_parts(snapshot) == ["tokenizer words"]
    (snapshot / "tokenizer" / "spiece.model").write_bytes(b"words")
    assert missing_parts(snapshot) == []


def test_a_link_to_a_lost_blob_is_incomplete(snapshot: Path) -> None:
    weights = snapshot / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    weights.symlink_to(snapshot.parents[1] / "blobs" / "gone")
    assert find_cached(REPO) is None


@pytest.mark.parametrize("text", ["{", "[]", "null", '"text"', "", "\ufffe"])
def test_a_snapshot_with_a_broken_index_is_not_taken(snapshot: Path, text: str) -> None:
    (snapshot / "model_index.json").write_text(text)
    assert find_cached(REPO) is None


def test_a_snapshot_without_an_index_is_not_taken(snapshot: Path) -> None:
    (snapshot / "model_index.json").unlink()
    assert find_cached(REPO) is None


def test_parts_that_are_never_loaded_need_not_be_there(snapshot: Path) -> None:
    index = json.loads((snapshot / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    (snapshot / "model_index.json").write_text(json.dumps(index))
    assert find_cached(REPO) == snapshot


def shard(snapshot: Path, weight_map: object) -> None:
    part = snapshot / "unet"
    (part / "diffusion_pytorch_model.safetensors").rename(part / "shard-1.safetensors")
    index = part / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))


def test_weights_in_shards_are_complete_when_all_shards_are_there(snapshot: Path) -> None:
    shard(snapshot, {"a": "shard-1.safetensors", "b": "shard-1.safetensors"})
    assert missing_parts(snapshot) == []


@pytest.mark.parametrize("weight_map", [{"a": "shard-2.safetensors"}, {}, [], None, {"a": 3}])
def test_weights_with_a_lost_shard_are_incomplete(snapshot: Path, weight_map: object) -> None:
    shard(snapshot, weight_map)
    assert missing_parts(snapshot) == ["unet weights"]


def names(*paths: str) -> list[str]:
    return [file.path for file in choose_files([RemoteFile(path, 1) for path in paths])]


def test_configs_and_safetensors_are_fetched() -> None:
    wanted = [
        "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
        "text_encoder/model.safetensors", "tokenizer/merges.txt", "tokenizer/vocab.json",
        "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "storyreel.json",
        "tokenizer_2/spiece.model",
    ]  # fmt: skip
    assert names(*wanted) == wanted


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "config.json",
        "v1-5-pruned.ckpt",
        "model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.bin",
        "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_flax_model.msgpack",
        "unet/model.onnx",
        "safety_checker/model.safetensors",
        "safety_checker/config.json",
        "feature_extractor/preprocessor_config.json",
        "checkpoint-10/unet/diffusion_pytorch_model.safetensors",
        "unet/evil.py",
    ],
)
def test_what_is_not_needed_is_not_fetched(path: str) -> None:
    kept = ["model_index.json", "unet/diffusion_pytorch_model.safetensors"]
    assert names(*kept, path) == kept


def test_bin_weights_are_fetched_where_there_are_no_safetensors() -> None:
    files = [
        "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.safetensors",
        "text_encoder/pytorch_model.bin", "text_encoder/model.safetensors",
    ]  # fmt: skip
    assert names(*files) == [files[0], files[3]]


def test_shards_and_their_list_are_fetched() -> None:
    files = [
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
    ]
    assert names(*files) == files


def component_names(*paths: str) -> list[str]:
    files = choose_files([RemoteFile(path, 1) for path in paths], COMPONENT_CONFIG)
    return [file.path for file in files]


def test_of_a_component_by_itself_the_config_and_the_weights_are_fetched() -> None:
    wanted = ["config.json", "diffusion_pytorch_model.safetensors"]
    left = [
        "README.md", ".gitattributes", "diffusion_pytorch_model.bin", "taesd_decoder.safetensors",
        "diffusion_pytorch_model.fp16.safetensors", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ]  # fmt: skip
    assert component_names(*left[:3], *wanted, *left[3:]) == wanted
    assert component_names("config.json", *left[:3]) == ["config.json", left[2]]


@pytest.mark.parametrize("lost", ["config.json", "diffusion_pytorch_model.safetensors"])
def test_a_component_by_itself_is_found_if_it_is_complete(
    cache: Path, tiny_decoder: Path, lost: str
) -> None:
    snapshot = lay_out_cache(cache, REPO, tiny_decoder)
    assert missing_parts(snapshot, COMPONENT_CONFIG) == []
    assert find_cached(REPO, COMPONENT_CONFIG) == snapshot
    assert find_cached(REPO) is None  # it is no pipeline
    (snapshot / lost).unlink()
    assert find_cached(REPO, COMPONENT_CONFIG) is None


def test_a_component_with_a_broken_config_is_not_taken(cache: Path, tiny_decoder: Path) -> None:
    (lay_out_cache(cache, REPO, tiny_decoder) / "config.json").write_text("{")
    assert find_cached(REPO, COMPONENT_CONFIG) is None


def test_a_pipeline_is_no_component(snapshot: Path) -> None:
    assert find_cached(REPO, COMPONENT_CONFIG) is None


def test_a_fetched_component_is_complete_and_found_again(
    cache: Path, tiny_decoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    served = Path(shutil.copytree(tiny_decoder, tmp_path / "served"))
    (served / "taesd_decoder.safetensors").write_bytes(b"not wanted")
    with serve_hub(Hub(REPO, served)) as online:
        use_hub(monkeypatch, online.url)
        folder = download(REPO, lambda *bytes: told.append(bytes), COMPONENT_CONFIG)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in tiny_decoder.iterdir()
    )
    total = sum(path.stat().st_size for path in tiny_decoder.iterdir())
    assert told[-1] == (total, total)
    assert find_cached(REPO, COMPONENT_CONFIG) == folder


@pytest.fixture
def online(
    cache: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    """A hub on this machine that serves the tiny model, an empty cache, the client online."""
    folder = tmp_path / "served"
    shutil.copytree(tiny_model, folder)
    (folder / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"not wanted")
    with serve_hub(Hub(REPO, folder)) as served:
        use_hub(monkeypatch, served.url)
        yield served


def test_a_fetched_model_is_complete_and_found_again(online: Hub) -> None:
    folder = download(REPO, nothing)
    assert folder.name == COMMIT and missing_parts(folder) == []
    asked = len(online.asked)
    assert find_cached(REPO) == folder
    assert len(online.asked) == asked
    for path in folder.rglob("*.safetensors"):
        assert path.read_bytes() == (online.folder / path.relative_to(folder)).read_bytes()
    assert list(folder.rglob("*fp16*")) == []


def test_progress_is_told_up_to_the_end(online: Hub) -> None:
    told: list[tuple[int, int]] = []
    folder = download(REPO, lambda done, total: told.append((done, total)))
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert {of for _, of in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (total, total)


def test_what_is_cached_already_is_not_fetched_again(online: Hub) -> None:
    download(REPO, nothing)
    before = [line for line in online.asked if line.startswith("GET") and "resolve" in line]
    told: list[tuple[int, int]] = []
    download(REPO, lambda done, total: told.append((done, total)))
    after = [line for line in online.asked if line.startswith("GET") and "resolve" in line]
    assert after == before
    assert told[-1][0] == told[-1][1] > 0


def status(number: int) -> Callable[[Hub], None]:
    return lambda served: setattr(served, "api_status", number)


def body(text: bytes) -> Callable[[Hub], None]:
    return lambda served: setattr(served, "api_body", text)


@pytest.mark.parametrize(
    "damage",
    [
        status(401),
        status(403),
        status(404),
        status(500),
        body(b"<html>Please log in to this hotel's network</html>"),
        body(b"[]"),
        body(b"{}"),
        body(b'{"id": "x/y", "sha": "abc", "siblings": [{"rfilename": "README.md"}]}'),
        lambda served: served.broken.add("unet/diffusion_pytorch_model.safetensors"),
    ],
    ids=["401", "403", "404", "500", "html", "list", "empty", "no pipeline", "lost file"],
)
def test_a_hub_that_does_not_deliver_is_told_in_words(
    online: Hub, damage: Callable[[Hub], None]
) -> None:
    damage(online)
    with pytest.raises(HubUnreachable) as caught:
        download(REPO, nothing)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert find_cached(REPO) is None


def test_an_offline_hub_costs_nothing_and_is_told(cache: Path) -> None:
    with pytest.raises(HubUnreachable, match="HF_HUB_OFFLINE"):
        download(REPO, nothing)


def test_a_refused_connection_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    use_hub(monkeypatch, f"http://127.0.0.1:{port}")
    with pytest.raises(HubUnreachable, match="did not answer"):
        download(REPO, nothing)


def test_a_silent_hub_is_given_up_after_the_probe_time(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hub.PROBE_S == 3.0
    monkeypatch.setattr(hub, "PROBE_S", 0.2)  # the test need not wait as long
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(HubUnreachable, match="did not answer"):
            download(REPO, nothing)
    # One wait, not several tries; the bound is wide for a busy machine.
    assert time.monotonic() - start < 10 * 0.2


def test_a_full_disk_is_told(online: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub, "hf_hub_download", full)
    with pytest.raises(HubUnreachable, match="No space left on device"):
        download(REPO, nothing)
