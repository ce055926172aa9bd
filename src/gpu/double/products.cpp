// cuBLASLt: products of matrices that lie column by column, in float64.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "double.h"

using gpu::complain;

namespace {

constexpr int BAD_VALUE = 7;
constexpr int EXECUTION_FAILED = 13;
constexpr int NOT_SUPPORTED = 15;
constexpr int FLOAT = 0;
constexpr int BF16 = 14;
constexpr int PLAIN = 1;
constexpr int BIASED = 4;
constexpr int GELU = 164;           // with a bias, and what it is taken of beside
constexpr int GELU_BACKWARD = 208;  // with the bias' gradient
constexpr int ALGORITHMS = 5;
constexpr unsigned long long MARK = 0xa1607;

struct Operation {
  int transposed[2] = {0, 0};
  int epilogue = PLAIN;
  Address bias = 0;
  Address beside = 0;
  size_t besideStride = 0;

  bool hasGelu() const { return epilogue == GELU || epilogue == GELU_BACKWARD; }
};

struct Layout {
  int type;
  size_t rows, cols, stride;

  size_t size() const { return type == BF16 ? 2 : 4; }
  size_t bytes() const { return ((cols - 1) * stride + rows) * size(); }
};

struct Preference {
  size_t workspace = 0;
  unsigned reductions = 7;
};

struct Algorithm {
  unsigned long long data[8];
};

struct Result {
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

struct Sizes {
  size_t m, n, k;
};

bool sizes(const Operation& op, const Layout& a, const Layout& b, const Layout& d, Sizes& s) {
  s.m = op.transposed[0] ? a.cols : a.rows;
  s.k = op.transposed[0] ? a.rows : a.cols;
  s.n = op.transposed[1] ? b.rows : b.cols;
  size_t inner = op.transposed[1] ? b.cols : b.rows;
  return inner == s.k && d.rows == s.m && d.cols == s.n && a.type == b.type &&
         (a.type == BF16 || d.type == FLOAT);
}

float get(const void* from, int type, size_t i) {
  if (type == FLOAT) return ((const float*)from)[i];
  unsigned bits = (unsigned)((const unsigned short*)from)[i] << 16;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

void put(void* to, int type, size_t i, float x) {
  if (type == FLOAT) {
    ((float*)to)[i] = x;
    return;
  }
  unsigned bits;
  memcpy(&bits, &x, 4);
  ((unsigned short*)to)[i] = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

double tanh_of(double x) { return tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)); }

double gelu(double x) { return 0.5 * x * (1 + tanh_of(x)); }

double gelu_slope(double x) {
  double t = tanh_of(x);
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 3 * 0.044715 * x * x);
}

int answered(int driver) { return driver ? EXECUTION_FAILED : 0; }

}  // namespace

#define ENTER(call) \
  LOCKED;           \
  if (gpu::fails(call)) return EXECUTION_FAILED

template <typename T>
static int create(const char* call, const char* kind, void** handle, T* object) {
  std::unique_ptr<T> own(object);
  LOCKED;
  if (gpu::fails(call)) return EXECUTION_FAILED;
  *handle = own.release();
  gpu::made(kind);
  return 0;
}

template <typename T>
static int destroy(const char* call, const char* kind, void* handle) {
  LOCKED;
  delete (T*)handle;
  gpu::gone(kind);
  return gpu::fails(call) ? EXECUTION_FAILED : 0;
}

API int cublasLtCreate(void** handle) {
  return create("cublasLtCreate", "cuBLASLt", handle, new int(0));
}
API int cublasLtDestroy(void* handle) { return destroy<int>("cublasLtDestroy", "cuBLASLt", handle); }
API size_t cublasLtGetVersion() { return 130099; }
API const char* cublasLtGetStatusName(int) { return "STATUS"; }
API const char* cublasLtGetStatusString(int) { return "what this means"; }

API int cublasLtMatmulDescCreate(void** handle, int, int) {
  return create("cublasLtMatmulDescCreate", "operation", handle, new Operation());
}
API int cublasLtMatmulDescDestroy(void* handle) {
  return destroy<Operation>("cublasLtMatmulDescDestroy", "operation", handle);
}

API int cublasLtMatmulDescSetAttribute(Operation* op, int which, const void* value, size_t bytes) {
  ENTER("cublasLtMatmulDescSetAttribute");
  if (bytes != (which == 8 || which > 10 ? 8u : 4u)) return complain("cublasLt attribute", "bytes", BAD_VALUE);
  switch (which) {
    case 3:
    case 4: op->transposed[which - 3] = *(const int*)value; return 0;
    case 7: op->epilogue = *(const int*)value; return 0;
    case 8: op->bias = *(const Address*)value; return 0;
    case 11: op->beside = *(const Address*)value; return 0;
    case 12: op->besideStride = *(const size_t*)value; return 0;
    default: return complain("cublasLt attribute", std::to_string(which), BAD_VALUE);
  }
}

API int cublasLtMatrixLayoutCreate(void** handle, int type, unsigned long long rows,
                                   unsigned long long cols, long long stride) {
  if (stride < (long long)rows) return complain("cublasLtMatrixLayoutCreate", "stride", BAD_VALUE);
  return create("cublasLtMatrixLayoutCreate", "layout", handle,
                new Layout{type, rows, cols, (size_t)stride});
}
API int cublasLtMatrixLayoutDestroy(void* handle) {
  return destroy<Layout>("cublasLtMatrixLayoutDestroy", "layout", handle);
}

API int cublasLtMatmulPreferenceCreate(void** handle) {
  return create("cublasLtMatmulPreferenceCreate", "preference", handle, new Preference());
}
API int cublasLtMatmulPreferenceDestroy(void* handle) {
  return destroy<Preference>("cublasLtMatmulPreferenceDestroy", "preference", handle);
}

