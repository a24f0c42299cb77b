/* plant_race.c - the plain race, in a file without atomics: Helgrind's and DRD's word is doubted
 * where there are any. */
#include "plants.h"

static int counter;

static void *count(void *arg)
{
    counter++;
    return arg;
}

void plant_DATA_RACE(void)
{
    plant_both(count, count, NULL);
}
