// heaptruth - the heap's objects as V8 itself enumerates them, written down; then the process aborts.
//
//   const heaptruth = require('./heaptruth.node');
//   heaptruth.writeAndAbort();      // writes objects.bin into the current directory, then abort()
//
// It is the oracle for the heap walk: the core shows the heap exactly as it was when the list was made.
// V8's own CombinedHeapObjectIterator lists the objects of the calling isolate and of the shared read-only
// space; HeapObject::SizeFromMap says how large they are. Both are symbols of the node binary: dynamic ones up
// to Node 22, local ones from 23 on, so they are looked up in the .symtab of /proc/self/exe. A binary without
// .symtab (a distribution's build) must export them.
//
// FILE FORMAT of objects.bin, little-endian: { uint64 address; uint64 size; } for each object, sorted by address.
// The address has no tag bit. Sizes are what V8 reports, in bytes.
//
// STATE OF THE CORE: the iterator's constructor stops background threads at a safepoint and makes the heap iterable
// (finishes sweeping, closes linear allocation areas behind a filler). Nothing is allocated in the JavaScript heap
// after that. Fillers and free-space blocks are not objects and are not listed (V8's iterator skips them): the gaps
// between the objects of a page hold nothing else. One exception, seen in Node 25.9: there V8's iterator also skips the
// 12 HOLE_TYPE objects of the read-only space (8 bytes each). Every other version lists them; in Node 26 they are
// 65,544 bytes each.

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include <dlfcn.h>
#include <node.h>

namespace {

struct Object {
  uint64_t address;
  uint64_t size;
};

constexpr uintptr_t kTagMask = 3;
constexpr uintptr_t kChunkSize = 256 * 1024;
constexpr size_t kIsolateSpan = 128 * 1024;  // v8::internal::Isolate with its Heap inside is smaller than this
constexpr size_t kMaxObjects = 1 << 26;

[[noreturn]] void Fail(const char* what, const char* name = "") {
  dprintf(STDERR_FILENO, "heaptruth: %s %s\n", what, name);
  _exit(3);
}

// ---------------------------------------------------------------------------------------------- symbols

// The program's own symbol table, for symbols that are not dynamic.
class SymbolTable {
 public:
  SymbolTable() {
    int fd = open("/proc/self/exe", O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) Fail("cannot open /proc/self/exe");
    size_ = static_cast<size_t>(st.st_size);
    void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED) Fail("cannot map /proc/self/exe");
    image_ = static_cast<const char*>(mapped);

    // The program itself is the first object that dl_iterate_phdr reports; its bias is 0 unless it is a PIE.
    dl_iterate_phdr([](dl_phdr_info* info, size_t, void* bias) {
      *static_cast<uintptr_t*>(bias) = info->dlpi_addr;
      return 1;
    }, &bias_);

    auto header = reinterpret_cast<const ElfW(Ehdr)*>(image_);
    auto sections = reinterpret_cast<const ElfW(Shdr)*>(image_ + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
      if (sections[i].sh_type != SHT_SYMTAB) continue;
      symbols_ = reinterpret_cast<const ElfW(Sym)*>(image_ + sections[i].sh_offset);
      count_ = sections[i].sh_size / sizeof(ElfW(Sym));
      names_ = image_ + sections[sections[i].sh_link].sh_offset;
    }
  }

  ~SymbolTable() { munmap(const_cast<char*>(image_), size_); }

  void* Find(const char* name) const {
    for (size_t i = 0; i < count_; i++) {
      if (symbols_[i].st_value != 0 && strcmp(names_ + symbols_[i].st_name, name) == 0) {
        return reinterpret_cast<void*>(symbols_[i].st_value + bias_);
      }
    }
    return nullptr;
  }

 private:
  const char* image_;
  size_t size_;
  uintptr_t bias_ = 0;
  const ElfW(Sym)* symbols_ = nullptr;
  size_t count_ = 0;
  const char* names_ = nullptr;
};

