"""Submitted calls: what each is given, whatever it shares a message with; in memory, by seeds."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.farm.calls import Call, CallStream, seal
from scoopmpi.tasks.future import Future
from scoopmpi.tasks.outcomes import OutcomeRange
from scoopmpi.tasks.pedigree import UNPLACED
from scoopmpi.wire import failure, payload
from scoopmpi.wire.messages import CANCELLED
from tests.support.libraries import Library
from tests.support.memory_farm import farm
from tests.support.starting import MYSCOOP

__all__ = ["farm"]  # the fixture


def got(*args: Any, **kwargs: Any) -> Any:
    """What a call has got, which it then changes."""
    found = repr((args, kwargs))
    for each in args:
        if isinstance(each, list):
            each.append("changed")
    return found


def call(fn: Any = got, *args: Any, **kwargs: Any) -> Call:
    return Call(Future(), seal(fn, args, kwargs, UNPLACED))


def test_each_call_gets_what_it_was_given(farm: Any) -> None:
    shared, words = [1], {"word": [2]}
    rows: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((1, 2.5, None), {}), ((shared,), {}), ((shared, shared), {}), ((), {"word": "b"}),
        (("x", (1, "y")), {"z": 3}), (("long" * 1000,), {}), ((), words), ((b"", True), {}),
    ]  # fmt: skip
    wanted = [repr(row) for row in rows]
    calls = [farm.submit(got, *args, **kwargs) for args, kwargs in rows]
    calls += [farm.submit(lambda *row: got(*row), 7), farm.submit(pow, 2, 10)]
    shared.append("later")
    words["word"].append("later")
    assert [each.result() for each in calls] == [*wanted, "((7,), {})", 1024]


def test_keywords_are_taken_as_they_are(farm: Any) -> None:
    words: dict[str, Any] = {"number": 1}
    made = farm.call(got, (), words)
    words["number"] = 2
    assert made.result() == "((), {'number': 1})"


def test_cancelled_calls_are_left_out(farm: Any) -> None:
    calls = [farm.submit(got, x if x % 3 else [x]) for x in range(30)]
    cancelled = {x for x in range(30) if x % 4 == 1 and calls[x].cancel()}
    for x in set(range(30)) - cancelled:
        assert calls[x].result() == repr(((x if x % 3 else [x],), {}))
    assert all(calls[x].cancelled() for x in cancelled)


def test_a_failure_shows_its_call(farm: Any) -> None:
    calls = {"divmod(7, 0)": farm.submit(divmod, 7, 0), "sum([0], [0])": farm.submit(sum, [0], [0])}
    for words, made in calls.items():
        assert words in made.exception().__notes__[0]


# By themselves.


def test_calls_that_nobody_can_change_share_a_frame() -> None:
    stream = CallStream(0)
    calls = [call(got, x) for x in range(4)]
    for each in calls:
        stream.add(each)
    calls[2].future.cancel()
    assert stream.take_fresh() == 4 and not stream.fresh
    tasks = stream.packed(0, 4)
    assert tasks.plain
    (column,) = payload.unpack(tasks.frames)
    assert [row if row == CANCELLED else row[1] for row in column] == [
        (0,), (1,), CANCELLED, (3,),
    ]  # fmt: skip
    assert stream.packed(0, 4) == tasks  # as a worker has died


def test_others_have_a_frame_each() -> None:
    stream = CallStream(0)
    for each in (call(got, 1), call(got, [2]), call(got, 3)):
        stream.add(each)
    stream.take_fresh()
    tasks = stream.packed(0, 3)
    assert not tasks.plain
    assert [payload.unpack(frame)[1] for frame in tasks.frames] == [(1,), ([2],), (3,)]


def three_out(record: Any = None) -> tuple[CallStream, list[Future[Any]]]:
    """Calls of which no outcome has come; the second one goes to a checkpoint, if there is one."""
    stream, ended = CallStream(0), [Future[Any]() for _ in range(3)]
    for number, future in enumerate(ended):
        sealed = seal(abs, (number,), {}, (None, 0, 0, 0))
        stream.add(Call(future, sealed, record if number == 1 else None))
    stream.take_fresh()
    stream.packed(0, 3)
    return stream, ended


def their_values(plain: bool) -> OutcomeRange:
    outcomes = payload.pack([0, 1, 2]) if plain else tuple(map(payload.pack, range(3)))
    return OutcomeRange(0, 3, plain, outcomes, ())


@pytest.mark.parametrize("plain", [True, False])
def test_a_callback_may_ask_for_what_came_with_it(plain: bool) -> None:
    (stream, ended), seen = three_out(), list[Any]()
    ended[0].add_done_callback(lambda _: seen.append([each.done() for each in ended]))
    if plain:
        stream.delivered(their_values(plain))
    else:
        outcomes = (*map(payload.pack, range(2)), failure.pack(LookupError(), 1, ""))
        stream.delivered(OutcomeRange(0, 3, False, outcomes, (2,)))
        assert isinstance(ended[2].exception(0), LookupError)
    assert seen == [[True] * 3]


@pytest.mark.parametrize("plain", [True, False])
def test_what_a_callback_raises_comes_out_when_all_have_ended(plain: bool) -> None:
    stream, ended = three_out()
    ended[0].add_done_callback(lambda _: sys.exit(7))
    with pytest.raises(SystemExit):
        stream.delivered(their_values(plain))
    assert [future.result(0) for future in ended] == [0, 1, 2]


class FullDisk:
    def came(self, *_: Any) -> None:
        raise MemoryError

    came_together = came


@pytest.mark.parametrize("plain", [True, False])
def test_a_record_that_fails_leaves_no_call_without_an_end(plain: bool) -> None:
    stream, ended = three_out(record=FullDisk())
    with pytest.raises(MemoryError):
        stream.delivered(their_values(plain))
    assert [future.result(0) for future in ended] == [0, 1, 2]


class Counted(dict[int, Call]):
    """Calls that another thread moves just as they are counted."""

    stream: CallStream | None = None

    def __len__(self) -> int:
        found, stream, self.stream = super().__len__(), self.stream, None
        if stream is not None:
            other = threading.Thread(target=stream.take_fresh, daemon=True)
            other.start()
            other.join(0.2)
        return found


def test_a_call_that_moves_is_counted() -> None:
    stream, calls = CallStream(1), Counted()
    stream.add(call())
    stream._calls, calls.stream = calls, stream
    assert stream.waiting == 1


def test_an_end_tells_also_those_that_nobody_has_looked_at() -> None:
    stream, error = CallStream(0), LookupError("the end")
    calls = [call(got, x) for x in range(4)]
    for each in calls[:2]:
        stream.add(each)
    stream.take_fresh()
    for each in calls[2:]:
        stream.add(each)
    assert stream.waiting == 4
    stream.failed(error)
    assert [each.future.exception() for each in calls] == [error] * 4
    assert stream.waiting == stream.take_fresh() == 0
    assert payload.unpack(stream.packed(0, 2).frames) == ([CANCELLED] * 2,)
    stream.delivered(OutcomeRange(0, 2, True, payload.pack([1, 2]), ()))


@pytest.mark.parametrize("seed", range(20))
def test_threads_that_submit_lose_none(seed: int) -> None:
    stream, calls = CallStream(0), [call(got, x) for x in range(200)]
    adders = [
        threading.Thread(target=lambda part=part: [stream.add(each) for each in part])
        for part in (calls[::2], calls[1::2])
    ]
    for adder in adders:
        adder.start()
    taken = 0
    while any(adder.is_alive() for adder in adders) or stream.fresh:
        if seed % 2 and taken > 50:
            stream.failed(LookupError())
            seed = 0
        taken += stream.take_fresh()
    stream.failed(LookupError())
    assert all(isinstance(each.future.exception(), LookupError) for each in calls)


# As a user runs it.

PROGRAM = """
import sys
from scoopmpi import MPIExecutor, futures

