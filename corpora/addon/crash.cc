// crash - native ways to die, callable from every thread:
//   crash.abort()        abort()
//   crash.segfault()     writes through a null pointer, three native calls deep
//   crash.illegal()      executes an undefined instruction (SIGILL)
//   crash.badAlloc()     an uncaught C++ std::bad_alloc, as an addon gets it that asks for too much memory

#include <cstdint>
#include <cstdlib>
#include <vector>

#include <node.h>

namespace {

using Arguments = v8::FunctionCallbackInfo<v8::Value>;

struct Image {
  uint8_t* pixels;
  size_t size;
};

__attribute__((noinline)) void FillRow(volatile uint8_t* row) { row[0] = 255; }

__attribute__((noinline)) void Fill(const Image& image) {
  for (size_t at = 0; at < image.size; at++) FillRow(image.pixels + at);
}

void Abort(const Arguments&) { abort(); }

void Segfault(const Arguments&) {
  volatile size_t size = 4;
  Fill(Image{nullptr, size});
}

void Illegal(const Arguments&) { __builtin_trap(); }

void BadAlloc(const Arguments&) {
  volatile size_t size = SIZE_MAX / 4;
  std::vector<char> bytes(size);
  bytes[size / 2] = 1;
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "abort", Abort);
  NODE_SET_METHOD(exports, "segfault", Segfault);
  NODE_SET_METHOD(exports, "illegal", Illegal);
  NODE_SET_METHOD(exports, "badAlloc", BadAlloc);
}
