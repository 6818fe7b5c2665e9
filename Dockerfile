# The program on Debian:            docker build -t cris . && docker run --rm -v "$PWD:/work" cris doctor
# with the CUDA backend:            docker build -t cris-cuda --build-arg CUDA=ON \
#   --build-arg BUILD=nvidia/cuda:12.8.0-devel-ubuntu24.04 --build-arg RUN=nvidia/cuda:12.8.0-runtime-ubuntu24.04 .
#   docker run --rm --gpus all -v "$PWD:/work" cris-cuda doctor
ARG BUILD=debian:bookworm
ARG RUN=debian:bookworm-slim

FROM ${BUILD} AS build
ARG CUDA=OFF
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      cmake dpkg-dev file g++ git libcli11-dev libfmt-dev libjpeg-dev libonnx-dev libprotobuf-dev librandom123-dev \
      libstb-dev libtiff-dev libtomlplusplus-dev zlib1g-dev ninja-build nlohmann-json3-dev protobuf-compiler && \
      rm -rf /var/lib/apt/lists/*
COPY . /source
RUN git config --global --add safe.directory /source && \
    cmake -S /source -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_UNITY_BUILD=ON \
      -DCRIS_TESTS=OFF -DCRIS_CUDA=${CUDA} && cmake --build /build && cd /build && cpack -G DEB

FROM ${RUN}
COPY --from=build /build/cris_*.deb /tmp/
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /tmp/cris_*.deb && \
    rm -rf /var/lib/apt/lists/* /tmp/cris_*.deb
WORKDIR /work
ENTRYPOINT ["cris"]
