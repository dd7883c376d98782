"""Jobs that have not been submitted: `--as slurm:3x4x8`, read, asked for, and seen from inside.

What a batch system would give to such a job is made up here, as its own variables, files and
answers; they are read by its module in `managers`, as in a job. Nothing is submitted, nobody asked.
"""
