"""Tasks, before and after they run: the same on rank 0 and on workers.

Functions, arguments, limits, outcomes, futures, and the door to what runs them (`executor`).
Nothing here decides where a task runs.
"""
