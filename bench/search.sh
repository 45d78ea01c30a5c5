#!/bin/sh
# All of the search's scores on recorded spaces: ours one at a time and with 16 workers, random search,
# Kernel Tuner's strategies, pyATF's, a table and the curves. bench/search.sh RECORDING... [OPTION...]
here=$(dirname "$0")
exec "$here/search.py" --jobs 0,16 --peers hybrid_vndx,pso,genetic_algorithm,dual_annealing,pyatf:auc_bandit,\
pyatf:simulated_annealing,pyatf:differential_evolution --per-space --plot "$here/search.svg" "$@"
