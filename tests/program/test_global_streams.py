"""A warning where tasks draw what every worker draws, and none where nothing is wrong."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from scoopmpi.program import global_streams
from scoopmpi.program.global_streams import GlobalStreams, Seeding, seedings_of
from scoopmpi.program.naming import WORKER_NAME
from scoopmpi.ranks import worker_rank
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

SOURCES = {
    "import random\nrandom.seed(5)": [("random", "random.seed", 2, False)],
    "import random\nrandom.seed()": [],
    "from random import seed as s\ns(a=5)": [("random", "random.seed", 2, False)],
    "import numpy as np\nif 1:\n np.random.seed(5)": [
        ("numpy.random", "numpy.random.seed", 3, False)
    ],
    "from numpy import random\nrandom.seed(5)": [("numpy.random", "numpy.random.seed", 2, False)],
    "import numpy.random as r\nr.seed(5)": [("numpy.random", "numpy.random.seed", 2, False)],
    "import numpy\nnumpy.random.seed(5)": [("numpy.random", "numpy.random.seed", 2, False)],
    "import torch\ntorch.manual_seed(5)": [("torch", "torch.manual_seed", 2, False)],
    "import numpy as np\nrng = np.random.default_rng(5)": [
        ("rng", "rng = numpy.random.default_rng(...)", 2, False)
    ],
    "import numpy as np\nrng = np.random.default_rng()": [],
    "import numpy as np\nrng = np.random.default_rng(None)": [],
    "import numpy as np\nrng = np.random.default_rng(seed=5)": [
        ("rng", "rng = numpy.random.default_rng(...)", 2, False)
    ],
    "from numpy.random import Generator, PCG64\ng = Generator(PCG64(5))": [
        ("g", "g = numpy.random.Generator(...)", 2, False)
    ],
    "from numpy.random import Generator, PCG64\ng = Generator(PCG64())": [],
    "import random, sys\nrandom.seed(int(sys.argv[1]) + 3)": [("random", "random.seed", 2, False)],
    "import random\nN = 5\nrandom.seed(N)": [("random", "random.seed", 3, False)],
    "import random, os\nrandom.seed(os.getpid())": [],
    "import random, os\nN = os.urandom(3)\nrandom.seed(N)": [],
    "import random, time\nN = int(time.time())\nrandom.seed(N)": [],
    "import random\nfrom x import rank\nrandom.seed(5 + rank)": [],
    "import random, os\nrandom.seed(os.environ['PROCID'])": [],
    "from random import Random\na = Random('x')": [("a", "a = random.Random(...)", 2, False)],
    "import random\ndef f(): random.seed(5)": [("random", "random.seed", 2, True)],
    "import random\nif __name__ == '__main__':\n random.seed(5)": [],
    "import game\ngame.seed(5)\nseed(3)\nx[0](5)": [],
    "this is no Python": [],
}


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_file_seeds(tmp_path: Path, source: str) -> None:
    (tmp_path / "program.py").write_text(source)
    expected = [Seeding(*each) for each in SOURCES[source]]
    assert seedings_of(str(tmp_path / "program.py")) == expected


def drawn(monkeypatch: pytest.MonkeyPatch, path: Path, source: str, task: str) -> None:
    """Have a worker import a program and run a batch of a task of it."""
    path.write_text(source)
    module = ModuleType(WORKER_NAME)
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "__main__", module)
    # Other tests' modules are not the program's, though they are the user's here.
    monkeypatch.setattr(global_streams, "_own_modules", lambda: [(module, str(path))])
    exec(compile(source, str(path), "exec"), vars(module))
    own = [(module, str(path))]  # and none of the modules of other tests
    monkeypatch.setattr("scoopmpi.program.global_streams._own_modules", lambda: own)
    streams = GlobalStreams()
    for _ in range(5):
        exec(task, vars(module))
        streams.look()


TOLD = {
    ("import random\nrandom.seed(5)", "random.random()"): "random.seed at line 2 of program.py",
    ("import numpy as np\nnp.random.seed(5)", "np.random.rand(9)"): "numpy.random.seed at line 2",
    (
        "import numpy as np\nrng = np.random.default_rng(5)",
        "rng.random()",
    ): "rng = numpy.random.default_rng(...) at line 2 of program.py runs on every worker",
    ("import random\na = random.Random(5)", "a.random()"): "a = random.Random(...) at line 2",
    (
        "import numpy as np\nr = np.random.RandomState(5)",
        "r.rand()",
    ): "r = numpy.random.RandomState(...)",
}
QUIET = (
    ("import random\nrandom.seed(5)\ndata = random.random()", "data + 1"),
    ("import random", "random.random()"),
    ("import random\nrandom.seed()", "random.random()"),
    ("import random\nrandom.seed(5)\ndef f(x): random.seed(x)", "f(3); random.random()"),
    ("import numpy as np\nrng = np.random.default_rng()", "rng.random()"),
    ("import numpy as np\nnp.random.seed(5)", "np.random.default_rng().random()"),
)


@pytest.mark.parametrize(("source", "task"), TOLD)
def test_tasks_that_draw_what_the_import_seeds_are_told_of_once(
    source: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    drawn(monkeypatch, tmp_path / "program.py", source, task)
    (message,) = caplog.messages
    assert message.startswith(TOLD[source, task]) and "scoopmpi.task.rng()" in message


@pytest.mark.parametrize(("source", "task"), QUIET)
def test_nothing_is_said_where_nothing_is_wrong(
    source: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    drawn(monkeypatch, tmp_path / "program.py", source, task)
    assert not caplog.messages


def test_torch_is_asked_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    torch: Any = ModuleType("torch")
    torch.state = 0
    torch.get_rng_state = lambda: torch.state
    torch.manual_seed = print
    monkeypatch.setitem(sys.modules, "torch", torch)
    source = "import torch\ntorch.manual_seed(5)"
    drawn(monkeypatch, tmp_path / "program.py", source, "torch.state += 1")
    assert caplog.messages[0].startswith("torch.manual_seed at line 2")


@pytest.fixture(autouse=True)
def _generators_of_other_tests() -> Any:
    states = random.getstate(), np.random.get_state()
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])


PROGRAM = """
import random, sys, time
from scoopmpi import futures
random.seed(5)
def draw(_):
    time.sleep(0.01)
    return random.random()
def nothing(_):
    time.sleep(0.01)
if __name__ == "__main__":
    for _ in range(3):
        list(futures.map(globals()[sys.argv[1]], range(60)))
"""


@pytest.mark.first
@pytest.mark.timeout(60)
def test_one_worker_of_several_says_it_once(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    said = {}
    for task in ("draw", "nothing"):
        words = [*MYSCOOP, "-n", "2", "program.py", task]
        done = start(first_library, words, cwd=tmp_path, timeout=40)
        assert done.returncode == 0, done.stderr
        said[task] = done.stderr.count("random.seed at line 4 of program.py runs on every worker")
    assert said == {"draw": 1, "nothing": 0}


def test_workers_know_of_the_same_libraries_without_loading_them() -> None:
    assert worker_rank._RANDOM == global_streams.LIBRARIES
