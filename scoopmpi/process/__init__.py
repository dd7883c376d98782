"""A rank as a process of its operating system, before MPI and without it.

Who it is (`identity`, `launcher_variables`), what signals mean to it (`signals`), who watches over
it (`supervisor`), its share of the host (`pinning`, `gpus`), its streams, how it ends (`ending`,
`stopping`), and when its batch job does (`walltime`). Nothing here knows tasks, messages or the
user's program.
"""
