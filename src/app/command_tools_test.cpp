// The offline commands, run as a person would: words in, text and exit status out.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/command.hpp"

namespace vesper {
namespace {

using nlohmann::json;

struct Ran {
  ExitStatus status;
  std::string out, err;
};

Ran run(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  const std::vector<std::string_view> views{words.begin(), words.end()};
  const ExitStatus status = run_command_line(views, out, err);
  return {status, out.str(), err.str()};
}

class OfflineCommands : public testing::Test {
 protected:
  OfflineCommands() {
    std::string name = (std::filesystem::temp_directory_path() / "vesper-command-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    keys_ = write("keys.json", R"({"keys":[{"kty":"oct","kid":"k","alg":"HS256",)"
                               R"("k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]})");
  }
  ~OfflineCommands() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream{folder_ / name} << text;
    return (folder_ / name).string();
  }
  std::string minted(std::vector<std::string> more = {}) {
    std::vector<std::string> words{
        "token", "mint", "--key", keys_, "--issuer", "https://i.example", "--subject", "S-1"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = run(words);
    EXPECT_EQ(ran.status, ExitStatus::done) << ran.err;
    return ran.out.substr(0, ran.out.find('\n'));
  }

  std::filesystem::path folder_;
  std::string keys_;
};

constexpr const char* questionnaire =
    R"({"resourceType":"Questionnaire","url":"http://q.example/q","version":"1","status":"active",)"
    R"("item":[{"linkId":"a","type":"integer","text":"How many?","required":true}]})";

std::string response(const std::string& item, const std::string& status = "completed") {
  return R"({"resourceType":"QuestionnaireResponse","questionnaire":"http://q.example/q|1",)"
         R"("status":")" +
         status + R"(","item":[)" + item + "]}";
}

TEST_F(OfflineCommands, CheckSaysValidWithAtLeastOneIssue) {
  const Ran ran = run({"check", write("q", questionnaire),
                       write("r", response(R"({"linkId":"a","answer":[{"valueInteger":3}]})"))});
  EXPECT_EQ(ran.status, ExitStatus::done);
  const json outcome = json::parse(ran.out);
  EXPECT_EQ(outcome["resourceType"], "OperationOutcome");
  EXPECT_GE(outcome["issue"].size(), 1u);
  EXPECT_TRUE(ran.err.empty()) << ran.err;
}

TEST_F(OfflineCommands, CheckSaysWhereAResponseIsInvalid) {
  const Ran ran = run({"check", write("q", questionnaire),
                       write("r", response(R"({"linkId":"a","answer":[{"valueString":"x"}]})"))});
  EXPECT_EQ(ran.status, ExitStatus::answer_is_no);
  const json outcome = json::parse(ran.out);
  EXPECT_EQ(outcome["issue"][0]["severity"], "error");
  EXPECT_NE(outcome["issue"][0]["expression"][0].get<std::string>().find("item[0]"),
            std::string::npos);
}

TEST_F(OfflineCommands, CheckOnlyWarnsOfMissingAnswersBelowCompleted) {
  const std::string q = write("q", questionnaire);
  EXPECT_EQ(run({"check", q, write("r", response(""))}).status, ExitStatus::answer_is_no);
  const Ran ran = run({"check", q, write("r", response("", "in-progress"))});
  EXPECT_EQ(ran.status, ExitStatus::done) << ran.out;
  EXPECT_EQ(json::parse(ran.out)["issue"][0]["severity"], "warning");
}

TEST_F(OfflineCommands, CheckWarnsOfAQuestionnaireThatCouldNotBePublished) {
  const auto doubled =
      write("q.json", R"({"resourceType":"Questionnaire","status":"active","item":[)"
                      R"({"linkId":"a","type":"string"},{"linkId":"a","type":"string"}]})");
  const auto response =
      write("r.json", R"({"resourceType":"QuestionnaireResponse","status":"completed"})");
  const Ran ran = run({"check", doubled, response});
  EXPECT_EQ(ran.status, ExitStatus::done) << ran.err;
  const json issue = json::parse(ran.out)["issue"][0];
  EXPECT_EQ(issue["severity"], "warning");
  EXPECT_NE(issue["diagnostics"].get<std::string>().find("que-2"), std::string::npos);
}

TEST_F(OfflineCommands, CheckAnswersNoToWhatIsNoJsonOrNoQuestionnaire) {
  const std::string q = write("q", questionnaire), bad = write("bad", "{");
  EXPECT_EQ(run({"check", q, bad}).status, ExitStatus::answer_is_no);
  EXPECT_EQ(run({"check", bad, q}).status, ExitStatus::answer_is_no);
  EXPECT_EQ(json::parse(run({"check", bad, q}).out)["resourceType"], "OperationOutcome");
}

