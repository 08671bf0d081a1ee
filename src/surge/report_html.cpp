#include <fmt/format.h>

#include "surge/report.hpp"

namespace vesper::surge {

std::string to_html(const Report& report, std::string_view title) {
  return fmt::format("<!doctype html><title>{}</title><pre>{}</pre>", title, to_json(report));
}

}  // namespace vesper::surge
