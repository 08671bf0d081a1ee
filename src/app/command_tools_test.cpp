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
