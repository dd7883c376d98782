"""The log of a sweep: a line when an item starts and one when it ends, and what they say later.

The lines are those of the worker framework; a later run of the sweep goes on from them.
"""
