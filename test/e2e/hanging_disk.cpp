// What overload_test preloads into a server: no sync ends while the file that VESPER_TEST_HANG
// names is there.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

namespace {

void wait_for_the_disk() {
  static const char* const path = std::getenv("VESPER_TEST_HANG");
  while (path != nullptr && access(path, F_OK) == 0) usleep(5000);
}

int sync_by(const char* name, int file) {
  wait_for_the_disk();
  using Sync = int (*)(int);
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name))(file);
}

}  // namespace

extern "C" int fdatasync(int file) {
  return sync_by("fdatasync", file);
}
extern "C" int fsync(int file) {
  return sync_by("fsync", file);
}
