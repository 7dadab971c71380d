"""Drawing ahead changes when work is done, never its order or its result."""

from itertools import count, islice

import pytest

from training.ahead import work_ahead


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_order(workers: int) -> None:
    assert list(work_ahead(double, range(20), workers)) == [2 * number for number in range(20)]


def test_an_endless_series_can_be_left(workers: int = 1) -> None:
    results = work_ahead(double, count(), workers)
    assert list(islice(results, 3)) == [0, 2, 4]
    results.close()


def test_a_failure_reaches_the_caller() -> None:
    with pytest.raises(TypeError):
        list(work_ahead(double, [1, None], 1))
