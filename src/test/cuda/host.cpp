// The kernels as a shared library, and a matrix product: what HostGpu calls.
#include <map>
#include <string>

#include "kernels.cu"

#define EXPORT extern "C" __attribute__((visibility("default")))
#define ENTRY(kernel) {#kernel, host::callable(kernel)}

static const std::map<std::string, std::function<void(void**)>> KERNELS = {
    ENTRY(prepare_images),
    ENTRY(sample_masks),
    ENTRY(token_sources),
    ENTRY(gather_patches),
    ENTRY(embed_tokens),
    ENTRY(embed_gradient),
    ENTRY(position_gradient),
    ENTRY(decoder_tokens),
    ENTRY(decoder_gradient),
    ENTRY(pool_tokens),
    ENTRY(unpool_tokens),
    ENTRY(layer_norm),
    ENTRY(layer_norm_backward),
    ENTRY(layer_norm_slices),
    ENTRY(attention),
    ENTRY(attention_backward),
    ENTRY(bias_gelu),
    ENTRY(bias_gelu_backward),
    ENTRY(add_branch),
    ENTRY(scale_branch),
    ENTRY(cross_entropy),
    ENTRY(pixel_loss),
    ENTRY(column_slices),
    ENTRY(column_slices_of),
    ENTRY(sum_slices),
    ENTRY(partial_sums),
    ENTRY(step_metrics),
    ENTRY(gradient_squares),
    ENTRY(clip_factor),
    ENTRY(adamw),
    ENTRY(round_values),
};

// 0: done; 1: no such kernel; 2: a barrier that not all threads reach.
EXPORT int host_launch(const char* kernel, long blocks, int threads, long sharedBytes,
                           void** arguments) {
  auto entry = KERNELS.find(kernel);
  if (entry == KERNELS.end()) return 1;
  bool done = host::launch(blocks, threads, sharedBytes, [&] { entry->second(arguments); });
  return done ? 0 : 2;
}

template <typename T>
static void product(const matrix* a, int flipA, const matrix* b, int flipB, const T* c,
                    const T* bias, T* d, int m, int n, int k) {
  std::vector<double> row(n);
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) row[j] = bias ? value(bias[j]) : 0;
    for (int l = 0; l < k; l++) {
      double x = value(a[flipA ? (long)l * m + i : (long)i * k + l]);
      for (int j = 0; j < n; j++) row[j] += x * value(b[flipB ? (long)j * k + l : (long)l * n + j]);
    }
    for (int j = 0; j < n; j++) {
      put(d + (long)i * n + j, row[j] + (c ? value(c[(long)i * n + j]) : 0));
    }
  }
}

// d[m, n] = a[m, k] * b[k, n] + bias[n] + c[m, n]; a flipped one is given as its transpose.
EXPORT void host_product(const matrix* a, int flipA, const matrix* b, int flipB, const void* c,
                             const void* bias, void* d, int isFloat, int m, int n, int k) {
  if (isFloat) {
    product(a, flipA, b, flipB, (const float*)c, (const float*)bias, (float*)d, m, n, k);
  } else {
    product(a, flipA, b, flipB, (const matrix*)c, (const matrix*)bias, (matrix*)d, m, n, k);
  }
}
