// Images to tokens, encoder tokens to decoder tokens, tokens to feature vectors; and back.
#pragma once
#include "common.cuh"

// What a sequence of tokens holds behind its class token.
enum Content {
  VISIBLE_PATCHES,  // those that the mask shows
  ALL_PATCHES,
  MASKED_PATCHES  // all, with a mask token in place of the masked ones
};

// source[images * tokens]: what each token is made of. encoded[images * tokens], unless null: the row
// of the encoder's token that it continues (visible patches have `encoderTokens` tokens an image),
// -1 for a mask token.
//   mask[images, patches]  1 at visible patches; not read for ALL_PATCHES
// A warp per image.
KERNEL token_sources(const float* mask, int* source, int* encoded, int images, int patches,
                     int tokens, int encoderTokens, int content) {
  long image = warp_index();
  if (image >= images) return;
  long row = image * tokens;  // of the token before this lane's patch
  long seen = image * encoderTokens;
  if (lane() == 0) {
    source[row] = CLASS;
    if (encoded) encoded[row] = seen;
  }
  word until = (2u << lane()) - 1;  // this lane and those before it
  for (int first = 0; first < patches; first += WARP) {
    int p = first + lane();
    bool real = p < patches;
    bool visible = real && (content == ALL_PATCHES || mask[image * patches + p] != 0);
    bool kept = content == VISIBLE_PATCHES ? visible : real;
    word all_kept = __ballot_sync(0xffffffffu, kept);
    word all_visible = __ballot_sync(0xffffffffu, visible);
    if (kept) {
      long own = row + __popc(all_kept & until);
      source[own] = visible ? p : patches + p;
      if (encoded) encoded[own] = visible ? seen + __popc(all_visible & until) : -1;
    }
    row += __popc(all_kept);
    seen += __popc(all_visible);
  }
}

// patch[rows, channels * side * side] = the pixels of each token's patch, 0 for other tokens.
//   pixels[images, channels, size, size]
KERNEL gather_patches(const float* pixels, const int* source, matrix* patch, long rows, int tokens,
                      int channels, int size, int side) {
  int values = channels * side * side;
  int grid = size / side;
  unsigned int all = rows * values;
  for (unsigned int i = thread_index(); i < all; i += thread_count()) {
    int row = i / values;
    int at = i % values;
    int p = source[row];
    float pixel = 0;
    if (kind(p, grid * grid) == OF_PATCH) {
      int channel = at / (side * side);
      int y = p / grid * side + at / side % side;
      int x = p % grid * side + at % side;
      pixel = pixels[(((long)(row / tokens) * channels + channel) * size + y) * size + x];
    }
    put(patch + i, pixel);
  }
}

// tokens[rows, dim], in: patches through the linear map, out: tokens.
//   positions[1 + patches, dim]  fixed; learned[patches, dim], cls[dim], maskToken[dim] may be null
KERNEL embed_tokens(matrix* tokens, const int* source, const float* bias, const float* cls,
                    const float* maskToken, const float* positions, const float* learned,
                    long rows, int dim, int patches) {
  for (Fours at(rows, dim); at.any(); at.next()) {
    int p = source[at.row()];
    int c = at.column();
    float token[4];
    switch (kind(p, patches)) {
      case OF_CLASS:
        get(cls + c, token);
        break;
      case OF_PATCH:
        get(tokens + at.value(), token);
        add_values(bias + c, token);
        add_values(positions + (1 + p) * dim + c, token);
        if (learned) add_values(learned + p * dim + c, token);
        break;
      default:
        get(maskToken + c, token);
        add_values(positions + (1 + p - patches) * dim + c, token);
    }
    put(tokens + at.value(), token);
  }
}

// dPatches[rows, dim] = d on the rows of patches, 0 on others: what flows back into the linear map.
KERNEL embed_gradient(const matrix* d, const int* source, matrix* dPatches, long rows,
                      int dim, int patches) {
  for (Fours at(rows, dim); at.any(); at.next()) {
    float x[4] = {};
    if (kind(source[at.row()], patches) == OF_PATCH) get(d + at.value(), x);
    put(dPatches + at.value(), x);
  }
}

