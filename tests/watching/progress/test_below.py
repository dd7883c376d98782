"""Lines below a program's output, on a terminal that is looked at: nothing of it is torn."""

from __future__ import annotations

import os
import random
import termios
import threading
from collections.abc import Iterator

import pytest

from scoopmpi.output.outlet import Outlet
from scoopmpi.watching.progress import below
from scoopmpi.watching.progress.below import AT_ONCE, Apart, Below
from tests.support.screens import ScreenAt

BAR = [b"one 1/2", b"all 3/4"]


class Terminal:
    """A screen, who writes to it, and lines of ours below."""

    def __init__(self, columns: int = 40, rows: int = 8) -> None:
        self.screen = ScreenAt(columns, rows)
        self.outlet = Outlet()
        self.outlet.takes(self.screen.fd)
        self.staying: list[bytes] = []
        self.below = Below(self.screen.fd, self.outlet, self._stay)

    def _stay(self) -> list[bytes]:
        found, self.staying = self.staying, []
        return found

    def prints(self, text: str) -> None:
        data = text.encode()
        with self.outlet.lock:
            me = threading.get_ident()
            if not self.outlet.quick(self.screen.fd, data, me):
                self.outlet.put(self.screen.fd, data, me)

    def strange(self, text: str) -> None:
        """Another process, or C code, writes."""
        os.write(self.screen.fd, text.encode())

    @property
    def lines(self) -> list[str]:
        return self.screen.look()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.screen.close()


def test_lines_stand_below_and_the_cursor_above(terminal: Terminal) -> None:
    terminal.prints("first\n")
    terminal.below.show(BAR)
    assert terminal.lines == ["first", "", "one 1/2", "all 3/4"]
    assert terminal.screen.cursor == (1, 0) and not terminal.screen.hidden


def test_what_is_printed_comes_above(terminal: Terminal) -> None:
    terminal.below.show(BAR)
    for number in range(30):
        terminal.prints(f"{number}\n")
        if number % 3 == 0:
            terminal.below.show(BAR)
    terminal.below.show([b"one 2/2"])
    assert terminal.lines == [*map(str, range(30)), "", "one 2/2"]
    terminal.below.show([])
    assert terminal.lines == [*map(str, range(30))]
    assert terminal.outlet.below is None


def test_a_line_that_stands_open_goes_on_where_it_was(terminal: Terminal) -> None:
    terminal.prints("name? ")
    terminal.below.show(BAR)
    assert terminal.lines == ["name? ".rstrip(), "one 1/2", "all 3/4"]
    assert terminal.screen.cursor == (0, 6)
    terminal.prints("Anna")
    terminal.below.show(BAR)
    terminal.prints(" and Bo\n")
    assert terminal.lines == ["name? Anna and Bo", "", "one 1/2", "all 3/4"]


def test_a_line_that_fills_the_width_loses_nothing(terminal: Terminal) -> None:
    terminal.below.show(BAR)
    terminal.prints("x" * 40)
    terminal.below.show(BAR)
    terminal.prints("\r" + "y" * 40)
    terminal.below.show(BAR)
    terminal.prints("\n")
    terminal.below.show([])
    assert terminal.lines == ["y" * 40]


def test_another_bar_of_the_programs_own_is_left_alone(terminal: Terminal) -> None:
    for number in range(50):
        terminal.prints(f"\r{number}%")
        if number % 7 == 0:
            terminal.below.show(BAR)
        assert terminal.lines[0] == f"{number}%"
    terminal.prints("\n")
    assert terminal.lines[0] == "49%"


def test_what_writes_past_us_has_a_line_of_its_own(terminal: Terminal) -> None:
    terminal.prints("first\n")
    for number in range(20):
        terminal.below.show(BAR)
        terminal.strange(f"hello {number}\n")
    terminal.below.show(BAR)
    terminal.below.show([])
    assert terminal.lines == ["first", *(f"hello {number}" for number in range(20))]


