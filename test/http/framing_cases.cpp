#include "http/framing_cases.hpp"

namespace vesper::test {
namespace {

using Cases = std::vector<FramingCase>;
using std::string;

const string crlf = "\r\n";
const string top = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
const string post = "POST /healthz HTTP/1.1\r\nHost: a\r\n";
const string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

string with(const string& header) {
  return top + header + "\r\n\r\n";
}
string line(const string& request_line) {
  return request_line + "\r\nHost: a\r\n\r\n";
}
string nul(string text) {  // a NUL byte stands as @0 in the tables below
  for (auto at = text.find("@0"); at != text.npos; at = text.find("@0"))
    text.replace(at, 2, 1, '\0');
  return text;
}

void refuse(Cases& cases, const string& name, const string& bytes, std::vector<int> faults = {400},
            int answered = 0) {
  cases.push_back({name, nul(bytes), answered, std::move(faults)});
}
void accept(Cases& cases, const string& name, const string& bytes, int answered = 1) {
  cases.push_back({name, bytes, answered, {}});
}
void accept_last(Cases& cases, const string& name, const string& bytes) {
  cases.push_back({name, bytes, 1, {}, true});
}
void cut_short(Cases& cases, const string& name, const string& bytes, int answered = 0) {
  cases.push_back({name, bytes, answered, {400, 408}, false, true});
}

void request_lines(Cases& cases) {
  const auto bad = [&](const string& name, const string& text, std::vector<int> faults = {400}) {
    refuse(cases, "request line: " + name, line(text), std::move(faults));
  };
  bad("no version (HTTP/0.9)", "GET /healthz");
  bad("two blanks before the target", "GET  /healthz HTTP/1.1");
  bad("two blanks before the version", "GET /healthz  HTTP/1.1");
  bad("tab as separator", "GET\t/healthz HTTP/1.1");
  bad("tab before the version", "GET /healthz\tHTTP/1.1");
  bad("blank first", " GET /healthz HTTP/1.1");
  bad("blank last", "GET /healthz HTTP/1.1 ");
  bad("vertical tab", "GET /healthz\vHTTP/1.1");
  bad("no target", "GET HTTP/1.1");
  bad("empty target", "GET  HTTP/1.1");
  bad("blank in the target", "GET /health z HTTP/1.1");
  bad("control in the target", "GET /health\x01z HTTP/1.1");
  bad("NUL in the target", "GET /health@0z HTTP/1.1");
  bad("DEL in the target", "GET /health\x7fz HTTP/1.1");
  bad("8-bit target", "GET /health\xc3\xa9 HTTP/1.1");
  bad("fragment", "GET /healthz#top HTTP/1.1");
  bad("quote in the target", "GET /\"a\" HTTP/1.1");
  bad("angle bracket in the target", "GET /<a> HTTP/1.1");
  bad("backslash in the target", "GET /a\\b HTTP/1.1");
  bad("brackets in the path", "GET /a[0] HTTP/1.1");
  bad("bad percent escape", "GET /a%zz HTTP/1.1");
  bad("cut percent escape", "GET /a%4 HTTP/1.1");
  bad("relative target", "GET healthz HTTP/1.1");
  bad("other scheme", "GET ftp://a/healthz HTTP/1.1");
  bad("absolute target without host", "GET http:///healthz HTTP/1.1");
  bad("absolute target with user", "GET http://u@a/healthz HTTP/1.1");
  bad("absolute target of another host", "GET http://b/healthz HTTP/1.1");
  bad("asterisk for GET", "GET * HTTP/1.1");
  bad("authority for GET", "GET a:80 HTTP/1.1");
  bad("CONNECT", "CONNECT a:80 HTTP/1.1", {400, 405, 501});
  bad("method with a separator", "GE(T /healthz HTTP/1.1");
  bad("method with a control", "GE\x02T /healthz HTTP/1.1");
  bad("8-bit method", "G\xc9T /healthz HTTP/1.1");
  bad("version 1.2", "GET /healthz HTTP/1.2", {400, 505});
  bad("version 2.0", "GET /healthz HTTP/2.0", {505});
  bad("version 0.9", "GET /healthz HTTP/0.9", {505});
  bad("version 3.0", "GET /healthz HTTP/3.0", {505});
  bad("version 1.10", "GET /healthz HTTP/1.10");
  bad("version 1", "GET /healthz HTTP/1");
  bad("version 01.1", "GET /healthz HTTP/01.1");
  bad("version with comma", "GET /healthz HTTP/1,1");
  bad("lower case protocol", "GET /healthz http/1.1");
  bad("other protocol", "GET /healthz ICE/1.0");
  bad("signed version", "GET /healthz HTTP/+1.1");
  refuse(cases, "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505});
  refuse(cases, "TLS on a plain port", "\x16\x03\x01@0\xa5\x01@0@0\xa1\x03\x03 hello\r\n\r\n");
  refuse(cases, "two empty lines first", "\r\n\r\n" + with("A: b"));
  refuse(cases, "bare LF first", "\n" + with("A: b"));
  refuse(cases, "bare CR first", "\r" + with("A: b"));
}

void header_lines(Cases& cases) {
  const auto bad = [&](const string& name, const string& text) {
    refuse(cases, "header: " + name, with(text));
  };
  bad("blank before the colon", "A : b");
  bad("tab before the colon", "A\t: b");
  bad("no colon", "A");
  bad("no name", ": b");
  bad("blank in the name", "A b: c");
  bad("folded with a blank", "A: b\r\n c");
  bad("folded with a tab", "A: b\r\n\tc");
  bad("folded to an empty line", "A: b\r\n ");
  bad("NUL in the name", "A@0: b");
  bad("NUL in the value", "A: b@0c");
  bad("8-bit name", "\xc3\xa9: b");
  bad("separator in the name", "A(b): c");
  bad("control in the value", "A: b\x01");
  bad("form feed in the value", "A: b\f");
  bad("vertical tab in the value", "A:\vb");
  bad("backspace in the value", "A: b\bc");
  bad("DEL in the value", "A: b\x7f");
  bad("bare CR in the value", "A: b\rc");
  bad("bare CR hides a header", "A: b\rContent-Length: 5");
  bad("bare LF hides a header", "A: b\nContent-Length: 5");
  bad("CR CR LF", "A: b\r");
  refuse(cases, "header: bare LF ends lines", "GET /healthz HTTP/1.1\nHost: a\n\n");
  refuse(cases, "header: bare LF ends the head", top + "A: b\n\n");
  refuse(cases, "header: LF CR LF ends the head", top + "A: b\r\n\n");
  refuse(cases, "header: CR ends the head", top + "\r" + with("A: b"));
  refuse(cases, "header: blank before the first", "GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n");
  accept(cases, "header: no blank after the colon", with("A:b"));
  accept(cases, "header: blanks and tabs around the value", with("A: \t b \t "));
  accept(cases, "header: empty value", with("A:"));
  accept(cases, "header: tab inside the value", with("A: b\tc"));
  accept(cases, "header: 8-bit value (obs-text)", with("A: D\xc3\xbcsseldorf"));
  accept(cases, "header: every token character", with("!#$%&'*+-.^_`|~aZ09: b"));
  accept(cases, "header: repeated", with("A: b\r\nA: c"));
}

void hosts(Cases& cases) {
  const auto host = [](const string& value) {
    return "GET /healthz HTTP/1.1\r\nHost:" + value + "\r\n\r\n";
  };
  for (const auto* bad : {"",           " ",        " a b",   " a/b",
                          " u@a",       " a,b",     " a, b",  " a:b",
                          " a:1:2",     " a:65536", " a:-1",  " :80",
                          " [::1",      " ::1",     " [::g]", " [1:2:3:4:5:6:7]",
                          " [1::2::3]", " [::1]x",  " a?b",   " a#b",
                          " http://a",  " \"a\"",   " a\\b",  " a%zz",
                          " \xc3\xa9"})
    refuse(cases, string{"host:"} + bad, host(bad));
  for (const auto* good :
       {" a", " a.example", " A-1.b_c~d", " a:80", " a:65535", " 127.0.0.1:8080", " [::1]",
        " [::1]:80", " [1:2:3:4:5:6:7:8]", " [::ffff:1.2.3.4]:80", " a%41", "a", " a:"})
    accept(cases, string{"host:"} + good, host(good));
  refuse(cases, "host: missing", "GET /healthz HTTP/1.1\r\nA: b\r\n\r\n");
  refuse(cases, "host: missing, no headers", "GET /healthz HTTP/1.1\r\n\r\n");
  refuse(cases, "host: twice", with("Host: a"));
  refuse(cases, "host: twice, other case", with("hOST: b"));
  refuse(cases, "host: twice on HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n");
  refuse(cases, "host: bad on HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: a b\r\n\r\n");
  accept_last(cases, "host: none on HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n");
}

void lengths(Cases& cases) {
  for (const auto* bad :
       {"", " ", " -1", " +1", " 0x1", " 1a", " 1 1", " 1,1", " 1, 1", " 1.0", " 1e0", " \"1\"",
        " 1;", " 18446744073709551616", " 100000000000000000000000", " 1\x0b", " \xef\xbc\x91"})
    refuse(cases, string{"length:"} + bad, post + "Content-Length:" + bad + "\r\n\r\na");
  refuse(cases, "length: repeated, equal",
         post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na");
  refuse(cases, "length: repeated, other",
         post + "Content-Length: 1\r\ncontent-length: 2\r\n\r\nab");
  refuse(cases, "length: with blank before colon", post + "Content-Length : 1\r\n\r\na");
  refuse(cases, "length: past the body limit", post + "Content-Length: 999999999999\r\n\r\na",
         {401, 403, 404, 405, 413});
  accept(cases, "length: 0", post + "Content-Length: 0\r\n\r\n");
  accept(cases, "length: leading zeros", post + "Content-Length: 003\r\n\r\nabc");
  accept(cases, "length: on GET", top + "Content-Length: 3\r\n\r\nabc");
  accept(cases, "length: none on POST", post + "\r\n");
  accept(cases, "length: hides a request",
         post + "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  // A port may refuse on the head alone, without waiting for the body.
  cases.push_back({"length: longer than the body",
                   post + "Content-Length: 9\r\n\r\nabc",
                   0,
                   {400, 401, 403, 404, 405, 408},
                   false,
                   true});
}

void codings(Cases& cases) {
  const auto coding = [](const string& value) {
    return post + "Transfer-Encoding:" + value + "\r\n\r\n0\r\n\r\n";
  };
  for (const auto* bad : {" gzip",
                          " identity",
                          " gzip, chunked",
                          " chunked, gzip",
                          " chunked, chunked",
                          " chunked,",
                          " ,chunked",
                          " xchunked",
                          " chunkedx",
                          " \"chunked\"",
                          " chunked;q=1",
                          " chunked; a=b",
                          " c hunked",
                          " 'chunked'",
                          "",
                          " ,",
                          " \x0b"
                          "chunked",
                          " chunked\x0b",
                          " chunk\xc3\xa9"
                          "d",
                          " [chunked]"})
    refuse(cases, string{"coding:"} + bad, coding(bad), {400, 501});
  refuse(cases, "coding: with length",
         post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  refuse(cases, "coding: with length after",
         post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n");
  refuse(cases, "coding: unknown with length",
         post + "Transfer-Encoding: x\r\nContent-Length: 5\r\n\r\n0\r\n\r\n");
  refuse(cases, "coding: repeated",
         post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  refuse(cases, "coding: repeated with identity",
         post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n");
  refuse(cases, "coding: blank before colon",
         post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n");
  refuse(cases, "coding: folded", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n");
  refuse(cases, "coding: on HTTP/1.0",
         "POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  accept(cases, "coding: chunked", coding(" chunked"));
  accept(cases, "coding: other case", coding(" ChunKED"));
  accept(cases, "coding: blanks around", coding(" \tchunked \t"));
  accept(cases, "coding: TE header is another", top + "TE: trailers\r\n\r\n");
}

void chunks(Cases& cases) {
  const auto bad = [&](const string& name, const string& body, std::vector<int> faults = {400}) {
    refuse(cases, "chunk: " + name, chunked + body, std::move(faults));
  };
  const auto good = [&](const string& name, const string& body) {
    accept(cases, "chunk: " + name, chunked + body);
  };
  const string end = "0\r\n\r\n";
  bad("no size", "\r\nabc\r\n" + end);
  bad("not hexadecimal", "g\r\nabc\r\n" + end);
  bad("0x prefix", "0x3\r\nabc\r\n" + end);
  bad("plus sign", "+3\r\nabc\r\n" + end);
  bad("minus sign", "-3\r\nabc\r\n" + end);
  bad("leading blank", " 3\r\nabc\r\n" + end);
  bad("trailing blank", "3 \r\nabc\r\n" + end);
  bad("trailing tab", "3\t\r\nabc\r\n" + end);
  bad("seventeen digits", "10000000000000003\r\nabc\r\n" + end);
  bad("overflow", "fffffffffffffffff\r\nabc\r\n" + end);
  bad("larger than any limit", "ffffffffffffffff\r\nabc\r\n" + end, {401, 403, 404, 405, 413});
  bad("LF after the size", "3\nabc\r\n" + end);
  bad("CR after the size", "3\rabc\r\n" + end);
  bad("CR CR LF after the size", "3\r\r\nabc\r\n" + end);
  bad("NUL in the size", "3@0\r\nabc\r\n" + end);
  bad("underscore in the size", "1_0\r\nabc\r\n" + end);
  bad("data longer than the size", "3\r\nabcd\r\n" + end);
  bad("data shorter than the size", "5\r\nabc\r\n" + end);
  bad("LF after the data", "3\r\nabc\n" + end);
  bad("CR after the data", "3\r\nabc\r" + end);
  bad("nothing after the data", "3\r\nabc" + end);
  bad("two ends after the data", "3\r\nabc\r\n\r\n" + end);
  bad("empty extension", "3;\r\nabc\r\n" + end);
  bad("blank before the extension", "3 ;a\r\nabc\r\n" + end);
  bad("LF in the extension", "3;a\nb\r\nabc\r\n" + end);
  bad("CR in the extension", "3;a\rb\r\nabc\r\n" + end);
  bad("LF in a quoted extension", "3;a=\"b\nc\"\r\nabc\r\n" + end);
  bad("open quote in the extension", "3;a=\"b\r\nabc\r\n" + end);
  bad("control in the extension", "3;a\x01\r\nabc\r\n" + end);
  bad("no value in the extension", "3;a=\r\nabc\r\n" + end);
  bad("extension without end", "3;" + string(5000, 'a') + "\r\nabc\r\n" + end);
  bad("LF ends the body", "0\n\n");
  bad("LF ends the last line", "0\r\n\n");
  bad("CR in the last line", "0\r\n\rx");
  bad("trailer without colon", "0\r\nA\r\n\r\n");
  bad("trailer without name", "0\r\n: b\r\n\r\n");
  bad("trailer with blank before colon", "0\r\nA : b\r\n\r\n");
  bad("folded trailer", "0\r\nA: b\r\n c\r\n\r\n");
  bad("control in a trailer", "0\r\nA: b\x01\r\n\r\n");
  bad("LF ends a trailer", "0\r\nA: b\n\r\n");
  bad("length as trailer", "0\r\nContent-Length: 5\r\n\r\n");
  bad("coding as trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n");
  bad("host as trailer", "0\r\nHost: b\r\n\r\n");
  bad("credentials as trailer", "0\r\nAuthorization: Bearer a\r\n\r\n");
  bad("trailers without end", "0\r\nA: " + string(9000, 'b') + "\r\n\r\n", {400, 431});
  good("one", "3\r\nabc\r\n" + end);
  good("several", "1\r\na\r\nA\r\n0123456789\r\na\r\n0123456789\r\n" + end);
  good("leading zeros", "0003\r\nabc\r\n00000\r\n\r\n");
  good("extensions", "3;a;b=c;d=\"e \\\"f\"\r\nabc\r\n0;last\r\n\r\n");
  good("trailers", "3\r\nabc\r\n0\r\nDigest: x\r\nB:\r\n\r\n");
  good("data that looks like an end", "5\r\n0\r\n\r\n\r\n" + end);
  cut_short(cases, "chunk: no last chunk", chunked + "3\r\nabc\r\n");
  cut_short(cases, "chunk: cut data", chunked + "3\r\nab");
  cut_short(cases, "chunk: cut end", chunked + "3\r\nabc\r\n0\r\n");
}

void limits(Cases& cases) {
  const auto target = [](std::size_t size) {
    const string frame = "GET /healthz? HTTP/1.1";
    return line("GET /healthz?" + string(size - frame.size(), 'q') + " HTTP/1.1");
  };
  accept(cases, "limit: request line of 8192 bytes", target(8192));
  refuse(cases, "limit: request line of 8193 bytes", target(8193), {414});
  refuse(cases, "limit: request line of 60000 bytes", target(60'000), {414});
  refuse(cases, "limit: method of 9000 bytes", line(string(9000, 'M') + " / HTTP/1.1"), {414});
  const auto head = [](std::size_t size) {
    const string frame = top + "A: \r\n\r\n";
    return with("A: " + string(size - frame.size(), 'b'));
  };
  accept(cases, "limit: head of 16384 bytes", head(16'384));
  refuse(cases, "limit: head of 16385 bytes", head(16'385), {431});
  refuse(cases, "limit: head of 100000 bytes", head(100'000), {431});
  const auto headers = [](int count) {
    string text = top;
    for (int i = 1; i < count; ++i) text += "A" + std::to_string(i) + ": b\r\n";
    return text + crlf;
  };
  accept(cases, "limit: 64 headers", headers(64));
  refuse(cases, "limit: 65 headers", headers(65), {431});
  refuse(cases, "limit: header name of 20000 bytes", with(string(20'000, 'a') + ": b"), {431});
}

void sequences(Cases& cases) {
  const string get = with("A: b");
  accept(cases, "sequence: two requests", get + get, 2);
  accept(cases, "sequence: body, then request", post + "Content-Length: 3\r\n\r\nabc" + get, 2);
  accept(cases, "sequence: chunks, then request", chunked + "3\r\nabc\r\n0\r\n\r\n" + get, 2);
  accept(cases, "sequence: one empty line between", get + crlf + get, 2);
  accept(cases, "sequence: one empty line first", crlf + get);
  refuse(cases, "sequence: two empty lines between", get + crlf + crlf + get, {400}, 1);
  refuse(cases, "sequence: fault second", get + line("GET /a b HTTP/1.1") + get, {400}, 1);
  refuse(cases, "sequence: body longer than its length",
         post + "Content-Length: 3\r\n\r\nabc(d" + get, {400}, 1);
  refuse(cases, "sequence: bytes after the last chunk", chunked + "0\r\n\r\n(x" + get, {400}, 1);
  accept_last(cases, "sequence: nothing after close", with("Connection: close") + get);
  accept_last(cases, "sequence: nothing after close in a list",
              with("Connection: a, CLOSE ,keep-alive") + get);
  accept_last(cases, "sequence: nothing after HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n" + get);
  accept(cases, "sequence: HTTP/1.0 kept alive",
         "GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" + get, 2);
  accept(cases, "sequence: upgrade is ignored",
         with("Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ") + get, 2);
  accept(cases, "absolute target", line("GET http://a/healthz?x HTTP/1.1"));
  accept(cases, "absolute target, other case", line("GET HTTP://A/healthz HTTP/1.1"));
  accept(cases, "percent escapes", line("GET /health%7A?a=%20 HTTP/1.1"));
  cases.push_back(
      {"HEAD has no body", line("HEAD /healthz HTTP/1.1"), 1, {}, false, false, {true}});
  cut_short(cases, "sequence: cut request line", "GET /hea");
  cut_short(cases, "sequence: cut head", top + "A: b\r\n");
  cut_short(cases, "sequence: cut second head", get + top, 1);
  cases.push_back({"sequence: no bytes at all", "", 0, {}, false, true});
  refuse(cases, "expect: other", with("Expect: 200-ok"), {417});
  refuse(cases, "expect: list", with("Expect: 100-continue, x"), {417});
  refuse(cases, "expect: empty", with("Expect:"), {417});
  accept(cases, "expect: without a body", with("Expect: 100-Continue"));
}

}  // namespace

const std::vector<FramingCase>& framing_cases() {
  static const Cases cases = [] {
    Cases all;
    request_lines(all);
    header_lines(all);
    hosts(all);
    lengths(all);
    codings(all);
    chunks(all);
    limits(all);
    sequences(all);
    return all;
  }();
  return cases;
}

}  // namespace vesper::test
