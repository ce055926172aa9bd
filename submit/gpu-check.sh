#!/usr/bin/env bash
# submit/gpu-check.sh [CIFAR-10 BINARIES]
#
# Everything that only a machine with an NVIDIA GPU (Ampere or newer, CUDA 13 libraries) can say about
# the build of -Pgpu, in about half an hour; what it prints is the result. It exits with 1 at the
# first check that fails.
#   1. kernels and whole steps on the GPU against the float64 reference and the CPU's graph: float32
#      within 1e-4, bfloat16 within its rounding, repeats to the bit
#   2. the same under compute-sanitizer, if it is there
#   3. images/s, time by kernel and share of the GPU's own rates, beside PyTorch (python3 with torch;
#      PYTHON names another one) for batches of 256, 1024 and 4096 and each objective
#   4. given CIFAR-10's binaries: MixTraining on a tenth of its images, on the GPU and on the CPU
set -euo pipefail

cd "$(dirname "$0")/.."
out=target/gpu-check
python=${PYTHON:-python3}
mkdir -p "$out"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

echo "== build"
mvn -q -B package -Pgpu -DskipTests

echo "== kernels and steps against reference and CPU"
checks=(-q -B -Pgpu -Dmixtraining.gpu=0 -DfailIfNoTests=true
  -Dtest='CudaKernelsTest,GpuStepsTest,DeviceImagesTest')
mvn "${checks[@]}" surefire:test

if command -v compute-sanitizer >/dev/null; then
  echo "== compute-sanitizer"
  compute-sanitizer --target-processes all --error-exitcode 1 --log-file "$out/sanitizer.log" \
    mvn "${checks[@]}" surefire:test
  tail -n 1 "$out/sanitizer.log"
else
  echo "== compute-sanitizer is not here: left out"
fi

echo "== steps beside PyTorch"
for objective in ssl sl joint; do
  for batch in 256 1024 4096; do
    submit/mixtraining bench --kernels gpu --objective "$objective" --model vit-tiny --batch "$batch" \
      --steps 50 --json >"$out/$objective-$batch.json"
  done
done
if "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
  "$python" submit/gpu_torch.py >"$out/torch.jsonl"
else
  echo "no PyTorch with CUDA: its columns stay empty"
  : >"$out/torch.jsonl"
fi
python3 - "$out" <<'PY'
import json, pathlib, sys

out = pathlib.Path(sys.argv[1])
torch = {}
for line in (out / "torch.jsonl").read_text().splitlines():
    r = json.loads(line)
    torch[r["objective"], r["batch"], r["mode"]] = r["images_per_second"]
print("objective batch images/s  eager compile  x eager x compile  share of GEMM  minibatch/step")
for objective in ("ssl", "sl", "joint"):
    for batch in (256, 1024, 4096):
        r = json.loads((out / f"{objective}-{batch}.json").read_text())
        own = r["images_per_second"]
        others = [torch.get((objective, batch, mode)) for mode in ("eager", "compile")]
        rates = " ".join(f"{t:8.0f}" if t else "       -" for t in others)
        gains = " ".join(f"{own / t:8.2f}" if t else "       -" for t in others)
        wait = r["minibatch_seconds"] / r["step_seconds"]
        print(f"{objective:9} {batch:5} {own:9.0f} {rates} {gains} {r['share_of_peak']:14.2f} {wait:15.2f}")
r = json.loads((out / "sl-1024.json").read_text())
print(f"\nmatrix products {r['gemm_peak_gflops'] / 1e3:.0f} TFLOP/s, copies {r['copy_gigabytes_per_second']:.0f} GB/s; sl, 1024, by kernel:")
whole = sum(r["kernel_seconds"].values())
for kernel, seconds in sorted(r["kernel_seconds"].items(), key=lambda k: -k[1]):
    print(f"  {kernel:22} {1e3 * seconds:8.3f} ms {100 * seconds / whole:5.1f} %")
PY

if [ $# -gt 0 ]; then
  echo "== MixTraining on a tenth of CIFAR-10, on the GPU and on the CPU"
  run=(-D data.path="$out/cifar10" -D data.fraction=0.1 -D model.preset=vit-micro -D workers.count=1
    -D run.output="$out/runs" -D epochs.ssl=10 -D epochs.sl=10)
  [ -e "$out/cifar10" ] ||
    submit/mixtraining prepare -D data.format=cifar10 -D data.source="$1" -D data.path="$out/cifar10"
  JAVA_TOOL_OPTIONS="-Dspark.worker.resource.gpu.amount=1 -Dspark.worker.resource.gpu.discoveryScript=$PWD/submit/gpus.sh -Dspark.executor.resource.gpu.amount=1" \
    submit/mixtraining train "${run[@]}" -D workers.device=gpu -D run.id=gpu
  submit/mixtraining train "${run[@]}" -D workers.device=cpu -D run.id=cpu
  submit/mixtraining sql -D run.output="$out/runs" \
    -e "select run_id, status, final_test_accuracy, seconds from runs order by run_id"
fi
