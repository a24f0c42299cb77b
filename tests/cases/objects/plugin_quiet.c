/* A plugin that makes no thread. */
extern int plugin_answer;

int plugin_answer = 42;
