/* cpus.h - how many CPUs there are for us. */
#ifndef HEDDLE_DRIVER_CPUS_H
#define HEDDLE_DRIVER_CPUS_H

/* From 1 to most. */
unsigned cpus_usable(unsigned most);

#endif /* HEDDLE_DRIVER_CPUS_H */
