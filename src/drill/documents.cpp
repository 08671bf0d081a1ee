#include "drill/rig.hpp"

namespace vesper::drill {
namespace {

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
constexpr char trial_document[] = {
#embed "../../deploy/demo/bench-trial.json"
};
constexpr char diary_document[] = {
#embed "../../deploy/demo/bench-diary.json"
};
#pragma clang diagnostic pop

}  // namespace

std::string_view drill_trial_document() {
  return {trial_document, sizeof trial_document};
}

std::string_view drill_diary() {
  return {diary_document, sizeof diary_document};
}

}  // namespace vesper::drill
