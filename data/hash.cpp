/// SHA-256 through OpenSSL's EVP interface.
#include "data/hash.h"

#include <openssl/evp.h>

#include "tensor/check.h"

namespace data {

std::string sha256(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const bool ok = EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr) == 1;
  tensor::check(ok, "sha256: OpenSSL refused to hash {} bytes", bytes.size());
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace data
