// NVRTC. What it compiles is not looked at: a program's name stands for it, by which the double of the
// driver finds the same sources, compiled for the CPU.
#include <cstring>

#include "double.h"

namespace {

constexpr int INVALID_OPTION = 5;
constexpr int INTERNAL_ERROR = 11;

// The newest GPUs that are known, 10 * major + minor.
constexpr int KNOWN[] = {80, 86, 89, 90, 100, 120};

struct Program {
  std::string name = "FLOAT";
  bool binary = false;
};

}  // namespace

#define ENTER(call) \
  LOCKED;           \
  if (gpu::fails(call)) return INTERNAL_ERROR

API int nvrtcVersion(int* major, int* minor) {
  *major = *minor = 0;  // so that nobody takes what it compiled for that of a real one
  return 0;
}

API const char* nvrtcGetErrorString(int) { return "what this means"; }

API int nvrtcGetNumSupportedArchs(int* count) {
  *count = sizeof KNOWN / sizeof *KNOWN;
  return 0;
}

API int nvrtcGetSupportedArchs(int* archs) {
  memcpy(archs, KNOWN, sizeof KNOWN);
  return 0;
}

API int nvrtcCreateProgram(Program** program, const char*, const char*, int, const char* const*,
                           const char* const*) {
  ENTER("nvrtcCreateProgram");
  *program = new Program();
  gpu::made("program");
  return 0;
}

API int nvrtcDestroyProgram(Program** program) {
  LOCKED;
  delete *program;
  gpu::gone("program");
  return 0;
}

API int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
  ENTER("nvrtcCompileProgram");
  for (int i = 0; i < count; i++) {
    std::string option = options[i];
    if (option == "-DMATRIX_BF16") program->name = "BF16";
    if (option.rfind("--gpu-architecture=sm_", 0) == 0) {
      program->binary = true;
      bool known = false;
      for (int arch : KNOWN) known = known || option.substr(22) == std::to_string(arch);
      if (!known) return INVALID_OPTION;
    }
  }
  return 0;
}

API int nvrtcGetProgramLogSize(Program*, size_t* bytes) {
  *bytes = 1;
  return 0;
}

API int nvrtcGetProgramLog(Program*, char* log) {
  *log = 0;
  return 0;
}

API int nvrtcGetCUBINSize(Program* program, size_t* bytes) {
  ENTER("nvrtcGetCUBINSize");
  *bytes = program->binary ? program->name.size() + 1 : 0;
  return 0;
}

API int nvrtcGetCUBIN(Program* program, char* code) {
  ENTER("nvrtcGetCUBIN");
  strcpy(code, program->name.c_str());
  return 0;
}

API int nvrtcGetPTXSize(Program* program, size_t* bytes) {
  ENTER("nvrtcGetPTXSize");
  *bytes = program->name.size() + 1;
  return 0;
}

API int nvrtcGetPTX(Program* program, char* code) {
  ENTER("nvrtcGetPTX");
  strcpy(code, program->name.c_str());
  return 0;
}
