/// Checkpoints: what is written is read back, and nothing damaged is.
#include "nn/checkpoint.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "nn/conv.h"
#include "nn/norm.h"
#include "tensor/machine/atomic_file.h"
#include "tests/message.h"
#include "tests/scratch.h"

using namespace nn;
using tensor::Device;
using tensor::DType;

namespace {

struct Small : Module {
  Conv2d conv{{.in = 2, .out = 3, .kernel = 3}};
  BatchNorm2d norm{{.channels = 3}};
  ConvTranspose2d up{{.in = 3, .out = 2, .kernel = 2, .stride = 2}};
  void visit(Visitor& v) override {
    v.module("conv", conv);
    v.module("norm", norm);
    v.module("up", up);
  }
  Variable operator()(const Variable& x) { return up(norm(conv(x))); }
};

/// One folder for all files of this test program.
std::string path_of(const char* name) {
  static const Scratch folder;
  return folder / name;
}

void train_step(Small& net, Adam& adam) {
  net.zero_grad();
  const Variable x(tensor::uniform({1, 2, 3}, {2, 6, 6, 2}, -1, 1, DType::f32, Device::cpu));
  autograd::backward(autograd::mean(autograd::multiply(net(x), net(x))));
  adam.step(0.01);
}

std::map<std::string, std::vector<double>> values_of(Small& net) {
  std::map<std::string, std::vector<double>> all;
  for (const auto& p : net.parameters()) all[p.name] = p.value->value().to_vector();
  for (const auto& b : net.buffers()) all[b.name] = b.value->to_vector();
  return all;
}

/// A file of the given header and blocks.
std::string file_of(const std::string& header, const std::string& blocks) {
  const uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + blocks;
}

/// What a header says of one tensor.
std::string entry(const char* dtype, const std::string& shape, const char* offsets) {
  return fmt::format(R"({{"dtype":"{}","shape":{},"data_offsets":{}}})", dtype, shape, offsets);
}

}  // namespace

TEST_CASE("a checkpoint brings back network and optimiser, bit for bit") {
  const std::string path = path_of("cris_checkpoint_round_trip.safetensors");
  Small net;
  initialize(net, 1);
  Adam adam(net);
  train_step(net, adam);
  train_step(net, adam);
  save_checkpoint(path, net, &adam, {{"epoch", "2"}, {"odd", "\"quoted\", \xc3\xa4, \n"}});

  Small other;
  initialize(other, 2);
  Adam other_adam(other);
  const Metadata metadata = load_checkpoint(path, other, &other_adam);
  CHECK(metadata == Metadata{{"epoch", "2"}, {"odd", "\"quoted\", \xc3\xa4, \n"}});
  CHECK(values_of(net) == values_of(other));
  CHECK(other.norm.num_batches_tracked == 4);
  CHECK(other_adam.state().at("conv.weight").step == 2);

  train_step(net, adam);
  train_step(other, other_adam);
  CHECK(values_of(net) == values_of(other));

  // The same state gives the same bytes.
  const std::string again = path_of("cris_checkpoint_again.safetensors");
  save_checkpoint(path, net, &adam);
  save_checkpoint(again, other, &other_adam);
  CHECK(tensor::read_file(path) == tensor::read_file(again));
}

TEST_CASE("files hold PyTorch's layouts and names") {
  Small net;
  initialize(net, 1);
  const SafeTensors file = checkpoint_of(net, nullptr, {});
  CHECK(file.tensors.size() == 4 + 5 + 0);
  CHECK(file.tensors.at("conv.weight").extents == std::vector<int64_t>{3, 2, 3, 3});
  CHECK(file.tensors.at("up.weight").extents == std::vector<int64_t>{3, 2, 2, 2});
  CHECK(file.tensors.at("norm.num_batches_tracked").dtype == "I64");
  CHECK(file.tensors.at("norm.num_batches_tracked").extents.empty());
  // Element [k=2, c=1, r=0, s=2] of the file is [2, 0, 2, 1] here.
  const auto stored_weight = file.tensors.at("conv.weight").values();
  const auto weight = net.conv.weight.value().to_vector();
  CHECK(stored_weight[((2 * 2 + 1) * 3 + 0) * 3 + 2] == weight[((2 * 3 + 0) * 3 + 2) * 2 + 1]);
  const Tensor back = file.tensors.at("conv.weight").to_tensor(DType::f32, Device::cpu);
  CHECK(back.to_vector() == weight);
}

