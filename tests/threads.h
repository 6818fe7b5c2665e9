/// So many threads while it lives, then as many as before.
#pragma once
#include "tensor/machine/threads.h"

struct Threads {
  explicit Threads(int n) { tensor::set_threads(n); }
  ~Threads() { tensor::set_threads(before); }
  int before = tensor::threads();
};
