// What happens to images at random, once the CPU has drawn it: org.mixtraining.data.augment.ImageOp. No
// product and sum is contracted, so that every pixel gets the CPU's value.
#pragma once
#include "sums.cuh"

typedef unsigned char uint8;

enum Operation {
  NONE,
  ZOOM,
  SHIFT,
  MIRROR,
  AFFINE,
  BRIGHTNESS,
  COLOR,
  CONTRAST,
  SHARPNESS,
  POSTERIZE,
  SOLARIZE,
  AUTO_CONTRAST,
  EQUALIZE,
  ERASE
};

struct Edit {
  double kind;
  double arguments[5];

  DEVICE Operation operation() const { return (Operation)(int)kind; }

  DEVICE int whole(int argument) const { return (int)arguments[argument]; }

  DEVICE float factor() const { return (float)arguments[0]; }
};

// uint8 [channels, size, size].
struct Image {
  const uint8* pixels;
  int channels;
  int size;

  DEVICE int area() const { return size * size; }

  DEVICE int values() const { return channels * area(); }

  DEVICE uint8 at(int channel, int y, int x) const {
    return pixels[(channel * size + y) * size + x];
  }

  // Black beyond the border.
  DEVICE uint8 within(int channel, int y, int x) const {
    bool inside = y >= 0 && y < size && x >= 0 && x < size;
    return inside ? at(channel, y, x) : 0;
  }
};

// The nearest value that a pixel can have.
DEVICE uint8 clamped(float x) {
  float kept = fmaxf(0, fminf(255, x));
  int whole = (int)kept;
  return (uint8)(whole + (kept - whole >= 0.5f));
}

DEVICE float between(float from, float to, float share) {
  return __fadd_rn(from, __fmul_rn(share, to - from));
}

// --- places -----------------------------------------------------------------------------------

// Where pixel i of an image lies in a window of it, kept inside.
DEVICE float zoomed(int i, int start, int length, int size) {
  float at = (i + 0.5f) * length / size - 0.5f;
  return start + fmaxf(0, fminf(length - 1, at));
}

DEVICE uint8 zoom(const Edit& edit, const Image& image, int channel, int y, int x) {
  int top = edit.whole(0);
  int left = edit.whole(1);
  int height = edit.whole(2);
  int width = edit.whole(3);
  float row = zoomed(y, top, height, image.size);
  float column = zoomed(x, left, width, image.size);
  int upper = (int)row;
  int lower = upper + 1 < top + height ? upper + 1 : top + height - 1;
  int west = (int)column;
  int east = west + 1 < left + width ? west + 1 : left + width - 1;
  float share = column - west;
  float above = between(image.at(channel, upper, west), image.at(channel, upper, east), share);
  float below = between(image.at(channel, lower, west), image.at(channel, lower, east), share);
  return clamped(between(above, below, row - upper));
}

DEVICE uint8 affine(const Edit& edit, const Image& image, int channel, int y, int x) {
  double middle = (image.size - 1) / 2.0;
  double dx = x - middle;
  double dy = y - middle;
  const double* m = edit.arguments;
  double column = __dadd_rn(__dadd_rn(middle, __dmul_rn(m[0], dx)), __dmul_rn(m[1], dy));
  double row = __dadd_rn(__dadd_rn(middle, __dmul_rn(m[2], dx)), __dmul_rn(m[3], dy));
  int left = (int)floor(column);
  int top = (int)floor(row);
  float right = (float)(column - left);
  float down = (float)(row - top);
  float above = between(image.within(channel, top, left), image.within(channel, top, left + 1), right);
  float below =
      between(image.within(channel, top + 1, left), image.within(channel, top + 1, left + 1), right);
  return clamped(between(above, below, down));
}

// --- tones ------------------------------------------------------------------------------------

DEVICE float luma(const Image& image, int pixel) {
  if (image.channels != 3) return image.pixels[pixel];
  int area = image.area();
  float red = __fmul_rn(0.299f, image.pixels[pixel]);
  float green = __fmul_rn(0.587f, image.pixels[area + pixel]);
  float blue = __fmul_rn(0.114f, image.pixels[2 * area + pixel]);
  return __fadd_rn(__fadd_rn(red, green), blue);
}

// The mean of an image's luma, for every thread. A double holds each sum of so many floats exactly
// (of images up to 512 x 512), so that their order does not matter.
DEVICE float mean_luma(const Image& image, double* memory) {
  double sum = 0;
  for (int i = threadIdx.x; i < image.area(); i += blockDim.x) sum += luma(image, i);
  return (float)(block_sum(sum, memory) / image.area());
}

DEVICE uint8 sharpened(const Edit& edit, const Image& image, int channel, int y, int x) {
  int own = image.at(channel, y, x);
  if (y == 0 || y == image.size - 1 || x == 0 || x == image.size - 1) return own;
  int sum = 4 * own;
  for (int i = 0; i < 9; i++) sum += image.at(channel, y - 1 + i / 3, x - 1 + i % 3);
  return clamped(between(sum / 13.0f, own, edit.factor()));
}

