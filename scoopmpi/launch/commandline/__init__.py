"""From a `Launch` to the launcher's command line: which launcher, which words, which variables.

`composing` joins the steps. `launcher` asks other programs; the rest is as pure as it can be.
"""
