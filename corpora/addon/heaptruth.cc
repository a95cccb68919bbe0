// heaptruth - the heap's objects as V8 itself enumerates them, written down; then the process aborts.
//
//   const heaptruth = require('./heaptruth.node');
//   heaptruth.writeAndAbort();      // writes the files into the current directory, then abort()
//
// It is the oracle for the heap walk: the core shows the heap exactly as it was when the lists were made.
// V8's own CombinedHeapObjectIterator lists the objects of the calling isolate and of the shared read-only
// space; HeapObject::SizeFromMap says how large they are; Heap::IterateRoots lists the roots. They are symbols of
// the node binary: dynamic ones up to Node 23, local ones from 24 on, so they are looked up in the .symtab of
// /proc/self/exe. A binary without .symtab (a distribution's build) must export them.
//
// FILES, little-endian, sorted by their first word:
//   objects.bin      { uint64 address; uint64 size; } for each object. The address has no tag bit.
//   roots.bin        { uint64 slot; uint64 value; uint32 kind; uint32 strong; } for each root slot: where it is, the
//                    tagged word in it, which kind of root (V8's numbering), and 1 if it keeps its object alive.
//                    A value may also be a Smi, a hole of the string table, or another word that is not a pointer.
//   root-kinds.txt   "NUMBER NAME" for each kind that occurs
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

struct Root {
  uint64_t slot;
  uint64_t value;
  uint32_t kind;
  uint32_t strong;
};

constexpr uintptr_t kTagMask = 3;
constexpr uintptr_t kChunkSize = 256 * 1024;
constexpr size_t kIsolateSpan = 128 * 1024;  // v8::internal::Isolate with its Heap inside is smaller than this
constexpr size_t kMaxObjects = 1 << 26;
constexpr size_t kMaxRoots = 1 << 20;
constexpr uint32_t kMaxRootKinds = 64;

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

// Memory outside of malloc's, given back before abort() so that the lists are not in the core.
template <typename T>
class List {
 public:
  explicit List(size_t capacity) : capacity_(capacity) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* block = mmap(nullptr, capacity * sizeof(T), PROT_READ | PROT_WRITE, flags, -1, 0);
    if (block == MAP_FAILED) Fail("cannot reserve memory for the list");
    items_ = static_cast<T*>(block);
  }

  ~List() { munmap(items_, capacity_ * sizeof(T)); }

  void Add(const T& item) {
    if (size_ == capacity_) Fail("too many objects or roots");
    items_[size_++] = item;
  }

  T* begin() { return items_; }
  T* end() { return items_ + size_; }

  void Write(const char* path) const {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) Fail("cannot create", path);
    auto from = reinterpret_cast<const char*>(items_);
    for (size_t left = size_ * sizeof(T); left > 0;) {
      ssize_t n = write(fd, from, left);
      if (n <= 0) Fail("cannot write", path);
      from += n;
      left -= static_cast<size_t>(n);
    }
    close(fd);
  }

 private:
  T* items_;
  size_t size_ = 0;
  size_t capacity_;
};

void WriteObjects(uintptr_t heap, const Functions& v8) {
  List<Object> objects(kMaxObjects);
  // V8's own iterator is below 1 KB. It is not destroyed: the heap stays as the constructor made it.
  alignas(16) static char iterator[16 * 1024];
  constexpr int kNoFiltering = 0;
  v8.construct(iterator, heap, kNoFiltering);
  // The end is a null HeapObject; from V8 12 on its word carries the tag.
  for (uintptr_t tagged; ((tagged = v8.next(iterator)) & ~kTagMask) != 0;) {
    uintptr_t address = tagged & ~kTagMask;
    uintptr_t map = *reinterpret_cast<uintptr_t*>(address);
    objects.Add({address, static_cast<uint32_t>(v8.size(&tagged, map))});
  }
  std::sort(objects.begin(), objects.end(), [](const Object& a, const Object& b) { return a.address < b.address; });
  objects.Write("objects.bin");
}

// ---------------------------------------------------------------------------------------------- the roots

// Stands in for v8::internal::RootVisitor: the same virtual functions in the same order (checked against the binaries
// of V8 9.4 to 14.6; the newer ones only append). A slot class is one word, passed by value.
class RootVisitor {
 public:
  RootVisitor(List<Root>* roots, bool strong) : roots_(roots), strong_(strong) {}
  virtual ~RootVisitor() = default;

