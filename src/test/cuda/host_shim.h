// CUDA's execution model on one CPU thread, for tests: the threads of a block are fibers that take
// turns at barriers. It finds barriers that not all threads reach, and with -DWATCHED races for shared
// memory (races.h).
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __align__(bytes) alignas(bytes)
#define __launch_bounds__(threads, blocks)
#define UNROLL(times)
#define SHARED(type, name) type* name = reinterpret_cast<type*>(host::shared.data())

struct Index {
  unsigned int x;
};
static Index threadIdx, blockIdx, blockDim, gridDim;

static inline unsigned int __float_as_uint(float x) {
  unsigned int bits;
  memcpy(&bits, &x, 4);
  return bits;
}

static inline float __uint_as_float(unsigned int bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

// Results that no compiler contracts.
static inline float __fadd_rn(float x, float y) { return x + y; }

static inline float __fmul_rn(float x, float y) { return x * y; }

static inline double __dadd_rn(double x, double y) { return x + y; }

static inline double __dmul_rn(double x, double y) { return x * y; }

static inline int atomicAdd(int* to, int x) {
  int before = *to;
  *to += x;
  return before;
}

static inline float __fdividef(float x, float y) { return x / y; }

// A float's nearest bfloat16, ties to even; what is no number stays none.
static inline unsigned short bf16_bits(float x) {
  unsigned int bits = __float_as_uint(x);
  bool number = (bits & 0x7fffffffu) <= 0x7f800000u;
  return number ? (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16 : 0x7fc0u;
}

namespace host {

constexpr size_t STACK = (1 << 15) + 192;  // no power of 2, or all stacks would share cache lines
constexpr int WARP = 32;

struct Fiber {
  jmp_buf resume;
  ucontext_t start;
  std::vector<char> stack;
  bool begun = false;
  bool done = true;
};

static std::vector<char> shared;
static std::vector<Fiber*> fibers;  // of the thread numbers; kept from block to block
static jmp_buf scheduler;
static std::function<void()> body;
static long progress;  // grows when a barrier opens or a thread ends

// Lets other threads run.
__attribute__((noinline)) static void yield() {
  Fiber* self = fibers[threadIdx.x];
  if (_setjmp(self->resume) == 0) _longjmp(scheduler, 1);
}

static void live() {
  for (;;) {
    body();
    fibers[threadIdx.x]->done = true;
    progress++;
    yield();
  }
}

__attribute__((noinline)) static void run(Fiber* fiber) {
  if (_setjmp(scheduler) != 0) return;
  if (fiber->begun) _longjmp(fiber->resume, 1);
  fiber->begun = true;
  fiber->stack.resize(STACK);
  getcontext(&fiber->start);
  fiber->start.uc_stack.ss_sp = fiber->stack.data();
  fiber->start.uc_stack.ss_size = STACK;
  fiber->start.uc_link = nullptr;
  makecontext(&fiber->start, live, 0);
  setcontext(&fiber->start);
}

struct Barrier {
  int arrived = 0;
  long generation = 0;

  void wait(int size) {
    long mine = generation;
    if (++arrived == size) {
      arrived = 0;
      generation++;
      progress++;
    } else {
      while (generation == mine) yield();
    }
  }
};

#ifdef WATCHED
#include "races.h"
#else
static inline void begin_watching(int, size_t) {}
static inline void block_passed() {}
static inline void warp_passed() {}
static inline bool raced() { return false; }
#endif

static Barrier blockBarrier;
static std::vector<Barrier> warpBarriers;
static std::vector<double> exchanged[2];  // by each thread, in even and in odd turns

// A thread's factors of a matrix product of its warp.
struct Factors {
  unsigned int left[4];
  unsigned int right[2];
};

static std::vector<Factors> factors[2];  // of each thread, in even and in odd turns
static std::vector<const unsigned int*> rows[2];  // that each thread points to

static inline void warp_barrier() { warpBarriers[threadIdx.x / WARP].wait(WARP); }

// What each lane of the warp has brought.
static inline const double* exchange(double x) {
  auto& turn = exchanged[warpBarriers[threadIdx.x / WARP].generation % 2];
  turn[threadIdx.x] = x;
  warp_barrier();
  return &turn[threadIdx.x / WARP * WARP];
}

// Runs a kernel whose threads do without barriers, one after another.
static bool launch_alone(long blocks, int threads, const std::function<void()>& kernel) {
  gridDim.x = (unsigned int)blocks;
  blockDim.x = threads;
  shared.clear();
  for (long block = 0; block < blocks; block++) {
    blockIdx.x = (unsigned int)block;
    for (int t = 0; t < threads; t++) {
      threadIdx.x = t;
      kernel();
    }
  }
  return true;
}

// Runs a kernel; false if a barrier was not reached by all threads.
static bool launch(long blocks, int threads, long sharedBytes, std::function<void()> kernel) {
  while ((int)fibers.size() < threads) fibers.push_back(new Fiber());
  gridDim.x = (unsigned int)blocks;
  blockDim.x = threads;
  body = kernel;
  for (long block = 0; block < blocks; block++) {
    blockIdx.x = (unsigned int)block;
    shared.assign(sharedBytes, (char)0xff);  // NaN: what is read must have been written
    begin_watching(threads, sharedBytes);
    blockBarrier = Barrier();
    warpBarriers.assign((threads + WARP - 1) / WARP, Barrier());
    for (auto& turn : exchanged) turn.assign(threads, 0);
    for (auto& turn : factors) turn.resize(threads);
    for (auto& turn : rows) turn.resize(threads);
    for (int t = 0; t < threads; t++) fibers[t]->done = false;
    for (bool left = true; left;) {
      long before = progress;
      left = false;
      for (int t = 0; t < threads; t++) {
        if (fibers[t]->done) continue;
        threadIdx.x = t;
        run(fibers[t]);
        left = left || !fibers[t]->done;
      }
      if (left && progress == before) {
        fibers.clear();  // those that wait in vain are left behind
        return false;
      }
    }
  }
  return true;
}

template <typename... A, size_t... I>
static void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  kernel(*static_cast<std::remove_reference_t<A>*>(arguments[I])...);
}

template <typename... A>
static std::function<void(void**)> callable(void (*kernel)(A...)) {
  return [kernel](void** arguments) { call(kernel, arguments, std::index_sequence_for<A...>()); };
}

template <typename... A>
static std::vector<int> arguments(void (*)(A...)) {
  return {(std::is_pointer_v<A> ? -(int)sizeof(A) : (int)sizeof(A))...};
}

}  // namespace host

#ifdef WATCHED
#define ACCESS(bytes)                                                                      \
  extern "C" void __tsan_read##bytes(void* at) { host::watch(at, bytes, false); }          \
  extern "C" void __tsan_write##bytes(void* at) { host::watch(at, bytes, true); }          \
  extern "C" void __tsan_unaligned_read##bytes(void* at) { host::watch(at, bytes, false); } \
  extern "C" void __tsan_unaligned_write##bytes(void* at) { host::watch(at, bytes, true); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
extern "C" void __tsan_read_range(void* at, long bytes) { host::watch(at, bytes, false); }
extern "C" void __tsan_write_range(void* at, long bytes) { host::watch(at, bytes, true); }
extern "C" void __tsan_init() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}
#endif

