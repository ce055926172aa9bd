// What a block does to each value by itself: GELU, and branches that images may skip.
#pragma once
#include "common.cuh"

DEVICE float normal_distribution(float x) { return 0.5f * (1 + erff(x * 0.70710678118654752f)); }

// y[rows, cols] = gelu(h[rows, cols] + bias[cols]), by the Gauss error function.
KERNEL bias_gelu(const matrix* h, const float* bias, matrix* y, long rows, int cols) {
  for (long i = thread_index(); i < rows * cols; i += thread_count()) {
    float x = value(h[i]) + bias[i % cols];
    put(y + i, x * normal_distribution(x));
  }
}

// d[rows, cols] *= gelu'(h + bias).
KERNEL bias_gelu_backward(const matrix* h, const float* bias, matrix* d, long rows, int cols) {
  for (long i = thread_index(); i < rows * cols; i += thread_count()) {
    float x = value(h[i]) + bias[i % cols];
    float density = 0.39894228040143268f * expf(-0.5f * x * x);
    put(d + i, value(d[i]) * (normal_distribution(x) + x * density));
  }
}

// y[rows, dim] = x + factor * branch, where factor[images] is that of the row's image.
KERNEL add_branch(const float* x, const float* branch, const float* factor, float* y, long rows,
                  int tokens, int dim) {
  for (long i = thread_index(); i < rows * dim; i += thread_count()) {
    y[i] = x[i] + factor[i / dim / tokens] * branch[i];
  }
}

// scaled[rows, dim] = factor * d.
KERNEL scale_branch(const float* d, const float* factor, matrix* scaled, long rows, int tokens,
                    int dim) {
  for (long i = thread_index(); i < rows * dim; i += thread_count()) {
    put(scaled + i, factor[i / dim / tokens] * d[i]);
  }
}
