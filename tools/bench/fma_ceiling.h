/// What no kernel of the CPU can exceed.
#pragma once

namespace tools {

/// Operations a second of multiply-adds in registers on every thread, each counted as 2; the best of three tries.
double fma_ceiling();

}  // namespace tools
