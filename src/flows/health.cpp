#include "flows/health.hpp"

#include "base/encoding.hpp"
#include "flows/replies.hpp"

namespace vesper {

std::vector<Health::Reason> Health::reasons() const {
  std::vector<Reason> found;
  if (draining()) found.push_back({"draining", "this node was asked to leave the load balancer"});
  if (stopping()) found.push_back({"stopping", "this node is stopping"});
  for (const auto& cause : causes_)
    if (auto text = cause.ask()) found.push_back({cause.name, std::move(*text)});
  return found;
}

void Health::write_ready(Reply& reply) const {
  const auto found = reasons();
  reply.status = found.empty() ? 200 : 503;
  reply.content_type = json_type;
  reply.body =
      found.empty() ? R"({"status":"ready","reasons":[)" : R"({"status":"not ready","reasons":[)";
  for (const auto& reason : found) {
    if (&reason != &found.front()) reply.body += ',';
    reply.body.append(R"({"cause":")").append(reason.cause).append(R"(","text":")");
    append_json_escaped(reply.body, reason.text);
    reply.body += "\"}";
  }
  reply.body += "]}";
  if (!found.empty()) reply.add_header("Retry-After", "2");
}

void Health::write_alive(Reply& reply) {
  reply.status = 200;
  reply.content_type = json_type;
  reply.body = R"({"status":"alive"})";
}

}  // namespace vesper
