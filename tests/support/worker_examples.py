"""The examples of the worker framework's documentation, as they stand there, without their sleeps.

From "Multi-job submission" of HPC-UGent and "worker framework" of KU Leuven. `cfd-test` and
`timedrun` are not in there: the programs are stand-ins.
"""

from __future__ import annotations

from pathlib import Path

WEATHER_PBS = """\
#!/bin/bash

#PBS -l nodes=1:ppn=8
#PBS -l walltime=04:00:00

cd $PBS_O_WORKDIR
./weather -t $temperature -p $pressure -v $volume

# # This script is submitted to the cluster with the following 2 commands:
# module load worker/1.6.8-intel-2018a
# wsub -data data.csv -batch weather.pbs
"""
WEATHER = '#!/bin/bash\necho "T: $2  P: $4  V: $6"\n'
DATA = """\
temperature, pressure, volume
293, 1.0e5, 107
294, 1.0e5, 106
295, 1.0e5, 105
296, 1.0e5, 104
297, 1.0e5, 103
"""
TEST_SET_PBS = """\
#!/bin/bash -l
#PBS -l nodes=1:ppn=8
#PBS -l walltime=04:00:00

cd $PBS_O_WORKDIR
INPUT_FILE="input/input_${PBS_ARRAYID}.dat"
OUTPUT_FILE="output/output_${PBS_ARRAYID}.dat"
./test_set ${PBS_ARRAYID} -input ${INPUT_FILE}  -output ${OUTPUT_FILE}
"""
TEST_SET = """\
#!/bin/bash
[ -f faulty ] && [ "$1" -gt 98 ] && exit 3
mkdir -p output
cat "$3" > "$5"
echo "Calculations done, no results" >> "$5"
"""
PRE_SH = """\
#!/bin/bash
mkdir -p input
for i in {1..100};
do
  echo "This is input file #$i" > input/input_$i.dat
done
"""
POST_SH = """\
#!/bin/bash

# Check if the input Directory exists
if [ ! -d "./output" ] ; then
  echo "The output directory does not exist!"
  exit
fi

# Just concatenate all output files
touch all_output.txt
for i in {1..100};
do
  cat ./output/output_$i.dat >> all_output.txt
done
"""
RUN_PBS = """\
#!/bin/bash -l
#PBS -l nodes=1:ppn=8
#PBS -l walltime=04:00:00

cd $PBS_O_WORKDIR
cfd-test -t $temperature  -p $pressure  -v $volume
"""
CFD_TEST = """\
#!/bin/sh
if [ "$2" = 295 ]; then sleep 60; fi
echo "$WORKER_NUM_THREADS threads: $@"
"""
"""Of one row it would never end."""

_SCRIPTS = {"weather": WEATHER, "test_set": TEST_SET, "cfd-test": CFD_TEST}
_TEXTS = {
    "weather.pbs": WEATHER_PBS, "data.csv": DATA, "test_set.pbs": TEST_SET_PBS, "pre.sh": PRE_SH,
    "post.sh": POST_SH, "run.pbs": RUN_PBS,
}  # fmt: skip


def put(directory: Path) -> Path:
    """Write all of them into a directory, and return that."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in {**_TEXTS, **_SCRIPTS}.items():
        (directory / name).write_text(text)
    for name in _SCRIPTS:
        (directory / name).chmod(0o755)
    return directory
