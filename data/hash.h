/// SHA-256 of bytes and files, as lower-case hexadecimal: the fingerprint of splits, data sets and duplicates.
#pragma once
#include <string>
#include <string_view>

namespace data {

/// 64 hexadecimal digits, as `sha256sum` prints them. Source: FIPS 180-4.
std::string sha256(std::string_view bytes);

}  // namespace data
