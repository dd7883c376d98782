"""From a batch job's environment to the end of the job that a launcher (`mpirun`) has started.

    words, variables     cli            what was asked for: a Request, a few groups of options
    hosts and slots      managers       what the batch system gave: an Allocation
                         rehearsal      what it would give to a job of some shape (`--as`)
    workers per host     hosts          a Placement of ranks, and which are pinned
    launcher             commandline    the MPI library that mpi4py loads, and the mpirun of it
    its command line     flavours       Ranks in, a CommandLine out, in that library's own words
    until the end        beside         signals, stdin, output and exit status of the launcher

`wrapper` (for `myscoop` and `mympirun`) and `scoop_command` (for `python -m scoopmpi`) walk down
this list and end in `running`; `findings` and `explanation` walk it for a reader. Nothing here
imports the farm, and no MPI is initialised: launcher and farm meet at a command line.
"""
