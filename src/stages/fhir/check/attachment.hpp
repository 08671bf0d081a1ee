#pragma once
#include "stages/fhir/check/quantity.hpp"

namespace vesper {

/// Checks an attachment: it has data or a url, its data is base64 and as long as stated, its type
/// and size are permitted.
///   Source: FHIR R4 Attachment (att-1), the mimeType and maxSize extensions.
void check_attachment(const FormItem& item, const Value& value, const FaultTeller& tell);

}  // namespace vesper
