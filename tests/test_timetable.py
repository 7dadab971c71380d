"""When jobs begin and end, for those made one after the other and for those that share passes."""

import pytest

from engine.timetable import Entry, Span, plan_spans


def lasting(*seconds: float) -> list[Entry]:
    return [Entry.lasting(1, one) for one in seconds]


def picture(pictures: int = 1, steps: int = 10, after_s: float = 0.0) -> Entry:
    """On a device whose pass takes a second, and another half for each picture beyond the first."""
    return Entry(pictures, lambda rows: pictures * steps * (1 + (rows - 1) / 2) / rows, after_s)


def ends(*spans: Span) -> list[float]:
    return [span.end_s for span in spans]


def test_one_after_the_other() -> None:
    spans = plan_spans(lasting(10), lasting(5, 1))
    assert spans == [Span(0, 10), Span(10, 15), Span(15, 16)]


def test_nothing_ahead() -> None:
    assert plan_spans([], []) == []
    assert plan_spans([], lasting(3)) == [Span(0, 3)]


def test_alone_a_picture_takes_whole_passes() -> None:
    assert plan_spans([], [picture()], most_rows=4) == [Span(0, 10)]


def test_pictures_together_share_their_passes() -> None:
    assert plan_spans([], [picture()] * 3, most_rows=4) == [Span(0, 20)] * 3


def test_what_does_not_fit_a_pass_waits_for_a_place() -> None:
    spans = plan_spans([], [picture()] * 4, most_rows=2)
    assert spans == [Span(0, 15), Span(0, 15), Span(15, 30), Span(15, 30)]


def test_who_goes_leaves_the_device_to_the_others() -> None:
    short, long = plan_spans([], [picture(steps=10), picture(steps=30)], most_rows=2)
    assert ends(short, long) == pytest.approx([15, 15 + 20])


def test_a_story_is_drawn_as_many_rows_at_a_time() -> None:
    (alone,) = plan_spans([], [picture(pictures=8)], most_rows=4)
    assert alone.end_s == pytest.approx(2 * 10 * 2.5)


def test_a_picture_beside_a_story_has_its_part() -> None:
    story, beside = plan_spans([], [picture(pictures=12), picture()], most_rows=3)
    assert beside.end_s == pytest.approx(4 * 10 * 2 / 3)
    assert story.end_s == pytest.approx(13 * 10 * 2 / 3)


def test_what_follows_holds_nobody_up() -> None:
    spans = plan_spans([], [picture(after_s=5), picture()], most_rows=1)
    assert spans == [Span(0, 15), Span(10, 20)]


def test_those_under_way_go_on_at_what_they_tell() -> None:
    under_way = [Entry.lasting(1, 3), Entry.lasting(1, 3)]  # 6 s to each: half of the device
    spans = plan_spans(under_way, lasting(4), most_rows=2)
    assert spans == [Span(0, 6), Span(0, 6), Span(6, 10)]


def test_more_may_be_under_way_than_have_places() -> None:
    assert ends(*plan_spans(lasting(1, 2), lasting(3))) == [2, 3, 6]


def test_work_of_no_time_ends_at_once() -> None:
    assert plan_spans(lasting(0), lasting(0, 2)) == [Span(0, 0), Span(0, 0), Span(0, 2)]
