# Completes the arguments of s6gen in bash. `s6gen completions bash` prints this script.

_s6gen() {
  local line word words=() position=0 index before=$COMP_LINE

  # bash also splits words at characters such as `:` and `@`: join what no blank separates.
  for index in "${!COMP_WORDS[@]}" ; do
    word=${COMP_WORDS[index]}
    if test "$index" -gt 0 && test -n "$word" && test "${before#"$word"}" != "$before" ; then
      words[${#words[@]}-1]+=$word
    else
      words+=("$word")
      before=${before#"${before%%[![:space:]]*}"}
    fi
    before=${before#"$word"}
    if test "$index" = "$COMP_CWORD" ; then
      position=$((${#words[@]} - 1))
    fi
  done

  # bash replaces only the part of the word after such a character.
  local start=${words[position]%"$2"}
  COMPREPLY=()
  while IFS= read -r line ; do
    word=${line%%$'\t'*}
    COMPREPLY+=("${word#"$start"}")
  done < <(s6gen complete-word "$position" -- "${words[@]}" 2>/dev/null)
  if test "${#COMPREPLY[@]}" = 1 ; then
    case ${COMPREPLY[0]} in
      *= | *:) compopt -o nospace ;;
    esac
  fi
}

complete -o bashdefault -o default -F _s6gen s6gen