static inline void __syncthreads() {
  host::blockBarrier.wait(blockDim.x);
  host::block_passed();
}

static inline void __syncwarp() {
  host::warp_barrier();
  host::warp_passed();
}

template <typename T>
static inline T __shfl_xor_sync(unsigned int, T x, int mask) {
  return (T)host::exchange(x)[threadIdx.x % host::WARP ^ mask];
}

static inline unsigned int __ballot_sync(unsigned int, bool x) {
  const double* warp = host::exchange(x);
  unsigned int bits = 0;
  for (int lane = 0; lane < host::WARP; lane++) bits |= (unsigned int)warp[lane] << lane;
  return bits;
}

static inline int __popc(unsigned int x) { return __builtin_popcount(x); }

static inline int __ffs(int x) { return __builtin_ffs(x); }

// d[16, 8] += a[16, 16] * b[16, 8] of a warp, as PTX's mma.sync m16n8k16 deals them to lanes.
static inline void multiply_add(float (&d)[4], const unsigned int (&a)[4], unsigned int b0,
                                unsigned int b1) {
  auto& turn = host::factors[host::warpBarriers[threadIdx.x / host::WARP].generation % 2];
  turn[threadIdx.x] = {{a[0], a[1], a[2], a[3]}, {b0, b1}};
  host::warp_barrier();
  int lane = threadIdx.x % host::WARP;
  const host::Factors* warp = &turn[threadIdx.x - lane];
  auto half = [](unsigned int word, int which) {
    return __uint_as_float(which == 0 ? word << 16 : word & 0xffff0000u);
  };
  for (int i = 0; i < 4; i++) {
    int row = lane / 4 + i / 2 * 8;
    int col = lane % 4 * 2 + i % 2;
    float sum = 0;
    for (int k = 0; k < 16; k++) {
      unsigned int left = warp[row % 8 * 4 + k % 8 / 2].left[row / 8 + k / 8 * 2];
      unsigned int right = warp[col * 4 + k % 8 / 2].right[k / 8];
      sum += half(left, k % 2) * half(right, k % 2);
    }
    d[i] += sum;
  }
}

// The rows that the lanes of a warp point to: four matrices of eight.
static inline const unsigned int* const* exchange_rows(const unsigned int* row) {
  auto& turn = host::rows[host::warpBarriers[threadIdx.x / host::WARP].generation % 2];
  turn[threadIdx.x] = row;
  host::warp_barrier();
  return &turn[threadIdx.x / host::WARP * host::WARP];
}

// As PTX's ldmatrix deals them to lanes.
static inline void load_matrices(unsigned int (&to)[4], const unsigned int* row) {
  const unsigned int* const* rows = exchange_rows(row);
  int lane = threadIdx.x % host::WARP;
  for (int i = 0; i < 4; i++) to[i] = rows[8 * i + lane / 4][lane % 4];
}

// The same with .trans.
static inline void load_transposed(unsigned int (&to)[4], const unsigned int* row) {
  const unsigned int* const* rows = exchange_rows(row);
  int lane = threadIdx.x % host::WARP;
  int column = lane / 4;
  for (int i = 0; i < 4; i++) {
    const unsigned int* const* own = rows + 8 * i + lane % 4 * 2;
    unsigned int upper = own[0][column / 2] >> column % 2 * 16;
    unsigned int lower = own[1][column / 2] >> column % 2 * 16;
    to[i] = (upper & 0xffffu) | lower << 16;
  }
}
