#include "stages/journal/delivery_id.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>

namespace vesper {
namespace {

/// Root of all delivery ids of Vesper; a random UUID, chosen once.
constexpr Uuid delivery_space{{0x5c, 0x0e, 0x1f, 0x3a, 0x7d, 0x42, 0x4b, 0x96, 0x9a, 0x61, 0xd8,
                               0x27, 0xe4, 0xb3, 0x90, 0x15}};

void put_text(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
  out.append(text);
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

Uuid delivery_id(std::string_view trial_id, PatientText subject_id, Uuid submission_id) {
  thread_local std::string name;
  name.clear();
  put_text(name, trial_id);
  put_text(name, subject_id.reveal());
  name.append(reinterpret_cast<const char*>(submission_id.bytes.data()),
              submission_id.bytes.size());
  return uuid_v5(delivery_space, name);
}

std::uint64_t lane_of(std::string_view trial_id, PatientText subject_id) {
  // FNV-1a over trial, a separator that holds the length, subject; then a final avalanche.
  std::uint64_t hash = mix(0xcbf29ce484222325, trial_id);
  hash = (hash ^ trial_id.size()) * 0x9e3779b97f4a7c15;
  hash = mix(hash, subject_id.reveal());
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

}  // namespace vesper
