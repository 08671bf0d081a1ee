#include "flows/submission.hpp"

#include <gtest/gtest.h>

namespace vesper {
namespace {

constexpr std::string_view id_text = "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b";

RequestHead with(std::span<const Header> headers) {
  RequestHead head;
  head.headers = headers;
  return head;
}

TEST(Submission, MediaTypesAreTheFourOfTheContract) {
  const auto media = [](std::string_view value) {
    const Header headers[] = {{"Content-Type", value}};
    return media_type_of(with(headers));
  };
  EXPECT_EQ(media("application/json"), MediaType::json);
  EXPECT_EQ(media("Application/JSON; charset=UTF-8"), MediaType::json);
  EXPECT_EQ(media("application/fhir+json; fhirVersion=4.0; charset=\"utf-8\""), MediaType::fhir);
  EXPECT_EQ(media("application/xml"), MediaType::xml);
  EXPECT_EQ(media("application/odm+xml"), MediaType::odm);
  for (auto bad : {"text/plain", "application/json; charset=latin1", "", "application/jsonx",
                   "application/fhir+xml"}) {
    ASSERT_FALSE(media(bad)) << bad;
    EXPECT_EQ(media(bad).error().status, 415) << bad;
  }
}

TEST(Submission, EncodedBodiesAndMissingTypesAre415) {
  const Header gzip[] = {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}};
  EXPECT_EQ(media_type_of(with(gzip)).error().status, 415);
  const Header identity[] = {{"Content-Type", "application/json"},
                             {"Content-Encoding", "identity"}};
  EXPECT_TRUE(media_type_of(with(identity)));
  EXPECT_EQ(media_type_of(RequestHead{}).error().status, 415);
}

TEST(Submission, IdempotencyKeyIsBareOrQuoted) {
  const auto key = [](std::string_view value) {
    const Header headers[] = {{"Idempotency-Key", value}};
    return idempotency_key_of(with(headers));
  };
  EXPECT_EQ(**key(id_text), *parse_uuid(id_text));
  EXPECT_EQ(**key("\"" + std::string{id_text} + "\""), *parse_uuid(id_text));
  for (auto bad : {"", "\"\"", "x", "\"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b"})
    EXPECT_EQ(key(bad).error().status, 400) << bad;
  const Header twice[] = {{"Idempotency-Key", id_text}, {"idempotency-key", id_text}};
  EXPECT_EQ(idempotency_key_of(with(twice)).error().status, 400);
  EXPECT_EQ(*idempotency_key_of(RequestHead{}), std::nullopt);
}

TEST(Submission, IdsOfHeaderAndBodyMustAgree) {
  const auto one = *parse_uuid(id_text), other = uuid_v5(one, "other");
  Diary diary;
  EXPECT_EQ(submission_id_of({}, diary).error().status, 400);
  diary.submission_id = one;
  EXPECT_EQ(*submission_id_of({}, diary), one);
  EXPECT_EQ(*submission_id_of({MediaType::json, one, {}}, diary), one);
  EXPECT_EQ(submission_id_of({MediaType::json, other, {}}, diary).error().status, 400);
  EXPECT_EQ(*submission_id_of({MediaType::json, other, {}}, Diary{}), other);
}

TEST(Submission, WithoutAGoodIdEveryFaultIs400) {
  using enum DecodeFault::StatedId;
  const SubmissionHead with_key{MediaType::json, *parse_uuid(id_text), {}};
  const auto status = [](bool parseable, DecodeFault::StatedId id, const SubmissionHead& head) {
    const DecodeFault fault{parseable, {{.diagnostics = "x", .expression = {}}}, id};
    return refusal_of(fault, head).status;
  };
  EXPECT_EQ(status(false, absent, with_key), 400);
  EXPECT_EQ(status(true, absent, {}), 400);
  EXPECT_EQ(status(true, absent, with_key), 422);
  EXPECT_EQ(status(true, given, {}), 422);
  EXPECT_EQ(status(true, malformed, {}), 400);
  EXPECT_EQ(status(true, malformed, with_key), 400);
  const DecodeFault fault{true, {{.diagnostics = "x", .expression = {}}}, absent};
  EXPECT_EQ(refusal_of(fault, {}).issues.front().expression, "submissionId");
  EXPECT_EQ(refusal_of(fault, with_key).issues.size(), 1u);
}

TEST(Submission, FhirTrialIsTheTokensOrTheParameters) {
  Caller caller;
  caller.trials = {"A"};
  EXPECT_EQ(*trial_of({}, Diary{}, caller), "A");
  caller.trials = {"A", "B"};
  EXPECT_EQ(trial_of({}, Diary{}, caller).error().status, 400);
  EXPECT_EQ(*trial_of({MediaType::fhir, {}, "B"}, Diary{}, caller), "B");
  Diary raw;
  raw.trial_id = PatientText{"C"};
  EXPECT_EQ(*trial_of({}, raw, caller), "C");
}

TEST(Submission, AcceptExcludesOnlyWhatItSays) {
  const auto accepts = [](std::string_view value) {
    const Header headers[] = {{"Accept", value}};
    return accepts_json(with(headers));
  };
  EXPECT_TRUE(accepts_json(RequestHead{}));
  for (auto good :
       {"*/*", "application/*", "text/html, application/json;q=0.5", "application/fhir+json"})
    EXPECT_TRUE(accepts(good)) << good;
  for (auto bad : {"text/html", "application/json;q=0", "image/*", "application/fhir+xml"})
    EXPECT_FALSE(accepts(bad)) << bad;
}

}  // namespace
}  // namespace vesper
