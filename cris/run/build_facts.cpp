/// The build writes all of it: cris/CMakeLists.txt.
#include "cris/run/build_facts.h"

#include "commit.h"

namespace cris {

const BuildFacts& build_facts() {
  static const BuildFacts facts{CRIS_VERSION, CRIS_COMMIT, CRIS_COMPILER, CRIS_FLAGS};
  return facts;
}

}  // namespace cris
