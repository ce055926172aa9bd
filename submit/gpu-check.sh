#!/usr/bin/env bash
# submit/gpu-check.sh [PART …]
# submit/gpu-check.sh pack DIRECTORY
#
# The checks of the build of -Pgpu that need an NVIDIA GPU (Ampere or newer, CUDA 13 libraries). It
# builds if target/gpu-tests is missing. Parts, by default all of them in this order:
#   libraries     the driver, and where cuBLASLt and NVRTC are found
#   smoke         one small step, waiting for each kernel, so that an error names it
#   speed-first   the first objective and batch size: images/s, time by kernel and by product, peak rates
#   speed         the same for the others
#   eager         PyTorch on the same steps (python3 with torch)
#   compile-ssl, compile-sl, compile-joint   the same by torch.compile
#   table         what was measured so far, side by side
#   tests         kernels and whole steps on the GPU against the float64 reference and the CPU's graph:
#                 float32 within 1e-4, bfloat16 within its rounding, repeats to the bit
#   sanitizer     the same under compute-sanitizer, if installed
#   train         MixTraining on 5000 images of CIFAR-10, on the GPU and on the CPU, to accuracies within
#                 3 points; skipped without CIFAR10
# Each part ends after at most LIMIT seconds and prints what it has as it goes. One that fails does not
# stop the others: which have failed is said at the end, with exit code 1.
#
# pack builds, and puts all that is needed on a GPU machine without Java, Maven and network into a
# directory, in pieces of at most 60 MB: speed-* for the parts until table, rest-* for all parts. Copy
# the first, or all of them, with join.sh there, and run join.sh and then gpu-check/submit/gpu-check.sh.
#
#   OUT=DIR            where results go, default target/gpu-check
#   LIMIT=SECONDS      of a part, default 470
#   OBJECTIVES, BATCHES   what speed measures, the first first: "sl ssl joint", "1024 256 4096"
#   MODEL, STEPS, PEAK    vit-tiny, 50 steps, and bench's --peak
#   TESTS              classes of the part tests, default all
#   CIFAR10=DIR        CIFAR-10's binaries, for train: a tenth of all, or all of data_batch_1.bin alone
#   PYTHON=FILE        another python3, with torch
set -euo pipefail

cd "$(dirname "$0")/.."
out=${OUT:-target/gpu-check}
limit=${LIMIT:-470}
python=${PYTHON:-python3}
objectives=${OBJECTIVES:-sl ssl joint}
batches=${BATCHES:-1024 256 4096}
model=${MODEL:-vit-tiny}
classes=${TESTS:-kernels.CudaKernelsTest gpu.TensorAttentionTest gpu.DeviceImagesTest gpu.GpuStepsTest gpu.Bfloat16TrainingTest gpu.GpuPredictorTest}
[ ! -d java ] || export JAVA_HOME=$PWD/java
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
parts=(libraries smoke speed-first speed eager compile-ssl compile-sl compile-joint table tests sanitizer train)

fail() {
  echo "gpu-check.sh: $*" >&2
  exit 2
}

build() {
  echo "== build"
  mvn -q -B package -Pgpu -DskipTests
}

# --- pack ---------------------------------------------------------------------------------------

# Those of Spark's jars that bench loads classes from.
speed_jars() {
  JAVA_TOOL_OPTIONS="-Xlog:class+load:file=$1/loaded" submit/mixtraining bench --model vit-nano \
    --patch 16 --batch 2 --steps 1 --threads 1 --json >/dev/null 2>&1
  sed -n 's,.*source: file:.*/jars/\([^ ]*\.jar\)$,\1,p' "$1/loaded" | sort -u
}

# Leaves what tar reads from the standard input's list of files as numbered pieces.
pieces() {
  tar cz --transform 's,^,gpu-check/,' -T - | split -b 60000000 -d -a 2 - "$1"
}

