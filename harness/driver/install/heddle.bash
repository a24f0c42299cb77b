# Completion of heddle in bash: commands and options come from its help.
_heddle() {
    local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-} word
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$command" = help ]; }; then
        mapfile -t COMPREPLY < <(compgen -W "help $(heddle --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p')" -- "$current")
        return
    fi
    for word in "${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
        [ "$word" = -- ] && { # the program's own arguments
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
        }
    done
    case $current in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "$(heddle help "$command" 2>/dev/null |
            sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}\(--[a-z-]*=\{0,1\}\).*/\2/p')" -- "$current")
        [[ ${COMPREPLY[0]:-} == *= ]] && compopt -o nospace
        ;;
    *)
        if [ "$command" = explain ]; then
            mapfile -t COMPREPLY < <(compgen -W "$(heddle explain 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p')" -- "$current")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    esac
}
complete -o filenames -F _heddle heddle
