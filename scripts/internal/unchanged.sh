# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Programs of others that run unchanged in a partition, for GENP_PROGRAMS of scripts/run: in tests
# and in measurements. Sourced, never run.

# shellcheck disable=SC2034  # for those who source this
REDIS='redis-server redis-cli redis-benchmark'
# All that Python comes with, its tests included.
PYTHON_WHOLE=/usr/lib/python3.13
# python_with FILE...: Python, and of its library what most programs need and these besides.
python_with() {
	set -- '*.py' __pycache__ collections encodings importlib json re "$@"
	echo python3 "${@/#/$PYTHON_WHOLE/}"
}
