"""What can be asked for. Every bound and every default of the service stands here, once.

Requests are frozen and complete: a route, a tab or a client endpoint builds one, and the same
request means the same work whichever door it came through.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

IMAGE_FORMATS = ("png", "webp", "jpeg")
SIDE_MIN, SIDE_MAX, SIDE_MULTIPLE = 64, 2048, 8
STEPS_MIN, STEPS_MAX = 10, 50
SCENES_MIN, SCENES_MAX = 2, 50
TEXT_MAX = 4000
SEED_MAX = 2**32 - 1
TOTAL_FRAMES_MAX = 36_000
TOTAL_PIXELS_MAX = 40_000_000_000


def _has_no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the NUL character")
    return text


# Every kind of white space, whichever of them `\s` means to the reader of the schema.
_BLANK = r"\s\u001c-\u001f\u0085\ufeff"
_SPOKEN = rf"^[{_BLANK}]*[^{_BLANK}\u0000][^\u0000]*$"


def _says_something(text: str) -> str:
    if not re.match(_SPOKEN, text):
        raise ValueError("must not be blank")
    return text


# The patterns tell JSON Schema what the validators enforce: no NUL, one visible character.
Text = Annotated[
    str,
    Field(max_length=TEXT_MAX, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(_has_no_nul),
]
SpokenText = Annotated[
    Text,
    Field(min_length=1, json_schema_extra={"pattern": _SPOKEN}),
    AfterValidator(_says_something),
]
Steps = Annotated[
    int,
    Field(ge=STEPS_MIN, le=STEPS_MAX, description="Denoising steps; more is better and slower."),
]
Side = Annotated[int, Field(ge=SIDE_MIN, le=SIDE_MAX, multiple_of=SIDE_MULTIPLE)]
NegativePrompt = Annotated[
    Text, Field(description="What the picture should not show.", examples=["blurry"])
]
GuidanceScale = Annotated[
    float | None,
    Field(
        ge=1.0,
        le=30.0,
        allow_inf_nan=False,
        description="How strictly to follow the prompt; 1 turns guidance off. "
        "null: the loaded model's own best value, which is reported back.",
    ),
]
Seed = Annotated[
    int | None,
    Field(
        ge=0,
        le=SEED_MAX,
        description="The same seed and request give the same picture. null: drawn, and told.",
    ),
]
DurationPerScene = Annotated[
    float,
    Field(gt=0, le=60, allow_inf_nan=False, description="Seconds each scene is held."),
]
Fps = Annotated[int, Field(ge=1, le=60, description="Frames per second.")]
TransitionFrames = Annotated[
    int, Field(ge=0, le=240, description="Frames of the transition between two scenes.")
]


TransitionName = Literal["crossfade", "cut", "fade_through_black", "wipe", "slide", "dissolve"]
MotionName = Literal["none", "zoom_in", "zoom_out", "pan_right", "pan_left"]
CaptionsName = Literal["none", "burned", "subtitles"]
TransitionKind = Annotated[
    TransitionName,
    Field(description="How one scene becomes the next; after a cut no frames are between them."),
]
MotionKind = Annotated[
    MotionName, Field(description="How the camera moves over each still, slowly.")
]
CaptionsKind = Annotated[
    CaptionsName,
    Field(
        description="The text of each scene, burned into the picture (Latin letters) or as a "
        "subtitle track that players can switch on."
    ),
]
SceneDurations = Annotated[
    list[DurationPerScene] | None,
    Field(
        min_length=SCENES_MIN,
        max_length=SCENES_MAX,
        description="Seconds for each scene, instead of `duration_per_scene` for all.",
    ),
]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ImageRequest(_Request):
    """One picture from one prompt."""

    prompt: Annotated[SpokenText, Field(description="What the picture should show.")]
    num_inference_steps: Steps = 25
    negative_prompt: NegativePrompt = ""
    guidance_scale: GuidanceScale = None
    seed: Seed = None
    width: Annotated[Side, Field(description="Pixels, a multiple of 8.")] = 512
    height: Annotated[Side, Field(description="Pixels, a multiple of 8.")] = 512
    format: Annotated[Literal["png", "webp", "jpeg"], Field(description="File format.")] = "png"


class VideoRequest(_Request):
    """A story: two scenes or more with one hero, crossfaded into a video.

    Across fields: the video may have at most 36,000 frames in all, and at most
    40,000,000,000 pixels (frames × width × height); `scene_seeds` and `scene_durations` have as
    many entries as there are scenes, and `scene_seeds` comes without `seed`.
    """

    scenes: Annotated[
        list[SpokenText],
        Field(
            min_length=SCENES_MIN,
            max_length=SCENES_MAX,
            description="What happens in each scene, in order; none may be blank.",
        ),
    ]
    hero_description: Annotated[
        Text | None,
        Field(
            description="Who the story is about. Set before every scene's text, so that the "
            "hero stays the same. Empty: no hero."
        ),
    ] = None
    num_inference_steps: Steps = 25
    duration_per_scene: DurationPerScene = 3.0
    fps: Fps = 24
    width: Annotated[Side, Field(description="Pixels, a multiple of 8.")] = 512
    height: Annotated[Side, Field(description="Pixels, a multiple of 8.")] = 512
    transition_frames: TransitionFrames = 12
    negative_prompt: NegativePrompt = ""
    guidance_scale: GuidanceScale = None
    seed: Seed = None
    scene_seeds: Annotated[
        list[Annotated[int, Field(ge=0, le=SEED_MAX)]] | None,
        Field(
            min_length=SCENES_MIN,
            max_length=SCENES_MAX,
            description="One seed for each scene, instead of `seed`, which scene k, from 0, is "
            "drawn with plus k.",
        ),
    ] = None

    transition: TransitionKind = "crossfade"
    motion: MotionKind = "none"
    captions: CaptionsKind = "none"
    scene_durations: SceneDurations = None

    @property
    def frames_per_scene(self) -> int:
        """Frames a scene is held: duration × fps, rounded half up, at least 1."""
        return self._frames_of(self.duration_per_scene)

    @property
    def scene_frames(self) -> list[int]:
        """Frames each scene is held."""
        if self.scene_durations is None:
            return [self.frames_per_scene] * len(self.scenes)
        return [self._frames_of(duration_s) for duration_s in self.scene_durations]

    @property
    def frames_between(self) -> int:
        """Frames between two scenes; none after a cut."""
        return 0 if self.transition == "cut" else self.transition_frames

    @property
    def moves(self) -> bool:
        """Whether the camera moves: then every frame is another."""
        return self.motion != "none"

    @property
    def total_frames(self) -> int:
        """Frames of the whole video: the holds and the transitions between them."""
        return sum(self.scene_frames) + (len(self.scenes) - 1) * self.frames_between

    def _frames_of(self, duration_s: float) -> int:
        return max(1, int(duration_s * self.fps + 0.5))

    @model_validator(mode="after")
    def _has_one_for_each_scene(self) -> Self:
        if self.scene_seeds is not None and self.seed is not None:
            raise ValueError("give seed or scene_seeds, not both")
        for name in ("scene_seeds", "scene_durations"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.scenes):
                raise ValueError(f"{name} has {len(given)} entries for {len(self.scenes)} scenes")
        return self

    @model_validator(mode="after")
    def _fits_the_limits(self) -> Self:
        if self.total_frames > TOTAL_FRAMES_MAX:
            raise ValueError(
                f"the video would have {self.total_frames} frames; at most {TOTAL_FRAMES_MAX} "
                "are made: use fewer scenes, shorter ones, or a lower fps"
            )
        pixels = self.total_frames * self.width * self.height
        if pixels > TOTAL_PIXELS_MAX:
            raise ValueError(
                f"the video would have {pixels} pixels in all; at most {TOTAL_PIXELS_MAX} "
                "are made: use a smaller size, fewer scenes, or a lower fps"
            )
        return self


Request = ImageRequest | VideoRequest


@dataclass(frozen=True)
class ImageTask:
    """One picture with its seed decided: the unit of work of the device.

    Only `guidance_scale` may still be open (None): the loaded model knows its best value.
    """

    prompt: str
    negative_prompt: str
    num_inference_steps: int
    guidance_scale: float | None
    seed: int
    width: int
    height: int


def image_task(request: ImageRequest, seed: int) -> ImageTask:
    """The one task of an image request."""
    return ImageTask(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        seed=seed,
        width=request.width,
        height=request.height,
    )
