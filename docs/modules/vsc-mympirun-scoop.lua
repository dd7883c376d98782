-- Lmod: copy this to vsc-mympirun-scoop/VERSION.lua, for job scripts that load the module of this name.
depends_on("scoopmpi")
