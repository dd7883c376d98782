"""A place on the import path of workers, and so of the processes that their tasks spawn.

Only what has to be found by its bare name there: see `SCOOP_WORKER`.
"""
