// Who read and wrote each byte of a block's shared memory, and before which of its barriers. Two
// threads race for a byte that one of them writes, unless a barrier lies between: __syncthreads, or,
// in one warp, __syncwarp. (Shuffles and ballots order no memory.) g++ tells of each access by the
// calls that it makes for its thread sanitizer, which are defined at the end.
//
// Included in the namespace host of host_shim.h.

struct Moment {
  int thread = -1;
  long block = 0;  // barriers of either kind that the thread has passed
  long warp = 0;
};

struct Byte {
  Moment written;
  std::vector<Moment> read;  // since then, the last time of each thread
};

static std::vector<Byte> bytes;
static std::vector<Moment> now;  // of each thread
static bool race = false;

static void block_passed() { now[threadIdx.x].block++; }

static void warp_passed() { now[threadIdx.x].warp++; }

// Whether there was a race since the last time that somebody asked.
static bool raced() {
  bool was = race;
  race = false;
  return was;
}

// Whether a moment of some thread came before the present one of another.
static bool before(const Moment& then, const Moment& present) {
  return then.thread < 0 || then.thread == present.thread || then.block < present.block ||
         (then.thread / WARP == present.thread / WARP && then.warp < present.warp);
}

static void look(size_t first, size_t count, bool write) {
  const Moment& present = now[threadIdx.x];
  for (size_t i = first; i < first + count; i++) {
    Byte& byte = bytes[i];
    race = race || !before(byte.written, present);
    if (write) {
      for (const Moment& read : byte.read) race = race || !before(read, present);
      byte.read.clear();
      byte.written = present;
      continue;
    }
    bool known = false;
    for (Moment& read : byte.read) {
      if (read.thread != present.thread) continue;
      read = present;
      known = true;
    }
    if (!known) byte.read.push_back(present);
  }
}

static const char* watched;  // where the shared memory begins
static size_t watchedBytes;
static bool looking;  // what is read and written by then is not the kernel's

__attribute__((no_sanitize_thread)) static void watch(const void* at, size_t count, bool write) {
  size_t first = (const char*)at - watched;
  if (looking || first >= watchedBytes) return;
  looking = true;
  look(first, count, write);
  looking = false;
}

static void begin_watching(int threads, size_t sharedBytes) {
  bytes.assign(sharedBytes, Byte());
  now.assign(threads, Moment());
  for (int t = 0; t < threads; t++) now[t].thread = t;
  watched = shared.data();
  watchedBytes = sharedBytes;
}
