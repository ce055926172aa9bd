// The kernels as a shared library, and a matrix product: what HostGpu calls.
#include <map>
#include <string>

#include "kernels.cu"

#define EXPORT extern "C" __attribute__((visibility("default")))
// Whether the threads of a kernel wait for each other.
enum Threads { ALONE, TOGETHER };

struct Entry {
  std::function<void(void**)> kernel;
  std::vector<int> arguments;
  Threads threads;
};

#define ENTRY(kernel, threads) {#kernel, {host::callable(kernel), host::arguments(kernel), threads}}

// For the tests of races.h: a value that another lane, or another warp, reads with a barrier between
// or without.
KERNEL pass_on(int* to, int distance, int barrier) {
  SHARED(int, memory);
  memory[threadIdx.x] = threadIdx.x;
  if (barrier == 1) __syncwarp();
  if (barrier == 2) __syncthreads();
  to[threadIdx.x] = memory[(threadIdx.x + distance) % blockDim.x];
}

static const std::map<std::string, Entry> KERNELS = {
    ENTRY(pass_on, TOGETHER),
    ENTRY(edit_images, TOGETHER),
    ENTRY(normalise_images, ALONE),
    ENTRY(sample_masks, TOGETHER),
    ENTRY(token_sources, TOGETHER),
    ENTRY(gather_patches, ALONE),
    ENTRY(embed_tokens, ALONE),
    ENTRY(embed_gradient, ALONE),
    ENTRY(position_gradient, TOGETHER),
    ENTRY(decoder_tokens, ALONE),
    ENTRY(decoder_gradient, ALONE),
    ENTRY(pool_tokens, ALONE),
    ENTRY(unpool_tokens, ALONE),
    ENTRY(layer_norm, TOGETHER),
    ENTRY(layer_norm_backward, TOGETHER),
    ENTRY(attention, TOGETHER),
    ENTRY(attention_backward, TOGETHER),
#ifdef MATRIX_BF16
    ENTRY(tensor_attention, TOGETHER),
    ENTRY(tensor_attention_backward, TOGETHER),
#endif
    ENTRY(bias_gelu, ALONE),
    ENTRY(bias_gelu_backward, TOGETHER),
    ENTRY(add_bias, ALONE),
    ENTRY(add_rounded_bias, ALONE),
    ENTRY(add_branch, ALONE),
    ENTRY(scale_branch, ALONE),
    ENTRY(cross_entropy, TOGETHER),
    ENTRY(pixel_loss, TOGETHER),
    ENTRY(column_slices, TOGETHER),
    ENTRY(column_slices_of, TOGETHER),
    ENTRY(image_slices, TOGETHER),
    ENTRY(sum_slices, ALONE),
    ENTRY(partial_sums, TOGETHER),
    ENTRY(step_metrics, TOGETHER),
    ENTRY(gradient_squares, TOGETHER),
    ENTRY(clip_factor, TOGETHER),
    ENTRY(adamw, ALONE),
    ENTRY(round_values, ALONE),
};

// 0: done; 1: no such kernel; 2: a barrier that not all threads reach; 3: a race.
EXPORT int host_launch(const char* kernel, long blocks, int threads, long sharedBytes,
                           void** arguments) {
  auto entry = KERNELS.find(kernel);
  if (entry == KERNELS.end()) return 1;
  auto body = [&] { entry->second.kernel(arguments); };
  bool done = entry->second.threads == ALONE
                  ? host::launch_alone(blocks, threads, body)
                  : host::launch(blocks, threads, sharedBytes, body);
  return !done ? 2 : host::raced() ? 3 : 0;
}

// The bytes of each of a kernel's arguments, negative where it is a pointer; -1: no such kernel.
EXPORT int host_arguments(const char* kernel, int* bytes) {
  auto entry = KERNELS.find(kernel);
  if (entry == KERNELS.end()) return -1;
  for (int own : entry->second.arguments) *bytes++ = own;
  return entry->second.arguments.size();
}

// GELU by the hyperbolic tangent, as products have it.
static double tanh_of(double x) { return tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)); }

static double gelu(double x) { return 0.5 * x * (1 + tanh_of(x)); }

static double gelu_slope(double x) {
  double t = tanh_of(x);
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 3 * 0.044715 * x * x);
}

enum Direction { NEITHER, FORWARD, BACKWARD };

template <typename T>
static void product(const matrix* a, int flipA, const matrix* b, int flipB, const T* c, T* bias,
                    T* d, int gelu_is, T* pre, int m, int n, int k) {
  std::vector<double> row(n), sums(n);
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) row[j] = bias && gelu_is != BACKWARD ? value(bias[j]) : 0;
    for (int l = 0; l < k; l++) {
      double x = value(a[flipA ? (long)l * m + i : (long)i * k + l]);
      for (int j = 0; j < n; j++) row[j] += x * value(b[flipB ? (long)j * k + l : (long)l * n + j]);
    }
    for (int j = 0; j < n; j++) {
      long at = (long)i * n + j;
      double x = row[j] + (c ? value(c[at]) : 0);
      if (gelu_is == FORWARD) {
        put(pre + at, x);
        x = gelu(x);
      } else if (gelu_is == BACKWARD) {
        x *= gelu_slope(value(pre[at]));
        sums[j] += x;
      }
      put(d + at, x);
    }
  }
  for (int j = 0; gelu_is == BACKWARD && j < n; j++) put(bias + j, sums[j]);
}

// d[m, n] = a[m, k] * b[k, n] + bias[n] + c[m, n], and GELU as org.mixtraining.gpu.Gemm has it; a
// flipped one is given as its transpose.
EXPORT void host_product(const matrix* a, int flipA, const matrix* b, int flipB, const void* c,
                         void* bias, void* d, int isFloat, int gelu_is, void* pre, int m, int n,
                         int k) {
  if (isFloat) {
    product(a, flipA, b, flipB, (const float*)c, (float*)bias, (float*)d, gelu_is, (float*)pre, m,
            n, k);
  } else {
    product(a, flipA, b, flipB, (const matrix*)c, (matrix*)bias, (matrix*)d, gelu_is,
            (matrix*)pre, m, n, k);
  }
}
