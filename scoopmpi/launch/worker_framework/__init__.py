"""The worker framework's commands (`wsub`, `wresume`, …): its words in, jobs of sweeps out.

    wsub, wresume        read their words, check all that can be checked here, and submit a job
    batch_file           the batch file: its first line, its directives
    job_script           the script of the job, with the batch file in it and one line of sweep
    submitting           which of qsub and sbatch, and what it answers
    wsummarize, wload    what a log says
    wcat, wreduce        files of items become one: `files_of_items`

Knows the command line of the sweep and its readers, not how items run.
"""
