#pragma once
#include "app/command.hpp"

namespace vesper {

// What `vesper verify` and `vesper receipt-key new` take.
inline constexpr CommandArgument receipt_key_arguments[] = {
    {.name = "FILE", .meaning = "Where it is kept; must not exist"},
};
inline constexpr CommandOption receipt_key_options[] = {
    {.name = "algorithm",
     .kind = OptionKind::choice,
     .argument = "NAME",
     .standard = "EdDSA",
     .choices = "EdDSA ES256",
     .meaning = "Ed25519, or ECDSA with P-256"},
};
inline constexpr CommandOption proof_options[] = {
    {.name = "receipt",
     .kind = OptionKind::file,
     .argument = "FILE",
     .meaning = "A receipt, or the answer of a read that has one in it; - is standard input"},
    {.name = "keys",
     .kind = OptionKind::file,
     .argument = "FILE",
     .meaning = "JWK set of the keys to trust, as the server publishes it"},
    {.name = "source",
     .kind = OptionKind::file,
     .argument = "FILE",
     .meaning = "The diary's bytes as they were sent"},
    {.name = "journal",
     .kind = OptionKind::file,
     .argument = "FILE",
     .meaning = "The journal's database file"},
    {.name = "anchor",
     .kind = OptionKind::file,
     .argument = "FILE",
     .meaning = "Anchors, one a line, kept where the journal's holder cannot change them"},
    {.name = "all-signatures",
     .meaning = "Check each group's signature, not the last of each key, which vouches for all"},
    {.name = "json", .meaning = "One JSON object"},
};

}  // namespace vesper
