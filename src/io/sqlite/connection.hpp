#pragma once
#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace vesper {

/// A call of SQLite that failed. Thrown and caught inside io/sqlite only.
class SqliteError final : public std::exception {
 public:
  SqliteError(int extended_code, std::string text) : code_(extended_code), text_(std::move(text)) {}
  [[nodiscard]] int code() const { return code_; }  ///< extended result code
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  int code_;
  std::string text_;
};

/// One prepared statement, kept for the life of its connection.
///   Shape: bound views must live until run() or the row loop ends; nothing is copied.
///   Errors: throws SqliteError.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind(int index, std::int64_t value);
  Statement& bind_text(int index, std::string_view text);
  Statement& bind_blob(int index, std::span<const std::uint8_t> bytes);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);

  void run();   ///< executes to the end, then resets
  bool step();  ///< true: a row can be read; false: at the end, already reset
  void reset() noexcept;

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view bytes(int column) const;  ///< of text or blob, until next step
  [[nodiscard]] bool is_null(int column) const;
  /// Copies a blob of exactly this size.
  ///   Errors: SqliteError (corrupt) for any other size.
  template <std::size_t size>
  [[nodiscard]] std::array<std::uint8_t, size> exactly(int column) const {
    std::array<std::uint8_t, size> out;
    copy_exactly(column, out);
    return out;
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  void copy_exactly(int column, std::span<std::uint8_t> out) const;
  void check(int code) const;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Resets a statement when a row loop is left early.
class RowGuard {
 public:
  explicit RowGuard(Statement& statement) : statement_(&statement) {}
  RowGuard(const RowGuard&) = delete;
  RowGuard& operator=(const RowGuard&) = delete;
  ~RowGuard() { statement_->reset(); }

 private:
  Statement* statement_;
};

/// One SQLite connection.
///   Thread: one at a time (SQLITE_OPEN_NOMUTEX).
class Connection {
 public:
  enum class Access : std::uint8_t { write, read };

  /// Errors: throws SqliteError. `vfs` empty: the system's.
  Connection(const std::string& path, Access access, const std::string& vfs);

  void execute(const char* sql);
  [[nodiscard]] Statement prepare(std::string_view sql);
  [[nodiscard]] std::int64_t integer(std::string_view sql);
  [[nodiscard]] std::string text(std::string_view sql);

  /// Copies what it can from the write-ahead log into the database without waiting for anybody.
  /// Returns frames left in the log, 0 when all of it is copied.
  int checkpoint_passive();
  /// Waits a bounded time for readers, then empties the log's file. False: readers kept it.
  bool checkpoint_truncate(int wait_ms);
  /// Frames in the write-ahead log after the last commit.
  [[nodiscard]] int wal_frames() const { return *wal_frames_; }
  [[nodiscard]] sqlite3* handle() const { return database_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<int> wal_frames_ = std::make_unique<int>(0);
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace vesper