// The function of the first of these names that exists.
template <typename Function>
Function Find(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* found = dlsym(RTLD_DEFAULT, name)) return reinterpret_cast<Function>(found);
  }
  SymbolTable table;
  for (const char* name : names) {
    if (void* found = table.Find(name)) return reinterpret_cast<Function>(found);
  }
  Fail("no symbol", *names.begin());
}

// V8's classes are opaque here: an iterator is a block of memory, an object a tagged word. HeapObject is a class of
// one word passed by address as "this"; Map and Tagged<Map> are one word passed by value.
using IteratorConstructor = void (*)(void* iterator, uintptr_t heap, int filtering);
using IteratorNext = uintptr_t (*)(void* iterator);
using SizeFromMap = int (*)(const uintptr_t* object, uintptr_t map);

struct Functions {
  IteratorConstructor construct = Find<IteratorConstructor>(
      {"_ZN2v88internal26CombinedHeapObjectIteratorC1EPNS0_4HeapENS0_18HeapObjectIterator20HeapObjectsFilteringE"});
  IteratorNext next = Find<IteratorNext>({"_ZN2v88internal26CombinedHeapObjectIterator4NextEv"});
  SizeFromMap size = Find<SizeFromMap>({"_ZNK2v88internal10HeapObject11SizeFromMapENS0_3MapE",
                                        "_ZNK2v88internal10HeapObject11SizeFromMapENS0_6TaggedINS0_3MapEEE"});
};

// ---------------------------------------------------------------------------------------------- the heap

// The Heap is a member of the Isolate, and each page's header points to it: in the header itself (up to V8 12)
// or in the metadata block which the header's second word points to (from V8 13 on).
uintptr_t FindHeap(v8::Isolate* isolate) {
  auto low = reinterpret_cast<uintptr_t>(isolate);
  v8::Local<v8::Object> object = v8::Object::New(isolate);
  uintptr_t tagged = *reinterpret_cast<uintptr_t*>(*object);
  auto chunk = reinterpret_cast<const uintptr_t*>(tagged & ~(kChunkSize - 1));
  for (const uintptr_t* header : {chunk, reinterpret_cast<const uintptr_t*>(chunk[1])}) {
    for (int i = 0; header != nullptr && i < 16; i++) {
      if (header[i] > low && header[i] < low + kIsolateSpan && header[i] % 8 == 0) return header[i];
    }
  }
  Fail("no page header points to the Heap");
}

void WriteAll(const char* path, const void* data, size_t size) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) Fail("cannot create", path);
  auto from = static_cast<const char*>(data);
  while (size > 0) {
    ssize_t n = write(fd, from, size);
    if (n <= 0) Fail("cannot write", path);
    from += n;
    size -= static_cast<size_t>(n);
  }
  close(fd);
}

void WriteAndAbort(const v8::FunctionCallbackInfo<v8::Value>& args) {
  Functions v8;
  uintptr_t heap = FindHeap(args.GetIsolate());
  // Given back before abort(), so that the list is not in the core.
  size_t reserved = kMaxObjects * sizeof(Object);
  void* block = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) Fail("cannot reserve memory for the list");
  auto objects = static_cast<Object*>(block);
  size_t count = 0;

  alignas(16) static char iterator[16 * 1024];  // V8's own is below 1 KB
  constexpr int kNoFiltering = 0;
  v8.construct(iterator, heap, kNoFiltering);
  // The end is a null HeapObject; from V8 12 on its word carries the tag.
  for (uintptr_t tagged; ((tagged = v8.next(iterator)) & ~kTagMask) != 0;) {
    if (count == kMaxObjects) Fail("too many objects");
    uintptr_t address = tagged & ~kTagMask;
    uintptr_t map = *reinterpret_cast<uintptr_t*>(address);
    objects[count].address = address;
    objects[count].size = static_cast<uint32_t>(v8.size(&tagged, map));
    count++;
  }
  // The iterator is not destroyed: the heap stays as it is.

  std::sort(objects, objects + count, [](const Object& a, const Object& b) { return a.address < b.address; });
  WriteAll("objects.bin", objects, count * sizeof(Object));
  munmap(block, reserved);
  abort();
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "writeAndAbort", WriteAndAbort);
}