// dLearned[patches, dim] = the sum of d[rows, dim] over the tokens of each patch. A block per patch,
// whose warps share the rows. Shared memory: dim floats a warp.
//   source[rows]
KERNEL position_gradient(const matrix* d, const int* source, float* dLearned, long rows,
                         int dim) {
  SHARED(float, memory);
  float* sums = memory + warp() * dim;
  for (int c = lane(); c < dim; c += WARP) sums[c] = 0;
  for (long first = (long)warp() * WARP; first < rows; first += (long)warps() * WARP) {
    long own = first + lane();
    bool of_patch = own < rows && source[own] == (int)blockIdx.x;
    word found = __ballot_sync(0xffffffffu, of_patch);
    for (; found != 0; found &= found - 1) {
      long row = first + __ffs(found) - 1;
      for (int c = lane(); c < dim; c += WARP) sums[c] += value(d[row * dim + c]);
    }
  }
  __syncthreads();
  for (int c = threadIdx.x; c < dim; c += blockDim.x) {
    float sum = 0;
    for (int w = 0; w < warps(); w++) sum += memory[w * dim + c];
    dLearned[blockIdx.x * dim + c] = sum;
  }
}

// y[rows, dim] = decoder tokens: the encoder's mapped[*, dim] + bias where there is one, else the
// mask token; plus positions[1 + patches, dim], whose first row is 0.
//   encoded[rows]  row of mapped, or -1
KERNEL decoder_tokens(const matrix* mapped, const int* encoded, const float* bias,
                      const float* maskToken, const float* positions, matrix* y, long rows,
                      int tokens, int dim) {
  for (Fours at(rows, dim); at.any(); at.next()) {
    int c = at.column();
    int from = encoded[at.row()];
    float token[4];
    if (from < 0) {
      get(maskToken + c, token);
    } else {
      get(mapped + (long)from * dim + c, token);
      add_values(bias + c, token);
    }
    add_values(positions + at.row() % tokens * dim + c, token);
    put(y + at.value(), token);
  }
}

// dMapped[encoder rows, dim] = d[*, dim] of the decoder token that continues each encoder token.
//   source[encoder rows]; decoderTokens = 1 + patches
KERNEL decoder_gradient(const matrix* d, const int* source, matrix* dMapped, long rows,
                        int encoderTokens, int decoderTokens, int dim) {
  int patches = decoderTokens - 1;
  for (Fours at(rows, dim); at.any(); at.next()) {
    int p = source[at.row()];
    int token = p == CLASS ? 0 : 1 + p % patches;
    long from = (long)(at.row() / encoderTokens) * decoderTokens + token;
    float x[4];
    get(d + from * dim + at.column(), x);
    put(dMapped + at.value(), x);
  }
}

// features[images, dim] = the class token of x[images * tokens, dim], or (mean) the others' mean.
KERNEL pool_tokens(const matrix* x, matrix* features, int images, int tokens, int dim, int mean) {
  unsigned int all = images * dim;
  for (unsigned int i = thread_index(); i < all; i += thread_count()) {
    const matrix* token = x + (long)(i / dim) * tokens * dim + i % dim;
    float feature = value(token[0]);
    if (mean) {
      feature = 0;
      for (int t = 1; t < tokens; t++) feature += value(token[(long)t * dim]);
      feature /= tokens - 1;
    }
    put(features + i, feature);
  }
}

// The reverse: dx[images * tokens, dim] (+)= the share of each token; `keep` says whether to add.
KERNEL unpool_tokens(const float* dFeatures, matrix* dx, int images, int tokens, int dim, int mean,
                     int keep) {
  for (Fours at((long)images * tokens, dim); at.any(); at.next()) {
    bool first = at.row() % tokens == 0;
    float d[4] = {};
    if (first != (bool)mean) {
      get(dFeatures + (long)(at.row() / tokens) * dim + at.column(), d);
      for (int i = 0; i < 4; i++) d[i] /= mean ? tokens - 1 : 1;
    }
    if (keep) add_values(dx + at.value(), d);
    put(dx + at.value(), d);
  }
}
