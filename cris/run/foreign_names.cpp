/// Names are rewritten by rules, a pattern and what takes its place; the first that fits a name counts.
#include "cris/run/foreign_names.h"

#include <algorithm>
#include <regex>
#include <vector>

namespace cris {

namespace {

struct Rule {
  std::regex pattern;
  std::string place;
};

/// Of two convolutions and norms in a Sequential: 0, 1, (2: ReLU), 3, 4.
std::vector<Rule> double_conv_rules(const std::string& theirs, const std::string& ours) {
  std::vector<Rule> rules;
  for (const auto& [index, layer] : {std::pair{"0", "conv1"}, {"1", "norm1"}, {"3", "conv2"}, {"4", "norm2"}})
    rules.push_back({std::regex(theirs + "double_conv\\." + index + "\\.(.*)"), ours + layer + ".$1"});
  return rules;
}

std::vector<Rule> rules_of_milesial() {
  std::vector<Rule> rules = double_conv_rules("inc\\.", "backbone.encoder.0.");
  const auto append = [&](const std::vector<Rule>& more) { rules.insert(rules.end(), more.begin(), more.end()); };
  for (int k = 1; k <= 4; ++k) {
    const std::string stage = std::to_string(k), back = "backbone.decoder." + std::to_string(4 - k) + ".";
    append(double_conv_rules("down" + stage + "\\.maxpool_conv\\.1\\.", "backbone.encoder." + stage + "."));
    append({{std::regex("up" + stage + "\\.up\\.(.*)"), back + "up.$1"}});
    append(double_conv_rules("up" + stage + "\\.conv\\.", back + "block."));
  }
  append({{std::regex("outc\\.conv\\.(.*)"), "backbone.head.$1"}});
  return rules;
}

std::vector<Rule> rules_of_nested_unet(bool supervised) {
  std::vector<Rule> rules = {{std::regex("conv(\\d)_(\\d)\\.conv([12])\\.(.*)"), "backbone.node.$1_$2.conv$3.$4"},
                             {std::regex("conv(\\d)_(\\d)\\.bn([12])\\.(.*)"), "backbone.node.$1_$2.norm$3.$4"}};
  if (supervised) {
    rules.push_back({std::regex("final4\\.(.*)"), "backbone.head.$1"});
    rules.push_back({std::regex("final([123])\\.(.*)"), "backbone.side_head.$1.$2"});
  } else {
    rules.push_back({std::regex("final\\.(.*)"), "backbone.head.$1"});
  }
  return rules;
}

nn::SafeTensors renamed(const nn::SafeTensors& file, const std::vector<Rule>& rules) {
  nn::SafeTensors y{file.metadata, {}};
  for (const auto& [name, tensor] : file.tensors) {
    const auto rule =
        std::ranges::find_if(rules, [&name = name](const Rule& r) { return std::regex_match(name, r.pattern); });
    y.tensors[rule == rules.end() ? name : std::regex_replace(name, rule->pattern, rule->place)] = tensor;
  }
  return y;
}

/// conv + bias, then norm of running mean m, is conv, then norm of running mean m - bias.
void move_biases(nn::SafeTensors& file) {
  const std::regex bias("(backbone\\.node\\..*)\\.conv([12])\\.bias");
  for (auto at = file.tensors.begin(); at != file.tensors.end();) {
    std::smatch m;
    if (!std::regex_match(at->first, m, bias)) {
      ++at;
      continue;
    }
    const auto mean = file.tensors.find(m[1].str() + ".norm" + m[2].str() + ".running_mean");
    if (mean != file.tensors.end() && mean->second.count() == at->second.count()) {
      std::vector<double> means = mean->second.values(), biases = at->second.values();
      for (size_t i = 0; i < means.size(); ++i) means[i] -= biases[i];
      mean->second = nn::stored(means, mean->second.extents);
    }
    at = file.tensors.erase(at);
  }
}

bool any(const nn::SafeTensors& file, const std::string& start) {
  const auto at = file.tensors.lower_bound(start);
  return at != file.tensors.end() && at->first.starts_with(start);
}

}  // namespace

nn::SafeTensors in_our_names(nn::SafeTensors file) {
  // std::regex takes stack for every character.
  for (const auto& [tensor, values] : file.tensors)
    tensor::require(tensor.size() <= 1000, "a tensor's name has {} bytes, and 1000 are allowed", tensor.size());
  const auto all_begin = [&](const std::string& start) {
    return std::all_of(file.tensors.begin(), file.tensors.end(),
                       [&](const auto& t) { return t.first.starts_with(start); });
  };
  if (all_begin("module.")) file = renamed(file, {{std::regex("module\\.(.*)"), "$1"}});
  if (any(file, "inc.double_conv.")) return renamed(file, rules_of_milesial());
  if (any(file, "conv0_0.") && any(file, "conv0_1.")) {
    file = renamed(file, rules_of_nested_unet(any(file, "final4.")));
    move_biases(file);
    return file;
  }
  if (!any(file, "backbone.") && (any(file, "encoder.") || any(file, "node.")))
    return renamed(file, {{std::regex("(.+)"), "backbone.$1"}});
  return file;
}

}  // namespace cris
