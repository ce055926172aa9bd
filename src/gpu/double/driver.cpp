// The driver: libcuda.so.1. Its devices share what they compute with: the CPU.
#include "double.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace gpu {

std::recursive_mutex lock;

static const Modes USUAL = {0, 0, 8L << 30, 90, 0, false};
Modes modes = USUAL;
int algorithm = -1;

static constexpr int DEVICES = 8;
static constexpr size_t STRIP = 64;  // behind all memory, which nothing may write to
static constexpr unsigned char UNTOUCHED = 0x5a;

typedef std::function<int()> Work;

struct Graph {
  std::vector<Work> nodes;
};

struct Stream {
  int context;
  std::deque<Work> queue;
  long begun = 0;  // pieces of work that were ever queued
  long done = 0;
  std::unique_ptr<Graph> capture;
  bool broken = false;  // the capture: something was called that it forbids
};

struct Event {
  Stream* stream = nullptr;
  long after = 0;  // so many pieces of work
};

struct Module {
  void* library;
};

struct Function {
  Module* module;
  std::string name;
  int mostShared = 48 << 10;
};

struct Allocation {
  size_t bytes;
  int context;
};

static thread_local int current = 0;            // context of the thread: 1 + its device
static thread_local Stream* captured = nullptr;  // by the thread
static std::map<Address, Allocation> memory;
static std::map<const char*, size_t> pinned;
static std::vector<Work> late;
static std::map<std::string, long> live;
static std::string complaints;
static std::set<Stream*> streams;
static long used = 0;
static long calls = 0;
static long kernels = 0;
static long replays = 0;
static int sticky = 0;
static std::string failed;

int complain(const std::string& call, const std::string& what, int answer) {
  complaints += call + ": " + what + "\n";
  return answer;
}

void made(const char* kind) { live[kind]++; }

void gone(const char* kind) {
  if (--live[kind] == 0) live.erase(kind);
}

bool fails(const char* call) {
  calls++;
  if (modes.fails == 0 || --modes.fails > 0) return false;
  failed = call;
  return true;
}

static std::map<Address, Allocation>::iterator holder(Address at) {
  auto next = memory.upper_bound(at);
  return next == memory.begin() ? memory.end() : std::prev(next);
}

bool within(Address from, size_t bytes) {
  auto all = holder(from);
  return all != memory.end() && from + bytes <= all->first + all->second.bytes;
}

static bool is_pinned(const void* from, size_t bytes) {
  auto next = pinned.upper_bound((const char*)from);
  if (next == pinned.begin()) return false;
  --next;
  return (const char*)from + bytes <= next->first + next->second;
}

int enqueue(void* handle, Work work) {
  auto* stream = (Stream*)handle;
  if (!streams.count(stream)) return complain("stream", "is none", INVALID);
  if (stream->context != current) return complain("stream", "of another context", INVALID);
  if (stream->capture) {
    stream->capture->nodes.push_back(work);
  } else {
    stream->queue.push_back(work);
    stream->begun++;
  }
  return 0;
}

// Does a stream's work up to a piece of it.
static int drain(Stream* stream, long until) {
  while (stream->done < until && !sticky) {
    Work work = stream->queue.front();
    stream->queue.pop_front();
    stream->done++;
    if (int answer = work()) sticky = answer;
  }
  return sticky;
}

// What a call answers before it does anything: 0, if it may.
static int entered(const char* call, bool whileCapturing) {
  if (!current) return complain(call, "the thread has no context", NO_CONTEXT);
  if (sticky) return sticky;
  if (captured && !whileCapturing) {
    captured->broken = true;
    return complain(call, "while a stream is captured", CAPTURING);
  }
  return 0;
}

}  // namespace gpu

using namespace gpu;

#define ENTER(call, whileCapturing)                            \
  LOCKED;                                                      \
  if (int answer = entered(call, whileCapturing)) return answer; \
  if (fails(call)) return 999

// --- for tests ----------------------------------------------------------------------------------

// All modes as usual, and nothing sticks any more.
API void double_reset() {
  LOCKED;
  modes = USUAL;
  sticky = 0;
  calls = kernels = replays = 0;
  complaints.clear();
  failed.clear();
}

// Frees what a lost device could not give back.
API void double_forget() {
  LOCKED;
  for (auto& [at, own] : memory) free((void*)at);
  memory.clear();
  used = 0;
  live.clear();
}