calls = 0

def told(*args, **words):
    global calls
    calls += 1
    return args, sorted(words.items())

if __name__ == "__main__":
    def below(x):
        return -x

    row, words = [1], {"k": "v"}
    made = [futures.submit(told, x) for x in range(500)] + [futures.submit(told, row, **words)]
    made += [futures.submit(below, x) for x in range(50)] + [futures.submit(lambda: len(row))]
    row.append(2)
    first, told = told, lambda x: x
    made += [futures.submit(told, 7), futures.submit(pow, 2, 10), futures.submit(divmod, 1, 0)]
    order = list(futures.as_completed(made))
    assert set(order) == set(made) and len(order) == len(made)
    assert [call.result() for call in made[:500]] == [((x,), []) for x in range(500)]
    assert made[500].result() == (([1],), [("k", "v")])
    assert [call.result() for call in made[501:551]] == [-x for x in range(50)]
    assert [call.result() for call in made[551:554]] == [1, 7, 1024]
    print(made[554].exception().__notes__[0].partition(" on rank")[0])
    with MPIExecutor() as executor:
        print(sum(call.result() for call in [executor.submit(abs, -x) for x in range(3000)]))
"""


def test_calls_of_a_program(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    for run in ("computed", "from the checkpoint"):
        done = subprocess.run(
            [*MYSCOOP, "-n", "2", "--checkpoint", "run.ckpt", "program.py"],
            env=first_library.env, cwd=tmp_path,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        lines = ["Failed in submitted call divmod(1, 0)", "4498500"]
        assert (done.returncode, done.stdout.splitlines()) == (0, lines), (run, done.stderr)


class Hostile:
    """An object whose attributes cannot be asked for."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(name)

    def __getstate__(self) -> None:
        """Before Python 3.11 pickle asks for it as for any other attribute."""

    def __call__(self, x: int) -> int:
        return x


def test_calls_say_of_which_function_they_are() -> None:
    def inner(x: Any) -> Any:
        return x

    stream = CallStream(0)
    for fn in (got, got, len, inner, inner):
        sealed = seal(fn, (1,), {}, UNPLACED)
        function = None if type(sealed) is list else fn
        stream.add(Call(Future(), sealed, function=function))
    stream.add(Call(Future(), seal(Hostile(), (1,), {}, UNPLACED), function=Hostile()))
    stream.take_fresh()
    assert stream.called(0, 2).endswith("test_calls.got")
    assert stream.called(2, 3) == "len"
    assert stream.called(3, 5).endswith("<locals>.inner")
    assert stream.called(1, 3) == stream.called(2, 4) == ""  # of several
    assert stream.called(5, 6) in ("", "Hostile") and stream.called(6, 7) == ""
