#include "journal/crash_disk.hpp"

#include <sqlite3.h>

#include <cstring>

#include "base/ensure.hpp"

namespace vesper {
namespace {

CrashDisk* disk = nullptr;

struct OpenFile {
  sqlite3_file base;
  CrashDisk::File* file;
};
CrashDisk::File& of(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file)->file;
}

int close_file(sqlite3_file*) {
  return SQLITE_OK;
}

int read_file(sqlite3_file* handle, void* out, int size, sqlite3_int64 offset) {
  const std::string& bytes = of(handle).current;
  const auto at = static_cast<std::size_t>(offset), wanted = static_cast<std::size_t>(size);
  const std::size_t there = at >= bytes.size() ? 0 : std::min(wanted, bytes.size() - at);
  std::memcpy(out, bytes.data() + std::min(at, bytes.size()), there);
  if (there == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, wanted - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* handle, const void* bytes, int size, sqlite3_int64 offset) {
  auto kept = static_cast<std::size_t>(size);
  const int failed = disk->change(kept, kept);
  if (kept != 0) {
    CrashDisk::Change change{static_cast<std::uint64_t>(offset),
                             std::string(static_cast<const char*>(bytes), kept)};
    CrashDisk::apply(of(handle).current, change);
    of(handle).pending.push_back(std::move(change));
  }
  return failed;
}

int truncate_file(sqlite3_file* handle, sqlite3_int64 size) {
  std::size_t kept = 1;
  if (const int failed = disk->change(1, kept); failed != SQLITE_OK) return failed;
  CrashDisk::Change change{static_cast<std::uint64_t>(size), {}, true};
  CrashDisk::apply(of(handle).current, change);
  of(handle).pending.push_back(std::move(change));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* handle, int) {
  std::size_t kept = 1;
  if (const int failed = disk->change(1, kept); failed != SQLITE_OK)
    return failed == SQLITE_FULL ? SQLITE_IOERR_FSYNC : failed;
  CrashDisk::File& file = of(handle);
  for (const auto& change : file.pending) CrashDisk::apply(file.durable, change);
  file.pending.clear();
  return SQLITE_OK;
}

int file_size(sqlite3_file* handle, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(handle).current.size());
  return SQLITE_OK;
}
int lock_file(sqlite3_file*, int) {
  return SQLITE_OK;
}
int check_lock(sqlite3_file*, int* taken) {
  *taken = 0;
  return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return 4096;
}
// As SQLite's own unix VFS by default: a torn write spoils no byte outside of it.
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_shared(sqlite3_file* handle, int region, int size, int extend, void volatile** out) {
  auto& shared = of(handle).shared;
  *out = nullptr;
  if (static_cast<std::size_t>(region) >= shared.size()) {
    if (extend == 0) return SQLITE_OK;
    while (static_cast<std::size_t>(region) >= shared.size())
      shared.emplace_back(static_cast<std::size_t>(size), '\0');
  }
  *out = shared[static_cast<std::size_t>(region)].data();
  return SQLITE_OK;
}
int lock_shared(sqlite3_file*, int, int, int) {
  return SQLITE_OK;
}
void barrier(sqlite3_file*) {}
int unmap_shared(sqlite3_file* handle, int remove) {
  if (remove != 0) of(handle).shared.clear();
  return SQLITE_OK;
}

const sqlite3_io_methods methods{
    2,           close_file, read_file,    write_file, truncate_file, sync_file,       file_size,
    lock_file,   lock_file,  check_lock,   control,    sector_size,   characteristics, map_shared,
    lock_shared, barrier,    unmap_shared, nullptr,    nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
  auto* open = reinterpret_cast<OpenFile*>(handle);
  open->base.pMethods = nullptr;
  const std::string key = name == nullptr ? "temporary" : name;
  if ((flags & SQLITE_OPEN_CREATE) == 0 && !disk->files().contains(key)) return SQLITE_CANTOPEN;
  open->file = &disk->files()[key];
  open->base.pMethods = &methods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int) {
  std::size_t kept = 1;
  if (const int failed = disk->change(1, kept); failed != SQLITE_OK)
    return failed == SQLITE_FULL ? SQLITE_IOERR_DELETE : failed;
  disk->files().erase(name);
  return SQLITE_OK;
}
int access_file(sqlite3_vfs*, const char* name, int, int* there) {
  *there = disk->files().contains(name) ? 1 : 0;
  return SQLITE_OK;
}
int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}
int randomness(sqlite3_vfs*, int size, char* out) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<char>(disk->random().next());
  return size;
}
int sleep_for(sqlite3_vfs*, int micros) {
  return micros;
}
int current_time(sqlite3_vfs*, double* days) {
  *days = 2461000.5;
  return SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

sqlite3_vfs make_vfs() {
  sqlite3_vfs vfs{};
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.mxPathname = 512;
  vfs.zName = CrashDisk::vfs_name();
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep_for;
  vfs.xCurrentTime = current_time;
  vfs.xGetLastError = last_error;
  return vfs;
}
sqlite3_vfs crash_vfs = make_vfs();

}  // namespace

CrashDisk::CrashDisk(std::uint64_t seed) : random_(seed) {
  ensure(disk == nullptr);
  disk = this;
  sqlite3_vfs_register(&crash_vfs, 0);
}

CrashDisk::~CrashDisk() {
  sqlite3_vfs_unregister(&crash_vfs);
  disk = nullptr;
}

void CrashDisk::arm(Fault fault, std::uint64_t at, bool persistent) {
  fault_ = fault;
  fault_at_ = calls_ + at;
  persistent_ = persistent;
  fired_ = false;
}

int CrashDisk::change(std::size_t size, std::size_t& kept) {
  kept = size;
  ++calls_;
  const bool fails =
      fault_ != Fault::none && (persistent_ ? calls_ >= fault_at_ : calls_ == fault_at_);
  if (!fails) return SQLITE_OK;
  fired_ = true;
  kept = fault_ == Fault::short_write ? size / 2 : 0;
  return fault_ == Fault::full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

void CrashDisk::apply(std::string& bytes, const Change& change) {
  const auto at = static_cast<std::size_t>(change.offset);
  if (change.truncates) {
    if (bytes.size() > at) bytes.resize(at);
    return;
  }
  if (bytes.size() < at + change.bytes.size()) bytes.resize(at + change.bytes.size());
  bytes.replace(at, change.bytes.size(), change.bytes);
}

void CrashDisk::power_loss() {
  for (auto& [name, file] : files_) {
    for (Change& change : file.pending) {
      if (!random_.chance(0.3)) {
        // Lost, or torn: only sectors before or after a point reached the platter.
        if (change.truncates || change.bytes.size() <= 512 || !random_.chance(0.3)) continue;
        const std::size_t cut = 512 * (1 + random_.below(change.bytes.size() / 512));
        if (random_.chance(0.5)) {
          change.bytes.resize(std::min(cut, change.bytes.size()));
        } else {
          change.bytes.erase(0, std::min(cut, change.bytes.size()));
          change.offset += cut;
        }
      }
      apply(file.durable, change);
    }
    file.pending.clear();
    file.current = file.durable;
    file.shared.clear();
  }
  disarm();
}

}  // namespace vesper
