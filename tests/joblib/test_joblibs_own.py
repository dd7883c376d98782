"""joblib's own tests of its backends, over the farm: the file of the installed joblib as it is.

Only the names of the backends that it goes through are others: ours stands wherever loky did, and
where joblib tries all it has. What is left out is named here with the reason.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        importlib.util.find_spec("joblib.test") is None, reason="joblib has come without its tests"
    ),
]
IN_ITS_PLACE = (
    ('["multiprocessing", "loky"]', '["scoopmpi"]'),
    ('"loky"', '"scoopmpi"'),
    (
        '("scoopmpi", True)',
        '("scoopmpi", False)',
    ),  # calls of two Parallel do not disturb each other
    ('PROCESS_BACKENDS + ["threading"]', "PROCESS_BACKENDS"),
    ("BACKENDS.copy()", '{"scoopmpi": FarmBackend}'),
    ("[None] + sorted(BACKENDS.keys())", '["scoopmpi"]'),
    ("[BACKENDS[backend_str]() for backend_str in BACKENDS]", "[FarmBackend()]"),
    ('@parametrize("backend", BACKENDS)', '@parametrize("backend", ["scoopmpi"])'),
    ('@parametrize("child_backend", BACKENDS)', '@parametrize("child_backend", ["scoopmpi"])'),
    ("Parallel(n_jobs, pre_dispatch", 'Parallel(n_jobs, "scoopmpi", pre_dispatch'),
)
NOT_OURS = {
    # What is left out, by parts of names.
    "interactively_defined": "starts a Python of its own, without a farm",
    "unpicklable_functions": "starts a Python of its own, without a farm",
    "memmap": "no memmaps: the farm shares large arrays in another way",
    "batch_statistics": "looks at joblib's own counts of batches",
    "nested_parallel_warnings": "about processes of multiprocessing, below loky",
    "nested_backend_context_manager": "has threads in the calls: ours have tasks of their own",
    "nested_parallelism_limit": "has threads in the calls, and nothing below: ours may go on",
    "thread_bomb": "has a Parallel without end end by Python's limit of recursion",
    "parallel_pickling": "looks for loky's words; the exception is the same, see test_on_ranks",
    "limitation_in_child_override": "a later change of rank 0's environment is not the workers'",
    "limitation_in_child_loky": "about loky's own processes",
    "loky_reuse_workers": "about loky's own processes",
    "initializer_reused": "asks which processes have run: the farm takes any that are free",
    "initializer_not_reused": "asks for new processes: ours stay, and run the new one",
    "cpu_count or default_mp or dask or zero_worker or no_multiprocessing": "no backend of ours",
}  # fmt: skip
PROGRAM = """
import multiprocessing, sys
multiprocessing.current_process().authkey = b"of all ranks"  # for joblib's tests with a Manager
if __name__ == "__main__":
    import pytest
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout=30",
                          "--rootdir=.", "-c", "none.ini", "-W", "ignore", "-rf", "--tb=short",
                          "joblib_on_farm.py", "-k", sys.argv[1]]))
"""


def over_the_farm(text: str) -> str:
    for name, ours in IN_ITS_PLACE:
        text = text.replace(name, ours)
    text = re.sub(r"^    LokyBackend,\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"(joblib\._parallel_backends\.)?\bLokyBackend\b", "FarmBackend", text)
    begin = "from joblib.parallel import ("
    return text.replace(
        begin,
        "from scoopmpi.joblib import register; register()\n"
        f"from scoopmpi.joblib.backend import FarmBackend\n{begin}",
        1,
    )


def test_joblibs_tests_of_backends_pass(first_library: Library, tmp_path: Path) -> None:
    found = importlib.util.find_spec("joblib.test.test_parallel")
    assert found is not None and found.origin is not None
    text = over_the_farm(Path(found.origin).read_text())
    assert "FarmBackend" in text and "LokyBackend" not in text
    (tmp_path / "joblib_on_farm.py").write_text(text)
    (tmp_path / "suite.py").write_text(PROGRAM)
    (tmp_path / "none.ini").write_text("[pytest]\n")
    chosen = f"(scoopmpi or backend1 or race or deadlock) and not ({' or '.join(NOT_OURS)})"
    words = [*MYSCOOP, "-n", "4", "--multi", "4", "suite.py", chosen]
    done = start(first_library, words, cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed[1]) > 100, done.stdout[-300:]
