#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <pugixml.hpp>
#include <string>

#include "stages/decode/decode_fixture.hpp"
#include "stages/decode/xml_gate.hpp"

namespace vesper {
namespace {

namespace fs = std::filesystem;

std::string diary_with(const std::string& answers, const std::string& more = "") {
  return "<diary><submissionId>019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b</submissionId>"
         "<trialId>EVENING-01</trialId><subjectId>S-000123</subjectId>\n"
         "<form>evening-diary</form><formVersion>3</formVersion>"
         "<authored>2026-11-20T20:14:05+08:00</authored>" +
         more + "\n<answers>" + answers + "</answers></diary>";
}

Outcome read(const std::string& answers, const std::string& more = "") {
  return Outcome{diary_with(answers, more), MediaType::xml};
}

std::string why_not(const std::string& text) {
  const auto fault = decoding::check_xml(text);
  return fault ? std::string{fault->reason} : "fine";
}

TEST(XmlDiary, EveryMemberArrives) {
  const Outcome outcome = Outcome{
      "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- c --><?app x?>" +
          diary_with(R"(<answer field="pain-nrs">4</answer><answer field="note">a &lt; <!-- x -->
<![CDATA[<b>&]]> &#233;</answer><answer field="slept-hours">6.50</answer>
          <answer field="meds">a</answer><answer field="skipped"/><answer field="meds">b</answer>)",
                     "<language> zh-CN </language><other><deep/></other>"
                     "<device><id>d-77</id><utcOffsetMinutes>480</utcOffsetMinutes></device>"),
      MediaType::xml};
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  const Diary& diary = *outcome.diary;
  EXPECT_EQ(to_string(*diary.submission_id), "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
  EXPECT_EQ(diary.trial_id.reveal(), "EVENING-01");
  EXPECT_EQ(diary.form_version, "3");
  EXPECT_EQ(diary.language, "zh-CN");
  EXPECT_EQ(diary.device.utc_offset_minutes, 480);
  EXPECT_EQ(to_string(diary.authored.utc), "2026-11-20T12:14:05.000Z");
  EXPECT_EQ(outcome.answer("pain-nrs").values[0].kind, ValueKind::raw_text);
  EXPECT_EQ(outcome.text("slept-hours"), "6.50");
  EXPECT_EQ(outcome.text("note"), "a < \n<b>& \u00e9");
  EXPECT_EQ(outcome.text("skipped"), "-");
  ASSERT_EQ(outcome.answer("meds").values.size(), 2u);
  EXPECT_EQ(outcome.answer("meds").values[1].text.reveal(), "b");
  EXPECT_EQ(diary.raw[1].field, "note");
  EXPECT_EQ(diary.raw[1].at, 4u) << "line in the document";
  EXPECT_EQ(diary.raw.size(), 5u);
}

TEST(XmlDiary, GroupsBecomeRows) {
  const auto outcome = read(R"(<group field="meals"><answer field="kcal">300</answer>
      <group field="foods"><answer field="f">rice</answer></group></group>
      <answer field="x">1</answer><group field="meals"><answer field="kcal">200</answer></group>)");
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  const auto& meals = outcome.answer("meals");
  ASSERT_EQ(meals.rows.size(), 2u);
  EXPECT_EQ(meals.rows[0][1].rows[0][0].values[0].text.reveal(), "rice");
  EXPECT_EQ(meals.rows[1][0].values[0].text.reveal(), "200");
}

TEST(XmlDiary, CodingsAndQuantitiesAreElements) {
  const auto outcome = read(
      R"(<answer field="c"><system>s</system><code>a</code><display>A</display></answer>
         <answer field="q"><value>70.5</value><unit>kg</unit></answer>)");
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  EXPECT_EQ(outcome.answer("c").values[0].kind, ValueKind::coding);
  EXPECT_EQ(outcome.text("c"), "a");
  EXPECT_EQ(outcome.answer("q").values[0].kind, ValueKind::quantity);
  EXPECT_EQ(outcome.answer("q").values[0].display.reveal(), "kg");
  EXPECT_EQ(read(R"(<answer field="c"><none>a</none></answer>)").faults(),
            "answers.c.none answers.c");
}

TEST(XmlDiary, FaultsNameLineAndPath) {
  EXPECT_EQ(read("<answer>4</answer>").faults(), "answers");
  EXPECT_EQ(read("\n<answer field='a' unit='x'>4</answer>").first_text(),
            "Line 4: the only attribute here is field.");
  EXPECT_EQ(read("<reply field='a'>4</reply>").faults(), "answers");
  EXPECT_EQ(read("4").faults(), "answers");
  EXPECT_EQ(
      read("<answer field='a'>1</answer><group field='a'><answer field='b'/></group>").faults(),
      "answers.a");
  EXPECT_EQ(read("", "<trialId>other</trialId>").faults(), "trialId");
  EXPECT_EQ(read("", "<answers/>").faults(), "answers");
  EXPECT_EQ(read("", "<language><b/></language>").faults(), "language");
  EXPECT_EQ((Outcome{"<odm/>", MediaType::xml}.faults()), "");
  EXPECT_EQ((Outcome{"<diary/>", MediaType::xml}.faults()),
            "trialId subjectId form formVersion authored answers");
  const Outcome cut{"<diary>\n<form>", MediaType::xml};
  EXPECT_EQ(cut.first_text(), "Not XML: an element is not closed at line 2, column 7 (byte 14).");
}

TEST(XmlGate, TheBombsAreRefusedBeforeExpansion) {
  const fs::path folder = corpora() + "/xml";
  if (!fs::exists(folder)) GTEST_SKIP() << "corpus absent: " << folder;
  int bombs = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".xml") continue;
    const std::string text = bytes_of(entry.path());
    if (text.find("<!DOCTYPE") == std::string::npos) {
      EXPECT_EQ(why_not(text), "fine") << entry.path();
    } else {
      ++bombs;
      EXPECT_EQ(why_not(text), "a DOCTYPE is not allowed") << entry.path();
    }
  }
  EXPECT_GE(bombs, 8);
}

