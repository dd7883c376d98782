"""What columns may be called, and what is said of other names."""

from __future__ import annotations

import pytest

from scoopmpi.sweep.items.column_names import checked
from scoopmpi.sweep.items.item import ItemsProblem


def test_names_of_variables_are_taken_without_blanks() -> None:
    assert checked([" a", "B_2\t", "_x", "path", "mpi"], "t") == ("a", "B_2", "_x", "path", "mpi")


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "USER", "SHELL", "IFS", "TMPDIR", "BASH_ENV", "ENV", "_", "UID",
        "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "OMPI_COMM_WORLD_RANK", "PMIX_RANK",
        "SLURM_JOB_ID", "PBS_ARRAYID", "WORKER_RANK", "SCOOP_COUNTER", "LC_ALL", "I_MPI_PIN",
        "CUDA_VISIBLE_DEVICES", "PERL5OPT", "SECONDS", "RANDOM", "ITEM",
    ],
)  # fmt: skip
def test_variables_that_others_rely_on_are_kept(name: str) -> None:
    with pytest.raises(ItemsProblem, match=f"t, line 1: column 2 is called {name}.*my_{name}"):
        checked(["a", name], "t, line 1")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b", "a "], "the columns 1 and 3 are both called a"),
        (["", "a"], r"column 1 has no name.*index=False"),
        (["a", " "], "column 2 has no name"),
        (["temp (K)"], "call it temp_K"),
        (["a", "2nd"], "column 2.*call it column_2nd"),
        (["a", "λ"], "call it column_2"),
        (["Pression à 0°"], "call it Pression_a_0"),
        (["gr\udcf6sse"], r"'gr\\xf6sse' cannot be the name of column 1.*call it gr_sse"),
        (["# made by x"], "--comment '#'.*call it made_by_x"),
        (["a-b"], "call it a_b"),
        (["a\nb"], "call it a_b"),
        (["1.5", "x"], "--lines"),
        (["t p v"], "--delimiter ' '"),
        (["x" * 1000 + "$"], "cannot be the name"),
    ],
)
def test_other_names_are_refused_with_what_helps(names: list[str], said: str) -> None:
    with pytest.raises(ItemsProblem, match=said) as raised:
        checked(names, "t")
    assert len(str(raised.value)) < 1300
