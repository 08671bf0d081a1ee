#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "surge/arrival_curve.hpp"
#include "surge/diary_template.hpp"
#include "surge/retry_rule.hpp"

namespace vesper::surge {

/// What one trial's patients send, and when.
struct TrialLoad {
  std::string id;
  ArrivalCurve curve;
  DiaryTemplate diary;
  std::uint32_t patients = 1000;  ///< taken in turn, so that a crowd is one diary a patient
  std::uint32_t first_patient = 0;
};

/// A bearer token for one patient of a trial; called once a patient.
using TokenSource =
    std::function<std::string(const std::string& trial, const std::string& subject)>;

/// All that an Engine needs to know.
///   Bounds: 16 trials, patients_max patients, connections_max connections, diaries_max diaries.
struct Plan {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6, a literal
  std::uint16_t port = 0;
  std::string authority = "127.0.0.1";  ///< for the Host header
  std::string path = "/patient/data";
  std::vector<TrialLoad> trials;
  TokenSource token;
  bool mint_ahead = true;  ///< all tokens before the start, else each at its patient's first diary
  RetryRule retry;
  bool closed_loop = false;  ///< each connection sends as soon as it was answered; no due times
  std::uint32_t connections = 1000;
  bool open_ahead = false;  ///< all connections before the start, else each when first needed
  Duration try_timeout = 10s;
  Duration good_within = 100ms;  ///< a 201 so soon after being due counts as good
  Duration late_beyond = 50ms;   ///< the generator itself was late
  Duration patience = 10s;       ///< after the last arrival, for answers and returns
  std::uint64_t diaries_max = 10'000'000;
  std::uint64_t seed = 1;
  int server_pid = 0;             ///< whose CPU time and memory are read; 0: nobody's
  std::uint32_t addresses = 1;    ///< source addresses 127.0.0.1, 127.0.0.2, ... taken in turn
  Duration sample_every = 1s;     ///< of processes and connections
  std::uint32_t intervals = 600;  ///< at most so many in the report, each of at least 100 ms
};

inline constexpr std::uint32_t trials_max = 16, patients_max = 2'000'000, connections_max = 60'000;

}  // namespace vesper::surge