// table[256], in: how many pixels have each value; out: what stretching makes of the values.
DEVICE void stretch(int* table) {
  int low = 0;
  int high = 255;
  while (table[low] == 0) low++;
  while (table[high] == 0) high--;
  for (int v = 0; v < 256; v++) {
    table[v] = low < high ? clamped((v - low) * (255.0f / (high - low))) : v;
  }
}

// The same of what gives an even histogram.
DEVICE void equalize(int* table, int area) {
  int last = 255;
  while (table[last] == 0) last--;
  int step = (area - table[last]) / 255;
  int below = 0;
  for (int v = 0; v < 256; v++) {
    int count = table[v];
    int even = step > 0 ? (below + step / 2) / step : v;
    table[v] = even < 255 ? even : 255;
    below += count;
  }
}

// tables[channels, 256] = what an edit makes of each value, by the values that an image has.
DEVICE void tabulate(Operation operation, const Image& image, int* tables) {
  for (int i = threadIdx.x; i < image.channels * 256; i += blockDim.x) tables[i] = 0;
  __syncthreads();
  for (int i = threadIdx.x; i < image.values(); i += blockDim.x) {
    atomicAdd(tables + i / image.area() * 256 + image.pixels[i], 1);
  }
  __syncthreads();
  if ((int)threadIdx.x < image.channels) {
    int* table = tables + threadIdx.x * 256;
    if (operation == EQUALIZE) {
      equalize(table, image.area());
    } else {
      stretch(table);
    }
  }
  __syncthreads();
}

// --- all of them ------------------------------------------------------------------------------

DEVICE uint8 edited_value(const Edit& edit, const Image& image, float mean, const int* tables,
                          int channel, int y, int x) {
  int own = image.at(channel, y, x);
  switch (edit.operation()) {
    case ZOOM:
      return zoom(edit, image, channel, y, x);
    case SHIFT:
      return image.within(channel, y + edit.whole(0), x + edit.whole(1));
    case MIRROR:
      return image.at(channel, y, image.size - 1 - x);
    case AFFINE:
      return affine(edit, image, channel, y, x);
    case BRIGHTNESS:
      return clamped(__fmul_rn(edit.factor(), own));
    case COLOR:
      return clamped(between(luma(image, y * image.size + x), own, edit.factor()));
    case CONTRAST:
      return clamped(between(mean, own, edit.factor()));
    case SHARPNESS:
      return sharpened(edit, image, channel, y, x);
    case POSTERIZE:
      return own & (0xff << (8 - edit.whole(0)));
    case SOLARIZE:
      return own < edit.whole(0) ? own : 255 - own;
    case AUTO_CONTRAST:
    case EQUALIZE:
      return tables[channel * 256 + own];
    case ERASE: {
      bool inside = y >= edit.whole(0) && y < edit.whole(0) + edit.whole(2) &&
                    x >= edit.whole(1) && x < edit.whole(1) + edit.whole(3);
      return inside ? (long long)edit.arguments[4] >> (8 * channel) & 0xff : own;
    }
    default:
      return own;
  }
}

// edited[n, channels, size, size] = images after their edits. A block per image.
//   stored[*, channels, size, size]  uint8
//   places[n]                        in it, of the images
//   edits[n, most]                   in turn; NONE where an image takes fewer
//   spare                            room like that of edited
// Shared memory: channels * 256 ints.
KERNEL edit_images(const uint8* stored, const int* places, const Edit* edits, int most,
                   uint8* edited, uint8* spare, int channels, int size) {
  SHARED(int, tables);
  long values = (long)channels * size * size;
  Image image{stored + places[blockIdx.x] * values, channels, size};
  const Edit* own = edits + (long)blockIdx.x * most;
  int count = 0;
  while (count < most && own[count].operation() != NONE) count++;
  if (count == 0) {
    uint8* to = edited + blockIdx.x * values;
    for (int i = threadIdx.x; i < values; i += blockDim.x) to[i] = image.pixels[i];
  }
  for (int e = 0; e < count; e++) {
    Edit edit = own[e];
    Operation operation = edit.operation();
    float mean = 0;
    if (operation == CONTRAST) mean = mean_luma(image, reinterpret_cast<double*>(tables));
    if (operation == AUTO_CONTRAST || operation == EQUALIZE) tabulate(operation, image, tables);
    // By turns, so that the last one goes where it belongs.
    uint8* to = ((count - e) % 2 == 1 ? edited : spare) + blockIdx.x * values;
    for (int i = threadIdx.x; i < values; i += blockDim.x) {
      int channel = i / (size * size);
      to[i] = edited_value(edit, image, mean, tables, channel, i / size % size, i % size);
    }
    __syncthreads();
    image.pixels = to;
  }
}
