import threading

import pytest

from engine.estimate import Estimator
from tests.work import story

PIXELS = 512 * 512


def test_before_measuring_a_scene_counts_as_5_seconds() -> None:
    assert Estimator().picture_s(25, PIXELS) == pytest.approx(5.0)


def test_before_measuring_time_scales_with_steps_and_pixels() -> None:
    assert Estimator().picture_s(50, 4 * PIXELS) == pytest.approx(40.0)


def test_before_measuring_without_guidance_it_is_half() -> None:
    assert Estimator().picture_s(25, PIXELS, guided=False) == pytest.approx(2.5)


def test_before_measuring_files_and_films_cost_nothing() -> None:
    assert Estimator().film_s(story()) == Estimator().unit_s("webp", PIXELS) == 0.0


def test_without_guidance_a_step_is_half_until_it_was_measured() -> None:
    estimator = Estimator()
    estimator.observe("step", 2 * PIXELS, 2.0)
    assert estimator.picture_s(10, PIXELS, guided=False) == pytest.approx(10.0)
    estimator.observe("step", PIXELS, 1.4)
    assert estimator.picture_s(10, PIXELS, guided=False) == pytest.approx(14.0)
    assert estimator.picture_s(10, PIXELS) == pytest.approx(20.0)


def test_what_a_step_takes_alone_and_shared_are_kept_apart() -> None:
    estimator = Estimator()
    estimator.observe("step", 2 * PIXELS, 1.0)
    estimator.observe("step", 8 * PIXELS, 2.5)
    assert estimator.picture_s(10, PIXELS) == pytest.approx(10.0)
    assert estimator.picture_s(10, PIXELS, together=4) == pytest.approx(10 * 2.5 / 4)
    assert estimator.picture_s(10, PIXELS, together=2) == pytest.approx(10 * 1.5 / 2)


def test_the_median_ignores_an_outlier() -> None:
    estimator = Estimator()
    for seconds in (1.0, 1.0, 100.0):
        estimator.observe("step", PIXELS, seconds)
    assert estimator.unit_s("step", PIXELS) == 1.0


def test_old_measurements_are_forgotten() -> None:
    estimator = Estimator()
    for seconds in [9.0] * 100 + [1.0] * 25:
        estimator.observe("step", PIXELS, seconds)
    assert estimator.unit_s("step", PIXELS) == 1.0


def test_another_size_is_told_from_the_nearest_ones_measured() -> None:
    estimator = Estimator()
    estimator.observe("decode", 1000, 1.0)
    estimator.observe("decode", 100_000, 50.0)
    estimator.observe("decode", 3000, 2.0)
    assert estimator.unit_s("decode", 500) == pytest.approx(0.5)
    assert estimator.unit_s("decode", 2000) == pytest.approx(1.5)
    assert estimator.unit_s("decode", 200_000) == pytest.approx(100.0)


def test_a_picture_is_its_steps_and_its_decoding() -> None:
    estimator = Estimator()
    estimator.observe("step", 2 * PIXELS, 0.5)
    estimator.observe("decode", PIXELS, 2.0)
    assert estimator.picture_s(10, PIXELS) == pytest.approx(7.0)


def test_every_kind_of_file_is_measured_apart() -> None:
    estimator = Estimator()
    estimator.observe("png", PIXELS, 0.2)
    assert estimator.unit_s("webp", PIXELS) == pytest.approx(0.14)
    assert estimator.unit_s("jpeg", PIXELS) == pytest.approx(0.02)
    estimator.observe("webp", PIXELS, 0.3)
    assert estimator.unit_s("png", PIXELS) == pytest.approx(0.2)
    assert estimator.unit_s("webp", PIXELS) == pytest.approx(0.3)
    estimator.observe("rest", PIXELS, 0.1)
    assert estimator.around_s("webp", PIXELS) == pytest.approx(0.4)


def test_a_film_is_its_frames_and_what_every_film_takes() -> None:
    estimator, side = Estimator(), {"width": 512, "height": 512}
    film = story(3, fps=10, duration_per_scene=1.0, transition_frames=5, **side)
    estimator.observe("frame", PIXELS, 0.01)
    estimator.observe("film", PIXELS, 0.5)
    assert estimator.film_s(film) == pytest.approx(0.5 + 0.01 * (30 + 4 * 10))
    assert estimator.film_s(story(3, duration_per_scene=1.0, transition="cut", **side)) == (
        pytest.approx(0.5 + 0.01 * 30)
    )


def test_frames_of_a_moving_camera_are_measured_apart() -> None:
    estimator = Estimator()
    film = story(2, motion="zoom_in", width=512, height=512)
    estimator.observe("frame", PIXELS, 0.01)
    assert estimator.film_s(film) == pytest.approx(0.04 * film.total_frames)
    estimator.observe("moving frame", PIXELS, 0.03)
    assert estimator.film_s(film) == pytest.approx(0.03 * film.total_frames)


def test_nothing_is_reported_before_it_was_measured() -> None:
    estimator = Estimator()
    assert estimator.unit_s("step", 2 * PIXELS) == pytest.approx(0.2)
    assert estimator.measured() == {}


def test_measured_tells_of_the_size_measured_last() -> None:
    estimator = Estimator()
    estimator.observe("step", 100, 1.0)
    estimator.observe("step", 200, 5.0)
    assert estimator.measured() == {"step": 5.0}
    estimator.observe("step", 100, 1.0)
    assert estimator.measured() == {"step": 1.0}


def test_many_threads_may_measure_and_ask_at_once() -> None:
    estimator = Estimator()
    failures: list[Exception] = []

    def work(seed: int) -> None:
        try:
            for index in range(300):
                estimator.observe("step", 64 * (seed + index + 1), 1.0)
                estimator.picture_s(25, index + 1)
                estimator.measured()
        except Exception as err:
            failures.append(err)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_only_so_many_sizes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.estimate._SIZES", 3)
    estimator = Estimator()
    for pixels in (100, 200, 300, 100, 400):
        estimator.observe("decode", pixels, 1.0 if pixels != 200 else 50.0)
    assert estimator.unit_s("decode", 200) == 1.0  # told from its neighbours
    assert estimator.unit_s("decode", 100) == 1.0
