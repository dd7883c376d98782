"""The names of the options of `myscoop`, for those who may not import its command line.

`tests/program/test_words_behind.py` compares them with the options.
"""

from __future__ import annotations

_OF_MYSCOOP = """
    --universe --hybrid --threads --multi --double --order --hyperthreads --sched --schedtype
    --setsched --setmpi --launcher --branchcount --mpirunoptions --overridepin --pinmpi
    --variablesprefix --noenvmodules --basepath --output --output-check-timeout --output-check-fatal
    --logtofile
    --dry-run --explain --as --showsched --showmpi --debugmpi --all-gpus --scoop-module
    --scoop-profile --scoop-load-modules --scoop-freeorigin --scoop-broker --scoop-tunnel
"""

MYSCOOPS = tuple(_OF_MYSCOOP.split())
"""Those that `python -m scoopmpi` has not, without those of one letter."""
