#pragma once
#include <string>
#include <vector>

#include "app/config.hpp"
#include "flows/anchor/anchor_writer.hpp"
#include "flows/intake_service.hpp"
#include "io/http/http_limits.hpp"
#include "io/sqlite/journal_options.hpp"
#include "model/upstream.hpp"
#include "stages/access/key_ring.hpp"

namespace vesper {

/// The configuration as each module wants it: the only place that knows both.
[[nodiscard]] HttpLimits intake_limits(const Config& config, const admission::DoorLimits& door);
[[nodiscard]] HttpLimits admin_limits(const Config& config);
[[nodiscard]] IntakeSettings intake_settings(const Config& config,
                                             const admission::DoorLimits& door);
/// `memory_bytes`: what there is; 0 when nobody knows.
[[nodiscard]] admission::Limits standard_limits(const Config& config, std::uint64_t memory_bytes);
/// `stated`, or what the memory that there is allows.
[[nodiscard]] std::uint64_t bytes_in_flight_ceiling(std::uint64_t stated,
                                                    std::uint64_t memory_bytes);
/// Where the limits that an operator set are kept: beside the journal.
[[nodiscard]] std::string kept_limits_path(const Config& config);
[[nodiscard]] AnchorSettings anchor_settings(const Config& config);
[[nodiscard]] SqliteOptions journal_options(const Config& config);
[[nodiscard]] std::vector<UpstreamSettings> upstream_settings(const Config& config);
[[nodiscard]] std::vector<std::string> destination_names(const Config& config);
/// Where the last good key set of a remote issuer is kept: as configured, or beside the journal.
[[nodiscard]] std::string kept_keys_path(const Config& config, const IssuerConfig& issuer);
[[nodiscard]] access::IssuerRules issuer_rules(const IssuerConfig& issuer);

}  // namespace vesper
