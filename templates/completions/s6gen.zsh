#compdef s6gen
# Completes the arguments of s6gen in zsh. `s6gen completions zsh` prints this script.

_s6gen() {
  local line word
  local -a found shown
  while IFS= read -r line ; do
    word=${line%%$'\t'*}
    found+=("$word")
    shown+=("$word  ${line#*$'\t'}")
  done < <(s6gen complete-word $((CURRENT - 1)) -- "${words[@]}" 2>/dev/null)
  if (( ${#found} )) ; then
    compadd -l -d shown -a found
  else
    _files
  fi
}

if [[ ${funcstack[1]} = _s6gen ]] ; then
  _s6gen "$@"
else
  compdef _s6gen s6gen
fi