API void double_fails(long nth) { LOCKED; modes.fails = nth; }
API void double_faults(long nth) { LOCKED; modes.faults = nth; }
API void double_budget(long bytes) { LOCKED; modes.budget = bytes; }
API void double_capability(int capability) { LOCKED; modes.capability = capability; }
API void double_filling(int algorithm) { LOCKED; modes.filling = algorithm; }
API void double_plain(int plain) { LOCKED; modes.plain = plain; }
API long double_used() { LOCKED; return used; }
API long double_calls() { LOCKED; return calls; }
API long double_kernels() { LOCKED; return kernels; }
API long double_replays() { LOCKED; return replays; }
API int double_algorithm() { LOCKED; return algorithm; }

static const char* kept(const std::string& text) {
  static thread_local std::string own;
  own = text;
  return own.c_str();
}

API const char* double_complaints() { LOCKED; return kept(complaints); }
API const char* double_failed() { LOCKED; return kept(failed); }

// What was made and not given back, by kind; empty: nothing.
API const char* double_live() {
  LOCKED;
  std::string text;
  for (auto& [kind, count] : live) text += std::to_string(count) + " " + kind + "\n";
  return kept(text);
}

// --- devices ------------------------------------------------------------------------------------

API int cuInit(unsigned) { return 0; }

API int cuDeviceGet(int* device, int index) {
  *device = index;
  return index >= 0 && index < DEVICES ? 0 : 101;
}

API int cuDeviceGetName(char* name, int size, int device) {
  snprintf(name, size, "Double %d", device);
  return 0;
}

API int cuDeviceGetAttribute(int* value, int attribute, int) {
  LOCKED;
  switch (attribute) {
    case 16: *value = 132; return 0;  // multiprocessors
    case 75: *value = modes.capability / 10; return 0;
    case 76: *value = modes.capability % 10; return 0;
    case 97: *value = 227 << 10; return 0;  // shared memory of a block, if it asks
    default: return complain("cuDeviceGetAttribute", std::to_string(attribute), INVALID);
  }
}

API int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = (void*)(intptr_t)(1 + device);
  return 0;
}

API int cuCtxSetCurrent(void* context) {
  current = (int)(intptr_t)context;
  return 0;
}

API int cuGetErrorName(int error, const char** name) {
  *name = kept("ERROR_" + std::to_string(error));
  return 0;
}

API int cuGetErrorString(int error, const char** text) {
  switch (error) {
    case OUT_OF_MEMORY: *text = "out of memory"; return 0;
    case ILLEGAL_ADDRESS: *text = "an illegal memory access was encountered"; return 0;
    default: *text = "what this means"; return 0;
  }
}

// --- memory -------------------------------------------------------------------------------------

API int cuMemGetInfo_v2(size_t* free, size_t* total) {
  ENTER("cuMemGetInfo", true);
  *free = modes.budget - used;
  *total = modes.budget;
  return 0;
}

API int cuMemAlloc_v2(Address* to, size_t bytes) {
  LOCKED;
  if (int answer = entered("cuMemAlloc", false)) return answer;
  if (fails("cuMemAlloc")) return OUT_OF_MEMORY;
  if (bytes == 0) return complain("cuMemAlloc", "0 bytes", INVALID);
  if (used + (long)bytes > modes.budget) return OUT_OF_MEMORY;
  size_t all = (bytes + STRIP + 255) / 256 * 256;
  auto* own = (unsigned char*)aligned_alloc(256, all);
  memset(own, 0xff, bytes);  // NaN: what is read must have been written
  memset(own + bytes, UNTOUCHED, STRIP);
  *to = (Address)own;
  memory[*to] = {bytes, current};
  used += bytes;
  made("device memory");
  return 0;
}

API int cuMemFree_v2(Address at) {
  LOCKED;
  auto own = memory.find(at);
  if (own == memory.end()) return complain("cuMemFree", "was not allocated", INVALID);
  if (int answer = entered("cuMemFree", false)) return answer;
  for (size_t i = 0; i < STRIP; i++) {
    if (((unsigned char*)at)[own->second.bytes + i] != UNTOUCHED) {
      complain("cuMemFree", "something was written behind the memory", 0);
      break;
    }
  }
  used -= own->second.bytes;
  memory.erase(own);
  free((void*)at);
  gone("device memory");
  return fails("cuMemFree") ? 999 : 0;
}

API int cuMemHostAlloc(void** to, size_t bytes, unsigned) {
  ENTER("cuMemHostAlloc", false);
  if (bytes == 0) return complain("cuMemHostAlloc", "0 bytes", INVALID);
  *to = malloc(bytes);
  pinned[(const char*)*to] = bytes;
  made("pinned memory");
  return 0;
}

API int cuMemFreeHost(void* at) {
  LOCKED;
  auto own = pinned.find((const char*)at);
  if (own == pinned.end()) return complain("cuMemFreeHost", "was not allocated", INVALID);
  memset(at, 0xff, own->second);
  pinned.erase(own);
  free(at);
  gone("pinned memory");
  return fails("cuMemFreeHost") ? 999 : sticky;
}

