"""Waiting and locking, for every rank: threads, pauses, a lock in whose scope signals wait.

Nothing here knows tasks, messages or MPI.
"""
