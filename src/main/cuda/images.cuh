// Images on the device: augmentation, normalisation and the choice of visible patches, by the same
// random numbers as org.mixtraining.schedule.Seed gives on the CPU.
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

  DEVICE bool next_boolean() { return (int)next() < 0; }
};

// pixels[n, channels, size, size] = normalised images of a batch: a random crop after `padding`
// black pixels on each side (0: none), then mirrored if `flip` allows and chance decides.
//   stored[*, channels, size, size]  uint8
//   places[n]                        in it, of the batch's images
//   ids[n]                           image ids
//   tables[channels, 256]            normalised value of each pixel value
// A block per image.
KERNEL prepare_images(const unsigned char* stored, const int* places, const long long* ids,
                      const float* tables, float* pixels, int channels, int size, int padding,
                      int flip, int stream, long long run, int epoch) {
  Random random(stream, run, epoch, ids[blockIdx.x]);
  int down = 0;
  int right = 0;
  if (padding > 0) {
    down = random.next(2 * padding + 1) - padding;
    right = random.next(2 * padding + 1) - padding;
  }
  bool mirrored = flip && random.next_boolean();
  int area = size * size;
  const unsigned char* image = stored + (long)places[blockIdx.x] * channels * area;
  float* out = pixels + (long)blockIdx.x * channels * area;
  for (int i = threadIdx.x; i < channels * area; i += blockDim.x) {
    int channel = i / area;
    int y = i % area / size + down;
    int column = i % size;
    int x = (mirrored ? size - 1 - column : column) + right;
    bool inside = y >= 0 && y < size && x >= 0 && x < size;
    out[i] = tables[channel * 256 + (inside ? image[(channel * size + y) * size + x] : 0)];
  }
}

// mask[n, patches] = 1 at `visible` randomly chosen patches of each image, else 0. A thread per
// image. Shared memory: patches shorts a thread.
KERNEL sample_masks(const long long* ids, float* mask, int images, int patches, int visible,
                    int stream, long long run, int epoch) {
  SHARED(short, memory);
  long image = thread_index();
  if (image >= images) return;
  Random random(stream, run, epoch, ids[image]);
  auto order = [&](int place) -> short& { return memory[place * blockDim.x + threadIdx.x]; };
  for (int p = 0; p < patches; p++) {
    order(p) = p;
    mask[image * patches + p] = 0;
  }
  for (int i = 0; i < visible; i++) {
    int j = i + random.next(patches - i);
    mask[image * patches + order(j)] = 1;
    order(j) = order(i);
  }
}
