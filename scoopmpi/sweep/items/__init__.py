"""The items of a sweep: read from tables, lists of lines and ranges, one by one and in order.

Each has a number, values, and a digest that says whether it is the one of a former run. Pure but
for the files that are read; knows nothing of how items run.
"""
