/* kernel_order.h - the order that the kernel makes between threads that hand something over. */
#ifndef HEDDLE_KERNEL_ORDER_H
#define HEDDLE_KERNEL_ORDER_H

#include <stdbool.h>

/* The caller writes to fd, closes it or connects it; reads from it, or is told of bytes in it. */
void hdi_sends(int fd);
void hdi_receives(int fd);
/* There was no room somewhere. */
void hdi_found_full(void);
/* The caller makes room for who writes to the other end; it had to wait for some. */
void hdi_makes_room(int fd);
void hdi_finds_room(int fd);

/* What the caller did is seen by whoever the kernel tells that something is ready or has ended... */
void hdi_told_kernel(void);
/* ... which is the caller now, perhaps of room, if it had to wait. */
void hdi_heard(bool waited);

#endif /* HEDDLE_KERNEL_ORDER_H */
