"""Image tasks into pictures by a model's own pipeline, one after the other.

For families that our own loop does not know: `pipeline(...)` is called once a picture, and stopped
where a token is set, at a step or before a block of any of its parts.
"""

import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.denoiser import before_each_block
from engine.errors import BadOutput, InvalidRequest
from engine.jobs import CancelToken
from engine.latents import drawn_size, resample
from engine.memory import telling_out_of_memory
from engine.models import LoadedModel
from engine.preview import Projector
from engine.rows import Order, Picture, Row

logger = logging.getLogger(__name__)


class StockSampler:
    """Draws pictures with one loaded pipeline. For one thread: it uses the device."""

    most_rows = 1
    programs = None

    def __init__(self, model: LoadedModel) -> None:
        """Prepare to draw with a model that has a family.

        Raises:
            ValueError: it has none.
        """
        if model.family is None:
            raise ValueError("the model is of no stock family")
        self.model = model
        self._family = model.family
        self._projector = Projector(model)
        self._token = CancelToken()
        self._vae_dtype = model.pipeline.vae.dtype
        for part in model.pipeline.components.values():
            if isinstance(part, nn.Module):
                before_each_block(part, lambda: self._token.check())
        model.pipeline.vae.decoder.register_forward_hook(_check_decoded)

    def begin_all(self, orders: Sequence[Order]) -> list[Row]:
        """Draw pictures, one after the other; see `begin`."""
        return [self.begin(order) for order in orders]

    def begin(self, order: Order) -> Row:
        """Draw a picture at once; see `sampler.Sampler.begin`.

        Returns:
            The row, which has ended.
        """
        row = Row(order, self.model.defaults.guidance_for(order.task.guidance_scale))
        try:
            with telling_out_of_memory(self.model.device):
                picture = self._draw(row)
            row.succeed(lambda: picture)
        except BaseException as err:  # as everywhere, it is for whoever waits
            row.fail(err)
        return row

    def generate(self, order: Order) -> Picture:
        """Draw one picture; raises what its row does, see `sampler.Sampler.begin`."""
        return self.begin(order).result()

    def prepare_previews(self) -> None:
        """Do once what the first preview needs."""
        self._projector.prepare()

    def _draw(self, row: Row) -> Picture:
        row.order.token.check()
        drawn = drawn_size(row.order.task.width, row.order.task.height, self.model)
        start = time.perf_counter()
        steps = _Steps(row, self._projector)
        try:
            images = self._run(row.order.token, self._arguments(row, drawn, steps))
        except ValueError as err:
            if steps.heard:
                raise
            logger.warning("the model's pipeline refuses a request", exc_info=err)
            raise InvalidRequest(
                "The model cannot draw what was asked for.",
                advice="Choose a size nearer to a square; the log has the details.",
            ) from err
        pixels = _levels(images)
        end = time.perf_counter()
        count = row.order.task.num_inference_steps
        step_s = (steps.last_at - start) / count
        pixels = resample(pixels, row.order.task.width, row.order.task.height)
        return Picture(
            pixels=pixels,
            guidance_scale=row.guidance_scale,
            drawn_width=drawn[0],
            drawn_height=drawn[1],
            steps=count,
            step_s=step_s,
            pass_s=step_s,
            pass_rows=2 if row.is_guided else 1,
            decode_s=end - steps.last_at,
            rest_s=time.perf_counter() - end,
        )

    def _run(self, token: CancelToken, arguments: dict[str, Any]) -> NDArray[np.float32]:
        """Call the pipeline; whatever it raises, it can be called again."""
        pipeline = self.model.pipeline
        self._token = token
        try:
            images: NDArray[np.float32] = pipeline(**arguments).images
        except BaseException:
            # Some decode in float32 for a while, and offloaded parts come back at the end.
            pipeline.vae.to(self._vae_dtype)
            pipeline.maybe_free_model_hooks()
            raise
        finally:
            self._token = CancelToken()
        return images

    def _arguments(self, row: Row, drawn: tuple[int, int], steps: "_Steps") -> dict[str, Any]:
        """What the pipeline is called with: of what it takes, what it must be told."""
        task, family = row.order.task, self._family
        wanted: dict[str, Any] = {
            "prompt": task.prompt,
            "width": drawn[0],
            "height": drawn[1],
            "num_inference_steps": task.num_inference_steps,
            # On the CPU, so that a seed means the same on every device.
            "generator": torch.Generator("cpu").manual_seed(task.seed),
            "output_type": "np",
            "use_resolution_binning": False,  # sizes are ours
            family.teller: steps.by_callback[family.teller],
        }
        if family.guidance is not None:
            wanted[family.guidance] = row.guidance_scale
        # An empty one is left to the pipeline: some were trained with zeros instead of its
        # embedding. But `true_cfg_scale` counts for nothing where there is none.
        if task.negative_prompt or family.guidance == "true_cfg_scale":
            wanted["negative_prompt"] = task.negative_prompt
        return {name: value for name, value in wanted.items() if name in family.takes}


class _Steps:
    """Hears of the steps of one call of a pipeline, and tells of them."""

    def __init__(self, row: Row, projector: Projector) -> None:
        self._row = row
        self._projector = projector
        self._told = 0
        self.heard = False
        self.last_at = time.perf_counter()
        self.by_callback = {"callback_on_step_end": self._end_step, "callback": self._tell}

    def _end_step(
        self, pipeline: Any, index: int, timestep: object, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        # Some schedulers take more steps than they were asked for.
        asked = self._row.order.task.num_inference_steps
        taken = max(asked, getattr(pipeline, "num_timesteps", asked))
        self._tell((index + 1) * asked // taken - 1, timestep, tensors["latents"])
        return {}

    def _tell(self, index: int, timestep: object, latents: Tensor) -> None:
        self.heard = True
        if not torch.isfinite(latents).all():  # this waits for the device, too
            raise BadOutput("The model gave invalid numbers (NaN) while denoising.")
        self.last_at = time.perf_counter()
        self._row.order.token.check()
        if index < self._told:
            return
        self._told = index + 1
        if self._projector.can_show(latents):
            self._row.order.on_preview(partial(self._projector.show, latents))
        self._row.order.on_step(self._told)
        self._row.order.token.check()


def _check_decoded(decoder: nn.Module, inputs: object, output: Any) -> None:
    # Here, for what the pipeline gives is clamped: no infinity can be told from white.
    if isinstance(output, Tensor) and not torch.isfinite(output).all():
        raise BadOutput("The model gave invalid numbers (NaN) while decoding.")


def _levels(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Turn the first of some images (n, height, width, 3), 0 to 1, into uint8."""
    return np.asarray((images[0] * 255).round().clip(0, 255).astype(np.uint8))
