/// Divergence and convergence of a warp's lanes.
///
/// PTX promises no order in which the sides of a branch run. Here the group at the lowest place runs until it meets the
/// next one, so lanes of structured code are together again behind it, as early as may be. `.aligned` instructions
/// check that all lanes that live are there.
#include "tests/ptx/warp.h"

#include <algorithm>

namespace ptx {

void Warp::start(Lanes lanes) {
  place = 0;
  here = living = lanes;
  elsewhere.clear();
  groups.clear();
  open.clear();
}

void Warp::settle() {
  if (here == 0) {
    if (elsewhere.empty()) return;
    place = elsewhere.back().place;
    here = elsewhere.back().lanes;
    elsewhere.pop_back();
  }
  if (elsewhere.empty() || place < elsewhere.back().place) return;
  if (place > elsewhere.back().place) {
    const Group mine{place, here};
    place = elsewhere.back().place;
    here = elsewhere.back().lanes;
    elsewhere.pop_back();
    const auto at =
        std::find_if(elsewhere.begin(), elsewhere.end(), [&](const Group& g) { return g.place <= mine.place; });
    if (at != elsewhere.end() && at->place == mine.place)
      at->lanes |= mine.lanes;
    else
      elsewhere.insert(at, mine);
  }
  while (!elsewhere.empty() && elsewhere.back().place == place) {
    here |= elsewhere.back().lanes;
    elsewhere.pop_back();
  }
}

void Warp::branch(Lanes lanes, int target) {
  if (lanes == here) {
    place = target;
    return settle();
  }
  if (lanes == 0) {
    ++place;
    return settle();
  }
  const Group rest{place + 1, here & ~lanes};
  const auto at =
      std::find_if(elsewhere.begin(), elsewhere.end(), [&](const Group& g) { return g.place <= rest.place; });
  if (at != elsewhere.end() && at->place == rest.place)
    at->lanes |= rest.lanes;
  else
    elsewhere.insert(at, rest);
  here = lanes;
  place = target;
  settle();
}

void Warp::exit(Lanes lanes) {
  living &= ~lanes;
  here &= ~lanes;
  ++place;
  settle();
}

}  // namespace ptx
