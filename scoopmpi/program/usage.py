"""What `python -m scoopmpi --help` prints; the options themselves are `scoop_options`'."""

from __future__ import annotations

USAGE = """Usage: python -m scoopmpi [OPTIONS] [PROGRAM [ARGUMENTS]...]

PROGRAM is a Python file, a directory or zip file with a __main__, a module in the current directory
or on PYTHONPATH, - for stdin, -m MODULE or -c CODE. Everything after it belongs to the program.
Without one: an interactive shell on rank 0. Without mpirun it runs on the hosts of this batch job,
or on all cores of this machine. Options of the interpreter itself reach all ranks: python -O -m …

  -n WORKERS               workers in total
  --hosts HOST...          hosts instead of the batch job's: n1 n2:4 n[3-5]
  --hostfile FILE          the same from a file, a host and a number of workers a line
  -p, --path DIRECTORY     where the program runs
  -i, --interactive        a prompt when the program is over, with its variables and the workers
  --nice LEVEL             its priority, -20 to 19
  -v, --verbose            say what the farm does
  -q, --quiet              only warnings
  --retries N              how often a task is tried again that ran where a worker died (2)
  --task-timeout SECONDS   how long each task may take that has no limit of its own
  --seed N                 of the random numbers of tasks; without it another one in each run
  --checkpoint FILE        keep outcomes there, and go on from what an earlier run has kept
  --keep-failures          take failures from there as they are, instead of trying again
  --restarts N             how often to start again from the checkpoint after a crash
  --no-finish              do not wait at the end for maps and calls that nobody waits for
  --task-log FILE          a table of all tasks, as they end: what, where, how long
  --task-output DIR        what each task prints, in a file of its own there
  --output FILE            stdout and stderr; with {rank} or {host} in it a file for each
  --progress               a bar on a terminal, lines in a log; --no-progress for neither
  --status FILE            what runs, what is done, when it ends: for myscoop status FILE
  --trace FILE             when each batch ran where, to be opened in ui.perfetto.dev
  --report FILE.html       a page about the run: time line, durations, hosts, what to do better
  --stop-before SECONDS    begin no task that the end of the batch job would cut; auto
  --walltime TIME          how long the batch job may run, where the batch system does not say it
  --label                  rank, host and task before each line that a worker prints
  --debug-task TASK        run this task in the debugger, on rank 0: 17, FUNCTION:17, calls:3
  --profile                a profile for each rank, and a table of all, in the directory profile
  --python-interpreter P   the ranks' Python
  --pythonpath PATHS       in front of the ranks' PYTHONPATH
  --prolog SCRIPT          a shell script to run before each rank
  --ssh-executable P       the remote shell; --rsh for rsh
  -h, --help; --version

Accepted for SCOOP's sake: -b, --tunnel, --external-hostname, --backend. See also: myscoop --help
"""
