#%Module
# Copy this to vsc-mympirun-scoop/VERSION, for job scripts that load the module of this name.
module load scoopmpi
