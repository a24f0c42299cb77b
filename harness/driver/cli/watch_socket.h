/* watch_socket.h - `heddle attach` asks `heddle watch` for the dump of the program that it follows.
 *
 * The socket is of heddle watch, not of the program: an abstract name with the program's number. It
 * passes the wish on by the connection on which the program tells what it does.
 */
#ifndef HEDDLE_DRIVER_WATCH_SOCKET_H
#define HEDDLE_DRIVER_WATCH_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* -1: it could not be made, and nobody can ask. */
int watch_socket_listen(pid_t program);
/* Whoever asks next and may: the same user, or root. -1: nobody. */
int watch_socket_accept(int listener);
/* Takes over text and connection, and does not wait for the other side. */
void watch_socket_answer(int connection, char *text);

/* The dump of a program that is watched. NULL: it is not, or, if *why says so, it did not come;
 * free() both. */
char *watch_socket_ask(pid_t program, char **why);

#endif /* HEDDLE_DRIVER_WATCH_SOCKET_H */
