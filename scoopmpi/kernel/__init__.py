"""A Jupyter kernel whose process is rank 0: cells are the program, and run on the farm.

Here ipykernel meets the farm: where functions of cells live, what is printed into which cell, what
an interrupt stops. What a kernel is, is ipykernel's; how one is written down and started is in
`launch.kernel`. Nothing here is loaded unless a kernel runs.
"""
