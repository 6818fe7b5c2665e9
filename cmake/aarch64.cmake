# 64-bit ARM by Debian's cross compiler (g++-aarch64-linux-gnu); tests run under qemu-aarch64 (qemu-user). The headers of the
# other packages serve every processor: copy them to build/headers, where the preset looks (docs/reference/trust.md).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
