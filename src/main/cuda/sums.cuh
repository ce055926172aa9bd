// Sums over many rows, in two steps of a fixed order: slices of the rows, then the slices.
#pragma once
#include "step.cuh"

// slices[s, c] for block s: the sum of column c of x[rows, cols] over slice s of the rows; only over
// those of one kind where a source is given. Rows of slices are `stride` apart.
DEVICE bool counts(const int* source, long row, int wanted, int patches) {
  return !source || kind(source[row], patches) == wanted;
}

template <typename T>
DEVICE void column_slice(const T* x, const int* source, int wanted, int patches, float* slices,
                         long rows, int cols, long stride) {
  long each = (rows + gridDim.x - 1) / gridDim.x;
  long from = blockIdx.x * each;
  long to = from + each < rows ? from + each : rows;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) {
    float sum = 0;
    for (long row = from; row < to; row++) {
      if (counts(source, row, wanted, patches)) sum += value(x[row * cols + c]);
    }
    slices[blockIdx.x * stride + c] = sum;
  }
}

KERNEL column_slices(const matrix* x, float* slices, long rows, int cols, long stride) {
  column_slice(x, 0, 0, 0, slices, rows, cols, stride);
}

KERNEL column_slices_of(const float* x, const int* source, int wanted, int patches, float* slices,
                        long rows, int cols, long stride) {
  column_slice(x, source, wanted, patches, slices, rows, cols, stride);
}

// sum[cols] = column sums of slices[count, cols].
KERNEL sum_slices(const float* slices, float* sum, int count, long cols) {
  for (long c = thread_index(); c < cols; c += thread_count()) {
    float all = 0;
    for (int s = 0; s < count; s++) all += slices[s * cols + c];
    sum[c] = all;
  }
}

// The sum of x over a block's threads, for its first thread. Shared memory: warps doubles.
DEVICE double block_sum(double x, double* memory) {
  x = warp_sum(x);
  if (lane() == 0) memory[warp()] = x;
  __syncthreads();
  double sum = 0;
  for (int w = 0; w < warps(); w++) sum += memory[w];
  return sum;
}

// parts[gridDim.x], whose sum is that of x[n].
KERNEL partial_sums(const float* x, double* parts, long n) {
  SHARED(double, memory);
  double sum = 0;
  for (long i = thread_index(); i < n; i += thread_count()) sum += x[i];
  sum = block_sum(sum, memory);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// metrics[slot, 3] = the sums of parts[3, count]: squared errors, cross-entropies, right guesses.
// One thread each.
KERNEL step_metrics(const double* parts, const Settings* settings, double* metrics, int count) {
  int which = threadIdx.x;
  if (which >= 3) return;
  double sum = 0;
  for (int i = 0; i < count; i++) sum += parts[which * count + i];
  metrics[(long)settings->slot * 3 + which] = sum;
}
