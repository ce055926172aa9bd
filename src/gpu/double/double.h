// A double of NVIDIA's driver, cuBLASLt and NVRTC: one library with the functions that src/gpu/java
// calls, so that the unmodified Java runs without a GPU. It checks what a caller must keep to, defers
// work until somebody waits for it, and computes by the kernels compiled for the CPU.
#pragma once
#include <functional>
#include <mutex>
#include <string>

#define API extern "C" __attribute__((visibility("default")))

typedef unsigned long long Address;  // of device memory

namespace gpu {

constexpr int INVALID = 1;
constexpr int OUT_OF_MEMORY = 2;
constexpr int NO_CONTEXT = 201;
constexpr int ILLEGAL_ADDRESS = 700;
constexpr int LAUNCH_FAILED = 719;
constexpr int CAPTURING = 900;
constexpr int CAPTURE_BROKEN = 901;

// One lock for all: whoever calls has it.
extern std::recursive_mutex lock;

// What tests set, and what they ask for.
struct Modes {
  long fails = 0;      // the how many-th call from now fails; 0: none
  long faults = 0;     // the how many-th kernel from now reads an illegal address
  long budget = 0;     // bytes that a device has
  int capability = 0;  // 10 * major + minor
  int filling = 0;     // number of the cuBLASLt algorithm that fills the device; 0: none does
  bool plain = false;  // cuBLASLt knows no algorithm that adds a bias
};
extern Modes modes;

// Number of the cuBLASLt algorithm that was last used.
extern int algorithm;

// Counts a call, and says whether it is to fail.
bool fails(const char* call);

// Something that the caller did and a real device would not forgive.
int complain(const std::string& call, const std::string& what, int answer);

// Counts what was made and what was given back.
void made(const char* kind);
void gone(const char* kind);

// Whether so many bytes lie in one live allocation of device memory.
bool within(Address from, size_t bytes);

// Adds work to a stream, or to the graph that is being captured; it answers as a driver call does.
int enqueue(void* stream, std::function<int()> work);

}  // namespace gpu

#define LOCKED std::lock_guard<std::recursive_mutex> guard(gpu::lock)
