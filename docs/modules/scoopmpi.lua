-- Lmod: copy this to scoopmpi/VERSION.lua below a directory of $MODULEPATH.

-- the virtual environment: the one line to change
local prefix = pathJoin("/apps/scoopmpi", myModuleVersion())

help([[
A task farm for clusters, in Python: from scoopmpi import futures.

    myscoop squares 100        in a job script: squares.py on all cores of the job
    mympirun ./program         any MPI program, one rank for each core
    myscoop sweep --help       any program, once for each row of a table; also as the worker
                               framework has it: wsub, wresume, wsummarize, wload, wcat, wreduce
    myscoop --explain          what was found of the job, and why
]])
whatis("Name: scoopmpi")
whatis("Version: " .. myModuleVersion())
whatis("Description: SCOOP's programming model on MPI: a task farm for clusters")

-- the MPI against which mpi4py was installed: mpirun must come from the same one
depends_on("OpenMPI")

-- a module of SCOOP would bring another package of the name scoop
conflict("SCOOP")

prepend_path("PATH", pathJoin(prefix, "bin"))

-- man myscoop, and what bash needs to complete its words. What is appended is what counts anyway
-- where the variable is not set.
prepend_path("MANPATH", pathJoin(prefix, "share/man"))
append_path("MANPATH", "")
prepend_path("XDG_DATA_DIRS", pathJoin(prefix, "share"))
append_path("XDG_DATA_DIRS", "/usr/local/share")
append_path("XDG_DATA_DIRS", "/usr/share")

-- what the site wants for all: each option is a variable, and the command line wins over it
-- setenv("MYMPIRUN_BASEPATH", "/local/scratch")
