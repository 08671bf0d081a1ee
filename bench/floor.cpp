// The floor of every figure: a bare epoll server that finds the end of a request and answers with
// fixed bytes of a receipt's size. It checks nothing, parses nothing, stores nothing.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Connection {
  int fd;
  std::size_t used = 0;
  char bytes[8192];
};

std::string answer() {
  std::string body(420, 'x');
  return "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nLocation: "
         "/patient/data/0190d3f2-7c1e-7a4b-9e21-3f5a6b7c8d9e\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Bytes of the first whole request, 0 when it is not complete.
std::size_t request_bytes(const char* data, std::size_t size) {
  const auto* end = static_cast<const char*>(memmem(data, size, "\r\n\r\n", 4));
  if (end == nullptr) return 0;
  const auto head = static_cast<std::size_t>(end - data) + 4;
  std::size_t length = 0;
  const auto* field = static_cast<const char*>(memmem(data, head, "\r\nContent-Length: ", 18));
  if (field != nullptr) length = std::strtoul(field + 18, nullptr, 10);
  return head + length <= size ? head + length : 0;
}

void accept_all(int listener, int poll) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{EPOLLIN | EPOLLET | EPOLLRDHUP, {.ptr = new Connection{fd, 0, {}}}};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
}

void serve(Connection* connection, const std::string& reply) {
  const ssize_t n = recv(connection->fd, connection->bytes + connection->used,
                         sizeof connection->bytes - connection->used, 0);
  if (n <= 0) {
    if (n < 0 && errno == EAGAIN) return;
    close(connection->fd);
    delete connection;
    return;
  }
  connection->used += static_cast<std::size_t>(n);
  std::size_t done = 0;
  while (const std::size_t size =
             request_bytes(connection->bytes + done, connection->used - done)) {
    done += size;
    if (send(connection->fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
  }
  connection->used -= done;
  if (connection->used != 0) memmove(connection->bytes, connection->bytes + done, connection->used);
}

}  // namespace

int main(int, char** argv) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(argv[1] ? std::atoi(argv[1]) : 0));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 1024) != 0)
    return 1;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("listening %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const std::string reply = answer();
  const int poll = epoll_create1(0);
  epoll_event event{EPOLLIN, {.ptr = nullptr}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  epoll_event events[256];
  for (;;) {
    const int n = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < n; ++i) {
      if (events[i].data.ptr == nullptr)
        accept_all(listener, poll);
      else
        serve(static_cast<Connection*>(events[i].data.ptr), reply);
    }
  }
}
