"""Stage 2: a CLIP-style byte-pair tokenizer learnt from captions, so that any text encodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tokenizers import Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

from training.captions import write_caption
from training.presets import Preset
from training.world import training_scene

WINDOW = 77
START, END = "<|startoftext|>", "<|endoftext|>"
SUFFIX = "</w>"


def iterate_captions(preset: Preset) -> Iterator[str]:
    """Yield the captions that the tokenizer learns from."""
    rng = Random(f"tokenizer:{preset.seed}")
    for index in range(preset.captions):
        yield write_caption(training_scene(preset.seed, index, preset.things), rng)


def train_tokenizer(preset: Preset, target: Path) -> None:
    """Learn merges from captions and save a CLIPTokenizer's files in `target`."""
    pattern = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(models.BPE(end_of_word_suffix=SUFFIX))
    learner.normalizer = pattern.normalizer
    learner.pre_tokenizer = pattern.pre_tokenizer
    alphabet = sorted(_byte_letters())
    trainer = trainers.BpeTrainer(
        vocab_size=preset.diffusion.vocabulary - len(alphabet),
        initial_alphabet=alphabet,
        end_of_word_suffix=SUFFIX,
        min_frequency=3,
        show_progress=False,
    )
    learner.train_from_iterator(iterate_captions(preset), trainer)
    vocabulary, merges = _with_every_byte(learner, alphabet, preset.diffusion.vocabulary)
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=WINDOW)
    tokenizer.save_pretrained(target)


def _byte_letters() -> list[str]:
    """Return the 256 letters by which byte-level BPE writes bytes."""
    return list(ByteLevel.alphabet())


def _with_every_byte(
    learner: Tokenizer, alphabet: list[str], limit: int
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return vocabulary and merges that hold every byte, alone and at a word's end.

    The end token comes last but is within `limit`, as CLIP orders it: its encoder finds the
    end of a text by the token's id, not by its rank.
    """
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    tokens = [*alphabet, *(letter + SUFFIX for letter in alphabet)]
    known = set(tokens)
    for first, second in merges:
        if first + second not in known:
            tokens.append(first + second)
            known.add(first + second)
    if len(tokens) + 2 > limit:
        raise ValueError(f"{len(tokens) + 2} tokens do not fit a vocabulary of {limit}")
    vocabulary = {token: number for number, token in enumerate([*tokens, START, END])}
    return vocabulary, merges


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load the tokenizer that was saved there."""
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=WINDOW)
    return tokenizer
