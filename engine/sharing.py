"""How many pictures to draw in one pass on a CPU, where memory is no bound.

A pass has costs of its own, whatever its rows: calls, threads that wait for each other, weights
that are read. In a small model they are a third of a pass of one picture, and four pictures in one
take a quarter less time each; in a large one they are nothing, and a pass of several is only
longer. Where that turns does not depend much on the machine; timing it would, and on what else the
machine does at that moment.
"""

from typing import Any

import torch

from engine.memory import Room

_MOST = 4
"""More in one pass were not faster, at any size."""
_USEFUL = 2.5e11
"""Weights times cells of a pass that still gains by growing. Measured with 16 million weights: at
48×48 cells two pictures together take 10% less than one by one, at 64×64 as long."""


def room_on_cpu(unet: Any, cells: int) -> Room:
    """How many pictures share a pass of a U-Net.

    Args:
        cells: of the latents of a picture of the model's own size.
    """
    with torch.device("meta"):  # a packed one no longer shows its weights
        twin = type(unet).from_config(unet.config)
    useful = _USEFUL / sum(parameter.numel() for parameter in twin.parameters())
    most = Room(_MOST, useful=useful).pictures(cells)
    return Room(most, useful=useful)
