// Layer norm, a warp per row.
#pragma once
#include "common.cuh"

// y[rows, dim] = (x - mean) / sqrt(var + eps) * gain + bias; stats[rows, 2] = mean, 1/sqrt(var + eps).
KERNEL layer_norm(const matrix* x, const float* gain, const float* bias, matrix* y, float* stats,
                  long rows, int dim, float eps) {
  long row = warp_index();
  if (row >= rows) return;
  const matrix* in = x + row * dim;
  float sum = 0;
  for (int c = lane(); c < dim; c += WARP) sum += value(in[c]);
  float mean = warp_sum(sum) / dim;
  float squares = 0;
  for (int c = lane(); c < dim; c += WARP) {
    float centered = value(in[c]) - mean;
    squares += centered * centered;
  }
  float scale = 1 / sqrtf(warp_sum(squares) / dim + eps);
  for (int c = lane(); c < dim; c += WARP) {
    put(y + row * dim + c, (value(in[c]) - mean) * scale * gain[c] + bias[c]);
  }
  if (lane() == 0) {
    stats[2 * row] = mean;
    stats[2 * row + 1] = scale;
  }
}

// d[rows, dim] = (keep ? d : 0) + the gradient by x, where dy[rows, dim] is that by y. With it, shares
// of the gradients of gain and bias, and, unless dBelow is null, of a bias that was added to x, the
// column sums of d: sum_slices adds them up. Block s takes slice s of the rows, a warp a row, and
// writes row s of each, whose rows are `stride` apart.
// Shared memory: 3 * dim floats a warp.
KERNEL layer_norm_backward(const matrix* dy, const matrix* x, const float* stats, const float* gain,
                           matrix* d, float* dGain, float* dBias, float* dBelow, long rows, int dim,
                           int keep, long stride) {
  SHARED(float, memory);
  float* own = memory + warp() * 3 * dim;
  for (int c = lane(); c < 3 * dim; c += WARP) own[c] = 0;
  __syncwarp();
  long each = (rows + gridDim.x - 1) / gridDim.x;
  long from = blockIdx.x * each;
  long to = from + each < rows ? from + each : rows;
  for (long row = from + warp(); row < to; row += warps()) {
    const matrix* in = x + row * dim;
    const matrix* out = dy + row * dim;
    float mean = stats[2 * row];
    float scale = stats[2 * row + 1];
    float sum = 0;
    float product = 0;
    for (int c = lane(); c < dim; c += WARP) {
      float g = value(out[c]);
      float normed = (value(in[c]) - mean) * scale;
      own[c] += g * normed;
      own[dim + c] += g;
      sum += g * gain[c];
      product += g * gain[c] * normed;
    }
    sum = warp_sum(sum) / dim;
    product = warp_sum(product) / dim;
    for (int c = lane(); c < dim; c += WARP) {
      float normed = (value(in[c]) - mean) * scale;
      float dx = scale * (value(out[c]) * gain[c] - sum - normed * product);
      long at = row * dim + c;
      put(d + at, keep ? value(d[at]) + dx : dx);
      own[2 * dim + c] += value(d[at]);
    }
  }
  __syncthreads();
  for (int c = threadIdx.x; c < 3 * dim; c += blockDim.x) {
    float* share = c < dim ? dGain : c < 2 * dim ? dBias : dBelow;
    if (share == nullptr) continue;
    float sum = 0;
    for (int w = 0; w < warps(); w++) sum += memory[w * 3 * dim + c];
    share[blockIdx.x * stride + c % dim] = sum;
  }
}
