"""The report of a run: one HTML file that opens from disk, without network and server.

It is made of a trace, on rank 0 at the end of a run or by `myscoop report`, and of nothing else.
What the numbers are is decided apart from how they look; a fault here never changes a run's end.
"""
