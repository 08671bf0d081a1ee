// Whatever the bytes of a trial document or a Questionnaire: no crash, a verdict with its reasons,
// and a form whose indices are all in range.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/encoding.hpp"
#include "base/ensure.hpp"
#include "stages/catalog/publication.hpp"
#include "stages/catalog/questionnaire.hpp"

namespace {

using namespace vesper;

void check(const Form& form) {
  const auto count = static_cast<std::uint32_t>(form.items.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const FormItem& item = form.items[i];
    ensure(item.parent == no_item || item.parent < i);
    ensure(item.subtree_end > i && item.subtree_end <= count);
    for (const auto child : item.children) ensure(child > i && child < item.subtree_end);
    for (const auto& when : item.enable_when) ensure(when.question < count);
  }
  for (const auto root : form.roots) ensure(root < count);
  for (const auto& score : form.scores)
    for (const auto item : score.items) ensure(item < count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const CompiledForm compiled = compile_form(text);
  check(compiled.form);
  const Publication publication = judge_publication(nullptr, text, {});
  ensure((publication.verdict == Publication::Verdict::accepted) == (publication.trial != nullptr));
  ensure(publication.trial != nullptr || !publication.issues.empty());
  for (const auto& issue : publication.issues)
    ensure(valid_utf8(issue.expression) && valid_utf8(issue.diagnostics));
  if (publication.trial != nullptr)
    for (const auto& form : publication.trial->forms) check(*form);
  return 0;
}
