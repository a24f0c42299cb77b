# extract.awk: every ```c block of a page becomes DIR/NAME_NN.c, after the page's "```c prelude", with a
# main that calls its demo(). Prints one line each: "runs FILE", or "refused FILE" for a block marked
# "```c does not compile". Use: awk -v dir=DIR -v name=NAME -f extract.awk PAGE
function finish(    file) {
    if (kind == "prelude") {
        prelude = block
        return
    }
    file = sprintf("%s/%s_%02d.c", dir, name, ++count)
    printf "%s\n%s\nint main(void)\n{\n    demo();\n    return 0;\n}\n", prelude, block > file
    close(file)
    print (kind == "does not compile" ? "refused " : "runs ") file
}
inside && $0 == "```" { finish(); inside = 0; next }
inside { block = block $0 "\n"; next }
/^```c( |$)/ {
    kind = substr($0, 6)
    inside = 1
    block = sprintf("#line %d \"%s\"\n", FNR + 1, FILENAME)
}
