"""The command of a sweep: words, or a script, and what becomes of them for an item. Pure.

Nothing of an item's values is ever given to a shell to be read.
"""
