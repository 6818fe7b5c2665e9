/// What is searched: settings with the ranges or the choices from which trials draw them.
#pragma once
#include <string>
#include <vector>

#include "cris/run/config.h"

namespace cris {

/// One setting. Its values are numbers: of a choice, the index.
struct Dimension {
  enum class Kind { real, whole, choice };
  std::string name;  ///< a key of the configuration
  Kind kind = Kind::real;
  double low = 0, high = 0;  ///< both included; of real and whole
  bool log = false;          ///< drawn on the scale of the logarithm
  std::vector<std::string> choices = {};
  /// The value as the configuration reads it: "0.00031", "16", "unet++".
  std::string text(double value) const;
  /// Whether the value is in its range, or the index of one of its choices.
  bool holds(double value) const;
  /// The distribution as Optuna writes it into a journal.
  std::string distribution() const;
};

/// For people: three significant digits of a fraction that was drawn, of ten characters or more; else as it is.
std::string short_value(const std::string& value);

struct SearchSpace {
  std::vector<Dimension> dimensions;
  /// Reads specifications: KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=A,B,C (commas inside brackets belong to a list).
  /// Throws ConfigError: another form, an unknown key, a range that is empty or has no logarithm, fewer than two
  /// choices, a key twice, a key that says what is compared or where (data.dir, train.epochs, run.*, ...).
  static SearchSpace parse(const std::vector<std::string>& specifications);
  /// The specifications again, in their shortest form.
  std::vector<std::string> specifications() const;
  /// Throws ConfigError where a bound or a choice makes `base` a configuration that cannot run.
  void check(const Config& base) const;
};

}  // namespace cris
