/// Recording by stream capture: a CUDA graph of what the stream was given.
#include "tensor/cuda/recording.h"

#include "tensor/cuda/runtime.h"

namespace tensor::cuda {
namespace {

const Tensor* current_random_step = nullptr;  // while record() runs

class GraphRecording final : public Recording {
 public:
  explicit GraphRecording(cudaGraph_t graph) {
    const cudaError_t status = cudaGraphInstantiate(&runnable_, graph, 0);
    cudaGraphDestroy(graph);
    check_cuda(status, "cudaGraphInstantiate");
  }
  ~GraphRecording() override {
    cudaStreamSynchronize(stream());  // it may still run
    cudaGraphExecDestroy(runnable_);
  }
  void replay() override { check_cuda(cudaGraphLaunch(runnable_, stream()), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t runnable_{};
};

}  // namespace

std::unique_ptr<Recording> record(const Tensor& random_step, const std::function<void()>& work) {
  check(!separate_blocks(), "record: with CRIS_CUDA_SEPARATE=1 memory does not stay where it was recorded");
  cudaGraph_t graph{};
  check_cuda(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  current_random_step = &random_step;
  try {
    work();
  } catch (...) {
    current_random_step = nullptr;
    if (cudaStreamEndCapture(stream(), &graph) == cudaSuccess) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  current_random_step = nullptr;
  check_cuda(cudaStreamEndCapture(stream(), &graph), "cudaStreamEndCapture");
  return std::make_unique<GraphRecording>(graph);
}

bool recording() { return current_random_step != nullptr; }

const int32_t* recorded_random_step() { return current_random_step ? current_random_step->data<int32_t>() : nullptr; }

}  // namespace tensor::cuda
