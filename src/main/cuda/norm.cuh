// Layer norm, a warp per row.
#pragma once
#include "sums.cuh"

// y[rows, dim] = (x - mean) / sqrt(var + eps) * gain + bias; stats[rows, 2] = mean, 1/sqrt(var + eps).
KERNEL layer_norm(const float* x, const float* gain, const float* bias, matrix* y, float* stats,
                  long rows, int dim, float eps) {
  long row = warp_index();
  if (row >= rows) return;
  const float* in = x + row * dim;
  float sum = 0;
  for (int c = lane(); c < dim; c += WARP) sum += in[c];
  float mean = warp_sum(sum) / dim;
  float squares = 0;
  for (int c = lane(); c < dim; c += WARP) squares += (in[c] - mean) * (in[c] - mean);
  float scale = 1 / sqrtf(warp_sum(squares) / dim + eps);
  for (int c = lane(); c < dim; c += WARP) {
    put(y + row * dim + c, (in[c] - mean) * scale * gain[c] + bias[c]);
  }
  if (lane() == 0) {
    stats[2 * row] = mean;
    stats[2 * row + 1] = scale;
  }
}

// d[rows, dim] = (keep ? d : 0) + the gradient by x, where dy[rows, dim] is that by y; copy[rows, dim]
// = d, as a matrix product reads it.
KERNEL layer_norm_backward(const matrix* dy, const float* x, const float* stats, const float* gain,
                           float* d, matrix* copy, long rows, int dim, int keep) {
  long row = warp_index();
  if (row >= rows) return;
  const float* in = x + row * dim;
  const matrix* out = dy + row * dim;
  float mean = stats[2 * row];
  float scale = stats[2 * row + 1];
  float sum = 0;
  float product = 0;
  for (int c = lane(); c < dim; c += WARP) {
    float g = value(out[c]) * gain[c];
    sum += g;
    product += g * (in[c] - mean) * scale;
  }
  sum = warp_sum(sum) / dim;
  product = warp_sum(product) / dim;
  for (int c = lane(); c < dim; c += WARP) {
    float g = value(out[c]) * gain[c];
    float dx = scale * (g - sum - (in[c] - mean) * scale * product);
    long at = row * dim + c;
    float all = (keep ? d[at] : 0) + dx;
    d[at] = all;
    put(copy + at, all);
  }
}

// Shares of the gradients of gain and bias, which sum_slices adds up: block s takes slice s of the
// rows and writes row s of dGain and dBias, whose rows are `stride` apart.
// Shared memory: 8 floats a thread.
KERNEL layer_norm_slices(const matrix* dy, const float* x, const float* stats, float* dGain,
                         float* dBias, long rows, int dim, long stride) {
  SHARED(float, memory);
  float* const out[2] = {dGain, dBias};
  auto add = [&](long row, int column, auto& sums) {
    constexpr int N = sizeof(sums[0]) / sizeof(float);
    float g[N], in[N];
    get(dy + row * dim + column, g);
    get(x + row * dim + column, in);
    for (int i = 0; i < N; i++) {
      sums[0][i] += g[i] * (in[i] - stats[2 * row]) * stats[2 * row + 1];
      sums[1][i] += g[i];
    }
  };
  sum_slice(add, out, rows, dim, stride, memory);
}
