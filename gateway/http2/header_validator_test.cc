#include "gateway/http2/header_validator.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinion::http2 {
namespace {

using Fields = std::vector<HeaderField>;

Fields Request(const Fields& more) {
  Fields fields = {{":method", "POST"}, {":scheme", "https"}, {":path", "/a.B/C"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

std::string RequestFaultOf(const Fields& fields) {
  MessageFacts facts;
  return std::string(RequestFault(fields, facts));
}

std::string ResponseFaultOf(const Fields& fields) {
  MessageFacts facts;
  return std::string(ResponseFault(fields, facts));
}

TEST(RequestFault, AcceptsWhatIsWellFormed) {
  const Fields cases[] = {
      Request({}),
      Request({{":authority", "a.test:443"}}),
      Request({{":authority", ""}}),
      Request({{":authority", "A.test"}, {"host", "a.TEST"}}),
      Request({{"host", "a.test"}}),
      Request({{"te", "trailers"}}),
      Request({{"te", "Trailers"}}),
      Request({{"x", ""}}),
      Request({{"x", "a\tb c"}}),
      Request({{"x", "caf\xc3\xa9"}}),
      Request({{"x", "a long caf\xc3\xa9\twith a tab and ~"}}),
      Request({{"x-bin", "AAE="}, {"x-bin", "AAE"}}),
      Request({{"content-length", "0"}}),
      Request({{"content-length", "999999999999999999"}}),
      {{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}},
      {{":path", "/"}, {":scheme", "http"}, {":method", "GET"}},
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/?q=%20#"}},
  };
  for (const Fields& fields : cases) EXPECT_EQ(RequestFaultOf(fields), "");
}

TEST(RequestFault, FindsWhatIsMalformed) {
  struct Case {
    Fields fields;
    const char* fault;
  };
  const Case cases[] = {
      {{}, "request without :method"},
      {{{":scheme", "http"}, {":path", "/"}}, "request without :method"},
      {{{":method", "GET"}, {":path", "/"}}, "request without :scheme"},
      {{{":method", "GET"}, {":scheme", "http"}}, "request without :path"},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", ""}}, "empty :path"},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "a.B/C"}},
       ":path does not begin with /"},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "*"}}, ":path does not begin with /"},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/a b"}}, "invalid character in :path"},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/a\x80"}},
       "invalid character in :path"},
      {{{":method", ""}, {":scheme", "http"}, {":path", "/"}}, "invalid :method"},
      {{{":method", "G T"}, {":scheme", "http"}, {":path", "/"}}, "invalid :method"},
      {{{":method", "CONNECT"}, {":scheme", "http"}, {":path", "/"}}, "CONNECT is not served"},
      {{{":method", "GET"}, {":scheme", ""}, {":path", "/"}}, "invalid :scheme"},
      {{{":method", "GET"}, {":scheme", "ht tp"}, {":path", "/"}}, "invalid :scheme"},
      {Request({{":method", "GET"}}), "pseudo-header given twice"},
      {Request({{":path", "/"}}), "pseudo-header given twice"},
      {Request({{":authority", "a"}, {":authority", "a"}}), "pseudo-header given twice"},
      {Request({{":status", "200"}}), "unknown pseudo-header in a request"},
      {Request({{":protocol", "websocket"}}), "unknown pseudo-header in a request"},
      {Request({{":authority", "user@a"}}), "user information in :authority"},
      {Request({{":authority", "a b"}}), "invalid character in :authority"},
      {Request({{"x", "1"}, {":authority", "a"}}), "misplaced pseudo-header"},
      {Request({{":authority", "a"}, {"host", "b"}}), "host differs from :authority"},
      {Request({{"host", "a"}, {"host", "a"}}), "host given twice"},
      {Request({{"", "1"}}), "empty header name"},
      {Request({{"X", "1"}}), "invalid character in a header name"},
      {Request({{"a b", "1"}}), "invalid character in a header name"},
      {Request({{"a:", "1"}}), "invalid character in a header name"},
      {Request({{"a\x80", "1"}}), "invalid character in a header name"},
      {Request({{absl::string_view("a\0", 2), "1"}}), "invalid character in a header name"},
      {Request({{"x", "a\r"}}), "control character in a header value"},
      {Request({{"x", "a\nb"}}), "control character in a header value"},
      {Request({{"x", absl::string_view("a\0b", 3)}}), "control character in a header value"},
      {Request({{"x", "\x7f"}}), "control character in a header value"},
      {Request({{"x", "1234567\x7f"}}), "control character in a header value"},
      {Request({{"x", "1234\r\n78"}}), "control character in a header value"},
      {Request({{"x",
                 "12345678\x1f"
                 "0"}}),
       "control character in a header value"},
      {Request({{"x", absl::string_view("\0"
                                        "2345678",
                                        8)}}),
       "control character in a header value"},
      {Request({{"x", " a"}}), "whitespace around a header value"},
      {Request({{"x", "a\t"}}), "whitespace around a header value"},
      {Request({{"x", " "}}), "whitespace around a header value"},
      {Request({{"connection", "close"}}), "connection-specific field connection"},
      {Request({{"keep-alive", "1"}}), "connection-specific field keep-alive"},
      {Request({{"proxy-connection", "1"}}), "connection-specific field proxy-connection"},
      {Request({{"transfer-encoding", "chunked"}}), "connection-specific field transfer-encoding"},
      {Request({{"upgrade", "h2c"}}), "connection-specific field upgrade"},
      {Request({{"te", "gzip"}}), "te other than trailers"},
      {Request({{"te", "trailers, gzip"}}), "te other than trailers"},
      {Request({{"content-length", ""}}), "invalid content-length"},
      {Request({{"content-length", "-1"}}), "invalid content-length"},
      {Request({{"content-length", "1, 1"}}), "invalid content-length"},
      {Request({{"content-length", "9999999999999999999"}}), "invalid content-length"},
      {Request({{"content-length", "1"}, {"content-length", "1"}}), "content-length given twice"},
  };
  for (const Case& c : cases) EXPECT_EQ(RequestFaultOf(c.fields), c.fault);
}

