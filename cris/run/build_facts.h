/// What this program was built of.
#pragma once

namespace cris {

struct BuildFacts {
  const char* version;  ///< "0.1.0"
  const char* commit;   ///< of the source, 12 digits, as the last build found it, with "-modified" where files differed
                        ///< from it; "unknown" outside a repository
  const char* compiler;  ///< "GNU 12.2.0"
  const char* flags;     ///< the kind of build: "Release"
};
const BuildFacts& build_facts();

}  // namespace cris
