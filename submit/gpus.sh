#!/usr/bin/env bash
# The GPUs of this machine, as Spark's resource discovery asks for them. Workers of a standalone
# cluster are told of it by
#   spark.worker.resource.gpu.amount           how many
#   spark.worker.resource.gpu.discoveryScript  the path of this file
# and executors on YARN and Kubernetes by the launchers beside it.
set -euo pipefail

addresses=$(nvidia-smi --query-gpu=index --format=csv,noheader | sed 's/.*/"&"/' | paste -sd, -)
echo "{\"name\": \"gpu\", \"addresses\": [$addresses]}"
