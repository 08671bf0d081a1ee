#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/form.hpp"

namespace vesper {

enum class TrialStatus : std::uint8_t { draft, active, closed };

struct Site {
  std::string id, name, timezone;
};

/// Optional limits (issue of admission); absent: no limit.
struct Rates {
  std::optional<double> patient_per_minute, trial_per_second;
  std::optional<std::uint32_t> patient_per_day;
};

/// One trial document in force, compiled. Immutable; shared by every shard.
struct Trial {
  std::string id, title, timezone, subject_system;
  TrialStatus status = TrialStatus::active;
  std::uint64_t revision =
      0;  ///< 1 for the first document of this trial; the ETag is made of it and the hash
  std::string etag;                       ///< with its quotes
  std::string document;                   ///< JSON as published
  std::vector<std::string> destinations;  ///< names under [upstream.NAME]
  std::vector<Site> sites;
  Rates rates;
  /// Every form version ever published for this trial, the ones in force first.
  std::vector<std::shared_ptr<const Form>> forms;
  std::size_t forms_in_force = 0;
  /// subjectSystem of each revision, the first at index 0: a bundle is rebuilt as its revision
  /// said.
  std::vector<std::string> subject_systems;

  [[nodiscard]] const Form* find(std::string_view form_id, std::string_view version) const {
    for (const auto& form : forms)
      if (form->id == form_id && form->version == version) return form.get();
    return nullptr;
  }
  [[nodiscard]] const Form* find_canonical(std::string_view url, std::string_view version) const {
    for (const auto& form : forms)
      if (form->url == url && form->version == version) return form.get();
    return nullptr;
  }
};

/// All trials at one moment. A shard loads the pointer once a request and keeps it for that
/// request.
///   Thread: immutable; replaced as a whole (ports/catalog_source.hpp).
struct TrialSnapshot {
  std::uint64_t generation = 0;
  std::unordered_map<std::string, std::shared_ptr<const Trial>, TextHash, std::equal_to<>> trials;

  [[nodiscard]] const Trial* find(std::string_view id) const {
    const auto it = trials.find(id);
    return it == trials.end() ? nullptr : it->second.get();
  }
};

}  // namespace vesper
