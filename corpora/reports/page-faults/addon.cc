// Reads pages of a mapped file here and there, as a database in a memory-mapped file does. The file is not in the page cache.
#include <fcntl.h>
#include <node_api.h>
#include <sys/mman.h>
#include <unistd.h>

static napi_value Search(napi_env env, napi_callback_info) {
  const size_t size = 256u << 20;
  int file = open("database", O_RDWR | O_CREAT, 0600);
  static char block[1 << 20];
  for (char& c : block) c = 1;
  for (size_t at = 0; at < size; at += sizeof(block)) if (write(file, block, sizeof(block)) < 0) break;
  fsync(file);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  char* bytes = static_cast<char*>(mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0));
  madvise(bytes, size, MADV_RANDOM);
  uint64_t sum = 0, at = 1;
  for (int i = 0; i < 20000; i++) {
    at = at * 6364136223846793005u + 1442695040888963407u;
    sum += static_cast<unsigned char>(bytes[(at >> 20) % size]);
  }
  unlink("database");
  napi_value result;
  napi_create_double(env, static_cast<double>(sum), &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "search", NAPI_AUTO_LENGTH, Search, nullptr, &function);
  napi_set_named_property(env, exports, "search", function);
  return exports;
}