TEST(XmlGate, RefusesWhatXmlDoesNotAllow) {
  EXPECT_EQ(why_not("<a b='1' c=\"2\"><b/>x&amp;&#65;<![CDATA[ ]]></a> <!-- e --> <?p?>"), "fine");
  EXPECT_EQ(why_not("<\u00e9l\u00e9ment/>"), "fine");
  EXPECT_EQ(why_not(""), "the document has no root element");
  EXPECT_EQ(why_not("x<a/>"), "text before the root element");
  EXPECT_EQ(why_not("<a/><b/>"), "text after the root element");
  EXPECT_EQ(why_not("<a/>x"), "text after the root element");
  EXPECT_EQ(why_not("<a></b>"), "an end tag does not match its start tag");
  EXPECT_EQ(why_not("<a b='1' b='2'/>"), "an attribute is given twice");
  EXPECT_EQ(why_not("<a b='1'c='2'/>"), "a blank is expected between attributes");
  EXPECT_EQ(why_not("<a b=1/>"), "a quoted value is expected");
  EXPECT_EQ(why_not("<a b/>"), "'=' is expected");
  EXPECT_EQ(why_not("<a b='<'/>"), "'<' is not allowed in an attribute");
  for (const char* bad :
       {"&", "& ", "&x;", "&#0;", "&#x1f;", "&#xd800;", "&#x110000;", "&;", "&#;"})
    EXPECT_EQ(why_not("<a>" + std::string(bad) + "</a>"),
              "'&' must begin one of the five entities or a character reference")
        << bad;
  EXPECT_EQ(why_not("<a>]]></a>"), "]]> is not allowed in text");
  EXPECT_EQ(why_not("<a><!-- -- --></a>"), "-- is not allowed in a comment");
  EXPECT_EQ(why_not("<a>\x01</a>"), "a character that XML does not allow");
  EXPECT_EQ(why_not("<a>\xef\xbf\xbf</a>"), "a character that XML does not allow");
  EXPECT_EQ(why_not(std::string("<a>\0</a>", 8)), "a character that XML does not allow");
  EXPECT_EQ(why_not("<a>\xff</a>"), "invalid UTF-8");
  EXPECT_EQ(why_not("<1a/>"), "a name is expected");
  EXPECT_EQ(why_not("<a><!ENTITY x 'y'></a>"), "a declaration is not allowed here");
  EXPECT_EQ(why_not(" <?xml version='1.0'?><a/>"), "the XML declaration must come first");
  EXPECT_EQ(why_not("<?xml version='1.0' encoding='UTF-16'?><a/>"), "only UTF-8 is read");
  EXPECT_EQ(why_not("<?xml version='2.0'?><a/>"), "only XML 1.0 is read");
  EXPECT_EQ(why_not("<?xml encoding='UTF-8'?><a/>"), "the XML declaration needs a version");
  EXPECT_EQ(why_not("<?xml version='1.0' standalone='maybe'?><a/>"),
            "standalone must be yes or no");
}

