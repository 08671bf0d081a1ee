#include <gtest/gtest.h>

#include <string>

#include "stages/decode/decode_fixture.hpp"

namespace vesper {
namespace {

std::string stamp(const std::string& time) {
  return "<AuditRecord><UserRef UserOID='u'/><DateTimeStamp>" + time +
         "</DateTimeStamp></AuditRecord>";
}

struct Odm {
  std::string form_children = stamp("2026-11-20T20:14:05+08:00") +
                              "<ItemGroupData ItemGroupOID='G'>"
                              "<ItemData ItemOID='pain-nrs' Value='4'/></ItemGroupData>";
  std::string form_oid = "evening-diary|3", subject_children, after_form, after_subject;
  std::string root = "ODM xmlns='http://www.cdisc.org/ns/odm/v1.3' ODMVersion='1.3.2'";

  [[nodiscard]] Outcome read() const {
    return Outcome{"<?xml version='1.0'?>\n<" + root +
                       "><ClinicalData StudyOID='EVENING-01' MetaDataVersionOID='1'>"
                       "<SubjectData SubjectKey='S-000123'>" +
                       subject_children +
                       "<StudyEventData StudyEventOID='E' StudyEventRepeatKey='2'>"
                       "<FormData FormOID='" +
                       form_oid + "'>" + form_children + "</FormData>" + after_form +
                       "</StudyEventData></SubjectData>" + after_subject + "</ClinicalData></ODM>",
                   MediaType::odm};
  }
};

TEST(OdmDiary, EveryMemberArrives) {
  const auto outcome = Odm{}.read();
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  EXPECT_EQ(outcome.diary->trial_id.reveal(), "EVENING-01");
  EXPECT_EQ(outcome.diary->subject_id.reveal(), "S-000123");
  EXPECT_EQ(outcome.diary->form_id, "evening-diary");
  EXPECT_EQ(outcome.diary->form_version, "3");
  EXPECT_EQ(to_string(outcome.diary->authored.utc), "2026-11-20T12:14:05.000Z");
  EXPECT_FALSE(outcome.diary->submission_id.has_value());
  EXPECT_EQ(outcome.text("pain-nrs"), "4");
}

TEST(OdmDiary, AnyPrefixOfTheNamespaceWillDo) {
  const std::string text =
      "<o:ODM xmlns:o='http://www.cdisc.org/ns/odm/v1.3' xmlns:v='urn:vendor'>"
      "<o:ClinicalData StudyOID='T'><v:FormData/><o:SubjectData SubjectKey='S'>"
      "<o:StudyEventData StudyEventOID='E'><o:FormData FormOID='f|1'>"
      "<o:AuditRecord><o:DateTimeStamp>2026-11-20T20:14:05Z</o:DateTimeStamp></o:AuditRecord>"
      "<o:ItemGroupData ItemGroupOID='G'><v:ItemData ItemOID='x' Value='no'/>"
      "<o:ItemDataInteger ItemOID='a'>5</o:ItemDataInteger></o:ItemGroupData>"
      "</o:FormData></o:StudyEventData></o:SubjectData></o:ClinicalData></o:ODM>";
  const Outcome outcome{text, MediaType::odm};
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  EXPECT_EQ(outcome.text("a"), "5");
  EXPECT_EQ(outcome.diary->raw.size(), 1u);
  Odm other;
  other.root = "ODM xmlns='http://www.cdisc.org/ns/odm/v2.0'";
  EXPECT_NE(other.read().first_text().find("odm/v1.3"), std::string::npos);
}

TEST(OdmDiary, RepeatedGroupsBecomeRowsAndOthersAreFlat) {
  Odm odm;
  odm.form_children = stamp("2026-11-20T20:14:05Z") +
                      "<ItemGroupData ItemGroupOID='meals' ItemGroupRepeatKey='1'>"
                      "<ItemData ItemOID='kcal' Value='300'/></ItemGroupData>"
                      "<ItemGroupData ItemGroupOID='flat'><ItemData ItemOID='a' Value='1'/>"
                      "<ItemData ItemOID='gone' IsNull='Yes'/></ItemGroupData>"
                      "<ItemGroupData ItemGroupOID='meals' ItemGroupRepeatKey='2'>"
                      "<ItemData ItemOID='kcal' Value='200'/></ItemGroupData>";
  const auto outcome = odm.read();
  ASSERT_TRUE(outcome.diary.has_value()) << outcome.first_text();
  ASSERT_EQ(outcome.answer("meals").rows.size(), 2u);
  EXPECT_EQ(outcome.answer("meals").rows[1][0].values[0].text.reveal(), "200");
  EXPECT_EQ(outcome.text("a"), "1");
  EXPECT_EQ(outcome.text("gone"), "-");
}

TEST(OdmDiary, SeveralDiariesInOneDocumentAreRefused) {
  Odm odm;
  odm.after_form = "<FormData FormOID='f|1'/>";
  EXPECT_EQ(odm.read().faults(), "FormData");
  odm = Odm{};
  odm.after_subject = "<SubjectData SubjectKey='other'/>";
  EXPECT_EQ(odm.read().faults(), "SubjectData");
  odm = Odm{};
  odm.subject_children = "<StudyEventData StudyEventOID='E'/>";
  EXPECT_EQ(odm.read().faults(), "StudyEventData");
}

TEST(OdmDiary, TheFormsOwnStampComesFirst) {
  const auto authored = [](const std::string& form, const std::string& item,
                           const std::string& subject) {
    Odm odm;
    odm.subject_children = subject;
    odm.form_children = form + "<ItemGroupData ItemGroupOID='G'><ItemData ItemOID='a' Value='1'>" +
                        item +
                        "</ItemData><ItemData ItemOID='b' Value='1'>"
                        "<AuditRecord/></ItemData></ItemGroupData>";
    const auto outcome = odm.read();
    return outcome.diary ? to_string(outcome.diary->authored.utc).substr(11, 5) : outcome.faults();
  };
  const auto one = stamp("2026-11-20T01:00:00Z"), two = stamp("2026-11-20T02:00:00Z"),
             three = stamp("2026-11-20T03:00:00Z");
  EXPECT_EQ(authored(one, two, three), "01:00");
  EXPECT_EQ(authored("", two, three), "02:00");
  EXPECT_EQ(authored("", "", three), "03:00");
  EXPECT_EQ(authored("", "", ""), "AuditRecord.DateTimeStamp");
  EXPECT_EQ(authored("", stamp("today"), ""), "AuditRecord.DateTimeStamp");
  EXPECT_EQ(authored(stamp("2026-11-20T01:00:00"), "", ""), "AuditRecord.DateTimeStamp");
}

TEST(OdmDiary, AnswersOutsideAnItemGroupAreNeverPassedOverInSilence) {
  Odm odm;
  odm.form_children += "<ItemData ItemOID='fatigue' Value='mild'/>";
  EXPECT_EQ(odm.read().faults(), "FormData.ItemData");
  odm = Odm{};
  odm.form_children += "<ItemGroupData ItemGroupOID='G'><Item ItemOID='a'/></ItemGroupData>";
  EXPECT_EQ(odm.read().faults(), "FormData.Item");
  odm = Odm{};
  odm.form_children += "<Annotation SeqNum='1'/><v:Item xmlns:v='urn:vendor'/>";
  EXPECT_EQ(odm.read().faults(), "none");
}

TEST(OdmDiary, NoNamespaceIsReadAnotherIsRefused) {
  Odm odm;
  odm.root = "ODM ODMVersion='1.3.2'";
  EXPECT_EQ(odm.read().faults(), "none");
  odm.root = "ODM xmlns='http://www.cdisc.org/ns/odm/v2.0'";
  EXPECT_NE(odm.read().faults(), "none");
}

TEST(OdmDiary, FaultsNameLineAndPath) {
  Odm odm;
  odm.form_oid = "evening-diary";
  EXPECT_EQ(odm.read().faults(), "FormData.FormOID");
  odm = Odm{};
  odm.form_children += "<ItemGroupData ItemGroupRepeatKey='1'/>";
  EXPECT_EQ(odm.read().first_text(), "Line 2: ItemGroupOID is missing.");
  odm = Odm{};
  odm.form_children += "<ItemGroupData ItemGroupOID='G' TransactionType='Remove'/>";
  EXPECT_EQ(odm.read().faults(), "ItemGroupData");
  odm = Odm{};
  odm.form_children += "<ItemGroupData ItemGroupOID='G'><ItemData Value='1'/></ItemGroupData>";
  EXPECT_EQ(odm.read().faults(), "FormData");
}

}  // namespace
}  // namespace vesper
