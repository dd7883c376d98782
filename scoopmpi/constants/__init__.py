"""What ranks have in common: constants, lent buffers, how all hosts come to have them once.

Constants have names and values, which are packed and unpacked here; when one may be set, and who
waits for whom, is decided by the backends of farm and worker. Buffers are lent under numbers, until
no task refers to them; what is lent is decided on the farm. Nothing here knows tasks or jobs.
"""
