"""`myscoop kernel install`: a Jupyter kernel written down, and how a front end starts it.

Here are the kernel's file, the command that it names, and the watch over the front end. What runs
in the kernel is in `kernel`, on the other side of a command line.
"""