pack() {
  local to=$1 scratch
  unset SPARK_HOME
  [ ! -e "$to" ] || fail "$to exists already"
  build
  mkdir -p "$to"
  to=$(cd "$to" && pwd)
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$scratch'; rm -rf java" EXIT
  [ ! -e java ] || fail "$PWD/java is in the way: it is made for the pack"
  "${JAVA_HOME:+$JAVA_HOME/bin/}jlink" --output java --compress 2 --no-header-files \
    --no-man-pages --strip-debug \
    --add-modules java.se,jdk.incubator.vector,jdk.management,jdk.security.auth,jdk.unsupported,jdk.zipfs
  speed_jars "$scratch" | sed 's,^,target/spark/jars/,' >"$scratch/jars"
  { printf '%s\n' submit conf java target/mixtraining.jar && cat "$scratch/jars"; } |
    pieces "$to/speed-"
  { printf '%s\n' target/test-classes-gpu target/gpu-tests &&
    find target/spark/jars -name '*.jar' | grep -vxFf "$scratch/jars"; } | pieces "$to/rest-"
  cat >"$to/join.sh" <<'JOIN'
#!/bin/sh
# Unpacks the pieces that are here into gpu-check.
cd "$(dirname "$0")" || exit 1
for set in speed rest; do
  [ ! -e "$set-00" ] || cat "$set"-[0-9][0-9] | tar xz || exit 1
done
JOIN
  chmod +x "$to/join.sh"
  ls -l "$to"
}

# --- parts --------------------------------------------------------------------------------------

libraries() {
  local library path found=0
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  for library in libcuda.so.1 libcublasLt.so.13 libcublas.so.13 libcudart.so.13 libnvrtc.so.13; do
    path=$(located "$library")
    echo "$library: ${path:-not found}"
    [ -n "$path" ] || found=1
  done
  return $found
}

# Where the dynamic linker finds a library.
located() {
  local directory
  local IFS=:
  for directory in ${LD_LIBRARY_PATH:-}; do
    if [ -e "$directory/$1" ]; then
      echo "$directory/$1"
      return
    fi
  done
  { ldconfig -p 2>/dev/null || true; } | sed -n "s,.*$1 .*=> ,,p" | head -n 1
}

smoke() {
  JAVA_TOOL_OPTIONS=-Dmixtraining.gpu.sync=true submit/mixtraining bench --kernels gpu \
    --objective sl --model "$model" --batch 8 --steps 1 --peak 256
}

# An objective and a batch size.
bench() {
  submit/mixtraining bench --kernels gpu --objective "$1" --model "$model" --batch "$2" \
    --steps "${STEPS:-50}" --peak "${PEAK:-4096}" --json >"$out/new" || return
  mv "$out/new" "$out/$1-$2.json"
  cat "$out/$1-$2.json"
}

speed-first() {
  bench "${objectives%% *}" "${batches%% *}"
}

speed() {
  local objective batch failed=0
  for objective in $objectives; do
    for batch in $batches; do
      [ -e "$out/$objective-$batch.json" ] || bench "$objective" "$batch" || failed=1
    done
  done
  return $failed
}

# A mode and its objectives.
torch() {
  if ! "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    echo "no PyTorch with CUDA: skipped"
    return
  fi
  # shellcheck disable=SC2086
  "$python" submit/gpu_torch.py --mode "$1" --objectives $2 --batches $batches |
    tee -a "$out/torch.jsonl"
}

eager() { torch eager "$objectives"; }
compile-ssl() { torch compile ssl; }
compile-sl() { torch compile sl; }
compile-joint() { torch compile joint; }

table() {
  if ! command -v "$python" >/dev/null; then
    echo "no python3 to make a table of $out/*.json: skipped"
    return
  fi
  "$python" - "$out" <<'PY'
import json, pathlib, sys

out = pathlib.Path(sys.argv[1])
peers = out / "torch.jsonl"
torch = {}
for line in peers.read_text().splitlines() if peers.exists() else []:
    r = json.loads(line)
    torch[r["objective"], r["batch"], r["mode"]] = r["images_per_second"]
own = {}
for file in out.glob("*-*.json"):
    r = json.loads(file.read_text())
    own[r["objective"], r["batch"]] = r
print("objective batch images/s    eager  compile  x eager x compile  share of GEMM  minibatch/step")
for (objective, batch), r in sorted(own.items()):
    rate = r["images_per_second"]
    others = [torch.get((objective, batch, mode)) for mode in ("eager", "compile")]
    rates = " ".join(f"{t:8.0f}" if t else "       -" for t in others)
    gains = " ".join(f"{rate / t:8.2f}" if t else "       -" for t in others)
    wait = r["minibatch_seconds"] / r["step_seconds"]
    print(f"{objective:9} {batch:5} {rate:8.0f} {rates} {gains} {r['share_of_peak']:14.2f} {wait:15.2f}")
for (objective, batch), r in sorted(own.items()):
    print(f"\n{objective}, {batch}: matrix products {r['gemm_peak_gflops'] / 1e3:.0f} TFLOP/s, copies"
          f" {r['copy_gigabytes_per_second']:.0f} GB/s; a step {1e3 * r['step_seconds']:.2f} ms, by kernel:")
    whole = sum(r["kernel_seconds"].values())
    for kernel, seconds in sorted(r["kernel_seconds"].items(), key=lambda k: -k[1]):
        print(f"  {kernel:40} {1e3 * seconds:8.3f} ms {100 * seconds / whole:5.1f} %")
PY
}

