"""Decisions: which worker gets what, and how many tasks at once. Numbers in, assignments out.

No clock, no messages, no pickles, no threads, no configuration: so all of it is tested, and
simulated, without MPI.
"""
