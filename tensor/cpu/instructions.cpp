/// A macro that is not defined stays its own name as text; one that is becomes "1".
#include "tensor/instructions.h"

namespace tensor {

#define CRIS_TEXT(macro) #macro
#define CRIS_USED(macro, name) CRIS_TEXT(macro)[0] == '1',
const bool kCpuUses[] = {CRIS_INSTRUCTIONS(CRIS_USED)};

}  // namespace tensor