TEST_CASE("a checkpoint of another network is refused, naming what differs, and changes nothing") {
  const std::string path = path_of("cris_checkpoint_other.safetensors");
  Conv2d wide({.in = 2, .out = 5, .kernel = 3});
  save_checkpoint(path, wide);
  Small net;
  initialize(net, 1);
  const auto before = values_of(net);
  CHECK_REFUSED(load_checkpoint(path, net), "9 missing: conv.weight");
  SafeTensors file = checkpoint_of(net, nullptr, {});
  file.tensors["conv.weight"] = stored(std::vector<double>(6), {1, 2, 3, 1});
  file.tensors["extra"] = stored(std::vector<double>(1), {});
  file.tensors["norm.weight"] = stored(std::vector<double>{9, 9, 9}, {3});
  write_safetensors(path, file);
  CHECK_REFUSED(load_checkpoint(path, net),
                "1 unexpected: extra; 1 of another shape or type: conv.weight is [1, 2, 3, 1], "
                "[3, 2, 3, 3] is needed");
  CHECK(values_of(net) == before);
}

TEST_CASE("weights of half precision are read, each value as it is") {
  const std::string path = path_of("cris_half.safetensors");
  const auto values = [&](const char* dtype, const std::vector<uint16_t>& bits) {
    const std::string blocks(reinterpret_cast<const char*>(bits.data()), 10);
    tensor::write_file_atomically(path, file_of("{\"a\":" + entry(dtype, "[5]", "[0,10]") + "}", blocks));
    return read_safetensors(path).tensors.at("a").values();
  };
  CHECK(values("F16", {0x3c00, 0xc000, 0x7bff, 0x0001, 0xfc00}) ==
        std::vector<double>{1, -2, 65504, std::ldexp(1.0, -24), -INFINITY});
  CHECK(values("BF16", {0x3f80, 0xc000, 0x3fc0, 0x0080, 0xff80}) ==
        std::vector<double>{1, -2, 1.5, std::ldexp(1.0, -126), -INFINITY});
}

TEST_CASE("what is no checkpoint of a network is called what it is") {
  const std::string path = path_of("cris_other.safetensors");
  for (const auto& [bytes, kind] : {std::pair{"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"},
                                    {"<!DOCTYPE html>", "a web page"},
                                    {"PK\3\4", "a zip, as torch.save writes it"}}) {
    tensor::write_file_atomically(path, bytes);
    CHECK_REFUSED(read_safetensors(path), kind);
  }
  Conv2d layer({.in = 1, .out = 1});
  SafeTensors wrapped;
  for (const auto& [name, t] : checkpoint_of(layer, nullptr, {}).tensors) wrapped.tensors["module." + name] = t;
  CHECK_REFUSED(apply_checkpoint(wrapped, "x", layer, nullptr), "x: its names begin with \"module.\"");
}

TEST_CASE("a file of 150000 tensors is refused in time" * doctest::timeout(30)) {
  const std::string path = path_of("cris_many.safetensors");
  std::string header = "{\"t\":" + entry("F32", "[0]", "[0,0]");
  for (int i = 0; i < 150000; ++i) header += fmt::format(",\"t{}\":", i) + entry("F32", "[0]", "[0,0]");
  tensor::write_file_atomically(path, file_of(header + "}", ""));
  Conv2d layer({.in = 1, .out = 1});
  CHECK_REFUSED(load_checkpoint(path, layer), "does not fit this network");
}

TEST_CASE("weights of whole numbers are refused") {
  const std::string path = path_of("cris_checkpoint_whole.safetensors");
  Conv2d layer({.in = 1, .out = 1, .kernel = 1, .bias = false});
  write_safetensors(path, {.metadata = {}, .tensors = {{"weight", stored(std::vector<int64_t>{1}, {1, 1, 1, 1})}}});
  CHECK_REFUSED(load_checkpoint(path, layer), "weight holds I64");
  SafeTensors file;
  file.tensors["weight"] = stored(Tensor::from(std::vector<int32_t>{1}, {1, 1, 1, 1}, Device::cpu));
  write_safetensors(path, file);
  CHECK_REFUSED(load_checkpoint(path, layer), "weight holds I32");
}

