#pragma once
#include <span>
#include <string>

#include "flows/routes.hpp"

namespace vesper {

/// The route tables as an OpenAPI 3.1 document, JSON, for programs and for docs/reference.
///   Shape:  a path that both ports serve alike is one operation with two servers. What OpenAPI has
///           no word for (class, rate rule, breaker, deadline) stands in `x-vesper`.
///   Source: OpenAPI 3.1.0; RFC 9457 is not used: errors are OperationOutcomes.
[[nodiscard]] std::string openapi_document(std::span<const Route> intake,
                                           std::span<const Route> admin);

}  // namespace vesper
