"""What ranks say to each other: messages, what is packed in them, and MPI, which carries them.

The one file that imports mpi4py is `transport`. Nothing here decides what is said, or when.
"""
