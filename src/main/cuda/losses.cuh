// Both losses with their gradients by the prediction; a warp per row.
#pragma once
#include "step.cuh"

// Cross-entropy of softmax(logits[images, classes]) against target[images, classes], rows of which
// are distributions or, without a label, all zero.
//   dLogits[images, classes]  labelWeight * (softmax * sum of target - target)
//   losses[images], correct[images]  of each image; correct is 1 where the most probable class is the
//                                  label, the first of equals
KERNEL cross_entropy(const float* logits, const float* target, const Settings* settings,
                     matrix* dLogits, float* losses, float* correct, int images, int classes) {
  long image = warp_index();
  if (image >= images) return;
  const float* x = logits + image * classes;
  const float* t = target + image * classes;
  float most = minus_infinity();
  for (int c = lane(); c < classes; c += WARP) most = fmaxf(most, x[c]);
  most = warp_max(most);
  float sum = 0;
  float mass = 0;
  for (int c = lane(); c < classes; c += WARP) {
    sum += expf(x[c] - most);
    mass += t[c];
  }
  sum = warp_sum(sum);
  mass = warp_sum(mass);
  float logSum = most + logf(sum);
  float entropy = 0;
  for (int c = lane(); c < classes; c += WARP) {
    entropy += t[c] * (logSum - x[c]);
    float d = expf(x[c] - most) / sum * mass - t[c];
    put(dLogits + image * classes + c, settings->labelWeight * d);
  }
  entropy = warp_sum(entropy);
  if (lane() == 0) {
    int guess = 0;
    int label = 0;
    for (int c = 1; c < classes; c++) {
      if (x[c] > x[guess]) guess = c;
      if (t[c] > t[label]) label = c;
    }
    losses[image] = entropy;
    correct[image] = t[label] > 0 && guess == label ? 1 : 0;
  }
}

// Squared error of the masked patches, each normalised by its own mean and standard deviation if
// normPix says so.
//   prediction[images * (1 + patches), values], values = channels * side * side
//   pixels[images, channels, size, size], mask[images, patches]
//   d[images * (1 + patches), values]  pixelWeight / count * 2 * (prediction - target), or 0
//   losses[images * (1 + patches)]       sum of squares of each row
// count: values of all masked patches.
KERNEL pixel_loss(const float* prediction, const float* pixels, const float* mask,
                  const Settings* settings, matrix* d, float* losses, int images, int channels,
                  int size, int side, int normPix, float count) {
  int values = channels * side * side;
  int grid = size / side;
  int patches = grid * grid;
  long row = warp_index();
  if (row >= (long)images * (1 + patches)) return;
  long image = row / (1 + patches);
  int p = (int)(row % (1 + patches)) - 1;
  bool hidden = p >= 0 && mask[image * patches + p] == 0;
  auto pixel = [&](int at) {
    int channel = at / (side * side);
    int y = p / grid * side + at / side % side;
    int x = p % grid * side + at % side;
    return pixels[((image * channels + channel) * size + y) * size + x];
  };
  float mean = 0;
  float scale = 1;
  if (hidden && normPix) {
    float sum = 0;
    for (int i = lane(); i < values; i += WARP) sum += pixel(i);
    mean = warp_sum(sum) / values;
    float squares = 0;
    for (int i = lane(); i < values; i += WARP) squares += (pixel(i) - mean) * (pixel(i) - mean);
    // The variance of a single value is 0.
    scale = 1 / sqrtf(warp_sum(squares) / (values > 1 ? values - 1 : 1) + 1e-6f);
  }
  float weight = settings->pixelWeight / count * 2;
  float squares = 0;
  for (int i = lane(); i < values; i += WARP) {
    long at = row * values + i;
    float error = hidden ? prediction[at] - (pixel(i) - mean) * scale : 0;
    squares += error * error;
    put(d + at, weight * error);
  }
  squares = warp_sum(squares);
  if (lane() == 0) losses[row] = squares;
}
