// Sums over many rows, in two steps of a fixed order: slices of the rows, then the slices.
#pragma once
#include "step.cuh"

// N neighbouring columns at a time; threads that have no other columns to take share the rows.
template <int OUT, int N, typename Add>
DEVICE void sum_slice_of(Add add, float* const (&out)[OUT], long rows, int cols, long stride,
                         float* memory) {
  long each = (rows + gridDim.x - 1) / gridDim.x;
  long from = blockIdx.x * each;
  long to = from + each < rows ? from + each : rows;
  int threads = blockDim.x;
  for (int first = 0; first < cols; first += N * threads) {
    int left = (cols - first) / N;
    int wide = left < threads ? left : threads;  // threads side by side
    int together = threads / wide;
    int share = (int)threadIdx.x / wide;
    int column = first + (int)threadIdx.x % wide * N;
    float sums[OUT][N] = {};
    if (share < together) {
      UNROLL(4)
      for (long row = from + share; row < to; row += together) add(row, column, sums);
    }
    for (int i = 0; i < OUT * N; i++) memory[i * threads + threadIdx.x] = sums[i / N][i % N];
    __syncthreads();
    if (share == 0) {
      for (int i = 0; i < OUT * N; i++) {
        float sum = 0;
        for (int s = 0; s < together; s++) sum += memory[i * threads + s * wide + threadIdx.x];
        out[i / N][blockIdx.x * stride + column + i % N] = sum;
      }
    }
    __syncthreads();
  }
}

// Sums over slices of the rows, block s taking slice s: add(row, column, sums) adds a row's values
// from a column on, as many as fit, to each sums[o], and out[o] + s * stride gets what all come to.
// Shared memory: 8 * OUT floats a thread.
template <int OUT, typename Add>
DEVICE void sum_slice(Add add, float* const (&out)[OUT], long rows, int cols, long stride,
                      float* memory) {
  if (cols % 8 == 0) {
    sum_slice_of<OUT, 8>(add, out, rows, cols, stride, memory);
  } else if (cols % 4 == 0) {
    sum_slice_of<OUT, 4>(add, out, rows, cols, stride, memory);
  } else {
    sum_slice_of<OUT, 1>(add, out, rows, cols, stride, memory);
  }
}

// slices[s, c] for block s: the sum of column c of dy[rows, cols] over slice s of the rows. Rows of
// slices are `stride` apart.
KERNEL column_slices(const matrix* dy, float* slices, long rows, int cols, long stride) {
  SHARED(float, memory);
  float* const out[1] = {slices};
  auto add = [&](long row, int column, auto& sums) { add_values(dy + row * cols + column, sums[0]); };
  sum_slice(add, out, rows, cols, stride, memory);
}

// The same of the sums over images that attention_backward has left.
KERNEL image_slices(const float* ofImages, float* slices, long images, int cols, long stride) {
  SHARED(float, memory);
  float* const out[1] = {slices};
  auto add = [&](long image, int column, auto& sums) {
    add_values(ofImages + image * cols + column, sums[0]);
  };
  sum_slice(add, out, images, cols, stride, memory);
}

// As column_slices, of the rows of one kind.
KERNEL column_slices_of(const matrix* d, const int* source, int wanted, int patches, float* slices,
                        long rows, int cols, long stride) {
  SHARED(float, memory);
  float* const out[1] = {slices};
  auto add = [&](long row, int column, auto& sums) {
    if (kind(source[row], patches) == wanted) add_values(d + row * cols + column, sums[0]);
  };
  sum_slice(add, out, rows, cols, stride, memory);
}

// sum[cols] = column sums of slices[count, cols].
KERNEL sum_slices(const float* slices, float* sum, int count, long cols) {
  for (long c = thread_index(); c < cols; c += thread_count()) {
    float all = 0;
    for (int s = 0; s < count; s++) all += slices[s * cols + c];
    sum[c] = all;
  }
}

// The sum of x over a block's threads, for each of them. Shared memory: warps doubles.
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
// A warp each.
KERNEL step_metrics(const double* parts, const Settings* settings, double* metrics, int count) {
  double sum = 0;
  for (int i = lane(); i < count; i += WARP) sum += parts[warp() * count + i];
  sum = warp_sum(sum);
  if (lane() == 0) metrics[(long)settings->slot * 3 + warp()] = sum;
}
