"""A sweep: one command for each row of a table, as `myscoop sweep` runs it on the farm.

Here is what is asked for, the options behind the word `sweep`, which the launcher and rank 0 read
alike. Knows neither the farm nor MPI.
"""