TEST_CASE("a checkpoint truncated at any byte, or with any byte changed, is refused") {
  const std::string path = path_of("cris_checkpoint_damaged.safetensors");
  Conv2d layer({.in = 1, .out = 2, .kernel = 2});
  initialize(layer, 1);
  save_checkpoint(path, layer, nullptr, {{"epoch", "3"}});
  const std::string whole = tensor::read_file(path);
  REQUIRE(whole.size() < 1000);
  const auto before = layer.weight.value().to_vector();
  const auto refused = [&](const std::string& bytes) {
    tensor::write_file_atomically(path, bytes);
    try {
      load_checkpoint(path, layer);
      return false;
    } catch (const tensor::Error& e) {
      return std::string(e.what()).find(path) != std::string::npos;
    }
  };
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(refused(whole.substr(0, length)));
  }
  CHECK(refused(whole + "x"));
  for (size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string changed = whole;
    changed[at] ^= 1;
    // A blank that pads the header to whole words means nothing; any other byte does.
    const bool padding = whole[at] == ' ';
    CHECK((refused(changed) || padding));
  }
  CHECK(layer.weight.value().to_vector() == before);
  tensor::write_file_atomically(path, whole);
  load_checkpoint(path, layer);
}

TEST_CASE("hostile headers are refused") {
  const std::string path = path_of("cris_hostile.safetensors");
  const auto refusal = [&](const std::string& bytes) {
    tensor::write_file_atomically(path, bytes);
    return message_of([&] { read_safetensors(path); });
  };
  const auto zeros = [](const std::string& header, size_t bytes) { return file_of(header, std::string(bytes, '\0')); };
  const auto one = [&](const char* dtype, const std::string& shape, const char* offsets, size_t bytes) {
    return zeros("{\"a\":" + entry(dtype, shape, offsets) + "}", bytes);
  };
  for (const std::string& right : {one("F32", "[2]", "[0,8]", 8), one("F64", "[0,5]", "[0,0]", 0)}) {
    tensor::write_file_atomically(path, right);
    CHECK_NOTHROW(read_safetensors(path));
  }
  CHECK(contains(refusal(one("F32", "[3]", "[0,8]", 16)), "needs 12 bytes"));
  CHECK(contains(refusal(one("F32", "[2]", "[0,8]", 9)), "end at byte 8"));
  CHECK(contains(refusal(one("F32", "[2]", "[0,8]", 7)), "claims bytes 0 to 8"));
  CHECK(contains(refusal(one("F32", "[2]", "[8,0]", 8)), "claims bytes"));
  CHECK(contains(refusal(one("F32", "[-2]", "[0,8]", 8)), "not a size"));
  CHECK(contains(refusal(one("F32", "[2.0]", "[0,8]", 8)), "not a size"));
  CHECK(contains(refusal(one("F33", "[2]", "[0,8]", 8)), "element type"));
  CHECK(contains(refusal(one("F32", "[4611686018427387904,4]", "[0,8]", 8)), "more than the file holds"));
  CHECK(contains(refusal(one("F32", "[18446744073709551615]", "[0,8]", 8)), "not a size"));
  const std::string a = entry("F32", "[2]", "[0,8]"), overlapping = entry("F32", "[2]", "[4,12]");
  CHECK(contains(refusal(zeros("{\"a\":" + a + ",\"b\":" + overlapping + "}", 12)), "overlap"));
  CHECK(contains(refusal(zeros("{\"a\":" + a + ",\"b\":" + entry("F32", "[1]", "[12,16]") + "}", 16)), "gap"));
  CHECK(contains(refusal(zeros("{\"a\":" + a + ",\"a\":" + a + "}", 8)), "twice"));
  CHECK(contains(refusal(zeros("{\"__metadata__\":{\"k\":1}}", 0)), "not text"));
  CHECK(contains(refusal(zeros("[1,2]", 0)), "not a JSON object"));
  CHECK(contains(refusal(zeros(std::string(100000, '['), 0)), "damaged"));
  // Nested where a message would print the value, which recurses.
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  CHECK(contains(refusal(one("F32", deep, "[0,8]", 8)), "nested deeper"));
  std::string ones = "[1";
  for (int i = 0; i < 65; ++i) ones += ",1";
  CHECK(contains(refusal(one("F32", ones + "]", "[0,4]", 4)), "one of more than"));
  CHECK(contains(refusal(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10)), "claims"));
  CHECK(contains(refusal(""), "0 bytes"));
  CHECK_REFUSED(read_safetensors(path), path.c_str());
}
