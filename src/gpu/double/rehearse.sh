#!/usr/bin/env bash
# src/gpu/double/rehearse.sh DIRECTORY
#
# Rehearses submit/gpu-check.sh without a GPU: packs, copies the pieces into a directory, joins them, and
# runs there what fits, with a path that has neither Java nor Maven, on the double of the driver.
set -euo pipefail

cd "$(dirname "$0")/../../.."
[ $# = 1 ] && [ ! -e "$1" ] || { echo "rehearse.sh: needs a directory to make" >&2; exit 2; }
mkdir -p "$1"
here=$(cd "$1" && pwd)
submit/gpu-check.sh pack "$here/pack"
large=$(find "$here/pack" -size +60000000c)
[ -z "$large" ] || { echo "rehearse.sh: more than 60 MB: $large" >&2; exit 1; }
double=$(java -cp 'target/test-classes-gpu:target/mixtraining.jar:target/gpu-tests/*' org.mixtraining.gpu.DriverDouble)

mkdir -p "$here/bin" "$here/bare"
for program in bash sh env sed tar gzip cat ls dirname uname mktemp id grep sort head tail cut tr find rm mv \
  mkdir ln readlink timeout tee locale; do
  ln -s "$(command -v "$program")" "$here/bin/$program"
done
printf '#!/bin/sh\necho "Double, 0, 8192 MiB"\n' >"$here/bin/nvidia-smi"
chmod +x "$here/bin/nvidia-smi"

check() {
  env -i PATH="$here/bin" HOME="$here" LD_LIBRARY_PATH="$double" MODEL=vit-nano OBJECTIVES=joint BATCHES="2 3" \
    STEPS=1 PEAK=16 bash "$here/bare/gpu-check/submit/gpu-check.sh" "$@"
}
cp "$here"/pack/join.sh "$here"/pack/speed-* "$here/bare"
env -i PATH="$here/bin" "$here/bare/join.sh"
check libraries smoke speed-first speed eager table tests
cp "$here"/pack/rest-* "$here/bare"
env -i PATH="$here/bin" "$here/bare/join.sh"
check tests
echo "rehearsed: $(find "$here/pack" -name 'speed-*' | wc -l) pieces for speed, $(find "$here/pack" -name 'rest-*' | wc -l) more for the tests"
