/// What the paper claims: its tables 1 (Kvasir-SEG) and 2 (CVC-ClinicDB).
#pragma once
#include "cris/strategy.h"

namespace cris {

/// By BackboneKind.
constexpr const char* kPaperBackbones[] = {"UNet", "UNet++", "SegNet"};
/// The paper's rows, in its order.
constexpr struct {
  Strategy strategy;
  const char* title;
} kPaperRows[] = {{Strategy::backbone, "Backbone"},
                  {Strategy::fcn, "Backbone+FCN"},
                  {Strategy::crf, "Backbone+CRF"},
                  {Strategy::cris, "Proposed (CRIS)"}};

struct PaperClaim {
  double dice, mse;  ///< dice in percent
};
/// [table - 1][row][backbone].  Source: CRIS (arXiv 2405.19672), tables 1 and 2.
constexpr PaperClaim kPaperClaims[2][4][3] = {{{{76.69, 0.049}, {83.08, 0.043}, {71.54, 0.060}},
                                               {{85.46, 0.034}, {84.35, 0.034}, {73.88, 0.052}},
                                               {{84.41, 0.038}, {82.57, 0.037}, {83.01, 0.042}},
                                               {{85.99, 0.035}, {86.05, 0.032}, {86.88, 0.041}}},
                                              {{{91.58, 0.011}, {91.25, 0.011}, {86.39, 0.020}},
                                               {{91.68, 0.010}, {90.94, 0.011}, {78.54, 0.022}},
                                               {{88.82, 0.013}, {92.81, 0.010}, {90.15, 0.011}},
                                               {{92.62, 0.010}, {92.49, 0.009}, {92.39, 0.008}}}};

}  // namespace cris
