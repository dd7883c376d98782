"""The command of a sweep: words, or a script, and what becomes of them for an item.

Pure, but for the script, which is read once. Nothing of an item's values is given to a shell to be
read, unless `wsub` asks for it.
"""
