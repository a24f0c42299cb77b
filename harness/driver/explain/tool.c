/* tool - a report of another tool that could not be broken up
 *
 * Means:  With --tool=tsan, helgrind or drd: what the tool said, shown as it was.
 * Found:  By the tool.
 * Limits: There is no example: what heddle does not know the form of.
 */
