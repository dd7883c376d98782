"""From a batch job's environment to the command line that starts the ranks.

Two axes: `managers` say which hosts and slots the job was given, `flavours` how an MPI library's
launcher wants to hear it. Nothing here imports the farm, and no MPI is initialised.
"""
