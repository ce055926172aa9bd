// What a block does to each value by itself: GELU, and branches that images may skip.
#pragma once
#include "sums.cuh"

// The normal distribution at x, given exp(-x * x / 2): by the Gauss error function of Abramowitz and
// Stegun, 7.1.26, whose error is below 1.5e-7.
DEVICE float normal_distribution(float x, float bell) {
  float t = __fdividef(1, 1 + 0.3275911f * 0.70710678118654752f * fabsf(x));
  float series = 1.061405429f;
  series = series * t - 1.453152027f;
  series = series * t + 1.421413741f;
  series = series * t - 0.284496736f;
  series = series * t + 0.254829592f;
  float tail = 0.5f * series * t * bell;
  return x > 0 ? 1 - tail : tail;
}

// y[rows, cols] = gelu(h[rows, cols] + bias[cols]), by the Gauss error function.
KERNEL bias_gelu(const matrix* h, const float* bias, matrix* y, long rows, int cols) {
  for (Fours at(rows, cols); at.any(); at.next()) {
    float x[4], b[4];
    get(h + at.value(), x);
    get(bias + at.column(), b);
    for (int i = 0; i < 4; i++) {
      x[i] += b[i];
      x[i] *= normal_distribution(x[i], expf(-0.5f * x[i] * x[i]));
    }
    put(y + at.value(), x);
  }
}

// d[rows, cols] *= gelu'(h + bias). With it, slices of the gradient of bias, as column_slices leaves
// them. Shared memory: 8 floats a thread.
KERNEL bias_gelu_backward(const matrix* h, const float* bias, matrix* d, float* slices, long rows,
                          int cols, long stride) {
  SHARED(float, memory);
  float* const out[1] = {slices};
  auto multiply = [&](long row, int column, auto& sums) {
    constexpr int N = sizeof(sums[0]) / sizeof(float);
    float x[N], b[N], dy[N];
    get(h + row * cols + column, x);
    get(bias + column, b);
    get(d + row * cols + column, dy);
    for (int i = 0; i < N; i++) {
      x[i] += b[i];
      float bell = expf(-0.5f * x[i] * x[i]);
      dy[i] *= normal_distribution(x[i], bell) + x[i] * 0.39894228040143268f * bell;
    }
    put(d + row * cols + column, dy);
    add_values(d + row * cols + column, sums[0]);
  };
  sum_slice(multiply, out, rows, cols, stride, memory);
}

template <typename T>
DEVICE void add_bias_of(T* d, const T* bias, long rows, int cols) {
  unsigned int all = rows * cols;
  for (unsigned int i = thread_index(); i < all; i += thread_count()) {
    put(d + i, value(d[i]) + value(bias[i % cols]));
  }
}

// d[rows, cols] += bias[cols], where a product cannot add it.
KERNEL add_bias(float* d, const float* bias, long rows, int cols) {
  add_bias_of(d, bias, rows, cols);
}

KERNEL add_rounded_bias(matrix* d, const matrix* bias, long rows, int cols) {
  add_bias_of(d, bias, rows, cols);
}

// to[rows, dim] = residual + factor * branch, where factor[images] is that of the row's image.
KERNEL add_branch(const matrix* residual, const matrix* branch, const float* factor, matrix* to,
                  long rows, int tokens, int dim) {
  for (Fours at(rows, dim); at.any(); at.next()) {
    float sum[4], added[4];
    get(residual + at.value(), sum);
    get(branch + at.value(), added);
    float own = factor[at.row() / tokens];
    for (int i = 0; i < 4; i++) sum[i] += own * added[i];
    put(to + at.value(), sum);
  }
}

// dBranch[rows, dim] = factor * d.
KERNEL scale_branch(const matrix* d, const float* factor, matrix* dBranch, long rows,
                    int tokens, int dim) {
  for (Fours at(rows, dim); at.any(); at.next()) {
    float x[4];
    get(d + at.value(), x);
    float own = factor[at.row() / tokens];
    for (int i = 0; i < 4; i++) x[i] *= own;
    put(dBranch + at.value(), x);
  }
}
