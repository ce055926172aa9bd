// AdamW (Loshchilov and Hutter, arXiv 1711.05101; epsilon outside the bias correction as in PyTorch)
// over one flat array. It is cut into chunks of CHUNK values, none of which has parts of two
// tensors: a chunk's tensor says how it is updated.
#pragma once
#include "sums.cuh"

constexpr int CHUNK = 256;

struct TensorRule {
  int block;    // of parameters, which take their steps together
  float scale;  // factor on the learning rate
  float decay;  // weight decay
  int unused;
};

// parts[gridDim.x], whose sum is that of the squares of g[chunks * CHUNK], resting blocks left out.
KERNEL gradient_squares(const float* g, const int* tensorOf, const TensorRule* rules,
                        const BlockSettings* blocks, double* parts, int chunks) {
  SHARED(double, memory);
  double sum = 0;
  for (int chunk = blockIdx.x; chunk < chunks; chunk += gridDim.x) {
    if (blocks[rules[tensorOf[chunk]].block].rate < 0) continue;
    for (int i = threadIdx.x; i < CHUNK; i += blockDim.x) {
      double x = g[(long)chunk * CHUNK + i];
      sum += x * x;
    }
  }
  sum = block_sum(sum, memory);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// factor[1]: what the gradient is multiplied by so that its norm is at most clip. One warp.
KERNEL clip_factor(const double* parts, const Settings* settings, float* factor, int count) {
  double squares = 0;
  for (int i = lane(); i < count; i += WARP) squares += parts[i];
  double norm = sqrt(warp_sum(squares));
  if (lane() > 0) return;
  factor[0] = settings->clip > 0 && norm > settings->clip ? settings->clip / norm : 1;
}

// A step of the parameters p, with first and second moments m and v; copy is p as matrix products
// read it. A block per chunk.
//   factor[1]  on the gradient; null: 1
KERNEL adamw(float* p, matrix* copy, float* m, float* v, const float* g, const float* factor,
             const int* tensorOf, const TensorRule* rules, const BlockSettings* blocks, float beta1,
             float beta2, float eps) {
  TensorRule rule = rules[tensorOf[blockIdx.x]];
  BlockSettings block = blocks[rule.block];
  if (block.rate < 0) return;
  float rate = block.rate * rule.scale;
  float share = factor == nullptr ? 1 : factor[0];
  for (int c = threadIdx.x; c < CHUNK; c += blockDim.x) {
    long i = (long)blockIdx.x * CHUNK + c;
    float gradient = share * g[i];
    m[i] = beta1 * m[i] + (1 - beta1) * gradient;
    v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
    float update = m[i] * block.correction1 / (sqrtf(v[i] * block.correction2) + eps);
    p[i] -= rate * (update + rule.decay * p[i]);
    put(copy + i, p[i]);
  }
}

// copy[n] = x[n], as matrix products read it.
KERNEL round_values(const float* x, matrix* copy, long n) {
  for (long i = 4 * thread_index(); i + 3 < n; i += 4 * thread_count()) {
    float four[4];
    get(x + i, four);
    put(copy + i, four);
  }
  for (long i = n / 4 * 4 + thread_index(); i < n; i += thread_count()) put(copy + i, x[i]);
}