API int cublasLtMatmulPreferenceSetAttribute(Preference* preference, int which, const void* value,
                                             size_t bytes) {
  ENTER("cublasLtMatmulPreferenceSetAttribute");
  if (which == 1 && bytes == 8) {
    preference->workspace = *(const size_t*)value;
  } else if (which == 3 && bytes == 4) {
    preference->reductions = *(const unsigned*)value;
  } else {
    return complain("cublasLt preference", std::to_string(which), BAD_VALUE);
  }
  return 0;
}

// The algorithms differ in their number and in how much of the device they fill: the first as little
// as its tiles come to, modes.filling all of it.
API int cublasLtMatmulAlgoGetHeuristic(void*, Operation* op, Layout* a, Layout* b, Layout* c,
                                       Layout* d, Preference* preference, int wanted,
                                       Result* results, int* found) {
  ENTER("cublasLtMatmulAlgoGetHeuristic");
  Sizes s;
  *found = 0;
  if (!sizes(*op, *a, *b, *d, s) || c->rows != d->rows || c->cols != d->cols) {
    return complain("cublasLtMatmulAlgoGetHeuristic", "sizes", BAD_VALUE);
  }
  // In place, the order of a sum depends on which block comes first.
  if (preference->reductions & 1) complain("cublasLt preference", "sums in place", 0);
  if (gpu::modes.plain && op->epilogue != PLAIN) return NOT_SUPPORTED;
  if (op->hasGelu() && (op->besideStride % 8 != 0 || d->type != BF16)) return NOT_SUPPORTED;
  float tiles = (s.m + 127) / 128 * ((s.n + 127) / 128);
  for (int i = 0; i < std::min(wanted, ALGORITHMS); i++) {
    results[i] = {};
    unsigned long long algorithm[] = {s.m, s.n, s.k, MARK, (unsigned long long)i};
    memcpy(results[i].algorithm.data, algorithm, sizeof algorithm);
    results[i].workspace = i == 0 ? 0 : preference->workspace;
    results[i].waves = i == gpu::modes.filling && i > 0 ? 1 : tiles / 132;
    (*found)++;
  }
  return 0;
}

API int cublasLtMatmul(void*, Operation* op, const float* alpha, const void* A, Layout* a,
                       const void* B, Layout* b, const float* beta, const void* C, Layout*,
                       void* D, Layout* d, const Algorithm* algorithm, void* workspace,
                       size_t workspaceBytes, void* stream) {
  ENTER("cublasLtMatmul");
  Sizes s;
  if (!sizes(*op, *a, *b, *d, s)) return complain("cublasLtMatmul", "sizes", BAD_VALUE);
  unsigned long long expected[] = {s.m, s.n, s.k, MARK};
  if (memcmp(algorithm->data, expected, sizeof expected) != 0) {
    return complain("cublasLtMatmul", "the algorithm is of other sizes", BAD_VALUE);
  }
  bool biased = op->epilogue != PLAIN;
  bool adds = *beta != 0;
  Address bias = biased ? op->bias : 0;
  auto readable = [=, op = *op, la = *a, lb = *b, ld = *d] {
    return gpu::within((Address)A, la.bytes()) && gpu::within((Address)B, lb.bytes()) &&
           gpu::within((Address)D, ld.bytes()) && (!adds || gpu::within((Address)C, ld.bytes())) &&
           gpu::within((Address)workspace, workspaceBytes) &&
           (!biased || gpu::within(bias, s.m * ld.size())) &&
           (!op.hasGelu() ||
            gpu::within(op.beside, ((s.n - 1) * op.besideStride + s.m) * ld.size()));
  };
  if (!readable()) return complain("cublasLtMatmul", "is not all device memory", BAD_VALUE);
  gpu::algorithm = (int)algorithm->data[4];
  return answered(gpu::enqueue(
      stream, [=, op = *op, alpha = *alpha, beta = *beta, la = *a, lb = *b, ld = *d] {
        if (!readable()) return complain("cublasLtMatmul", "of freed memory", gpu::ILLEGAL_ADDRESS);
        std::vector<double> column(s.m), sums(s.m);
        for (size_t j = 0; j < s.n; j++) {
          std::fill(column.begin(), column.end(), 0.0);
          for (size_t x = 0; x < s.k; x++) {
            double y = get(B, lb.type, op.transposed[1] ? j + x * lb.stride : x + j * lb.stride);
            for (size_t i = 0; i < s.m; i++) {
              size_t at = op.transposed[0] ? x + i * la.stride : i + x * la.stride;
              column[i] += y * get(A, la.type, at);
            }
          }
          for (size_t i = 0; i < s.m; i++) {
            double sum = alpha * column[i];
            if (adds) sum += beta * get(C, ld.type, i + j * ld.stride);
            if (biased && op.epilogue != GELU_BACKWARD) sum += get((const void*)bias, ld.type, i);
            size_t beside = i + j * op.besideStride;
            if (op.epilogue == GELU) {
              put((void*)op.beside, ld.type, beside, (float)sum);
              sum = gelu(sum);
            } else if (op.epilogue == GELU_BACKWARD) {
              sum *= gelu_slope(get((const void*)op.beside, ld.type, beside));
              sums[i] += sum;
            }
            put(D, ld.type, i + j * ld.stride, (float)sum);
          }
        }
        for (size_t i = 0; op.epilogue == GELU_BACKWARD && i < s.m; i++) {
          put((void*)bias, ld.type, i, (float)sums[i]);
        }
        return 0;
      }));
}
