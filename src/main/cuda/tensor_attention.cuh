// The attention of attention.cuh on tensor cores, where matrices are bfloat16 and a head is 16, 32
// or 64 wide: as in FlashAttention-2 (Dao, arXiv 2307.08691), a warp keeps 16 queries in registers
// and goes over all keys, 16 at a time, and backward also 16 keys that go over all queries, so that
// nothing is added up by several warps.
//
// Matrices are read as words of two neighbouring columns. In shared memory rows of words are 4 apart
// from a multiple of 8, so that the 32 words that a warp reads lie in 32 banks.
#pragma once
#include "attention.cuh"

#ifdef MATRIX_BF16

constexpr int TILE = 16;

// A warp's part of a 16x16 factor, of a factor's 8 columns, and of a 16x8 product, as `mma.sync`
// m16n8k16 has them (PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type"): lane l
// holds, with g = l / 4 and t = l % 4,
//   Left   words (row g, word t), (g + 8, t), (g, t + 4), (g + 8, t + 4)
//   Sums   values (row g, columns 2t and 2t + 1), (g + 8, the same)
// and of the right factor the words (rows 2t and 2t + 1, column g) and (2t + 8 and 2t + 9, g).
struct Left {
  word words[4];
};

struct Sums {
  float values[4];
};

DEVICE int group() { return lane() / 4; }

DEVICE int member() { return lane() % 4; }

