"""What the farm says of its work, and who reads it: `observer` says which events there are.

The farm tells them through `door`. Readers write lines (`verbose`), a table of tasks (`task_log`,
through `row_file`), or count (`tally`, `durations`). Nothing here knows farm, workers or messages;
nothing here can stop a run.
"""
