#!/bin/bash

# flux: -N2
# flux: --exclusive
# flux: -t 10m

module load scoopmpi

# a worker for each core of both nodes
myscoop squares 10000
