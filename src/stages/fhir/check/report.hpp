#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "model/diary.hpp"
#include "model/form.hpp"
#include "model/issue.hpp"

namespace vesper {

/// In whose words a fault's place is told: a QuestionnaireResponse, or the fields of a raw diary.
enum class Terms : std::uint8_t { fhir, raw };

/// One item of a response where it was found, with the form's item it answers.
///   Shape: lives in the diary's arena; `above` is nullptr at the root.
struct Node {
  const ResponseItem* item = nullptr;
  std::uint32_t form_item = no_item;
  const Node* above = nullptr;
  std::uint32_t above_answer = 0;    ///< the answer of `above` that it stands under
  std::uint32_t index = 0;           ///< its place among its siblings, as sent
  std::uint32_t occurrence = 0;      ///< its place among siblings of the same linkId
  Node* next_same = nullptr;         ///< another node of the same form item
  std::span<Node> children;          ///< of a group
  std::span<std::span<Node>> below;  ///< of a question: for each answer, what stands under it
};

/// Past this many issues a last one says that further faults are not listed.
inline constexpr std::size_t issues_max = 100;

inline constexpr std::uint32_t no_answer = 0xffffffff;

/// Collects the faults of one response, each with its place in the sender's terms.
///   Shape: texts name linkIds, limits and options of the form, never what the patient answered.
class Report {
 public:
  Report(const Form& form, Terms terms, bool lenient, Issues& out)
      : form_(form), terms_(terms), lenient_(lenient), out_(out), before_(out.size()) {}

  /// A fault of `node` itself; nullptr: of the whole response.
  void at(const Node* node, IssueCode code, std::string text);
  /// A fault of one value of `node`.
  void at_value(const Node& node, std::uint32_t answer, IssueCode code, std::string text);
  /// A fault of an item that the form has not, or not there; `index` is its place as sent.
  void at_unknown(const Node* above, std::uint32_t above_answer, std::uint32_t index,
                  IssueCode code, std::string text);
  /// A breach of cardinality: only warns below `completed`. `form_item` tells what is missing where
  /// no node is.
  void cardinality(const Node* node, const Node* above, std::uint32_t above_answer,
                   std::uint32_t form_item, IssueCode code, std::string text);
  void warn(std::string expression, IssueCode code, std::string text);

  [[nodiscard]] Terms terms() const { return terms_; }

 private:
  void add(Severity severity, IssueCode code, std::string text, std::string expression);
  [[nodiscard]] std::string path_of(const Node* node) const;
  [[nodiscard]] std::string raw_path(const Node* above, std::uint32_t form_item) const;

  const Form& form_;
  Terms terms_;
  bool lenient_;
  Issues& out_;
  std::size_t before_;
};

/// The name of a form's item in raw diaries: the trial's field name, or the linkId itself.
[[nodiscard]] std::string_view field_of(const Form& form, std::uint32_t item);

/// `name` cut to 64 characters, so that a path stays short whatever was sent.
[[nodiscard]] std::string_view shortened(std::string_view name);

/// Appends an issue, or the last one that says there are more.
void append_issue(Issues& out, std::size_t before, Issue issue);

}  // namespace vesper
