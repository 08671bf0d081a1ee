// Preloaded into a server under test: a name server that does not answer, so that getaddrinfo comes
// back only after a minute. Says when it is asked.
#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
  static constexpr char asked[] = "looking up\n";
  if (write(STDERR_FILENO, asked, sizeof asked - 1) < 0) return EAI_SYSTEM;
  sleep(60);
  return EAI_AGAIN;
}