// Over the four lanes that hold a row.
DEVICE float row_sum(float x) {
  x += __shfl_xor_sync(0xffffffffu, x, 1);
  return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

DEVICE float row_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

template <int WIDTH>
struct Head {
  static constexpr int WORDS = WIDTH / 2;
  static constexpr int STRIDE = WORDS + 4;
  static constexpr int DEPTH = WIDTH / TILE;  // tiles side by side

  // Brings so many rows of a head to shared memory, and zeros behind them, by so many threads.
  static DEVICE void bring(const word* from, int stride, int rows, int padded, word* to, int thread,
                           int threads) {
    constexpr int QUADS = WORDS / 4;
    for (int i = thread; i < padded * QUADS; i += threads) {
      int row = i / QUADS;
      int column = i % QUADS * 4;
      Quad quad = {};
      if (row < rows) quad = *reinterpret_cast<const Quad*>(from + row * stride + column);
      *reinterpret_cast<Quad*>(to + row * STRIDE + column) = quad;
    }
  }

  // The same by the block.
  static DEVICE void bring(const word* from, int stride, int rows, int padded, word* to) {
    bring(from, stride, rows, padded, to, threadIdx.x, blockDim.x);
  }

  // 16 rows in shared memory as left factors.
  static DEVICE void load(const word* rows, Left (&to)[DEPTH]) {
    const word* own = rows + lane() % 16 * STRIDE + lane() / 16 * 4;
    for (int d = 0; d < DEPTH; d++) load_matrices(to[d].words, own + d * 8);
  }

  // Rows first..first + 15 as left factors, zeros behind the last of them.
  static DEVICE void load(const word* from, int stride, int first, int rows, Left (&to)[DEPTH]) {
    for (int half = 0; half < 2; half++) {
      int row = first + group() + 8 * half;
      const word* own = from + row * stride + member();
      for (int d = 0; d < DEPTH; d++) {
        to[d].words[half] = row < rows ? own[d * 8] : 0;
        to[d].words[half + 2] = row < rows ? own[d * 8 + 4] : 0;
      }
    }
  }

  // sums[2] (of 8 columns each) = left[16, WIDTH] * the transpose of 16 rows in shared memory.
  static DEVICE void by_rows(const Left (&left)[DEPTH], const word* rows, Sums (&sums)[2]) {
    sums[0] = sums[1] = {};
    const word* own = rows + (lane() / 16 * 8 + lane() % 8) * STRIDE + lane() / 8 % 2 * 4;
    for (int d = 0; d < DEPTH; d++) {
      word right[4];
      load_matrices(right, own + d * 8);
      multiply_add(sums[0].values, left[d].words, right[0], right[1]);
      multiply_add(sums[1].values, left[d].words, right[2], right[3]);
    }
  }

  // sums[2 * DEPTH] (of 8 columns each) += left[16, 16] * 16 rows in shared memory.
  static DEVICE void by_columns(const Left& left, const word* rows, Sums (&sums)[2 * DEPTH]) {
    const word* own = rows + lane() % 16 * STRIDE + lane() / 16 * 4;
    for (int d = 0; d < DEPTH; d++) {
      word right[4];
      load_transposed(right, own + d * 8);
      multiply_add(sums[2 * d].values, left.words, right[0], right[1]);
      multiply_add(sums[2 * d + 1].values, left.words, right[2], right[3]);
    }
  }

  // Writes what by_columns has added up, times factors of the rows g and g + 8, but no row behind
  // the last.
  static DEVICE void store(const Sums (&sums)[2 * DEPTH], float upper, float lower, word* to,
                           int stride, int first, int rows) {
    for (int half = 0; half < 2; half++) {
      int row = first + group() + 8 * half;
      if (row >= rows) continue;
      float factor = half == 0 ? upper : lower;
      word* own = to + row * stride + member();
      for (int d = 0; d < 2 * DEPTH; d++) {
        const float* two = sums[d].values + 2 * half;
        own[d * 4] = both(factor * two[0], factor * two[1]);
      }
    }
  }
};

// 16x16 values as a left factor.
DEVICE Left left_of(const Sums (&sums)[2]) {
  Left left;
  for (int half = 0; half < 2; half++) {
    left.words[2 * half] = both(sums[half].values[0], sums[half].values[1]);
    left.words[2 * half + 1] = both(sums[half].values[2], sums[half].values[3]);
  }
  return left;
}

constexpr float LOG2_E = 1.4426950408889634f;

template <int WIDTH>
DEVICE void tensor_attention_of(const word* qkv, word* out, float* logSums, int tokens, int heads,
                                word* memory) {
  typedef Head<WIDTH> H;
  int head = blockIdx.x % heads;
  long image = blockIdx.x / heads;
  int dim = heads * H::WORDS;
  int padded = (tokens + TILE - 1) / TILE * TILE;
  const word* in = qkv + image * tokens * 3 * dim + head * H::WORDS;
  word* attended = out + image * tokens * dim + head * H::WORDS;
  word* keys = memory;
  word* values = keys + padded * H::STRIDE;
  float scale = 1 / sqrtf((float)WIDTH);
  H::bring(in + dim, 3 * dim, tokens, padded, keys);
  H::bring(in + 2 * dim, 3 * dim, tokens, padded, values);
  __syncthreads();
  for (int first = warp() * TILE; first < tokens; first += warps() * TILE) {
    Left query[H::DEPTH];
    H::load(in, 3 * dim, first, tokens, query);
    Sums mean[2 * H::DEPTH] = {};
    float most[2] = {minus_infinity(), minus_infinity()};  // of the rows g and g + 8
    float sum[2] = {0, 0};
    for (int key = 0; key < padded; key += TILE) {
      Sums scores[2];
      H::by_rows(query, keys + key * H::STRIDE, scores);
      float now[2] = {most[0], most[1]};
      for (int i = 0; i < 8; i++) {
        float& score = scores[i / 4].values[i % 4];
        if (key + i / 4 * 8 + 2 * member() + i % 2 >= tokens) score = minus_infinity();
        now[i / 2 % 2] = fmaxf(now[i / 2 % 2], score);
      }
      float faded[2];
      for (int half = 0; half < 2; half++) {
        now[half] = row_max(now[half]);
        faded[half] = exp2f((most[half] - now[half]) * scale * LOG2_E);
        sum[half] *= faded[half];
        most[half] = now[half];
      }
      for (int i = 0; i < 8; i++) {
        float& score = scores[i / 4].values[i % 4];
        score = exp2f((score - now[i / 2 % 2]) * scale * LOG2_E);
        sum[i / 2 % 2] += score;
      }
      for (int d = 0; d < 2 * H::DEPTH; d++) {
        for (int i = 0; i < 4; i++) mean[d].values[i] *= faded[i / 2];
      }
      H::by_columns(left_of(scores), values + key * H::STRIDE, mean);
    }
    for (int half = 0; half < 2; half++) {
      sum[half] = row_sum(sum[half]);
      int row = first + group() + 8 * half;
      if (member() == 0 && row < tokens) {
        logSums[(long)blockIdx.x * tokens + row] = most[half] * scale + logf(sum[half]);
      }
    }
    H::store(mean, 1 / sum[0], 1 / sum[1], attended, dim, first, tokens);
  }
}

// Shared memory: 2 * padded * (width / 2 + 4) words, where padded is tokens rounded up to 16.
KERNEL tensor_attention(const word* qkv, word* out, float* logSums, int tokens, int heads,
                        int width) {
  SHARED(word, memory);
  switch (width) {
    case 16:
      return tensor_attention_of<16>(qkv, out, logSums, tokens, heads, memory);
    case 32:
      return tensor_attention_of<32>(qkv, out, logSums, tokens, heads, memory);
    default:
      return tensor_attention_of<64>(qkv, out, logSums, tokens, heads, memory);
  }
}

template <int WIDTH>
DEVICE void tensor_attention_backward_of(const word* qkv, const word* out, const float* logSums,
                                         const word* dOut, word* dQkv, float* sums, int tokens,
                                         int heads, word* memory) {
  typedef Head<WIDTH> H;
  int head = blockIdx.x % heads;
  long image = blockIdx.x / heads;
  int dim = heads * H::WORDS;
  int padded = (tokens + TILE - 1) / TILE * TILE;
  const word* in = qkv + image * tokens * 3 * dim + head * H::WORDS;
  const word* attended = out + image * tokens * dim + head * H::WORDS;
  const word* dAttended = dOut + image * tokens * dim + head * H::WORDS;
  word* d = dQkv + image * tokens * 3 * dim + head * H::WORDS;
  word* one = memory;
  word* other = one + padded * H::STRIDE;
  // Of each query: its logSum by the base of 2, and the sum over keys of weight * dWeight.
  float* ofQueries = reinterpret_cast<float*>(other + padded * H::STRIDE);
  word* values = reinterpret_cast<word*>(ofQueries + 2 * padded) + warp() * TILE * H::STRIDE;
  constexpr float SCALE = WIDTH == 16 ? 0.25f : WIDTH == 32 ? 0.17677669529663687f : 0.125f;

  // queries: one = keys, other = values
  H::bring(in + dim, 3 * dim, tokens, padded, one);
  H::bring(in + 2 * dim, 3 * dim, tokens, padded, other);
  for (int i = threadIdx.x; i < padded; i += blockDim.x) {
    float logSum = i < tokens ? logSums[(long)blockIdx.x * tokens + i] : -minus_infinity();
    ofQueries[2 * i] = logSum * LOG2_E;
  }
  __syncthreads();
  for (int first = warp() * TILE; first < tokens; first += warps() * TILE) {
    Left query[H::DEPTH];
    Left dMean[H::DEPTH];
    H::load(in, 3 * dim, first, tokens, query);
    H::load(dAttended, dim, first, tokens, dMean);
    float mean[2] = {0, 0};  // of the rows g and g + 8: dOut * out is that sum
    {
      Left result[H::DEPTH];
      H::load(attended, dim, first, tokens, result);
      for (int k = 0; k < H::DEPTH; k++) {
        for (int i = 0; i < 4; i++) {
          word a = dMean[k].words[i];
          word b = result[k].words[i];
          mean[i % 2] += low(a) * low(b) + high(a) * high(b);
        }
      }
    }
    float own[2];
    for (int half = 0; half < 2; half++) {
      mean[half] = row_sum(mean[half]);
      int row = first + group() + 8 * half;
      own[half] = ofQueries[2 * row];
      if (member() == 0) ofQueries[2 * row + 1] = mean[half];
    }
    Sums dQuery[2 * H::DEPTH] = {};
    for (int key = 0; key < padded; key += TILE) {
      Sums scores[2];
      Sums dWeights[2];
      H::by_rows(query, one + key * H::STRIDE, scores);
      H::by_rows(dMean, other + key * H::STRIDE, dWeights);
      for (int i = 0; i < 8; i++) {
        float& score = scores[i / 4].values[i % 4];
        int half = i / 2 % 2;
        bool real = key + i / 4 * 8 + 2 * member() + i % 2 < tokens;
        float weight = real ? exp2f(score * (SCALE * LOG2_E) - own[half]) : 0;
        score = weight * (dWeights[i / 4].values[i % 4] - mean[half]);
      }
      H::by_columns(left_of(scores), one + key * H::STRIDE, dQuery);
    }
    H::store(dQuery, SCALE, SCALE, d, 3 * dim, first, tokens);
  }

  // keys: one = queries, other = gradients of their outputs; the values of a warp's keys, for which it
  // has no registers left, are in shared memory too
  __syncthreads();
  H::bring(in, 3 * dim, tokens, padded, one);
  H::bring(dAttended, dim, tokens, padded, other);
  __syncthreads();
  for (int first = warp() * TILE; first < tokens; first += warps() * TILE) {
    Left key[H::DEPTH];
    H::load(in + dim, 3 * dim, first, tokens, key);
    __syncwarp();
    H::bring(in + (2 + 3 * first) * dim, 3 * dim, tokens - first, TILE, values, lane(), WARP);
    __syncwarp();
    Sums dKey[2 * H::DEPTH] = {};
    Sums dValue[2 * H::DEPTH] = {};
    for (int query = 0; query < padded; query += TILE) {
      Sums weights[2];
      Sums dScores[2];
      Left value[H::DEPTH];
      H::load(values, value);
      H::by_rows(key, one + query * H::STRIDE, weights);
      H::by_rows(value, other + query * H::STRIDE, dScores);
      for (int half = 0; half < 2; half++) {
        float two[4];
        get(ofQueries + 2 * (query + 8 * half + 2 * member()), two);
        for (int i = 0; i < 4; i++) {
          float& weight = weights[half].values[i];
          float& dScore = dScores[half].values[i];
          weight = exp2f(weight * (SCALE * LOG2_E) - two[i % 2 * 2]);
          dScore = weight * (dScore - two[i % 2 * 2 + 1]);
        }
      }
      H::by_columns(left_of(weights), other + query * H::STRIDE, dValue);
      H::by_columns(left_of(dScores), one + query * H::STRIDE, dKey);
    }
    H::store(dKey, SCALE, SCALE, d + dim, 3 * dim, first, tokens);
    H::store(dValue, 1, 1, d + 2 * dim, 3 * dim, first, tokens);
  }
  sum_gradients<2>(reinterpret_cast<const matrix*>(d),
                   sums + image * 3 * heads * WIDTH + head * WIDTH, tokens, heads, WIDTH,
                   reinterpret_cast<float*>(memory));
}

// As attention_backward, from what tensor_attention has left. Of its threads a Hopper has room for
// three times 160, which take 80 tokens at once. Shared memory: that of tensor_attention, 2 * padded
// floats, and 16 * (width / 2 + 4) words a warp.
KERNEL __launch_bounds__(256, 2)
    tensor_attention_backward(const word* qkv, const word* out, const float* logSums,
                              const word* dOut, word* dQkv, float* sums, int tokens, int heads,
                              int width) {
  SHARED(word, memory);
  switch (width) {
    case 16:
      return tensor_attention_backward_of<16>(qkv, out, logSums, dOut, dQkv, sums, tokens, heads,
                                              memory);
    case 32:
      return tensor_attention_backward_of<32>(qkv, out, logSums, dOut, dQkv, sums, tokens, heads,
                                              memory);
    default:
      return tensor_attention_backward_of<64>(qkv, out, logSums, dOut, dQkv, sums, tokens, heads,
                                              memory);
  }
}

#endif
