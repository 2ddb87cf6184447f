// SPDX-License-Identifier: Apache-2.0
// The few symbols of a C++ runtime that this addon asks for, so that none is
// linked: it is loaded wherever a C library is. Memory comes from malloc; what
// would be an exception elsewhere ends the process.
#include <stdlib.h>

#include <new>
#include <string>

#if defined(__GLIBCXX__)

extern "C" void __cxa_pure_virtual() {
  abort();
}

// What std::string and std::vector, which node-addon-api uses, call.
namespace std {

// The members of std::string that a compiler did not put in line; the linker
// leaves out those that nobody calls.
template class allocator<char>;
template class basic_string<char>;

void __throw_bad_alloc() {
  abort();
}

void __throw_bad_array_new_length() {
  abort();
}

void __throw_length_error(const char *) {
  abort();
}

void __throw_logic_error(const char *) {
  abort();
}

void __throw_out_of_range_fmt(const char *, ...) {
  abort();
}

}  // namespace std

#endif

void *operator new(size_t size) {
  void *block = malloc(size == 0 ? 1 : size);

  if (block == nullptr) {
    abort();
  }
  return block;
}

void *operator new[](size_t size) {
  return operator new(size);
}

void operator delete(void *block) noexcept {
  free(block);
}

void operator delete[](void *block) noexcept {
  free(block);
}

void operator delete(void *block, size_t) noexcept {
  free(block);
}

void operator delete[](void *block, size_t) noexcept {
  free(block);
}
