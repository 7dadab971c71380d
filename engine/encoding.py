"""Prompts as the U-Net sees them, the latest kept: most requests share their negative prompt."""

from collections import OrderedDict

import torch
from torch import Tensor

from engine.models import LoadedModel
from engine.prompts import chunk_ids, pad_chunks
from engine.requests import ImageTask

_KEPT, _KEPT_BYTES = 64, 32 * 2**20


class Encoder:
    """Encodes the prompts of tasks. For one thread: it uses the device."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._kept: OrderedDict[tuple[str, int], Tensor] = OrderedDict()

    def count_chunks(self, task: ImageTask, *, guided: bool) -> int:
        """How many windows of the text encoder the longer of a task's prompts takes."""
        tokenizer = self._model.pipeline.tokenizer
        return max(len(chunk_ids(tokenizer, text)) for text in _texts(task, guided=guided))

    def encode(self, task: ImageTask, *, guided: bool) -> Tensor:
        """Encode the negative prompt and the prompt, or the prompt alone when not guided.

        Returns:
            Embeddings (2 or 1, chunks × window, width) in the model's dtype.
        """
        count = self.count_chunks(task, guided=guided)
        return torch.stack([self._embed(text, count) for text in _texts(task, guided=guided)])

    def _embed(self, text: str, count: int) -> Tensor:
        """Embed one text in so many chunks, alone: what is kept must not change the numbers."""
        key = (text, count)
        if key not in self._kept:
            self._kept[key] = self._compute(text, count)
        self._kept.move_to_end(key)
        found = self._kept[key]
        while len(self._kept) > _KEPT or self._kept_bytes > _KEPT_BYTES:
            self._kept.popitem(last=False)  # this one, too, if it alone is too large
        return found

    @property
    def _kept_bytes(self) -> int:
        return sum(kept.nbytes for kept in self._kept.values())

    def _compute(self, text: str, count: int) -> Tensor:
        pipeline = self._model.pipeline
        (empty,) = chunk_ids(pipeline.tokenizer, "")
        rows = pad_chunks(chunk_ids(pipeline.tokenizer, text), count, empty)
        ids = torch.tensor(rows, device=pipeline._execution_device)
        hidden: Tensor = pipeline.text_encoder(ids).last_hidden_state
        return hidden.flatten(0, 1).to(self._model.dtype)


def _texts(task: ImageTask, *, guided: bool) -> list[str]:
    return [task.negative_prompt, task.prompt] if guided else [task.prompt]
