/// What the fake libraries share: the one stream, and the place where violations are told.
#pragma once
#include <functional>
#include <string>

namespace ptx {

/// Does the work now, or when the graph is launched that is being captured.
void enqueue(std::function<void()> work);
/// Counts it and prints it; the call that found it fails.
void note_violation(const std::string& text);

}  // namespace ptx
