"""The options of `myscoop` and `mympirun`: how they read, show and complete their words, by click.

What an option means for hosts, ranks and launcher is decided in the rooms that it belongs to.
"""
