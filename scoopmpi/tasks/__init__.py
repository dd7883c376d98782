"""What is to be run, and what has become of it: the same on rank 0 and on workers.

Functions, arguments, limits, outcomes, futures; nothing here decides where a task runs.
"""
