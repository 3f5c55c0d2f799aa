#!/bin/sh
# Notes what it sees in the folder `$RECORD`, below its first word, once for each start. The other words say what it does:
# `exit=N` ends at once with this code, `once=N` only the first time, `late=N` after 2 seconds the first time, `ignore` notes
# signals and stays, `child` has a child that notes them too.
home="$RECORD/$1"
mkdir -p "$home"
n=1
while [ -e "$home/$n" ]; do n=$((n + 1)); done
new="$home/new"
rm -rf "$new"
mkdir "$new"
for word in "$@"; do printf '%s\0' "$word"; done > "$new/words"
cat "/proc/$$/environ" > "$new/environment"
pwd -P > "$new/directory"
readlink "/proc/$$/fd/0" | sed 's/:.*//' > "$new/input"
grep -E '^(Uid|Gid|Groups|Umask)' "/proc/$$/status" > "$new/rights"
first=
[ "$n" != 1 ] || first=yes
stays=
for word in "$@"; do [ "$word" != ignore ] || stays=yes; done
for signal in HUP INT QUIT USR1 USR2 TERM; do
  trap "echo $signal >> '$home/signals'; [ -n '$stays' ] || exit 0" $signal
done
for word in "$@"; do
  case $word in
  child)
    : > "$home/lives"
    (
      for signal in HUP INT QUIT USR1 USR2 TERM; do
        trap "echo $signal >> '$home/child'; rm '$home/lives'; exit 0" $signal
      done
      while kill -0 $$ 2>/dev/null; do sleep 0.1; done
      # Whoever wants to end it too does so now.
      for time in 1 2 3 4 5 6; do sleep 0.5; done
      rm "$home/lives"
    ) &
    ;;
  esac
done
mv "$new" "$home/$n"
for word in "$@"; do
  case $word in
  exit=*) exit "${word#exit=}" ;;
  once=*) [ -z "$first" ] || exit "${word#once=}" ;;
  late=*) [ -z "$first" ] || { sleep 2; exit "${word#late=}"; } ;;
  esac
done
# Also where nobody ends it, it does not outlive the test.
while [ -d "$home" ]; do sleep 0.2; done
