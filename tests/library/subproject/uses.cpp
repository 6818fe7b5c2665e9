/// Never built: CMake wants a source.
int main() {}
