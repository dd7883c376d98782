"""The worker framework's commands (`wsub`, `wresume`, …): its words in, jobs of sweeps out.

    wsub, wresume          what is asked for, of the batch system and of the sweep, becomes a job
    words, command_line    how words are read, told, and refused
    batch_file, checking   the batch file, and all that can be wrong before there is a job
    job_script             the script of the job: the batch file in it, and one line of sweep
    submission             the job is shown, or handed to qsub or sbatch: `submitting`
    wsummarize, wload      what a log says: `logs`
    wcat, wreduce          files of items become one: `files_of_items`

Knows the command line of the sweep and its readers, not how items run.
"""