  virtual void VisitRootPointers(int kind, const char*, const uintptr_t* start, const uintptr_t* end) {
    for (const uintptr_t* slot = start; slot < end; slot++) Add(kind, slot);
  }
  virtual void VisitRootPointer(int kind, const char*, const uintptr_t* slot) { Add(kind, slot); }
  virtual void VisitOffHeapRootPointers(int kind, const char* what, const uintptr_t* start, const uintptr_t* end) {
    VisitRootPointers(kind, what, start, end);
  }
#if V8_MAJOR_VERSION >= 10
  virtual void VisitRunningCode(const uintptr_t* code, const uintptr_t* instructions) {
    Add(kRunningCode, code);
#if V8_MAJOR_VERSION >= 11
    Add(kRunningCode, instructions);
#endif
  }
#endif
  virtual void Synchronize(int) {}
  virtual int Collector() const { return 0; }

 private:
  // V8 has no name for these: they are part of kStackRoots there.
  static constexpr uint32_t kRunningCode = kMaxRootKinds;

  void Add(uint32_t kind, const uintptr_t* slot) {
    if (slot != nullptr) roots_->Add({reinterpret_cast<uintptr_t>(slot), *slot, kind, strong_});
  }

  List<Root>* roots_;
  bool strong_;
};

using IterateRoots = void (*)(uintptr_t heap, RootVisitor* visitor, int skip, int mode);
using RootName = const char* (*)(int kind);

// The bit of kWeak in V8's set of what to skip: members were added before it in 9.1 to 9.4 and in 11.4 to 11.8.
constexpr int kV8Version = V8_MAJOR_VERSION * 100 + V8_MINOR_VERSION;
constexpr int kSkipWeak = 1 << (kV8Version < 904 ? 5 : kV8Version < 1104 ? 6 : 7);

void WriteRoots(uintptr_t heap) {
  auto iterate = Find<IterateRoots>(
      {"_ZN2v88internal4Heap12IterateRootsEPNS0_11RootVisitorENS_4base7EnumSetINS0_8SkipRootEiEENS1_16IterateRootsModeE",
       "_ZN2v88internal4Heap12IterateRootsEPNS0_11RootVisitorENS_4base7EnumSetINS0_8SkipRootEiEE"});
  auto name = Find<RootName>({"_ZN2v88internal11RootVisitor8RootNameENS0_4RootE"});
  auto less = [](const Root& a, const Root& b) { return a.slot < b.slot; };
  constexpr int kMainIsolate = 0;

  List<Root> strong(kMaxRoots), roots(kMaxRoots);
  RootVisitor strong_visitor(&strong, true), visitor(&roots, false);
  iterate(heap, &strong_visitor, kSkipWeak, kMainIsolate);
  iterate(heap, &visitor, 0, kMainIsolate);
  std::sort(strong.begin(), strong.end(), less);
  std::sort(roots.begin(), roots.end(), less);

  bool seen[kMaxRootKinds] = {};
  for (Root& root : roots) {
    root.strong = std::binary_search(strong.begin(), strong.end(), root, less);
    if (root.kind >= kMaxRootKinds) continue;
    seen[root.kind] = true;
    // The string table is the surest weak one.
    if (root.strong && strcmp(name(static_cast<int>(root.kind)), "(Internalized strings)") == 0) {
      Fail("this V8 numbers what to skip differently: correct kSkipWeak");
    }
  }
  roots.Write("roots.bin");

  int fd = open("root-kinds.txt", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) Fail("cannot create", "root-kinds.txt");
  for (uint32_t kind = 0; kind < kMaxRootKinds; kind++) {
    if (seen[kind]) dprintf(fd, "%u %s\n", kind, name(static_cast<int>(kind)));
  }
  dprintf(fd, "%u (Running code)\n", kMaxRootKinds);
  close(fd);
}

void WriteAndAbort(const v8::FunctionCallbackInfo<v8::Value>& args) {
  uintptr_t heap = FindHeap(args.GetIsolate());
  WriteObjects(heap, Functions());
  WriteRoots(heap);
  abort();
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "writeAndAbort", WriteAndAbort);
}
