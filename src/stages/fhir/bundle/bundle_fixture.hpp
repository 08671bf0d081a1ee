#pragma once
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "stages/fhir/bundle/bundle.hpp"
#include "stages/fhir/bundle/plan.hpp"

namespace vesper::bundle_fixture {

/// Builds a compiled Form item by item, as stages/catalog would.
class FormDraft {
 public:
  FormDraft() {
    form_.id = "evening-diary";
    form_.version = "3";
    form_.url = "https://trial.example/Questionnaire/evening-diary";
  }
  std::uint32_t add(FormItem item, std::uint32_t parent = no_item) {
    const auto index = static_cast<std::uint32_t>(form_.items.size());
    item.parent = parent;
    form_.by_link_id.emplace(item.link_id, index);
    form_.items.push_back(std::move(item));
    (parent == no_item ? form_.roots : form_.items[parent].children).push_back(index);
    return index;
  }
  Form& form() { return form_; }
  Form& finish() {
    form_.plan = make_plan(form_);
    return form_;
  }

 private:
  Form form_;
};

inline FormItem question(std::string link_id, ItemType type, std::string text = "Question?") {
  FormItem item;
  item.link_id = std::move(link_id);
  item.type = type;
  item.text = std::move(text);
  return item;
}

inline FormItem extracted(std::string link_id, ItemType type, std::string code) {
  FormItem item = question(link_id, type, "How was " + link_id + "?");
  item.codes.push_back({.system = "https://trial.example/codes",
                        .version = {},
                        .code = std::move(code),
                        .display = "Code of " + link_id});
  item.extract = true;
  return item;
}

inline Value typed(ValueKind kind, std::string_view text) {
  Value value;
  value.kind = kind;
  value.text = PatientText{text};
  return value;
}

inline Value coded(std::string_view code, std::string_view system = {}) {
  Value value = typed(ValueKind::coding, code);
  value.system = PatientText{system};
  return value;
}

/// One diary and all that a bundle needs beside it.
struct Sheet {
  Arena arena;
  Diary diary;
  BundleInput input;

  explicit Sheet(const Form& form) {
    diary.authored_text = PatientText{"2026-11-20T20:14:05+08:00"};
    diary.authored = *parse_date_time(diary.authored_text.reveal());
    diary.language = "en";
    input.form = &form;
    input.diary = &diary;
    input.trial_id = "EVENING-01";
    input.subject_id = PatientText{"S-000123"};
    input.submission_id = *parse_uuid("019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
    input.delivery_id = *parse_uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    input.received_at = WallTime{std::chrono::milliseconds{1'763'640'846'789}};
    for (std::size_t i = 0; i < input.content_hash.size(); ++i)
      input.content_hash[i] = static_cast<std::uint8_t>(i);
  }

  ResponseItem item(std::string_view link_id, std::initializer_list<Value> values = {},
                    std::initializer_list<ResponseItem> items = {}) {
    ResponseItem out;
    out.link_id = PatientText{link_id};
    out.answers = arena.array<ResponseAnswer>(values.size());
    std::size_t i = 0;
    for (const Value& value : values) out.answers[i++].value = value;
    out.items = list(items);
    return out;
  }
  std::span<ResponseItem> list(std::initializer_list<ResponseItem> items) {
    const auto out = arena.array<ResponseItem>(items.size());
    std::copy(items.begin(), items.end(), out.begin());
    return out;
  }
  void answer(std::initializer_list<ResponseItem> items) { input.items = list(items); }

  std::string text() {
    std::string out;
    write_bundle(out, input, arena);
    return out;
  }
  nlohmann::json json() { return nlohmann::json::parse(text()); }
};

/// Resources of one type in a parsed bundle.
inline std::vector<nlohmann::json> resources(const nlohmann::json& bundle, std::string_view type) {
  std::vector<nlohmann::json> out;
  for (const auto& entry : bundle["entry"])
    if (entry["resource"]["resourceType"] == type) out.push_back(entry["resource"]);
  return out;
}

}  // namespace vesper::bundle_fixture