# Runs the classes of tests that know mixtraining.gpu.
run_tests() {
  local class selected=()
  for class in $classes; do
    selected+=(--select-class "org.mixtraining.$class")
  done
  "$@" "$java" --add-modules=jdk.incubator.vector --add-opens=java.base/java.nio=ALL-UNNAMED \
    -Xmx3g -Dorg.bytedeco.javacpp.maxbytes=6g -Dorg.bytedeco.javacpp.maxphysicalbytes=0 \
    -Dmixtraining.gpu=0 \
    -cp "target/test-classes-gpu:target/mixtraining.jar:target/gpu-tests/*:target/spark/jars/*" \
    org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=testfeed --fail-if-no-tests "${selected[@]}"
}

tests() { run_tests; }

sanitizer() {
  if command -v compute-sanitizer >/dev/null; then
    run_tests compute-sanitizer --error-exitcode 1
  else
    echo "compute-sanitizer is not installed: skipped"
  fi
}

train() {
  if [ -z "${CIFAR10:-}" ]; then
    echo "CIFAR10 is not a directory with CIFAR-10's binaries: skipped"
    return
  fi
  local fraction=1 run
  [ ! -e "$CIFAR10/data_batch_2.bin" ] || fraction=0.1
  run=(-D data.path="$out/cifar10" -D data.fraction=$fraction -D model.preset=vit-micro
    -D workers.count=1 -D run.output="$out/runs" -D epochs.ssl=10 -D epochs.sl=10)
  [ -e "$out/cifar10" ] ||
    submit/mixtraining prepare -D data.format=cifar10 -D data.source="$CIFAR10" -D data.path="$out/cifar10"
  JAVA_TOOL_OPTIONS="-Dspark.worker.resource.gpu.amount=1 -Dspark.worker.resource.gpu.discoveryScript=$PWD/submit/gpus.sh -Dspark.executor.resource.gpu.amount=1" \
    submit/mixtraining train "${run[@]}" -D workers.device=gpu -D run.id=gpu
  submit/mixtraining train "${run[@]}" -D workers.device=cpu -D run.id=cpu
  submit/mixtraining sql -D run.output="$out/runs" \
    -e "select run_id, status, final_test_accuracy, seconds from runs order by run_id"
  submit/mixtraining sql --csv -D run.output="$out/runs" \
    -e "select 100 * (max(final_test_accuracy) - min(final_test_accuracy)) as points from runs" |
    python3 -c 'import sys
points = float(sys.stdin.read().split()[1])
print(f"{points:.1f} points lie between the two; up to 3 are chance")
sys.exit(points > 3)'
}

# --- all of them --------------------------------------------------------------------------------

case "${1:-}" in
  -h | --help)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
    exit 0
    ;;
  pack)
    [ $# = 2 ] || fail "pack needs a directory to make"
    pack "$2"
    exit 0
    ;;
  --alone) # a part in a process of its own, which a time limit can end
    set -e
    "$2"
    exit
    ;;
esac
for part in "$@"; do
  case " ${parts[*]} " in
    *" $part "*) ;;
    *) fail "unknown part '$part'; parts: ${parts[*]}" ;;
  esac
done
command -v nvidia-smi >/dev/null || fail "nvidia-smi not found: run it on a machine with an NVIDIA GPU"
[ -d target/gpu-tests ] || [ -d java ] || build
mkdir -p "$out"
# CUDA's libraries may have come with PyTorch, all or some of them: then they lie among its packages.
own=$("$python" -c 'import glob, os, sysconfig
files = glob.glob(sysconfig.get_path("purelib") + "/nvidia/**/lib*.so*", recursive=True)
print(":".join(sorted({os.path.dirname(f) for f in files})))' 2>/dev/null || true)
[ -z "$own" ] || export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$own
[ $# -gt 0 ] || set -- "${parts[@]}"
failed=()
for part in "$@"; do
  echo "== $part"
  case $part in
    tests | sanitizer | train)
      if [ ! -d target/gpu-tests ]; then
        echo "it is not among the pieces that were copied here: skipped"
        continue
      fi
      ;;
  esac
  timeout --kill-after 5 "$limit" "$BASH" "$0" --alone "$part" || failed+=("$part")
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "failed, or took more than $limit seconds: ${failed[*]}" >&2
  exit 1
fi
