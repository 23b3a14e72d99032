"""Order, bounds and failures of the parallel map that every run goes through."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.tables.threads import ordered_map, read_ahead


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_it_is_map_whatever_the_threads(items, threads):
    assert list(ordered_map(lambda item: item * 2, items, threads)) == [item * 2 for item in items]


def test_a_slow_item_does_not_let_others_overtake():
    def work(item):
        time.sleep(0.02 if item == 0 else 0)
        return item

    assert list(ordered_map(work, range(6), 3)) == list(range(6))


def test_a_slow_consumer_holds_up_the_reading():
    read = []

    def items():
        for item in range(100):
            read.append(item)
            yield item

    results = ordered_map(lambda item: item, items(), 2)
    assert [next(results), next(results)] == [0, 1]
    assert len(read) <= 2 + (2 + 2)


def test_an_error_comes_after_the_results_before_it():
    def work(item):
        if item == 3:
            raise ValueError("third")
        return item

    results = ordered_map(work, range(10), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="third"):
        next(results)


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 4))
def test_before_a_pause_everything_is_handed_out(items, threads):
    asked = []

    def source():
        for number, is_pause in enumerate(items):
            asked.append(number)
            yield number, is_pause
        asked.append(len(items))

    got = []
    for number, _ in ordered_map(lambda item: item, source(), threads, lambda item: item[1]):
        got.append(number)
        assert not any(items[number : asked[-1]]), "it went on reading behind a pause"
    assert got == [*range(len(items))]


def test_leaving_early_ends_the_workers():
    results = ordered_map(lambda item: item, range(1000), 2)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker")]


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_reading_ahead_changes_nothing(items, most):
    assert list(read_ahead(iter(items), most)) == items


def test_reading_ahead_has_a_bound_and_ends_when_left():
    read = []

    def items():
        for item in range(100):
            read.append(item)
            yield item

    ahead = read_ahead(items(), 2)
    assert [next(ahead), next(ahead)] == [0, 1]
    time.sleep(0.05)
    assert len(read) <= 2 + 2
    ahead.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]


def test_a_failed_reading_comes_after_the_items_before_it():
    def items():
        yield 1
        raise OSError("disk")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="disk"):
        next(ahead)
