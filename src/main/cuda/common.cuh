// What all kernels share. The same sources are compiled for a GPU (nvcc, NVRTC) and, through
// host_shim.h, for the CPU, where their arithmetic is tested.
//
// Matrices are row-major. What a matrix product reads or writes is of type `matrix`: bfloat16 with
// -DMATRIX_BF16, else float. Sums are taken in float or double in an order that depends on shapes
// only, and by atomics nothing is added up, only counted: the same input gives the same bits.
#pragma once

#ifndef __CUDACC__
#include "host_shim.h"
#endif

#define KERNEL extern "C" __global__ void
#define DEVICE __device__ inline

#ifdef __CUDACC__
// That a loop's reads are begun so many at a time.
#define UNROLL_PRAGMA(text) _Pragma(#text)
#define UNROLL(times) UNROLL_PRAGMA(unroll times)

// The memory that a block's threads share; how much of it there is, the launch says.
#define SHARED(type, name)                                     \
  extern __shared__ __align__(16) unsigned char shared_bytes[]; \
  type* name = reinterpret_cast<type*>(shared_bytes)

// A float's nearest bfloat16, ties to even.
DEVICE unsigned short bf16_bits(float x) {
  unsigned short bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

// A warp's d[16, 8] += a[16, 16] * b[16, 8]; tensor_attention.cuh says which lane has what.
DEVICE void multiply_add(float (&d)[4], const unsigned int (&a)[4], unsigned int b0,
                         unsigned int b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Four 8x8 matrices of 16-bit values in shared memory, a row of 4 words from each lane: lanes 0 to 7
// point to the first one's rows, and so on. Lane l gets word l % 4 of row l / 4 of each.
DEVICE void load_matrices(unsigned int (&to)[4], const unsigned int* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"((unsigned int)__cvta_generic_to_shared(row)));
}

// The same of their transposes.
DEVICE void load_transposed(unsigned int (&to)[4], const unsigned int* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"((unsigned int)__cvta_generic_to_shared(row)));
}
#endif

constexpr int WARP = 32;

// The upper half of a float.
struct bf16 {
  unsigned short bits;
};

#ifdef MATRIX_BF16
typedef bf16 matrix;
#else
typedef float matrix;
#endif

DEVICE float value(float x) { return x; }

DEVICE float value(bf16 x) { return __uint_as_float((unsigned int)x.bits << 16); }

DEVICE void put(float* to, float x) { *to = x; }

DEVICE void put(bf16* to, float x) { to->bits = bf16_bits(x); }

// Two neighbouring bfloat16, the first in the lower half; and four of these.
typedef unsigned int word;

struct __align__(16) Quad {
  word words[4];
};

DEVICE float low(word both) { return __uint_as_float(both << 16); }

DEVICE float high(word both) { return __uint_as_float(both & 0xffff0000u); }

DEVICE word both(float first, float second) {
  return bf16_bits(first) | (word)bf16_bits(second) << 16;
}

// Below every number. (NVRTC has no headers, and so not that of infinity.)
DEVICE float minus_infinity() { return __uint_as_float(0xff800000u); }

// So many neighbouring values of a row, which one instruction reads or writes: the columns of such
// rows are a multiple of them.
template <typename T, int N>
struct __align__(N * sizeof(T)) Several {
  T values[N];
};

template <typename T, int N>
DEVICE void get(const T* from, float (&x)[N]) {
  auto several = *reinterpret_cast<const Several<T, N>*>(from);
  for (int i = 0; i < N; i++) x[i] = value(several.values[i]);
}

template <typename T, int N>
DEVICE void put(T* to, const float (&x)[N]) {
  Several<T, N> several;
  for (int i = 0; i < N; i++) put(several.values + i, x[i]);
  *reinterpret_cast<Several<T, N>*>(to) = several;
}

// sum += the values from x on.
template <typename T, int N>
DEVICE void add_values(const T* x, float (&sum)[N]) {
  float own[N];
  get(x, own);
  for (int i = 0; i < N; i++) sum[i] += own[i];
}

// --- threads ----------------------------------------------------------------------------------

DEVICE long thread_index() { return (long)blockIdx.x * blockDim.x + threadIdx.x; }

DEVICE long thread_count() { return (long)gridDim.x * blockDim.x; }

// A grid's way over the values of a matrix, four at a time: for (Fours at(rows, cols); at.any();
// at.next()). Its columns are a multiple of 4. Indices have 32 bits, since GPUs divide longer ones
// slowly.
struct Fours {
  unsigned int index;
  unsigned int count;
  unsigned int width;

  DEVICE Fours(long rows, int cols)
      : index((unsigned int)thread_index()),
        count((unsigned int)(rows * (cols / 4))),
        width(cols / 4) {}

  DEVICE bool any() const { return index < count; }

  DEVICE void next() { index += (unsigned int)thread_count(); }

  DEVICE int row() const { return index / width; }

  DEVICE int column() const { return index % width * 4; }

  // Of the first of the four.
  DEVICE long value() const { return 4L * index; }
};

DEVICE int lane() { return threadIdx.x % WARP; }

// The warp's number in its block, and in the grid.
DEVICE int warp() { return threadIdx.x / WARP; }

DEVICE int warps() { return blockDim.x / WARP; }

DEVICE long warp_index() { return (long)blockIdx.x * warps() + warp(); }

// The sum over a warp's lanes, for every lane.
template <typename T>
DEVICE T warp_sum(T x) {
  for (int distance = WARP / 2; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, distance);
  }
  return x;
}

DEVICE float warp_max(float x) {
  for (int distance = WARP / 2; distance > 0; distance /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, distance));
  }
  return x;
}

// --- rows of tokens ---------------------------------------------------------------------------

// What a token's row is made of: CLASS; a patch by its index; or, hidden behind a mask token, the
// patch's index plus the number of patches.
constexpr int CLASS = -1;

enum Kind { OF_CLASS, OF_PATCH, OF_MASK };

DEVICE int kind(int source, int patches) {
  return source == CLASS ? OF_CLASS : source < patches ? OF_PATCH : OF_MASK;
}