def test_what_others_have_begun_is_not_taken_away(terminal: Terminal) -> None:
    terminal.below.show(BAR)
    terminal.strange("by C ")
    terminal.below.show(BAR)
    terminal.prints("by Python\n")
    terminal.below.show([])
    assert terminal.lines == ["by C by Python"]


def test_many_lines_past_us_are_all_there(terminal: Terminal) -> None:
    terminal.below.show(BAR)
    terminal.strange("".join(f"line {number}\n" for number in range(6)))
    terminal.below.show([])
    assert [line[:6] for line in terminal.lines] == [f"line {number}" for number in range(6)]


def test_lines_that_stay_come_before_what_is_printed_next(terminal: Terminal) -> None:
    terminal.below.show(BAR)
    terminal.staying = [b"one 2/2 in 3 s"]
    terminal.prints("result\n")
    assert terminal.lines == ["one 2/2 in 3 s", "result"]  # what was drawn is of yesterday
    terminal.below.show(BAR[1:])
    assert terminal.lines == ["one 2/2 in 3 s", "result", "", "all 3/4"]
    terminal.staying = [b"all 4/4"]
    terminal.below.leave()
    terminal.prints("end\n")
    assert terminal.lines == ["one 2/2 in 3 s", "result", "all 4/4", "end"]


def test_lines_that_stay_do_not_come_into_an_open_line(terminal: Terminal) -> None:
    terminal.below.show(BAR)
    terminal.prints("wait ... ")
    terminal.staying = [b"one 2/2"]
    terminal.below.show(BAR)
    terminal.prints("done\n")
    terminal.below.show([])
    assert terminal.lines == ["wait ... done", "one 2/2"]
    terminal.below.show(BAR)
    terminal.prints("wait ... ")
    terminal.staying = [b"one 3/3"]
    terminal.below.leave()
    terminal.prints("more\n")
    assert terminal.lines == ["wait ... done", "one 2/2", "wait ...", "one 3/3", "more"]


def test_who_reads_the_terminal_by_itself_is_not_disturbed(terminal: Terminal) -> None:
    """readline and editors take the terminal's modes; what is printed meanwhile still appears."""
    fd = terminal.screen.fd
    terminal.below.show(BAR)
    terminal.lines  # noqa: B018
    modes = termios.tcgetattr(fd)
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(fd, termios.TCSANOW, modes)
    terminal.strange("> ")
    before = len(terminal.screen.raw)
    terminal.below.show([b"one 2/2"])
    terminal.lines  # noqa: B018
    assert terminal.screen.raw[before:] == b"> "
    terminal.prints("of a task\n")
    assert terminal.lines == ["> of a task"]
    modes[3] |= termios.ICANON
    termios.tcsetattr(fd, termios.TCSANOW, modes)
    terminal.below.show([b"one 2/2"])
    assert terminal.lines == ["> of a task", "", "one 2/2"]


@pytest.mark.parametrize("letter", ["é", "模", "😀", "\x1b[31m", "\x1b[0m"])
def test_nothing_is_drawn_within_a_letter(terminal: Terminal, letter: str) -> None:
    """What comes through a pipe may be cut anywhere."""
    data = letter.encode()
    for cut in range(1, len(data)):
        terminal.below.show(BAR)
        with terminal.outlet.lock:
            terminal.outlet.put(terminal.screen.fd, b"a" + data[:cut], None)
        terminal.below.show([b"one 2/2"])
        with terminal.outlet.lock:
            terminal.outlet.put(terminal.screen.fd, data[cut:] + b"b\n", None)
    terminal.below.show([])
    terminal.lines  # noqa: B018
    assert terminal.screen.raw.count(b"a" + data + b"b") == len(data) - 1
    shown = "" if letter.startswith("\x1b") else letter
    assert [line.replace(" ", "") for line in terminal.lines] == [f"a{shown}b"] * (len(data) - 1)


