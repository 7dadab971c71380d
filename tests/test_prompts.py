import random
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import CLIPTokenizer

from engine.prompts import (
    PromptReading,
    Tokenizer,
    chunk_ids,
    pad_chunks,
    split_tokens,
    text_window,
)

WINDOW = 75


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Tokenizer:
    return CLIPTokenizer.from_pretrained(tiny_model / "tokenizer")


def random_tokens(count: int, seed: int) -> list[str]:
    source = random.Random(seed)
    return source.choices(["mid", "word</w>", ",</w>", "x"], weights=[3, 3, 1, 3], k=count)


@pytest.mark.parametrize("count", [0, 1, 74, 75, 76, 149, 150, 151, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_splitting_neither_loses_nor_reorders_tokens(count: int, seed: int) -> None:
    tokens = random_tokens(count, seed)
    chunks = split_tokens(tokens, WINDOW)
    assert [token for chunk in chunks for token in chunk] == tokens
    assert all(len(chunk) <= WINDOW for chunk in chunks)
    assert all(chunks) or chunks == [[]]


@pytest.mark.parametrize("count", [0, 1, 75])
def test_what_fits_one_window_is_one_chunk(count: int) -> None:
    assert len(split_tokens(["x</w>"] * count, WINDOW)) == 1


def test_the_cut_comes_after_a_comma_where_there_is_one() -> None:
    tokens = [*["a</w>"] * 65, ",</w>", *["b</w>"] * 30]
    assert [len(chunk) for chunk in split_tokens(tokens, WINDOW)] == [66, 30]


def test_the_last_comma_of_the_window_is_preferred() -> None:
    tokens = [*["a</w>"] * 60, ",</w>", *["b</w>"] * 9, ",</w>", *["c</w>"] * 30]
    assert len(split_tokens(tokens, WINDOW)[0]) == 71


def test_a_comma_far_back_does_not_count() -> None:
    tokens = [*["a</w>"] * 20, ",</w>", *["b</w>"] * 80]
    assert len(split_tokens(tokens, WINDOW)[0]) == WINDOW


def test_without_a_comma_the_cut_comes_after_a_word() -> None:
    tokens = [*["a</w>"] * 70, *["b"] * 10, "b</w>"]
    assert [len(chunk) for chunk in split_tokens(tokens, WINDOW)] == [70, 11]


def test_a_word_longer_than_the_window_is_cut_inside() -> None:
    assert [len(chunk) for chunk in split_tokens(["x"] * 160, WINDOW)] == [75, 75, 10]


@pytest.mark.parametrize("window", [1, 2, 5, 20, 21])
def test_small_windows_end_too(window: int) -> None:
    tokens = random_tokens(100, 1)
    chunks = split_tokens(tokens, window)
    assert [token for chunk in chunks for token in chunk] == tokens


@pytest.mark.parametrize(
    "prompt", ["", " ", "a cat", "A Cat!", "a, b; c (d:1.2)", "x" * 75, "héros 猫 \U0001f409"]
)
def test_the_ids_of_a_short_prompt_are_the_tokenizers_own(
    tokenizer: CLIPTokenizer, prompt: str
) -> None:
    own = tokenizer(prompt, padding="max_length", max_length=77, truncation=True).input_ids
    assert chunk_ids(tokenizer, prompt) == [own]


def test_a_long_prompt_is_read_to_its_end(tokenizer: CLIPTokenizer) -> None:
    prompt = ", ".join(f"part{number}" for number in range(60))
    chunks = chunk_ids(tokenizer, prompt)
    frame = {tokenizer.bos_token_id, tokenizer.eos_token_id}
    inside = [token for chunk in chunks for token in chunk if token not in frame]
    assert inside == tokenizer(prompt, add_special_tokens=False).input_ids
    assert len(chunks) > 1 and all(len(chunk) == 77 for chunk in chunks)


def test_every_chunk_is_framed_and_padded(tokenizer: CLIPTokenizer) -> None:
    *_, last = chunk_ids(tokenizer, "x " * 80)
    bos, eos, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    end = last.index(eos)
    assert last[0] == bos and set(last[end + 1 :]) == {pad}


def test_a_tokenizer_without_padding_pads_with_its_end() -> None:
    stub = SimpleNamespace(
        model_max_length=6, bos_token_id=0, eos_token_id=1, pad_token_id=None,
        tokenize=str.split, convert_tokens_to_ids=lambda tokens: [9 for _ in tokens],
    )  # fmt: skip
    assert chunk_ids(stub, "a b") == [[0, 9, 9, 1, 1, 1]]


def test_padding_token_zero_is_used() -> None:
    stub = SimpleNamespace(
        model_max_length=5, bos_token_id=7, eos_token_id=8, pad_token_id=0,
        tokenize=str.split, convert_tokens_to_ids=lambda tokens: [9 for _ in tokens],
    )  # fmt: skip
    assert chunk_ids(stub, "a") == [[7, 9, 8, 0, 0]]


def test_length_is_counted_without_the_frame(tokenizer: CLIPTokenizer) -> None:
    length = PromptReading(tokenizer, text_window(tokenizer)).length("abc de")
    assert (length.tokens, length.window, length.cuts) == (5, 75, False)
    assert text_window(tokenizer) == 75


def test_length_of_a_long_prompt_is_not_cut(tokenizer: CLIPTokenizer) -> None:
    assert PromptReading(tokenizer, 75).length("x " * 500).tokens == 500


def test_shorter_prompts_are_filled_with_empty_chunks() -> None:
    assert pad_chunks([[1]], 3, [0]) == [[1], [0], [0]]
    assert pad_chunks([[1], [2]], 2, [0]) == [[1], [2]]
