/* A library that is built as it is: its accesses are not watched. */
int plain_part(int n);

int plain_part(int n)
{
    return n + 1;
}
