#%Module
# Environment Modules (and Lmod): copy this to scoopmpi/VERSION below a directory of $MODULEPATH.

set version [file tail $ModulesCurrentModulefile]

# the virtual environment: the one line to change
set prefix /apps/scoopmpi/$version

proc ModulesHelp {} {
    puts stderr {
A task farm for clusters, in Python: from scoopmpi import futures.

    myscoop squares 100        in a job script: squares.py on all cores of the job
    mympirun ./program         any MPI program, one rank for each core
    myscoop sweep --help       any program, once for each row of a table; also as the worker
                               framework has it: wsub, wresume, wsummarize, wload, wcat, wreduce
    myscoop --explain          what was found of the job, and why
}
}
module-whatis "Name: scoopmpi"
module-whatis "Version: $version"
module-whatis "Description: SCOOP's programming model on MPI: a task farm for clusters"

# the MPI against which mpi4py was installed: mpirun must come from the same one
module load OpenMPI

# a module of SCOOP would bring another package of the name scoop
conflict SCOOP

prepend-path PATH $prefix/bin

# man myscoop, and what bash needs to complete its words. What is appended is what counts anyway
# where the variable is not set.
prepend-path MANPATH $prefix/share/man
append-path MANPATH ""
prepend-path XDG_DATA_DIRS $prefix/share
append-path XDG_DATA_DIRS /usr/local/share
append-path XDG_DATA_DIRS /usr/share

# what the site wants for all: each option is a variable, and the command line wins over it
# setenv MYMPIRUN_BASEPATH /local/scratch
