"""A run as a file that a time line is drawn from: Chrome's and Perfetto's trace events.

`writing` hears the farm's events, `book` makes of them what stands in the file, with the spans of
`spans`, the clocks of `clocks` and the bounds of `rations`; `form` has the words of the format and
`reading` reads them again. Nothing here knows farm, workers or messages.
"""