TEST(ResponseFault, Judges) {
  struct Case {
    Fields fields;
    const char* fault;
  };
  const Case cases[] = {
      {{{":status", "200"}}, ""},
      {{{":status", "100"}}, ""},
      {{{":status", "999"}, {"x", "1"}}, ""},
      {{}, "response without :status in front"},
      {{{"x", "1"}, {":status", "200"}}, "response without :status in front"},
      {{{":status", "101"}}, ":status 101 does not exist in HTTP/2"},
      {{{":status", "099"}}, "invalid :status"},
      {{{":status", "2000"}}, "invalid :status"},
      {{{":status", "20"}}, "invalid :status"},
      {{{":status", "2x0"}}, "invalid :status"},
      {{{":status", ""}}, "invalid :status"},
      {{{":status", "200"}, {":status", "200"}}, "misplaced pseudo-header"},
      {{{":status", "200"}, {":path", "/"}}, "misplaced pseudo-header"},
      {{{":path", "/"}, {":status", "200"}}, "response without :status in front"},
      {{{":status", "200"}, {"connection", "x"}}, "connection-specific field connection"},
      {{{":status", "200"}, {"X", "x"}}, "invalid character in a header name"},
      {{{":status", "200"}, {"x", " x"}}, "whitespace around a header value"},
      {{{":status", "200"}, {"content-length", "x"}}, "invalid content-length"},
  };
  for (const Case& c : cases) EXPECT_EQ(ResponseFaultOf(c.fields), c.fault);
}

TEST(TrailersFault, Judges) {
  EXPECT_EQ(TrailersFault(Fields{}), "");
  EXPECT_EQ(TrailersFault(Fields{{"grpc-status", "0"}, {"grpc-message", ""}}), "");
  EXPECT_NE(TrailersFault(Fields{{":status", "200"}}), "");
  EXPECT_NE(TrailersFault(Fields{{"grpc-status", "0"}, {":path", "/"}}), "");
  EXPECT_NE(TrailersFault(Fields{{"Grpc-Status", "0"}}), "");
  EXPECT_NE(TrailersFault(Fields{{"connection", "close"}}), "");
  EXPECT_NE(TrailersFault(Fields{{"x", "a\nb"}}), "");
}

// What the tables know of a field is about the field, not about its place.
TEST(TrailersFault, AKnownPseudoHeaderIsStillMisplaced) {
  HeaderField status = {":status", "200"};
  status.well_formed = true;
  EXPECT_EQ(TrailersFault(Fields{status}), "misplaced pseudo-header");
  MessageFacts facts;
  EXPECT_EQ(ResponseFault(Fields{status, status}, facts), "misplaced pseudo-header");
}

TEST(MessageFacts, AreTakenFromTheFields) {
  MessageFacts facts;
  EXPECT_EQ(ResponseFault(Fields{{":status", "204"}, {"content-length", "12"}}, facts), "");
  EXPECT_EQ(facts.status, 204);
  EXPECT_EQ(facts.content_length, 12);
}

}  // namespace
}  // namespace pinion::http2
