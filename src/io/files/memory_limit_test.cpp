#include "io/files/memory_limit.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vesper {
namespace {

constexpr std::uint64_t gib = 1ULL << 30;

struct MemoryLimit : testing::Test {
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "vesper-memory-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = name;
    put("proc/meminfo", "MemFree:  1 kB\nMemTotal:       8388608 kB\nSwapTotal: 5 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  void put(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream{root / path} << text;
  }
  [[nodiscard]] std::uint64_t limit() const { return memory_limit_bytes(root.string()); }

  std::filesystem::path root;
};

TEST_F(MemoryLimit, IsTheMachinesWhereNoGroupHasOne) {
  EXPECT_EQ(limit(), 8 * gib);
  put("proc/self/cgroup", "0::/system.slice/vesper.service\n");
  put("sys/fs/cgroup/system.slice/vesper.service/memory.max", "max\n");
  EXPECT_EQ(limit(), 8 * gib);
}

TEST_F(MemoryLimit, IsTheGroupsInVersionTwo) {
  put("proc/self/cgroup", "0::/system.slice/vesper.service\n");
  put("sys/fs/cgroup/system.slice/vesper.service/memory.max", "2147483648\n");
  EXPECT_EQ(limit(), 2 * gib);
  put("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
  EXPECT_EQ(limit(), gib) << "a group above it has less";
}

TEST_F(MemoryLimit, IsTheGroupsInVersionOne) {
  put("proc/self/cgroup", "12:cpu,cpuacct:/a\n5:rdma,memory:/docker/0123\n1:name=systemd:/\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes", "3221225472\n");
  EXPECT_EQ(limit(), 3 * gib);
}

TEST_F(MemoryLimit, IsTheMountsOwnWhereTheGroupsFolderIsNotSeen) {
  put("proc/self/cgroup", "5:memory:/docker/0123\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
  EXPECT_EQ(limit(), gib);
}

TEST_F(MemoryLimit, IsUnknownWhereTheSystemDoesNotSay) {
  EXPECT_EQ(memory_limit_bytes((root / "nowhere").string()), 0u);
}

TEST_F(MemoryLimit, OfThisMachineIsKnown) {
  EXPECT_GT(memory_limit_bytes(), 16u << 20);
}

}  // namespace
}  // namespace vesper
