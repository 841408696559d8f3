// OpenSSL's objects, owned. Private to gateway/net.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "base/openssl_ptr.h"

namespace pinion::net {

using SslCtxPtr = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, OpenSslFree<SSL_SESSION_free>>;

}  // namespace pinion::net
