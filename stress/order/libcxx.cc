/* The same, with the C++ library of LLVM. */
#include "cxx.cc"