TEST_F(OfflineCommands, AbsentFileIsUsageAndNamed) {
  const Ran ran = run({"check", "/nonexistent/q", "/nonexistent/r"});
  EXPECT_EQ(ran.status, ExitStatus::usage);
  EXPECT_NE(ran.err.find("/nonexistent/q: No such file"), std::string::npos) << ran.err;
  EXPECT_TRUE(ran.out.empty());
}

TEST_F(OfflineCommands, MintedTokenIsAccepted) {
  const std::string token = minted({"--trial", "A,B", "--scope", "patient site"});
  Ran ran = run({"token", "verify", "--jwks", keys_, "--json", token});
  EXPECT_EQ(ran.status, ExitStatus::done) << ran.out;
  EXPECT_EQ(json::parse(ran.out)["accepted"], true);
  ran = run({"token", "verify", "--jwks", keys_, "--issuer", "https://other.example", token});
  EXPECT_EQ(ran.status, ExitStatus::answer_is_no);
  EXPECT_TRUE(ran.out.starts_with("not accepted: ")) << ran.out;
}

TEST_F(OfflineCommands, TokenIsJudgedAtTheTimeAsked) {
  const std::string token =
      minted({"--at", "2026-11-20T20:00:00Z", "--valid-s", "3600", "--trial", "A"});
  const auto verdict = [&](const char* at) {
    return run({"token", "verify", "--jwks", keys_, "--at", at, token}).status;
  };
  EXPECT_EQ(verdict("2026-11-20T20:30:00Z"), ExitStatus::done);
  EXPECT_EQ(verdict("2026-11-20T21:00:59Z"), ExitStatus::done);  // 60 s of leeway
  EXPECT_EQ(verdict("2026-11-20T21:02:00Z"), ExitStatus::answer_is_no);
  EXPECT_EQ(verdict("2026-11-20T19:58:00Z"), ExitStatus::answer_is_no);
}

TEST_F(OfflineCommands, SignatureOnlyAsksNothingOfClaims) {
  const std::string token = minted({"--at", "2001-01-01T00:00:00Z"});
  EXPECT_EQ(run({"token", "verify", "--jwks", keys_, token}).status, ExitStatus::answer_is_no);
  EXPECT_EQ(run({"token", "verify", "--jwks", keys_, "--signature-only", token}).status,
            ExitStatus::done);
  std::string broken = token;
  broken[broken.rfind('.') + 3] ^= 1;
  EXPECT_EQ(run({"token", "verify", "--jwks", keys_, "--signature-only", broken}).status,
            ExitStatus::answer_is_no);
}

TEST_F(OfflineCommands, MintNeedsAnIssuerAndAKeyThatSigns) {
  EXPECT_EQ(run({"token", "mint", "--key", keys_, "--subject", "S"}).status, ExitStatus::usage);
  EXPECT_EQ(
      run({"token", "mint", "--key", write("no", "{}"), "--issuer", "i", "--subject", "S"}).status,
      ExitStatus::usage);
  EXPECT_EQ(run({"token", "mint", "--key", keys_, "--issuer", "i"}).status, ExitStatus::usage);
}

constexpr const char* trial = R"({"id":"T-1","title":"A trial","status":"active",)"
                              R"("timezone":"Europe/Berlin","destinations":["default"],)"
                              R"("sites":[{"id":"s1","name":"Site"}],"forms":[{"id":"f",)"
                              R"("version":"1","questionnaire":)";

std::string trial_document() {
  return std::string(trial) + questionnaire + "}]}";
}

std::string diary(const std::string& answers, const std::string& form = "f") {
  return R"({"submissionId":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b","trialId":"T-1",)"
         R"("subjectId":"S-1","form":")" +
         form + R"(","formVersion":"1","authored":"2026-11-20T20:14:05+08:00","answers":{)" +
         answers + "}}";
}

TEST_F(OfflineCommands, ConvertPrintsTheBundleAloneAndTheSameEachTime) {
  const std::vector<std::string> words{
      "convert", "--trial",          write("t", trial_document()),
      "--type",  "application/json", write("d", diary(R"("a":3)"))};
  const Ran ran = run(words);
  ASSERT_EQ(ran.status, ExitStatus::done) << ran.out << ran.err;
  const json bundle = json::parse(ran.out);
  EXPECT_EQ(bundle["resourceType"], "Bundle");
  EXPECT_EQ(bundle["type"], "transaction");
  EXPECT_EQ(bundle["entry"][0]["resource"]["resourceType"], "QuestionnaireResponse");
  EXPECT_EQ(run(words).out, ran.out);
  EXPECT_TRUE(ran.err.empty());
}