// Work that fails with the process's memory where the device's is freed by then.
static int touch(const char* call, void* stream, Address at, size_t bytes, Work work) {
  if (!within(at, bytes)) return complain(call, "is not all device memory", INVALID);
  std::string name = call;
  return enqueue(stream, [=] {
    return within(at, bytes) ? work() : complain(name, "of freed memory", ILLEGAL_ADDRESS);
  });
}

API int cuMemsetD8Async(Address at, unsigned char value, size_t bytes, void* stream) {
  ENTER("cuMemsetD8Async", true);
  return touch("cuMemsetD8Async", stream, at, bytes, [=] {
    memset((void*)at, value, bytes);
    return 0;
  });
}

API int cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, void* stream) {
  ENTER("cuMemcpyHtoDAsync", true);
  // Pinned memory is read when the copy is done; other memory is brought to a buffer at once.
  auto staged = is_pinned(from, bytes)
                    ? nullptr
                    : std::make_shared<std::string>((const char*)from, bytes);
  return touch("cuMemcpyHtoDAsync", stream, to, bytes, [=] {
    memcpy((void*)to, staged ? staged->data() : from, bytes);
    return 0;
  });
}

API int cuMemcpyHtoD_v2(Address to, const void* from, size_t bytes) {
  ENTER("cuMemcpyHtoD", false);
  if (!within(to, bytes)) return complain("cuMemcpyHtoD", "is not all device memory", INVALID);
  // From pageable memory, it may land after the call; here it always does, when something is read.
  auto staged = std::make_shared<std::string>((const char*)from, bytes);
  Work copy = [=] {
    if (within(to, bytes)) memcpy((void*)to, staged->data(), bytes);
    return 0;
  };
  late.push_back(copy);
  return 0;
}

API int cuMemcpyDtoH_v2(void* to, Address from, size_t bytes) {
  ENTER("cuMemcpyDtoH", false);
  if (!within(from, bytes)) return complain("cuMemcpyDtoH", "is not all device memory", INVALID);
  for (Work& copy : late) copy();
  late.clear();
  memcpy(to, (void*)from, bytes);
  return 0;
}

// --- streams and events -------------------------------------------------------------------------

API int cuStreamCreate(void** stream, unsigned flags) {
  ENTER("cuStreamCreate", true);
  if (flags != 1) complain("cuStreamCreate", "it waits for the default stream", 0);
  auto* own = new Stream;
  own->context = current;
  streams.insert(own);
  *stream = own;
  made("stream");
  return 0;
}

API int cuStreamDestroy_v2(void* stream) {
  LOCKED;
  auto* own = (Stream*)stream;
  if (!streams.erase(own)) return complain("cuStreamDestroy", "is no stream", INVALID);
  if (captured == own) captured = nullptr;
  delete own;
  gone("stream");
  return fails("cuStreamDestroy") ? 999 : sticky;
}

API int cuStreamSynchronize(void* stream) {
  ENTER("cuStreamSynchronize", false);
  auto* own = (Stream*)stream;
  return drain(own, own->begun);
}

API int cuEventCreate(void** event, unsigned) {
  ENTER("cuEventCreate", true);
  *event = new Event;
  made("event");
  return 0;
}

API int cuEventDestroy_v2(void* event) {
  LOCKED;
  delete (Event*)event;
  gone("event");
  return fails("cuEventDestroy") ? 999 : sticky;
}

API int cuEventRecord(void* event, void* stream) {
  ENTER("cuEventRecord", false);
  auto* own = (Event*)event;
  own->stream = (Stream*)stream;
  own->after = own->stream->begun;
  return 0;
}

API int cuEventSynchronize(void* event) {
  ENTER("cuEventSynchronize", false);
  auto* own = (Event*)event;
  return streams.count(own->stream) ? drain(own->stream, own->after) : 0;
}

// --- kernels ------------------------------------------------------------------------------------

// The compiled kernels lie beside this library: what the double of NVRTC gave is their name.
API int cuModuleLoadData(void** module, const void* image) {
  ENTER("cuModuleLoadData", false);
  Dl_info self;
  dladdr((void*)cuInit, &self);
  std::string path = self.dli_fname;
  path = path.substr(0, path.rfind('/')) + "/host-" + (const char*)image + ".so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return complain("cuModuleLoadData", dlerror(), 200);
  *module = new Module{library};
  made("module");
  return 0;
}

API int cuModuleUnload(void* module) {
  LOCKED;
  delete (Module*)module;
  gone("module");
  return fails("cuModuleUnload") ? 999 : sticky;
}

