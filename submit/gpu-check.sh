#!/usr/bin/env bash
# submit/gpu-check.sh [PART …]
# submit/gpu-check.sh pack DIRECTORY
#
# The checks of the build of -Pgpu that need an NVIDIA GPU (Ampere or newer, CUDA 13 libraries). It
# builds if target/gpu-tests is missing. Parts, by default all of them in this order:
#   tests      kernels and whole steps on the GPU against the float64 reference and the CPU's graph:
#              float32 within 1e-4, bfloat16 within its rounding, repeats to the bit
#   sanitizer  the same under compute-sanitizer, if installed
#   speed      images/s, time by kernel and share of the GPU's peak rates, beside PyTorch (python3 with
#              torch), for each objective and batch size
#   train      MixTraining on 5000 images of CIFAR-10, on the GPU and on the CPU, to accuracies within
#              3 points; skipped without CIFAR10
# A part that fails ends it with exit code 1; earlier measurements are still printed.
#
# pack builds, and puts all that is needed on a GPU machine without Java, Maven and network into a
# directory: copy it there and run its submit/gpu-check.sh.
#
#   OUT=DIR            where results go, default target/gpu-check
#   OBJECTIVES, BATCHES, MODES   what speed measures: "ssl sl joint", "256 1024 4096", "eager compile"
#   CIFAR10=DIR        CIFAR-10's binaries, for train: a tenth of all, or all of data_batch_1.bin alone
#   PYTHON=FILE        another python3, with torch
set -euo pipefail

cd "$(dirname "$0")/.."
out=${OUT:-target/gpu-check}
python=${PYTHON:-python3}
objectives=${OBJECTIVES:-ssl sl joint}
batches=${BATCHES:-256 1024 4096}
modes=${MODES:-eager compile}
[ ! -d java ] || export JAVA_HOME=$PWD/java
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
parts=(tests sanitizer speed train)

fail() {
  echo "gpu-check.sh: $*" >&2
  exit 2
}

build() {
  echo "== build"
  mvn -q -B package -Pgpu -DskipTests
}

pack() {
  local to=$1
  [ ! -e "$to" ] || fail "$to exists already"
  build
  mkdir -p "$to/target/spark"
  cp -r submit conf "$to"
  cp -r target/mixtraining.jar target/test-classes-gpu target/gpu-tests "$to/target"
  cp -r target/spark/jars "$to/target/spark"
  "${JAVA_HOME:+$JAVA_HOME/bin/}jlink" --output "$to/java" --compress 2 --no-header-files \
    --no-man-pages --strip-java-debug-attributes \
    --add-modules java.se,jdk.incubator.vector,jdk.management,jdk.security.auth,jdk.unsupported,jdk.zipfs
  du -sh "$to"
}

# Runs the classes of tests that know mixtraining.gpu.
run_tests() {
  local class classes=()
  for class in kernels.CudaKernelsTest gpu.TensorAttentionTest gpu.DeviceImagesTest \
    gpu.GpuStepsTest gpu.GpuPredictorTest; do
    classes+=(--select-class "org.mixtraining.$class")
  done
  "$@" "$java" --add-modules=jdk.incubator.vector --add-opens=java.base/java.nio=ALL-UNNAMED \
    -Xmx3g -Dorg.bytedeco.javacpp.maxbytes=6g -Dorg.bytedeco.javacpp.maxphysicalbytes=12g \
    -Dmixtraining.gpu=0 \
    -cp "target/test-classes-gpu:target/mixtraining.jar:target/gpu-tests/*:target/spark/jars/*" \
    org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=summary --fail-if-no-tests "${classes[@]}"
}

tests() {
  run_tests
}

sanitizer() {
  if command -v compute-sanitizer >/dev/null; then
    run_tests compute-sanitizer --error-exitcode 1 --log-file "$out/sanitizer.log"
    tail -n 1 "$out/sanitizer.log"
  else
    echo "compute-sanitizer is not installed: skipped"
  fi
}

speed() {
  local objective batch
  rm -f "$out"/*-*.json "$out/torch.jsonl"
  trap table EXIT
  for objective in $objectives; do
    for batch in $batches; do
      submit/mixtraining bench --kernels gpu --objective "$objective" --model vit-tiny \
        --batch "$batch" --steps 50 --json >"$out/new"
      mv "$out/new" "$out/$objective-$batch.json"
      echo "$objective $batch: measured"
    done
  done
  if "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    # shellcheck disable=SC2086
    "$python" submit/gpu_torch.py --objectives $objectives --batches $batches --modes $modes \
      >"$out/torch.jsonl"
  else
    echo "no PyTorch with CUDA: its columns are empty"
  fi
  trap - EXIT
  table
}

# The measurements of speed so far.
table() {
  python3 - "$out" <<'PY'
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
        print(f"  {kernel:26} {1e3 * seconds:8.3f} ms {100 * seconds / whole:5.1f} %")
PY
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
esac
for part in "$@"; do
  case " ${parts[*]} " in
    *" $part "*) ;;
    *) fail "unknown part '$part'; parts: ${parts[*]}" ;;
  esac
done
command -v nvidia-smi >/dev/null || fail "nvidia-smi not found: run it on a machine with an NVIDIA GPU"
[ -d target/gpu-tests ] || build
mkdir -p "$out"
# Where CUDA's libraries came with PyTorch alone, they lie among its packages.
if ! ldconfig -p 2>/dev/null | grep -q 'libnvrtc\.so\.13'; then
  own=$("$python" -c 'import glob, os, sysconfig
files = glob.glob(sysconfig.get_path("purelib") + "/nvidia/**/lib*.so*", recursive=True)
print(":".join(sorted({os.path.dirname(f) for f in files})))' 2>/dev/null || true)
  [ -z "$own" ] || export LD_LIBRARY_PATH=$own${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
[ $# -gt 0 ] || set -- "${parts[@]}"
for part in "$@"; do
  echo "== $part"
  "$part"
done
