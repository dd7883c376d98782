"""A rank as a process of its operating system: who it is, what signals mean to it, how it ends.

Nothing here knows tasks or messages.
"""
