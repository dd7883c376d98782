"""Executors and pools as programs hold them, and the values of their maps.

Here are the words of other libraries: PEP 3148, mpi4py.futures, multiprocessing, schwimmbad. Work
goes to the executor below, `tasks.executor.Executor`; nothing here schedules or sends.
"""
