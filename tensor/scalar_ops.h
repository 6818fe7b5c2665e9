/// Element-wise math, written once: each functor runs on every backend, in f32 and f64.
#pragma once
#include <variant>

#include "tensor/host_device.h"
#include "tensor/scalar_math.h"

namespace tensor {

// ---- one argument --------------------------------------------------------------------------------------------------
/// scale * x + shift
struct Affine {
  double scale = 1, shift = 0;
  template <class T>
  HD T operator()(T x) const {
    return T(scale) * x + T(shift);
  }
};
/// max(x, 0); NaN stays NaN
struct Relu {
  template <class T>
  HD T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};
/// 1 / (1 + e^-x)
struct Sigmoid {
  template <class T>
  HD T operator()(T x) const {
    return math::sigmoid(x);
  }
};
/// e^x
struct Exp {
  template <class T>
  HD T operator()(T x) const {
    return math::exp(x);
  }
};
/// tanh x
struct Tanh {
  template <class T>
  HD T operator()(T x) const {
    return math::tanh(x);
  }
};
/// ln x
struct Log {
  template <class T>
  HD T operator()(T x) const {
    return math::log(x);
  }
};
/// 1 / sqrt(x + epsilon)
struct Rsqrt {
  double epsilon = 0;
  template <class T>
  HD T operator()(T x) const {
    return T(1) / math::sqrt(x + T(epsilon));
  }
};
/// 1 where x >= at, else 0
struct Threshold {
  double at = 0.5;
  template <class T>
  HD T operator()(T x) const {
    return x >= T(at) ? T(1) : T(0);
  }
};

using MapOp = std::variant<Affine, Relu, Sigmoid, Exp, Log, Rsqrt, Threshold, Tanh>;

// ---- two arguments -------------------------------------------------------------------------------------------------
struct Add {
  template <class T>
  HD T operator()(T a, T b) const {
    return a + b;
  }
};
struct Subtract {
  template <class T>
  HD T operator()(T a, T b) const {
    return a - b;
  }
};
struct Multiply {
  template <class T>
  HD T operator()(T a, T b) const {
    return a * b;
  }
};
struct Divide {
  template <class T>
  HD T operator()(T a, T b) const {
    return a / b;
  }
};
/// Gradient of Relu: dy where y > 0, else 0.
struct ReluGrad {
  template <class T>
  HD T operator()(T dy, T y) const {
    return y > T(0) ? dy : T(0);
  }
};
/// Gradient of Sigmoid: dy y (1 - y).
struct SigmoidGrad {
  template <class T>
  HD T operator()(T dy, T y) const {
    return dy * y * (T(1) - y);
  }
};
/// Gradient of Tanh: dy (1 - y^2).
struct TanhGrad {
  template <class T>
  HD T operator()(T dy, T y) const {
    return dy * (T(1) - y * y);
  }
};
/// (a - b)^2
struct SquaredDifference {
  template <class T>
  HD T operator()(T a, T b) const {
    return (a - b) * (a - b);
  }
};
/// -[t ln p + (1 - t) ln(1 - p)], each logarithm at least log_floor.
struct BinaryCrossEntropy {
  double log_floor = -100;
  template <class T>
  HD T operator()(T p, T t) const {
    const T on = math::log(p), off = math::log(T(1) - p), least = T(log_floor);
    return -(t * (on < least ? least : on) + (T(1) - t) * (off < least ? least : off));
  }
};
/// d/dp of BinaryCrossEntropy as PyTorch defines it: (p - t) / max(p (1 - p), 1e-12).
struct BinaryCrossEntropyGrad {
  template <class T>
  HD T operator()(T p, T t) const {
    const T d = p * (T(1) - p), least = T(1e-12);
    return (p - t) / (d < least ? least : d);
  }
};
/// Binary cross entropy of sigmoid(z) against t, from the logit: max(z, 0) - z t + ln(1 + e^-|z|).
struct BinaryCrossEntropyWithLogits {
  template <class T>
  HD T operator()(T z, T t) const {
    const T magnitude = z < T(0) ? -z : z;
    return (z > T(0) ? z : T(0)) - z * t + math::log1p_unit(math::exp(-magnitude));
  }
};
/// d/dz of BinaryCrossEntropyWithLogits: sigmoid(z) - t.
struct BinaryCrossEntropyWithLogitsGrad {
  template <class T>
  HD T operator()(T z, T t) const {
    return math::sigmoid(z) - t;
  }
};

using ZipOp =
    std::variant<Add, Subtract, Multiply, Divide, ReluGrad, SigmoidGrad, SquaredDifference, BinaryCrossEntropy,
                 BinaryCrossEntropyGrad, BinaryCrossEntropyWithLogits, BinaryCrossEntropyWithLogitsGrad, TanhGrad>;

}  // namespace tensor
