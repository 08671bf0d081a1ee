#include "io/files/file_system.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vesper {
namespace {

namespace fs = std::filesystem;

class FileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "vesper-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string path(const char* name) const { return directory_ / name; }
  std::string make(const char* name, std::string_view bytes, mode_t mode) {
    std::ofstream{path(name)} << bytes;
    ::chmod(path(name).c_str(), mode);
    return path(name);
  }

  fs::path directory_;
  FileSystem files_;
};

TEST_F(FileSystemTest, ReplacesWholeAndForItsOwnerAlone) {
  const std::string at = path("keys");
  ASSERT_TRUE(files_.replace(at, "first"));
  ASSERT_TRUE(files_.replace(at, "second"));
  EXPECT_EQ(files_.read(at, 100, Secrecy::owner_only), "second");
  struct stat info{};
  ASSERT_EQ(::stat(at.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator{directory_}, {}), 1) << "nothing left beside it";
}

TEST_F(FileSystemTest, TellsWhatOthersCanRead) {
  for (const mode_t mode : {0600u, 0400u, 0700u})
    EXPECT_TRUE(files_.owner_only(make("k", "x", mode))) << mode;
  for (const mode_t mode : {0604u, 0640u, 0644u, 0602u, 0620u, 0666u}) {
    const std::string at = make("k", "x", mode);
    EXPECT_EQ(files_.owner_only(at).error(), FileFault::readable_by_others) << mode;
    EXPECT_EQ(files_.read(at, 9, Secrecy::owner_only).error(), FileFault::readable_by_others);
    EXPECT_EQ(files_.read(at, 9, Secrecy::any), "x");
  }
}

TEST_F(FileSystemTest, JudgesTheFileBehindALink) {
  make("k", "x", 0644);
  fs::create_symlink("k", directory_ / "link");
  EXPECT_EQ(files_.read(path("link"), 9, Secrecy::owner_only).error(),
            FileFault::readable_by_others);
}

TEST_F(FileSystemTest, BoundsWhatItReadsAtTheEdge) {
  const std::string at = make("k", "123456", 0600);
  EXPECT_EQ(files_.read(at, 6, Secrecy::any), "123456");
  EXPECT_EQ(files_.read(at, 5, Secrecy::any).error(), FileFault::too_large);
}

TEST_F(FileSystemTest, NamesWhatIsNoFile) {
  EXPECT_EQ(files_.read(path("absent"), 9, Secrecy::any).error(), FileFault::not_found);
  EXPECT_EQ(files_.stamp(path("absent")).error(), FileFault::not_found);
  EXPECT_EQ(files_.read(directory_, 9, Secrecy::any).error(), FileFault::not_a_file);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(files_.read(path("pipe"), 9, Secrecy::any).error(), FileFault::not_a_file);
  EXPECT_FALSE(files_.replace(path("no/such/directory"), "x"));
}

TEST_F(FileSystemTest, StampsChangeWithTheContent) {
  const std::string at = path("k");
  ASSERT_TRUE(files_.replace(at, "one"));
  const auto before = files_.stamp(at);
  ASSERT_TRUE(before);
  EXPECT_EQ(files_.stamp(at), before);
  ASSERT_TRUE(files_.replace(at, "two"));
  EXPECT_NE(files_.stamp(at), before);
}

}  // namespace
}  // namespace vesper
