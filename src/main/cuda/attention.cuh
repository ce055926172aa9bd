// Multi-head self-attention of short sequences: a block per image and head holds a head's keys and
// values in shared memory, and each of its warps takes one query after another.
//
//   qkv[images * tokens, 3 * heads * width]  q, k and v side by side
//   out[images * tokens, heads * width]
//   logSums[images * heads * tokens]         of exp(scores) of each query, for the backward pass
#pragma once
#include "common.cuh"

// Rows of shared memory are one float apart from a multiple of 32, so that a warp's lanes, which
// read one row each, hit a memory bank each.
DEVICE int padded(int width) { return width + 1; }

// Brings columns [column, column + width) of so many rows to shared memory.
DEVICE void bring(const matrix* from, long stride, int column, int rows, int width, float* to) {
  for (int i = threadIdx.x; i < rows * width; i += blockDim.x) {
    int row = i / width;
    int c = i % width;
    to[row * padded(width) + c] = value(from[row * stride + column + c]);
  }
}

DEVICE float dot(const float* a, const float* b, int width) {
  float sum = 0;
  for (int c = 0; c < width; c++) sum += a[c] * b[c];
  return sum;
}

// Shared memory: 2 * tokens * (width + 1) + warps * (width + tokens) floats.
KERNEL attention(const matrix* qkv, matrix* out, float* logSums, int tokens, int heads, int width) {
  SHARED(float, memory);
  int head = blockIdx.x % heads;
  int dim = heads * width;
  const matrix* in = qkv + (long)(blockIdx.x / heads) * tokens * 3 * dim;
  matrix* attended = out + (long)(blockIdx.x / heads) * tokens * dim + head * width;
  float* keys = memory;
  float* values = keys + tokens * padded(width);
  float* query = values + tokens * padded(width) + warp() * (width + tokens);
  float* weights = query + width;
  float scale = 1 / sqrtf((float)width);
  bring(in, 3 * dim, dim + head * width, tokens, width, keys);
  bring(in, 3 * dim, 2 * dim + head * width, tokens, width, values);
  __syncthreads();
  for (int i = warp(); i < tokens; i += warps()) {
    for (int c = lane(); c < width; c += WARP) {
      query[c] = scale * value(in[(long)i * 3 * dim + head * width + c]);
    }
    __syncwarp();
    float most = minus_infinity();
    for (int j = lane(); j < tokens; j += WARP) {
      weights[j] = dot(query, keys + j * padded(width), width);
      most = fmaxf(most, weights[j]);
    }
    most = warp_max(most);
    float sum = 0;
    for (int j = lane(); j < tokens; j += WARP) {
      weights[j] = expf(weights[j] - most);
      sum += weights[j];
    }
    sum = warp_sum(sum);
    __syncwarp();
    for (int c = lane(); c < width; c += WARP) {
      float mean = 0;
      for (int j = 0; j < tokens; j++) mean += weights[j] * values[j * padded(width) + c];
      put(attended + (long)i * dim + c, mean / sum);
    }
    if (lane() == 0) logSums[(long)blockIdx.x * tokens + i] = most + logf(sum);
    __syncwarp();
  }
}

// sums[3, heads * width]: those over the tokens of an image's gradients, d[tokens, 3 * heads * width],
// in the columns of the block's head, which its threads have just written; N columns at a time. Both
// pointers are to the head's first column. Shared memory: 3 * width floats a warp.
template <int N>
DEVICE void sum_gradients(const matrix* d, float* sums, int tokens, int heads, int width,
                          float* memory) {
  int dim = heads * width;
  float* own = memory + warp() * 3 * width;
  __syncthreads();
  for (int c = N * lane(); c < 3 * width; c += N * WARP) {
    const matrix* column = d + c / width * dim + c % width;
    float sum[N] = {};
    UNROLL(8)
    for (int i = warp(); i < tokens; i += warps()) add_values(column + (long)i * 3 * dim, sum);
    for (int n = 0; n < N; n++) own[c + n] = sum[n];
  }
  __syncthreads();
  for (int c = threadIdx.x; c < 3 * width; c += blockDim.x) {
    float sum = 0;
    for (int w = 0; w < warps(); w++) sum += memory[w * 3 * width + c];
    sums[c / width * dim + c % width] = sum;
  }
}

