"""Prompts as the text encoder reads them: long ones in chunks, none cut.

The hero stands first in a scene's prompt, so cutting at the window's end would drop the scene.
Instead the tokens are split into chunks of one window each, which are encoded one by one and
joined along the sequence, as the widespread web interfaces for Stable Diffusion do.
"""

from dataclasses import dataclass
from typing import Protocol

_LOOK_BACK = 20


class Tokenizer(Protocol):
    """The part of a `CLIPTokenizer` that is used here."""

    model_max_length: int
    bos_token_id: int
    eos_token_id: int
    pad_token_id: int | None

    def tokenize(self, text: str) -> list[str]: ...
    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]: ...


@dataclass(frozen=True)
class PromptLength:
    """How long a prompt is for the text encoder: `tokens` of text, read `window` at a time.

    Where it `cuts`, only the first `window` tokens are read.
    """

    tokens: int
    window: int
    cuts: bool = False


def text_window(tokenizer: Tokenizer) -> int:
    """Tokens of text in one chunk: the encoder's window without its start and end tokens."""
    return tokenizer.model_max_length - 2


@dataclass(frozen=True)
class PromptReading:
    """How a model reads prompts: `window` tokens at a time, or where it `cuts`, at all."""

    tokenizer: Tokenizer
    window: int
    cuts: bool = False

    def length(self, prompt: str) -> PromptLength:
        """Count a prompt's tokens."""
        return PromptLength(len(self.tokenizer.tokenize(prompt)), self.window, self.cuts)


def split_tokens(tokens: list[str], window: int) -> list[list[str]]:
    """Split into chunks of at most `window` tokens, after a comma or at least a word's end.

    The cut is looked for in the last 20 tokens of a chunk. An empty prompt is one empty chunk.
    """
    chunks = []
    while len(tokens) > window:
        cut = _cut_before(tokens[:window])
        chunks.append(tokens[:cut])
        tokens = tokens[cut:]
    chunks.append(tokens)
    return chunks


def _cut_before(tokens: list[str]) -> int:
    earliest = max(1, len(tokens) - _LOOK_BACK)
    for ending in (",</w>", "</w>"):
        for cut in range(len(tokens), earliest, -1):
            if tokens[cut - 1].endswith(ending):
                return cut
    return len(tokens)


def chunk_ids(tokenizer: Tokenizer, prompt: str) -> list[list[int]]:
    """Turn a prompt into token ids, shape (chunks, `model_max_length`), framed and padded."""
    window = text_window(tokenizer)
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    return [
        [
            tokenizer.bos_token_id,
            *tokenizer.convert_tokens_to_ids(tokens),
            tokenizer.eos_token_id,
            *[pad] * (window - len(tokens)),
        ]
        for tokens in split_tokens(tokenizer.tokenize(prompt), window)
    ]


def pad_chunks(chunks: list[list[int]], count: int, empty: list[int]) -> list[list[int]]:
    """Append `empty` chunks until there are `count`, so that two prompts have one length."""
    return chunks + [empty] * (count - len(chunks))
