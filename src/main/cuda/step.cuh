// What changes from step to step is handed to kernels in one small array, so that a recorded step
// can be repeated: see org.mixtraining.gpu.StepSettings, which fills it.
#pragma once
#include "common.cuh"

struct Settings {
  float slot;         // where in the metrics the step's losses go
  float pixelWeight;  // weight of the reconstruction loss in the whole
  float labelWeight;  // weight of an image's cross-entropy in the whole
  float clip;         // greatest norm of the gradient; 0 is no limit
};

struct BlockSettings {
  float rate;         // learning rate; negative: the block rests
  float correction1;  // 1 / (1 - beta1^step)
  float correction2;  // 1 / (1 - beta2^step)
  float unused;
};