// dQkv, as qkv, from dOut, as out, and from what attention has left. Queries are taken with the keys
// and values in shared memory, then keys with the queries and their gradients there; the weights are
// computed again each time.
//   sums[images, 3 * heads * width]  of dQkv over the tokens of each image
// Shared memory: 2 * tokens * (width + 1) + tokens + warps * 2 * (width + tokens) floats.
KERNEL attention_backward(const matrix* qkv, const matrix* out, const float* logSums,
                          const matrix* dOut, matrix* dQkv, float* sums, int tokens, int heads,
                          int width) {
  SHARED(float, memory);
  int head = blockIdx.x % heads;
  int dim = heads * width;
  long image = blockIdx.x / heads;
  const matrix* in = qkv + image * tokens * 3 * dim + head * width;
  const matrix* attended = out + image * tokens * dim + head * width;
  const matrix* dAttended = dOut + image * tokens * dim + head * width;
  matrix* d = dQkv + image * tokens * 3 * dim + head * width;
  const float* logSum = logSums + (long)blockIdx.x * tokens;
  float* first = memory;
  float* second = first + tokens * padded(width);
  float* means = second + tokens * padded(width);  // of each query: sum over keys of weight * dWeight
                                                   // = dOut * out
  float* own = means + tokens + warp() * 2 * (width + tokens);
  float* ownOther = own + width;
  float* weights = ownOther + width;
  float* dScores = weights + tokens;
  float scale = 1 / sqrtf((float)width);

  // queries: first = keys, second = values, own = query, ownOther = gradient of its output
  bring(in, 3 * dim, dim, tokens, width, first);
  bring(in, 3 * dim, 2 * dim, tokens, width, second);
  __syncthreads();
  for (int i = warp(); i < tokens; i += warps()) {
    float mean = 0;
    for (int c = lane(); c < width; c += WARP) {
      own[c] = scale * value(in[(long)i * 3 * dim + c]);
      ownOther[c] = value(dAttended[(long)i * dim + c]);
      mean += ownOther[c] * value(attended[(long)i * dim + c]);
    }
    mean = warp_sum(mean);
    if (lane() == 0) means[i] = mean;
    __syncwarp();
    for (int j = lane(); j < tokens; j += WARP) {
      float weight = expf(dot(own, first + j * padded(width), width) - logSum[i]);
      dScores[j] = weight * (dot(ownOther, second + j * padded(width), width) - mean);
    }
    __syncwarp();
    for (int c = lane(); c < width; c += WARP) {
      float dQuery = 0;
      for (int j = 0; j < tokens; j++) dQuery += dScores[j] * first[j * padded(width) + c];
      put(d + (long)i * 3 * dim + c, scale * dQuery);
    }
    __syncwarp();
  }

  // keys: first = queries, second = gradients of their outputs, own = key, ownOther = value
  __syncthreads();
  bring(in, 3 * dim, 0, tokens, width, first);
  bring(dAttended, dim, 0, tokens, width, second);
  __syncthreads();
  for (int j = warp(); j < tokens; j += warps()) {
    for (int c = lane(); c < width; c += WARP) {
      own[c] = scale * value(in[(long)j * 3 * dim + dim + c]);
      ownOther[c] = value(in[(long)j * 3 * dim + 2 * dim + c]);
    }
    __syncwarp();
    for (int i = lane(); i < tokens; i += WARP) {
      weights[i] = expf(dot(own, first + i * padded(width), width) - logSum[i]);
      float dWeight = dot(ownOther, second + i * padded(width), width);
      dScores[i] = weights[i] * (dWeight - means[i]);
    }
    __syncwarp();
    for (int c = lane(); c < width; c += WARP) {
      float dKey = 0;
      float dValue = 0;
      for (int i = 0; i < tokens; i++) {
        dKey += dScores[i] * first[i * padded(width) + c];
        dValue += weights[i] * second[i * padded(width) + c];
      }
      put(d + (long)j * 3 * dim + dim + c, scale * dKey);
      put(d + (long)j * 3 * dim + 2 * dim + c, dValue);
    }
    __syncwarp();
  }
  sum_gradients<1>(d, sums + image * 3 * dim + head * width, tokens, heads, width, memory);
}
