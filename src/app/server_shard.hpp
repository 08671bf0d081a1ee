#pragma once
#include "app/server.hpp"

namespace vesper {

/// One event loop of the intake, with everything that only it touches.
struct Server::Shard {
  Shard(const TaskScope& parent, const std::string& name) : loop(parent, name) {}
  Loop loop;
  ShardCatalog catalog;
  std::unique_ptr<BundleDeriver> bundles;
  std::unique_ptr<DeferredBundles> deferred;
  std::unique_ptr<IntakeService> service;
  std::unique_ptr<HttpServer> server;
};

}  // namespace vesper
