"""`--status FILE`: how a run goes, in a small file that is replaced as that changes.

What it says is decided in `contents`, with `outlook` for when the work ends and `load` for
hosts and memory; `replaced_file` writes and reads it, `reader` is the farm's reader with a thread
that does so, `shown` turns it into lines for a person. The launcher shows files, too: nothing here
knows farm or workers.
"""