// host_arguments of host.cpp: the bytes of each of a kernel's arguments, those of pointers negative.
static std::vector<int> arguments(Module* module, const char* kernel) {
  int bytes[64];
  auto of = (int (*)(const char*, int*))dlsym(module->library, "host_arguments");
  int count = of(kernel, bytes);
  return count < 0 ? std::vector<int>{} : std::vector<int>(bytes, bytes + count);
}

API int cuModuleGetFunction(void** function, void* module, const char* name) {
  ENTER("cuModuleGetFunction", true);
  if (arguments((Module*)module, name).empty()) return 500;
  static std::map<std::pair<void*, std::string>, std::unique_ptr<Function>> functions;
  auto& own = functions[{module, name}];
  own = std::make_unique<Function>(Function{(Module*)module, name});
  *function = own.get();
  return 0;
}

API int cuFuncSetAttribute(void* function, int attribute, int value) {
  ENTER("cuFuncSetAttribute", true);
  if (attribute != 8) return complain("cuFuncSetAttribute", std::to_string(attribute), INVALID);
  ((Function*)function)->mostShared = value;
  return 0;
}

API int cuLaunchKernel(void* function, unsigned gridX, unsigned gridY, unsigned gridZ,
                       unsigned blockX, unsigned blockY, unsigned blockZ, unsigned shared,
                       void* stream, void** parameters, void** extra) {
  ENTER("cuLaunchKernel", true);
  auto* own = (Function*)function;
  std::string name = own->name;
  if (gridY != 1 || gridZ != 1 || blockY != 1 || blockZ != 1 || extra) {
    return complain(name, "is not launched in one dimension", INVALID);
  }
  if (gridX == 0 || gridX > 0x7fffffffu || blockX == 0 || blockX > 1024) {
    return complain(name, "has no such grids or blocks", INVALID);
  }
  if ((int)shared > own->mostShared) return complain(name, "shares too much memory", INVALID);
  Module module = *own->module;
  std::vector<int> sizes = arguments(&module, name.c_str());
  std::vector<Address> values(sizes.size(), 0);
  for (size_t i = 0; i < sizes.size(); i++) memcpy(&values[i], parameters[i], std::abs(sizes[i]));
  auto launch =
      (int (*)(const char*, long, int, long, void**))dlsym(module.library, "host_launch");
  return enqueue(stream, [=]() mutable {
    kernels++;
    if (modes.faults && --modes.faults == 0) return ILLEGAL_ADDRESS;
    std::vector<void*> pointers;
    for (size_t i = 0; i < sizes.size(); i++) {
      bool outside = sizes[i] < 0 && values[i] != 0 && !within(values[i], 0);
      if (outside) return complain(name, "reads freed memory", ILLEGAL_ADDRESS);
      pointers.push_back(&values[i]);
    }
    int answer = launch(name.c_str(), gridX, blockX, shared, pointers.data());
    return answer ? complain(name, "failed with " + std::to_string(answer), LAUNCH_FAILED) : 0;
  });
}

// --- graphs -------------------------------------------------------------------------------------

API int cuStreamBeginCapture_v2(void* stream, int mode) {
  ENTER("cuStreamBeginCapture", false);
  auto* own = (Stream*)stream;
  if (mode != 1) complain("cuStreamBeginCapture", "other threads are bound by it", 0);
  own->capture = std::make_unique<Graph>();
  own->broken = false;
  captured = own;
  return 0;
}

API int cuStreamEndCapture(void* stream, void** graph) {
  LOCKED;
  auto* own = (Stream*)stream;
  if (!own->capture) return complain("cuStreamEndCapture", "of what is not captured", INVALID);
  bool failing = fails("cuStreamEndCapture");
  Graph* made_ = own->capture.release();
  captured = nullptr;
  *graph = nullptr;
  if (own->broken || failing || sticky) {
    delete made_;
    return sticky ? sticky : CAPTURE_BROKEN;
  }
  *graph = made_;
  made("graph");
  return 0;
}

API int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  ENTER("cuGraphInstantiate", false);
  *executable = new Graph(*(Graph*)graph);
  made("executable graph");
  return 0;
}

API int cuGraphDestroy(void* graph) {
  LOCKED;
  delete (Graph*)graph;
  gone("graph");
  return fails("cuGraphDestroy") ? 999 : sticky;
}

API int cuGraphExecDestroy(void* executable) {
  LOCKED;
  delete (Graph*)executable;
  gone("executable graph");
  return fails("cuGraphExecDestroy") ? 999 : sticky;
}

API int cuGraphLaunch(void* executable, void* stream) {
  ENTER("cuGraphLaunch", false);
  replays++;
  for (Work& node : ((Graph*)executable)->nodes) {
    if (int answer = enqueue(stream, node)) return answer;
  }
  return 0;
}
