#include "app/commands.hpp"
#include "app/drill_options.hpp"
#include "app/proof_options.hpp"
#include "app/surge_options.hpp"

namespace vesper {
namespace {

using enum OptionKind;

// How the commands with --server reach it.
#define VESPER_SERVER_OPTIONS                                              \
  {.name = "server",                                                       \
   .kind = url,                                                            \
   .argument = "URL",                                                      \
   .required = true,                                                       \
   .meaning = "Admin address of the running server"},                      \
      {.name = "token-file",                                               \
       .kind = file,                                                       \
       .argument = "FILE",                                                 \
       .meaning = "Bearer token to show; - is standard input"},            \
      {.name = "ca-file",                                                  \
       .kind = file,                                                       \
       .argument = "FILE",                                                 \
       .meaning = "Certificates to trust, PEM; without it, the system's"}, \
      {.name = "timeout-s",                                                \
       .kind = number,                                                     \
       .argument = "N",                                                    \
       .standard = "10",                                                   \
       .unit = "s",                                                        \
       .least = 1,                                                         \
       .most = 600,                                                        \
       .meaning = "For the answer"}

constexpr CommandOption serve_options[] = {
    {.name = "config",
     .kind = file,
     .argument = "FILE",
     .meaning = "Configuration, TOML. Without it: defaults and VESPER__ variables"},
    {.name = "demo", .meaning = "Demonstration trial and development keys, on loopback only"},
    {.name = "check-config", .meaning = "Check the configuration and stop"},
};

constexpr CommandArgument check_arguments[] = {
    {.name = "QUESTIONNAIRE", .meaning = "FHIR R4 Questionnaire, JSON; - is standard input"},
    {.name = "RESPONSE", .meaning = "FHIR R4 QuestionnaireResponse, JSON"},
};

constexpr CommandArgument convert_arguments[] = {
    {.name = "FILE", .meaning = "One diary; - is standard input"},
};
constexpr CommandOption convert_options[] = {
    {.name = "trial",
     .kind = file,
     .argument = "TRIAL",
     .required = true,
     .meaning = "The trial document"},
    {.name = "type",
     .kind = text,
     .argument = "MEDIA-TYPE",
     .required = true,
     .meaning = "application/json, application/xml, application/odm+xml or application/fhir+json"},
    {.name = "submission-id",
     .kind = uuid,
     .argument = "UUID",
     .meaning = "As Idempotency-Key: where the document has none"},
    {.name = "received-at",
     .kind = time,
     .argument = "TIME",
     .meaning = "When the server took it; without it, the diary's authored time"},
};

constexpr CommandArgument trial_arguments[] = {
    {.name = "FILE", .meaning = "The trial document, JSON; - is standard input"},
};
constexpr CommandOption lint_options[] = {
    {.name = "json", .meaning = "An OperationOutcome"},
};
constexpr CommandOption publish_options[] = {
    VESPER_SERVER_OPTIONS,
    {.name = "reason", .kind = text, .argument = "TEXT", .meaning = "Kept in the audit trail"},
    {.name = "json", .meaning = "The server's answer"},
};

constexpr CommandOption mint_options[] = {
    {.name = "key",
     .kind = file,
     .argument = "FILE",
     .required = true,
     .meaning = "The key to sign with: a JWK, a JWK set or a PEM private key"},
    {.name = "kid",
     .kind = text,
     .argument = "TEXT",
     .meaning = "The key of a set, or the kid to state for a PEM key"},
    {.name = "issuer",
     .kind = text,
     .argument = "TEXT",
     .meaning = "Claim iss; needed but with --demo"},
    {.name = "demo", .meaning = "The issuer of `vesper serve --demo`"},
    {.name = "audience",
     .kind = text,
     .argument = "TEXT",
     .standard = "vesper",
     .meaning = "Claim aud"},
    {.name = "subject",
     .kind = text,
     .argument = "TEXT",
     .required = true,
     .meaning = "Claim sub: a patient's subjectId, or the name of a person or program"},
    {.name = "trial",
     .kind = text,
     .argument = "ID,...",
     .meaning = "Claim trial: one id, or several separated by commas"},
    {.name = "scope",
     .kind = text,
     .argument = "TEXT",
     .standard = "patient",
     .meaning = "Claim scope: of patient, site, service, trial-admin, ops, separated by blanks"},
    {.name = "site", .kind = text, .argument = "ID", .meaning = "Claim site"},
    {.name = "token-id", .kind = text, .argument = "TEXT", .meaning = "Claim jti"},
    {.name = "valid-s",
     .kind = number,
     .argument = "N",
     .standard = "3600",
     .unit = "s",
     .least = 1,
     .most = 31'536'000,
     .meaning = "Claim exp, from iat"},
    {.name = "at", .kind = time, .argument = "TIME", .meaning = "Claim iat instead of now"},
    {.name = "not-before", .kind = time, .argument = "TIME", .meaning = "Claim nbf"},
    {.name = "claims",
     .kind = text,
     .argument = "JSON",
     .meaning = "An object whose members are added, and win over the others"},
    {.name = "json", .meaning = "An object with the token, its algorithm and its end"},
};

constexpr CommandArgument verify_arguments[] = {
    {.name = "TOKEN", .meaning = "The token; - is standard input"},
};
constexpr CommandOption verify_options[] = {
    {.name = "jwks",
     .kind = file,
     .argument = "FILE",
     .required = true,
     .meaning = "JWK set, or one JWK, to verify with"},
    {.name = "signature-only",
     .meaning = "Check structure, algorithm, key and signature of any JWS, not claims"},
    {.name = "issuer",
     .kind = text,
     .argument = "TEXT",
     .meaning = "What iss must be; without it, whatever the token says"},
    {.name = "audience",
     .kind = text,
     .argument = "TEXT",
     .meaning = "What aud must be or contain; without it, whatever the token says"},
    {.name = "subject-claim",
     .kind = text,
     .argument = "NAME",
     .standard = "sub",
     .meaning = "The claim that is a patient's subjectId"},
    {.name = "algorithms",
     .kind = text,
     .argument = "KID=ALG,...",
     .meaning = "Algorithms of keys that state none"},
    {.name = "at", .kind = time, .argument = "TIME", .meaning = "Judge as of then instead of now"},
    {.name = "json", .meaning = "The report as one JSON object"},
};

constexpr CommandArgument destination_argument[] = {
    {.name = "DESTINATION", .meaning = "Name of a destination, as `outbox list` prints it"},
};
constexpr CommandArgument delivery_arguments[] = {
    {.name = "DESTINATION", .meaning = "Name of a destination, as `outbox list` prints it"},
    {.name = "DELIVERY-ID", .meaning = "Which delivery, as `outbox show` prints it"},
};
constexpr CommandOption outbox_read_options[] = {
    VESPER_SERVER_OPTIONS,
    {.name = "json", .meaning = "The server's answer as JSON"},
};
constexpr CommandOption outbox_change_options[] = {
    VESPER_SERVER_OPTIONS,
    {.name = "reason", .kind = text, .argument = "TEXT", .meaning = "Kept in the audit trail"},
    {.name = "json", .meaning = "The server's answer as JSON"},
};
constexpr CommandOption outbox_skip_options[] = {
    VESPER_SERVER_OPTIONS,
    {.name = "reason",
     .kind = text,
     .argument = "TEXT",
     .required = true,
     .meaning = "Why the diary is given up; kept in the audit trail"},
    {.name = "json", .meaning = "The server's answer as JSON"},
};

constexpr CommandArgument limits_arguments[] = {
    {.name = "LIMITS", .meaning = "A JSON object, or a file that holds it; - is standard input"},
};
constexpr CommandOption limits_show_options[] = {
    VESPER_SERVER_OPTIONS,
    {.name = "json", .meaning = "The server's answer; it is JSON in any case"},
};
constexpr CommandOption limits_change_options[] = {
    VESPER_SERVER_OPTIONS,
    {.name = "reason", .kind = text, .argument = "TEXT", .meaning = "Kept in the audit trail"},
    {.name = "json", .meaning = "The server's answer; it is JSON in any case"},
};

constexpr CommandArgument reference_arguments[] = {
    {.name = "FOLDER", .meaning = "The folder that is docs/reference"},
};

constexpr Command table[] = {
    {.name = "serve",
     .summary = "Serve intake and admin ports, keep and deliver diaries",
     .detail = "Any key of the configuration can be set by an environment variable with two "
               "underscores between levels: VESPER__INTAKE__LISTEN=127.0.0.1:0.",
     .arguments = {},
     .options = serve_options,
     .run = command_serve},
    {.name = "check",
     .summary = "Hold a response against its Questionnaire, offline",
     .detail =
         "Prints an OperationOutcome, with at least one issue also when all is well. The exit "
         "status is 0 when the response is valid, else 1. Below the status `completed` "
         "cardinality only warns; type, range and options still fail. A value set that "
         "cannot be resolved fails.",
     .arguments = check_arguments,
     .options = {},
     .run = command_check},
    {.name = "convert",
     .summary = "Tell what intake would make of one diary, offline",
     .detail = "Prints the FHIR bundle alone, or the OperationOutcome with exit status 1. Equal "
               "inputs give equal bytes.",
     .arguments = convert_arguments,
     .options = convert_options,
     .run = command_convert},
    {.name = "trial lint",
     .summary = "Check a trial document",
     .detail = "The exit status is 0 when it could be published, else 1. Names of destinations "
               "are not checked: only a server knows its own.",
     .arguments = trial_arguments,
     .options = lint_options,
     .run = command_trial_lint},
    {.name = "trial publish",
     .summary = "Publish a trial document on a running server",
     .detail = "A trial that the server does not have is created, one that it has is changed, "
               "unless somebody else changes it at the same time. The token needs the scope "
               "trial-admin for the trial.",
     .arguments = trial_arguments,
     .options = publish_options,
     .run = command_trial_publish},
    {.name = "outbox list",
     .summary = "Tell what is owed to whom",
     .detail = "",
     .arguments = {},
     .options = outbox_read_options,
     .run = command_outbox},
    {.name = "outbox show",
     .summary = "Tell what is parked for a destination, and why",
     .detail = "",
     .arguments = destination_argument,
     .options = outbox_read_options,
     .run = command_outbox},
    {.name = "outbox redrive",
     .summary = "Owe a parked delivery again",
     .detail = "",
     .arguments = delivery_arguments,
     .options = outbox_change_options,
     .run = command_outbox},
    {.name = "outbox skip",
     .summary = "Give up a parked delivery",
     .detail = "The diary stays in the journal; the patient's later ones go on.",
     .arguments = delivery_arguments,
     .options = outbox_skip_options,
     .run = command_outbox},
    {.name = "outbox pause",
     .summary = "Deliver nothing more to a destination",
     .detail = "It stays paused over a restart.",
     .arguments = destination_argument,
     .options = outbox_change_options,
     .run = command_outbox},
    {.name = "outbox resume",
     .summary = "Deliver to a destination again",
     .detail = "",
     .arguments = destination_argument,
     .options = outbox_change_options,
     .run = command_outbox},
    {.name = "surge",
     .summary = "Play an evening: an open-loop load generator",
     .detail = "Diaries become due along a curve whatever the server does, and each latency counts "
               "from the moment its diary was due. One line a second tells how it goes. The report "
               "says when the generator itself was late or had no CPU left, and then proves "
               "nothing. Only loopback is loaded unless --allow-remote is given.",
     .arguments = {},
     .options = surge_options,
     .run = command_surge},
    {.name = "drill friday-night",
     .summary = "Replay the incident: the peak while the platform slows",
     .detail =
         "Baseline, then five times as much while the data platform slows from 20 ms to 10 s, then "
         "baseline with the platform healed: first to the incident's service (vesper_naive, where "
         "it is at hand), then to Vesper, under the same limits of descriptors and memory. The "
         "exit status is 1 when Vesper lost, doubled or misordered a diary.",
     .arguments = {},
     .options = friday_night_options,
     .run = command_drill_friday_night},
    {.name = "drill list",
     .summary = "Name the drills: faults, each with its promises",
     .detail = "",
     .arguments = {},
     .options = drill_list_options,
     .run = command_drill_list},
    {.name = "drill run",
     .summary = "Play a fault to a server and hold it to its promises",
     .detail =
         "Starts this program's `serve` as a child in a temporary folder, with a fake data "
         "platform "
         "and patients who send diaries all the while, makes the fault, heals it, and checks: "
         "nothing acknowledged is lost, nothing takes effect twice or out of a patient's order, "
         "refusals come early, all is as before when it is over, and nothing is left behind. The "
         "exit status is 1 when a promise was broken, or the run is worse than the last one kept "
         "in the results folder. A drill that cannot run here says why and is skipped.",
     .arguments = drill_run_arguments,
     .options = drill_run_options,
     .run = command_drill_run},
    {.name = "limits show",
     .summary = "Tell the limits in force, and who set them",
     .detail = "",
     .arguments = {},
     .options = limits_show_options,
     .run = command_limits},
    {.name = "limits set",
     .summary = "Put other limits in force without a restart",
     .detail = "LIMITS names what changes, as `limits show` prints it under `limits`; what is not "
               "named stays, null takes a limit away. They stay over a restart until `limits "
               "reset`. With \"dryRun\": true what they would refuse is counted, not refused.",
     .arguments = limits_arguments,
     .options = limits_change_options,
     .run = command_limits},
    {.name = "limits reset",
     .summary = "Go back to the limits of the configuration",
     .detail = "",
     .arguments = {},
     .options = limits_change_options,
     .run = command_limits},
    {.name = "token mint",
     .summary = "Make a development token",
     .detail = "The token is printed alone on a line. The server itself never signs tokens.",
     .arguments = {},
     .options = mint_options,
     .run = command_token_mint},
    {.name = "token verify",
     .summary = "Tell why a token is or is not accepted",
     .detail = "The exit status is 0 when it is accepted, else 1.",
     .arguments = verify_arguments,
     .options = verify_options,
     .run = command_token_verify},
    {.name = "receipt-key new",
     .summary = "Make a key that signs receipts",
     .detail = "The file is its owner's alone. The server makes its first key itself; a new one "
               "takes over at the next start with receipts.key naming it, and the old one's public "
               "half stays in the key set.",
     .arguments = receipt_key_arguments,
     .options = receipt_key_options,
     .run = command_receipt_key_new},
    {.name = "verify",
     .summary = "Prove a receipt or a journal, offline",
     .detail = "With --receipt: that the diary was taken, when, with which bytes, signed by one of "
               "the keys. With --journal: every row of the chain and what follows from it; with "
               "--anchor, that it was not rewritten, cut or replaced by an older copy. The journal "
               "is one that no server has open, or a copy. The exit status is 0 when it verifies, "
               "1 when it does not, 3 when the journal cannot be read.",
     .arguments = {},
     .options = proof_options,
     .run = command_verify},
    {.name = "reference",
     .summary = "Write the generated reference pages",
     .detail = "",
     .arguments = reference_arguments,
     .options = {},
     .listed = false,
     .run = command_reference},
};

}  // namespace

std::span<const Command> commands() {
  return table;
}

}  // namespace vesper
