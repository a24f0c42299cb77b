// fails_gtest.cc - the same with GoogleTest.
#include <gtest/gtest.h>

#include "fails.h"

TEST(Locks, Opposite)
{
    EXPECT_EQ(hd_explore_print("Locks.Opposite", opposite, nullptr, nullptr), 0);
}

TEST(Locks, Same)
{
    EXPECT_EQ(hd_explore_print("Locks.Same", same, nullptr, nullptr), 0);
}