@pytest.mark.parametrize("letter", ["x", "é", "模", "😀", "\x1b[0m"])
def test_whole_letters_are_no_reason_not_to_draw(terminal: Terminal, letter: str) -> None:
    terminal.below.show(BAR)
    terminal.prints(f"name{letter}")
    terminal.below.show([b"one 2/2"])
    assert terminal.lines[-1] == "one 2/2"


def test_it_is_drawn_seldom_while_much_is_printed(terminal: Terminal) -> None:
    terminal.below.show(BAR)
    for number in range(1000):
        terminal.prints(f"{number}\n")
        if number % 100 == 0:
            terminal.lines  # noqa: B018
    assert [*map(str, range(1000))] == terminal.lines[:1000]
    assert terminal.screen.raw.count(b"one 1/2") <= AT_ONCE + 1


def test_it_fits_again_when_the_terminal_has_become_smaller(terminal: Terminal) -> None:
    for number in range(10):
        terminal.prints(f"{number}\n")
    terminal.below.show([b"=" * 40])
    terminal.lines  # noqa: B018
    terminal.screen.resize(20, 8)
    assert terminal.below.size == (20, 8)
    terminal.below.show([b"=" * 20])
    terminal.below.show([b"=" * 20])
    assert terminal.lines.count("=" * 20) == 1
    terminal.prints("end\n")
    terminal.below.show([])
    assert terminal.lines[-1] == "end" and "=" not in "".join(terminal.lines)


def test_threads_that_print_at_random_lose_nothing(terminal: Terminal) -> None:
    seen: list[str] = []
    turn = random.Random(14)

    def bar() -> None:
        while not over.wait(0.0005):
            terminal.below.show(BAR[: turn.randint(0, 2)])

    over = threading.Event()
    drawing = threading.Thread(target=bar)
    drawing.start()
    for number in range(2000):
        text = f"{number} {'x' * turn.randint(0, 30)}"
        if turn.random() < 0.3:
            middle = turn.randint(1, len(text) - 1)
            terminal.prints(text[:middle])
            terminal.prints(text[middle:] + "\n")
        else:
            terminal.prints(text + "\n")
        seen.append(text.rstrip())
        if number % 20 == 0:
            terminal.lines  # noqa: B018
    over.set()
    drawing.join()
    terminal.below.show([])
    assert terminal.lines == seen


def test_lines_are_away_while_a_pipe_is_read_whose_reader_writes_to_the_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of `| tee log`: it writes several lines, and nothing of ours stands in them."""
    read, write = os.pipe()
    piped = Outlet()
    piped.takes(write)
    piped.below = Apart(terminal.below)
    for number in range(3):
        monkeypatch.setattr(below, "ASIDE", 0.0)
        terminal.below.show(BAR)
        assert terminal.lines[-1] == BAR[-1].decode()
        with piped.lock:
            assert not piped.quick(write, b"x\ny\nz\n", threading.get_ident())
            piped.put(write, b"x\ny\nz\n", threading.get_ident())
        monkeypatch.setattr(below, "ASIDE", 60.0)
        terminal.below.show(BAR)  # too early: the reader has not written yet
        terminal.strange(os.read(read, 100).decode().replace("\n", "\r\n"))
        assert terminal.lines[: 3 * number + 3] == ["x", "y", "z"] * (number + 1)
    terminal.below.leave()
    assert terminal.lines == ["x", "y", "z"] * 3
    os.close(read)
    os.close(write)


def test_lines_that_could_not_be_taken_away_go_with_the_next_text(terminal: Terminal) -> None:
    """As at a prompt of a debugger, while the last tasks end."""
    ours = [True]
    terminal.below = Below(terminal.screen.fd, terminal.outlet, ours=lambda: ours[0])
    terminal.below.show(BAR)
    ours[0] = False
    terminal.below.show(())
    assert terminal.lines == ["", "one 1/2", "all 3/4"]
    terminal.prints("80\r\n")
    assert terminal.lines == ["80"]
    ours[0] = True
    terminal.below.show(())
    assert terminal.outlet.below is None
