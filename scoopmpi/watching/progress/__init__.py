"""The bar on a terminal, and lines in a log: how far the jobs of a run are.

`reader` hears of jobs and has a thread, `overview` says which lines there are, `layout` how they
look, `below` where they stand; `choice` says who sees what. Who is soon over sees nothing of it.
"""
