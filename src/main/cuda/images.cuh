// Images on the device: normalisation, mixtures, and the choice of visible patches by the same random
// numbers as org.mixtraining.schedule.Seed gives on the CPU.
#pragma once
#include "common.cuh"

typedef unsigned long long u64;

// Seed.hash's finaliser (SplitMix64's).
DEVICE u64 mix(u64 z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

constexpr u64 GOLDEN = 0x9E3779B97F4A7C15ull;

// java.util.SplittableRandom.
struct Random {
  u64 seed;

  // Seed.at(run seed, epoch, image id); `stream` is the Seed's ordinal.
  DEVICE Random(int stream, u64 run, u64 epoch, u64 id) {
    u64 h = mix(run + GOLDEN * (u64)(stream + 1));
    h = mix(h + GOLDEN + mix(epoch));
    seed = mix(h + GOLDEN + mix(id));
  }

  DEVICE unsigned int next() {
    u64 z = seed += GOLDEN;
    z = (z ^ (z >> 33)) * 0x62A9D9ED799705F5ull;
    return (unsigned int)(((z ^ (z >> 28)) * 0xCB24D0A5C88C35B3ull) >> 32);
  }

  // Uniform in [0, bound).
  DEVICE int next(int bound) {
    unsigned int r = next();
    int most = bound - 1;
    if ((bound & most) == 0) return r & most;
    int u = r >> 1;
    int result;
    while ((int)((unsigned int)u + most - (result = u % bound)) < 0) u = next() >> 1;
    return result;
  }
};

// How an image becomes a mixture of itself and its partner: org.mixtraining.data.augment.BatchMix.
struct Mix {
  float share;
  float top, left, height, width;

  // The share of a pixel's own value.
  DEVICE float at(int y, int x) const {
    bool pasted = y >= top && y < top + height && x >= left && x < left + width;
    return pasted ? 0 : share;
  }
};

// pixels[images, colours, size, size] = normalised images, mixed with their partners'. A grey image
// has each colour alike.
//   edited[images, channels, size, size]  uint8
//   tables[channels, 256]                 normalised value of each pixel value
//   partners, partner_tables              the same of partners; that of image i is i + next, and
//                                         behind the last comes the first
//   mixes[images]                         null: none is mixed
KERNEL normalise_images(const unsigned char* edited, const float* tables,
                        const unsigned char* partners, const float* partner_tables, int next,
                        const Mix* mixes, float* pixels, int images, int channels, int colours,
                        int size) {
  int area = size * size;
  int values = colours * area;
  unsigned int all = (unsigned int)images * values;
  for (unsigned int i = thread_index(); i < all; i += thread_count()) {
    int image = i / values;
    int channel = channels == 1 ? 0 : i % values / area;
    int at = i % area;
    float own = tables[channel * 256 + edited[((long)image * channels + channel) * area + at]];
    if (mixes != nullptr) {
      int partner = (image + next) % images;
      unsigned char value = partners[((long)partner * channels + channel) * area + at];
      float share = mixes[image].at(at / size, at % size);
      own = __fadd_rn(__fmul_rn(share, own),
                      __fmul_rn(1 - share, partner_tables[channel * 256 + value]));
    }
    pixels[i] = own;
  }
}

// mask[n, patches] = 1 at `visible` randomly chosen patches of each image, else 0. A warp per image,
// whose first lane draws. Shared memory: patches ints a warp, those still to be chosen from.
KERNEL sample_masks(const long long* ids, float* mask, int images, int patches, int visible,
                    int stream, long long run, int epoch) {
  SHARED(int, memory);
  long image = warp_index();
  if (image >= images) return;
  int* order = memory + warp() * patches;
  for (int p = lane(); p < patches; p += WARP) {
    order[p] = p;
    mask[image * patches + p] = 0;
  }
  __syncwarp();
  if (lane() > 0) return;
  Random random(stream, run, epoch, ids[image]);
  for (int i = 0; i < visible; i++) {
    int chosen = i + random.next(patches - i);
    mask[image * patches + order[chosen]] = 1;
    order[chosen] = order[i];
  }
}
