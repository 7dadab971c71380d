from engine import VideoRequest
from ui.timeline import draw_timeline, story_spans

STORY = VideoRequest(scenes=["a", "b", "c"])


def test_the_documented_story_spans_its_240_frames_without_a_gap() -> None:
    spans = story_spans(STORY)
    assert [(s.kind, s.first_frame, s.frames) for s in spans] == [
        ("hold", 0, 72),
        ("transition", 72, 12),
        ("hold", 84, 72),
        ("transition", 156, 12),
        ("hold", 168, 72),
    ]
    assert sum(span.frames for span in spans) == STORY.total_frames == 240


def test_without_transitions_scenes_stand_side_by_side() -> None:
    spans = story_spans(STORY.model_copy(update={"transition_frames": 0}))
    assert [(s.kind, s.first_frame) for s in spans] == [("hold", 0), ("hold", 72), ("hold", 144)]


def test_the_axis_is_seconds_to_scale() -> None:
    axes = draw_timeline(STORY).axes[0]
    assert axes.get_xlim() == (0, 10.0)
    holds = [patch for patch in axes.patches if len(patch.get_xy()) == 5]
    edges = [(patch.get_xy()[:, 0].min(), patch.get_xy()[:, 0].max()) for patch in holds]
    assert edges == [(0.0, 3.0), (3.5, 6.5), (7.0, 10.0)]
    assert [text.get_text() for text in axes.texts] == ["1", "2", "3"]
    assert axes.get_xlabel() == "seconds"


def test_fifty_scenes_are_not_all_numbered() -> None:
    story = VideoRequest(scenes=["a"] * 50, duration_per_scene=1.0)
    numbers = [text.get_text() for text in draw_timeline(story, dark=True).axes[0].texts]
    assert numbers == ["1", "5", "10", "15", "20", "25", "30", "35", "40", "45", "50"]


def test_no_state_of_pyplot_is_touched() -> None:
    import sys

    draw_timeline(STORY)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_scenes_of_different_length_and_cuts_are_to_scale() -> None:
    story = VideoRequest(scenes=["a", "b"], scene_durations=[1.0, 2.5], transition="cut", fps=10)
    spans = story_spans(story)
    assert [(s.kind, s.first_frame, s.frames) for s in spans] == [("hold", 0, 10), ("hold", 10, 25)]
    title = draw_timeline(story).axes[0].get_title(loc="left")
    assert title == "2 scenes of 1-2.5 s  ·  3.5 s in all"