TEST(XmlGate, BoundsHoldAtTheirEdge) {
  const auto nested = [](int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += "<a>";
    for (int i = 0; i < n; ++i) text += "</a>";
    return text;
  };
  EXPECT_EQ(why_not(nested(64)), "fine");
  EXPECT_EQ(why_not(nested(65)), "nested too deeply");
  const auto attributes = [](int n) {
    std::string text = "<a";
    for (int i = 0; i < n; ++i) text += " b" + std::to_string(i) + "='1'";
    return text + "/>";
  };
  EXPECT_EQ(why_not(attributes(64)), "fine");
  EXPECT_EQ(why_not(attributes(65)), "an element has more than 64 attributes");
}

// Negative control: the library alone takes these, so the gate is what refuses them.
TEST(XmlGate, TheLibraryAloneWouldTakeThem) {
  for (const char* text : {"<a>&</a>", "<a>&x;</a>", "<a b='1' b='2'/>", "<a>\x01</a>", "<a/><b/>",
                           "<a>\xff</a>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"}) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(text)) << text;
    EXPECT_NE(why_not(text), "fine") << text;
  }
}

// Each sequence of the file is tried inside a document of either syntax.
TEST(Utf8, ValidAndInvalidSequencesAreToldApartInBothSyntaxes) {
  const fs::path path = corpora() + "/utf8/utf8tests.txt";
  if (!fs::exists(path)) GTEST_SKIP() << "corpus absent: " << path;
  std::ifstream in(path);
  std::string line;
  int valid = 0, invalid = 0;
  while (std::getline(in, line)) {
    const auto hex_at = line.find("hex:");
    const bool is_valid = line.find("invalid") == std::string::npos;
    if (line.starts_with('#') || hex_at == std::string::npos) continue;
    std::string bytes, digits;
    for (const char c : line.substr(hex_at + 4)) {
      if (c == ':') break;
      if (c != ' ') digits += c;
    }
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
      bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    if (bytes.empty()) continue;
    (is_valid ? valid : invalid) += 1;
    const Outcome xml{"<diary><note>" + bytes + "</note></diary>", MediaType::xml};
    const Outcome json{"{\"x\":\"" + bytes + "\"}"};
    const bool noncharacter = xml.first_text().find("XML does not allow") != std::string::npos;
    EXPECT_EQ(xml.faults() != "400", is_valid && !noncharacter) << line;
    const bool needs_escape = std::ranges::any_of(
        bytes, [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; });
    if (!needs_escape) EXPECT_EQ(json.faults() != "400", is_valid) << line;
  }
  EXPECT_GT(valid, 10);
  EXPECT_GT(invalid, 50);
}

}  // namespace
}  // namespace vesper