TEST_F(OfflineCommands, ConvertTakesTheTimeOfReceiptAndTheSubmissionId) {
  std::string without_id = diary(R"("a":3)");
  without_id.erase(1, without_id.find("\"trialId\"") - 1);
  const std::vector<std::string> words{"convert", "--trial",          write("t", trial_document()),
                                       "--type",  "application/json", write("d", without_id)};
  const Ran missing = run(words);
  EXPECT_EQ(missing.status, ExitStatus::answer_is_no);
  EXPECT_EQ(json::parse(missing.out)["resourceType"], "OperationOutcome");
  std::vector<std::string> more = words;
  more.insert(more.end(), {"--submission-id", "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b",
                           "--received-at", "2026-11-20T12:15:00.250Z"});
  const Ran ran = run(more);
  ASSERT_EQ(ran.status, ExitStatus::done) << ran.out;
  EXPECT_NE(ran.out.find("2026-11-20T12:15:00.250Z"), std::string::npos);
}

TEST_F(OfflineCommands, ConvertRefusesWhatIntakeWouldNotDeliver) {
  const std::string t = write("t", trial_document());
  const auto convert = [&](const std::string& source) {
    const Ran ran =
        run({"convert", "--trial", t, "--type", "application/json", write("d", source)});
    EXPECT_EQ(json::parse(ran.out)["resourceType"], "OperationOutcome") << ran.out;
    return ran.status;
  };
  EXPECT_EQ(convert("{"), ExitStatus::answer_is_no);
  EXPECT_EQ(convert(diary(R"("a":"x")")), ExitStatus::answer_is_no);
  EXPECT_EQ(convert(diary(R"("b":3)")), ExitStatus::answer_is_no);
  EXPECT_EQ(convert(diary(R"("a":3)", "unknown")), ExitStatus::answer_is_no);
  std::string other = diary(R"("a":3)");
  other.replace(other.find("T-1"), 3, "T-2");
  EXPECT_EQ(convert(other), ExitStatus::answer_is_no);
}

TEST_F(OfflineCommands, ConvertNamesTheMediaTypesItTakes) {
  const Ran ran = run({"convert", "--trial", write("t", trial_document()), "--type", "text/plain",
                       write("d", diary(R"("a":3)"))});
  EXPECT_EQ(ran.status, ExitStatus::usage);
  EXPECT_NE(ran.err.find("--type = \"text/plain\""), std::string::npos) << ran.err;
}

TEST_F(OfflineCommands, LintTellsGoodFromBad) {
  const Ran good = run({"trial", "lint", write("t", trial_document())});
  EXPECT_EQ(good.status, ExitStatus::done) << good.out;
  EXPECT_TRUE(good.out.ends_with("in order\n")) << good.out;
  std::string bad = trial_document();
  bad.replace(bad.find("\"version\":\"1\""), 13, "\"version\":\"2\"");
  const Ran refused = run({"trial", "lint", "--json", write("t", bad)});
  EXPECT_EQ(refused.status, ExitStatus::answer_is_no);
  EXPECT_EQ(json::parse(refused.out)["resourceType"], "OperationOutcome");
}

TEST_F(OfflineCommands, PublishSaysWhenNobodyAnswers) {
  // Port 1 of loopback: nothing listens there, and nothing is sent anywhere else.
  const Ran ran = run({"trial", "publish", write("t", trial_document()), "--server",
                       "http://127.0.0.1:1", "--reason", "a test"});
  EXPECT_EQ(ran.status, ExitStatus::usage);
  EXPECT_NE(ran.err.find("http://127.0.0.1:1: nobody answers there"), std::string::npos) << ran.err;
}

TEST_F(OfflineCommands, OutboxCommandsSayWhenNobodyAnswers) {
  const std::vector<std::vector<std::string>> commands{
      {"outbox", "list"},
      {"outbox", "show", "default"},
      {"outbox", "redrive", "default", "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b"},
      {"outbox", "skip", "default", "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b", "--reason", "test"},
      {"outbox", "pause", "default"},
      {"outbox", "resume", "default"}};
  for (auto words : commands) {
    words.insert(words.end(), {"--server", "http://127.0.0.1:1"});
    const Ran ran = run(words);
    EXPECT_NE(ran.status, ExitStatus::done) << words[1];
    EXPECT_FALSE(ran.err.empty());
    EXPECT_TRUE(ran.out.empty()) << ran.out;
  }
  EXPECT_EQ(run({"outbox", "skip", "default", "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b", "--server",
                 "http://127.0.0.1:1"})
                .status,
            ExitStatus::usage);
}

TEST_F(OfflineCommands, GroupsTellTheirCommands) {
  EXPECT_EQ(run({"token", "--help"}).status, ExitStatus::done);
  const Ran ran = run({"token"});
  EXPECT_EQ(ran.status, ExitStatus::usage);
  EXPECT_NE(ran.err.find("token verify"), std::string::npos);
  EXPECT_NE(run({"token", "verfy"}).err.find("did you mean `vesper token verify`?"),
            std::string::npos);
}

}  // namespace
}  // namespace vesper
